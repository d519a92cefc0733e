"""In tasks: sets of shingles of keys, and how much two of them share, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, U64, pack
from dedup.fingerprint.shingles import key_shingles
from dedup.fingerprint.similarity import hash_sets
from dedup.spark.arrow_types import batch_of, ddl_of

CONTENT = {"k": pa.binary(), "key": pa.binary(), "size": pa.int64(), "print": pa.int64()}
COMMON = {"x": pa.binary(), "y": pa.binary(), "common": pa.int64(), "sx": pa.int64(), "sy": pa.int64()}


def contents(frame: Any, n: int, *, compiled: bool) -> Any:
    """The columns ``k, key`` of `frame` with how many shingles each key has, and the parities of their hashes."""
    return frame.select("k", "key").mapInArrow(partial(_contents, n=n, compiled=compiled), ddl_of(CONTENT))


def commons(pairs: Any, keys: Any, n: int, least: float, *, compiled: bool) -> Any:
    """For each pair ``x, y`` of `pairs` how many shingles they share, of how many: columns of `COMMON`.

    `keys` has ``k, key`` of all. Pairs that share less than `least` of the shingles of ``x`` may be left out.
    """
    keys = keys.select("k", "key")
    joined = pairs.select("x", "y").join(keys.withColumnsRenamed({"k": "x", "key": "key_x"}), "x")
    joined = joined.join(keys.withColumnsRenamed({"k": "y", "key": "key_y"}), "y")
    task = partial(_commons, n=n, least=least, compiled=compiled)
    return joined.select("x", "y", "key_x", "key_y").mapInArrow(task, ddl_of(COMMON))


class PartitionSets(NamedTuple):
    """The sets of shingle hashes of keys: all hashes, where each set is, how large, and the parities of its hashes."""

    hashes: U64
    places: I64
    sizes: I64
    prints: U64

    def with_more(self, others: PartitionSets) -> PartitionSets:
        """These sets and those of `others` behind them."""
        return PartitionSets(
            np.concatenate([self.hashes, others.hashes]),
            np.concatenate([self.places, others.places + len(self.hashes)]),
            np.concatenate([self.sizes, others.sizes]),
            np.concatenate([self.prints, others.prints]),
        )


def sets_of(keys: list[bytes], n: int, *, compiled: bool) -> PartitionSets:
    """The sets of `keys`."""
    if not compiled:
        hashes, borders = hash_sets(keys, n)
        sets = [hashes[start:stop] for start, stop in pairwise(borders.tolist())]
        bits = [np.bitwise_xor.reduce(np.uint64(1) << (one & np.uint64(63)), initial=np.uint64(0)) for one in sets]
        return PartitionSets(hashes, borders[:-1], np.diff(borders), np.array(bits, np.uint64))
    from dedup.kernels import set_overlap  # noqa: PLC0415 - loading numba takes longer than a small job

    data, borders = pack(keys)
    places = np.zeros(len(keys) + 1, np.int64)
    np.cumsum([key.count(b" ") + 1 for key in keys], out=places[1:])  # no set has more than words
    hashes = np.empty(int(places[-1]), np.uint64)
    sizes, prints = np.zeros(len(keys), np.int64), np.zeros(len(keys), np.uint64)
    set_overlap.distinct(data, borders[:-1], borders[1:], n, np.arange(len(keys)), hashes, places[:-1], sizes, prints)
    return PartitionSets(hashes, places[:-1], sizes, prints)


def shared(
    ones: I64, twos: I64, keys: list[bytes], sets: PartitionSets, n: int, least: float, *, compiled: bool
) -> I64:
    """How many shingles the pairs of `keys` share; -1 where that is surely less than `least` of the first."""
    if not compiled:
        shingles = [key_shingles(key, n) for key in keys]
        return np.array([len(shingles[one] & shingles[two]) for one, two in zip(ones, twos, strict=True)], np.int64)
    from dedup.kernels import set_overlap  # noqa: PLC0415 - loading numba takes longer than a small job

    order = np.argsort(twos, kind="stable")
    found = np.empty(len(order), np.int64)
    set_overlap.commons(ones[order], twos[order], *sets[:3], least, found)
    common = np.empty(len(order), np.int64)
    common[order] = found
    near = np.flatnonzero(common >= 0)
    if not len(near):
        return common
    involved, places = np.unique(np.concatenate([ones[near], twos[near]]), return_inverse=True)
    some, others = places.reshape(2, -1)
    data, borders = pack([keys[one] for one in involved.tolist()])
    alike = set_overlap.agree(data, borders[:-1], borders[1:], some, others, n)
    for pair in near[~alike].tolist():  # two shingles with one hash: about one comparison in 10**13
        common[pair] = len(key_shingles(keys[ones[pair]], n) & key_shingles(keys[twos[pair]], n))
    return common


def _contents(batches: Iterable[pa.RecordBatch], n: int, *, compiled: bool) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        sets = sets_of(batch.column("key").to_pylist(), n, compiled=compiled)
        numbers = {"size": pa.array(sets.sizes), "print": pa.array(sets.prints.view(np.int64))}
        yield batch_of({"k": batch.column("k"), "key": batch.column("key"), **numbers}, CONTENT)


def _commons(batches: Iterable[pa.RecordBatch], n: int, least: float, *, compiled: bool) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        if not batch.num_rows:
            continue
        both = pa.concat_arrays([batch.column("key_x"), batch.column("key_y")]).dictionary_encode()
        keys = both.dictionary.to_pylist()
        ones, twos = np.asarray(both.indices, np.int64).reshape(2, -1)
        sets = sets_of(keys, n, compiled=compiled)
        common = shared(ones, twos, keys, sets, n, least, compiled=compiled)
        mine = np.flatnonzero(common >= 0)
        made = {"common": common[mine], "sx": sets.sizes[ones[mine]], "sy": sets.sizes[twos[mine]]}
        told = {name: batch.column(name).take(pa.array(mine)) for name in ("x", "y")}
        yield batch_of({**told, **{name: pa.array(values) for name, values in made.items()}}, COMMON)
