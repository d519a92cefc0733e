"""A text as articles of one form are compared: words, names and edges."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from functools import cached_property, lru_cache
from itertools import islice, pairwise
from sys import intern

from dedup.arrays import I64
from dedup.segment.words import comparison_key, word_spans

# All figures were chosen on the pairs of tests/data/same_form.toml, and checked on pairs of press releases.
FIRST_LETTER = 0x10000  # of encoded words: there are a million above the surrogates
_NAME_SHARE = 0.25  # of the words: where more have a capital, capitals do not mark names (German)
_EDGE_WORDS = 16  # in a line that is a headline, byline or source
_EDGE_SHARE = 0.25  # of the words: a list of short lines is no edge
_DATELINE_CHARACTERS = 70
_LONGEST_LINE = 200  # characters; a longer line is no edge
LONG_TEXT, _LONG_EDGE = 200, 8  # words: at the ends of texts without lines there are contacts, too

_LAST_PUNCTUATION = tuple('.!?…。！？؟।۔"”»」』')
_LINE = re.compile(r"\S(?:[^\n]*\S)?")
_DATELINE = re.compile(
    r"[^\n.!?。]{1,60}?(?:[.,]\s[^\n.!?。]{1,30}?){0,3}(?:\s(?:--?|—|–)\s|[—–―]|\)\s*[-:：]?\s|[】〕]|電[）)]|/\.\s)"
)
_ASCII_WORDS = bytes(byte if chr(byte).isalnum() else 0x20 for byte in range(128)) + bytes(128)
# In Latin scripts, with the quotes and dashes of any text, words have no combining marks and are written apart.
_OTHER_SCRIPTS = re.compile(r"[^\x00-\u02ff\u2010-\u2022\u2026\u20ac]")
_LATIN_WORD = re.compile(r"[^\W_]+")
_SOURCE_MARK = re.compile(r"[(（\[—–©*]|\S+(?:\s\S+){0,2}\s?[:：]")
_END_BRACKETS = re.compile(r"[(（\[【][^()（）\[\]【】\n]{1,90}[)）\]】][.。]?\s*$")


class WordEncoding(dict[str, str]):
    """A character for each word, made when it is first asked for."""

    def __missing__(self, word: str) -> str:
        letter = self[word] = chr(FIRST_LETTER + len(self))
        return letter


class FormText:
    """A text as `dedup.match.same_form` compares it.

    `encoding` gives each word a character; texts that are compared with each other have one encoding.

    Attributes:
        text: the text.
        words: its words, folded.
        head: the number of words at its start that are no part of the story: headline, byline, dateline.
        tail: the number of the first word of the source line or contact at its end.
    """

    def __init__(self, text: str, encoding: WordEncoding) -> None:
        self.text = text
        self.words = list(map(intern, _folded(_written_words(text))))  # a corpus has few different words
        self._encoding = encoding
        self.head, self.tail = _edges(text, len(self.words))
        if len(self.words) >= LONG_TEXT and self.is_cased:
            self.head, self.tail = max(self.head, _LONG_EDGE), min(self.tail, len(self.words) - _LONG_EDGE)
        self._spans: list[tuple[int, int]] = []  # those of the first words
        self._more_spans = _spans(text)

    def span(self, word: int) -> tuple[int, int]:
        """Return the span in the text of the word of this number, in code points."""
        self._spans.extend(islice(self._more_spans, max(0, word + 1 - len(self._spans))))
        return self._spans[word]

    @cached_property
    def encoded(self) -> str:
        """The words as one character each, equal for equal words."""
        return self.encode(self.words)

    def encode(self, words: Iterable[str]) -> str:
        """Return folded words as one character each."""
        return "".join(map(self._encoding.__getitem__, words))

    def decode(self, numbers: I64) -> list[str]:
        """Return those words of the text that have these numbers in its encoding, int64 [words]."""
        of_letter = dict(zip(self.encoded, self.words, strict=True))
        return [of_letter[chr(FIRST_LETTER + number)] for number in numbers.tolist()]

    @cached_property
    def comparison_key(self) -> str:
        """The comparison key; where folding splits words, such as that of fractions, it has other words."""
        return comparison_key(self.text)

    @cached_property
    def padded_words(self) -> str:
        """The words joined by one space, with a space at both ends."""
        return f" {' '.join(self.words)} "

    @cached_property
    def _capitals(self) -> list[str]:
        """The runs of characters between spaces that begin with a capital and follow a letter and one space."""
        runs = self.text.split(" ")
        return [run for before, run in pairwise(runs) if run[:1].isupper() and before[-1:].isalpha()]

    @cached_property
    def names(self) -> frozenset[str]:
        """The words with a capital inside a sentence, folded."""
        return frozenset(_folded(_written_words(" ".join(self._capitals))))

    @cached_property
    def is_cased(self) -> bool:
        """True if capitals inside sentences mark names: a few words have them, not a third as in German."""
        return 0 < len(self._capitals) <= _NAME_SHARE * len(self.words)

    def named(self, start: int, stop: int, names: AbstractSet[str]) -> list[str]:
        """Return those of the words ``start:stop`` that are among `names` and have a capital."""
        words = enumerate(self.words[start:stop], start)
        return [word for number, word in words if word in names and self.text[self.span(number)[0]].isupper()]


def _written_words(text: str) -> list[str]:
    """Return the words of `text` as they are written; those of `dedup.segment.words.word_spans`."""
    if text.isascii():
        return text.encode().translate(_ASCII_WORDS).decode().split()
    if _OTHER_SCRIPTS.search(text) is None:
        return _LATIN_WORD.findall(text)
    return [text[start:stop] for start, stop in word_spans(text)]


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans in `text` of the words that `_written_words` returns."""
    if _OTHER_SCRIPTS.search(text) is None:  # the pattern of all scripts takes a quarter of a second to make
        return (match.span() for match in _LATIN_WORD.finditer(text))
    return word_spans(text)


def _folded(written: list[str]) -> list[str]:
    """Return words as comparison keys hold them."""
    joined = " ".join(written)
    return joined.lower().split() if joined.isascii() else list(map(_fold, written))


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
        count = len(_written_words(text[start : min(stop, start + _LONGEST_LINE)]))
        if text[start:stop].endswith(_LAST_PUNCTUATION) or count > _EDGE_WORDS or head + count > most:
            dateline = _DATELINE.match(text, start, min(stop, start + _DATELINE_CHARACTERS))
            if dateline:
                head += len(_written_words(dateline[0]))
            break
        head, place = head + count, stop
    rest, tail = text.rstrip(), 0
    for _ in range(2):
        line = rest[rest.rfind("\n", -_LONGEST_LINE) + 1 :] if "\n" in rest[-_LONGEST_LINE:] else ""
        count = len(_written_words(line))
        is_source = not line.endswith(_LAST_PUNCTUATION) or _SOURCE_MARK.match(line)
        if not line or not is_source or count > _EDGE_WORDS or tail + count > most:
            break
        rest, tail = rest[: -len(line)].rstrip(), tail + count
    brackets = _END_BRACKETS.search(rest, max(0, len(rest) - 120))
    if brackets:
        tail += len(_written_words(brackets[0]))
    return head, size - tail


def _line(text: str, place: int) -> tuple[int, int]:
    """Return the span of the first line from `place` on that is not blank, without space around it."""
    match = _LINE.search(text, place)
    return match.span() if match else (len(text), len(text))
