"""Pairs compared in parts: a key that stands in many pairs is sent to a part once, and not with each of them.

One side of the pairs is at home in the parts: each of its keys is in one part, by its id. The other side visits: once
each part where somebody is to be compared with it. So a key that nearly all others are to be compared with is sent as
often as there are parts, however many those others are. A task holds the keys at home in one part, and takes the
visitors as they come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.arrays import I64
from dedup.spark.arrow_types import batch_of, ddl_of
from dedup.spark.pair_similarity import sets_of, shared

_PER_TASK = 4  # parts: what a task holds is that much less, and tasks are that much more even
_PAIRS_AT_ONCE = 1 << 20


def visits(home: pa.DataType) -> dict[str, pa.DataType]:
    """The columns of rows that say who visits which part: those at home there have no `homes`.

    `homes` are the ids of those to be compared with `id`, `places` a number for each, given back with the pair.
    """
    return {"part": pa.int32(), "id": home, "homes": pa.list_(home), "places": pa.list_(pa.int32())}


def parts_of(partitions: int, least: int = 0) -> int:
    """How many parts there should be, `least` at least."""
    return max(partitions * _PER_TASK if partitions > 1 else 1, least)


def in_part(column: str, parts: int) -> str:
    """The part in which what `column` names is at home."""
    return f"cast(pmod(hash({column}), {parts}) as int)"


def compared(rows: Any, keys: Any, n: int, least: float, home: pa.DataType, *, compiled: bool) -> Any:
    """How many shingles those at home (``x``, a column of type `home`) share with their visitors (``y``), of how many.

    `rows` are as `visits` says, `keys` has ``id, key``. Pairs that share less than `least` of those of ``x`` may be
    left out.
    """
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    joined = rows.join(keys.select("id", "key"), "id").select("part", "id", "key", "homes", "places")
    joined = joined.repartition("part").sortWithinPartitions(f.col("part"), f.col("homes").isNotNull())
    found = {"x": home, "y": home, "place": pa.int32(), "common": pa.int64(), "sx": pa.int64(), "sy": pa.int64()}
    return joined.mapInArrow(partial(_compared, kinds=found, n=n, least=least, compiled=compiled), ddl_of(found))


def _compared(
    batches: Iterable[pa.RecordBatch], kinds: dict[str, pa.DataType], n: int, least: float, *, compiled: bool
) -> Iterator[pa.RecordBatch]:
    """In a task: parts one after the other, of each those at home before their visitors."""
    number, homes = -1, None
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        parts = np.asarray(batch.column("part"), np.int64)
        visiting = np.asarray(batch.column("homes").is_valid())
        starts = np.flatnonzero(np.diff(parts * 2 + visiting, prepend=-1)).tolist()
        for start, stop in zip(starts, [*starts[1:], batch.num_rows], strict=True):
            piece = batch.slice(start, stop - start)
            if parts[start] != number:
                number, waiting, homes = int(parts[start]), [], None
            if not visiting[start]:
                waiting.append(piece.select(["id", "key"]))
                continue
            homes = homes or _Homes(waiting, n, compiled=compiled)
            for one in _runs(piece):
                yield batch_of(homes.met(one, least), kinds)


def _runs(visitors: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """`visitors` in pieces of so few pairs that they fit into memory."""
    ends = np.cumsum(_lengths(visitors.column("homes")))
    starts = np.flatnonzero(np.diff(ends // _PAIRS_AT_ONCE, prepend=-1)).tolist()
    for start, stop in zip(starts, [*starts[1:], visitors.num_rows], strict=True):
        yield visitors.slice(start, stop - start)


def _lengths(lists: pa.ListArray) -> I64:
    offsets: I64 = np.asarray(lists.offsets, np.int64)
    return offsets[1:] - offsets[:-1]


class _Homes:
    """Those at home in a part."""

    def __init__(self, pieces: list[pa.RecordBatch], n: int, *, compiled: bool) -> None:
        every = pa.Table.from_batches(pieces)
        self.ids = every.column("id").combine_chunks()
        self.keys: list[bytes] = every.column("key").to_pylist()
        self.n, self.compiled = n, compiled
        self.sets = sets_of(self.keys, n, compiled=compiled)

    def met(self, visitors: pa.RecordBatch, least: float) -> dict[str, Any]:
        """The pairs of those at home and `visitors`, and what they share."""
        lists = visitors.column("homes")
        named = lists.flatten()
        ones: I64 = np.asarray(pc.index_in(named, value_set=self.ids), np.int64)
        own: I64 = np.repeat(np.arange(visitors.num_rows), _lengths(lists))
        more: list[bytes] = visitors.column("key").to_pylist()
        sets = self.sets.with_more(sets_of(more, self.n, compiled=self.compiled))
        common = shared(ones, own + len(self.keys), [*self.keys, *more], sets, self.n, least, compiled=self.compiled)
        mine = np.flatnonzero(common >= 0)
        return {
            "x": named.take(pa.array(mine)),
            "y": visitors.column("id").take(pa.array(own[mine])),
            "place": visitors.column("places").flatten().take(pa.array(mine)),
            "common": pa.array(common[mine]),
            "sx": pa.array(sets.sizes[ones[mine]]),
            "sy": pa.array(sets.sizes[own[mine] + len(self.keys)]),
        }
