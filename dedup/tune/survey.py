"""From articles to what is asked about them: prepared as for any job, paired, sampled, and read again.

The working folder is gone before the first question is asked.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, U32, U64, decode_utf8
from dedup.engines.local import LocalEngine
from dedup.errors import InputError, SettingsError
from dedup.fingerprint.similarity import jaccard
from dedup.kernels.backend import Backend
from dedup.match.policy import BOILERPLATE
from dedup.pipeline import decide, prepared
from dedup.prepare.batch import SHARED_WORDS
from dedup.prepare.columns import digest_values, flat_array, integer_values
from dedup.prepare.corpus import Corpus
from dedup.prepare.one_text import compared_text
from dedup.prepare.store import load_batch
from dedup.read.inputs import STDIN
from dedup.runtime.progress import Progress, StageTimer
from dedup.settings import ARTICLE_SHINGLE, PARAGRAPH_SHINGLE, Settings
from dedup.tune.candidate_pairs import CandidatePairs, KeysOf, pairs_within
from dedup.tune.labels import PairKey
from dedup.tune.sampling import bin_numbers, draws, edges, sample


class Asked(NamedTuple):
    """What is asked: window of similarity, paragraphs or articles, how many pairs, and the seed of the sample."""

    window: tuple[float, float]
    paragraphs: bool = False
    pairs: int = 40
    seed: int = 1

    @property
    def shingle(self) -> int:
        """Words to a shingle."""
        return PARAGRAPH_SHINGLE if self.paragraphs else ARTICLE_SHINGLE


class Question(NamedTuple):
    """A pair to ask about: its texts, where they are, their digests in hexadecimal, and their similarity."""

    texts: tuple[str, str]
    articles: tuple[str, str]
    digests: tuple[str, str]
    similarity: float


class Survey(NamedTuple):
    """What was found: borders of the bins, how many pairs each holds, labels that are of this corpus, questions."""

    borders: list[float]
    held: list[float]
    found: int
    known: frozenset[PairKey]
    questions: list[Question]


class _Texts(NamedTuple):
    """The distinct texts that can be paired, numbered by digest; `firsts` and `lasts` are places of their copies."""

    digests: list[bytes]
    buckets: U32
    firsts: I64
    lasts: I64
    articles: I64  # of each place
    starts: I64  # of each place, a span in the raw text; none for articles
    stops: I64
    keys_of: KeysOf

    @property
    def marks(self) -> U64:
        """The first 8 bytes of each digest."""
        return np.frombuffer(b"".join(digest[:8] for digest in self.digests), np.uint64)


def window(threshold: float, low: float | None, high: float | None) -> tuple[float, float]:
    """The window from `low` to `high`; where they are not given, 0.2 below the threshold to 0.15 above it.

    >>> window(0.8, None, None), window(0.9, 0.5, None)
    ((0.6, 0.95), (0.5, 1.0))
    """
    found = (
        max(0.05, round(threshold - 0.2, 10)) if low is None else low,
        min(1.0, round(threshold + 0.15, 10)) if high is None else high,
    )
    if not 0 < found[0] < found[1] <= 1:
        raise SettingsError(f"--from {found[0]:g} --to {found[1]:g}: no window; give 0 < from < to <= 1")
    return found


def survey(
    inputs: Sequence[str],
    settings: Settings,
    asked: Asked,
    labels: Collection[PairKey],
    engine: LocalEngine,
    progress: Progress | None = None,
) -> Survey:
    """The pairs of a corpus in bins, and those to ask about; `labels` holds what is answered already.

    Raises `InputError` where no pair lies in the window.
    """
    low = asked.window[0]
    rules = {**settings.rules, "near-duplicate-article": "drop", "shared-paragraph": "off"}
    if asked.paragraphs:
        rules |= {"near-duplicate-article": settings.rules["near-duplicate-article"], "shared-paragraph": "flag"}
    name = "paragraph_threshold" if asked.paragraphs else "threshold"
    wide = replace(settings, rules=rules, **{name: low})  # type: ignore[arg-type]
    watch = StageTimer(progress)
    with tempfile.TemporaryDirectory(prefix="dedup-") as work:
        workers, _, corpus = prepared(inputs, wide, engine, watch, Path(work))
        backend = workers.backend
        with watch.stage("find pairs"):
            texts = _paragraphs(corpus, wide, backend) if asked.paragraphs else _articles(corpus)
            pairs = pairs_within(texts.buckets, texts.marks, texts.keys_of, asked.shingle, asked.window, backend)
            pairs = _between_articles(pairs, texts) if asked.paragraphs else pairs
        if not len(pairs.ones):
            what = "paragraphs of different articles" if asked.paragraphs else "articles that differ"
            raise InputError(
                f"{', '.join(inputs)}: no two {what} are {low:g} to {asked.window[1]:g} similar; "
                "widen the window with --from and --to, or give more articles"
            )
        return _sampled(corpus, texts, pairs, settings, asked, labels)


def _articles(corpus: Corpus) -> _Texts:
    """The articles long enough to be compared."""
    table = corpus.columns("digest", "buckets")
    buckets = flat_array(table["buckets"])
    places = np.flatnonzero(np.asarray(buckets.is_valid()))
    none = np.full(len(corpus), -1, np.int64)
    rows = np.arange(len(corpus), dtype=np.int64)
    return _distinct(
        digest_values(table["digest"]),
        np.asarray(buckets.values).reshape(len(corpus), buckets.type.list_size),
        places,
        (rows, none, none),
        lambda wanted: corpus.keys(rows[wanted]),
    )


def _paragraphs(corpus: Corpus, settings: Settings, backend: Backend) -> _Texts:
    """The paragraphs that clean would compare: of articles that stay, long enough, not boilerplate nor its twins."""
    unshared = replace(settings, rules={**settings.rules, "shared-paragraph": "off"})
    verdicts, _ = decide(corpus, unshared, backend, StageTimer())
    kept, decided = verdicts.articles.kept, verdicts.paragraphs
    table = corpus.columns("paragraphs", "paragraph_buckets")
    values = flat_array(table["paragraphs"]).flatten()
    articles = np.repeat(np.arange(len(corpus)), np.diff(corpus.paragraph_borders))
    buckets = flat_array(table["paragraph_buckets"]).flatten()
    compared = np.asarray(buckets.is_valid()) & kept[articles] & (integer_values(values.field("words")) >= SHARED_WORDS)
    boilerplate = decided.rules == BOILERPLATE
    compared[decided.numbers[boilerplate]] = compared[decided.twins[boilerplate]] = False
    places = np.flatnonzero(compared)
    starts, stops = integer_values(values.field("key_start")), integer_values(values.field("key_stop"))
    return _distinct(
        digest_values(values.field("digest")),
        np.asarray(buckets.values).reshape(len(buckets), buckets.type.list_size),
        places,
        (articles, integer_values(values.field("raw_start")), integer_values(values.field("raw_stop"))),
        lambda wanted: corpus.paragraph_keys(articles[wanted], starts[wanted], stops[wanted]),
    )


def _distinct(
    every: npt.NDArray[np.void], buckets: U32, places: I64, spans: tuple[I64, I64, I64], keys_at: KeysOf
) -> _Texts:
    """The distinct texts at `places`, numbered by digest and so whatever the order of the input."""
    _, firsts = np.unique(every[places], return_index=True)
    distinct, backwards = np.unique(every[places[::-1]], return_index=True)
    first = places[firsts]
    last = places[::-1][backwards]
    return _Texts(distinct.tolist(), buckets[first], first, last, *spans, lambda numbers: keys_at(first[numbers]))


def _between_articles(pairs: CandidatePairs, texts: _Texts) -> CandidatePairs:
    """Without the pairs that stand in one article only: paragraphs of it never match each other."""
    homes = np.stack([texts.articles[at[of]] for at in (texts.firsts, texts.lasts) for of in (pairs.ones, pairs.twos)])
    between = np.any(homes != homes[0], axis=0)
    return CandidatePairs(pairs.ones[between], pairs.twos[between], pairs.similarities[between], pairs.weights[between])


def _sampled(
    corpus: Corpus, texts: _Texts, pairs: CandidatePairs, settings: Settings, asked: Asked, labels: Collection[PairKey]
) -> Survey:
    borders = edges(asked.window)
    bins = bin_numbers(pairs.similarities, borders)
    known = _known(pairs, texts, labels, asked.shingle)
    labelled = np.zeros(len(bins), bool)
    labelled[list(known)] = True
    counts = np.bincount(bins[labelled], minlength=len(borders) - 1).tolist()
    drawn = draws(texts.marks[pairs.ones], texts.marks[pairs.twos], asked.seed)
    chosen = sample(bins, pairs.weights, drawn, labelled, counts, asked.pairs)
    held = np.round(np.bincount(bins, weights=pairs.weights, minlength=len(borders) - 1), 3).tolist()
    questions = list(_questions(corpus, texts, pairs, settings, asked, chosen))
    return Survey(borders, held, len(bins), frozenset(known.values()), questions)


def _known(pairs: CandidatePairs, texts: _Texts, labels: Collection[PairKey], shingle: int) -> dict[int, PairKey]:
    """The places among `pairs` that have a label, and its key."""
    mine = [key for key in labels if key[2] == shingle]
    wanted = {digest for key in mine for digest in key[:2]}
    numbers = {digest.hex(): number for number, digest in enumerate(texts.digests) if digest.hex() in wanted}
    count = len(texts.digests)
    codes = pairs.ones * count + pairs.twos  # ascending
    found = {}
    for key in mine:
        if key[0] in numbers and key[1] in numbers:
            low, high = sorted((numbers[key[0]], numbers[key[1]]))
            place = int(np.searchsorted(codes, low * count + high))
            if place < len(codes) and codes[place] == low * count + high:
                found[place] = key
    return found


def _questions(
    corpus: Corpus, texts: _Texts, pairs: CandidatePairs, settings: Settings, asked: Asked, chosen: I64
) -> Iterator[Question]:
    """What a person is shown of each chosen pair: of articles the text compared, of paragraphs the raw one."""
    places = [_apart(texts, one, two) for one, two in zip(pairs.ones[chosen], pairs.twos[chosen], strict=True)]
    raw, names = _raw(corpus, np.unique(texts.articles[np.array(places, np.int64).ravel()]))
    for at, (one, two) in zip(chosen.tolist(), places, strict=True):
        numbers = np.array([pairs.ones[at], pairs.twos[at]])
        shown, where = [], []
        for place in (one, two):
            article, start, stop = (int(column[place]) for column in (texts.articles, texts.starts, texts.stops))
            shown.append(raw[article][start:stop] if asked.paragraphs else compared_text(raw[article], settings))
            where.append(f"{names[article]}:{start}-{stop}" if asked.paragraphs else names[article])
        first, second = texts.keys_of(numbers)
        mine = [texts.digests[number].hex() for number in numbers]
        similarity = jaccard(first, second, asked.shingle)
        yield Question((shown[0], shown[1]), (where[0], where[1]), (mine[0], mine[1]), similarity)


def _apart(texts: _Texts, one: int, two: int) -> tuple[int, int]:
    """Places of the two texts, in different articles where they are paragraphs."""
    first, other = int(texts.firsts[one]), int(texts.firsts[two])
    if texts.articles[first] != texts.articles[other]:
        return first, other
    last = int(texts.lasts[two])
    return (first, last) if texts.articles[last] != texts.articles[first] else (int(texts.lasts[one]), other)


def _raw(corpus: Corpus, rows: I64) -> tuple[dict[int, str], dict[int, str]]:
    """The raw texts of the articles in `rows`, and where they are."""
    raw, names = {}, {}
    for _, piece, start, stop in corpus.batches():
        mine = rows[(rows >= start) & (rows < stop)].tolist()
        if not mine:
            continue
        batch = load_batch(piece, ["source", "record", "text"])
        for row in mine:
            source, record, text = (column[row - start].as_py() for column in batch.columns)
            raw[row] = decode_utf8(text)
            names[row] = f"{source}#{record}"
    return raw, names


def refuse_standard_input(inputs: Sequence[str]) -> None:
    """Raises `InputError` where standard input is both articles and answers."""
    if STDIN in inputs:
        raise InputError("-: standard input is where answers come from; give a file, or --report")
