"""Group equal values and find those that several texts share: compiled.

`dedup.match.buckets` holds the definitions. Every kernel takes and returns arrays and releases the interpreter lock, so
that threads can share the work.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dedup.arrays import I64, U32, U64, Bytes
from dedup.kernels.constants import MIX_1, MIX_2, SHINGLE_BASE
from dedup.kernels.jit import njit

_1, _2, _3, _32, _33 = (np.uint64(number) for number in (1, 2, 3, 32, 33))
_PART = 1 << 13  # entries of one part of a table, so that it stays in the nearest cache
SLOTS = 4  # slots in a byte of a sieve; one bit for the first value in a slot, one for any further value
_SLOTS = np.uint64(SLOTS)
_AHEAD = 128  # keys whose slots are fetched together


@njit
def capacity(count: int) -> int:
    """Return the least power of two, 2 or more, that `count` entries fill at most half."""
    capacity = 2
    while capacity < 2 * count:
        capacity *= 2
    return capacity


@njit
def firsts(high: U64, low: U64) -> I64:
    """Return for each pair of values the index of the first equal pair: int64 [pairs].

    A pair is ``high[i], low[i]``, the two halves of a 128-bit digest: uint64 [pairs] each.
    """
    count = len(high)
    mask = capacity(count) - 1
    table = np.full(mask + 1, -1, np.int64)
    found = np.empty(count, np.int64)
    for at in range(count):
        slot = np.int64((high[at] * SHINGLE_BASE) >> _33) & mask
        while table[slot] >= 0 and (high[table[slot]] != high[at] or low[table[slot]] != low[at]):
            slot = (slot + 1) & mask
        if table[slot] < 0:
            table[slot] = at
        found[at] = table[slot]
    return found


@njit
def bucket_entries(values: U32, texts: U32, low: int, high: int, keys: U64, holders: U32) -> int:
    """Store the buckets ``low <= bucket < high`` in `keys` (band, bucket) and `holders` (texts); return their number.

    `values` are the buckets of each text: uint32 [rows, bands]; `texts` are the numbers of the texts: uint32 [rows].
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


@njit
def fall(keys: U64, sieve: Bytes) -> int:
    """Mark the slots of `keys` in `sieve`, and return how many keys fell into a slot that was already marked.

    `keys` are uint64 [entries]; `sieve` is uint8 [bytes], with `SLOTS` slots of two bits in each byte.
    """
    slots, seen = np.empty(_AHEAD, np.uint64), np.empty(_AHEAD, np.uint8)
    count = 0
    for start in range(0, len(keys), _AHEAD):
        for at in range(_look(keys, start, sieve, slots, seen)):
            byte, bit = np.int64(slots[at] >> _2), (slots[at] & _3) * _2
            taken = np.uint64(sieve[byte]) >> bit & _1
            sieve[byte] |= np.uint8((_1 | taken << _1) << bit)
            again: Any = np.int64(taken)
            count += again
    return count


@njit
def met(keys: U64, holders: U32, sieve: Bytes) -> tuple[U64, U32]:
    """Return the entries whose slot in `sieve` was marked more than once, by an equal key or another one."""
    slots, seen = np.empty(_AHEAD, np.uint64), np.empty(_AHEAD, np.uint8)
    found_keys, found_holders = np.empty(len(keys), np.uint64), np.empty(len(keys), np.uint32)
    count = 0
    for start in range(0, len(keys), _AHEAD):
        for at in range(_look(keys, start, sieve, slots, seen)):
            found_keys[count], found_holders[count] = keys[start + at], holders[start + at]
            again: Any = np.int64(np.uint64(seen[at]) >> ((slots[at] & _3) * _2 + _1) & _1)
            count += again
    return found_keys[:count].copy(), found_holders[:count].copy()


