"""Number the distinct words of many texts: the compiled version of `dedup.fingerprint.vocabulary`.

The words are in a hash table, and those of one hash are compared byte by byte, so that collisions have no effect.
"""

from __future__ import annotations

import numpy as np

from dedup.arrays import I32, I64, Bytes, decode_utf8, with_room
from dedup.fingerprint.vocabulary import (
    BEGINNING,
    BEGINS,
    DIGIT_BITS,
    DIGITS,
    IS_NUMBER,
    LENGTH,
    LETTER_BITS,
    LETTER_COLUMNS,
    LETTERS,
    word_letters,
)
from dedup.kernels.buckets import capacity
from dedup.kernels.constants import FNV_OFFSET, FNV_PRIME, HASH_SHIFT, SHINGLE_BASE
from dedup.kernels.declare import kernel

_ZERO_DIGIT, _NINE_DIGIT = ord("0"), ord("9")


@kernel("uint8[:], int64[:], int64, +int64[:], +uint8[:], +int64[:], +int32[:]", returns="int64")
def _write_numbers(folded: Bytes, ends: I64, count: int, table: I64, data: Bytes, borders: I64, numbers: I32) -> int:
    """Write the number of each word to `numbers`, and return how many words are known now; `count` were before.

    Word w is ``folded[ends[w]:ends[w + 1]]``: uint8 [bytes], int64 [words + 1]. The known words are in `data`, with
    `borders`, and in the hash `table`, int64 [a power of two], -1 where empty; all have room for the new ones.
    """
    mask = len(table) - 1
    for word in range(len(ends) - 1):
        start = ends[word]
        size = ends[word + 1] - start
        value = FNV_OFFSET
        for at in range(start, start + size):
            value = (value ^ np.uint64(folded[at])) * FNV_PRIME
        slot = np.int64((value * SHINGLE_BASE) >> HASH_SHIFT) & mask
        number = table[slot]
        while number >= 0:
            border = borders[number]
            if borders[number + 1] - border == size:
                same = 0
                while same < size and data[border + same] == folded[start + same]:
                    same += 1
                if same == size:
                    break
            slot = (slot + 1) & mask
            number = table[slot]
        if number < 0:
            number = count
            table[slot] = number
            border = borders[number]
            for at in range(size):
                data[border + at] = folded[start + at]
            count += 1
            borders[count] = border + size
        numbers[word] = number
    return count


@kernel("uint8[:], int64[:], int64, int64, +int64[:,:]")
def _write_letters(data: Bytes, borders: I64, first: int, count: int, letters: I64) -> None:
    """Write what the words ``first:count`` are made of to `letters`, int64 [words, columns].

    A length of -1 stands for a word that is not ASCII. The words are in `data`, uint8 [bytes], with `borders`.
    """
    for word in range(first, count):
        start, stop = borders[word], borders[word + 1]
        beginning, kinds, digits = np.int64(0), np.int64(0), np.int64(0)
        not_ascii, is_number = np.int64(0), np.int64(0)
        for at in range(start, stop):
            code = np.int64(data[at])
            not_ascii |= code >> 7
            if at < start + BEGINNING:
                beginning |= code << LETTER_BITS * (at - start)
            kinds |= np.int64(1) << (code & 63)
            if _ZERO_DIGIT <= code <= _NINE_DIGIT:
                digits += np.int64(1) << DIGIT_BITS * (code - _ZERO_DIGIT)
                is_number = np.int64(1)
        letters[word, LENGTH] = -1 if not_ascii else stop - start
        letters[word, BEGINS], letters[word, LETTERS] = beginning, kinds
        letters[word, DIGITS], letters[word, IS_NUMBER] = digits, is_number


class Vocabulary:
    """The compiled version of `dedup.fingerprint.vocabulary.Vocabulary`, with the same numbers and letters."""

    def __init__(self) -> None:
        self.letters = np.zeros((0, LETTER_COLUMNS), np.int64)
        self._count = 0
        self._words: dict[int, str] = {}  # those that were asked for
        self._table = np.full(2, -1, np.int64)
        self._data = np.zeros(0, np.uint8)
        self._borders = np.zeros(1, np.int64)

    def __len__(self) -> int:
        return self._count

    def word(self, number: int) -> str:
        """Return the word of this number."""
        if number not in self._words:
            start, stop = self._borders[number : number + 2]
            self._words[number] = decode_utf8(self._data[start:stop].tobytes())
        return self._words[number]

    def number(self, folded: Bytes, ends: I64) -> I32:
        """Return the numbers of words, int32 [words], and add the new ones.

        Word w is ``folded[ends[w]:ends[w + 1]]``, UTF-8: uint8 [bytes], int64 [words + 1].
        """
        numbers = np.empty(len(ends) - 1, np.int32)
        self._make_room(len(numbers), len(folded))
        known = self._count
        self._count = _write_numbers(folded, ends, known, self._table, self._data, self._borders, numbers)
        self.letters = with_room(self.letters, self._count)
        _write_letters(self._data, self._borders, known, self._count, self.letters)
        for number in (np.flatnonzero(self.letters[known : self._count, LENGTH] < 0) + known).tolist():
            self.letters[number] = word_letters(self.word(number))
        return numbers

    def _make_room(self, words: int, size: int) -> None:
        """Make room for so many new words, of so many bytes in all."""
        most = self._count + words
        self._borders = with_room(self._borders, most + 1)
        self._data = with_room(self._data, int(self._borders[self._count]) + size)
        if capacity(most) > len(self._table):
            self._table = np.full(capacity(2 * most), -1, np.int64)
            ends = self._borders[: self._count + 1]
            _write_numbers(
                self._data,
                ends,
                0,
                self._table,
                np.empty_like(self._data),
                self._borders.copy(),
                np.empty(self._count, np.int32),
            )
