"""What `dedup.kernels.segments` has to know of each character, as arrays.

Folding is defined on whole texts (`dedup.segment.words`). Nearly all characters fold by themselves, whatever stands
beside them; here is what they become. The others are `HARD`: what joins with the character before it, and what is
sorted by canonical order. A paragraph with one of those is left to the definition.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.kernels.table_cache import kept
from dedup.segment.words import CJK_START, UNSPACED

CODES = 0x30000  # higher planes hold tags, private use and the rarest of Han: hard, all of them
BREAK, SPACED, EAST, SOUTH, MARK = range(5)  # no word character; part of a word; a word by itself; goes with the letter
HARD, ITSELF = -1, -2
IS_SPACE, IS_MARK, IS_LONE, ENDS_SORTED = 1, 2, 4, 8


class Characters(NamedTuple):
    """One value per code point below `CODES`.

    `becomes` is `HARD`, or `ITSELF`, or where in `stream` its folding is told: a count, then for each character of the
    folding its class, how many bytes it has and its bytes: int32. `classes` is the class of one that stays itself:
    uint8. `flags`: `IS_SPACE` where `str.isspace`; `IS_MARK` where a combining mark; `IS_LONE` where canonical order
    would sort it among its like, so that it is hard behind another that `ENDS_SORTED`: uint8.
    """

    becomes: npt.NDArray[np.int32]
    classes: npt.NDArray[np.uint8]
    flags: npt.NDArray[np.uint8]
    stream: npt.NDArray[np.uint8]


@kept(Characters)
def characters() -> Characters:
    """The arrays for the Unicode version of this Python."""
    alone = [chr(code) for code in range(CODES)]
    alone[10] = " "  # the separator of what is folded at once; it folds to itself
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
    """The class of each character, and whether it is a combining mark."""
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
    """Every character that composition may join with the one before it."""
    found = {chr(code) for code in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))}  # Hangul
    for code in range(CODES):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and parts[0][0] != "<":
            found.add(chr(int(parts[1], 16)))
    return frozenset(found)
