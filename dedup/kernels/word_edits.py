"""Find where two sequences of words differ: the compiled version of `dedup.repairs.diff.edits_of_words`."""

from __future__ import annotations

import numpy as np

from dedup.arrays import I32, I64
from dedup.kernels.buckets import capacity
from dedup.kernels.constants import HASH_SHIFT, ONE, SHINGLE_BASE
from dedup.kernels.declare import kernel, part
from dedup.repairs.diff import AGREEING, FIRST_WINDOW, NEAR_DISTANCE, WIDER


@part
def _agree(first: I32, i: int, second: I32, j: int) -> bool:
    """Return True if the next `AGREEING` words of both, or all that are left, are equal."""
    size = min(len(first) - i, AGREEING)
    if min(len(second) - j, AGREEING) != size:
        return False
    same = 0
    while same < size and first[i + same] == second[j + same]:
        same += 1
    return same == size


@part
def _slot_of(words: I32, at: int, mask: int) -> int:
    """Return the slot of the next `AGREEING` words, or all that are left, in a hash table."""
    value = ONE
    for place in range(at, min(at + AGREEING, len(words))):
        value = (value + np.uint64(words[place]) + ONE) * SHINGLE_BASE
    return int(np.int64(value >> HASH_SHIFT) & mask)


@part
def _nearest_agreement(first: I32, i: int, second: I32, j: int, table: I64) -> tuple[int, int]:
    """Return how many words of each to skip until both agree again, or end; `table` is int64 [a power of two]."""
    left, other_left = len(first) - i, len(second) - j
    for distance in range(1, NEAR_DISTANCE + 1):
        for skip in range(min(distance, left) + 1):
            if distance - skip <= other_left and _agree(first, i + skip, second, j + distance - skip):
                return skip, distance - skip
    window = FIRST_WINDOW
    while True:
        most = min(window, other_left)
        mask = min(capacity(most + 1), len(table)) - 1
        table[: mask + 1] = -1
        for skip in range(most + 1):
            slot = _slot_of(second, j + skip, mask)
            while table[slot] >= 0 and not _agree(second, j + table[slot], second, j + skip):
                slot = (slot + 1) & mask
            if table[slot] < 0:
                table[slot] = skip
        best, other_best = -1, -1
        for skip in range(min(window, left) + 1):
            if best >= 0 and skip >= best + other_best:
                break
            slot = _slot_of(first, i + skip, mask)
            while table[slot] >= 0 and not _agree(first, i + skip, second, j + table[slot]):
                slot = (slot + 1) & mask
            place = table[slot]
            if place >= 0 and (best < 0 or skip + place < best + other_best):
                best, other_best = skip, place
        if best >= 0:
            return best, other_best
        window *= WIDER


@kernel("int32[:], int32[:], +int64[:], +int64[:,:]", returns="int64")
def _write_edits(first: I32, second: I32, table: I64, edits: I64) -> int:
    """Write the edits to `edits`, int64 [room, 4], and return how many there are; see `edits_of_words`.

    `table` is room for a hash table of the second words: int64 [a power of two].
    """
    i, j, count = 0, 0, 0
    while True:
        while i < len(first) and j < len(second) and first[i] == second[j]:
            i += 1
            j += 1
        if i == len(first) and j == len(second):
            return count
        skip, other_skip = _nearest_agreement(first, i, second, j, table)
        edits[count, 0], edits[count, 1] = i, i + skip
        edits[count, 2], edits[count, 3] = j, j + other_skip
        count += 1
        i += skip
        j += other_skip


def edits_of_words(first: I32, second: I32) -> I64:
    """Return the edits that turn the `first` words into the `second`: int64 [edits, 4], as spans in both.

    Words are numbers: int32 [words]. The compiled version of `dedup.repairs.diff.edits_of_words`.
    """
    table = np.empty(capacity(len(second) + 1), np.int64)
    edits = np.empty((len(first) + len(second), 4), np.int64)
    return edits[: _write_edits(first, second, table, edits)]
