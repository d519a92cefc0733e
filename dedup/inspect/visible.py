"""Make invisible characters of a text visible to a person."""

from __future__ import annotations

import re
import unicodedata

WIDE = 100  # columns of a terminal that is wide enough to show two texts side by side
_JOINERS = "\u200c\u200d"  # part of the spelling of Persian, and of emoji
_SYMBOLS = {"\n": "↵", "\t": "⇥", "\r": "␍", "\u00a0": "⍽", "\x7f": "␡"} | {
    chr(code): chr(0x2400 + code) for code in range(32) if code not in {9, 10, 13}
}

_OTHER_THAN_LAYOUT = re.compile(r"[^\n\t\x20-\x7e]+")


def visible(text: str) -> str:
    r"""Return `text` with a symbol or code point in place of each invisible character; ordinary spaces stay.

    >>> visible("a\u00a0b\u00ad\n")
    'a⍽b‹U+00AD›↵'
    """
    return "".join(_SYMBOLS.get(character) or _code_if_invisible(character) for character in text)


def visible_lines(text: str) -> str:
    r"""Return `text` as `visible` does, but with its line feeds and tabs, so that a terminal obeys nothing else in it.

    >>> visible_lines("a\tb\x1b[2J\n")
    'a\tb␛[2J\n'
    """
    return _OTHER_THAN_LAYOUT.sub(lambda match: visible(match[0]), text)


def _code_if_invisible(character: str) -> str:
    if character.isprintable() or character in _JOINERS or unicodedata.category(character) == "Co":
        return character
    return f"‹U+{ord(character):04X}›"
