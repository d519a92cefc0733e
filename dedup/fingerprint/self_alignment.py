"""Align the words of one text with themselves: equal runs of words, chains of them, and the words between.

This is how read mappers align sequences, and plagiarism detectors align texts. Seeds are runs of `RUN_WORDS` equal
words. Each is paired with the nearest and with the first earlier place, so that the work stays linear in texts of few
different words. Seeds are extended to maximal runs. Runs that follow each other in both copies form a chain: a word
that a chain skips has a price. In periodic text, as in A A B B, words that the chain has matched itself cost nothing.

Words are numbers here, equal where the words are equal. These are the definitions, in plain Python; they use integers
only, and `dedup.kernels.self_alignment` and `dedup.kernels.versions` compute the same in machine code.
"""

from __future__ import annotations

import numpy as np

from dedup.arrays import I64
from dedup.fingerprint.self_matches import RUN_WORDS

EXTENSIONS = 64  # words that may be compared while runs are extended, for each word of the text
RUNS_BEFORE = 80  # runs before a run that are tried as its predecessor; with 20, chains break at common phrases
SIZE_UNITS = 4  # units of the size of a word: a letter of a script without spaces has two or one of them
GAP_SIZE = 300 * SIZE_UNITS  # size that a chain may skip in either copy: a long paragraph
# Prices in eighths of a unit of size: a quarter for what is skipped in both copies, an eighth for what only one has.
GAIN, GAP_PRICE, SHIFT_PRICE = 8, 2, 1
DEAREST = 25 * SIZE_UNITS * GAIN  # price of the dearest gap
FINE_WORDS = 40  # words between two runs that are aligned one by one
COMMON_SHARE = 2  # the shorter side of a gap is aligned if one in so many of its words is


def find_runs(numbers: I64) -> I64:
    """Return the maximal equal runs of words in a text, in order: int64 [runs, 3], as copy, source and length in words.

    `numbers` are the words of the text: int64 [words]. The source of a run is before its copy; they may overlap.

    >>> find_runs(np.array([1, 2, 3, 4, 5, 6, 9, 1, 2, 3, 4, 5, 6]))
    array([[7, 0, 6]])
    """
    words: list[int] = numbers.tolist()
    nearest: dict[tuple[int, ...], int] = {}
    first: dict[tuple[int, ...], int] = {}
    reached: dict[int, int] = {}  # distance between copy and source -> end of the last run of that distance
    left = EXTENSIONS * len(words)
    runs = []
    for place in range(len(words) - RUN_WORDS + 1):
        seed = tuple(words[place : place + RUN_WORDS])
        if seed in first:
            for source in dict.fromkeys((nearest[seed], first[seed])):
                distance = place - source
                if reached.get(distance, 0) > place or left <= 0:
                    continue
                least = max(reached.get(distance, 0), distance)
                start, stop = place, place + RUN_WORDS
                while start > least and words[start - 1] == words[start - 1 - distance]:
                    start -= 1
                while stop < len(words) and words[stop] == words[stop - distance]:
                    stop += 1
                left -= stop - start
                reached[distance] = stop
                runs.append((start, start - distance, stop - start))
        nearest[seed] = place
        first.setdefault(seed, place)
    return np.array(sorted(runs), np.int64).reshape(-1, 3)


def pair_paragraphs(runs: I64, borders: I64) -> I64:
    """Return how many words of runs each paragraph shares with earlier ones: int64 [pieces, 3].

    A piece is a paragraph, an earlier one, and the words of one run that are in both; pieces are in the order of runs.
    Paragraphs are left out whose pieces have, all together, less than half of the words of either. `runs` is as
    `find_runs` returns it. `borders` are where paragraphs start, in words, and the last one ends: int64 [paragraphs +
    1].

    >>> pair_paragraphs(np.array([[7, 0, 6]]), np.array([0, 3, 7, 13])).tolist()
    [[2, 0, 3], [2, 1, 3]]
    """
    paragraphs = np.repeat(np.arange(len(borders) - 1), np.diff(borders)).tolist()
    ends: list[int] = borders[1:].tolist()
    sizes = np.diff(borders).tolist()
    pieces: list[tuple[int, int, int]] = []
    for copy, source, length in runs.tolist():
        at = 0
        while at < length:
            index, twin = paragraphs[copy + at], paragraphs[source + at]
            end = min(length, ends[index] - copy, ends[twin] - source)
            if twin < index:
                pieces.append((index, twin, end - at))
            at = end
    shared, fewest = [0] * len(sizes), list(sizes)
    for index, twin, count in pieces:
        shared[index] += count
        fewest[index] = min(fewest[index], sizes[twin])
    return np.array([piece for piece in pieces if 2 * shared[piece[0]] >= fewest[piece[0]]], np.int64).reshape(-1, 3)


