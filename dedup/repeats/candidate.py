"""A chain aligned word by word: two versions of one text, perhaps, and what speaks for that."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from dedup.repeats.article import PROSE, is_varied
from dedup.repeats.chains import Run, settle_borders, trim_stray_links
from dedup.repeats.units import Units
from dedup.repeats.versions import Version, align

PIECE = 40  # words from which a new piece of a line begins, so that a differing name costs no whole article in one line
ALIKE, ALIKE_SHARE = 8, 0.5  # pieces before a piece that it is compared with, and the share of words in common from
# which edited pieces are items of a list and count once
LONG_WORDS, LONG_LINES = 100, 4  # words and lines that agree in versions within which names and numbers may differ;
# letters, menus and recipes of the negative cases have up to 80 words


class Piece(NamedTuple):
    """Units of one paragraph that belong to a version and follow each other on a line."""

    units: tuple[int, ...]
    size: float
    is_equal: bool
    is_prose: bool
    asks: bool


class Candidate:
    """A chain, aligned word by word."""

    def __init__(self, units: Units, links: Sequence[Run]) -> None:
        self.units = units
        self.links = settle_borders(trim_stray_links(links, units.sizes), units.starts)
        self.copy, self.source, self.cut = align(units, self.links)
        self._verdicts: dict[Piece, bool] = {}

    @property
    def cost(self) -> int:
        """The number of words that judging this candidate looks at."""
        return self.copy.stop - self.copy.start + self.source.stop - self.source.start

    def holds(self, links: Sequence[Run]) -> bool:
        """Return True if a chain lies within both versions."""
        first, last = links[0], links[-1]
        return (
            self.copy.start <= first.copy
            and last.copy + last.length <= self.copy.stop
            and self.source.start <= first.source
            and last.source + last.length <= self.source.stop
        )

    def leave_out_first_copies(self) -> None:
        """Leave out units of the copy, where versions run into each other, that are repeated more than they repeat."""
        if self.overlaps:
            self.copy.members = [unit for unit in self.copy.members if self.copy.share(unit) >= self.source.share(unit)]

    def leave_out_edited_questions(self) -> None:
        """Leave out questions that differ, unless there is much prose: interviewers ask alike of different things."""
        left = [
            [unit for unit in side.members if side.is_equal(unit) or not self.units.asks(unit)]
            for side in (self.copy, self.source)
        ]
        if left != [self.copy.members, self.source.members] and self.evidence_words < LONG_WORDS:
            self.copy.members, self.source.members = left
            del self.evidence  # that of the members left

    def keep_equal_units(self) -> None:
        """Leave out the units that differ in any word."""
        for side in (self.copy, self.source):
            side.members = [unit for unit in side.members if side.is_equal(unit)]

    @cached_property
    def overlaps(self) -> bool:
        """True if the versions run into each other, as in A A B B."""
        return self.source.stop > self.copy.start

    @cached_property
    def is_equal(self) -> bool:
        """True if both versions have the same words."""
        units = self.units
        if self.cut >= 0 or not self.copy.members or not self.source.members:
            return False
        if any(
            all(units.line_goes_on(side.members[end], step) for side in (self.copy, self.source))
            for end, step in ((0, -1), (-1, 1))
        ):
            return False
        spans = (
            (min(side.start, units.borders[side.members[0]]), max(side.stop, units.borders[side.members[-1] + 1]), side)
            for side in (self.copy, self.source)
        )
        return all(units.size(start, stop) == side.matched(start, stop) for start, stop, side in spans)

    def unmatched(self, side: Version) -> float:
        """Return the weight of the words of the members of a version that have no partner."""
        return self.size_of(side) - sum(map(side.unit_matched, side.members))

    @cached_property
    def between(self) -> float:
        """The weight of the words between the versions."""
        return self.units.size(self.source.stop, self.copy.start) if not self.overlaps else 0.0

    @cached_property
    def whole(self) -> float:
        """The share of the article that the two versions are."""
        return self.matched / self.units.size(0, len(self.units.words))

    @property
    def matched(self) -> float:
        """The weight of the words that either version matches, those in both once."""
        start, stop = self.source.start, max(self.source.stop, self.copy.stop)
        is_matched = np.zeros(stop - start, bool)
        is_matched[self.source.words - start] = is_matched[self.copy.words - start] = True
        return float(np.diff(self.units.sizes[start : stop + 1])[is_matched].sum())

    @cached_property
    def evidence(self) -> list[Piece]:
        """The pieces of prose of the source that are no copies themselves, equal ones once, without questions."""
        seen: list[frozenset[str]] = []
        evidence = []
        for piece in pieces_of(self.units, self.source):
            start, stop = self.units.borders[piece.units[0]], self.units.borders[piece.units[-1] + 1]
            copied = self.copy.matched(start, stop) if self.overlaps else 0.0
            if piece.is_prose and not piece.asks and 2 * copied < piece.size:
                bag = frozenset(self.units.words[start:stop])
                alike = 1.0 if self.is_equal else ALIKE_SHARE
                if not any(len(bag & other) >= alike * max(len(bag), len(other)) for other in seen[-ALIKE:]):
                    seen.append(bag)
                    evidence.append(piece)
        return evidence

    @property
    def evidence_words(self) -> float:
        """The weight of all evidence."""
        return sum(piece.size for piece in self.evidence)

    @cached_property
    def agreeing(self) -> list[Piece]:
        """The evidence without pieces that differ in names or numbers."""
        return [piece for piece in self.evidence if self._agrees(piece)]

    @cached_property
    def agreeing_words(self) -> float:
        """The weight of the evidence without pieces that differ in names or numbers."""
        return sum(piece.size for piece in self.agreeing)

    def has_agreeing_words(self, least: float) -> bool:
        """Return True if the weight of the evidence that agrees is at least so much; read no more than needed."""
        agreeing, left = 0.0, self.evidence_words
        for piece in self.evidence:
            if agreeing >= least or left < least:
                break
            if self._agrees(piece):
                agreeing += piece.size
            else:
                left -= piece.size
        return left >= least

    def _agrees(self, piece: Piece) -> bool:
        """Return True if a piece has the same names and numbers as the passage of the copy that repeats it."""
        if piece not in self._verdicts:
            self._verdicts[piece] = self._compare(piece)
        return self._verdicts[piece]

    def _compare(self, piece: Piece) -> bool:
        units = self.units
        start, stop = units.borders[piece.units[0]], units.borders[piece.units[-1] + 1]
        first, last = np.searchsorted(self.source.words, (start, stop)).tolist()
        if first == last:
            return False
        ends = [units.unit_at(int(self.source.partners[place])) for place in (first, last - 1)]
        if piece.is_equal and units.borders[ends[1] + 1] - units.borders[ends[0]] != stop - start:
            return True  # a passage of more words begins or ends with those of the piece
        return units.article.agree(units.text(piece.units[0], piece.units[-1]), units.text(*ends))

    def size_of(self, side: Version) -> float:
        """Return the weight of the words of the members of a version."""
        return sum(map(self.units.unit_size, side.members))

    @property
    def is_long(self) -> bool:
        """True if versions share so much that a name which differs is an edit, not another form."""
        return self.agreeing_words >= LONG_WORDS and self.count_lines(self.agreeing) >= LONG_LINES

    @property
    def stands_at_edge(self) -> bool:
        """True if the source opens the article, or the copy ends it."""
        return self.opens_article or self.units.size(self.copy.stop, len(self.units.words)) < PROSE

    @property
    def opens_article(self) -> bool:
        """True if no prose is before the source."""
        return self.units.size(0, self.source.start) < PROSE

    def count_lines(self, pieces: Sequence[Piece]) -> int:
        """Return on how many lines pieces begin."""
        return len({self.units.lines[piece.units[0]] for piece in pieces})


def pieces_of(units: Units, side: Version) -> list[Piece]:
    """Return the members of a version as pieces: the units of a line together, up to about `PIECE` words."""
    groups: list[list[int]] = []
    for unit in side.members:
        if groups and groups[-1][-1] + 1 == unit:
            small = (
                units.size(units.borders[groups[-1][0]], units.borders[unit]) < PIECE or units.unit_size(unit) < PROSE
            )
            if (small and units.lines[unit - 1] == units.lines[unit]) or units.goes_on(unit - 1):
                groups[-1].append(unit)
                continue
        groups.append([unit])
    told = []
    for group in groups:
        start, stop = units.borders[group[0]], units.borders[group[-1] + 1]
        size = units.size(start, stop)
        asks = units.asks(group[-1]) and len(group) == 1
        is_prose = size >= PROSE and is_varied(units.words[start:stop])
        told.append(Piece(tuple(group), size, sum(map(side.unit_matched, group)) == size, is_prose, asks))
    return told
