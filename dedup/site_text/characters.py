"""The classes of characters that the form of a line is described with."""

from __future__ import annotations

from functools import cache

import numpy as np

from dedup.arrays import Bytes

# A class is written as one character, so that regular expressions can describe lines. Its number is its place here.
CHARACTER_CLASSES = 'ol_Ud.E?Q…:,|")@-p'
CLASS_OF = {name: number for number, name in enumerate(CHARACTER_CLASSES)}

_MEMBERS = {
    ".": ".!",  # end a sentence before a space
    "E": "。！｡।॥۔։።။។།",  # end a sentence anywhere
    "?": "?؟",
    "Q": "？",
    "…": "…",
    ":": ":：",
    ",": ",;，、；،؛",
    "|": "|/\\<>·•›‹＞＜．▪■□●○◆◇→←↑↓▶►│｜／*",  # separate links or begin them
    '"': '"“”„«»「」『』',
    ")": ")]}）】》",
    "@": "@",
    "-": "-‐–—−",
    "p": "([{（【《'’‘%&#+=~^_$€£©®™`",
}
_FIRST_UNKNOWN = 0x10000  # characters from here on are of class "o"
_CASED = ((0x41, 0x250), (0x370, 0x590), (0x1E00, 0x2000))  # Latin, Greek, Cyrillic, Armenian; other letters are "o"
_ZERO_DIGITS = (0x30, 0x660, 0x6F0, 0x966, 0xFF10)  # the zeros of ASCII, Arabic, Persian, Devanagari and wide digits
_SPACE_CODES = (
    *range(9, 14),
    *range(28, 33),
    0x85,
    0xA0,
    *range(0x2000, 0x200B),
    0x2028,
    0x2029,
    0x202F,
    0x205F,
    0x3000,
)


@cache
def character_classes() -> Bytes:
    """Return the number of the class of each code point: uint8 [code points].

    >>> "".join(CHARACTER_CLASSES[character_classes()[ord(character)]] for character in "Ab, 5京。")
    'Ul,_doE'
    """
    classes = np.zeros(_FIRST_UNKNOWN, np.uint8)
    for low, high in _CASED:
        for code in range(low, high):
            character = chr(code)
            classes[code] = CLASS_OF["l" if character.islower() else "U" if character.isupper() else "o"]
    for zero in _ZERO_DIGITS:
        classes[zero : zero + 10] = CLASS_OF["d"]
    classes[list(_SPACE_CODES)] = CLASS_OF["_"]
    for name, members in _MEMBERS.items():
        classes[[ord(member) for member in members]] = CLASS_OF[name]
    return classes


class _Translation(dict[int, str]):
    """The class of each code point, for `str.translate`."""

    def __missing__(self, code: int) -> str:
        name = CHARACTER_CLASSES[character_classes()[code]] if code < _FIRST_UNKNOWN else "o"
        self[code] = name
        return name


_translation = _Translation()


def classes_of(text: str) -> str:
    """Return the class of each character of `text`.

    >>> classes_of("12 Comments | Share…")
    'dd_Ulllllll_|_Ullll…'
    """
    return text.translate(_translation)
