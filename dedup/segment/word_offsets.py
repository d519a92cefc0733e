"""Where the words of a text begin, told character by character.

`dedup.segment.words` folds a text and looks for words in what comes out; how many there are up to some place of the
text itself, it does not say. Most characters fold by themselves, whatever stands beside them, and each is a part of a
word, a word, or none. Combining marks are not like that, nor are characters that fold to several words (“½”): where
one of them stands, nothing is said here.
"""

from __future__ import annotations

import unicodedata

import numpy as np

from dedup.arrays import I64, Bytes
from dedup.segment.words import is_unspaced, words

SPACE, LETTER, WORD, UNSURE, _NEW = range(5)  # between words, a part of one, one by itself
_CHARACTERS = np.full(0x110000, _NEW, np.uint8)  # what each is; filled in when it is met


def word_starts(text: str) -> tuple[I64, I64]:
    """The places of `text` where words begin, and those that nothing is said about.

    >>> [found.tolist() for found in word_starts("It’s 北京 at 4½")]
    [[0, 3, 5, 6, 8, 11], [12]]
    """
    told = _kinds(text)
    inside = told == LETTER
    starts = inside.copy()
    starts[1:] &= ~inside[:-1]
    starts |= told == WORD
    return np.flatnonzero(starts), np.flatnonzero(told == UNSURE)


def _kinds(text: str) -> Bytes:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    told = _CHARACTERS[codes]
    if (told == _NEW).any():
        for code in np.unique(codes[told == _NEW]).tolist():
            _CHARACTERS[code] = _kind(chr(code))
        told = _CHARACTERS[codes]
    return told


def _kind(character: str) -> int:
    """What a character is, whatever stands beside it; a mark, or what folds to one, may join what is before it.

    >>> [_kind(character) for character in (" ", "’", "ß", "京", "½", "\u0301", "\uff9e")] == [
    ...     SPACE, SPACE, LETTER, WORD, UNSURE, UNSURE, UNSURE
    ... ]
    True
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", character).casefold())
    if any(unicodedata.category(one)[0] == "M" for one in character + folded):
        return UNSURE
    if not any(one.isalnum() or one == "_" for one in folded):
        return SPACE
    if len(folded) > 1 and words(character) != [folded]:
        return UNSURE
    return WORD if is_unspaced(folded[0]) else LETTER
