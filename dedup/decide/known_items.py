"""Name what was found of each known article, for the table of known items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.arrays import decode_utf8
from dedup.decide.verdicts import Verdicts

_ITEM_SHARE_DIGITS = 4  # of a share


def known_items(verdicts: Verdicts) -> Iterator[dict[str, Any]]:
    """Yield a row for each known article that was searched for by passages, in their order.

    A row has `item`, `source` and `record` of the known article, its `words`, the `share` of them that stand in
    passages in any article, the number of such `articles`, and those with the largest shares as `found_in`.
    """
    corpus, items = verdicts.corpus, verdicts.items
    if not items:
        return
    rows = np.unique([item.row for item in items] + [place.row for item in items for place in item.places])
    names = _names_of(corpus.iter_batches("id", "source", "record"), rows.astype(np.int64))
    for item in items:
        identity, source, record = names[item.row]
        places = [
            dict(zip(("article", "source", "record"), names[row], strict=True))
            | {"share": round(share, _ITEM_SHARE_DIGITS)}
            for row, share in item.places
        ]
        yield {
            "item": identity,
            "source": source,
            "record": record,
            "words": item.words,
            "share": round(item.share, _ITEM_SHARE_DIGITS),
            "articles": item.articles,
            "found_in": places,
        }


def _names_of(batches: Iterator[pa.RecordBatch], rows: Any) -> dict[int, tuple[str, str, int]]:
    """Return id, source and record of the articles in `rows`, ascending: int64 [rows]."""
    names: dict[int, tuple[str, str, int]] = {}
    start = 0
    for batch in batches:
        inside = rows[slice(*np.searchsorted(rows, (start, start + batch.num_rows)))]
        columns = batch.take(pa.array(inside - start)).to_pydict()
        for row, *values in zip(inside.tolist(), columns["id"], columns["source"], columns["record"], strict=True):
            names[row] = decode_utf8(values[0]), values[1], values[2]
        start += batch.num_rows
    return names
