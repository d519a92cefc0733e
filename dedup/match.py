"""Which articles repeat which: priority, survivors, and the rule each dropped article falls under."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup import fingerprint
from dedup.errors import SettingsError
from dedup.fingerprint import I64, Comparer, Floats
from dedup.pieces import Corpus, digests, flat, integers
from dedup.settings import ARTICLE_SHINGLE, Settings
from dedup.survive import SURVIVES, Texts, survive

NONE, DUPLICATE, NEAR_DUPLICATE, CONTAINED = range(4)
RULES = ("", "duplicate-article", "near-duplicate-article", "contained-article")
_LAST = np.iinfo(np.int64).max  # a date behind all others


class Articles(NamedTuple):
    """One value per input record, in input order.

    `rules` indexes `RULES`: int8; `twins` is the row of the article repeated, or -1: int64; `similarities` float64;
    `kept` says whether the article stays in the output; `evidence` has words on some rows.
    """

    rules: npt.NDArray[np.int8]
    twins: I64
    similarities: Floats
    kept: npt.NDArray[np.bool_]
    evidence: dict[int, str]
    candidates: int
    matches: int


def match_articles(corpus: Corpus, settings: Settings, comparer: Comparer = fingerprint) -> Articles:
    """What becomes of every article.

    Records that could not be read, and articles without a single word, have no twin; the former are not kept. Raises
    `SettingsError` where articles are to be kept by date and none has one.
    """
    table = corpus.columns("error", "length", "date", "digest", "words", "buckets")
    readable = np.asarray(flat(table["error"]).is_null())
    words = integers(table["words"])
    order = _priority(table, settings, readable & (words > 0))
    buckets = flat(table["buckets"])
    sketched = np.asarray(buckets.is_valid())
    values = np.asarray(buckets.values).reshape(len(corpus), buckets.type.list_size)  # null rows hold zeros
    _, keys = np.unique(digests(table["digest"]), return_inverse=True)
    texts = Texts(keys[order].astype(np.int64), values[order], sketched[order])
    found = survive(texts, lambda numbers: corpus.keys(order[numbers]), ARTICLE_SHINGLE, settings.threshold, comparer)
    twins = np.full(len(corpus), SURVIVES, np.int64)
    similarities = np.ones(len(corpus))
    has_twin = found.twins != SURVIVES
    twins[order[has_twin]] = order[found.twins[has_twin]]
    similarities[order] = found.similarities
    rules = np.where(twins == SURVIVES, NONE, np.where(keys == keys[twins], DUPLICATE, NEAR_DUPLICATE)).astype(np.int8)
    if settings.rules[RULES[NEAR_DUPLICATE]] != "drop":  # the first of equal articles stays, so the others repeat it
        _, first, inverse = np.unique(keys[order], return_index=True, return_inverse=True)
        later = first[inverse] != np.arange(len(order))
        rules[order[later]] = DUPLICATE
        twins[order[later]] = order[first[inverse[later]]]
        similarities[order[later]] = 1.0
    kept = readable.copy()
    for rule in (DUPLICATE, NEAR_DUPLICATE):
        if settings.rules[RULES[rule]] == "drop":
            kept &= rules != rule
        if settings.rules[RULES[rule]] == "off":
            twins[rules == rule] = SURVIVES
            rules[rules == rule] = NONE
    return Articles(rules, twins, similarities, kept, {}, found.candidates, found.matches)


def _priority(table: pa.Table, settings: Settings, wanted: npt.NDArray[np.bool_]) -> I64:
    """The wanted rows, first to be decided first; ties in input order."""
    rows = np.flatnonzero(wanted)
    if settings.keep == "first":
        return rows
    if settings.keep == "longest":
        rank = -integers(table["length"])[rows]
    else:
        if len(rows) and table["date"].null_count == len(table):
            raise SettingsError(f"--keep {settings.keep}: no article has a date; name the field with --date-field")
        dates = integers(table["date"], _LAST)[rows]
        rank = dates if settings.keep == "earliest" else np.where(dates == _LAST, _LAST, -dates)
    return rows[np.argsort(rank, kind="stable")]
