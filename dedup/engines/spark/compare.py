"""In tasks: sets of shingles of keys, and how much two of them share, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.engines.spark.columns import batch_of, ddl_of
from dedup.fingerprint import I64, U64, hash_sets, key_shingles, pack

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


def _contents(batches: Iterable[pa.RecordBatch], n: int, *, compiled: bool) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        keys = batch.column("key").to_pylist()
        sizes, prints = _distinct(keys, n, compiled=compiled)[2:]
        columns = {"k": batch.column("k"), "key": batch.column("key"), "size": sizes, "print": prints.view(np.int64)}
        yield batch_of(
            {name: pa.array(made) if name in {"size", "print"} else made for name, made in columns.items()}, CONTENT
        )


def _distinct(keys: list[bytes], n: int, *, compiled: bool) -> tuple[U64, I64, I64, U64]:
    """The sets of shingle hashes of keys: all hashes, where each set is, how large, and the parities of its hashes."""
    if not compiled:
        hashes, borders = hash_sets(keys, n)
        sets = [hashes[start:stop] for start, stop in pairwise(borders.tolist())]
        bits = [np.bitwise_xor.reduce(np.uint64(1) << (one & np.uint64(63)), initial=np.uint64(0)) for one in sets]
        return hashes, borders[:-1], np.diff(borders), np.array(bits, np.uint64)
    from dedup.kernels import matching  # noqa: PLC0415 - loading numba takes longer than a small job

    data, borders = pack(keys)
    places = np.zeros(len(keys) + 1, np.int64)
    np.cumsum([key.count(b" ") + 1 for key in keys], out=places[1:])  # no set has more than words
    hashes = np.empty(int(places[-1]), np.uint64)
    sizes, prints = np.zeros(len(keys), np.int64), np.zeros(len(keys), np.uint64)
    matching.distinct(data, borders[:-1], borders[1:], n, np.arange(len(keys)), hashes, places[:-1], sizes, prints)
    return hashes, places[:-1], sizes, prints


def _commons(batches: Iterable[pa.RecordBatch], n: int, least: float, *, compiled: bool) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        if not batch.num_rows:
            continue
        both = pa.concat_arrays([batch.column("key_x"), batch.column("key_y")]).dictionary_encode()
        keys = both.dictionary.to_pylist()
        ones, twos = np.asarray(both.indices, np.int64).reshape(2, -1)
        hashes, places, sizes, _ = _distinct(keys, n, compiled=compiled)
        if compiled:
            common = _compiled(ones, twos, keys, (hashes, places, sizes), n, least)
        else:
            sets = [key_shingles(key, n) for key in keys]
            common = np.array([len(sets[one] & sets[two]) for one, two in zip(ones, twos, strict=True)], np.int64)
        mine = np.flatnonzero(common >= 0)
        made = {"common": common[mine], "sx": sizes[ones[mine]], "sy": sizes[twos[mine]]}
        told = {name: batch.column(name).take(pa.array(mine)) for name in ("x", "y")}
        yield batch_of({**told, **{name: pa.array(values) for name, values in made.items()}}, COMMON)


def _compiled(ones: I64, twos: I64, keys: list[bytes], sets: tuple[U64, I64, I64], n: int, least: float) -> I64:
    """How many shingles the pairs share; -1 where that is surely less than `least` of the first."""
    from dedup.kernels import matching  # noqa: PLC0415 - loading numba takes longer than a small job

    order = np.argsort(twos, kind="stable")
    found = np.empty(len(order), np.int64)
    matching.commons(ones[order], twos[order], *sets, least, found)
    common = np.empty(len(order), np.int64)
    common[order] = found
    near = np.flatnonzero(common >= 0)
    data, borders = pack(keys)
    alike = matching.agree(data, borders[:-1], borders[1:], ones[near], twos[near], n)
    for pair in near[~alike].tolist():  # two shingles with one hash: about one comparison in 10**13
        common[pair] = len(key_shingles(keys[ones[pair]], n) & key_shingles(keys[twos[pair]], n))
    return common