def chain_runs(runs: I64, sizes: I64) -> I64:
    """Return for each run the best chain that ends with it: int64 [runs, 3], as its score, the run before, and a cut.

    The cut is the number of words at the beginning of the run that overlap the run before it, in either copy, and do
    not count. The run before is -1 where the chain starts. `runs` is as `find_runs` returns it. `sizes` are those of
    words in units of `SIZE_UNITS`, summed up: int64 [words + 1].

    >>> sizes = np.arange(40) * SIZE_UNITS
    >>> chain_runs(np.array([[20, 0, 8], [29, 9, 8]]), sizes).tolist()
    [[256, -1, 0], [504, 0, 0]]
    """
    total: list[int] = sizes.tolist()
    rows: list[list[int]] = runs.tolist()
    chains: list[list[int]] = []
    for number, (copy, source, length) in enumerate(rows):
        best = [GAIN * (total[copy + length] - total[copy]), -1, 0]
        for other in range(number - 1, max(number - RUNS_BEFORE, 0) - 1, -1):
            copy_before, source_before, length_before = rows[other]
            ends = copy_before + length_before, source_before + length_before
            cut = max(ends[0] - copy, ends[1] - source, 0)
            if copy_before >= copy or source_before >= source or cut >= length:
                continue
            gains = chains[other][0] + GAIN * (total[copy + length] - total[copy + cut])
            if gains <= best[0]:
                continue
            skipped = (
                _uncovered(total, ends[0], copy + cut, (source, source + length), (source_before, ends[1])),
                _uncovered(total, ends[1], source + cut, (copy, copy + length), (copy_before, ends[0])),
            )
            if max(skipped) <= GAP_SIZE:
                price = GAP_PRICE * min(skipped) + SHIFT_PRICE * (max(skipped) - min(skipped))
                if gains - min(price, DEAREST) > best[0]:
                    best = [gains - min(price, DEAREST), other, cut]
        chains.append(best)
    return np.array(chains, np.int64).reshape(-1, 3)


def _uncovered(total: list[int], start: int, stop: int, first: tuple[int, int], second: tuple[int, int]) -> int:
    """Return the size of the words ``start:stop`` that are in neither of two spans."""
    size = total[max(start, stop)] - total[start]
    for low, high in (first, second):
        if max(low, start) < min(high, stop):
            size -= total[min(high, stop)] - total[max(low, start)]
    return max(size, 0)


def align_gaps(numbers: I64, gaps: I64) -> I64:
    """Return the words of gaps that correspond, in order: int64 [pairs, 2], as copy and source.

    They are a longest common subsequence of both sides of each gap, if it has one in `COMMON_SHARE` words of the
    shorter side. Gaps of more than `FINE_WORDS` words, and those whose sides overlap, have none. `numbers` are the
    words of the text: int64 [words]. `gaps` are where copy and source start and stop in each: int64 [gaps, 4].

    >>> align_gaps(np.array([1, 2, 3, 9, 1, 4, 3]), np.array([[4, 7, 0, 3]])).tolist()
    [[4, 0], [6, 2]]
    """
    pairs: list[tuple[int, int]] = []
    for copy, copy_stop, source, source_stop in gaps.tolist():
        if max(copy_stop - copy, source_stop - source) > FINE_WORDS or source_stop > copy:
            continue
        own, other = numbers[copy:copy_stop].tolist(), numbers[source:source_stop].tolist()
        if not own or not other:
            continue
        table = _common_lengths(own, other)
        if COMMON_SHARE * table[0][0] < min(len(own), len(other)):
            continue
        row = column = 0
        while row < len(own) and column < len(other):
            if own[row] == other[column]:
                pairs.append((copy + row, source + column))
                row, column = row + 1, column + 1
            elif table[row + 1][column] >= table[row][column + 1]:
                row += 1
            else:
                column += 1
    return np.array(pairs, np.int64).reshape(-1, 2)


def _common_lengths(own: list[int], other: list[int]) -> list[list[int]]:
    """Return the lengths of the longest common subsequences of all ends of two sequences."""
    table = [[0] * (len(other) + 1) for _ in range(len(own) + 1)]
    for row in range(len(own) - 1, -1, -1):
        for column in range(len(other) - 1, -1, -1):
            if own[row] == other[column]:
                table[row][column] = table[row + 1][column + 1] + 1
            else:
                table[row][column] = max(table[row + 1][column], table[row][column + 1])
    return table
