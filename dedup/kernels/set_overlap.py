"""Compare shingle sets: distinct hashes of comparison keys, and sizes of intersections.

`dedup.match` decides with these sizes. A set is an array of distinct uint64 hashes in order of appearance. To compare
two, one becomes a hash table and the other is looked up in it. The search stops once they cannot share enough hashes.
"""

from __future__ import annotations

import numpy as np

from dedup.arrays import I64, U64, Bools, Bytes
from dedup.kernels.buckets import capacity
from dedup.kernels.constants import FNV_OFFSET, FNV_PRIME, ONE, SHINGLE_BASE, SPACE_BYTE, ZERO
from dedup.kernels.declare import kernel, part
from dedup.kernels.shingles import finalize

_LAST_SIX_BITS = np.uint64(63)


@part
def _hash_shingles(key: Bytes, n: int, words: U64, ends: I64, hashes: U64) -> int:
    """Write the hashes of the shingles of `key`, in order, to `hashes`; return their number.

    `key` is uint8 [bytes]; a shingle has `n` words. `words`, uint64 [room], receives the hashes of the words, `ends`,
    int64 [room], where each word ends, in bytes; `hashes` is uint64 [room].
    """
    if len(key) == 0:
        return 0
    leading = ONE
    for _ in range(n - 1):
        leading *= SHINGLE_BASE
    word, value = FNV_OFFSET, ZERO
    count = 0
    for at in range(len(key) + 1):
        if at < len(key) and key[at] != SPACE_BYTE:
            word = (word ^ np.uint64(key[at])) * FNV_PRIME
            continue
        if count >= n:
            value -= words[count - n] * leading
        value = value * SHINGLE_BASE + word
        words[count], ends[count] = word, at
        if count >= n - 1:
            hashes[count - n + 1] = finalize(value)
        count += 1
        word = FNV_OFFSET
    return max(count - n + 1, 0)


def distinct_hashes(
    data: Bytes, starts: I64, stops: I64, n: int, rows: I64, out: U64, places: I64, sizes: I64, prints: U64
) -> None:
    """Write the shingle sets of keys to `out`, with their sizes and the parities of their hashes.

    Key k is ``data[starts[k]:stops[k]]``: `data` uint8 [bytes], `starts` and `stops` int64 [keys], in bytes. `rows`,
    int64 [keys], is the row of each key in `places`, `sizes` and `prints`. `places`, int64 [rows], is given: where the
    set of a row starts in `out`, uint64 [room]. `sizes`, int64 [rows], receives the number of hashes. `prints`, uint64
    [rows], receives the parities: bit i is set if an odd number of the hashes have i in their last six bits.
    """
    most = _most_words(starts, stops)
    words, ends, hashes = np.empty(most, np.uint64), np.empty(most, np.int64), np.empty(most, np.uint64)
    table = np.empty(capacity(most), np.uint64)
    _write_distinct_hashes(data, starts, stops, n, rows, out, places, sizes, prints, words, ends, hashes, table)


def _most_words(starts: I64, stops: I64) -> int:
    """Return room for the words of any one key: every second byte at most begins one."""
    return int((stops - starts).max(initial=0)) // 2 + 1


@kernel(
    "uint8[:], int64[:], int64[:], int64, int64[:], +uint64[:], int64[:], +int64[:], +uint64[:], "
    "+uint64[:], +int64[:], +uint64[:], +uint64[:]"
)
def _write_distinct_hashes(
    data: Bytes,
    starts: I64,
    stops: I64,
    n: int,
    rows: I64,
    out: U64,
    places: I64,
    sizes: I64,
    prints: U64,
    words: U64,
    ends: I64,
    hashes: U64,
    table: U64,
) -> None:
    """Do what `distinct_hashes` does; `words`, `ends`, `hashes` and `table` are room for the longest key."""
    for key in range(len(starts)):
        row = rows[key]
        count = _hash_shingles(data[starts[key] : stops[key]], n, words, ends, hashes)
        mask = capacity(count) - 1
        table[: mask + 1] = ZERO
        place = places[row]
        parity = ZERO
        zero = False
        for at in range(count):
            value = hashes[at]
            if value == ZERO:
                if zero:
                    continue
                zero = True
            else:
                slot = np.int64(value >> ONE) & mask
                while table[slot] != ZERO and table[slot] != value:
                    slot = (slot + 1) & mask
                if table[slot] == value:
                    continue
                table[slot] = value
            out[place] = value
            parity ^= ONE << (value & _LAST_SIX_BITS)
            place += 1
        sizes[row] = place - places[row]
        prints[row] = parity


