"""Find the texts that are equal or share a value, such as a bucket, in passes that each fit into memory.

Each pass goes over the whole corpus and takes a part of all values. Most texts share nothing, and no pass keeps
anything of them. Texts are numbered in priority order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, U32, U64, offsets_of
from dedup.fingerprint.shingles import SHINGLE_BASE
from dedup.fingerprint.similarity import Comparer
from dedup.runtime.resources import ResourceBudget, slices

Holders = npt.NDArray[np.uint32]  # numbers of texts; 4,294,967,295 of them at most

_VALUE_PARTS = 1 << 32  # a pass takes a range of these; 32 bits of a value say in which part it is
_ENTRY_BYTES = 12  # a uint64 and a uint32
_COPIES = 2  # of the entries of a pass, while they are grouped
_SIEVE_SLOTS = 8  # of a sieve, for each entry: one of eight entries shares its slot with another by chance
_HALVES = 2  # the sieve, and the entries that share a slot in it, take one half each of the memory of a pass
_FIRST_BYTES = 48  # of one text in a pass over digests: digest, number, table, result


class Buckets(NamedTuple):
    """Values by text: text i has ``values[borders[i]:borders[i + 1]]``; texts with an equal value share it.

    `values` is int64 [values], `borders` int64 [texts + 1].
    """

    values: I64
    borders: I64


class Entries(NamedTuple):
    """Pairs of a value and a text that has it: `values` is uint64 [entries], `holders` uint32 [entries]."""

    values: U64
    holders: Holders


def find_first_equal(
    digests: Callable[[], Iterable[Any]], count: int, comparer: Comparer, budget: ResourceBudget
) -> I64:
    """Return for each text the number of the first text of equal digest: int64 [count].

    `digests` gives the digests of all `count` texts as arrays of ``V16``; each pass calls it once.
    """
    firsts = np.empty(count, np.int64)
    spans = list(slices(_VALUE_PARTS, budget.passes(count * _FIRST_BYTES)))
    for low, high in spans:
        halves_of_pass: list[npt.NDArray[np.uint64]] = []
        numbers_of_pass: list[I64] = []
        start = 0
        for chunk in digests():
            halves = chunk.view(np.uint64).reshape(-1, 2)
            chosen = np.arange(len(halves))
            if len(spans) > 1:
                upper = halves[:, 0] >> np.uint64(32)
                chosen = np.flatnonzero((upper >= low) & (upper < high))
            halves_of_pass.append(halves[chosen])
            numbers_of_pass.append(chosen + start)
            start += len(halves)
        if numbers_of_pass:
            numbers = np.concatenate(numbers_of_pass)
            firsts[numbers] = numbers[_first_equal_rows(np.concatenate(halves_of_pass), comparer)]
    return firsts


def _first_equal_rows(halves: npt.NDArray[np.uint64], comparer: Comparer) -> I64:
    """Return for each row of `halves`, uint64 [rows, 2], the index of the first equal row: int64 [rows]."""
    if comparer.compiled:
        from dedup.kernels import buckets as fast  # noqa: PLC0415 - loading LLVM takes longer than a small job

        return fast.first_equal_rows(*np.ascontiguousarray(halves.T))
    _, first, inverse = np.unique(halves, axis=0, return_index=True, return_inverse=True)
    return first[inverse.ravel()].astype(np.int64)


def first_equal_places(numbers: I64, count: int) -> I64:
    """Return for each of `numbers`, all below `count`, the place of the first equal number: int64 [numbers]."""
    places = np.empty(count, np.uint32)
    places[numbers[::-1]] = np.arange(len(numbers), dtype=np.uint32)[::-1]  # of equal indices the last assignment holds
    return places[numbers].astype(np.int64)


def find_shared_values(
    entries: Callable[[int, int], Iterable[Entries]], size: int, comparer: Comparer, budget: ResourceBudget
) -> Iterator[tuple[Entries, U64]]:
    """Yield, for each pass, the entries whose value a second text has too, and the values that they share.

    In the entries, numbers from 0 stand for the values, uint64 [shared values]. `entries` gives the entries of the
    parts ``low <= part < high``; a pass calls it at least once. `size` is about the number of entries in all parts.

    The compiled search first marks all entries in a sieve. It then holds only those that share a slot with another one,
    so most values of a single text take no memory.
    """
    if not comparer.compiled:
        for span in slices(_VALUE_PARTS, budget.passes(size * _ENTRY_BYTES * _COPIES)):
            values, holders = _joined_entries(entries(*span))
            distinct, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
            numbers = np.cumsum(counts > 1) - 1
            shared = counts[inverse] > 1
            yield Entries(numbers[inverse[shared]].astype(np.uint64), holders[shared]), distinct[counts > 1]
        return
    from dedup.kernels import buckets as fast  # noqa: PLC0415 - loading LLVM takes longer than a small job

    passes = budget.passes(_HALVES * size * _SIEVE_SLOTS // fast.SLOTS)
    for low, high in slices(_VALUE_PARTS, passes):
        sieve = np.zeros(size * _SIEVE_SLOTS // (fast.SLOTS * passes) + 1, np.uint8)
        collisions = sum(fast.drop_into_sieve(part.values, sieve) for part in entries(low, high))
        for start, stop in slices(high - low, budget.passes(_HALVES * 2 * collisions * _ENTRY_BYTES * _COPIES)):
            values, holders = _joined_entries(
                fast.collided_entries(*part, sieve) for part in entries(low + start, low + stop)
            )
            count, shared_values = fast.number_shared_values(values, holders)
            yield Entries(values[:count].copy(), holders[:count].copy()), shared_values  # a view would keep all of it


def _joined_entries(parts: Iterable[tuple[U64, Holders]]) -> Entries:
    """Return the entries of all `parts`, in their order."""
    columns = [(np.empty(0, np.uint64), np.empty(0, np.uint32)), *parts]
    return Entries(*(np.concatenate([column[side] for column in columns]) for side in range(2)))


def bucket_entries(texts: Holders, buckets: U32, low: int, high: int, comparer: Comparer) -> Entries:
    """Return the buckets of `texts` whose number is in ``low:high``, as entries; a value holds band and bucket.

    `texts` are numbers of texts, uint32 [texts]; `buckets` is uint32 [texts, bands].
    """
    if comparer.compiled:
        from dedup.kernels import buckets as fast  # noqa: PLC0415 - loading LLVM takes longer than a small job

        room = Entries(np.empty(buckets.size, np.uint64), np.empty(buckets.size, np.uint32))
        count = fast.bucket_entries(buckets, texts, low, high, *room)
        return Entries(room.values[:count].copy(), room.holders[:count].copy())  # a view would keep all of the room
    rows, bands = np.nonzero((buckets >= low) & (buckets < high))
    return Entries((bands.astype(np.uint64) << np.uint64(32)) | buckets[rows, bands], texts[rows])


def value_entries(texts: Holders, values: U64, borders: I64, low: int, high: int) -> Entries:
    """Return the values of `texts` whose part is in ``low:high``, as entries.

    `texts` are numbers of texts, uint32 [texts]; text i has ``values[borders[i]:borders[i + 1]]``, uint64.
    """
    holders = np.repeat(texts, np.diff(borders))
    if (low, high) == (0, _VALUE_PARTS):
        return Entries(values, holders)
    parts = (values * np.uint64(SHINGLE_BASE)) >> np.uint64(32)  # minimizers are small: their upper bits say little
    chosen = (parts >= low) & (parts < high)
    return Entries(values[chosen], holders[chosen])


class TextsToCompare(NamedTuple):
    """The texts that share a key or a bucket with another text.

    `texts` are their numbers, ascending: int64 [texts]. `firsts` is for each the place, among them, of the first text
    of equal key: int64 [texts]. `buckets` are the buckets that keys share, held by the first text of each key.
    """

    texts: I64
    firsts: I64
    buckets: Buckets


def texts_to_compare(firsts: I64, shared: Iterable[tuple[Entries, U64]], comparer: Comparer) -> TextsToCompare:
    """Return the texts that have an equal text or share one of the buckets `shared`.

    `firsts` is for each text the first text of equal key: int64 [all texts]. `shared` is as `find_shared_values` yields
    it, for the first text of each key.
    """
    numbers, holders, total = [np.empty(0, np.int64)], [np.empty(0, np.uint32)], 0
    for entries, values in shared:
        numbers.append(entries.values.astype(np.int64) + total)
        holders.append(entries.holders)
        total += len(values)
    sharing = np.concatenate(holders)
    is_compared = np.zeros(len(firsts), bool)  # by the first text of each key
    is_compared[firsts[firsts != np.arange(len(firsts))]] = True
    is_compared[sharing] = True
    texts = np.flatnonzero(is_compared[firsts])
    places = np.searchsorted(texts, sharing).astype(np.uint32)
    buckets = group_by_row(places, np.concatenate(numbers), len(texts), comparer)
    return TextsToCompare(texts, np.searchsorted(texts, firsts[texts]), buckets)


def group_by_row(rows: Holders, values: I64, count: int, comparer: Comparer) -> Buckets:
    """Return `values`, int64 [values], gathered by their `rows`, uint32 [values]; there are `count` rows.

    Values of one row keep their order.
    """
    if comparer.compiled:
        from dedup.kernels import buckets as fast  # noqa: PLC0415 - loading LLVM takes longer than a small job

        return Buckets(*fast.group_by_row(rows, values, count))
    return Buckets(values[np.argsort(rows, kind="stable")], offsets_of(np.bincount(rows, minlength=count)))
