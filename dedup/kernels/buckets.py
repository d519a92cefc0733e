"""Find equal values and the texts that share them: the compiled version of `dedup.match.buckets`.

A value is a uint64 key, such as a band and a bucket packed together. An entry is a key and its holder, a text that has
it. All kernels release the interpreter lock, so that threads can share the work.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dedup.arrays import I64, U32, U64, Bytes
from dedup.kernels.constants import HASH_SHIFT, MIX_1, MIX_2, ONE, SHINGLE_BASE
from dedup.kernels.jit import njit

_PART_ENTRIES = 1 << 13  # of a table, so that it stays in the nearest cache of the processor
SLOTS = 4  # of a sieve in each byte; a slot has one bit for its first key, and one for all others
_SLOTS = np.uint64(SLOTS)
_BYTE_OF_SLOT_SHIFT = np.uint64(2)  # from the number of a slot to that of its byte
_SLOT_MASK = np.uint64(3)  # from the number of a slot to its place in the byte
_SLOT_BITS = np.uint64(2)
_HALF_WORD = np.uint64(32)
_KEYS_AHEAD = 128  # keys whose slots are read at once


@njit
def capacity(count: int) -> int:
    """Return the size of a hash table for `count` entries: a power of two that they fill to half at most."""
    size = 2
    while size < 2 * count:
        size *= 2
    return size


@njit
def first_equal_rows(high: U64, low: U64) -> I64:
    """Return for each pair of values the place of the first equal pair: int64 [pairs].

    `high` and `low` are the two halves of the pairs: uint64 [pairs].
    """
    count = len(high)
    mask = capacity(count) - 1
    table = np.full(mask + 1, -1, np.int64)
    places = np.empty(count, np.int64)
    for at in range(count):
        slot = np.int64((high[at] * SHINGLE_BASE) >> HASH_SHIFT) & mask
        while table[slot] >= 0 and (high[table[slot]] != high[at] or low[table[slot]] != low[at]):
            slot = (slot + 1) & mask
        if table[slot] < 0:
            table[slot] = at
        places[at] = table[slot]
    return places


@njit
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


@njit
def drop_into_sieve(keys: U64, sieve: Bytes) -> int:
    """Mark the slot of each of `keys` in `sieve`, and return how many slots were already marked.

    `keys` is uint64 [keys]. `sieve`, uint8 [bytes], has `SLOTS` slots in each byte.
    """
    slots, seen = np.empty(_KEYS_AHEAD, np.uint64), np.empty(_KEYS_AHEAD, np.uint8)
    count = 0
    for start in range(0, len(keys), _KEYS_AHEAD):
        for at in range(_read_slots(keys, start, sieve, slots, seen)):
            byte, bit = np.int64(slots[at] >> _BYTE_OF_SLOT_SHIFT), (slots[at] & _SLOT_MASK) * _SLOT_BITS
            taken = np.uint64(sieve[byte]) >> bit & ONE
            sieve[byte] |= np.uint8((ONE | taken << ONE) << bit)
            is_taken: Any = np.int64(taken)
            count += is_taken
    return count


@njit
def collided_entries(keys: U64, holders: U32, sieve: Bytes) -> tuple[U64, U32]:
    """Return the entries whose slot of `sieve` has two keys or more, equal or not: uint64 and uint32 [entries].

    `keys`, uint64 [entries], are all marked in `sieve`, uint8 [bytes]; `holders` is uint32 [entries].
    """
    slots, seen = np.empty(_KEYS_AHEAD, np.uint64), np.empty(_KEYS_AHEAD, np.uint8)
    kept_keys, kept_holders = np.empty(len(keys), np.uint64), np.empty(len(keys), np.uint32)
    count = 0
    for start in range(0, len(keys), _KEYS_AHEAD):
        for at in range(_read_slots(keys, start, sieve, slots, seen)):
            kept_keys[count], kept_holders[count] = keys[start + at], holders[start + at]
            is_shared: Any = np.int64(np.uint64(seen[at]) >> ((slots[at] & _SLOT_MASK) * _SLOT_BITS + ONE) & ONE)
            count += is_shared
    return kept_keys[:count].copy(), kept_holders[:count].copy()


@njit
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


@njit
def number_shared_values(keys: U64, holders: U32) -> tuple[int, U64]:
    """Keep the entries whose key another entry has, and return their number and the keys: uint64 [shared keys].

    The kept entries are moved to the front of `keys`, uint64 [entries], and `holders`, uint32 [entries]. Their keys are
    replaced by numbers from 0, which are the places in the result. The entries are handled in parts by hash, each small
    enough for the nearest cache of the processor.
    """
    parted_keys, parted_holders, starts = _partition(keys, holders)
    longest = np.max(np.diff(starts))
    table, numbers = np.empty(capacity(longest), np.int64), np.empty(longest, np.int64)
    shared_keys = np.empty(len(keys) // 2, np.uint64)
    kept, total = 0, 0
    for part in range(len(starts) - 1):
        keys_of_part = parted_keys[starts[part] : starts[part + 1]]
        total = _number_shared(keys_of_part, table, numbers, shared_keys, total)
        for at in range(len(keys_of_part)):
            if numbers[at] >= 0:
                keys[kept] = np.uint64(numbers[at])
                holders[kept] = parted_holders[starts[part] + at]
                kept += 1
    return kept, shared_keys[:total].copy()


@njit
def _partition(keys: U64, holders: U32) -> tuple[U64, U32, I64]:
    """Return the entries gathered in parts by the hash of their key, and the borders of the parts.

    `keys` and the first result are uint64 [entries], `holders` and the second uint32 [entries]. The borders are int64
    [parts + 1].
    """
    bits = 0
    while (_PART_ENTRIES << bits) < len(keys):
        bits += 1
    shift = np.uint64(63 - bits)
    starts = np.zeros((1 << bits) + 1, np.int64)
    for key in keys:
        starts[np.int64(((key * MIX_1) >> ONE) >> shift) + 1] += 1
    for number in range(1 << bits):
        starts[number + 1] += starts[number]
    parted_keys, parted_holders = np.empty(len(keys), np.uint64), np.empty(len(keys), np.uint32)
    ends = starts[:-1].copy()
    for at in range(len(keys)):
        part: Any = np.int64(((keys[at] * MIX_1) >> ONE) >> shift)
        parted_keys[ends[part]] = keys[at]
        parted_holders[ends[part]] = holders[at]
        ends[part] += 1
    return parted_keys, parted_holders, starts


@njit
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


@njit
def group_by_row(rows: U32, values: I64, count: int) -> tuple[I64, I64]:
    """Return `values` gathered by row, in their order within each, and the borders of the rows: int64 [count + 1].

    `values` is int64 [values]; `rows`, uint32 [values], is the row of each, below `count`.
    """
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