@part
def fill_table(table: U64, hashes: U64) -> tuple[int, bool]:
    """Make a hash table of distinct `hashes`, uint64 [hashes]; return its mask, and True if zero is one of them.

    `table` is uint64 [`capacity` or more]. A slot of value zero is empty, so zero itself is not entered.
    """
    mask = capacity(len(hashes)) - 1
    table[: mask + 1] = ZERO
    zero = False
    for value in hashes:
        if value == ZERO:
            zero = True
            continue
        slot = np.int64(value >> ONE) & mask
        while table[slot] != ZERO:
            slot = (slot + 1) & mask
        table[slot] = value
    return mask, zero


@part
def count_common(table: U64, mask: int, zero: bool, hashes: U64, misses: int) -> int:
    """Return how many of `hashes`, uint64 [hashes], are in a table, or -1 if more than `misses` are not.

    `table`, `mask` and `zero` are those of `fill_table`. The search stops as soon as the answer is -1.
    """
    common = 0
    for value in hashes:
        if value == ZERO:
            is_member = zero
        else:
            slot = np.int64(value >> ONE) & mask
            while table[slot] != ZERO and table[slot] != value:
                slot = (slot + 1) & mask
            is_member = table[slot] == value
        if is_member:
            common += 1
        else:
            misses -= 1
            if misses < 0:
                return -1
    return common


