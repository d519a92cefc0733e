"""Two versions of one text within an article: which units and words of them correspond.

A chain of equal runs is made finer: the few words between two runs, and those around the first and the last run up to
the ends of their paragraphs, are aligned by their longest common subsequence. Then each unit of a version belongs to it
as a whole or not at all: it does if at least half of its words are matched.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np

from dedup.arrays import I64, Floats
from dedup.fingerprint.self_alignment import FINE_WORDS
from dedup.fingerprint.self_matches import RUN_WORDS
from dedup.repeats.article import PROSE
from dedup.repeats.chains import Run
from dedup.repeats.units import Units

END_MATCHED = 0.7  # the same for the first and the last unit of a version
MATCHED = 0.5  # share of the words of a unit, or of a paragraph, that makes it a part of a version


class Version:
    """One side of an alignment: the units that belong to it, and the matched words."""

    def __init__(self, units: Units, words: I64, partners: I64) -> None:
        self.units = units
        self.words = words  # that are matched, ascending: int64 [matched words]
        self.partners = partners  # the word that each of them equals: int64 [matched words]
        self.start, self.stop = int(words[0]), int(words[-1]) + 1
        self.members = self._members()

    def matched(self, start: int, stop: int) -> float:
        """Return the weight of the matched words in `start:stop`."""
        first, last = np.searchsorted(self.words, (start, stop)).tolist()
        return float(self._sums[last] - self._sums[first])

    def share(self, unit: int) -> float:
        """Return the share of a unit's words that is matched."""
        start, stop = self.units.borders[unit : unit + 2]
        size = self.units.size(start, stop)
        return self.matched(start, stop) / size if size else 0.0

    def is_equal(self, unit: int) -> bool:
        """Return True if all words of a unit are matched."""
        start, stop = self.units.borders[unit : unit + 2]
        return self.matched(start, stop) == self.units.size(start, stop)

    @cached_property
    def _sums(self) -> Floats:
        sizes = self.units.sizes
        return np.concatenate([[0.0], np.cumsum(sizes[self.words + 1] - sizes[self.words])])

    def _members(self) -> list[int]:
        """Return the units that belong to this version, ascending."""
        units = self.units
        first, last = units.unit_at(self.start), units.unit_at(self.stop - 1)
        while first > 0 and units.borders[first - 1] == units.borders[first]:
            first -= 1
        while last + 1 < len(units.units) and units.borders[last + 1] == units.borders[last + 2]:
            last += 1
        borders = units.border_array[first : last + 2]
        places = np.searchsorted(self.words, borders)
        matched: list[float] = np.diff(self._sums[places]).tolist()
        sizes: list[float] = np.diff(units.sizes[borders]).tolist()
        own = self._units_with_own_prose(borders)
        with_words = [at for at, size in enumerate(sizes) if size]
        ends = {with_words[0], with_words[-1]}
        members: list[int] = []
        for start, stop in units.paragraph_ranges(first, last + 1):
            paragraph = range(start - first, stop - first)
            is_matched = sum(matched[at] for at in paragraph) >= MATCHED * sum(sizes[at] for at in paragraph)
            belong = []
            for at in paragraph:
                size = sizes[at]
                least = END_MATCHED if at in ends and size >= PROSE else MATCHED
                is_small = size < PROSE and at not in ends and is_matched
                if not size or at in own:
                    continue
                if matched[at] >= least * size or (is_small and (matched[at] or self._has_counterpart(places[at]))):
                    belong.append(at)
            if belong:
                members += self._whole_members(first, paragraph, belong, sizes)
        return self._with_units_between(members, sizes, first)

    def _whole_members(self, first: int, paragraph: range, belong: Sequence[int], sizes: Sequence[float]) -> list[int]:
        """Return the members of a paragraph: those that belong, units without words, no scraps such as “Sen.”."""
        borders = self.units.borders
        known = set(belong)
        if all(at in known or not sizes[at] for at in paragraph):
            return [first + at for at in paragraph]
        kept = []
        for run in runs_of_numbers(belong):
            if borders[first + run[-1] + 1] - borders[first + run[0]] >= RUN_WORDS:
                kept += [first + at for at in run]
        return kept

    @staticmethod
    def _with_units_between(members: list[int], sizes: Sequence[float], first: int) -> list[int]:
        """Return members with the units without words between two of them, such as separators."""
        result = members[:1]
        for before, member in pairwise(members):
            between = range(before + 1, member)
            if all(not sizes[unit - first] for unit in between):
                result += between
            result.append(member)
        return result

    def _has_counterpart(self, place: int) -> bool:
        """Return True if the other version has words of its own before the matched word number `place`."""
        return 0 < place < len(self.words) and int(self.partners[place] - self.partners[place - 1]) > 1

    def _units_with_own_prose(self, borders: I64) -> set[int]:
        """Return which units hold a passage of prose where the other version has little.

        `borders` are those of the units, in words: int64 [units + 1].
        """
        own, others = np.diff(self.words) - 1, np.abs(np.diff(self.partners)) - 1
        holders: set[int] = set()
        for gap in np.flatnonzero((own >= PROSE) & (2 * others < own)).tolist():
            cuts = np.clip(borders, int(self.words[gap]) + 1, int(self.words[gap + 1]))
            holders.update(np.flatnonzero(np.diff(self.units.sizes[cuts]) >= PROSE).tolist())
        return holders


