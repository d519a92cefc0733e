"""Two versions of one text within an article: which units and words of them correspond.

A chain of equal runs is made finer: the few words between two runs, and those around the first and the last run up to
the ends of their paragraphs, are aligned word by word: see `dedup.fingerprint.versions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np

from dedup.arrays import I64, Floats
from dedup.fingerprint.self_alignment import FINE_WORDS
from dedup.fingerprint.versions import MemberRule
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

    @cached_property
    def members(self) -> list[int]:
        """The units that belong to this version, ascending."""
        rule = MemberRule(MATCHED, END_MATCHED, PROSE)
        first, last = self._first, self.units.unit_at(self.stop - 1)
        while last + 1 < len(self.units) and self.units.borders[last + 1] == self.units.borders[last + 2]:
            last += 1
        backend, layout = self.units.article.backend, self.units.layout
        units, sizes = backend.choose_members(self.words, self.partners, layout, first, last, rule)
        self._matched: list[float] = sizes.tolist()
        members: list[int] = units.tolist()
        return members

    @cached_property
    def _first(self) -> int:
        """The first unit that may belong to this version."""
        unit = self.units.unit_at(self.start)
        while unit > 0 and self.units.borders[unit - 1] == self.units.borders[unit]:
            unit -= 1
        return unit

    @cached_property
    def size(self) -> float:
        """The weight of all matched words."""
        return float(self._sums[-1])

    def matched(self, start: int, stop: int) -> float:
        """Return the weight of the matched words in `start:stop`."""
        first, last = self.words.searchsorted((start, stop)).tolist()
        return float(self._sums[last] - self._sums[first])

    def unit_matched(self, unit: int) -> float:
        """Return the weight of the matched words of a member."""
        return self._matched[unit - self._first]

    def share(self, unit: int) -> float:
        """Return the share of a unit's words that is matched."""
        start, stop = self.units.borders[unit : unit + 2]
        size = self.units.size(start, stop)
        return self.matched(start, stop) / size if size else 0.0

    def is_equal(self, unit: int) -> bool:
        """Return True if all words of a member are matched."""
        return self.unit_matched(unit) == self.units.unit_size(unit)

    @cached_property
    def _sums(self) -> Floats:
        sizes = self.units.sizes
        return np.concatenate([[0.0], np.cumsum(sizes[self.words + 1] - sizes[self.words])])


def align(units: Units, links: Sequence[Run]) -> tuple[Version, Version, int]:
    """Return the copy and the source of a chain, aligned word by word, and which of them ends in a word cut short.

    That is 0 for the copy, 1 for the source, and -1 for neither.
    """
    head, tail, cut = _outer_gaps(units, links)
    lines = [
        line
        for before, link in pairwise(links)
        if link.source > before.copy + before.length
        for line in _pair_equal_lines(units, before.copy + before.length, link.source)
    ]
    last = links[-1]
    ends = [Run(last.copy + last.length, last.source + last.length, 1)] if cut >= 0 else []
    runs = np.array([*links, *lines, *ends], np.int64)[:, :3]
    starts, stops = runs[: len(links), :2], runs[: len(links), :2] + runs[: len(links), 2:]
    gaps = np.empty((len(links) + 1, 4), np.int64)
    gaps[0, 0::2], gaps[1:, 0::2] = head, stops
    gaps[:-1, 1::2], gaps[-1, 1::2] = starts, tail
    by_copy = units.article.backend.pair_words(units.numbers, gaps, runs)
    by_source = by_copy[np.argsort(by_copy[:, 1], kind="stable")]
    return Version(units, *by_copy.T.copy()), Version(units, *by_source.T[::-1].copy()), cut


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
    while unit < len(units) and units.borders[unit + 1] <= stop:
        length = units.borders[unit + 1] - units.borders[unit]
        if not units.is_line(unit) or not length:
            unit += 1
            continue
        place = first.setdefault(tuple(units.words_of(unit)), units.borders[unit])
        if place < units.borders[unit]:
            found.append(Run(units.borders[unit], place, length))
        unit += 1
    return found
