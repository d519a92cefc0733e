"""Find the word runs that repeat within one text: compiled functions of `dedup.fingerprint.self_matches`.

Runs of words are looked up by a hash and then compared word by word, so that hash collisions have no effect.
"""

from __future__ import annotations

import numpy as np

from dedup.arrays import I64
from dedup.kernels.buckets import capacity
from dedup.kernels.constants import SHINGLE_BASE
from dedup.kernels.declare import kernel, part

_RUN_SLOT_SHIFT = np.uint64(20)  # from a hash to its slot: the upper bits depend on all words of a run


@part
def _write_first_runs(numbers: I64, run: int, first: I64, table: I64) -> None:
    """Write for each run of `run` words the place of the first equal run to `first`, int64 [runs].

    `numbers` are the words of the text, int64 [words]. Places are in words. `table`, int64 [`capacity` of the runs], is
    room.
    """
    mask = len(table) - 1
    table[:] = -1
    for at in range(len(first)):
        value = np.uint64(0)
        for ahead in range(run):
            value = (value + np.uint64(numbers[at + ahead]) + np.uint64(1)) * SHINGLE_BASE
        slot = np.int64(value >> _RUN_SLOT_SHIFT) & mask
        while table[slot] >= 0 and not _are_equal_runs(numbers, table[slot], at, run):
            slot = (slot + 1) & mask
        if table[slot] < 0:
            table[slot] = at
        first[at] = table[slot]


@part
def _are_equal_runs(numbers: I64, place: int, other: int, run: int) -> bool:
    """Return True if the runs of `run` words at two places of `numbers`, int64 [words], are equal."""
    same = 0
    while same < run and numbers[place + same] == numbers[other + same]:
        same += 1
    return same == run


def find_self_matches(numbers: I64, run: int, most: int) -> tuple[I64, int]:
    """Return the word runs of a text that repeat earlier ones, and how many runs of `run` words equal an earlier one.

    The matches are int64 [matches, 3]: copy, source and length, in words. `numbers` are the words of the text: int64
    [words]. The compiled version of `dedup.fingerprint.self_matches.find_self_matches`.
    """
    count = max(len(numbers) - run + 1, 0)
    first, table = np.empty(count, np.int64), np.empty(capacity(count), np.int64)
    counts, known = np.zeros(count, np.int64), np.zeros(count, np.int64)
    earlier, matches = np.empty((count, most), np.int64), np.empty((count, 3), np.int64)
    totals = np.empty(2, np.int64)
    _write_self_matches(numbers, run, most, first, table, counts, known, earlier, matches, totals)
    return matches[: totals[0]], int(totals[1])


@kernel("int64[:], int64, int64, +int64[:], +int64[:], +int64[:], +int64[:], +int64[:,:], +int64[:,:], +int64[:]")
def _write_self_matches(
    numbers: I64,
    run: int,
    most: int,
    first: I64,
    table: I64,
    counts: I64,
    known: I64,
    earlier: I64,
    matches: I64,
    totals: I64,
) -> None:
    """Write the matches to `matches`, and their number and that of repeated runs to `totals`; see `find_self_matches`.

    `first` is room for `_write_first_runs`, as is `table`. `counts` and `known`, int64 [runs], are all 0; `earlier`,
    int64 [runs, `most`], is room.
    """
    count = len(first)
    _write_first_runs(numbers, run, first, table)
    repeated = 0
    for at in range(count):
        counts[first[at]] += 1
        repeated += first[at] < at
    rows = place = 0
    while place < count:
        key = first[place]
        length = source = 0
        for number in range(known[key]):
            other = earlier[key, number]
            same = run
            while place + same < len(numbers) and numbers[other + same] == numbers[place + same]:
                same += 1
            if same > length:
                length, source = same, other
        if length > 0:
            matches[rows, 0], matches[rows, 1], matches[rows, 2] = place, source, length
            rows += 1
        for inside in range(place, min(place + max(length, 1), count)):
            key_inside = first[inside]
            if counts[key_inside] > 1 and known[key_inside] < most:
                earlier[key_inside, known[key_inside]] = inside
                known[key_inside] += 1
        place += max(length, 1)
    totals[0], totals[1] = rows, repeated


