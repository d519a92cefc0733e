"""The units of one article: its sentences, or the parts of them that stand on one line.

A unit is the smallest part that can be dropped. The words of all units are one sequence, in which exact repeats are
found wherever lines and paragraphs end. Whether a repeat is dropped is not decided here; see `dedup.repeats.judgement`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import groupby

import numpy as np

from dedup.arrays import I64, Bools, offsets_of
from dedup.fingerprint.versions import UnitLayout
from dedup.repeats.article import ArticleParagraphs
from dedup.segment.sentences import Sentences
from dedup.segment.words import words

_SENTENCE_END = re.compile(r"[.!?:…।۔؟։။。！？][\"'”’»)\]」』）]*$")
_FIRST_LETTER = re.compile(r"[^\W\d_]")
_QUESTION_END = re.compile(r"[?？؟][\"'”’»)\]」』）]*$")
WRAPPED = 50  # characters of a line that is wrapped; lines of verse are shorter


class Units:
    """Units of an article that stay, in order, and their words as one sequence.

    `rows` are the units, and `ids` their numbers among all units of the article: int64 [units].
    """

    def __init__(self, article: ArticleParagraphs, rows: Sentences, ids: I64 | None = None) -> None:
        self.article = article
        self.rows = rows
        self.ids: list[int] = list(range(len(rows.starts))) if ids is None else ids.tolist()
        self.begins: list[int] = rows.starts.tolist()
        self.ends: list[int] = rows.stops.tolist()
        self.paragraphs: list[int] = rows.paragraphs.tolist()
        self.lines: list[int] = rows.lines.tolist()
        self.border_array = offsets_of(rows.words)
        self.borders: list[int] = self.border_array.tolist()  # of units, in words
        self.places: I64 = np.arange(self.borders[-1])  # of words, in the article
        self.numbers, self.sizes = article.numbers, article.sizes

    @classmethod
    def of(cls, article: ArticleParagraphs) -> Units:
        """Return all units of an article."""
        spans = np.array(article.spans, np.int64).reshape(-1, 2)
        return cls(article, article.backend.split_sentences(article.text, spans, np.diff(article.borders)))

    def keep(self, is_kept: Bools) -> Units:
        """Return the units that are kept, bool [units]."""
        if is_kept.all():
            return self
        kept = Units(self.article, Sentences(*(column[is_kept] for column in self.rows)), np.flatnonzero(is_kept))
        kept.places = np.flatnonzero(np.repeat(is_kept, self.rows.words))
        kept.numbers = self.numbers[kept.places]
        kept.sizes = np.concatenate([[0.0], np.cumsum(np.diff(self.sizes)[kept.places])])
        return kept

    def cut(self, places: Iterable[int]) -> Units:
        """Return all units, of which some are split before each of the words `places`."""
        rows: list[tuple[int, ...]] = []
        done = 0
        for unit, inside in groupby(sorted(set(places) - self.starts), self.unit_at):
            rows += zip(*(column[done:unit].tolist() for column in self.rows), strict=True)
            rows += self._parts(unit, [place - self.borders[unit] for place in inside])
            done = unit + 1
        rows += zip(*(column[done:].tolist() for column in self.rows), strict=True)
        return Units(self.article, Sentences(*np.array(rows, np.int64).T))

    def _parts(self, unit: int, words_inside: Sequence[int]) -> Iterator[tuple[int, ...]]:
        """Yield the rows of a unit that is split before some of its words, which ascend."""
        text, begin = self.article.text, self.begins[unit]
        before, first = 0, self.borders[unit]
        for word in words_inside:
            start = self._offset(unit, first + word)
            stop = begin + len(text[begin:start].rstrip())
            yield begin, stop, self.paragraphs[unit], self.lines[unit], word - before
            begin, before = start, word
        yield begin, self.ends[unit], self.paragraphs[unit], self.lines[unit], self.borders[unit + 1] - first - before

    @cached_property
    def starts(self) -> frozenset[int]:
        """The words that begin units, and the end of the last one."""
        return frozenset(self.borders)

    @cached_property
    def layout(self) -> UnitLayout:
        """Where the units are, as arrays."""
        return UnitLayout(self.sizes, self.border_array, self.rows.paragraphs)

    @cached_property
    def _paragraph_borders(self) -> list[int]:
        """Where paragraphs start, in words that stay, and the last one ends."""
        borders = self.article.borders
        if len(self.places) == borders[-1]:
            return borders
        places: list[int] = np.searchsorted(self.places, borders).tolist()
        return places

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.begins)

    @cached_property
    def words(self) -> list[str]:
        """The words that stay."""
        if len(self.places) == len(self.article.all_words):
            return self.article.all_words
        return [self.article.all_words[place] for place in self.places.tolist()]

    def size(self, start: int, stop: int) -> float:
        """Return the weighted number of the words `start:stop`."""
        return float(self.sizes[stop] - self.sizes[start])

    def words_of(self, unit: int) -> list[str]:
        """Return the words of a unit."""
        return self.words[self.borders[unit] : self.borders[unit + 1]]

    def unit_at(self, word: int) -> int:
        """Return the unit that a word is in."""
        return bisect_right(self.borders, word) - 1

    def unit_size(self, unit: int) -> float:
        """Return the weighted number of words of a unit."""
        return self.size(self.borders[unit], self.borders[unit + 1])

    def unmatched_start(self, unit: int, matched: I64) -> str:
        """Return the text of a unit before the first of its words that is `matched`, which is ascending."""
        start, stop = self.borders[unit], self.borders[unit + 1]
        first = int(np.searchsorted(matched, start))
        if first == len(matched) or matched[first] >= stop or matched[first] == start:
            return ""
        return self.article.text[self.begins[unit] : self._offset(unit, int(matched[first]))]

    def paragraph_start(self, word: int) -> int:
        """Return the first word, of those that stay, of the paragraph that a word is in."""
        return self._paragraph_borders[bisect_right(self._paragraph_borders, word) - 1]

    def paragraph_stop(self, word: int) -> int:
        """Return the end, in words that stay, of the paragraph that a word is in."""
        return self._paragraph_borders[bisect_right(self._paragraph_borders, word)]

    def opens(self, unit: int) -> bool:
        """Return True if a unit is the first of its paragraph."""
        return unit == 0 or self.paragraphs[unit - 1] != self.paragraphs[unit]

    def line_goes_on(self, unit: int, step: int) -> bool:
        """Return True if a unit with words stands before (`step` -1) or behind (1) a unit on its line."""
        other = unit + step
        if not 0 <= other < len(self) or self.borders[other] == self.borders[other + 1]:
            return False
        return self.lines[other] == self.lines[unit]

    def is_line(self, unit: int) -> bool:
        """Return True if a unit is a whole line."""
        beside = self.lines[max(unit - 1, 0) : unit + 2]
        return beside.count(self.lines[unit]) == 1

    def is_sentence(self, unit: int) -> bool:
        """Return True if a unit ends as a sentence does."""
        return self._ends_with(_SENTENCE_END, unit)

    def goes_on(self, unit: int) -> bool:
        """Return True if a unit is a line of a sentence that the next line goes on with, as in mail and books."""
        if self.ends[unit] - self.begins[unit] < WRAPPED or unit + 1 == len(self):
            return False
        if not self.article.text[self.ends[unit] - 1].isalnum():
            return False
        first = _FIRST_LETTER.search(self.article.text, self.begins[unit + 1], self.ends[unit + 1])
        return first is not None and first.group().islower()

    def asks(self, unit: int) -> bool:
        """Return True if a unit is a question."""
        return self._ends_with(_QUESTION_END, unit)

    def _ends_with(self, pattern: re.Pattern[str], unit: int) -> bool:
        start, stop = self.begins[unit], self.ends[unit]
        return bool(pattern.search(self.article.text, max(start, stop - 8), stop))

    def places_of(self, unit: int) -> list[int]:
        """Return the units with the same words as `unit`, ascending."""
        return self._places[tuple(self.words_of(unit))]

    @cached_property
    def _places(self) -> dict[tuple[str, ...], list[int]]:
        places: dict[tuple[str, ...], list[int]] = {}
        for unit in range(len(self)):
            places.setdefault(tuple(self.words_of(unit)), []).append(unit)
        return places

    def text(self, first: int, last: int) -> str:
        """Return the text of the units from `first` to `last`."""
        return self.article.text[self.begins[first] : self.ends[last]]

    def head(self, word: int) -> str:
        """Return the line above the one that a word begins, or "" if it begins none, or the first of all."""
        last = self.unit_at(word) - 1
        if last < 0 or self.borders[last + 1] != word or self.lines[last + 1] == self.lines[last]:
            return ""
        return self.line_at(last)

    def line_at(self, unit: int) -> str:
        """Return the text of the line that a unit is on."""
        first = last = unit
        while first and self.lines[first - 1] == self.lines[unit]:
            first -= 1
        while last + 1 < len(self) and self.lines[last + 1] == self.lines[unit]:
            last += 1
        return self.article.text[self.begins[first] : self.ends[last]]

    def span_of_words(self, start: int, stop: int) -> tuple[int, int]:
        """Return the span of the words `start:stop`, in code points, with the punctuation behind them."""
        last = bisect_left(self.borders, stop) - 1
        end = self.ends[last]
        if self.borders[last + 1] != stop:
            begin = self.begins[last]
            end = begin + len(self.article.text[begin : self._offset(last, stop)].rstrip())
        return self._offset(self.unit_at(start), start), end

    def _offset(self, unit: int, word: int) -> int:
        """Return where a word of a unit starts, in code points."""
        start, stop, number = self.begins[unit], self.ends[unit], word - self.borders[unit]
        starts, unsure = self.article.starts
        first, last = np.searchsorted(starts, (start, stop)).tolist()
        is_sure = last - first == self.borders[unit + 1] - self.borders[unit]
        if number and is_sure and not np.diff(np.searchsorted(unsure, (start, stop)))[0]:
            return int(starts[first + number])
        return offset_of_word(self.article.text, start, stop, number)


def offset_of_word(text: str, start: int, stop: int, number: int) -> int:
    """Return the offset of word `number` of ``text[start:stop]``, by binary search in a range that doubles."""
    if not number:
        return start
    low, high = start, min(start + 8 * number, stop)
    while high < stop and len(words(text[start:high])) <= number:
        low, high = high, min(2 * high - start, stop)
    while high - low > 1:
        middle = (low + high) // 2
        if len(words(text[start:middle])) > number:
            high = middle
        else:
            low = middle
    return high - 1
