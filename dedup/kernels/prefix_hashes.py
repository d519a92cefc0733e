"""Ordered sets of shingles and their prefix hashes: compiled functions of `dedup.fingerprint.prefix_hashes`."""

from __future__ import annotations

import numpy as np

from dedup.arrays import I64, U64, Bytes
from dedup.fingerprint.prefix_hashes import LONGEST_WORDS, OrderedSets, PrefixHashes, prefix_plan
from dedup.kernels.constants import MIX_1, MIX_2, SHINGLE_BASE, SPACE_BYTE
from dedup.kernels.declare import kernel, part
from dedup.kernels.shingles import hash_windows, hash_words_of_key
from dedup.kernels.sorting import sort_values


@part
def _write_totals(key: Bytes, count: int, n: int, lengths: I64, totals: I64) -> None:
    """Write the bytes of the words of each of `count` shingles of `key` to `totals`, `LONGEST_WORDS` at most.

    `lengths` is room for those of the words: int64 [room].
    """
    word = 0
    lengths[0] = 0
    for byte in key:
        if byte == SPACE_BYTE:
            word += 1
            lengths[word] = 0
        else:
            lengths[word] += 1
    for at in range(count):
        total = 0
        for place in range(n):
            total += lengths[at + place]
        totals[at] = min(total, LONGEST_WORDS)


@part
def _sort_by_total(values: U64, totals: I64, borders: I64, room: U64, result: U64) -> None:
    """Write `values`, uint64 [shingles], to `result`, those of the largest totals first, and ascending for each total.

    `borders` is room for `LONGEST_WORDS` + 2 numbers; `room` is as long as `values`.
    """
    borders[:] = 0
    for at in range(len(values)):
        borders[LONGEST_WORDS - totals[at] + 1] += 1
    for place in range(1, len(borders)):
        borders[place] += borders[place - 1]
    for at in range(len(values)):
        place = LONGEST_WORDS - totals[at]
        result[borders[place]] = values[at]
        borders[place] += 1  # so that it ends up where the next total starts
    start = 0
    for place in range(LONGEST_WORDS + 1):
        sort_values(result[start : borders[place]], room)
        start = borders[place]


@kernel(
    "uint8[:], int64[:], int64[:], int64, "
    "+uint64[:], +int64[:], +uint64[:], +uint64[:], +uint64[:], +int64[:], +int64[:], +int64[:]"
)
def _write_ordered_sets(
    keys: Bytes,
    starts: I64,
    stops: I64,
    n: int,
    values: U64,
    borders: I64,
    words: U64,
    hashes: U64,
    ordered: U64,
    lengths: I64,
    totals: I64,
    places: I64,
) -> None:
    """Write the sets to `values`, uint64 [room], and `borders`, int64 [texts + 1]; see `ordered_shingle_sets`.

    The others are room: for the words of the longest text, and `places` for `LONGEST_WORDS` + 2 numbers.
    """
    position = 0
    borders[0] = 0
    for row in range(len(starts)):
        key = keys[starts[row] : stops[row]]
        count = hash_windows(words, hash_words_of_key(key, words), n, hashes)
        _write_totals(key, count, n, lengths, totals)
        _sort_by_total(hashes[:count], totals, places, words, ordered)
        for at in range(count):
            if at == 0 or ordered[at] != ordered[at - 1]:
                values[position] = ordered[at]
                position += 1
        borders[row + 1] = position


def ordered_shingle_sets(keys: Bytes, starts: I64, stops: I64, n: int) -> OrderedSets:
    """Return the sets of shingles of `n` words of some texts, each with those of the longest words first.

    The comparison key of a text is ``keys[start:stop]``: uint8 [bytes] and int64 [texts]. The compiled version of
    `dedup.fingerprint.prefix_hashes.ordered_shingle_sets`.
    """
    sizes = stops - starts
    room = int(sizes.max(initial=0)) // 2 + 2  # every second byte of a key at most begins a word
    values = np.empty(int(sizes.sum()) // 2 + len(starts), np.uint64)
    borders = np.empty(len(starts) + 1, np.int64)
    words, hashes, ordered = np.empty((3, room), np.uint64)
    lengths, totals = np.empty((2, room), np.int64)
    places = np.empty(LONGEST_WORDS + 2, np.int64)
    _write_ordered_sets(keys, starts, stops, n, values, borders, words, hashes, ordered, lengths, totals, places)
    return OrderedSets(values[: borders[-1]], borders)


@kernel(
    "(uint64[:], int64[:]), int64[:], int64[:], int64[:], int64[:], int64[:], int64[:], "
    "(+int64[:], +uint64[:], +int64[:])",
    "int64",
)
def _write_prefix_hashes(
    sets: OrderedSets,
    whole: I64,
    pairs: I64,
    singles: I64,
    classes: I64,
    needs: I64,
    shifts: I64,
    result: PrefixHashes,
) -> int:
    """Write the hashes to `result`, and return their number; see `prefix_hashes` and `PrefixPlan`."""
    values, borders = sets.values, sets.borders
    count = len(borders) - 1
    position = 0
    most_pairs = 0
    for row in range(count):
        size = borders[row + 1] - borders[row]
        most_pairs = max(most_pairs, pairs[size])
        if whole[size]:
            total = np.uint64(0)
            for at in range(borders[row], borders[row + 1]):
                total += values[at] * MIX_2
            result.sets[position], result.values[position], result.needs[position] = row, total, 1
            position += 1
    for second in range(1, most_pairs):
        for first in range(second):
            for row in range(count):
                start = borders[row]
                if pairs[borders[row + 1] - start] > second:
                    mixed = (values[start + first] + values[start + second]) * MIX_1
                    result.sets[position], result.values[position], result.needs[position] = row, mixed, 1
                    position += 1
    for shift in shifts:
        for row in range(count):
            size = borders[row + 1] - borders[row]
            in_class = np.uint64(classes[size] + shift + 1) * SHINGLE_BASE
            for at in range(borders[row], borders[row] + singles[size]):
                mixed = values[at] ^ in_class
                result.sets[position], result.values[position], result.needs[position] = row, mixed, needs[size]
                position += 1
    return position


def prefix_hashes(sets: OrderedSets, threshold: float, *, for_lookup: bool) -> PrefixHashes:
    """Return the hashes of `sets`; with `for_lookup`, those by which a set finds others that reach `threshold`.

    The compiled version of `dedup.fingerprint.prefix_hashes.prefix_hashes`.
    """
    sizes = np.diff(sets.borders)
    plan = prefix_plan(int(sizes.max(initial=0)), threshold, for_lookup=for_lookup)
    count = int(plan.counts[sizes].sum())
    result = PrefixHashes(np.empty(count, np.int64), np.empty(count, np.uint64), np.empty(count, np.int64))
    shifts = np.array(plan.shifts, np.int64)
    _write_prefix_hashes(sets, plan.whole, plan.pairs, plan.singles, plan.classes, plan.needs, shifts, result)
    return result
