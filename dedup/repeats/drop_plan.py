"""Record which units of an article are dropped, and what each of them repeats; justify each drop.

No twin is dropped, so each drop names text that stays. A run of dropped units is a repeat only if its words are similar
enough to those of its twin: if the exact Jaccard similarity reaches the threshold or, in an edited version, the
similarity in order. Where each paragraph of a long version has one other word, three of its shingles are others, and
the Jaccard similarity of short paragraphs is below the threshold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from dedup.arrays import I64, Bools
from dedup.repeats.article import set_jaccard, shingle_set
from dedup.repeats.candidate import Candidate
from dedup.repeats.chains import Run
from dedup.repeats.split_paragraphs import ReflowedRepeat
from dedup.repeats.units import Units
from dedup.repeats.versions import Version

# Share of the article that an edited version and its twin are. Below, clauses of two licences in one file would go (38
# more drops in 5,283 of them); from 0.6 on, none does.
EDITED_SHARE = 0.6
EDITED_WORDS = 100  # words of an edited version; a shorter part of it with other names or numbers may be another report
LOST = 0.05  # share of a version that may stay because it is not similar enough


class JustifiedRun(NamedTuple):
    """Dropped units that follow each other, the words that they repeat, and their Jaccard similarity.

    The run `is_edited` if only the similarity in order reaches the threshold.
    """

    units: Sequence[int]
    twin_start: int
    twin_stop: int
    similarity: float
    is_edited: bool


class DropPlan:
    """The units of an article that are dropped, and the word that stays for each of their words.

    Units are numbers in `whole`, which are all units of the article.
    """

    def __init__(self, whole: Units, threshold: float) -> None:
        self.article = whole.article
        self.whole = whole
        self.threshold = threshold
        self.twin = np.full(whole.borders[-1], -1, np.int64)
        self.gone = np.zeros(len(whole), bool)
        self.kept = np.zeros(len(whole), bool)  # units that dropped ones repeat
        self.may_be_edited = np.zeros(len(whole), bool)  # units of versions that are most of the article

    def units_that_stay(self) -> Units:
        """Return the units that stay."""
        return self.whole.keep(~self.gone)

    def touches(self, units: Units, links: Sequence[Run]) -> bool:
        """Return True if a chain has words of units that have been dropped since `units` was made."""
        return any(
            self.gone[units.ids[unit]]
            for link in links
            for place in (link.copy, link.source)
            for unit in range(units.unit_at(place), units.unit_at(place + link.length - 1) + 1)
        )

    def drop(self, candidate: Candidate, side: Version) -> bool:
        """Drop a version if its twin stays and its similarity justifies it; return True if it is dropped."""
        units = candidate.units
        other = candidate.source if side is candidate.copy else candidate.copy
        if self._is_needed(units, side) and not candidate.overlaps:
            if self._is_needed(units, other):
                return False
            side = other
        members = [units.ids[unit] for unit in side.members if not self.kept[units.ids[unit]]]
        is_long = side.size >= EDITED_WORDS
        self.may_be_edited[members] = is_long and candidate.whole >= EDITED_SHARE
        return self.add(members, units.places[side.words], units.places[side.partners])

    def _is_needed(self, units: Units, side: Version) -> bool:
        return any(self.kept[units.ids[unit]] for unit in side.members)

    def add(self, members: Sequence[int], words: I64, twins: I64) -> bool:
        """Drop units if they are justified; word n of `words` repeats word n of `twins`. Return True if so."""
        starts = self.whole.borders
        self.gone[members] = True
        self.twin[words] = twins
        self._follow_to_what_stays(words)
        for unit in set(map(self.unit_at, (int(word) for word in words[[0, -1]]))) - set(members):
            self.twin[starts[unit] : starts[unit + 1]] = -1
        runs = list(self.runs(members))
        justified = {unit for run in runs for unit in run.units}
        lost = sum(starts[unit + 1] - starts[unit] for unit in members if unit not in justified)
        size = sum(starts[unit + 1] - starts[unit] for unit in members)
        if not justified or lost > LOST * size:
            self.gone[members] = False
            self.twin[words] = -1
            return False
        for unit in set(members) - justified:
            self.gone[unit] = False
        for run in runs:
            first, last = self.unit_at(run.twin_start), self.unit_at(run.twin_stop - 1)
            self.kept[first : last + 1] = True
        return True

    def unit_at(self, word: int) -> int:
        """Return the unit that a word is in."""
        return self.whole.unit_at(word)

    def repeats(self) -> list[ReflowedRepeat]:
        """Return the repeats as spans."""
        found = []
        for run in self.runs(list(map(int, np.flatnonzero(self.gone)))):
            span = self.whole.begins[run.units[0]], self.whole.ends[run.units[-1]]
            twin = self.whole.span_of_words(run.twin_start, run.twin_stop)
            found.append(ReflowedRepeat(*span, *twin, run.similarity, run.is_edited))
        return found

    def runs(self, numbers: Sequence[int]) -> Iterator[JustifiedRun]:
        """Yield dropped units as runs whose twins follow each other, as far as they are justified."""
        if not numbers:
            return
        twins = _Twins(self.twin, self.whole.border_array, numbers)
        run: list[int] = []
        for unit in numbers:
            if run and not self._goes_on(run, unit, twins):
                yield from self._justify(run, twins)
                run = []
            run.append(unit)
        if run:
            yield from self._justify(run, twins)

    def _follow_to_what_stays(self, words: I64) -> None:
        """Let `words` repeat words that stay, or nothing: each step follows twice as many twins as the step before."""
        while True:
            twins = self.twin[words]
            further = np.where((twins >= 0) & self._is_gone(twins), self.twin[twins], twins)
            if (further == twins).all():
                return
            self.twin[words] = further

    def _is_gone(self, words: I64) -> Bools:
        """Return whether the units of words are dropped."""
        flags: Bools = self.gone[np.searchsorted(self.whole.border_array, words, side="right") - 1]
        return flags

    def _goes_on(self, run: list[int], unit: int, twins: _Twins) -> bool:
        paragraphs, first = self.whole.paragraphs, run[0]
        if unit != run[-1] + 1:
            return False
        if paragraphs[first] != paragraphs[unit] and not self.whole.opens(first):
            return False
        place = twins.starts[unit]
        if place == twins.starts[first] or place == twins.stops[unit]:
            return True
        before, behind = twins.partners[place - 1 : place + 1].tolist()
        return behind > before and not self.gone[self.unit_at(before) : self.unit_at(behind) + 1].any()

    def _justify(self, run: Sequence[int], twins: _Twins) -> Iterator[JustifiedRun]:
        """Yield a run, or parts of it, whose similarity reaches the threshold; what does not is split at its gaps."""
        starts = self.whole.borders
        own_words, partners = twins.of(run)
        if not len(partners):
            return
        start, stop = starts[run[0]], starts[run[-1] + 1]
        self.article.purse -= stop - start
        if self.article.purse <= 0:
            return
        first, last = int(partners[0]), int(partners[-1])
        first -= min(int(own_words[0]) - start, first - starts[self.unit_at(first)])
        last += min(stop - 1 - int(own_words[-1]), starts[self.unit_at(last) + 1] - 1 - last)
        if (partners[1:] > partners[:-1]).all() and not self.gone[self.unit_at(first) : self.unit_at(last) + 1].any():
            own, other = self.article.all_words[start:stop], self.article.all_words[first : last + 1]
            similarity = 1.0 if own == other else set_jaccard(shingle_set(own), shingle_set(other))
            is_edited = (
                similarity < self.threshold
                and bool(self.may_be_edited[run].all())
                and (len(own) >= EDITED_WORDS or self._agree(start, stop, first, last + 1))
            )
            reached = self._similarity_in_order(own_words, partners, len(own) + len(other)) if is_edited else similarity
            if reached >= self.threshold:
                yield JustifiedRun(run, first, last + 1, similarity, is_edited)
                return
        if len(run) > 1:
            place = max(range(1, len(run)), key=lambda at: twins.gap(run[at - 1], run[at]))
            yield from self._justify(run[:place], twins)
            yield from self._justify(run[place:], twins)

    def _agree(self, start: int, stop: int, twin_start: int, twin_stop: int) -> bool:
        """Return True if two passages, from word to word, have the same names, numbers and facts."""
        text = self.article.text
        one, other = (slice(*self.whole.span_of_words(*span)) for span in ((start, stop), (twin_start, twin_stop)))
        return self.article.agree(text[one], text[other])

    def _similarity_in_order(self, own: I64, partners: I64, size: int) -> float:
        """Return a lower bound of `dedup.fingerprint.similarity.similarity_in_order`.

        Word n of `own` has partner n, both in the same order: int64 [pairs]. `size` counts the words of both texts.
        """
        numbers = self.article.numbers
        common = int(np.count_nonzero(numbers[own] == numbers[partners]))
        return common / (size - common)


class _Twins:
    """The words of units that have a partner, and their partners: int64 [pairs] each.

    `twin` is the partner of each word of the article, or -1, and `borders` say where units start; both are int64.
    `starts` and `stops` say where the words of each unit are in `words`.
    """

    def __init__(self, twin: I64, borders: I64, units: Sequence[int]) -> None:
        first, last = borders[min(units)], borders[max(units) + 1]
        self.words: I64 = np.flatnonzero(twin[first:last] >= 0) + first
        self.partners = twin[self.words]
        numbers = np.array(units, np.int64)
        self.starts: dict[int, int] = self._places(units, borders[numbers])
        self.stops: dict[int, int] = self._places(units, borders[numbers + 1])

    def _places(self, units: Sequence[int], borders: I64) -> dict[int, int]:
        return dict(zip(units, np.searchsorted(self.words, borders).tolist(), strict=True))

    def of(self, run: Sequence[int]) -> tuple[I64, I64]:
        """Return the words of units that follow each other, and their partners."""
        span = slice(self.starts[run[0]], self.stops[run[-1]])
        return self.words[span], self.partners[span]

    def gap(self, unit: int, following: int) -> int:
        """Return how many words more one version has than the other between a unit and the next."""
        place = self.starts[following]
        if place == self.starts[unit] or place == self.stops[following]:
            return 0
        own, twins = (int(places[place] - places[place - 1]) for places in (self.words, self.partners))
        return abs(own - twins)
