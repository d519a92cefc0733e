"""Tables of what each character is folded to, for `dedup.kernels.segments`.

Folding is defined on whole texts, by `dedup.segment.words`. Nearly all characters fold by themselves, whatever their
neighbours are. The others are "hard": those that join with the character before them, and those that canonical ordering
may move. A paragraph with a hard character is left to the definition.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.kernels.table_cache import cached_table
from dedup.segment.words import CJK_START, DECORATIONS, TRADE_MARKS, UNSPACED

CODES = 0x30000  # higher planes hold tags, private use and the rarest Han characters, which are all hard
# Classes: part of no word; part of a word; a word by itself, CJK or Southeast Asian; part of the letter before it.
BREAK, SPACED, EAST, SOUTH, MARK = range(5)
HARD, ITSELF = -1, -2  # in `Characters.becomes`
IS_SPACE, IS_MARK, IS_LONE, ENDS_SORTED, IS_REMOVED = 1, 2, 4, 8, 16  # bits of `Characters.flags`


class Characters(NamedTuple):
    """One value for each code point below `CODES`, and the foldings.

    Attributes:
        becomes: `HARD`, `ITSELF`, or where the folding starts in `stream`, int32 [CODES].
        classes: the class of a character that becomes itself, uint8 [CODES].
        flags: `IS_SPACE` if ``str.isspace`` is true; `IS_MARK` for a combining mark; `IS_LONE` if canonical ordering
            may move the character, so that it is hard behind one that `ENDS_SORTED`; `IS_REMOVED` if the definition
            removes it first. uint8 [CODES].
        stream: for each folding the number of its characters, and for each of these the class, the number of bytes and
            the bytes in UTF-8, uint8 [bytes].
    """

    becomes: npt.NDArray[np.int32]
    classes: npt.NDArray[np.uint8]
    flags: npt.NDArray[np.uint8]
    stream: npt.NDArray[np.uint8]


@cached_table(Characters)
def characters() -> Characters:
    """Return the tables for the Unicode version of this Python."""
    alone = [chr(code) for code in range(CODES)]
    alone[10] = " "  # the line break separates characters below; it folds to itself
    once = unicodedata.normalize("NFKC", "\n".join(alone)).split("\n")
    folded = "\n".join(once).casefold().split("\n")
    twice = unicodedata.normalize("NFKC", "\n".join(folded)).split("\n")
    is_sorted = np.fromiter(map(unicodedata.combining, alone), np.uint8, CODES) > 0
    classes, is_mark = _classes_and_marks(alone)
    becomes = np.full(CODES, ITSELF, np.int32)
    flags = np.where(is_mark, IS_MARK, 0).astype(np.uint8)
    flags[[code for code, character in enumerate(alone) if character.isspace()]] |= IS_SPACE
    flags[is_sorted] |= IS_LONE | ENDS_SORTED
    for low, high in DECORATIONS:
        if low < CODES:
            flags[low : high + 1] = IS_REMOVED
    joining = _joining_characters()
    becomes[[ord(character) for character in joining]] = HARD
    stream = bytearray()
    changed = [code for code, (character, folding) in enumerate(zip(alone, twice, strict=True)) if character != folding]
    for code in changed:
        if code in TRADE_MARKS:
            continue  # it stays, and is part of no word
        forms = (alone[code], once[code], folded[code], twice[code])
        if any(form[0] in joining or is_sorted[ord(form[0])] for form in forms):
            becomes[code] = HARD
            continue
        if any(is_sorted[ord(form[-1])] for form in forms):
            flags[code] |= ENDS_SORTED
        becomes[code] = len(stream)
        stream.append(len(forms[3]))
        for part in forms[3]:
            encoded = part.encode("utf-8", "surrogatepass")
            stream += bytes((classes[ord(part)], len(encoded))) + encoded
    return Characters(becomes, classes, flags, np.frombuffer(bytes(stream), np.uint8))


def _classes_and_marks(characters_: list[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Return the class of each character, uint8 [CODES], and True for each combining mark, bool [CODES]."""
    categories = np.array([ord(category[0]) for category in map(unicodedata.category, characters_)], np.uint8)
    marks = categories == ord("M")
    classes = np.full(CODES, BREAK, np.uint8)
    classes[[code for code, character in enumerate(characters_) if character.isalnum()]] = SPACED
    for low, high in UNSPACED:
        letters = np.flatnonzero(categories[low : high + 1] == ord("L")) + low
        classes[letters] = np.where(letters > CJK_START, EAST, SOUTH)
    classes[marks] = MARK
    return classes, marks


def _joining_characters() -> frozenset[str]:
    """Return every character that composition may join with the character before it."""
    joining = {chr(code) for code in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))}  # Hangul
    for code in range(CODES):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and parts[0][0] != "<":
            joining.add(chr(int(parts[1], 16)))
    return frozenset(joining)
