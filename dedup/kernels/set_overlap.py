"""Count the common elements of shingle sets: compiled.

A set is an array of its distinct 64-bit shingle hashes. All sets are in one array, at `places`, of the lengths `sizes`.
"""

from __future__ import annotations

import numpy as np

from dedup.arrays import I64, U64, Bools, Bytes
from dedup.kernels.buckets import capacity
from dedup.kernels.constants import FNV_OFFSET, FNV_PRIME, SHINGLE_BASE, SPACE
from dedup.kernels.jit import njit
from dedup.kernels.shingles import final

_0, _1, _6 = np.uint64(0), np.uint64(1), np.uint64(63)


# --- sets of shingles --------------------------------------------------------------------------------------------


@njit
def _shingles(key: Bytes, n: int, words: U64, ends: I64, out: U64) -> int:
    """Store the shingle hashes of `key` in `out` and the ends of its words in `ends`; return the number of shingles.

    `key` is a comparison key in UTF-8. `words` is room for the word hashes; `words`, `ends` and `out` have room for
    one entry per word.
    """
    if len(key) == 0:
        return 0
    leading = _1
    for _ in range(n - 1):
        leading *= SHINGLE_BASE
    word, value = FNV_OFFSET, _0
    count = 0
    for at in range(len(key) + 1):
        if at < len(key) and key[at] != SPACE:
            word = (word ^ np.uint64(key[at])) * FNV_PRIME
            continue
        if count >= n:
            value -= words[count - n] * leading
        value = value * SHINGLE_BASE + word
        words[count], ends[count] = word, at
        if count >= n - 1:
            out[count - n + 1] = final(value)
        count += 1
        word = FNV_OFFSET
    return max(count - n + 1, 0)


