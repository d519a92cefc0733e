"""Which articles repeat which: priority, survivors, and the rule each dropped article falls under."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup import fingerprint
from dedup.errors import SettingsError
from dedup.fingerprint import I64
from dedup.pieces import Corpus, digests, flat, integers
from dedup.settings import ARTICLE_SHINGLE, Settings
from dedup.survive import SURVIVES, Comparer, Floats, Texts, survive

_LAST = np.iinfo(np.int64).max  # a date behind all others


class Articles(NamedTuple):
    """One value per input record, in input order.

    `twins` is the row of the survivor an article repeats, or -1: int64; `similarities` float64; `equal` says whether
    the comparison keys are the same; `kept` whether the article stays in the output.
    """

    twins: I64
    similarities: Floats
    equal: npt.NDArray[np.bool_]
    kept: npt.NDArray[np.bool_]
    candidates: int
    matches: int

    def rule(self, row: int) -> str:
        """The rule that a row with a twin falls under."""
        return "duplicate-article" if self.equal[row] else "near-duplicate-article"


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
    equal = (twins != SURVIVES) & (keys == keys[twins])
    dropped = np.zeros(len(corpus), bool)
    for rule, mine in (("duplicate-article", equal), ("near-duplicate-article", ~equal)):
        if settings.rules[rule] == "drop":
            dropped |= mine & (twins != SURVIVES)
    return Articles(twins, similarities, equal, readable & ~dropped, found.candidates, found.matches)


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