@njit
def _look(keys: U64, start: int, sieve: Bytes, slots: U64, seen: Bytes) -> int:
    """Fetch the slots of the next few keys and their bytes in `sieve` together; return the number of keys."""
    count = min(len(keys) - start, _AHEAD)
    number = np.uint64(len(sieve)) * _SLOTS
    for at in range(count):
        slots[at] = ((keys[start + at] * MIX_1) >> _32) * number >> _32
    for at in range(count):
        seen[at] = sieve[np.int64(slots[at] >> _2)]
    return count


@njit
def shared(keys: U64, holders: U32) -> tuple[int, U64]:
    """Keep only the entries whose key occurs more than once, and return their number and the distinct keys.

    In the kept entries, `keys` becomes the number of the key, from 0. The work is split by hash into parts that each
    fit into the nearest cache.
    """
    parted_keys, parted_holders, starts = _parted(keys, holders)
    longest = np.max(np.diff(starts))
    table, numbers = np.empty(capacity(longest), np.int64), np.empty(longest, np.int64)
    found = np.empty(len(keys) // 2, np.uint64)
    kept, total = 0, 0
    for part in range(len(starts) - 1):
        mine = parted_keys[starts[part] : starts[part + 1]]
        total = _numbered(mine, table, numbers, found, total)
        for at in range(len(mine)):
            if numbers[at] >= 0:
                keys[kept] = np.uint64(numbers[at])
                holders[kept] = parted_holders[starts[part] + at]
                kept += 1
    return kept, found[:total].copy()


@njit
def _parted(keys: U64, holders: U32) -> tuple[U64, U32, I64]:
    """Return the entries grouped into parts by the hash of their key, and the offsets of the parts."""
    bits = 0
    while (_PART << bits) < len(keys):
        bits += 1
    shift = np.uint64(63 - bits)
    starts = np.zeros((1 << bits) + 1, np.int64)
    for key in keys:
        starts[np.int64(((key * MIX_1) >> _1) >> shift) + 1] += 1
    for number in range(1 << bits):
        starts[number + 1] += starts[number]
    parted_keys, parted_holders = np.empty(len(keys), np.uint64), np.empty(len(keys), np.uint32)
    ends = starts[:-1].copy()
    for at in range(len(keys)):
        part: Any = np.int64(((keys[at] * MIX_1) >> _1) >> shift)
        parted_keys[ends[part]] = keys[at]
        parted_holders[ends[part]] = holders[at]
        ends[part] += 1
    return parted_keys, parted_holders, starts


@njit
def _numbered(keys: U64, table: I64, numbers: I64, found: U64, total: int) -> int:
    """Assign numbers, from `total` on, to the keys that occur more than once, and return the next free number.

    `numbers` gets the number of each key, or -1; `found` gets the key of each number.
    """
    mask = capacity(len(keys)) - 1
    table[: mask + 1] = -1
    for at in range(len(keys)):
        slot = np.int64((keys[at] * MIX_2) >> _33) & mask
        while table[slot] >= 0 and keys[table[slot]] != keys[at]:
            slot = (slot + 1) & mask
        first = int(table[slot])
        if first < 0:
            table[slot] = at
            numbers[at] = -1
            continue
        if numbers[first] < 0:
            numbers[first] = total
            found[total] = keys[at]
            total += 1
        numbers[at] = numbers[first]
    return total


@njit
def by_row(rows: U32, values: I64, count: int) -> tuple[I64, I64]:
    """Return `values` grouped by row, in order within each row, and the offsets of the rows: int64 [count + 1]."""
    borders = np.zeros(count + 1, np.int64)
    for row in rows:
        borders[np.int64(row) + 1] += 1
    for row in range(count):
        borders[row + 1] += borders[row]
    ends = borders[:-1].copy()
    gathered = np.empty(len(values), values.dtype)
    for at in range(len(rows)):
        row = np.int64(rows[at])
        gathered[ends[row]] = values[at]
        ends[row] += 1
    return gathered, borders
