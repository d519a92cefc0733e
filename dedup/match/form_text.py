"""A text as articles of one form are compared: words, names and edges."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set as AbstractSet
from functools import cached_property, lru_cache

from dedup.segment.words import word_spans, words

# All figures were chosen on the pairs of tests/data/same_form.toml, and checked on pairs of press releases.
_NAME_SHARE = 0.3  # of the words inside sentences: where more have a capital, capitals do not mark names (German)
_EDGE_WORDS = 16  # in a line that is a headline, byline or source
_EDGE_SHARE = 0.25  # of the words: a list of short lines is no edge
_DATELINE_CHARACTERS = 70
_LONGEST_LINE = 200  # characters; a longer line is no edge
_LONG, _LONG_EDGE = 200, 8  # words: at the ends of texts without lines there are contacts, too

_LAST_PUNCTUATION = tuple('.!?…。！？؟।۔"”»」』')
_LINE = re.compile(r"\S(?:[^\n]*\S)?")
_INSIDE_WORD = re.compile(r"(?<=[^\W\d_] )[^\W\d_]+")  # after a letter and one space
_DATELINE = re.compile(
    r"[^\n.!?。]{1,60}?(?:[.,]\s[^\n.!?。]{1,30}?){0,3}(?:\s(?:--?|—|–)\s|[—–―]|\)\s*[-:：]?\s|[】〕]|電[）)]|/\.\s)"
)
_SOURCE_MARK = re.compile(r"[(（\[—–©*]|\S+(?:\s\S+){0,2}\s?[:：]")
_END_BRACKETS = re.compile(r"[(（\[【][^()（）\[\]【】\n]{1,90}[)）\]】][.。]?\s*$")


class FormText:
    """A text as `dedup.match.same_form` compares it.

    `encoding` gives each word a character; texts that are compared with each other have one encoding.

    Attributes:
        text: the text.
        words: its words, folded.
        encoded: the words as one character each, equal for equal words.
        head: the number of words at its start that are no part of the story: headline, byline, dateline.
        tail: the number of the first word of the source line or contact at its end.
    """

    def __init__(self, text: str, encoding: dict[str, str]) -> None:
        self.text = text
        self.words = _form_words(text)
        self.encoded = "".join([encoding.get(word) or _add_word(word, encoding) for word in self.words])
        self.head, self.tail = _edges(text, len(self.words))
        if len(self.words) >= _LONG and self.is_cased:
            self.head, self.tail = max(self.head, _LONG_EDGE), min(self.tail, len(self.words) - _LONG_EDGE)

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """The span of each word in the text, in code points."""
        return word_spans(self.text)

    @cached_property
    def key(self) -> str:
        """The words joined by one space, with a space at both ends."""
        return f" {' '.join(self.words)} "

    @cached_property
    def inside_words(self) -> list[str]:
        """The words that follow a word and one space, so that they do not begin a sentence."""
        return _INSIDE_WORD.findall(self.text)

    @cached_property
    def names(self) -> frozenset[str]:
        """The words with a capital inside a sentence, folded."""
        return frozenset(_fold(word) for word in self.inside_words if word[0].isupper())

    @cached_property
    def is_cased(self) -> bool:
        """True if capitals inside sentences mark names: a few words have them, not a third as in German."""
        capitals = sum(word[0].isupper() for word in self.inside_words)
        return 0 < capitals <= _NAME_SHARE * len(self.inside_words)

    def named(self, start: int, stop: int, names: AbstractSet[str]) -> list[str]:
        """Return those of the words ``start:stop`` that are among `names` and have a capital."""
        text, spans = self.text, self.spans
        return [
            self.words[word]
            for word in range(start, stop)
            if self.words[word] in names and text[spans[word][0]].isupper()
        ]


def _form_words(text: str) -> list[str]:
    """Return the words of `word_spans`, folded."""
    if text.isascii():
        return words(text)
    return [_fold(text[start:stop]) for start, stop in word_spans(text)]


def _add_word(word: str, encoding: dict[str, str]) -> str:
    """Add a word to `encoding` and return its character; above the surrogates there are a million."""
    letter = encoding[word] = chr(0x10000 + len(encoding))
    return letter


@lru_cache(maxsize=1 << 16)
def _fold(word: str) -> str:
    """Return a word as comparison keys hold it."""
    return word.lower() if word.isascii() else unicodedata.normalize("NFKC", word).casefold()


def _edges(text: str, size: int) -> tuple[int, int]:
    """Return how many words the edge at the start has, and the number of the first word of the edge at the end.

    `size` is the number of words of the text. Edges are lines without the end of a sentence, a dateline such as
    ``LONDON (Reuters) -``, a line such as ``Source: Reuters``, and brackets at the end.
    """
    most = int(_EDGE_SHARE * size)
    head, place = 0, 0
    for _ in range(3):
        start, stop = _line(text, place)
        count = len(_form_words(text[start : min(stop, start + _LONGEST_LINE)]))
        if text[start:stop].endswith(_LAST_PUNCTUATION) or count > _EDGE_WORDS or head + count > most:
            dateline = _DATELINE.match(text, start, min(stop, start + _DATELINE_CHARACTERS))
            if dateline:
                head += len(_form_words(dateline[0]))
            break
        head, place = head + count, stop
    rest, tail = text.rstrip(), 0
    for _ in range(2):
        line = rest[rest.rfind("\n", -_LONGEST_LINE) + 1 :] if "\n" in rest[-_LONGEST_LINE:] else ""
        count = len(_form_words(line))
        is_source = not line.endswith(_LAST_PUNCTUATION) or _SOURCE_MARK.match(line)
        if not line or not is_source or count > _EDGE_WORDS or tail + count > most:
            break
        rest, tail = rest[: -len(line)].rstrip(), tail + count
    brackets = _END_BRACKETS.search(rest, max(0, len(rest) - 120))
    if brackets:
        tail += len(_form_words(brackets[0]))
    return head, size - tail


def _line(text: str, place: int) -> tuple[int, int]:
    """Return the span of the first line from `place` on that is not blank, without space around it."""
    match = _LINE.search(text, place)
    return match.span() if match else (len(text), len(text))
