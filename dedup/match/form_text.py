"""A text as articles of one form are compared: words, names and edges."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np

from dedup.arrays import I32, I64, Bools, Bytes
from dedup.fingerprint.vocabulary import IS_NUMBER
from dedup.repairs.diff import encode_words
from dedup.segment.written_words import BEGINS_UPPER, IN_NAME

# All figures were chosen on the pairs of tests/data/same_form.toml, and checked on pairs of press releases.
_EDGE_WORDS = 16  # in a line that is a headline, byline or source
_EDGE_SHARE = 0.25  # of the words: a list of short lines is no edge
_DATELINE_CHARACTERS = 70
_LONGEST_LINE = 200  # characters; a longer line is no edge

_LAST_PUNCTUATION = tuple('.!?…。！？؟।۔"”»」』')
_LINE = re.compile(r"\S(?:[^\n]*\S)?")
_DATELINE = re.compile(
    r"[^\n.!?。]{1,60}?(?:[.,]\s[^\n.!?。]{1,30}?){0,3}(?:\s(?:--?|—|–)\s|[—–―]|\)\s*[-:：]?\s|[】〕]|電[）)]|/\.\s)"
)
_SOURCE_MARK = re.compile(r"[(（\[—–©*]|\S+(?:\s\S+){0,2}\s?[:：]")
_END_BRACKETS = re.compile(r"[(（\[【][^()（）\[\]【】\n]{1,90}[)）\]】][.。]?\s*$")


class WordNumbers(Protocol):
    """What `dedup.fingerprint.vocabulary.Vocabulary` and its compiled version have."""

    letters: I64

    def __len__(self) -> int:
        """Return how many words there are."""

    def word(self, number: int) -> str:
        """Return the word of this number."""

    def number(self, folded: Bytes, ends: I64) -> I32:
        """Return the numbers of words, and add the new ones."""


class TextBatch(NamedTuple):
    """Some of the texts of a `dedup.match.form_texts.FormTexts`; words as in `dedup.segment.written_words`.

    Attributes:
        texts: the texts.
        titles: the title of each, None where it has none.
        offsets: the number of the first word of each text, int64 [texts + 1].
        numbers: the number of each word in the vocabulary, int32 [words].
        starts: where words start in their text, int32 [words], in code points.
        stops: where they end, int32 [words].
        flags: the flags of words, uint8 [words].
        heads: the number of words of each text before the story: headline, byline, dateline. int64 [texts].
        tails: the number of the first word of the source line or contact at its end, int64 [texts].
        are_cased: True if capitals inside sentences mark names: a few words have them, not a third as in German. bool
            [texts].
        are_key_words: False if the comparison key may have other words, bool [texts].
    """

    texts: tuple[str, ...]
    titles: tuple[str | None, ...]
    offsets: I64
    numbers: I32
    starts: I32
    stops: I32
    flags: Bytes
    heads: I64
    tails: I64
    are_cased: Bools
    are_key_words: Bools


class FormText:
    """A text as `dedup.match.same_form` compares it.

    Attributes:
        text: the text.
        title: its title, None if it has none.
        numbers: its words as numbers in the vocabulary, int32 [words].
        head: the number of words before the story.
        tail: the number of the first word behind it.
        is_cased: True if capitals inside sentences mark names.
        has_key_words: False if its comparison key may have other words.
    """

    def __init__(self, batch: TextBatch, place: int, vocabulary: WordNumbers) -> None:
        words = slice(batch.offsets[place], batch.offsets[place + 1])
        self.text, self.title = batch.texts[place], batch.titles[place]
        self.numbers = batch.numbers[words]
        self.head, self.tail = int(batch.heads[place]), int(batch.tails[place])
        self.is_cased = bool(batch.are_cased[place])
        self._starts, self._stops, self._flags = batch.starts[words], batch.stops[words], batch.flags[words]
        self.has_key_words = bool(batch.are_key_words[place])
        self._vocabulary = vocabulary

    def __len__(self) -> int:
        return len(self.numbers)

    def span(self, word: int) -> tuple[int, int]:
        """Return the span in the text of the word of this number, in code points."""
        return int(self._starts[word]), int(self._stops[word])

    def words(self, start: int, stop: int) -> list[str]:
        """Return the words ``start:stop``, folded."""
        return list(map(self._vocabulary.word, self.numbers[start:stop].tolist()))

    def have_digits(self, start: int, stop: int) -> int:
        """Return how many of the words ``start:stop`` have a digit."""
        return int(self._vocabulary.letters[self.numbers[start:stop], IS_NUMBER].sum())

    @cached_property
    def encoded(self) -> str:
        """The words as one character each, equal for equal words."""
        return encode_words(self.numbers)

    @property
    def story(self) -> str:
        """The text without its edges."""
        return self.text[self._starts[self.head] : self._stops[self.tail - 1]] if self.head < self.tail else ""

    @cached_property
    def story_names(self) -> frozenset[int]:
        """The numbers of the words with a capital inside a sentence, without those at the edges."""
        is_name = self._flags[self.head : self.tail] & IN_NAME > 0
        return frozenset(self.numbers[self.head : self.tail][is_name].tolist())

    @cached_property
    def names(self) -> frozenset[int]:
        """The numbers of the words with a capital inside a sentence."""
        return frozenset(self.numbers[self._flags & IN_NAME > 0].tolist())

    def named(self, start: int, stop: int, other: FormText) -> str:
        """Return those of the words ``start:stop``, encoded, that have a capital and are names in either text."""
        words = zip(self.numbers[start:stop].tolist(), self._flags[start:stop].tolist(), strict=True)
        names = [word for word, flags in words if flags & BEGINS_UPPER and (word in self.names or word in other.names)]
        return encode_words(np.array(names, np.int32))


def find_edges(text: str, starts: I32) -> tuple[int, int]:
    """Return how many words the edge at the start has, and the number of the first word of the edge at the end.

    `starts` are where the words of the text start, int32 [words]. Edges are lines without the end of a sentence, a
    dateline such as ``LONDON (Reuters) -``, a line such as ``Source: Reuters``, and brackets at the end.
    """
    places: Any = memoryview(starts)  # type: ignore[arg-type]  # numpy's arrays have the buffer protocol

    def count_words(start: int, stop: int) -> int:
        first = bisect_left(places, start)
        return bisect_left(places, stop, first) - first

    most = int(_EDGE_SHARE * len(places))
    head, place = 0, 0
    for _ in range(3):
        start, stop = _line(text, place)
        count = count_words(start, min(stop, start + _LONGEST_LINE))
        if text[start:stop].endswith(_LAST_PUNCTUATION) or count > _EDGE_WORDS or head + count > most:
            dateline = _DATELINE.match(text, start, min(stop, start + _DATELINE_CHARACTERS))
            if dateline:
                head += count_words(*dateline.span())
            break
        head, place = head + count, stop
    end, tail = len(text.rstrip()), 0
    for _ in range(2):
        start = text.rfind("\n", max(0, end - _LONGEST_LINE), end) + 1
        line = text[start:end] if start else ""
        count = count_words(start, end)
        is_source = not line.endswith(_LAST_PUNCTUATION) or _SOURCE_MARK.match(line)
        if not line or not is_source or count > _EDGE_WORDS or tail + count > most:
            break
        end, tail = len(text[:start].rstrip()), tail + count
    brackets = _END_BRACKETS.search(text, max(0, end - 120), end)
    if brackets:
        tail += count_words(*brackets.span())
    return head, len(places) - tail


def _line(text: str, place: int) -> tuple[int, int]:
    """Return the span of the first line from `place` on that is not blank, without space around it."""
    match = _LINE.search(text, place)
    return match.span() if match else (len(text), len(text))
