"""Pair the words of two versions of a text, and choose the units that belong to a version: the definitions.

A chain of equal runs is made finer: the few words between two runs, and those around the first and the last run, are
aligned by their longest common subsequence. Then each unit, a sentence or a line, belongs to a version as a whole or
not at all: it does if at least half of its words are matched. `dedup.kernels.versions` computes the same in machine
code.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np

from dedup.arrays import I64, Floats
from dedup.fingerprint.self_alignment import align_gaps
from dedup.fingerprint.self_matches import RUN_WORDS


class MemberRule(NamedTuple):
    """Which units belong to a version.

    Attributes:
        matched: the share of the words of a unit that must be matched, and of a paragraph for its short units.
        end_matched: the same for the first and the last unit.
        prose: the size from which a unit is not short.
    """

    matched: float
    end_matched: float
    prose: float


class UnitLayout(NamedTuple):
    """Where the units of an article are.

    Attributes:
        sizes: the sizes of words, summed up, float64 [words + 1].
        borders: where units start, in words, and the last one ends, int64 [units + 1].
        paragraphs: the paragraph of each unit, ascending, int64 [units].
    """

    sizes: Floats
    borders: I64
    paragraphs: I64


def pair_words(numbers: I64, gaps: I64, runs: I64) -> I64:
    """Return the words of gaps and runs that correspond: int64 [pairs, 2], as copy and source, ascending by copy.

    `numbers` are the words of the text: int64 [words]. `gaps`, int64 [gaps, 4], are as for `align_gaps`; `runs`, int64
    [runs, 3], are equal words as copy, source and length.

    >>> pair_words(np.array([1, 2, 3, 1, 4, 3]), np.array([[4, 5, 1, 2]]), np.array([[3, 0, 1], [5, 2, 1]])).tolist()
    [[3, 0], [5, 2]]
    """
    pairs = [tuple(pair) for pair in align_gaps(numbers, gaps).tolist()]
    for copy, source, length in runs.tolist():
        pairs += zip(range(copy, copy + length), range(source, source + length), strict=True)
    return np.array(sorted(pairs, key=lambda pair: pair[0]), np.int64).reshape(-1, 2)


def choose_members(
    words: I64, partners: I64, layout: UnitLayout, first: int, last: int, rule: MemberRule
) -> tuple[I64, Floats]:
    """Return the units of `first..last` that belong to a version, and the matched size of each of `first..last`.

    The answer is int64 [members], ascending, and float64 [last - first + 1]. `words` are the matched words, ascending,
    and `partners` the words that they equal, int64 [matched words]; all of them are in those units, of which the first
    and the last that have words have a matched one.
    """
    borders = layout.borders[first : last + 2]
    places = np.searchsorted(words, borders).tolist()
    sums = np.concatenate([[0.0], np.cumsum(layout.sizes[words + 1] - layout.sizes[words])])
    matched: list[float] = np.diff(sums[places]).tolist()
    sizes: list[float] = np.diff(layout.sizes[borders]).tolist()
    own = _units_with_own_prose(words, partners, layout.sizes, borders, rule.prose)
    with_words = [at for at, size in enumerate(sizes) if size]
    ends = {with_words[0], with_words[-1]}
    members: list[int] = []
    for _, group in groupby(range(len(sizes)), key=lambda at: int(layout.paragraphs[first + at])):
        paragraph = list(group)
        is_matched = sum(matched[at] for at in paragraph) >= rule.matched * sum(sizes[at] for at in paragraph)
        belong = []
        for at in paragraph:
            size = sizes[at]
            least = rule.end_matched if at in ends and size >= rule.prose else rule.matched
            is_small = size < rule.prose and at not in ends and is_matched
            if not size or at in own:
                continue
            if matched[at] >= least * size or (is_small and (matched[at] or _has_counterpart(partners, places[at]))):
                belong.append(at)
        if belong:
            members += _without_scraps(paragraph, belong, sizes, borders)
    return np.array(_with_units_between(members, sizes), np.int64) + first, np.array(matched)


def _without_scraps(paragraph: list[int], belong: list[int], sizes: Sequence[float], borders: I64) -> list[int]:
    """Return the members of a paragraph: those that belong, units without words, no scraps such as “Sen.”."""
    known = set(belong)
    if all(at in known or not sizes[at] for at in paragraph):
        return paragraph
    members = []
    for _, group in groupby(enumerate(belong), key=lambda pair: pair[1] - pair[0]):
        run = [at for _, at in group]
        if borders[run[-1] + 1] - borders[run[0]] >= RUN_WORDS:
            members += run
    return members


def _with_units_between(members: list[int], sizes: Sequence[float]) -> list[int]:
    """Return members with the units without words between two of them, such as separators."""
    result = members[:1]
    for before, member in pairwise(members):
        between = range(before + 1, member)
        if all(not sizes[at] for at in between):
            result += between
        result.append(member)
    return result


def _has_counterpart(partners: I64, place: int) -> bool:
    """Return True if the other version has words of its own before the matched word number `place`."""
    return 0 < place < len(partners) and int(partners[place] - partners[place - 1]) > 1


def _units_with_own_prose(words: I64, partners: I64, sizes: Floats, borders: I64, prose: float) -> set[int]:
    """Return which units hold a passage of prose where the other version has little."""
    own, others = np.diff(words) - 1, np.abs(np.diff(partners)) - 1
    holders: set[int] = set()
    for gap in np.flatnonzero((own >= prose) & (2 * others < own)).tolist():
        cuts = np.clip(borders, int(words[gap]) + 1, int(words[gap + 1]))
        holders.update(np.flatnonzero(np.diff(sizes[cuts]) >= prose).tolist())
    return holders
