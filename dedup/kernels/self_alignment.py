"""Align the words of one text with themselves: compiled functions of `dedup.fingerprint.self_alignment`.

Seeds are looked up by a hash and then compared word by word, so that hash collisions have no effect.
"""

from __future__ import annotations

import numpy as np

from dedup.arrays import I16, I64
from dedup.fingerprint.self_alignment import (
    COMMON_SHARE,
    DEAREST,
    EXTENSIONS,
    FINE_WORDS,
    GAIN,
    GAP_PRICE,
    GAP_SIZE,
    RUNS_BEFORE,
    SHIFT_PRICE,
)
from dedup.fingerprint.self_matches import RUN_WORDS
from dedup.kernels.buckets import capacity
from dedup.kernels.constants import SHINGLE_BASE
from dedup.kernels.declare import kernel, part

_SLOT_SHIFT = np.uint64(20)  # from a hash to its slot: the upper bits depend on all words of a seed


@part
def _first_place(numbers: I64, place: int, table: I64) -> int:
    """Return the first place of the seed at `place`, which is entered into the hash `table` if it is new.

    `numbers` are int64 [words]; `table` is int64 [a power of two], -1 where empty.
    """
    value = np.uint64(0)
    for ahead in range(RUN_WORDS):
        value = (value + np.uint64(numbers[place + ahead]) + np.uint64(1)) * SHINGLE_BASE
    mask = len(table) - 1
    slot = np.int64(value >> _SLOT_SHIFT) & mask
    while table[slot] >= 0:
        other = int(table[slot])
        same = 0
        while same < RUN_WORDS and numbers[other + same] == numbers[place + same]:
            same += 1
        if same == RUN_WORDS:
            return other
        slot = (slot + 1) & mask
    table[slot] = place
    return place


@kernel("int64[:], +int64[:], +int64[:], +int64[:], +int64[:,:]", returns="int64")
def _write_runs(numbers: I64, table: I64, nearest: I64, reached: I64, runs: I64) -> int:
    """Write the runs to `runs`, int64 [2 * seeds, 3], as they are found, and return how many there are.

    `table`, int64, is all -1 and a power of two; `nearest` and `reached`, int64 [words + 1], are all 0.
    """
    count = len(numbers)
    left = EXTENSIONS * count
    found = 0
    for place in range(count - RUN_WORDS + 1):
        first = _first_place(numbers, place, table)
        if first < place:
            for turn in range(2):
                source = nearest[first] if turn == 0 else first
                if turn == 1 and nearest[first] == first:
                    break
                distance = place - source
                if reached[distance] > place or left <= 0:
                    continue
                least = max(reached[distance], distance)
                start, stop = place, place + RUN_WORDS
                while start > least and numbers[start - 1] == numbers[start - 1 - distance]:
                    start -= 1
                while stop < count and numbers[stop] == numbers[stop - distance]:
                    stop += 1
                left -= stop - start
                reached[distance] = stop
                runs[found, 0], runs[found, 1], runs[found, 2] = start, start - distance, stop - start
                found += 1
        nearest[first] = place
    return found


def find_runs(numbers: I64) -> I64:
    """Return the maximal equal runs of words in a text, in order: int64 [runs, 3], as copy, source and length in words.

    `numbers` are the words of the text: int64 [words]. The compiled version of
    `dedup.fingerprint.self_alignment.find_runs`.
    """
    count = len(numbers)
    seeds = max(count - RUN_WORDS + 1, 0)
    table = np.full(capacity(seeds), -1, np.int64)
    runs = np.empty((2 * seeds, 3), np.int64)
    found = _write_runs(numbers, table, np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64), runs)
    runs = runs[:found]
    return runs[np.lexsort((runs[:, 2], runs[:, 1], runs[:, 0]))]


@kernel("int64[:,:], int64[:], int64[:], +int64[:], +int64[:], +int64[:,:]", returns="int64")
def _write_pieces(runs: I64, borders: I64, paragraphs: I64, shared: I64, fewest: I64, pieces: I64) -> int:
    """Write the pieces to `pieces`, int64 [room, 3], and return how many there are; see `pair_paragraphs`.

    `paragraphs` are those of words: int64 [words]. `shared`, all 0, and `fewest`, the words of paragraphs, are int64
    [paragraphs].
    """
    for is_writing in range(2):
        found = 0
        for run in range(len(runs)):
            copy, source, length = runs[run, 0], runs[run, 1], runs[run, 2]
            at = 0
            while at < length:
                index, twin = paragraphs[copy + at], paragraphs[source + at]
                end = min(length, borders[index + 1] - copy, borders[twin + 1] - source)
                if twin < index and is_writing == 0:
                    shared[index] += end - at
                    fewest[index] = min(fewest[index], borders[twin + 1] - borders[twin])
                elif twin < index and 2 * shared[index] >= fewest[index]:
                    pieces[found, 0], pieces[found, 1], pieces[found, 2] = index, twin, end - at
                    found += 1
                at = end
    return found