def find_similar_paragraphs(numbers: I64, offsets: I64, same: I64, run: int, postings: int, candidates: int) -> I64:
    """Return for each paragraph of a text the earlier ones that share many word runs: int64 [paragraphs, candidates].

    `numbers` are the words of the text, int64 [words]; `offsets` are where the words of each paragraph start, int64
    [paragraphs + 1]. Paragraphs of equal value in `same`, int64 [paragraphs], are never candidates for each other. For
    each run of `run` words, only its first `postings` paragraphs are remembered. The compiled version of
    `dedup.fingerprint.self_matches.find_similar_paragraphs`.
    """
    count = max(len(numbers) - run + 1, 0)
    paragraphs = len(offsets) - 1
    first, table = np.empty(count, np.int64), np.empty(capacity(count), np.int64)
    holders, last, known = np.zeros(count, np.int64), np.full(count, -1, np.int64), np.zeros(count, np.int64)
    remembered, votes = np.empty((count, postings), np.int64), np.zeros(paragraphs, np.int64)
    best = np.full((paragraphs, candidates), -1, np.int64)
    _write_similar_paragraphs(
        numbers, offsets, same, run, postings, first, table, holders, last, known, remembered, votes, best
    )
    return best


@kernel(
    "int64[:], int64[:], int64[:], int64, int64, +int64[:], +int64[:], +int64[:], +int64[:], +int64[:], "
    "+int64[:,:], +int64[:], +int64[:,:]"
)
def _write_similar_paragraphs(
    numbers: I64,
    offsets: I64,
    same: I64,
    run: int,
    postings: int,
    first: I64,
    table: I64,
    holders: I64,
    last: I64,
    known: I64,
    remembered: I64,
    votes: I64,
    best: I64,
) -> None:
    """Write the result of `find_similar_paragraphs` to `best`, int64 [paragraphs, candidates], which is all -1.

    `first` and `table` are room for `_write_first_runs`. `holders`, all 0, is the number of paragraphs with a run, by
    the first place of the run, and `last`, all -1, the last of these paragraphs. `known`, all 0, is how many of them
    are in `remembered`, int64 [runs, `postings`]; `votes`, int64 [paragraphs], is all 0. The others are int64 [runs].
    """
    paragraphs = len(offsets) - 1
    _write_first_runs(numbers, run, first, table)
    for index in range(paragraphs):
        for at in range(offsets[index], offsets[index + 1] - run + 1):
            key = first[at]
            if last[key] != index:
                last[key] = index
                holders[key] += 1
    last[:] = -1
    for index in range(paragraphs):
        for at in range(offsets[index], offsets[index + 1] - run + 1):
            key = first[at]
            if holders[key] < 2 or last[key] == index:
                continue
            last[key] = index
            for number in range(known[key]):
                votes[remembered[key, number]] += 1
            if known[key] < postings:
                remembered[key, known[key]] = index
                known[key] += 1
        for at in range(offsets[index], offsets[index + 1] - run + 1):
            key = first[at]
            for number in range(known[key]):
                other = remembered[key, number]
                if votes[other] > 0:
                    fewer = min(offsets[other + 1] - offsets[other], offsets[index + 1] - offsets[index])
                    if same[other] != same[index] and votes[other] >= fewer / 2 - run:
                        _insert_by_votes(best[index], other, votes)
                    votes[other] = -votes[other]  # counted
        for at in range(offsets[index], offsets[index + 1] - run + 1):
            for number in range(known[first[at]]):
                votes[remembered[first[at], number]] = 0


@part
def _insert_by_votes(best: I64, other: int, votes: I64) -> None:
    """Insert paragraph `other` into `best`, int64 [candidates]: by votes, those of equal votes by number.

    `votes` is int64 [paragraphs]. The votes of the paragraphs in `best` are negative, since they have been counted.
    """
    for place in range(len(best)):
        held = best[place]
        if held < 0 or votes[other] > -votes[held] or (votes[other] == -votes[held] and other < held):
            for behind in range(len(best) - 1, place, -1):
                best[behind] = best[behind - 1]
            best[place] = other
            return
