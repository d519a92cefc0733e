"""Tables of the characters of Unicode, as the kernel that folds texts needs them.

A character is "hard" if it cannot be folded by itself: it folds to several words, or normalization joins it with
others. Tables depend on the Unicode version of Python and are cached on disk.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.kernels.table_cache import cached_table
from dedup.segment.words import CJK_START, UNSPACED

CODES = 0x30000  # higher planes hold tags, private use and the rarest Han characters, which are all hard
# Classes: no word character; part of a word; a word by itself (CJK, Southeast Asian); combining mark.
BREAK, SPACED, EAST, SOUTH, MARK = range(5)
HARD, ITSELF = -1, -2
IS_SPACE, IS_MARK, IS_LONE, ENDS_SORTED = 1, 2, 4, 8


class Characters(NamedTuple):
    """One value per code point below `CODES`.

    Attributes: becomes: `HARD`, `ITSELF`, or the offset in `stream` of the folding, int32 [CODES]. A folding is a
    count, then for each of its characters the class, the number of bytes, and the bytes in UTF-8. classes: the class
    of a character that folds to itself, uint8 [CODES]. flags: uint8 [CODES]. `IS_SPACE` if ``str.isspace``; `IS_MARK`
    for a combining mark; `IS_LONE` if canonical ordering may move the character, so that it is hard after one with
    `ENDS_SORTED`. stream: the foldings, uint8 [bytes].
    """

    becomes: npt.NDArray[np.int32]
    classes: npt.NDArray[np.uint8]
    flags: npt.NDArray[np.uint8]
    stream: npt.NDArray[np.uint8]


@cached_table(Characters)
def characters() -> Characters:
    """Return the tables for the Unicode version of this Python."""
    alone = [chr(code) for code in range(CODES)]
    alone[10] = " "  # the separator below; it folds to itself
    once = unicodedata.normalize("NFKC", "\n".join(alone)).split("\n")
    folded = "\n".join(once).casefold().split("\n")
    twice = unicodedata.normalize("NFKC", "\n".join(folded)).split("\n")
    sorted_ = np.fromiter(map(unicodedata.combining, alone), np.uint8, CODES) > 0
    classes, is_mark = _classes(alone)
    becomes = np.full(CODES, ITSELF, np.int32)
    flags = np.where(is_mark, IS_MARK, 0).astype(np.uint8)
    flags[[code for code, character in enumerate(alone) if character.isspace()]] |= IS_SPACE
    flags[sorted_] |= IS_LONE | ENDS_SORTED
    seconds = _seconds()
    becomes[[ord(character) for character in seconds]] = HARD
    stream = bytearray()
    for code in [code for code, (one, two) in enumerate(zip(alone, twice, strict=True)) if one != two]:
        forms = (alone[code], once[code], folded[code], twice[code])
        if any(form[0] in seconds or sorted_[ord(form[0])] for form in forms):
            becomes[code] = HARD
            continue
        if any(sorted_[ord(form[-1])] for form in forms):
            flags[code] |= ENDS_SORTED
        becomes[code] = len(stream)
        stream.append(len(forms[3]))
        for part in forms[3]:
            own = part.encode("utf-8", "surrogatepass")
            stream += bytes((classes[ord(part)], len(own))) + own
    return Characters(becomes, classes, flags, np.frombuffer(bytes(stream), np.uint8))


def _classes(characters_: list[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Return the class of each character, and whether it is a combining mark."""
    categories = np.array([ord(category[0]) for category in map(unicodedata.category, characters_)], np.uint8)
    marks = categories == ord("M")
    classes = np.full(CODES, BREAK, np.uint8)
    classes[[code for code, character in enumerate(characters_) if character.isalnum()]] = SPACED
    classes[ord("_")] = SPACED
    for low, high in UNSPACED:
        letters = np.flatnonzero(categories[low : high + 1] == ord("L")) + low
        classes[letters] = np.where(letters > CJK_START, EAST, SOUTH)
    classes[marks] = MARK
    return classes, marks


def _seconds() -> frozenset[str]:
    """Return every character that composition may join with the character before it."""
    found = {chr(code) for code in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))}  # Hangul
    for code in range(CODES):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and parts[0][0] != "<":
            found.add(chr(int(parts[1], 16)))
    return frozenset(found)
