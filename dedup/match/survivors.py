"""Who survives: the loop at the centre of the design.

    for text in priority order:
        matches = survivors sharing a bucket with text, whose exact Jaccard >= threshold
        if matches: drop text; its twin is the match of highest similarity (ties: higher priority)
        else:       text is a survivor

Everything around that loop saves work without changing its answer. Texts with equal comparison keys share one
fingerprint. A text whose buckets hold no other key cannot match and is never looked at. Similarities are computed
on sets of 64-bit shingle hashes; before a text is dropped, the similarity to its twin is computed again on the
shingles themselves, and should the two ever differ, all its candidates are.

Texts are numbered in priority order: 0 is the first to be decided. This module knows neither articles nor files.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, U64, Floats, pack
from dedup.fingerprint.similarity import Comparer, jaccard
from dedup.kernels import reference
from dedup.match.buckets import Buckets
from dedup.prepare.corpus import KeyReader
from dedup.runtime.resources import evict_pages, slices

SURVIVES = -1
_WORD_BYTES = 16  # of a key and what is made of it to compare its words


class Texts(NamedTuple):
    """What is compared, in priority order.

    `firsts` is the first text of the same comparison key: int64 [texts]; `buckets` those that keys share, given with
    the first text of each; `words` how many each key has. Texts of equal `apart` (int64 [texts]; None: all differ)
    never match: the paragraphs of one article.
    """

    firsts: I64
    buckets: Buckets
    words: I64
    apart: I64 | None = None


class Survival(NamedTuple):
    """For each text its twin, or `SURVIVES`: int64 [texts]; its similarity: float64 [texts]; and what it took."""

    twins: I64
    similarities: Floats
    candidates: int
    matches: int


def find_survivors(texts: Texts, keys: KeyReader, n: int, threshold: float, comparer: Comparer = reference) -> Survival:
    """The answer of the loop above.

    `keys` are those of the texts; only those of texts that share a bucket are read. `n` is the number of words to a
    shingle.
    """
    if comparer.compiled:
        found = _compiled(texts, keys, n, threshold)
        if found is not None:
            return found
    return _plain(texts, keys, n, threshold, comparer)


def _plain(texts: Texts, keys: KeyReader, n: int, threshold: float, comparer: Comparer) -> Survival:
    """The loop as it is defined."""
    count = len(texts.firsts)
    twins = np.full(count, SURVIVES, np.int64)
    similarity = np.ones(count)
    several = np.bincount(texts.firsts, minlength=count) > 1
    meeting = np.diff(texts.buckets.borders) > 0  # distinct keys that meet another in some bucket
    loop = _Loop(texts, np.flatnonzero(meeting), keys, n, threshold, comparer)
    survivor_of_key: dict[int, int] = {}
    for text in np.flatnonzero((several | meeting)[texts.firsts]).tolist():
        key = int(texts.firsts[text])
        twin = survivor_of_key.get(key, SURVIVES)
        if twin != SURVIVES and not loop.apart(text, twin):
            continue  # an equal text in the same article: neither a match nor another survivor
        if twin == SURVIVES and meeting[key]:
            twin, similarity[text] = loop.best_match(text, key)
        if twin == SURVIVES:
            survivor_of_key[key] = text
            if meeting[key]:
                loop.insert(text, key)
        else:
            twins[text] = twin
    return Survival(twins, similarity, loop.candidates, loop.matches)


class _Loop:
    """The survivors so far, findable by bucket, and the sets to verify candidates with."""

    def __init__(
        self, texts: Texts, numbers: I64, keys: KeyReader, n: int, threshold: float, comparer: Comparer
    ) -> None:
        self.texts = texts
        self.rows = np.full(len(texts.firsts), -1, np.int64)  # where a key's set is
        self.rows[numbers] = np.arange(len(numbers))
        self.keys = keys.of(numbers)
        self.n = n
        self.threshold = threshold
        self.comparer = comparer
        self.hashes, self.borders = comparer.hash_sets(self.keys, n)
        self.members: dict[int, list[int]] = {}  # bucket -> survivors in it, ascending
        self.row_of: dict[int, int] = {}  # survivor -> row of its set
        self.candidates = 0
        self.matches = 0

    def apart(self, one: int, two: int) -> bool:
        """Whether the two texts may match at all."""
        return self.texts.apart is None or bool(self.texts.apart[one] != self.texts.apart[two])

    def buckets(self, key: int) -> I64:
        """The buckets that `key` shares with another."""
        values, borders = self.texts.buckets
        return values[borders[key] : borders[key + 1]]

    def insert(self, text: int, key: int) -> None:
        """Makes `text` a survivor that later texts can meet."""
        self.row_of[text] = int(self.rows[key])
        for bucket in self.buckets(key).tolist():
            self.members.setdefault(bucket, []).append(text)

    def best_match(self, text: int, key: int) -> tuple[int, float]:
        """The survivor `text` repeats and their similarity, or `SURVIVES` and 1.0."""
        met: set[int] = set()
        for bucket in self.buckets(key).tolist():
            met.update(self.members.get(bucket, ()))
        found = sorted(other for other in met if self.apart(text, other))
        if not found:
            return SURVIVES, 1.0
        self.candidates += len(found)
        row = int(self.rows[key])
        rows = np.array([self.row_of[other] for other in found])
        estimates = self.comparer.similarities(self.hashes, self.borders, row, rows, self.threshold)
        best = int(np.argmax(estimates))
        if estimates[best] < self.threshold:
            return SURVIVES, 1.0
        exact = jaccard(self.keys[row], self.keys[rows[best]], self.n)
        if exact != estimates[best]:  # two shingles with one hash: about one comparison in 10**13
            similarities = [jaccard(self.keys[row], self.keys[other], self.n) for other in rows]
            best = int(np.argmax(similarities))
            exact = similarities[best]
            if exact < self.threshold:
                return SURVIVES, 1.0
        self.matches += int(np.count_nonzero(estimates >= self.threshold))
        return found[best], exact


class ShingleSets(NamedTuple):
    """Sets of shingle hashes: where in `hashes` (uint64) each is, how large, and the parities of its hashes."""

    hashes: U64
    places: I64
    sizes: I64
    prints: U64


def shingle_sets(keys: KeyReader, numbers: I64, words: I64, n: int) -> ShingleSets:
    """The sets of the keys `numbers`, which have so many `words`, for compiled comparisons."""
    from dedup.kernels import set_overlap  # noqa: PLC0415 - loading numba takes longer than a small job

    scratch = keys.corpus.scratch
    borders = np.zeros(len(numbers) + 1, np.int64)
    np.cumsum(np.maximum(words - n + 1, 0), out=borders[1:])
    sets = ShingleSets(
        scratch.array(int(borders[-1]), np.uint64),
        borders[:-1],
        np.zeros(len(numbers), np.int64),
        np.zeros(len(numbers), np.uint64),
    )

    def make(task: tuple[int, I64, I64]) -> None:
        places, data, starts, stops = keys.part(task)
        set_overlap.distinct(data, starts, stops, n, places, *sets)
        evict_pages(sets.hashes)

    for _ in scratch.map(make, keys.by_piece(numbers)):
        pass
    return sets


def _compiled(texts: Texts, keys: KeyReader, n: int, threshold: float) -> Survival | None:
    """The same, compiled; None where two shingles that differ have one hash."""
    from dedup.kernels import survivors as loops  # noqa: PLC0415 - loading numba takes longer than a small job

    scratch = keys.corpus.scratch
    count = len(texts.firsts)
    distinct = np.flatnonzero(texts.firsts == np.arange(count))
    key_of = np.cumsum(texts.firsts == np.arange(count))[texts.firsts] - 1
    borders = np.concatenate([texts.buckets.borders[distinct], texts.buckets.borders[-1:]])
    meeting = np.diff(borders) > 0
    sets = _spread(shingle_sets(keys, distinct[meeting], texts.words[distinct[meeting]], n), meeting)
    held = np.bincount(texts.buckets.values)
    several = np.bincount(key_of, minlength=len(distinct)) > 1
    memo = np.where(several & meeting, np.cumsum(several & meeting) - 1, -1)
    memories = int(memo.max(initial=-1)) + 1
    loop = loops.Loop(
        keys=key_of,
        apart=np.empty(0, np.int64) if texts.apart is None else texts.apart,
        buckets=texts.buckets.values,
        borders=borders,
        **sets._asdict(),
        threshold=threshold,
        members=np.empty(len(texts.buckets.values), np.int32),
        slots=np.cumsum(held) - held,
        filled=np.zeros(len(held), np.int64),
        survivor=np.full(len(distinct), SURVIVES, np.int64),
        seen=np.full(len(distinct), -1, np.int64),
        memo=memo,
        remembered=np.full((memories, loops.ANSWER), -1, np.int64),
        remembered_similarity=np.ones(memories),
        twins=np.full(count, SURVIVES, np.int64),
        similarities=np.ones(count),
        counts=np.zeros(2, np.int64),
    )
    for start, stop in slices(count, scratch.passes(sets.hashes.nbytes)):
        loops.survivors(start, stop, loop)
        evict_pages(sets.hashes)
    dropped = np.flatnonzero(loop.twins != SURVIVES)
    ones, twos = texts.firsts[dropped], texts.firsts[loop.twins[dropped]]
    if not shingle_sets_agree(keys, texts.words, ones[ones != twos], twos[ones != twos], n):
        return None
    return Survival(loop.twins, loop.similarities, *loop.counts.tolist())


def _spread(sets: ShingleSets, which: npt.NDArray[np.bool_]) -> ShingleSets:
    """`sets` as those of the keys that `which` says; the others get empty ones."""
    spread = ShingleSets(
        sets.hashes, np.zeros(len(which), np.int64), np.zeros(len(which), np.int64), np.zeros(len(which), np.uint64)
    )
    spread.places[which], spread.sizes[which], spread.prints[which] = sets[1:]
    return spread


def shingle_sets_agree(keys: KeyReader, words: I64, ones: I64, twos: I64, n: int) -> bool:
    """Whether sets of hashes give the exact answer for each pair of keys: no two of their shingles have one hash."""
    from dedup.kernels import set_overlap  # noqa: PLC0415 - loading numba takes longer than a small job

    pairs = np.unique(np.stack([ones, twos], axis=1), axis=0)
    scratch = keys.corpus.scratch
    for start, stop in slices(len(pairs), scratch.passes(int(words[pairs].sum()) * _WORD_BYTES)):
        numbers, places = np.unique(pairs[start:stop], return_inverse=True)
        data, borders = pack(keys.of(numbers))
        one, two = np.ascontiguousarray(places.reshape(-1, 2).T)
        if not set_overlap.agree(data, borders[:-1], borders[1:], one, two, n).all():
            return False
    return True
