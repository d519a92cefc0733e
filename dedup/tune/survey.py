"""Find the similar pairs of a corpus, and choose the pairs to ask about.

Articles are prepared as for any job. The working folder is deleted before the first question is asked.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, decode_utf8
from dedup.engines.local import LocalEngine
from dedup.errors import InputError, SettingsError
from dedup.fingerprint.similarity import jaccard
from dedup.inspect.names import record_name
from dedup.match.own_text import set_site_text_apart
from dedup.pipeline import decide
from dedup.preparation import prepare_articles
from dedup.prepare.compared_texts import COMPARED_TEXT_COLUMNS, compared_texts
from dedup.prepare.corpus import Corpus
from dedup.prepare.store import load_batch
from dedup.read.formats import STDIN
from dedup.review.ruling import Ruling
from dedup.runtime.progress import Progress, StageTimer
from dedup.settings import ARTICLE_SHINGLE, PARAGRAPH_SHINGLE, Settings
from dedup.tune.candidate_pairs import CandidatePairs, pairs_within
from dedup.tune.distinct_texts import DistinctTexts, comparable_articles, comparable_paragraphs
from dedup.tune.labels import Label, PairKey
from dedup.tune.reviewed_pairs import labels_of_review
from dedup.tune.sampling import bin_edges, bin_numbers, pair_draws, sample_pairs


class Asked(NamedTuple):
    """The questions to ask: about pairs of which similarity and kind of text, how many, and the seed of the sample."""

    window: tuple[float, float]
    paragraphs: bool = False
    pairs: int = 40
    seed: int = 1

    @property
    def shingle(self) -> int:
        """Return the number of words per shingle."""
        return PARAGRAPH_SHINGLE if self.paragraphs else ARTICLE_SHINGLE


class Question(NamedTuple):
    """A pair to ask about.

    `articles` says where its texts are, and `digests` are those of their comparison keys, in hexadecimal.
    """

    texts: tuple[str, str]
    articles: tuple[str, str]
    digests: tuple[str, str]
    similarity: float


class Survey(NamedTuple):
    """The pairs of a corpus in bins of similarity, and the questions to ask.

    `pairs_per_bin` are estimates for the whole corpus; `pair_count` pairs were compared. `known` are the keys of the
    labels given that are of these pairs, each with the similarity of its pair. `reviewed` are the answers that a review
    implies.
    """

    edges: list[float]
    pairs_per_bin: list[float]
    pair_count: int
    known: Mapping[PairKey, float]
    questions: list[Question]
    reviewed: Mapping[PairKey, Label]


def window(threshold: float, low: float | None, high: float | None) -> tuple[float, float]:
    """Return the window of similarity from `low` to `high`; by default from 0.2 below the threshold to 0.15 above it.

    Raises `SettingsError` if the window is empty or not within 0 to 1.

    >>> window(0.8, None, None), window(0.9, 0.5, None)
    ((0.6, 0.95), (0.5, 1.0))
    """
    low = max(0.05, round(threshold - 0.2, 10)) if low is None else low
    high = min(1.0, round(threshold + 0.15, 10)) if high is None else high
    if not 0 < low < high <= 1:
        raise SettingsError(f"`low` {low:g}, `high` {high:g}: no window; give 0 < `low` < `high` <= 1")
    return low, high


def survey(
    inputs: Sequence[str],
    settings: Settings,
    asked: Asked,
    labels: Collection[PairKey],
    engine: LocalEngine,
    progress: Progress | None = None,
    ruling: Ruling | None = None,
) -> Survey:
    """Return the pairs of a corpus in bins, and the pairs to ask about.

    `labels` are the keys of pairs that have an answer already, and so have those that `ruling` is about. Raises
    `InputError` if no pair is in the window.
    """
    low, high = asked.window
    wide = _widened(settings, asked)
    timer = StageTimer(progress)
    with tempfile.TemporaryDirectory(prefix="dedup-") as work:
        workers, _, corpus, _ = prepare_articles(inputs, wide, engine, timer, Path(work))
        backend = workers.backend
        with timer.stage("find pairs"):
            corpus, _, site_text = set_site_text_apart(corpus, wide, workers)
            if asked.paragraphs:
                alone = {**wide.rules, "boilerplate": "off", "shared-paragraph": "off"}
                verdicts, _ = decide(corpus, replace(wide, rules=alone), workers, StageTimer())
                texts = comparable_paragraphs(corpus, verdicts.articles.kept, site_text.numbers)
            else:
                texts = comparable_articles(corpus)
            pairs = pairs_within(texts.buckets, texts.marks, texts.keys_of, asked.shingle, asked.window, backend)
            pairs = _between_articles(pairs, texts) if asked.paragraphs else pairs
            reviewed = labels_of_review(corpus, ruling) if ruling and not asked.paragraphs else {}
        if not len(pairs.first):
            what = "paragraphs of different articles" if asked.paragraphs else "articles that differ"
            raise InputError(
                f"{', '.join(inputs)}: of {len(texts.digests):,} to compare, no two {what} are {low:g} to {high:g} "
                "similar; widen the window with `low` and `high`, or give more articles"
            )
        surveyed = _choose_questions(corpus, texts, pairs, settings, asked, {*labels, *reviewed})
        return surveyed._replace(reviewed=reviewed)


def _widened(settings: Settings, asked: Asked) -> Settings:
    """Return `settings` under which all pairs of the window share a bucket, and only the rules asked about apply."""
    if asked.paragraphs:
        rules = {**settings.rules, "shared-paragraph": "flag"}
        return replace(settings, rules=rules, paragraph_threshold=asked.window[0])
    rules = {**settings.rules, "near-duplicate-article": "drop", "shared-paragraph": "off"}
    return replace(settings, rules=rules, threshold=asked.window[0], same_story_threshold=None)


def _between_articles(pairs: CandidatePairs, texts: DistinctTexts) -> CandidatePairs:
    """Return `pairs` without those of one article, because paragraphs of one article never match each other."""
    places = [at[of] for at in (texts.first_places, texts.last_places) for of in (pairs.first, pairs.second)]
    articles = texts.articles[np.stack(places)]
    between = np.any(articles != articles[0], axis=0)
    first, second, similarities, weights = pairs
    return CandidatePairs(first[between], second[between], similarities[between], weights[between])


def _choose_questions(
    corpus: Corpus,
    texts: DistinctTexts,
    pairs: CandidatePairs,
    settings: Settings,
    asked: Asked,
    labels: Collection[PairKey],
) -> Survey:
    """Return `pairs` in bins, with the questions about a sample of those that have no label."""
    edges = bin_edges(asked.window)
    bins = bin_numbers(pairs.similarities, edges)
    known = _labelled_pairs(pairs, texts, labels, asked.shingle)
    labelled = np.zeros(len(bins), bool)
    labelled[list(known)] = True
    counts = np.bincount(bins[labelled], minlength=len(edges) - 1).tolist()
    draws = pair_draws(texts.marks[pairs.first], texts.marks[pairs.second], asked.seed)
    chosen = sample_pairs(bins, pairs.weights, draws, labelled, counts, asked.pairs)
    pairs_per_bin = np.round(np.bincount(bins, weights=pairs.weights, minlength=len(edges) - 1), 3).tolist()
    questions = list(_questions(corpus, texts, pairs, settings, asked, chosen))
    similarities = {key: float(pairs.similarities[pair]) for pair, key in known.items()}
    return Survey(edges, pairs_per_bin, len(bins), similarities, questions, {})


def _labelled_pairs(
    pairs: CandidatePairs, texts: DistinctTexts, labels: Collection[PairKey], shingle: int
) -> dict[int, PairKey]:
    """Return the numbers of the pairs that have a label, each with the key of its label."""
    keys = [key for key in labels if key[2] == shingle]
    digests = {digest for key in keys for digest in key[:2]}
    numbers = {digest.hex(): number for number, digest in enumerate(texts.digests) if digest.hex() in digests}
    count = len(texts.digests)
    codes = pairs.first * count + pairs.second  # ascending
    labelled = {}
    for key in keys:
        if key[0] in numbers and key[1] in numbers:
            low, high = sorted((numbers[key[0]], numbers[key[1]]))
            pair = int(np.searchsorted(codes, low * count + high))
            if pair < len(codes) and codes[pair] == low * count + high:
                labelled[pair] = key
    return labelled


def _questions(
    corpus: Corpus, texts: DistinctTexts, pairs: CandidatePairs, settings: Settings, asked: Asked, chosen: I64
) -> Iterator[Question]:
    """Yield the questions about the pairs with the numbers `chosen`, int64.

    Of an article a person sees the text that is compared, of a paragraph the raw text.
    """
    first, second = pairs.first[chosen], pairs.second[chosen]
    places = [_places_of_pair(texts, text, other) for text, other in zip(first, second, strict=True)]
    rules = None if asked.paragraphs else settings.rules
    shown_texts, names = _read_articles(corpus, np.unique(texts.articles[np.array(places, np.int64).ravel()]), rules)
    for text, other, pair_places in zip(first.tolist(), second.tolist(), places, strict=True):
        shown, where = [], []
        for place in pair_places:
            article, start, stop = (int(column[place]) for column in (texts.articles, texts.starts, texts.stops))
            shown.append(shown_texts[article][start:stop] if asked.paragraphs else shown_texts[article])
            where.append(f"{names[article]}:{start}-{stop}" if asked.paragraphs else names[article])
        key, other_key = texts.keys_of(np.array([text, other]))
        yield Question(
            texts=(shown[0], shown[1]),
            articles=(where[0], where[1]),
            digests=(texts.digests[text].hex(), texts.digests[other].hex()),
            similarity=jaccard(key, other_key, asked.shingle),
        )


def _places_of_pair(texts: DistinctTexts, text: int, other: int) -> tuple[int, int]:
    """Return a place of each of two texts, in different articles if they are paragraphs."""
    first, other_first = int(texts.first_places[text]), int(texts.first_places[other])
    if texts.articles[first] != texts.articles[other_first]:
        return first, other_first
    other_last = int(texts.last_places[other])
    if texts.articles[first] != texts.articles[other_last]:
        return first, other_last
    return int(texts.last_places[text]), other_first


def _read_articles(corpus: Corpus, rows: I64, rules: Mapping[str, str] | None) -> tuple[dict[int, str], dict[int, str]]:
    """Return the texts of the articles in `rows`, int64, and their names as ``source#record``, both by row.

    The texts are those that are compared under `rules`, or the raw texts if it is None.
    """
    texts: dict[int, str] = {}
    names: dict[int, str] = {}
    for _, piece, start, stop in corpus.numbered_batches():
        inside = rows[(rows >= start) & (rows < stop)]
        if not len(inside):
            continue
        batch = load_batch(piece, ["source", "record", *COMPARED_TEXT_COLUMNS]).take(pa.array(inside - start))
        raw = map(decode_utf8, batch.column("text").to_pylist())
        texts |= zip(inside.tolist(), raw if rules is None else compared_texts(batch, rules), strict=True)
        places = (batch.column(name).to_pylist() for name in ("source", "record"))
        names |= zip(inside.tolist(), map(record_name, *places), strict=True)
    return texts, names


def refuse_standard_input(inputs: Sequence[str]) -> None:
    """Raise `InputError` if the articles, too, would come from standard input, where the answers come from."""
    if STDIN in inputs:
        raise InputError("-: standard input is where answers come from; give a file, or `report=True`")
