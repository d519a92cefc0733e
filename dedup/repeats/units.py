"""Split the paragraphs of one article into units: sentences, or the parts of them that stand on one line.

A unit is the smallest part that can be dropped. The words of all units are one sequence, in which exact repeats are
found wherever lines and paragraphs end. Whether a repeat is dropped is not decided here; see `dedup.repeats.judgement`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

from dedup.arrays import I64
from dedup.repeats.article import ArticleParagraphs
from dedup.segment.words import words

# Behind a sentence, and at a line end. Abbreviations end a unit too; such a unit is a part of a sentence.
_BORDER_ELSEWHERE = re.compile(r"\n\s*|[.!?…।۔؟։።]+[\"'”’»)\]]*\s+|[。！？]+[”’」』）]*\s*")
# The lookbehind is tried at every character, so it is used only for texts with such a script.
_BORDER = re.compile(_BORDER_ELSEWHERE.pattern + r"|(?<=[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])\s+")
_SENTENCE_END = re.compile(r"[.!?:…।۔؟։。！？][\"'”’»)\]」』）]*$")
_FIRST_LETTER = re.compile(r"[^\W\d_]")
_QUESTION_END = re.compile(r"[?？؟][\"'”’»)\]」』）]*$")

_SPACE_ENDS_UNIT = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")  # where a space ends a unit
WRAPPED = 50  # characters of a line that is wrapped; lines of verse are shorter

Span = tuple[int, int]


class Unit(NamedTuple):
    """A sentence, or as much of it as stands on one line."""

    start: int
    stop: int
    paragraph: int
    line: int


class UnitTable:
    """All units of an article, and the number of words of each."""

    def __init__(self, article: ArticleParagraphs) -> None:
        self.article = article
        self.units: list[Unit] = []
        self.counts: list[int] = []
        line = 0
        for index, (spans, counts) in enumerate(_split_into_units(article, range(len(article.spans)))):
            before = start = article.spans[index][0]
            for first, last in spans:
                line += before == start or "\n" in article.text[before:first]
                before = last
                self.units.append(Unit(first, last, index, line))
            self.counts += counts
            line += 1
        self.starts = [0, *accumulate(self.counts)]

    def cut(self, word: int) -> None:
        """Split a unit before a word of the article."""
        number = bisect_right(self.starts, word) - 1
        if number >= len(self.units) or self.starts[number] == word:
            return
        unit = self.units[number]
        inside = word - self.starts[number]
        place = _offset_of_word(self.article.text, unit.start, unit.stop, inside)
        stop = unit.start + len(self.article.text[unit.start : place].rstrip())
        self.units[number : number + 1] = unit._replace(stop=stop), unit._replace(start=place)
        self.counts[number : number + 1] = inside, self.counts[number] - inside
        self.starts.insert(number + 1, word)


class Units:
    """The units of an article that stay, in order, and their words as one sequence.

    `table` are all units of the article and the number of words of each; `alive` are the numbers of those that stay.
    """

    def __init__(self, article: ArticleParagraphs, table: UnitTable, alive: Sequence[int]) -> None:
        self.article = article
        self.table = table
        self.ids = list(alive)
        is_whole = len(self.ids) == len(table.units)
        self.units = table.units if is_whole else [table.units[number] for number in self.ids]
        counts = table.counts if is_whole else [table.counts[number] for number in self.ids]
        self.borders = [0, *accumulate(counts)]  # of units, in words
        is_alive = np.zeros(len(table.units), bool)
        is_alive[self.ids] = True
        self.places: I64 = np.flatnonzero(np.repeat(is_alive, table.counts))  # of words, in the article
        self.numbers: I64 = article.numbers[self.places]
        if is_whole:
            self.sizes = article.sizes
        else:
            self.sizes = np.concatenate([[0.0], np.cumsum(np.diff(article.sizes)[self.places])])
        self.starts = frozenset(self.borders)
        self.border_array: I64 = np.array(self.borders, np.int64)
        self.paragraphs = [unit.paragraph for unit in self.units]

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
        one = self.units[unit]
        return self.article.text[
            one.start : _offset_of_word(self.article.text, one.start, one.stop, int(matched[first]) - start)
        ]

    def paragraph_start(self, word: int) -> int:
        """Return the first word, of those that stay, of the paragraph that a word is in."""
        unit = self.unit_at(word)
        while not self.opens(unit):
            unit -= 1
        return self.borders[unit]

    def paragraph_stop(self, word: int) -> int:
        """Return the end, in words that stay, of the paragraph that a word is in."""
        unit = self.unit_at(word) + 1
        while unit < len(self.units) and not self.opens(unit):
            unit += 1
        return self.borders[unit]

    def paragraph_ranges(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Yield the units `start:stop` by paragraph, as ranges."""
        for unit in range(start + 1, stop):
            if self.paragraphs[unit] != self.paragraphs[unit - 1]:
                yield start, unit
                start = unit
        if start < stop:
            yield start, stop

    def opens(self, unit: int) -> bool:
        """Return True if a unit is the first of its paragraph."""
        return unit == 0 or self.units[unit - 1].paragraph != self.units[unit].paragraph

    def line_goes_on(self, unit: int, step: int) -> bool:
        """Return True if a unit with words stands before (`step` -1) or behind (1) a unit on its line."""
        other = unit + step
        if not 0 <= other < len(self.units) or self.borders[other] == self.borders[other + 1]:
            return False
        return self.units[other].line == self.units[unit].line

    def is_line(self, unit: int) -> bool:
        """Return True if a unit is a whole line."""
        line = self.units[unit].line
        beside = (self.units[other] for other in (unit - 1, unit + 1) if 0 <= other < len(self.units))
        return all(other.line != line for other in beside)

    def is_sentence(self, unit: int) -> bool:
        """Return True if a unit ends as a sentence does."""
        one = self.units[unit]
        return bool(_SENTENCE_END.search(self.article.text, max(one.start, one.stop - 8), one.stop))

    def goes_on(self, unit: int) -> bool:
        """Return True if a unit is a line of a sentence that the next line goes on with, as in mail and books."""
        one = self.units[unit]
        if one.stop - one.start < WRAPPED or unit + 1 == len(self.units):
            return False
        if not self.article.text[one.stop - 1].isalnum():
            return False
        behind = self.units[unit + 1]
        first = _FIRST_LETTER.search(self.article.text, behind.start, behind.stop)
        return first is not None and first.group().islower()

    def asks(self, unit: int) -> bool:
        """Return True if a unit is a question."""
        one = self.units[unit]
        return bool(_QUESTION_END.search(self.article.text, max(one.start, one.stop - 8), one.stop))

    def places_of(self, unit: int) -> list[int]:
        """Return the units with the same words as `unit`, ascending."""
        return self._places[tuple(self.words_of(unit))]

    @cached_property
    def _places(self) -> dict[tuple[str, ...], list[int]]:
        places: dict[tuple[str, ...], list[int]] = {}
        for unit in range(len(self.units)):
            places.setdefault(tuple(self.words_of(unit)), []).append(unit)
        return places

    def text(self, first: int, last: int) -> str:
        """Return the text of the units from `first` to `last`."""
        return self.article.text[self.units[first].start : self.units[last].stop]

    def head(self, word: int) -> str:
        """Return the line above the one that a word begins, or "" if it begins none, or the first of all."""
        last = self.unit_at(word) - 1
        if last < 0 or self.borders[last + 1] != word or self.units[last + 1].line == self.units[last].line:
            return ""
        return self.line_at(last)

    def line_at(self, unit: int) -> str:
        """Return the text of the line that a unit is on."""
        first = last = unit
        while first and self.units[first - 1].line == self.units[unit].line:
            first -= 1
        while last + 1 < len(self.units) and self.units[last + 1].line == self.units[unit].line:
            last += 1
        return self.article.text[self.units[first].start : self.units[last].stop]


