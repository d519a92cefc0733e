"""Text shown to a person with invisible characters made visible."""

from __future__ import annotations

import unicodedata

WIDE = 100  # columns from which a text and its twin stand side by side
_JOINERS = "\u200c\u200d"  # part of the spelling of Persian, and of emoji
_VISIBLE = {"\n": "↵", "\t": "⇥", "\r": "␍", "\u00a0": "⍽", "\x7f": "␡"} | {
    chr(code): chr(0x2400 + code) for code in range(32) if code not in {9, 10, 13}
}


def visible(text: str) -> str:
    r"""`text` with every character visible that has no shape of its own; ordinary spaces stay.

    >>> visible("a\u00a0b\u00ad\n")
    'a⍽b‹U+00AD›↵'
    """
    return "".join(_VISIBLE.get(character) or _shape(character) for character in text)


def _shape(character: str) -> str:
    if character.isprintable() or character in _JOINERS or unicodedata.category(character) == "Co":
        return character
    return f"‹U+{ord(character):04X}›"