def pair_paragraphs(runs: I64, borders: I64) -> I64:
    """Return how many words of runs each paragraph shares with earlier ones: int64 [pieces, 3].

    `runs` is int64 [runs, 3] and `borders` int64 [paragraphs + 1]. The compiled version of
    `dedup.fingerprint.self_alignment.pair_paragraphs`.
    """
    sizes = np.diff(borders)
    paragraphs = np.repeat(np.arange(len(sizes)), sizes)
    crossed = np.searchsorted(borders, runs[:, :2] + runs[:, 2:]) - np.searchsorted(borders, runs[:, :2])
    pieces = np.empty((len(runs) + int(crossed.sum()), 3), np.int64)
    return pieces[: _write_pieces(runs, borders, paragraphs, np.zeros_like(sizes), sizes, pieces)]


@part
def _uncovered_size(sizes: I64, start: int, stop: int, low: int, high: int, second_low: int, second_high: int) -> int:
    """Return the size of the words ``start:stop`` that are in neither of two spans; `sizes` is int64 [words + 1]."""
    size = sizes[max(start, stop)] - sizes[start]
    if max(low, start) < min(high, stop):
        size -= sizes[min(high, stop)] - sizes[max(low, start)]
    if max(second_low, start) < min(second_high, stop):
        size -= sizes[min(second_high, stop)] - sizes[max(second_low, start)]
    return int(max(size, 0))


@kernel("int64[:,:], int64[:], +int64[:,:]")
def _write_chains(runs: I64, sizes: I64, chains: I64) -> None:
    """Write the best chain of each run to `chains`, int64 [runs, 3]; see `chain_runs`."""
    for number in range(len(runs)):
        copy, source, length = runs[number, 0], runs[number, 1], runs[number, 2]
        best, best_before, best_cut = GAIN * (sizes[copy + length] - sizes[copy]), -1, 0
        for other in range(number - 1, max(number - RUNS_BEFORE, 0) - 1, -1):
            copy_before, source_before = runs[other, 0], runs[other, 1]
            copy_end, source_end = copy_before + runs[other, 2], source_before + runs[other, 2]
            cut = max(copy_end - copy, source_end - source, 0)
            if copy_before >= copy or source_before >= source or cut >= length:
                continue
            gains = chains[other, 0] + GAIN * (sizes[copy + length] - sizes[copy + cut])
            if gains <= best:
                continue
            own = _uncovered_size(sizes, copy_end, copy + cut, source, source + length, source_before, source_end)
            theirs = _uncovered_size(sizes, source_end, source + cut, copy, copy + length, copy_before, copy_end)
            more, fewer = max(own, theirs), min(own, theirs)
            if more > GAP_SIZE:
                continue
            score = gains - min(GAP_PRICE * fewer + SHIFT_PRICE * (more - fewer), DEAREST)
            if score > best:
                best, best_before, best_cut = score, other, cut
        chains[number, 0], chains[number, 1], chains[number, 2] = best, best_before, best_cut


def chain_runs(runs: I64, sizes: I64) -> I64:
    """Return for each run the best chain that ends with it: int64 [runs, 3], as its score, the run before, and a cut.

    `runs` is int64 [runs, 3] and `sizes` int64 [words + 1]. The compiled version of
    `dedup.fingerprint.self_alignment.chain_runs`.
    """
    chains = np.empty((len(runs), 3), np.int64)
    _write_chains(runs, sizes, chains)
    return chains


@part
def write_gap_pairs(numbers: I64, gaps: I64, table: I16, pairs: I64) -> int:
    """Write the pairs of words to `pairs`, int64 [room, 2], and return how many there are; see `align_gaps`.

    `table` is room for the lengths of common subsequences: int16 [`FINE_WORDS` + 1, `FINE_WORDS` + 1].
    """
    found = 0
    for gap in range(len(gaps)):
        copy, source = gaps[gap, 0], gaps[gap, 2]
        rows, columns = gaps[gap, 1] - copy, gaps[gap, 3] - source
        if rows <= 0 or columns <= 0 or max(rows, columns) > FINE_WORDS or source + columns > copy:
            continue
        table[rows, : columns + 1] = 0
        for row in range(rows - 1, -1, -1):
            table[row, columns] = 0
            for column in range(columns - 1, -1, -1):
                if numbers[copy + row] == numbers[source + column]:
                    table[row, column] = table[row + 1, column + 1] + 1
                else:
                    table[row, column] = max(table[row + 1, column], table[row, column + 1])
        if COMMON_SHARE * table[0, 0] < min(rows, columns):
            continue
        row = column = 0
        while row < rows and column < columns:
            if numbers[copy + row] == numbers[source + column]:
                pairs[found, 0], pairs[found, 1] = copy + row, source + column
                found += 1
                row += 1
                column += 1
            elif table[row + 1, column] >= table[row, column + 1]:
                row += 1
            else:
                column += 1
    return found
