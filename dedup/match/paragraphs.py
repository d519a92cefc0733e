"""Match paragraphs that several articles share.

Only paragraphs of articles that stay count, in order of appearance; paragraphs that a rule within an article has
dropped, and lines of site text, have no words here. Paragraphs that are long enough are compared as articles are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from dedup.arrays import I64, U64, Bools, Floats
from dedup.fingerprint.minhash import bands
from dedup.fingerprint.similarity import Comparer
from dedup.kernels import reference
from dedup.match.articles import ArticleMatches
from dedup.match.buckets import (
    Entries,
    bucket_entries,
    find_shared_values,
    first_equal_places,
    texts_to_compare,
)
from dedup.match.paragraph_columns import ParagraphColumns
from dedup.match.policy import SHARED_PARAGRAPH, keeps_similar_paragraphs, protected_roles
from dedup.match.survivors import SURVIVES, ComparedTexts, Survival, find_survivors
from dedup.prepare.batch import SHARED_WORDS
from dedup.prepare.columns import digest_values
from dedup.prepare.corpus import Corpus, KeyReader
from dedup.prepare.store import load_batch
from dedup.rules import OFF
from dedup.segment.digests import key_halves
from dedup.settings import PARAGRAPH_SHINGLE, Settings


class ParagraphMatches(NamedTuple):
    """One value per paragraph that repeats another; paragraphs are numbered by appearance in the whole corpus.

    `numbers` are those of the repeats, ascending: int64 [matches]. `twins` is the number of the paragraph that is
    repeated: int64 [matches]. `similarities` is float64 [matches]. `articles` is the row of the article, and
    ``raw_starts`` and ``raw_stops`` the span in its raw text, in code points: int64 [matches]; the fields that begin
    with `twin_` are the same for the twin. `copies` are all paragraphs that repeat another one, also those of known
    articles, and those that stay for another reason: int64 [copies]. `candidates`, `matches` and `lookups` are those of
    `dedup.match.survivors.Survival`.
    """

    numbers: I64
    twins: I64
    similarities: Floats
    articles: I64
    raw_starts: I64
    raw_stops: I64
    twin_articles: I64
    twin_starts: I64
    twin_stops: I64
    copies: I64
    candidates: int
    matches: int
    lookups: int


class _SharedParagraphs(NamedTuple):
    """The paragraphs that are shared: numbers and twins, int64, similarities, float64, and the answer of the loop.

    `copies` is as `ParagraphMatches` has it.
    """

    numbers: I64
    twins: I64
    similarities: Floats
    copies: I64
    survival: Survival


def match_paragraphs(
    corpus: Corpus,
    columns: ParagraphColumns,
    articles: ArticleMatches,
    settings: Settings,
    comparer: Comparer = reference,
) -> ParagraphMatches:
    """Match the paragraphs of the articles that stay; `columns` are those of all paragraphs.

    Paragraphs without words there, such as lines of site text, are not compared. Nor are those of articles that stay
    only because a review rejects their drop. Those of known articles repeat each other as others do, but only what new
    articles repeat is a match.
    """
    present = articles.compared()[columns.articles] & (columns.words > 0)
    if settings.rules[SHARED_PARAGRAPH] == OFF:
        present[:] = False
    shared = _match_shared(corpus, columns, articles, present, settings, comparer)
    numbers, twins = shared.numbers, shared.twins
    raw_starts, raw_stops = corpus.read_paragraphs("raw_start", "raw_stop", numbers=numbers)
    twin_starts, twin_stops = corpus.read_paragraphs("raw_start", "raw_stop", numbers=twins)
    return ParagraphMatches(
        numbers=numbers,
        twins=twins,
        similarities=shared.similarities,
        articles=columns.articles[numbers],
        raw_starts=raw_starts,
        raw_stops=raw_stops,
        twin_articles=columns.articles[twins],
        twin_starts=twin_starts,
        twin_stops=twin_stops,
        copies=shared.copies,
        candidates=shared.survival.candidates,
        matches=shared.survival.matches,
        lookups=shared.survival.lookups,
    )


def _match_shared(
    corpus: Corpus,
    columns: ParagraphColumns,
    articles: ArticleMatches,
    present: Bools,
    settings: Settings,
    comparer: Comparer,
) -> _SharedParagraphs:
    """Return the paragraphs that are similar to one of an earlier article; `present` is bool [paragraphs]."""
    rows = np.flatnonzero(present & (columns.words >= SHARED_WORDS))
    firsts = first_equal_places(columns.keys[rows], len(columns.keys))
    buckets = _shared_paragraph_buckets(corpus, rows, firsts, bands(settings.paragraph_threshold)[0], comparer)
    compared = texts_to_compare(firsts, buckets, comparer)
    rows = rows[compared.texts]
    starts, stops = corpus.read_paragraphs("key_start", "key_stop", numbers=rows)
    keys = KeyReader(corpus, columns.articles[rows], starts, stops)
    words = columns.words[rows].astype(np.int64)
    wordings = _read_wordings(corpus, rows)
    texts = ComparedTexts(compared.firsts, compared.buckets, words, wordings, columns.articles[rows])
    survival = find_survivors(texts, keys, PARAGRAPH_SHINGLE, settings.paragraph_threshold, comparer)
    has_twin = survival.twins != SURVIVES
    copies = rows[has_twin]
    has_twin &= columns.articles[rows] >= corpus.known_rows
    has_twin &= ~np.isin(columns.needed[rows], protected_roles(settings))
    if keeps_similar_paragraphs(settings):
        is_equal = texts.firsts == texts.firsts[survival.twins]
        has_twin &= is_equal | ~articles.have_one_form()[columns.articles[rows]]
    return _SharedParagraphs(
        numbers=rows[has_twin],
        twins=rows[survival.twins[has_twin]],
        similarities=survival.similarities[has_twin],
        copies=copies,
        survival=survival,
    )


def _read_wordings(corpus: Corpus, rows: I64) -> U64:
    """Return the wordings of the paragraphs `rows`, int64, ascending, as `ComparedTexts` has them: uint64 [rows]."""
    borders = np.searchsorted(rows, corpus.paragraph_offsets[corpus.starts])
    wordings = np.empty(len(rows), np.uint64)
    for number, (digests,) in enumerate(corpus.iter_paragraphs("digest")):
        span = slice(borders[number], borders[number + 1])
        first = corpus.paragraph_offsets[corpus.starts[number]]
        wordings[span] = key_halves(digest_values(digests)[rows[span] - first])
    return wordings


def _shared_paragraph_buckets(
    corpus: Corpus, rows: I64, firsts: I64, bands: int, comparer: Comparer
) -> Iterator[tuple[Entries, U64]]:
    """Return the buckets that paragraphs of different keys share, with the first paragraph of each key.

    `rows` are the numbers of the paragraphs, ascending, and `firsts` for each the place, in `rows`, of the first of
    equal key: int64 [paragraphs]. What is yielded is as `find_shared_values` says.
    """
    distinct = np.flatnonzero(firsts == np.arange(len(firsts))).astype(np.uint32)
    borders = corpus.paragraph_offsets[corpus.starts]
    places = np.searchsorted(distinct, np.searchsorted(rows, borders))

    def entries_of_piece(number: int, low: int, high: int) -> Entries:
        column = load_batch(corpus.prepared_batches[number], ["paragraph_buckets"]).column(0).flatten()
        texts = distinct[places[number] : places[number + 1]]
        in_piece = rows[texts] - borders[number]
        has_buckets = np.asarray(column.is_valid())[in_piece]
        values = np.asarray(column.values).reshape(len(column), bands)[in_piece[has_buckets]]
        return bucket_entries(texts[has_buckets], values, low, high, comparer)

    def entries(low: int, high: int) -> Iterator[Entries]:
        return corpus.budget.map(
            lambda number: entries_of_piece(number, low, high), range(len(corpus.prepared_batches))
        )

    return find_shared_values(entries, len(distinct) * bands, comparer, corpus.budget)
