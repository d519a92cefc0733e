"""Name what was found of each known article, for the table of known items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.arrays import decode_utf8
from dedup.decide.verdicts import Verdicts

_SHARE_DIGITS = 4  # of a share


def known_items(verdicts: Verdicts) -> Iterator[dict[str, Any]]:
    """Yield a row for each known article that was searched for by passages, in their order."""
    corpus, items = verdicts.corpus, verdicts.items
    if not items:
        return
    rows = np.unique([item.row for item in items] + [place.row for item in items for place in item.places])
    names = _names_of(corpus.iter_batches("id", "source", "record"), rows.astype(np.int64))
    for item in items:
        places = [(names[row], share) for row, share in item.places]
        yield item_row(names[item.row], item.words, item.share, item.articles, places)


def item_row(
    name: tuple[str, str, int],
    words: int,
    share: float,
    articles: int,
    places: Sequence[tuple[tuple[str, str, int], float]],
) -> dict[str, Any]:
    """Return the row of a known article.

    `name` is its id, source and record; in the row they are `item`, `source` and `record`. `words` counts its words,
    `share` is the part of them that is in passages of any article, and `articles` counts these articles. `places` has
    the names and shares of those with the largest shares; in the row they are `found_in`.
    """
    identity, source, record = name
    found_in = [
        dict(zip(("article", "source", "record"), place, strict=True)) | {"share": round(part, _SHARE_DIGITS)}
        for place, part in places
    ]
    return {
        "item": identity,
        "source": source,
        "record": record,
        "words": words,
        "share": round(share, _SHARE_DIGITS),
        "articles": articles,
        "found_in": found_in,
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