@part
def count_bits(value: np.uint64) -> int:
    """Return the number of bits that are set in `value`."""
    pairs = value - ((value >> ONE) & np.uint64(0x5555555555555555))
    fours = (pairs & np.uint64(0x3333333333333333)) + ((pairs >> np.uint64(2)) & np.uint64(0x3333333333333333))
    eights = (fours + (fours >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((eights * np.uint64(0x0101010101010101)) >> np.uint64(56))


@part
def _equal_bytes(first: Bytes, second: Bytes) -> bool:
    """Return True if two arrays of uint8 [bytes] are equal."""
    if len(first) != len(second):
        return False
    for at in range(len(first)):  # noqa: SIM110 - numba has no `all`
        if first[at] != second[at]:
            return False
    return True


def hashes_agree(data: Bytes, starts: I64, stops: I64, ones: I64, twos: I64, n: int) -> Bools:
    """Return for each pair of keys True if their shingles of equal hash are equal: bool [pairs].

    Then the sets of hashes give the exact similarity of the pair. Key k is ``data[starts[k]:stops[k]]``: `data` uint8
    [bytes], `starts` and `stops` int64 [keys], in bytes. `ones` and `twos` are the keys of each pair: int64 [pairs].
    """
    most = _most_words(starts, stops)
    words, ends, hashes = np.empty(most, np.uint64), np.empty((2, most), np.int64), np.empty((2, most), np.uint64)
    table, counts = np.empty(capacity(2 * most), np.int64), np.empty(2, np.int64)
    agree = np.ones(len(ones), np.uint8)
    _write_agreement(data, starts, stops, ones, twos, n, agree, words, ends, hashes, table, counts)
    return agree.view(np.bool_)


@kernel(
    "uint8[:], int64[:], int64[:], int64[:], int64[:], int64, +uint8[:], "
    "+uint64[:], +int64[:,:], +uint64[:,:], +int64[:], +int64[:]"
)
def _write_agreement(
    data: Bytes,
    starts: I64,
    stops: I64,
    ones: I64,
    twos: I64,
    n: int,
    agree: Bytes,
    words: U64,
    ends: I64,
    hashes: U64,
    table: I64,
    counts: I64,
) -> None:
    """Set `agree`, uint8 [pairs], to 0 for each pair that does not agree; see `hashes_agree`.

    The last five arrays are room: for the words of a key, for the ends and the hashes of the shingles of two, for a
    table of the places of shingles (twice the shingle, plus the side), and for two counts.
    """
    for pair in range(len(ones)):
        for side in range(2):
            row = ones[pair] if side == 0 else twos[pair]
            counts[side] = _hash_shingles(data[starts[row] : stops[row]], n, words, ends[side], hashes[side])
        mask = capacity(counts[0] + counts[1]) - 1
        table[: mask + 1] = -1
        for side in range(2):
            row = ones[pair] if side == 0 else twos[pair]
            for at in range(counts[side]):
                value = hashes[side, at]
                slot = np.int64(value >> ONE) & mask
                while table[slot] >= 0 and hashes[table[slot] & 1, table[slot] >> 1] != value:
                    slot = (slot + 1) & mask
                if table[slot] < 0:
                    table[slot] = at << 1 | side
                    continue
                other, there = table[slot] & 1, table[slot] >> 1
                second = ones[pair] if other == 0 else twos[pair]
                first_start = starts[row] + (ends[side, at - 1] + 1 if at else 0)
                second_start = starts[second] + (ends[other, there - 1] + 1 if there else 0)
                if not _equal_bytes(
                    data[first_start : starts[row] + ends[side, at + n - 1]],
                    data[second_start : starts[second] + ends[other, there + n - 1]],
                ):
                    agree[pair] = 0


@part
def least_common(size: int, other_size: int, threshold: float) -> int:
    """Return how many elements two sets of these sizes must share to match; more than they have if they cannot."""
    if size == 0 or other_size == 0:
        return 1
    least = max(int(threshold * (size + other_size) / (1.0 + threshold)) - 2, 0)
    while least <= min(size, other_size) and least / (size + other_size - least) < threshold:
        least += 1
    return least


def count_common_of_pairs(
    ones: I64, others: I64, hashes: U64, places: I64, sizes: I64, least_share: float, result: I64
) -> None:
    """Write to `result`, int64 [pairs], how many shingles set ``ones[i]`` shares with set ``others[i]``.

    It is -1 if that is surely less than `least_share` of set ``ones[i]``. Set k is
    ``hashes[places[k]:places[k] + sizes[k]]``: `hashes` uint64 [hashes], `places` and `sizes` int64 [sets]. `ones` and
    `others` are int64 [pairs]. Pairs of equal `others` should be neighbours: each of those becomes a table once.
    """
    table = np.empty(capacity(int(sizes[others].max(initial=0))), np.uint64)
    _write_counts_of_pairs(ones, others, hashes, places, sizes, least_share, result, table)


@kernel("int64[:], int64[:], uint64[:], int64[:], int64[:], float64, +int64[:], +uint64[:]")
def _write_counts_of_pairs(
    ones: I64, others: I64, hashes: U64, places: I64, sizes: I64, least_share: float, result: I64, table: U64
) -> None:
    """Do what `count_common_of_pairs` does; `table`, uint64 [`capacity` of the largest of `others`], is room."""
    previous = -1
    mask, zero = 0, False
    for pair in range(len(ones)):
        first, other = ones[pair], others[pair]
        if other != previous:
            mask, zero = fill_table(table, hashes[places[other] : places[other] + sizes[other]])
            previous = other
        misses = int((1.0 - least_share) * sizes[first]) + 2
        result[pair] = count_common(table, mask, zero, hashes[places[first] : places[first] + sizes[first]], misses)