def span_of_words(table: UnitTable, start: int, stop: int) -> tuple[int, int]:
    """Return the span of the words `start:stop` of an article, in code points, with the punctuation behind them."""
    return _place(table, start), _end(table, stop)


def _place(table: UnitTable, word: int) -> int:
    number = bisect_right(table.starts, word) - 1
    unit = table.units[number]
    return _offset_of_word(table.article.text, unit.start, unit.stop, word - table.starts[number])


def _end(table: UnitTable, word: int) -> int:
    number = bisect_left(table.starts, word) - 1
    unit = table.units[number]
    if table.starts[number + 1] == word:
        return unit.stop
    stop = _offset_of_word(table.article.text, unit.start, unit.stop, word - table.starts[number])
    return unit.start + len(table.article.text[unit.start : stop].rstrip())


def _split_into_units(article: ArticleParagraphs, alive: Sequence[int]) -> Iterator[tuple[list[Span], list[int]]]:
    """Yield for each paragraph the spans of its units, and how many words each has.

    A paragraph is one unit if splitting it would change its words. It does not if the offsets of all words are sure,
    since borders are behind spaces and marks.
    """
    text = article.text
    border = _BORDER if _SPACE_ENDS_UNIT.search(text) else _BORDER_ELSEWHERE
    starts, unsure = article.starts
    cut = [_unit_spans(text, *article.spans[index], border) for index in alive]
    places = [
        place
        for index, spans in zip(alive, cut, strict=True)
        for place in (*(first for first, _ in spans), article.spans[index][1])
    ]
    begun, doubts = np.searchsorted(starts, places).tolist(), np.searchsorted(unsure, places).tolist()
    at = 0
    for index, spans in zip(alive, cut, strict=True):
        end = at + len(spans)
        whole = article.words[index]
        if doubts[at] == doubts[end] and begun[end] - begun[at] == len(whole):
            yield spans, [after - before for before, after in pairwise(begun[at : end + 1])]
        else:
            told = [words(text[slice(*span)]) for span in spans]
            if len(spans) > 1 and [word for own in told for word in own] != whole:
                yield [article.spans[index]], [len(whole)]
            else:
                yield spans, list(map(len, told))
        at = end + 1


def _unit_spans(text: str, start: int, stop: int, border: re.Pattern[str]) -> list[Span]:
    """Return the spans of the units of a paragraph."""
    spans = []
    first = start
    for found in border.finditer(text, start, stop):
        end = found.end()
        last = first + len(text[first:end].rstrip())
        if last > first:
            spans.append((first, last))
            first = end
    if first < stop:
        spans.append((first, stop))
    return spans


def _offset_of_word(text: str, start: int, stop: int, number: int) -> int:
    """Return the offset of word `number` of ``text[start:stop]``, by binary search."""
    if not number:
        return start
    low, high = start, stop
    while high - low > 1:
        middle = (low + high) // 2
        if len(words(text[start:middle])) > number:
            high = middle
        else:
            low = middle
    return high - 1
