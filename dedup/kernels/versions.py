"""Pair the words of two versions, and choose their units: the compiled version of `dedup.fingerprint.versions`."""

from __future__ import annotations

import numpy as np

from dedup.arrays import I16, I64, Bytes, Floats
from dedup.fingerprint.self_alignment import FINE_WORDS
from dedup.fingerprint.self_matches import RUN_WORDS
from dedup.fingerprint.versions import MemberRule, UnitLayout
from dedup.kernels.declare import kernel, part
from dedup.kernels.self_alignment import write_gap_pairs


@kernel("int64[:], int64[:,:], int64[:,:], +int16[:,:], +int64[:,:]", returns="int64")
def _write_word_pairs(numbers: I64, gaps: I64, runs: I64, table: I16, pairs: I64) -> int:
    """Write the pairs of words to `pairs`, int64 [room, 2], and return how many there are; see `pair_words`."""
    found = write_gap_pairs(numbers, gaps, table, pairs)
    for run in range(len(runs)):
        for inside in range(runs[run, 2]):
            pairs[found, 0], pairs[found, 1] = runs[run, 0] + inside, runs[run, 1] + inside
            found += 1
    return found


def pair_words(numbers: I64, gaps: I64, runs: I64) -> I64:
    """Return the words of gaps and runs that correspond: int64 [pairs, 2], as copy and source, ascending by copy.

    `numbers` is int64 [words], `gaps` int64 [gaps, 4] and `runs` int64 [runs, 3]. The compiled version of
    `dedup.fingerprint.versions.pair_words`.
    """
    pairs = np.empty((FINE_WORDS * len(gaps) + int(runs[:, 2].sum()), 2), np.int64)
    table = np.empty((FINE_WORDS + 1, FINE_WORDS + 1), np.int16)
    pairs = pairs[: _write_word_pairs(numbers, gaps, runs, table, pairs)]
    return pairs[np.argsort(pairs[:, 0], kind="stable")]


@part
def _mark_own_prose(
    words: I64, partners: I64, sizes: Floats, borders: I64, first: int, last: int, prose: float, marks: Bytes
) -> None:
    """Set `marks`, uint8 [units], to 1 for units with a passage of prose where the other version has little."""
    unit = first
    for gap in range(len(words) - 1):
        own, others = words[gap + 1] - words[gap] - 1, abs(partners[gap + 1] - partners[gap]) - 1
        if own < prose or 2 * others >= own:
            continue
        while unit > first and borders[unit] > words[gap]:
            unit -= 1
        while unit <= last and borders[unit] < words[gap + 1]:
            low, high = max(borders[unit], words[gap] + 1), min(borders[unit + 1], words[gap + 1])
            if low < high and sizes[high] - sizes[low] >= prose:
                marks[unit - first] = 1
            unit += 1
        unit = min(unit, last)


@kernel(
    "int64[:], int64[:], (float64[:], int64[:], int64[:]), int64, int64, (float64, float64, float64), "
    "+float64[:], +uint8[:]"
)
def _mark_members(
    words: I64,
    partners: I64,
    layout: UnitLayout,
    first: int,
    last: int,
    rule: MemberRule,
    matched: Floats,
    marks: Bytes,
) -> None:
    """Set `marks`, uint8 [units], to 2 for members, and `matched`, float64 [units], to their matched sizes.

    Both are all 0; see `choose_members`.
    """
    sizes, borders, paragraphs = layout.sizes, layout.borders, layout.paragraphs
    _mark_own_prose(words, partners, sizes, borders, first, last, rule.prose, marks)
    unit = first
    for word in words:
        while borders[unit + 1] <= word:
            unit += 1
        matched[unit - first] += sizes[word + 1] - sizes[word]
    head, tail = first, last  # the first and the last unit with words
    while sizes[borders[head + 1]] == sizes[borders[head]]:
        head += 1
    while sizes[borders[tail + 1]] == sizes[borders[tail]]:
        tail -= 1
    place = 0  # the first matched word of a unit or behind it
    start = first
    while start <= last:
        stop = start
        paragraph_matched = 0.0
        while stop <= last and paragraphs[stop] == paragraphs[start]:
            paragraph_matched += matched[stop - first]
            stop += 1
        is_matched = paragraph_matched >= rule.matched * (sizes[borders[stop]] - sizes[borders[start]])
        is_whole, some = True, False
        for at in range(start, stop):
            while place < len(words) and words[place] < borders[at]:
                place += 1
            size = sizes[borders[at + 1]] - sizes[borders[at]]
            is_end = at in (head, tail)
            has_own_prose = marks[at - first] == 1
            marks[at - first] = 0
            if size == 0:
                continue
            least = rule.end_matched if is_end and size >= rule.prose else rule.matched
            belongs = matched[at - first] >= least * size
            if not belongs and size < rule.prose and not is_end and is_matched:
                has_counterpart = 0 < place < len(words) and partners[place] - partners[place - 1] > 1
                belongs = matched[at - first] > 0 or has_counterpart
            if belongs and not has_own_prose:
                marks[at - first] = 2
                some = True
            else:
                is_whole = False
        at = start
        while at < stop:
            end = at
            while end < stop and marks[end - first] == 2:
                end += 1
            if is_whole:
                marks[at - first] = 2 if some else 0
            elif end > at and borders[end] - borders[at] < RUN_WORDS:
                marks[at - first : end - first] = 0
            at = at + 1 if is_whole else end + 1
        start = stop
    before = -1  # the last member
    for at in range(last - first + 1):
        if marks[at] == 2:
            if before >= 0 and sizes[borders[first + before + 1]] == sizes[borders[first + at]]:
                marks[before + 1 : at] = 2
            before = at


def choose_members(
    words: I64, partners: I64, layout: UnitLayout, first: int, last: int, rule: MemberRule
) -> tuple[I64, Floats]:
    """Return the units of `first..last` that belong to a version, and the matched size of each of `first..last`.

    The answer is int64 [members], ascending, and float64 [last - first + 1]. `words` and `partners` are int64 [matched
    words]. The compiled version of `dedup.fingerprint.versions.choose_members`.
    """
    count = last - first + 1
    matched, marks = np.zeros(count), np.zeros(count, np.uint8)
    _mark_members(words, partners, layout, first, last, rule, matched, marks)
    return np.flatnonzero(marks) + first, matched
