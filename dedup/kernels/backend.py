"""The protocol of the functions with two implementations, and the choice between the two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from dedup.arrays import I64, U32, U64, Bytes, Floats, pack
from dedup.fingerprint.prefix_hashes import OrderedSets, PrefixHashes
from dedup.fingerprint.similarity import Comparer
from dedup.fingerprint.versions import MemberRule, UnitLayout
from dedup.kernels import reference
from dedup.repairs.screen import SuspectLines
from dedup.segment.batch import BatchKeys, FactMarks, Segments
from dedup.segment.sentences import Sentences
from dedup.settings import NUM_PERM, SEED
from dedup.site_text.line_forms import LineForms


class Backend(Comparer, Protocol):
    """The functions of `dedup.kernels.reference` and `dedup.kernels.compiled`.

    Both return equal results for equal arguments, with two exceptions that affect speed and never an output. The kernel
    `find_suspect_lines` returns certain fixes where its definition returns suspect lines. And each screen may have
    false positives that the other does not have.

    A batch of texts or keys is `data` or `keys`, UTF-8 of uint8 [bytes], with `borders` or `offsets`, where they start
    and the last one ends, in bytes: int64 [texts + 1].
    """

    def rules_that_may_apply(self, data: Bytes, borders: I64) -> Bytes:
        """Return for each raw text the bits of the rules that may find something in it: uint8 [texts].

        See `dedup.repairs.screen.rules_that_may_apply`.
        """

    def find_suspect_lines(self, data: Bytes, borders: I64) -> SuspectLines:
        """Return the lines of texts in which the rule ``encoding`` may find something, and fixes that are certain.

        See `dedup.repairs.screen.find_suspect_lines`.
        """

    def find_furniture_lines(self, data: Bytes, borders: I64) -> dict[int, dict[int, str]]:
        """Return the kinds of the lines that are page furniture, by number of the text and number of the line.

        See `dedup.repairs.screen.find_furniture_lines`.
        """

    def segment_batch(self, data: Bytes, offsets: I64) -> Segments:
        """Return the paragraphs of texts, with their comparison keys.

        See `dedup.segment.batch.segment_batch`.
        """

    def join_keys(self, data: Bytes, starts: I64, stops: I64, offsets: I64) -> BatchKeys:
        """Return the comparison keys of texts, joined from the keys ``data[start:stop]`` of their paragraphs.

        `starts` and `stops` are int64 [paragraphs], in bytes. `offsets` are the numbers of the texts' first paragraphs:
        int64 [texts + 1]. See `dedup.segment.batch.join_keys`.
        """

    def find_fact_marks(self, data: Bytes, offsets: I64, segments: Segments) -> FactMarks:
        """Return the marks of numbers in the paragraphs of texts.

        `segments` are the paragraphs of `data`. See `dedup.segment.batch.find_fact_marks`.
        """

    def line_forms(
        self, data: Bytes, offsets: I64, segments: Segments, hashes: U64, title_hashes: U64, title_offsets: I64
    ) -> LineForms:
        """Return the forms and frames of the paragraphs of texts.

        `segments` are the paragraphs of `data`, and `hashes` those of all their words, in order: uint64 [words].
        `title_hashes` are those of the words of the titles of texts, from `title_offsets` on. See
        `dedup.site_text.line_forms.line_forms`.
        """

    def screen_self_repeats(self, hashes: U64, segments: Segments) -> Bytes:
        """Return for each text flags that say what may occur twice in it: uint8 [texts].

        `hashes` are those of all words of `segments`, in order: uint64 [words]. See
        `dedup.fingerprint.self_matches.screen_self_repeats`.
        """

    def split_sentences(self, text: str, spans: I64, counts: I64) -> Sentences:
        """Return the sentences of a text.

        `spans` are its paragraphs, in code points: int64 [paragraphs, 2]; `counts` are the words of each: int64
        [paragraphs]. See `dedup.segment.sentences.split_sentences`.
        """

    def find_runs(self, numbers: I64) -> I64:
        """Return the maximal equal runs of words in a text: int64 [runs, 3], as copy, source and length in words.

        `numbers` are the words of the text: int64 [words]. See `dedup.fingerprint.self_alignment.find_runs`.
        """

    def chain_runs(self, runs: I64, sizes: I64) -> I64:
        """Return for each run the best chain that ends with it: int64 [runs, 3], as score, run before, and cut.

        `runs` are int64 [runs, 3], and `sizes` those of words, summed up: int64 [words + 1]. See
        `dedup.fingerprint.self_alignment.chain_runs`.
        """

    def pair_paragraphs(self, runs: I64, borders: I64) -> I64:
        """Return how many words of runs each paragraph shares with earlier ones: int64 [pieces, 3].

        `runs` is int64 [runs, 3] and `borders` int64 [paragraphs + 1]. See
        `dedup.fingerprint.self_alignment.pair_paragraphs`.
        """

    def pair_words(self, numbers: I64, gaps: I64, runs: I64) -> I64:
        """Return the words of gaps and runs that correspond: int64 [pairs, 2], as copy and source, ascending by copy.

        `numbers` is int64 [words], `gaps` int64 [gaps, 4] and `runs` int64 [runs, 3]. See
        `dedup.fingerprint.versions.pair_words`.
        """

    def choose_members(
        self, words: I64, partners: I64, layout: UnitLayout, first: int, last: int, rule: MemberRule
    ) -> tuple[I64, Floats]:
        """Return the units of `first..last` that belong to a version, and the matched size of each of `first..last`.

        The answer is int64 [members], ascending, and float64 [last - first + 1]. `words` and `partners` are int64
        [matched words]. See `dedup.fingerprint.versions.choose_members`.
        """

    def word_hashes(self, keys: Bytes, offsets: I64) -> U64:
        """Return the hashes of all words of comparison keys, in order: uint64 [words].

        See `dedup.fingerprint.shingles.word_hashes`.
        """

    def minhash_signatures(
        self, words: U64, starts: I64, stops: I64, n: int, num_perm: int = NUM_PERM, seed: int = SEED
    ) -> U32:
        """Return the signatures of texts over their shingles of `n` words: uint32 [texts, num_perm].

        `words` are hashes of words, uint64 [words]; `starts` and `stops` are int64 [texts], in words. See
        `dedup.fingerprint.minhash.minhash_signatures`.
        """

    def bucket_signatures(self, signatures: U32, bands: int, rows: int) -> U32:
        """Return the bucket of each signature in each band: uint32 [signatures, bands].

        `signatures` are uint32 [signatures, num_perm]. See `dedup.fingerprint.minhash.bucket_signatures`.
        """

    def find_minimizers(self, words: U64, offsets: I64, n: int, window: int) -> tuple[U64, I64]:
        """Return the minimizers of texts, uint64 [minimizers], and their offsets, int64 [texts + 1].

        `words` are hashes of words, uint64 [words]; `offsets` are where the words of each text start: int64
        [texts + 1]. See `dedup.fingerprint.minimizers.find_minimizers`.
        """

    def ordered_shingle_sets(self, keys: Bytes, starts: I64, stops: I64, n: int) -> OrderedSets:
        """Return the sets of shingles of `n` words of the comparison keys ``keys[start:stop]``, rarest first.

        `starts` and `stops` are int64 [texts], in bytes. See `dedup.fingerprint.prefix_hashes.ordered_shingle_sets`.
        """

    def prefix_hashes(self, sets: OrderedSets, threshold: float, *, for_lookup: bool) -> PrefixHashes:
        """Return hashes of which two sets whose similarity is `threshold` or more share some.

        With `for_lookup`, they are those by which a set finds others. See
        `dedup.fingerprint.prefix_hashes.prefix_hashes`.
        """


# Below this many input bytes the plain definitions finish before compiled kernels are loaded and a process is forked.
SMALL_BYTES = 2 << 20


def load_backend(*, compiled: bool, progress: Callable[[int, int], None] | None = None) -> Backend:
    """Return the plain backend or the compiled one, whose kernels are loaded, or compiled first.

    `progress` is called with the number of compiled kernels and that of all, if they must be compiled. Raises
    `EngineError` if they cannot be.
    """
    if not compiled:
        return reference
    from dedup.kernels import compiled as kernels  # noqa: PLC0415 - loading LLVM takes longer than a small job
    from dedup.kernels import library  # noqa: PLC0415

    if not _warm:
        library.load_kernels(progress)
        _warm_up(kernels)
        _warm.append(True)
    return kernels


def _warm_up(kernels: Backend) -> None:
    """Call each kernel that works on batches once, so that forked processes find its code and its tables loaded."""
    data, offsets = pack([b"a b c"])
    kernels.rules_that_may_apply(data, offsets)
    kernels.find_suspect_lines(data, offsets)
    kernels.find_furniture_lines(data, offsets)
    segments = kernels.segment_batch(data, offsets)
    words = kernels.word_hashes(segments.keys, segments.key_offsets)
    kernels.screen_self_repeats(words, segments)
    kernels.find_fact_marks(data, offsets, segments)
    kernels.line_forms(data, offsets, segments, words, words, np.array([0, len(words)]))
    kernels.join_keys(segments.keys, segments.key_starts, segments.key_stops, segments.borders)
    kernels.split_sentences("a b c", np.array([[0, 5]]), np.array([3]))
    numbers = np.arange(20) % 10
    runs = kernels.find_runs(numbers)
    kernels.chain_runs(runs, np.arange(21))
    kernels.pair_paragraphs(runs, np.array([0, 10, 20]))
    pairs = kernels.pair_words(numbers, np.array([[10, 12, 0, 2]]), np.array([[12, 2, 8]]))
    layout = UnitLayout(np.arange(21.0), np.array([0, 10, 20]), np.array([0, 1]))
    kernels.choose_members(pairs[:, 0], pairs[:, 1], layout, 1, 1, MemberRule(0.5, 0.5, 10))
    offsets = np.array([0, 3])
    kernels.bucket_signatures(kernels.minhash_signatures(words, offsets[:1], offsets[1:], 2), 2, 1)
    kernels.find_minimizers(words, offsets, 2, 1)
    kernels.prefix_hashes(kernels.ordered_shingle_sets(data, offsets[:1], offsets[1:], 2), 0.8, for_lookup=False)
    hashes, offsets = kernels.shingle_hash_sets([b"a b c"], 2)
    kernels.jaccard_similarities(hashes, offsets, 0, offsets[:1], 0.5)


_warm: list[bool] = []  # not empty once this process, or the one it was forked from, has loaded them
