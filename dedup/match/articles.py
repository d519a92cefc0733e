"""Which articles repeat which: priority, survivors, and the rule each dropped article falls under."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.arrays import I64, U64, Floats
from dedup.errors import SettingsError
from dedup.fingerprint.similarity import Comparer
from dedup.kernels import reference
from dedup.match.buckets import Entries, bucket_entries, compared, first_equal, shared
from dedup.match.survivors import SURVIVES, Texts, find_survivors
from dedup.prepare.columns import digest_values, flat_array, integer_values
from dedup.prepare.corpus import Corpus, KeyReader
from dedup.prepare.store import load_batch
from dedup.settings import ARTICLE_SHINGLE, Settings

NONE, DUPLICATE, NEAR_DUPLICATE, CONTAINED = range(4)
ARTICLE_MATCH_RULES = ("", "duplicate-article", "near-duplicate-article", "contained-article")
_LAST = np.iinfo(np.int64).max  # a date behind all others


class ArticleMatches(NamedTuple):
    """One value per input record, in input order.

    `rules` indexes `ARTICLE_MATCH_RULES`: int8; `twins` is the row of the article repeated, or -1: int64; `similarities` float64;
    `kept` says whether the article stays in the output; `evidence` has words on some rows.
    """

    rules: npt.NDArray[np.int8]
    twins: I64
    similarities: Floats
    kept: npt.NDArray[np.bool_]
    evidence: dict[int, str]
    candidates: int
    matches: int


def match_articles(corpus: Corpus, settings: Settings, comparer: Comparer = reference) -> ArticleMatches:
    """What becomes of every article.

    Records that could not be read, and articles without a single word, have no twin; the former are not kept. Raises
    `SettingsError` where articles are to be kept by date and none has one.
    """
    table = corpus.columns("error", "length", "date", "digest", "words")
    readable = np.asarray(flat_array(table["error"]).is_null())
    words = integer_values(table["words"])
    order = _priority(table, settings, readable & (words > 0))
    ordered = digest_values(table["digest"])[order]
    firsts = first_equal(lambda: [ordered], len(order), comparer, corpus.scratch)
    chosen = compared(firsts, _buckets(corpus, order, firsts, comparer), comparer)
    rows = order[chosen.texts]
    texts = Texts(chosen.firsts, chosen.buckets, words[rows])
    found = find_survivors(texts, KeyReader(corpus, rows), ARTICLE_SHINGLE, settings.threshold, comparer)
    keys = np.full(len(corpus), -1, np.int64)
    keys[order] = order[firsts]
    twins = np.full(len(corpus), SURVIVES, np.int64)
    similarities = np.ones(len(corpus))
    has_twin = found.twins != SURVIVES
    twins[rows[has_twin]] = rows[found.twins[has_twin]]
    similarities[rows] = found.similarities
    rules = np.where(twins == SURVIVES, NONE, np.where(keys == keys[twins], DUPLICATE, NEAR_DUPLICATE)).astype(np.int8)
    if (
        settings.rules[ARTICLE_MATCH_RULES[NEAR_DUPLICATE]] != "drop"
    ):  # the first of equal articles stays, so the others repeat it
        later = firsts != np.arange(len(order))
        rules[order[later]] = DUPLICATE
        twins[order[later]] = order[firsts[later]]
        similarities[order[later]] = 1.0
    kept = readable.copy()
    for rule in (DUPLICATE, NEAR_DUPLICATE):
        if settings.rules[ARTICLE_MATCH_RULES[rule]] == "drop":
            kept &= rules != rule
        if settings.rules[ARTICLE_MATCH_RULES[rule]] == "off":
            twins[rules == rule] = SURVIVES
            rules[rules == rule] = NONE
    return ArticleMatches(rules, twins, similarities, kept, {}, found.candidates, found.matches)


def _buckets(corpus: Corpus, order: I64, firsts: I64, comparer: Comparer) -> Iterator[tuple[Entries, U64]]:
    """The buckets that articles of different keys share, with the first article of each key."""
    ranks = np.full(len(corpus), -1, np.int64)  # of the articles that stand for their key
    distinct = np.flatnonzero(firsts == np.arange(len(firsts)))
    ranks[order[distinct]] = distinct
    bands = load_batch(corpus.pieces[0], ["buckets"]).schema.field(0).type.list_size if corpus.pieces else 0

    def entries(low: int, high: int) -> Iterator[Entries]:
        def part(number: int) -> Entries:
            column = load_batch(corpus.pieces[number], ["buckets"]).column(0)
            mine = ranks[corpus.starts[number] : corpus.starts[number + 1]]
            rows = np.flatnonzero(np.asarray(column.is_valid()) & (mine >= 0))
            values = np.asarray(column.values).reshape(len(column), bands)  # null rows hold zeros
            return bucket_entries(mine[rows].astype(np.uint32), values[rows], low, high, comparer)

        return corpus.scratch.map(part, range(len(corpus.pieces)))

    return shared(entries, len(distinct) * bands, comparer, corpus.scratch)


def _priority(table: pa.Table, settings: Settings, wanted: npt.NDArray[np.bool_]) -> I64:
    """The wanted rows, first to be decided first; ties in input order."""
    rows = np.flatnonzero(wanted)
    if settings.keep == "first":
        return rows
    if settings.keep == "longest":
        rank = -integer_values(table["length"])[rows]
    else:
        if len(rows) and table["date"].null_count == len(table):
            raise SettingsError(f"--keep {settings.keep}: no article has a date; name the field with --date-field")
        dates = integer_values(table["date"], _LAST)[rows]
        rank = dates if settings.keep == "earliest" else np.where(dates == _LAST, _LAST, -dates)
    return rows[np.argsort(rank, kind="stable")]
