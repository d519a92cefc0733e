"""Find equal values and the texts that share them: the compiled version of `dedup.match.buckets`.

A value is a uint64 key, such as a band and a bucket packed together. An entry is a key and its holder, a text that has
it. Kernels run without the interpreter lock, so that threads can share the work.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dedup.arrays import I64, U32, U64, Bytes
from dedup.kernels.constants import HASH_SHIFT, MIX_1, MIX_2, NONE_YET, ONE, SHINGLE_BASE
from dedup.kernels.declare import kernel, part

_PART_ENTRIES = 1 << 13  # of a table, so that it stays in the nearest cache of the processor
SLOTS = 4  # of a sieve in each byte; a slot has one bit for its first key, and one for all others
_SLOTS = np.uint64(SLOTS)
_BYTE_OF_SLOT_SHIFT = np.uint64(2)  # from the number of a slot to that of its byte
_SLOT_MASK = np.uint64(3)  # from the number of a slot to its place in the byte
_SLOT_BITS = np.uint64(2)
_HALF_WORD = np.uint64(32)
_KEYS_AHEAD = 128  # keys whose slots are read at once


@part
def capacity(count: int) -> int:
    """Return the size of a hash table for `count` entries: a power of two that they fill to half at most."""
    size = 2
    while size < 2 * count:
        size *= 2
    return size


def first_equal_rows(high: U64, low: U64) -> I64:
    """Return for each pair of values the place of the first equal pair: int64 [pairs].

    `high` and `low` are the two halves of the pairs: uint64 [pairs].
    """
    places = np.empty(len(high), np.int64)
    _write_first_equal_rows(high, low, np.full(capacity(len(high)), -1, np.int64), places)
    return places


@kernel("uint64[:], uint64[:], +int64[:], +int64[:]")
def _write_first_equal_rows(high: U64, low: U64, table: I64, places: I64) -> None:
    """Write the places to `places`; see `first_equal_rows`. `table`, int64 [a power of two], is room, and all -1."""
    mask = len(table) - 1
    for at in range(len(high)):
        slot = np.int64((high[at] * SHINGLE_BASE) >> HASH_SHIFT) & mask
        while table[slot] >= 0 and (high[table[slot]] != high[at] or low[table[slot]] != low[at]):
            slot = (slot + 1) & mask
        if table[slot] < 0:
            table[slot] = at
        places[at] = table[slot]


@kernel("uint32[:,:], uint32[:], int64, int64, +uint64[:], +uint32[:]", "int64")
def bucket_entries(values: U32, texts: U32, low: int, high: int, keys: U64, holders: U32) -> int:
    """Write the buckets of `texts` that are in ``low:high`` to `keys` and `holders`, and return their number.

    `values` are the buckets, uint32 [texts, bands], and `texts` the numbers of the texts, uint32 [texts]. `keys`,
    uint64 [room], receives band and bucket packed together, and `holders`, uint32 [room], the numbers of the texts.
    """
    count = 0
    for row in range(values.shape[0]):
        for band in range(values.shape[1]):
            bucket = np.int64(values[row, band])
            if low <= bucket < high:
                keys[count] = np.uint64(band << 32 | bucket)
                holders[count] = texts[row]
                count += 1
    return count


def drop_into_sieve(keys: U64, sieve: Bytes) -> int:
    """Mark the slot of each of `keys` in `sieve`, and return how many slots were already marked.

    `keys` is uint64 [keys]. `sieve`, uint8 [bytes], has `SLOTS` slots in each byte.
    """
    return _mark_slots(keys, sieve, np.empty(_KEYS_AHEAD, np.uint64), np.empty(_KEYS_AHEAD, np.uint8))


@kernel("uint64[:], +uint8[:], +uint64[:], +uint8[:]", "int64")
def _mark_slots(keys: U64, sieve: Bytes, slots: U64, seen: Bytes) -> int:
    """Do what `drop_into_sieve` does; `slots` and `seen` are room, as for `_read_slots`."""
    count = 0
    for start in range(0, len(keys), _KEYS_AHEAD):
        for at in range(_read_slots(keys, start, sieve, slots, seen)):
            byte, bit = np.int64(slots[at] >> _BYTE_OF_SLOT_SHIFT), (slots[at] & _SLOT_MASK) * _SLOT_BITS
            taken = np.uint64(sieve[byte]) >> bit & ONE
            sieve[byte] |= np.uint8((ONE | taken << ONE) << bit)
            is_taken: Any = np.int64(taken)
            count += is_taken
    return count


def collided_entries(keys: U64, holders: U32, sieve: Bytes) -> tuple[U64, U32]:
    """Return the entries whose slot of `sieve` has two keys or more, equal or not: uint64 and uint32 [entries].

    `keys`, uint64 [entries], are all marked in `sieve`, uint8 [bytes]; `holders` is uint32 [entries].
    """
    slots, seen = np.empty(_KEYS_AHEAD, np.uint64), np.empty(_KEYS_AHEAD, np.uint8)
    kept_keys, kept_holders = np.empty(len(keys), np.uint64), np.empty(len(keys), np.uint32)
    count = _keep_collided(keys, holders, sieve, slots, seen, kept_keys, kept_holders)
    return kept_keys[:count].copy(), kept_holders[:count].copy()


@kernel("uint64[:], uint32[:], uint8[:], +uint64[:], +uint8[:], +uint64[:], +uint32[:]", "int64")
def _keep_collided(
    keys: U64, holders: U32, sieve: Bytes, slots: U64, seen: Bytes, kept_keys: U64, kept_holders: U32
) -> int:
    """Write the entries that `collided_entries` returns to `kept_keys` and `kept_holders`, and return their number.

    `slots` and `seen` are room, as for `_read_slots`.
    """
    count = 0
    for start in range(0, len(keys), _KEYS_AHEAD):
        for at in range(_read_slots(keys, start, sieve, slots, seen)):
            kept_keys[count], kept_holders[count] = keys[start + at], holders[start + at]
            is_shared: Any = np.int64(np.uint64(seen[at]) >> ((slots[at] & _SLOT_MASK) * _SLOT_BITS + ONE) & ONE)
            count += is_shared
    return count


@part
def _read_slots(keys: U64, start: int, sieve: Bytes, slots: U64, seen: Bytes) -> int:
    """Write the slots of the next few keys to `slots`, and their bytes in `sieve` to `seen`; return the number of keys.

    The processor then fetches many bytes of the sieve at a time. `keys` is uint64 [keys], from `start` on; `sieve` is
    uint8 [bytes]; `slots`, uint64, and `seen`, uint8, have room for `_KEYS_AHEAD` keys.
    """
    count = min(len(keys) - start, _KEYS_AHEAD)
    number = np.uint64(len(sieve)) * _SLOTS
    for at in range(count):
        slots[at] = ((keys[start + at] * MIX_1) >> _HALF_WORD) * number >> _HALF_WORD
    for at in range(count):
        seen[at] = sieve[np.int64(slots[at] >> _BYTE_OF_SLOT_SHIFT)]
    return count


def number_shared_values(keys: U64, holders: U32) -> tuple[int, U64]:
    """Keep the entries whose key another entry has, and return their number and the keys: uint64 [shared keys].

    The kept entries are moved to the front of `keys`, uint64 [entries], and `holders`, uint32 [entries]. Their keys are
    replaced by numbers from 0, which are the places in the result. The entries are handled in parts by hash, each small
    enough for the nearest cache of the processor.
    """
    bits = 0
    while (_PART_ENTRIES << bits) < len(keys):
        bits += 1
    parted_keys, parted_holders = np.empty_like(keys), np.empty_like(holders)
    starts = np.zeros((1 << bits) + 1, np.int64)
    _partition(keys, holders, 63 - bits, starts, np.empty(1 << bits, np.int64), parted_keys, parted_holders)
    longest = int(np.diff(starts).max())
    table, numbers = np.empty(capacity(longest), np.int64), np.empty(longest, np.int64)
    shared_keys, counts = np.empty(len(keys) // 2, np.uint64), np.empty(2, np.int64)
    _number_parts(parted_keys, parted_holders, starts, table, numbers, keys, holders, shared_keys, counts)
    return int(counts[0]), shared_keys[: counts[1]].copy()


@kernel("uint64[:], uint32[:], int64[:], +int64[:], +int64[:], +uint64[:], +uint32[:], +uint64[:], +int64[:]")
def _number_parts(
    parted_keys: U64,
    parted_holders: U32,
    starts: I64,
    table: I64,
    numbers: I64,
    keys: U64,
    holders: U32,
    shared_keys: U64,
    counts: I64,
) -> None:
    """Write the kept entries to `keys` and `holders`, their keys to `shared_keys`, and both numbers to `counts`.

    The first three arrays are the result of `_partition`; `table` and `numbers`, int64, are room for the largest part.
    """
    kept, total = 0, NONE_YET
    for number in range(len(starts) - 1):
        keys_of_part = parted_keys[starts[number] : starts[number + 1]]
        total = _number_shared(keys_of_part, table, numbers, shared_keys, total)
        for at in range(len(keys_of_part)):
            if numbers[at] >= 0:
                keys[kept] = np.uint64(numbers[at])
                holders[kept] = parted_holders[starts[number] + at]
                kept += 1
    counts[0], counts[1] = kept, total


@kernel("uint64[:], uint32[:], int64, +int64[:], +int64[:], +uint64[:], +uint32[:]")
def _partition(
    keys: U64, holders: U32, shift: int, starts: I64, ends: I64, parted_keys: U64, parted_holders: U32
) -> None:
    """Write the entries to `parted_keys` and `parted_holders`, gathered in parts by the hash of their key.

    `keys` and `parted_keys` are uint64 [entries], `holders` and `parted_holders` uint32 [entries]. `starts`, int64
    [parts + 1], all 0, receives the borders of the parts; `ends`, int64 [parts], is room. A part has the keys whose
    hash of 63 bits begins with its number; `shift` is the number of the other bits.
    """
    other_bits = np.uint64(shift)
    for key in keys:
        starts[np.int64(((key * MIX_1) >> ONE) >> other_bits) + 1] += 1
    for number in range(len(ends)):
        starts[number + 1] += starts[number]
        ends[number] = starts[number]
    for at in range(len(keys)):
        place: Any = np.int64(((keys[at] * MIX_1) >> ONE) >> other_bits)
        parted_keys[ends[place]] = keys[at]
        parted_holders[ends[place]] = holders[at]
        ends[place] += 1


@part
def _number_shared(keys: U64, table: I64, numbers: I64, shared_keys: U64, total: int) -> int:
    """Assign numbers, from `total` on, to the keys that occur more than once, and return the next number.

    `keys` is uint64 [keys]. `numbers`, int64 [room], receives the number of each, or -1 if it occurs once;
    `shared_keys`, uint64 [room], receives the key of each number. `table`, int64, is room for a hash table.
    """
    mask = capacity(len(keys)) - 1
    table[: mask + 1] = -1
    for at in range(len(keys)):
        slot = np.int64((keys[at] * MIX_2) >> HASH_SHIFT) & mask
        while table[slot] >= 0 and keys[table[slot]] != keys[at]:
            slot = (slot + 1) & mask
        first = int(table[slot])
        if first < 0:
            table[slot] = at
            numbers[at] = -1
            continue
        if numbers[first] < 0:
            numbers[first] = total
            shared_keys[total] = keys[at]
            total += 1
        numbers[at] = numbers[first]
    return total


def group_by_row(rows: U32, values: I64, count: int) -> tuple[I64, I64]:
    """Return `values` gathered by row, in their order within each, and the borders of the rows: int64 [count + 1].

    `values` is int64 [values]; `rows`, uint32 [values], is the row of each, below `count`.
    """
    borders, gathered = np.zeros(count + 1, np.int64), np.empty(len(values), np.int64)
    _gather_by_row(rows, values, np.empty(count, np.int64), gathered, borders)
    return gathered, borders


@kernel("uint32[:], int64[:], +int64[:], +int64[:], +int64[:]")
def _gather_by_row(rows: U32, values: I64, ends: I64, gathered: I64, borders: I64) -> None:
    """Write the results of `group_by_row` to `gathered` and `borders`, which is all 0; `ends`, int64, is room."""
    for row in rows:
        borders[np.int64(row) + 1] += 1
    for number in range(len(ends)):
        borders[number + 1] += borders[number]
        ends[number] = borders[number]
    for at in range(len(rows)):
        row = np.int64(rows[at])
        gathered[ends[row]] = values[at]
        ends[row] += 1
