"""Count, inside Spark tasks, how many shingles two comparison keys have in common, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, U64, offsets_of, pack
from dedup.fingerprint.shingles import key_shingles
from dedup.fingerprint.similarity import shingle_hash_sets
from dedup.spark.arrow_types import spark_batch, sql_schema

SUMMARY_COLUMNS = {"k": pa.binary(), "key": pa.binary(), "size": pa.int64(), "parities": pa.int64()}
COMMON_COLUMNS = {
    "x": pa.binary(),
    "y": pa.binary(),
    "common": pa.int64(),
    "size_x": pa.int64(),
    "size_y": pa.int64(),
}


def summarize_keys(frame: Any, n: int, *, compiled: bool) -> Any:
    """Return the columns ``k, key`` of `frame` with the number of `n`-word shingles and the parities of their hashes.

    The columns are `SUMMARY_COLUMNS`; see `PartitionSets` for parities.
    """
    task = partial(_summarize_task, n=n, compiled=compiled)
    return frame.select("k", "key").mapInArrow(task, sql_schema(SUMMARY_COLUMNS))


def common_shingles(pairs: Any, keys: Any, n: int, least: float, *, compiled: bool) -> Any:
    """Return for each pair ``x, y`` of `pairs` how many shingles its keys have in common: `COMMON_COLUMNS`.

    `keys` has ``k, key`` of all keys. Pairs with fewer than the share `least` of the shingles of ``x`` may be left out.
    """
    keys = keys.select("k", "key")
    joined = pairs.select("x", "y").join(keys.withColumnsRenamed({"k": "x", "key": "key_x"}), "x")
    joined = joined.join(keys.withColumnsRenamed({"k": "y", "key": "key_y"}), "y")
    task = partial(_common_task, n=n, least=least, compiled=compiled)
    return joined.select("x", "y", "key_x", "key_y").mapInArrow(task, sql_schema(COMMON_COLUMNS))


class PartitionSets(NamedTuple):
    """The sets of shingle hashes of several keys.

    `hashes` holds all sets, each ascending; the set of key i is the `sizes[i]` hashes from `places[i]` on. Bit j of
    `parities[i]` is 1 if an odd number of its hashes end in the six bits j.
    """

    hashes: U64  # uint64 [hashes]
    places: I64  # int64 [keys], indexes of `hashes`
    sizes: I64  # int64 [keys]
    parities: U64  # uint64 [keys]

    def with_more(self, others: PartitionSets) -> PartitionSets:
        """Return these sets followed by those of `others`."""
        return PartitionSets(
            np.concatenate([self.hashes, others.hashes]),
            np.concatenate([self.places, others.places + len(self.hashes)]),
            np.concatenate([self.sizes, others.sizes]),
            np.concatenate([self.parities, others.parities]),
        )


def partition_sets(keys: list[bytes], n: int, *, compiled: bool) -> PartitionSets:
    """Return the sets of `n`-word shingles of `keys`."""
    if not compiled:
        hashes, borders = shingle_hash_sets(keys, n)
        sets = [hashes[start:stop] for start, stop in pairwise(borders.tolist())]
        bits = [np.uint64(1) << (each & np.uint64(63)) for each in sets]
        parities = np.array([np.bitwise_xor.reduce(each, initial=np.uint64(0)) for each in bits], np.uint64)
        return PartitionSets(hashes, borders[:-1], np.diff(borders), parities)
    from dedup.kernels import set_overlap  # noqa: PLC0415 - loading LLVM takes longer than a small job

    data, borders = pack(keys)
    places = offsets_of([key.count(b" ") + 1 for key in keys])  # a key has at most as many shingles as words
    hashes = np.empty(int(places[-1]), np.uint64)
    sizes, parities = np.zeros(len(keys), np.int64), np.zeros(len(keys), np.uint64)
    set_overlap.distinct_hashes(
        data, borders[:-1], borders[1:], n, np.arange(len(keys)), hashes, places[:-1], sizes, parities
    )
    return PartitionSets(hashes, places[:-1], sizes, parities)


def common_counts(
    firsts: I64, seconds: I64, keys: list[bytes], sets: PartitionSets, n: int, least: float, *, compiled: bool
) -> I64:
    """Return how many shingles each pair of `keys` has in common: int64 [pairs].

    `firsts` and `seconds` are indexes of `keys`, int64 [pairs]. The count may be -1 if it is certainly below the share
    `least` of the shingles of the first key.
    """
    if not compiled:
        shingles = [key_shingles(key, n) for key in keys]
        pairs = zip(firsts, seconds, strict=True)
        return np.array([len(shingles[first] & shingles[second]) for first, second in pairs], np.int64)
    from dedup.kernels import set_overlap  # noqa: PLC0415 - loading LLVM takes longer than a small job

    order = np.argsort(seconds, kind="stable")
    ordered_counts = np.empty(len(order), np.int64)
    set_overlap.count_common_of_pairs(firsts[order], seconds[order], *sets[:3], least, ordered_counts)
    common = np.empty(len(order), np.int64)
    common[order] = ordered_counts
    near = np.flatnonzero(common >= 0)
    if not len(near):
        return common
    involved, indexes = np.unique(np.concatenate([firsts[near], seconds[near]]), return_inverse=True)
    near_firsts, near_seconds = indexes.reshape(2, -1)
    data, borders = pack([keys[number] for number in involved.tolist()])
    agrees = set_overlap.hashes_agree(data, borders[:-1], borders[1:], near_firsts, near_seconds, n)
    for pair in near[~agrees].tolist():  # two shingles have the same hash: about one comparison in 10**13
        common[pair] = len(key_shingles(keys[firsts[pair]], n) & key_shingles(keys[seconds[pair]], n))
    return common


def _summarize_task(batches: Iterable[pa.RecordBatch], n: int, *, compiled: bool) -> Iterator[pa.RecordBatch]:
    """Run in a task: summarize keys."""
    for batch in batches:
        sets = partition_sets(batch.column("key").to_pylist(), n, compiled=compiled)
        numbers = {"size": pa.array(sets.sizes), "parities": pa.array(sets.parities.view(np.int64))}
        yield spark_batch({"k": batch.column("k"), "key": batch.column("key"), **numbers}, SUMMARY_COLUMNS)


def _common_task(
    batches: Iterable[pa.RecordBatch], n: int, least: float, *, compiled: bool
) -> Iterator[pa.RecordBatch]:
    """Run in a task: compare pairs of keys."""
    for batch in batches:
        if not batch.num_rows:
            continue
        both = pa.concat_arrays([batch.column("key_x"), batch.column("key_y")]).dictionary_encode()
        keys = both.dictionary.to_pylist()
        firsts, seconds = np.asarray(both.indices, np.int64).reshape(2, -1)
        sets = partition_sets(keys, n, compiled=compiled)
        common = common_counts(firsts, seconds, keys, sets, n, least, compiled=compiled)
        near = np.flatnonzero(common >= 0)
        pairs = {name: batch.column(name).take(pa.array(near)) for name in ("x", "y")}
        numbers = {"common": common[near], "size_x": sets.sizes[firsts[near]], "size_y": sets.sizes[seconds[near]]}
        yield spark_batch({**pairs, **{name: pa.array(values) for name, values in numbers.items()}}, COMMON_COLUMNS)
