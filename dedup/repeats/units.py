"""Split the paragraphs of one article into units: sentences, or the parts of them that stand on one line.

A unit is the smallest part that can be dropped. The words of all units are one sequence, in which exact repeats are
found wherever lines and paragraphs end. Whether a repeat is dropped is not decided here; see `dedup.repeats.reflowed`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

from dedup.repeats.article import ArticleParagraphs, Match
from dedup.segment.words import word_weight, words

# Behind a sentence, and at a line end. Abbreviations end a unit too; such a unit is a part of a sentence.
_BORDER_ELSEWHERE = re.compile(r"\n\s*|[.!?…।۔؟։።]+[\"'”’»)\]]*\s+|[。！？]+[”’」』）]*\s*")
# The lookbehind is tried at every character, so it is used only for texts with such a script.
_BORDER = re.compile(_BORDER_ELSEWHERE.pattern + r"|(?<=[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])\s+")
_SENTENCE_END = re.compile(r"[.!?:…।۔؟։。！？][\"'”’»)\]」』）]*$")
_FIRST_LETTER = re.compile(r"[^\W\d_]")
_QUESTION_END = re.compile(r"[?？؟][\"'”’»)\]」』）]*$")

_ANY_END = re.compile("[\n.!?…।۔؟։።。！？]+")
_SPACE_ENDS_UNIT = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")  # where a space ends a unit
WRAPPED = 50  # characters of a line that is wrapped; lines of verse are shorter
UNITS_WORDS = 10  # words in units that repeat, below which there is nothing to find: one line of a summary


Span = tuple[int, int]


class Unit(NamedTuple):
    """A sentence, or as much of it as stands on one line."""

    start: int
    stop: int
    paragraph: int
    line: int


class Units:
    """The units of the paragraphs `alive`, and their words as one sequence."""

    def __init__(self, article: ArticleParagraphs, alive: Sequence[int]) -> None:
        self.article = article
        self.units: list[Unit] = []
        self.words: list[str] = []
        self.borders = [0]  # of units, in words
        line = 0
        new = [index for index in alive if index not in article.cut]
        article.cut.update(zip(new, _split_into_units(article, new), strict=True))
        for index in alive:
            spans, counts = article.cut[index]
            before = start = article.spans[index][0]
            for (first, last), count in zip(spans, counts, strict=True):
                line += before == start or "\n" in article.text[before:first]
                before = last
                self.units.append(Unit(first, last, index, line))
                self.borders.append(self.borders[-1] + count)
            self.words += article.words[index]
            line += 1
        if all(article.keys[index].isascii() for index in alive):
            self.sizes: Sequence[float] = range(len(self.words) + 1)
        else:
            self.sizes = [0.0, *accumulate(map(word_weight, self.words))]
        self.starts = frozenset(self.borders)

    def cut(self, word: int) -> None:
        """Split a unit before a word."""
        unit = self.unit_at(word)
        one = self.units[unit]
        if self.borders[unit] == word:
            return
        place = self._place(word)
        stop = one.start + len(self.article.text[one.start : place].rstrip())
        self.units[unit : unit + 1] = one._replace(stop=stop), one._replace(start=place)
        self.borders.insert(unit + 1, word)
        self.starts = self.starts | {word}

    def size(self, start: int, stop: int) -> float:
        """Return the weighted number of the words `start:stop`."""
        return self.sizes[stop] - self.sizes[start]

    def words_of(self, unit: int) -> list[str]:
        """Return the words of a unit."""
        return self.words[self.borders[unit] : self.borders[unit + 1]]

    def unit_at(self, word: int) -> int:
        """Return the unit that a word is in."""
        return bisect_right(self.borders, word) - 1

    def units_in(self, start: int, stop: int) -> range:
        """Return the units that lie wholly in the words `start:stop`.

        Units without words belong to those before or behind them in their paragraph, where they open or end it.
        """
        first, last = bisect_left(self.borders, start), bisect_right(self.borders, stop) - 1
        while first < last and self.borders[first] == self.borders[first + 1] and not self._goes_with(first, 1):
            first += 1
        while first < last and self.borders[last] == self.borders[last - 1] and not self._goes_with(last - 1, -1):
            last -= 1
        return range(first, max(first, last))

    def _goes_with(self, unit: int, step: int) -> bool:
        """Return True if a paragraph opens with units without words, up to `unit`, and then has words.

        With a `step` of -1 instead of 1: if it ends with them, and has words before.
        """
        paragraph = self.units[unit].paragraph
        before, behind = unit - step, unit + step
        if 0 <= before < len(self.units) and self.units[before].paragraph == paragraph:
            return False
        while 0 <= behind < len(self.units) and self.units[behind].paragraph == paragraph:
            if self.borders[behind] < self.borders[behind + 1]:
                return True
            behind += step
        return False

    def holds(self, start: int, length: int) -> bool:
        """Return True if the `length` words from `start` on have a whole unit."""
        units = self.units_in(start, start + length)
        return len(units) > 0 and self.borders[units.start] < self.borders[units.stop]

    def opens(self, unit: int) -> bool:
        """Return True if a unit is the first of its paragraph."""
        return unit == 0 or self.units[unit - 1].paragraph != self.units[unit].paragraph

    def behind(self, match: Match, most: int) -> int:
        """Return how many words before a match, up to `most`, are equal too: another match before it has taken them."""
        return count_equal_before(self.words, match, most)

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

    def head(self, word: int) -> str:
        """Return the line above the one that a word begins, or "" if it begins none, or the first of all."""
        unit = last = self.unit_at(word) - 1
        if last < 0 or self.borders[last + 1] != word or self.units[last + 1].line == self.units[last].line:
            return ""
        while unit and self.units[unit - 1].line == self.units[last].line:
            unit -= 1
        return self.article.text[self.units[unit].start : self.units[last].stop]

    def span(self, start: int, stop: int) -> tuple[int, int]:
        """Return the span of the words `start:stop` in the text, in code points, with the punctuation behind them."""
        return self._place(start), self._end(stop)

    def _place(self, word: int) -> int:
        unit = self.unit_at(word)
        one = self.units[unit]
        return _offset_of_word(self.article.text, one.start, one.stop, word - self.borders[unit])

    def _end(self, word: int) -> int:
        unit = self.unit_at(word - 1)
        one = self.units[unit]
        if self.borders[unit + 1] == word:
            return one.stop
        stop = _offset_of_word(self.article.text, one.start, one.stop, word - self.borders[unit])
        return one.start + len(self.article.text[one.start : stop].rstrip())


def count_equal_before(told: Sequence[Hashable], match: Match, most: int) -> int:
    """Return how many words before a match, up to `most`, are equal too: another match before it has taken them."""
    back = 0
    while back < min(match.source, most) and told[match.source - back - 1] == told[match.copy - back - 1]:
        back += 1
    return back


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


def units_may_repeat(article: ArticleParagraphs, alive: Sequence[int]) -> bool:
    """Return True if units of `UNITS_WORDS` words together may repeat: a fast screen.

    Every end of a sentence counts as a border here, even if no space follows, so that units are smaller.
    """
    key = f" {' '.join([article.keys[index] for index in alive if article.keys[index]])} "
    numbers = article.numbers_of(alive)
    once = np.concatenate([[0], np.cumsum(np.bincount(numbers)[numbers] == 1)]).tolist()  # words before each place
    again = at = 0
    for index in alive:
        pieces = _words_of_units(article, index)
        if sum(map(len, pieces)) != len(article.words[index]):  # cutting changes words
            return True
        for own in pieces:
            stop = at + len(own)
            if own and once[at] == once[stop]:  # a unit with a word that stands once does not repeat
                wanted = f" {' '.join(own)} "
                if key.find(wanted, key.find(wanted) + 1) >= 0:
                    again += len(own)
            if again >= UNITS_WORDS:
                return True
            at = stop
    return False


def _words_of_units(article: ArticleParagraphs, index: int) -> list[list[str]]:
    """Return the words of each unit of a paragraph, in order; none if splitting would change words."""
    start, stop = article.spans[index]
    whole, raw = article.words[index], article.text[start:stop]
    starts, unsure = article.starts
    ends = [start, *(found.end() for found in _ANY_END.finditer(article.text, start, stop)), stop]
    begun, doubts = np.searchsorted(starts, ends).tolist(), np.searchsorted(unsure, (start, stop)).tolist()
    if (
        doubts[0] == doubts[1]
        and begun[-1] - begun[0] == len(whole)
        and (raw.isascii() or not _SPACE_ENDS_UNIT.search(raw))
    ):
        return [whole[first - begun[0] : last - begun[0]] for first, last in pairwise(begun)]
    told = [
        words(piece)
        for end in _ANY_END.split(raw)
        for piece in (end.split() if _SPACE_ENDS_UNIT.search(end) else [end])
    ]
    return told if [word for own in told for word in own] == whole else []


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
