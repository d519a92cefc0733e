"""The offsets at which the words of a text start, found character by character.

`dedup.segment.words` folds a text and splits the result, so it does not know where in the original text a word starts.
Most characters fold in the same way whatever their neighbours are. Each of those is a part of a word, a word by itself,
or no word character. Combining marks, and characters that fold to several words (“½”), depend on their neighbours:
their offsets are returned separately, as undecided.
"""

from __future__ import annotations

import unicodedata

import numpy as np

from dedup.arrays import I64, U32, Bytes
from dedup.segment.words import is_unspaced, words

# The classes of characters: between words, part of a word, a word by itself, dependent on its neighbours.
BETWEEN_WORDS, WORD_PART, WHOLE_WORD, UNDECIDED, UNCLASSIFIED = range(5)
_CLASS_OF_CODE_POINT = np.full(0x110000, UNCLASSIFIED, np.uint8)  # filled in when a character is first met


def word_starts(text: str) -> tuple[I64, I64]:
    """Return the offsets in `text` at which words start, and those of undecided characters.

    Both are int64 [count], in code points, ascending. A word may extend across an undecided character, so a start next
    to it is not certain.

    >>> [offsets.tolist() for offsets in word_starts("It’s 北京 at 4½")]
    [[0, 3, 5, 6, 8, 11], [12]]
    """
    classes = word_classes(code_points(text))
    is_letter = classes == WORD_PART
    starts = is_letter.copy()
    starts[1:] &= ~is_letter[:-1]
    starts |= classes == WHOLE_WORD
    return np.flatnonzero(starts), np.flatnonzero(classes == UNDECIDED)


def code_points(text: str) -> U32:
    """Return the code point of each character of `text`: uint32 [characters]."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def word_classes(codes: U32) -> Bytes:
    """Return the class of each character: uint8 [characters]; `codes` are their code points, uint32 [characters]."""
    classes = _CLASS_OF_CODE_POINT[codes]
    if (classes == UNCLASSIFIED).any():
        for code in np.unique(codes[classes == UNCLASSIFIED]).tolist():
            _CLASS_OF_CODE_POINT[code] = _classify_character(chr(code))
        classes = _CLASS_OF_CODE_POINT[codes]
    return classes


def _classify_character(character: str) -> int:
    """Return the class of a character, whatever its neighbours are.

    A combining mark, or a character that folds to one, is `UNDECIDED`: it may join the character before it.

    >>> [_classify_character(character) for character in (" ", "’", "´", "ß", "京", "½", "\u0301", "\uff9e")] == [
    ...     BETWEEN_WORDS, BETWEEN_WORDS, BETWEEN_WORDS, WORD_PART, WHOLE_WORD, *[UNDECIDED] * 3
    ... ]
    True
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", character).casefold())
    if not words(character) and unicodedata.category(folded[0])[0] != "M":
        return BETWEEN_WORDS
    if any(unicodedata.category(part)[0] == "M" for part in character + folded):
        return UNDECIDED
    if len(folded) > 1 and words(character) != [folded]:
        return UNDECIDED
    return WHOLE_WORD if is_unspaced(folded[0]) else WORD_PART
