"""The distinct words of texts as arrays, for comparing many texts at once."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, U64, Bools
from dedup.match.form_text import FIRST_LETTER, LONG_TEXT, FormText
from dedup.segment.words import has_digit

LETTER_BITS = 21  # of a code point
# Of long texts, so many words at either end may be a headline, byline or contact. Of 5 pairs of press releases whose
# names were compared there, 3 were copies.
_WIDE_EDGE = 24

_Value = TypeVar("_Value", bound=np.generic)


class WordProfile(NamedTuple):
    """Distinct words of a text, one value for each: words that are equal in two texts of one encoding have one number.

    Attributes:
        words: the number of the word, int64.
        counts: how often the text has it between its edges, int64.
        places: where it has it first between its edges, or -1, int64.
        are_names: whether it has a capital inside a sentence, bool.
        are_inside: whether the text has it several times, or not near an end where there may be more headlines, bool.
    """

    words: I64
    counts: I64
    places: I64
    are_names: Bools
    are_inside: Bools

    @classmethod
    def of(cls, text: FormText) -> WordProfile:
        """Return the words of a text."""
        numbers = _word_numbers(text.encoded)
        words = np.unique(numbers)
        size = len(numbers)
        inside, firsts, inside_counts = np.unique(numbers[text.head : text.tail], return_index=True, return_counts=True)
        counts, places = np.zeros(len(words), np.int64), np.full(len(words), -1)
        at = np.searchsorted(words, inside)
        counts[at], places[at] = inside_counts, firsts + text.head
        edge = _WIDE_EDGE if size >= LONG_TEXT else 0
        are_inside = (counts > 1) | ((places >= edge) & (places < size - edge))
        return cls(words, counts, places, np.isin(words, _word_numbers(text.encode(text.names))), are_inside)

    def at(self, chosen: I64 | Bools | slice) -> WordProfile:
        """Return the words at some places."""
        columns: Any = (column[chosen] for column in self)
        return WordProfile(*columns)


class WordLetters(NamedTuple):
    """The letters of words, one value for each.

    Attributes:
        lengths: the number of letters, int64.
        beginnings: a number for the first three letters, int64.
        letters: which letters it has, as bits, uint64.
        digits: a number for its digits, whatever their order; it adds up over words, uint64.
        are_numbers: whether it has a digit, bool.
    """

    lengths: I64
    beginnings: I64
    letters: U64
    digits: U64
    are_numbers: Bools

    @classmethod
    def of(cls, words: list[str]) -> WordLetters:
        """Return what `words` are made of."""
        codes = np.array(list(map(_letter_codes, words)), np.uint64).reshape(-1, 3)
        return cls(
            lengths=np.array(list(map(len, words)), np.int64),
            beginnings=codes[:, 0].astype(np.int64),
            letters=codes[:, 1],
            digits=codes[:, 2],
            are_numbers=np.array(list(map(has_digit, words)), bool),
        )

    def at(self, words: I64) -> WordLetters:
        """Return the values of the words of these numbers."""
        columns: Any = (column[words] for column in self)
        return WordLetters(*columns)


def with_room(values: npt.NDArray[_Value], size: int) -> npt.NDArray[_Value]:
    """Return an array of `size` or more values that begins with `values`; it is at least doubled if it grows."""
    if size <= len(values):
        return values
    return np.concatenate([values, np.zeros(max(size - len(values), len(values)), values.dtype)])


def _word_numbers(encoded: str) -> I64:
    """Return the numbers of encoded words: int64 [words]."""
    return np.frombuffer(encoded.encode("utf-32-le"), np.uint32).astype(np.int64) - FIRST_LETTER


def _letter_codes(word: str) -> tuple[int, int, int]:
    """Return numbers for the first three letters of a word, for the set of its letters, and for its digits."""
    beginning = sum(ord(letter) << LETTER_BITS * place for place, letter in enumerate(word[:3]))
    letters = sum({1 << (ord(letter) & 63) for letter in word})
    digits = sum(1 << 6 * int(letter) for letter in word if letter.isdecimal()) % (1 << 64)
    return beginning, letters, digits
