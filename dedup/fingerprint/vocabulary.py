"""Numbers for the distinct words of many texts, and the letters of each word."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from dedup.arrays import I32, I64, Bytes, decode_utf8, with_room
from dedup.segment.words import has_digit

LETTER_BITS = 21  # of a code point
BEGINNING = 3  # letters
DIGIT_BITS = 6  # for the number of times that a word has a digit
# Columns of the letters of words.
LENGTH, BEGINS, LETTERS, DIGITS, IS_NUMBER = range(5)
LETTER_COLUMNS = 5


class Vocabulary:
    """The words of many texts; equal words have one number, in order of appearance.

    Attributes:
        letters: what each word is made of, int64 [words or more, `LETTER_COLUMNS`]: the number of its letters; a number
            for the first `BEGINNING` of them; which letters it has, as bits; a number for its digits, whatever their
            order, which adds up over words; and 1 if it has a digit.
    """

    def __init__(self) -> None:
        self.letters = np.zeros((0, LETTER_COLUMNS), np.int64)
        self._number_of: dict[bytes, int] = {}
        self._words: list[str] = []

    def __len__(self) -> int:
        return len(self._words)

    def word(self, number: int) -> str:
        """Return the word of this number."""
        return self._words[number]

    def number(self, folded: Bytes, ends: I64) -> I32:
        """Return the numbers of words, int32 [words], and add the new ones.

        Word w is ``folded[ends[w]:ends[w + 1]]``, UTF-8: uint8 [bytes], int64 [words + 1].
        """
        data, number_of = folded.tobytes(), self._number_of
        words = [data[start:stop] for start, stop in pairwise(ends.tolist())]
        numbers = [number_of.setdefault(word, len(number_of)) for word in words]
        new = list(map(decode_utf8, list(number_of)[len(self._words) :]))
        self.letters = with_room(self.letters, len(number_of))
        for number, word in enumerate(new, len(self._words)):
            self.letters[number] = word_letters(word)
        self._words += new
        return np.array(numbers, np.int32)


def word_letters(word: str) -> tuple[int, ...]:
    """Return what a word is made of: a row of `Vocabulary.letters`."""
    beginning = sum(ord(letter) << LETTER_BITS * place for place, letter in enumerate(word[:BEGINNING]))
    letters = sum({1 << (ord(letter) & 63) for letter in word})
    digits = sum(1 << DIGIT_BITS * int(letter) for letter in word if letter.isdecimal())
    return len(word), beginning, _signed(letters), _signed(digits), has_digit(word)


def _signed(value: int) -> int:
    """Return the int64 that has the last 64 bits of `value`."""
    value %= 1 << 64
    return value - (value >> 63 << 64)
