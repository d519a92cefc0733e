"""Which texts are equal and which share a bucket, however many there are.

Both questions are answered in passes over the corpus, each for a part of all values, so that a pass fits into memory.
A text that shares nothing, as most do, leaves no trace. Texts are numbered in priority order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, U32, U64
from dedup.fingerprint.shingles import SHINGLE_BASE
from dedup.fingerprint.similarity import Comparer
from dedup.runtime.resources import ResourceBudget, slices

Holders = npt.NDArray[np.uint32]  # numbers of texts; 4,294,967,295 of them at most

_UPPER = 1 << 32  # values are parted by 32 bits of them
_ENTRY_BYTES = 12
_COPIES = 2  # of the entries of a pass, while they are grouped
_SLOTS = 8  # of a sieve, for each entry: one of eight falls where another did by chance
_HALVES = 2  # of what a pass may take: the sieve, and what is held of what met in it
_FIRST_BYTES = 48  # of one text in a pass over digests: digest, number, table, result


class Buckets(NamedTuple):
    """What texts share, by text: ``values[borders[i]:borders[i + 1]]``, both int64; equal values are shared."""

    values: I64
    borders: I64


class Entries(NamedTuple):
    """Values and the texts that have them: uint64 and uint32."""

    keys: U64
    holders: Holders


def first_equal(digests: Callable[[], Iterable[Any]], count: int, comparer: Comparer, scratch: ResourceBudget) -> I64:
    """For each text the first text of equal digest: int64 [count].

    `digests` gives all of them, as arrays of ``V16``, and is called once for each pass.
    """
    found = np.empty(count, np.int64)
    parts = list(slices(_UPPER, scratch.passes(count * _FIRST_BYTES)))
    for low, high in parts:
        chosen: list[npt.NDArray[np.uint64]] = []
        numbers: list[I64] = []
        start = 0
        for chunk in digests():
            halves = chunk.view(np.uint64).reshape(-1, 2)
            mine = np.arange(len(halves))
            if len(parts) > 1:
                upper = halves[:, 0] >> np.uint64(32)
                mine = np.flatnonzero((upper >= low) & (upper < high))
            chosen.append(halves[mine])
            numbers.append(mine + start)
            start += len(halves)
        if numbers:
            every = np.concatenate(numbers)
            found[every] = every[_firsts(np.concatenate(chosen), comparer)]
    return found


def _firsts(halves: npt.NDArray[np.uint64], comparer: Comparer) -> I64:
    """For each row of two values the first equal one."""
    if comparer.compiled:
        from dedup.kernels import buckets as fast  # noqa: PLC0415 - loading numba takes longer than a small job

        return fast.firsts(*np.ascontiguousarray(halves.T))
    _, first, inverse = np.unique(halves, axis=0, return_index=True, return_inverse=True)
    return first[inverse.ravel()].astype(np.int64)


def first_places(numbers: I64, count: int) -> I64:
    """For each of `numbers`, all below `count`, the place of the first equal one."""
    places = np.empty(count, np.uint32)
    places[numbers[::-1]] = np.arange(len(numbers), dtype=np.uint32)[::-1]  # of equal indices the last assignment holds
    return places[numbers].astype(np.int64)


def shared(
    entries: Callable[[int, int], Iterable[Entries]], size: int, comparer: Comparer, scratch: ResourceBudget
) -> Iterator[tuple[Entries, U64]]:
    """The entries whose value another text has too, with numbers from 0 in place of values; and those values.

    `entries` gives those with ``low <= part < high`` of about `size` in all; it is called for each pass, and each pass
    gives a result of its own. Compiled, entries are first let fall into a sieve, then those are taken that fell where
    another did: most values stand once, and these go without ever being held together.
    """
    if not comparer.compiled:
        for span in slices(_UPPER, scratch.passes(size * _ENTRY_BYTES * _COPIES)):
            keys, holders = _joined(entries(*span))
            every, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
            numbers = np.cumsum(counts > 1) - 1
            mine = counts[inverse] > 1
            yield Entries(numbers[inverse[mine]].astype(np.uint64), holders[mine]), every[counts > 1]
        return
    from dedup.kernels import buckets as fast  # noqa: PLC0415 - loading numba takes longer than a small job

    parts = scratch.passes(_HALVES * size * _SLOTS // fast.SLOTS)
    for low, high in slices(_UPPER, parts):
        sieve = np.zeros(size * _SLOTS // (fast.SLOTS * parts) + 1, np.uint8)
        again = sum(fast.fall(one.keys, sieve) for one in entries(low, high))
        for start, stop in slices(high - low, scratch.passes(_HALVES * 2 * again * _ENTRY_BYTES * _COPIES)):
            keys, holders = _joined(fast.met(*one, sieve) for one in entries(low + start, low + stop))
            count, values = fast.shared(keys, holders)
            yield Entries(keys[:count].copy(), holders[:count].copy()), values  # views would keep all of the pass


def _joined(found: Iterable[tuple[U64, Holders]]) -> Entries:
    parts = [(np.empty(0, np.uint64), np.empty(0, np.uint32)), *found]
    return Entries(*(np.concatenate([one[column] for one in parts]) for column in range(2)))


def bucket_entries(texts: Holders, buckets: U32, low: int, high: int, comparer: Comparer) -> Entries:
    """The buckets of `texts`, uint32 [texts, bands], that are in ``low:high``: band and bucket in one number."""
    if comparer.compiled:
        from dedup.kernels import buckets as fast  # noqa: PLC0415 - loading numba takes longer than a small job

        room = Entries(np.empty(buckets.size, np.uint64), np.empty(buckets.size, np.uint32))
        count = fast.bucket_entries(buckets, texts, low, high, *room)
        return Entries(room.keys[:count].copy(), room.holders[:count].copy())  # a view would keep all of the room
    rows, bands = np.nonzero((buckets >= low) & (buckets < high))
    return Entries((bands.astype(np.uint64) << np.uint64(32)) | buckets[rows, bands], texts[rows])


def value_entries(texts: Holders, values: U64, borders: I64, low: int, high: int) -> Entries:
    """The values of `texts`, in one run with `borders` between them, whose part is in ``low:high``."""
    holders = np.repeat(texts, np.diff(borders))
    if (low, high) == (0, _UPPER):
        return Entries(values, holders)
    part = (values * np.uint64(SHINGLE_BASE)) >> np.uint64(32)  # minimizers are small: their upper bits say little
    mine = (part >= low) & (part < high)
    return Entries(values[mine], holders[mine])


class Compared(NamedTuple):
    """The texts that share a key or a bucket with another: `texts` are their numbers, ascending.

    `firsts` is the place, among them, of the first of the same key; `buckets` what keys share, with the first of each.
    """

    texts: I64
    firsts: I64
    buckets: Buckets


def compared(firsts: I64, found: Iterable[tuple[Entries, U64]], comparer: Comparer) -> Compared:
    """Whom `firsts`, the first text of the same key of every text, and the buckets `found` leave to be compared."""
    keys, holders, total = [np.empty(0, np.int64)], [np.empty(0, np.uint32)], 0
    for entries, values in found:
        keys.append(entries.keys.astype(np.int64) + total)
        holders.append(entries.holders)
        total += len(values)
    meeting = np.concatenate(holders)
    wanted = np.zeros(len(firsts), bool)
    wanted[firsts[firsts != np.arange(len(firsts))]] = True
    wanted[meeting] = True
    texts = np.flatnonzero(wanted[firsts])  # the others share nothing
    places = np.searchsorted(texts, meeting).astype(np.uint32)
    buckets = gathered(places, np.concatenate(keys), len(texts), comparer)
    return Compared(texts, np.searchsorted(texts, firsts[texts]), buckets)


def gathered(rows: Holders, values: I64, count: int, comparer: Comparer) -> Buckets:
    """`values` by row, in their order within each."""
    if comparer.compiled:
        from dedup.kernels import buckets as fast  # noqa: PLC0415 - loading numba takes longer than a small job

        return Buckets(*fast.by_row(rows, values, count))
    borders = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=count), out=borders[1:])
    return Buckets(values[np.argsort(rows, kind="stable")], borders)
