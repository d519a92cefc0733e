"""Tell another spelling of a word, or a typing error, from another word; fold letters that writers use alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from dedup.arrays import I64, Bytes, decode_utf8, encode_utf8, offsets_of
from dedup.segment.words import has_digit, is_unspaced

LONG_WORD = 8  # letters: two of them may differ, in shorter words one


# Letters that writers use for each other: Arabic alef with and without hamza, alef maksura and yeh, ta marbuta and heh,
# the Persian and Urdu forms of kaf, yeh and heh, Cyrillic ё and е, Greek vowels with and without tonos.
_ALIKE = str.maketrans("أإآٱىیةکہёάέήίόύώΐΰ", "ااااييهكهеαεηιουωϊϋ")
# Marks of short vowels, tanwin and shadda, tatweel, superscript alef; Hebrew points.
_FOLDED_LETTERS = re.compile(
    "[أإآٱىیةکہёάέήίόύώΐΰ]+|[ـ\u064b-\u0652\u0670\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]+"
)
_FIRST_BYTE, _LAST_BYTE = 0xCE, 0xDB  # with which the letters of Greek, Cyrillic, Hebrew and Arabic begin in UTF-8
_BREAK = ord("\n")  # in no word


def fold_spellings(folded: Bytes, ends: I64) -> tuple[Bytes, I64]:
    """Return words without the differences of spelling that writers do not mean; the arguments are words, too.

    Word w is ``folded[ends[w]:ends[w + 1]]``, lower-case UTF-8: uint8 [bytes], int64 [words + 1]. A word of nothing but
    marks stays as it is.

    >>> data = np.frombuffer("أحمدёлка".encode(), np.uint8)
    >>> fold_spellings(data, np.array([0, 8, 16]))[0].tobytes().decode()
    'احمدелка'
    """
    if not ((folded >= _FIRST_BYTE) & (folded <= _LAST_BYTE)).any():
        return folded, ends
    text = decode_utf8(np.insert(folded, ends[1:-1], _BREAK).tobytes())
    if not _FOLDED_LETTERS.search(text):
        return folded, ends
    words = _FOLDED_LETTERS.sub(lambda match: _fold_letters(match[0]), text).split("\n")
    if not all(words):
        data = folded.tobytes()
        given = (data[start:stop] for start, stop in pairwise(ends.tolist()))
        words = [word or decode_utf8(old) for word, old in zip(words, given, strict=True)]
    encoded = list(map(encode_utf8, words))
    return np.frombuffer(b"".join(encoded), np.uint8), offsets_of(list(map(len, encoded)))


def _fold_letters(letters: str) -> str:
    """Return letters that have a plain form in that form, and nothing for marks."""
    folded = letters.translate(_ALIKE)
    return folded if folded != letters else ""


def is_same_word(words: Sequence[str], others: Sequence[str]) -> bool:
    """Return True if two runs of words are the same words in another spelling, or mistyped.

    >>> is_same_word(["colour"], ["color"]), is_same_word(["1", "000"], ["1000"]), is_same_word(["west"], ["east"])
    (True, True, False)
    """
    one, other = "".join(words), "".join(others)
    if one == other or (len(words) > 1 and sorted(words) == sorted(others)):
        return True
    if any(map(has_digit, (one, other))) or is_unspaced(one[0]) or is_unspaced(other[0]):
        return False
    size = max(len(one), len(other))
    if one[0] != other[0] and one[:2] != other[1::-1]:
        return False
    return size >= 4 and _edit_distance(one, other) <= (1 if size < LONG_WORD else 2)


def _edit_distance(one: str, other: str) -> int:
    """Return how many letters must be changed, inserted, removed or exchanged with the next; 3 stands for more."""
    if abs(len(one) - len(other)) > 2 or len(set(one) ^ set(other)) > 4:  # two changes make at most four letters differ
        return 3
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, other_letter in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other_letter))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == other_letter:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return min(row[-1], 3)