def runs_of_numbers(numbers: Sequence[int]) -> list[list[int]]:
    """Return ascending numbers as runs without a gap.

    >>> runs_of_numbers([1, 2, 4])
    [[1, 2], [4]]
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] + 1 == number:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def align(units: Units, links: Sequence[Run]) -> tuple[Version, Version, int]:
    """Return the copy and the source of a chain, aligned word by word, and which of them ends in a word cut short.

    That is 0 for the copy, 1 for the source, and -1 for neither.
    """
    rows = np.array(links, np.int64)[:, :3]
    starts, stops = rows[:, :2], rows[:, :2] + rows[:, 2:]
    head, tail, cut = _outer_gaps(units, links)
    gaps = np.empty((len(links) + 1, 4), np.int64)
    gaps[:, 0::2] = np.vstack([[head], stops])
    gaps[:, 1::2] = np.vstack([starts, [tail]])
    pairs = [units.article.backend.align_gaps(units.numbers, gaps)]
    lines = [
        pair
        for before, link in pairwise(links)
        if link.source > before.copy + before.length
        for pair in _pair_equal_lines(units, before.copy + before.length, link.source)
    ]
    ends = [(int(stops[-1, 0]), int(stops[-1, 1]))] if cut >= 0 else []
    pairs.append(_expand(np.concatenate([rows, np.array(lines, np.int64).reshape(-1, 4)[:, :3]])))
    pairs += [np.array(ends, np.int64).reshape(-1, 2)]
    words = np.concatenate(pairs)
    by_copy, by_source = (words[np.argsort(words[:, side], kind="stable")] for side in (0, 1))
    return Version(units, *by_copy.T), Version(units, *by_source.T[::-1]), cut


def _expand(rows: I64) -> I64:
    """Return the pairs of words in runs, int64 [runs, 3]: int64 [words, 2]."""
    lengths = rows[:, 2]
    inside = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    pairs: I64 = np.repeat(rows[:, :2], lengths, axis=0) + inside[:, None]
    return pairs


def _outer_gaps(units: Units, links: Sequence[Run]) -> tuple[tuple[int, int], tuple[int, int], int]:
    """Return where the gap before a chain starts and the one behind it stops, and which version ends in a cut word.

    These gaps reach to the ends of the paragraphs, at most `FINE_WORDS` words, and not into the other version.
    """
    first, last = links[0], links[-1]
    stop = last.copy + last.length, last.source + last.length
    head = units.paragraph_start(first.copy), units.paragraph_start(first.source)
    if head[0] < stop[1] <= first.copy:
        head = stop[1], head[1]
    head = max(head[0], first.copy - FINE_WORDS), max(head[1], first.source - FINE_WORDS)
    if max(stop) < len(units.words) and stop[1] != first.copy:
        one, two = (units.words[place] for place in stop)
        if one != two and (one.startswith(two) or two.startswith(one)):
            return head, stop, int(len(two) < len(one))
    tail = units.paragraph_stop(stop[0] - 1), units.paragraph_stop(stop[1] - 1)
    if stop[1] <= first.copy < tail[1]:
        tail = tail[0], first.copy
    return head, (min(tail[0], stop[0] + FINE_WORDS), min(tail[1], stop[1] + FINE_WORDS)), -1


def _pair_equal_lines(units: Units, start: int, stop: int) -> list[Run]:
    """Return the lines within `start:stop` that equal an earlier one there: short lines between pairs of copies."""
    first: dict[tuple[str, ...], int] = {}
    found = []
    unit = units.unit_at(start) + (start not in units.starts)
    while unit < len(units.units) and units.borders[unit + 1] <= stop:
        length = units.borders[unit + 1] - units.borders[unit]
        if not units.is_line(unit) or not length:
            unit += 1
            continue
        place = first.setdefault(tuple(units.words_of(unit)), units.borders[unit])
        if place < units.borders[unit]:
            found.append(Run(units.borders[unit], place, length))
        unit += 1
    return found