@njit
def distinct(
    data: Bytes, starts: I64, stops: I64, n: int, rows: I64, out: U64, places: I64, sizes: I64, prints: U64
) -> None:
    """Store the distinct shingle hashes of each key in `out`, from its place on, and their number and parities.

    Key i is ``data[starts[i]:stops[i]]`` (UTF-8), and its entries of `places`, `sizes` and `prints` are at
    ``rows[i]``. Bit b of the parities says whether an odd number of hashes have b in their last six bits.
    """
    longest = 0
    for row in range(len(starts)):
        longest = max(longest, stops[row] - starts[row])
    words, ends = np.empty(longest // 2 + 1, np.uint64), np.empty(longest // 2 + 1, np.int64)
    hashes = np.empty(longest // 2 + 1, np.uint64)
    table = np.empty(capacity(longest // 2 + 1), np.uint64)
    for key in range(len(starts)):
        row = rows[key]
        found = _shingles(data[starts[key] : stops[key]], n, words, ends, hashes)
        mask = capacity(found) - 1
        table[: mask + 1] = _0
        place = places[row]
        parity = _0
        zero = False
        for at in range(found):
            value = hashes[at]
            if value == _0:
                if zero:
                    continue
                zero = True
            else:
                slot = np.int64(value >> _1) & mask
                while table[slot] != _0 and table[slot] != value:
                    slot = (slot + 1) & mask
                if table[slot] == value:
                    continue
                table[slot] = value
            out[place] = value
            parity ^= _1 << (value & _6)
            place += 1
        sizes[row] = place - places[row]
        prints[row] = parity


@njit
def _fill(table: U64, hashes: U64) -> tuple[int, bool]:
    """Fill a hash table with distinct `hashes`; return its mask, and whether zero is one of them."""
    mask = capacity(len(hashes)) - 1
    table[: mask + 1] = _0
    zero = False
    for value in hashes:
        if value == _0:
            zero = True
            continue
        slot = np.int64(value >> _1) & mask
        while table[slot] != _0:
            slot = (slot + 1) & mask
        table[slot] = value
    return mask, zero


@njit
def _common(table: U64, mask: int, zero: bool, hashes: U64, misses: int) -> int:
    """Return how many of `hashes` are in the table, or -1 as soon as more than `misses` are not."""
    common = 0
    for value in hashes:
        if value == _0:
            found = zero
        else:
            slot = np.int64(value >> _1) & mask
            while table[slot] != _0 and table[slot] != value:
                slot = (slot + 1) & mask
            found = table[slot] == value
        if found:
            common += 1
        else:
            misses -= 1
            if misses < 0:
                return -1
    return common


@njit
def _bits(value: np.uint64) -> int:
    """Return the number of bits that are set."""
    pairs = value - ((value >> _1) & np.uint64(0x5555555555555555))
    fours = (pairs & np.uint64(0x3333333333333333)) + ((pairs >> np.uint64(2)) & np.uint64(0x3333333333333333))
    eights = (fours + (fours >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((eights * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit
def _same(one: Bytes, two: Bytes) -> bool:
    """Return True if two byte strings are equal."""
    return len(one) == len(two) and not np.any(one != two)


@njit
def agree(data: Bytes, starts: I64, stops: I64, ones: I64, twos: I64, n: int) -> Bools:
    """Return for each pair of keys whether shingles of equal hash are equal: bool [pairs].

    Where they are, sets of hashes give the exact similarity. Pair i consists of the keys ``ones[i]`` and ``twos[i]``;
    key k is ``data[starts[k]:stops[k]]`` (UTF-8).
    """
    longest = 0
    for row in range(len(starts)):
        longest = max(longest, stops[row] - starts[row])
    words, hashes = np.empty(longest // 2 + 1, np.uint64), np.empty((2, longest // 2 + 1), np.uint64)
    ends = np.empty((2, longest // 2 + 1), np.int64)
    table = np.empty(capacity(2 * (longest // 2 + 1)), np.int64)
    result = np.ones(len(ones), np.bool_)
    for pair in range(len(ones)):
        found = np.zeros(2, np.int64)
        for side in range(2):
            row = ones[pair] if side == 0 else twos[pair]
            found[side] = _shingles(data[starts[row] : stops[row]], n, words, ends[side], hashes[side])
        mask = capacity(found[0] + found[1]) - 1
        table[: mask + 1] = -1
        for side in range(2):
            row = ones[pair] if side == 0 else twos[pair]
            for at in range(found[side]):
                value = hashes[side, at]
                slot = np.int64(value >> _1) & mask
                while table[slot] >= 0 and hashes[table[slot] & 1, table[slot] >> 1] != value:
                    slot = (slot + 1) & mask
                if table[slot] < 0:
                    table[slot] = at << 1 | side
                    continue
                other, there = table[slot] & 1, table[slot] >> 1
                second = ones[pair] if other == 0 else twos[pair]
                first_start = starts[row] + (ends[side, at - 1] + 1 if at else 0)
                second_start = starts[second] + (ends[other, there - 1] + 1 if there else 0)
                if not _same(
                    data[first_start : starts[row] + ends[side, at + n - 1]],
                    data[second_start : starts[second] + ends[other, there + n - 1]],
                ):
                    result[pair] = False
    return result


@njit
def _least_common(one: int, two: int, threshold: float) -> int:
    """Return the least number of common elements in a match of sets of these sizes; too many if none can match."""
    if one == 0 or two == 0:
        return 1
    least = max(int(threshold * (one + two) / (1.0 + threshold)) - 2, 0)
    while least <= min(one, two) and least / (one + two - least) < threshold:
        least += 1
    return least


@njit
def commons(ones: I64, others: I64, hashes: U64, places: I64, sizes: I64, least_share: float, result: I64) -> None:
    """Store in `result` how many shingles set ``ones[i]`` has in common with set ``others[i]``: int64 [pairs].

    The result is -1 if the share of ``ones[i]`` is surely below `least_share`. Pairs with equal `others` should be
    adjacent, because a set becomes a hash table once for each run of them.
    """
    longest = 0
    for other in others:
        longest = max(longest, sizes[other])
    table = np.empty(capacity(longest), np.uint64)
    previous = -1
    mask, zero = 0, False
    for pair in range(len(ones)):
        one, other = ones[pair], others[pair]
        if other != previous:
            mask, zero = _fill(table, hashes[places[other] : places[other] + sizes[other]])
            previous = other
        misses = int((1.0 - least_share) * sizes[one]) + 2
        result[pair] = _common(table, mask, zero, hashes[places[one] : places[one] + sizes[one]], misses)
