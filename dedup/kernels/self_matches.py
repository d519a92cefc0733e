"""Find repeated word runs within one text: `dedup.fingerprint.self_matches`, compiled.

Runs of words are found by a hash and then compared word by word, so no result depends on a hash collision.
"""

from __future__ import annotations

import numpy as np

from dedup.arrays import I64
from dedup.kernels.buckets import capacity
from dedup.kernels.constants import SHINGLE_BASE
from dedup.kernels.jit import njit

_20 = np.uint64(20)


@njit
def _first_runs(numbers: I64, run: int, first: I64) -> None:
    """Store in `first` the index of the first equal run for each run of `run` words."""
    mask = capacity(len(first)) - 1
    table = np.full(mask + 1, -1, np.int64)
    for at in range(len(first)):
        value = np.uint64(0)
        for ahead in range(run):
            value = (value + np.uint64(numbers[at + ahead]) + np.uint64(1)) * SHINGLE_BASE
        slot = np.int64(value >> _20) & mask
        while table[slot] >= 0 and not _equal(numbers, table[slot], at, run):
            slot = (slot + 1) & mask
        if table[slot] < 0:
            table[slot] = at
        first[at] = table[slot]


@njit
def _equal(numbers: I64, one: int, other: int, run: int) -> bool:
    """Return True if the runs of `run` words at `one` and `other` are equal."""
    same = 0
    while same < run and numbers[one + same] == numbers[other + same]:
        same += 1
    return same == run


@njit
def find_self_matches(numbers: I64, run: int, most: int) -> tuple[I64, int]:
    """Find repeated word runs: `dedup.fingerprint.self_matches.find_self_matches`, compiled."""
    count = max(len(numbers) - run + 1, 0)
    first = np.empty(count, np.int64)
    _first_runs(numbers, run, first)
    often = np.zeros(count, np.int64)
    again = 0
    for at in range(count):
        often[first[at]] += 1
        again += first[at] < at
    earlier = np.empty((count, most), np.int64)
    known = np.zeros(count, np.int64)
    found = np.empty((count, 3), np.int64)
    rows = place = 0
    while place < count:
        own = first[place]
        length = source = 0
        for number in range(known[own]):
            other = earlier[own, number]
            same = run
            while place + same < len(numbers) and numbers[other + same] == numbers[place + same]:
                same += 1
            if same > length:
                length, source = same, other
        if length > 0:
            found[rows] = place, source, length
            rows += 1
        for inside in range(place, min(place + max(length, 1), count)):
            one = first[inside]
            if often[one] > 1 and known[one] < most:
                earlier[one, known[one]] = inside
                known[one] += 1
        place += max(length, 1)
    return found[:rows], again


@njit
def find_similar_paragraphs(numbers: I64, borders: I64, same: I64, run: int, postings: int, candidates: int) -> I64:
    """Find paragraphs with common word runs: `dedup.fingerprint.self_matches.find_similar_paragraphs`, compiled."""
    count = max(len(numbers) - run + 1, 0)
    paragraphs = len(borders) - 1
    first = np.empty(count, np.int64)
    _first_runs(numbers, run, first)
    holders = np.zeros(count, np.int64)  # paragraphs with a run, by its first place
    last = np.full(count, -1, np.int64)  # the last of them
    for index in range(paragraphs):
        for at in range(borders[index], borders[index + 1] - run + 1):
            one = first[at]
            if last[one] != index:
                last[one] = index
                holders[one] += 1
    last[:] = -1
    remembered = np.empty((count, postings), np.int64)
    known = np.zeros(count, np.int64)
    votes = np.zeros(paragraphs, np.int64)
    found = np.full((paragraphs, candidates), -1, np.int64)
    for index in range(paragraphs):
        for at in range(borders[index], borders[index + 1] - run + 1):
            one = first[at]
            if holders[one] < 2 or last[one] == index:
                continue
            last[one] = index
            for number in range(known[one]):
                votes[remembered[one, number]] += 1
            if known[one] < postings:
                remembered[one, known[one]] = index
                known[one] += 1
        for at in range(borders[index], borders[index + 1] - run + 1):
            one = first[at]
            for number in range(known[one]):
                other = remembered[one, number]
                if votes[other] > 0:
                    fewer = min(borders[other + 1] - borders[other], borders[index + 1] - borders[index])
                    if same[other] != same[index] and votes[other] >= fewer / 2 - run:
                        _enter(found[index], other, votes)
                    votes[other] = -votes[other]  # seen
        for at in range(borders[index], borders[index + 1] - run + 1):
            for number in range(known[first[at]]):
                votes[remembered[first[at], number]] = 0
    return found


@njit
def _enter(best: I64, other: int, votes: I64) -> None:
    """Insert `other` into `best`, ordered by votes (negative once they have been counted), then by number."""
    for place in range(len(best)):
        held = best[place]
        if held < 0 or votes[other] > -votes[held] or (votes[other] == -votes[held] and other < held):
            for behind in range(len(best) - 1, place, -1):
                best[behind] = best[behind - 1]
            best[place] = other
            return
