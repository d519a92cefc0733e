"""Record which units of an article are dropped, and which word each of their words repeats.

The twin of a dropped word is followed to a word that stays, so a unit may be dropped although others repeat it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dedup.repeats.article import PROSE, is_varied, set_jaccard, shingle_set
from dedup.repeats.split_paragraphs import ReflowedRepeat
from dedup.repeats.units import Units
from dedup.segment.words import weighted_word_count


def is_prose(words: Sequence[str]) -> bool:
    """Return True if words are enough and varied enough to be evidence."""
    return len(words) >= PROSE and weighted_word_count(words) >= PROSE and is_varied(words)


class Drops:
    """The units to drop, and the word that each of their words repeats."""

    def __init__(self, sequence: Units, needed: set[int]) -> None:
        self.sequence = sequence
        self.twin_of = [-1] * len(sequence.words)
        self.kept = [unit.paragraph in needed for unit in sequence.units]
        self.dropped = [False] * len(sequence.units)
        self._gone: list[int] = []  # the units dropped
        self.stays: set[int] = set()  # units that a dropped one repeats
        self.prose: dict[tuple[str, ...], float] = {}  # size of the words of a unit where they are prose, else 0
        self.hindered: set[int] = set()  # paragraphs that would be dropped if they were not kept

    def drop(self, units: Sequence[int], shift: int) -> None:
        """Drop those of `units` that may be dropped; word n repeats word n + `shift`."""
        borders = self.sequence.borders
        for unit in units:
            if self.kept[unit]:
                self.hindered.add(self.sequence.units[unit].paragraph)
            if self.kept[unit] or self.dropped[unit]:
                continue
            own = range(borders[unit], borders[unit + 1])
            twins = [self.root(word + shift) for word in own]
            if any(twin in own for twin in twins):
                continue
            self.dropped[unit] = True
            self._gone.append(unit)
            for word, twin in zip(own, twins, strict=True):
                self.twin_of[word] = twin
            self.stays.update(map(self.sequence.unit_at, twins))

    def left(self, start: int, stop: int) -> float:
        """Return the weighted number of the words `start:stop` that stay."""
        if stop <= start:
            return 0.0
        sequence, borders = self.sequence, self.sequence.borders
        sequence.article.purse -= sequence.unit_at(stop - 1) - sequence.unit_at(start) + 1
        return sequence.size(start, stop) - sum(
            sequence.size(max(start, borders[unit]), min(stop, borders[unit + 1]))
            for unit in self._gone
            if borders[unit] < stop and borders[unit + 1] > start
        )

    def root(self, word: int) -> int:
        """Return the word that stays for `word`."""
        while self.twin_of[word] >= 0:
            word = self.twin_of[word]
        return word

    def repeats(self, threshold: float) -> Iterator[ReflowedRepeat]:
        """Yield the repeats as spans: runs of dropped units whose twins are one run of words."""
        sequence = self.sequence
        run: list[int] = []
        for unit in (*range(len(sequence.units)), -1):
            if run and not (unit >= 0 and self.dropped[unit] and self._goes_on(run, unit)):
                yield from self._repeat_of_run(run, threshold)
                run = []
            if unit >= 0 and self.dropped[unit]:
                run.append(unit)

    def _goes_on(self, run: list[int], unit: int) -> bool:
        borders = self.sequence.borders
        units = self.sequence.units
        if units[unit].paragraph - units[run[-1]].paragraph > 1:  # what is between them is dropped
            return False
        if units[run[0]].paragraph != units[unit].paragraph and not self.sequence.opens(run[0]):
            return False
        if borders[unit] == borders[unit + 1] or borders[unit] == borders[run[0]]:  # no words to compare
            return True
        before, behind = self.root(borders[unit] - 1), self.root(borders[unit])
        return behind == before + 1 and self._in_one(before, behind)

    def _in_one(self, first: int, last: int) -> bool:
        """Return True if nothing between two words that stay is dropped."""
        between = range(self.sequence.unit_at(first), self.sequence.unit_at(last) + 1)
        units = self.sequence.units
        return not any(
            self.dropped[unit] or units[unit].paragraph - units[max(unit - 1, between[0])].paragraph > 1
            for unit in between
        )

    def _repeat_of_run(self, run: list[int], threshold: float) -> Iterator[ReflowedRepeat]:
        sequence = self.sequence
        start, stop = sequence.borders[run[0]], sequence.borders[run[-1] + 1]
        twins = [self.root(word) for word in range(start, stop)]
        if not twins or twins[-1] - twins[0] != stop - start - 1 or not self._in_one(twins[0], twins[-1]):
            return
        own, other = sequence.words[start:stop], sequence.words[twins[0] : twins[-1] + 1]
        similarity = 1.0 if own == other else set_jaccard(shingle_set(own), shingle_set(other))
        if similarity >= threshold:
            span = sequence.units[run[0]].start, sequence.units[run[-1]].stop
            yield ReflowedRepeat(*span, *sequence.span(twins[0], twins[-1] + 1), similarity)
