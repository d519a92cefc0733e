"""Compare pairs of keys part by part, sending a key to each part once instead of with each of its pairs.

The keys on one side of the pairs are the *members*: each is in one part, by its id. The keys on the other side are the
*visitors*: each is sent once to every part that has a member to compare it with. So a key that nearly all others are
compared with is sent as often as there are parts, however many those others are. A task holds the members of one part
and streams the visitors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.arrays import I64
from dedup.spark.arrow_types import spark_batch, sql_schema
from dedup.spark.pair_similarity import common_counts, partition_sets

_PARTS_PER_TASK = 4  # a task holds a quarter as much at a time, and tasks are more even
_MOST_PAIRS = 1 << 20  # that are compared at once


def visit_columns(id_type: pa.DataType) -> dict[str, pa.DataType]:
    """Return the columns of the rows that send keys to parts: ``part, id, members, tags``.

    In the row of a visitor, ``members`` are the ids of the members to compare it with, and ``tags`` a number for each
    of these pairs, which is returned with the pair. In the row of a member both are null.
    """
    return {"part": pa.int32(), "id": id_type, "members": pa.list_(id_type), "tags": pa.list_(pa.int32())}


def part_count(partitions: int, least: int = 0) -> int:
    """Return the number of parts for tables of `partitions` partitions, and at least `least`."""
    return max(partitions * _PARTS_PER_TASK if partitions > 1 else 1, least)


def part_sql(column: str, parts: int) -> str:
    """Return an SQL expression for the part, of `parts`, that has the id in `column` as a member."""
    return f"cast(pmod(hash({column}), {parts}) as int)"


def compare_parts(rows: Any, keys: Any, n: int, least: float, id_type: pa.DataType, *, compiled: bool) -> Any:
    """Return how many `n`-word shingles members ``x`` and visitors ``y`` have in common.

    `rows` has `visit_columns`, `keys` has ``id, key``; ids are of `id_type`. The columns are ``x, y, tag, common,
    size_x, size_y``. Pairs with fewer than the share `least` of the shingles of ``x`` may be left out.
    """
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    joined = rows.join(keys.select("id", "key"), "id").select("part", "id", "key", "members", "tags")
    joined = joined.repartition("part").sortWithinPartitions(f.col("part"), f.col("members").isNotNull())
    kinds = {"x": id_type, "y": id_type, "tag": pa.int32()}
    kinds |= dict.fromkeys(("common", "size_x", "size_y"), pa.int64())
    task = partial(_compare_parts_task, kinds=kinds, n=n, least=least, compiled=compiled)
    return joined.mapInArrow(task, sql_schema(kinds))


def _compare_parts_task(
    batches: Iterable[pa.RecordBatch], kinds: dict[str, pa.DataType], n: int, least: float, *, compiled: bool
) -> Iterator[pa.RecordBatch]:
    """Run in a task: compare parts, which come one after the other, each with its members before its visitors."""
    number, members = -1, None
    pending: list[pa.RecordBatch] = []  # the members of the part so far
    for batch in batches:
        parts = np.asarray(batch.column("part"), np.int64)
        is_visitor = np.asarray(batch.column("members").is_valid())
        starts = np.flatnonzero(np.diff(parts * 2 + is_visitor, prepend=-1)).tolist()
        for start, stop in zip(starts, [*starts[1:], batch.num_rows], strict=True):
            rows = batch.slice(start, stop - start)
            if parts[start] != number:
                number, pending, members = int(parts[start]), [], None
            if not is_visitor[start]:
                pending.append(rows.select(["id", "key"]))
                continue
            members = members or _Members(pending, n, compiled=compiled)
            for visitors in _slices_by_pairs(rows):
                yield spark_batch(members.compare(visitors, least), kinds)


def _slices_by_pairs(visitors: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield slices of `visitors` with about `_MOST_PAIRS` pairs each, which bounds memory."""
    ends = np.cumsum(_list_lengths(visitors.column("members")))
    starts = np.flatnonzero(np.diff(ends // _MOST_PAIRS, prepend=-1)).tolist()
    for start, stop in zip(starts, [*starts[1:], visitors.num_rows], strict=True):
        yield visitors.slice(start, stop - start)


def _list_lengths(lists: pa.ListArray) -> I64:
    """Return the length of each list: int64 [lists]."""
    offsets: I64 = np.asarray(lists.offsets, np.int64)
    return offsets[1:] - offsets[:-1]


class _Members:
    """The members of one part: their ids, keys and sets of shingles."""

    def __init__(self, pieces: list[pa.RecordBatch], n: int, *, compiled: bool) -> None:
        table = pa.Table.from_batches(pieces)
        self.ids = table.column("id").combine_chunks()
        self.keys: list[bytes] = table.column("key").to_pylist()
        self.n, self.compiled = n, compiled
        self.sets = partition_sets(self.keys, n, compiled=compiled)

    def compare(self, visitors: pa.RecordBatch, least: float) -> dict[str, Any]:
        """Return the columns of `compare_parts` for the pairs of these members and `visitors`."""
        lists = visitors.column("members")
        member_ids = lists.flatten()
        member_rows: I64 = np.asarray(pc.index_in(member_ids, value_set=self.ids), np.int64)
        visitor_rows: I64 = np.repeat(np.arange(visitors.num_rows), _list_lengths(lists))
        keys: list[bytes] = visitors.column("key").to_pylist()
        sets = self.sets.with_more(partition_sets(keys, self.n, compiled=self.compiled))
        seconds = visitor_rows + len(self.keys)
        common = common_counts(member_rows, seconds, [*self.keys, *keys], sets, self.n, least, compiled=self.compiled)
        near = np.flatnonzero(common >= 0)
        return {
            "x": member_ids.take(pa.array(near)),
            "y": visitors.column("id").take(pa.array(visitor_rows[near])),
            "tag": visitors.column("tags").flatten().take(pa.array(near)),
            "common": pa.array(common[near]),
            "size_x": pa.array(sets.sizes[member_rows[near]]),
            "size_y": pa.array(sets.sizes[seconds[near]]),
        }
