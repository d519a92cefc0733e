"""The kind of each character in the search for facts: a part of a word or number, a mark of numbers, or neither."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import NamedTuple

from dedup.segment.words import TRADE_MARKS

# Kinds of characters. Those from `LETTER` on are parts of words, and those from `PLAIN_DIGIT` on of numbers.
BREAK, SPACE, LINE_END, IGNORED, INNER, POINT, DASH, PLUS, SLASH, SIGN, UNIT, SHARP, LETTER = range(13)
PLAIN_DIGIT, SUPERSCRIPT, SUBSCRIPT, ENCLOSED, FRACTION = range(13, 18)
NO_WORD = 0  # in place of the kind of a character of a word, where there is no word
FIRST_UNKNOWN, LAST_UNKNOWN_LETTER = 0x30000, 0x3FFFF  # planes of the rarest Han letters; what is above them is ignored

OR_EQUAL = 1 << 21  # in `Character.code`, above any code point: "≤" is "<" and "="

_ENDING_LINES = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
# What a character becomes as a mark, for each kind; a character that is not named becomes itself. Both forms of a row
# are written for one thing, so that they are equal.
_MARKS: dict[int, dict[str, str]] = {
    # between two digits and nothing else: decimal and thousands marks, hours, dots of dates
    POINT: {".": ".\u066b", ",": ",\u060c\u066c\ufe50", ":": ":\u2236\ua789", "·": "·⋅‧∙", "^": "^", "…": "…‥"},
    # the same, and no more than formatting anywhere else
    INNER: {"'": "'’‘‛´`", "*": "*", "_": "_"},
    PLUS: {"+": "+"},
    SLASH: {"/": "/∕⁄"},
    SIGN: {
        "~": "~∼〜≈≃≅≋～",
        "<": "<≺⩽≤≦",
        ">": ">≻⩾≥≧",
        "=": "=",
        "±": "±",
        "×": "×✕✖⨯",
        "÷": "÷",
        "↑": "↑▲△⬆⇧🔺",
        "↓": "↓▼▽⬇⇩🔻",
    },
    UNIT: {"%": "%\u066a", "°": "°˚℃℉", "‰": "‰\u0609", "′": "′", "″": "″", "‴": "‴"},
    SHARP: {"#": "#♯", "♭": "♭"},
}
_OR_EQUAL = "⩽≤≦⩾≥≧"
_NO_SIGNS = "|\\¬"  # mathematical symbols that are separators
_QUOTES = '"“”„‟«»‹›「」『』'


class Character(NamedTuple):
    """The role of a character in the search for marks.

    Attributes:
        kind: one of the kinds above.
        code: the code point of its mark; of a `LETTER`, that of an ASCII letter it folds to, else 0; of a `FRACTION`,
            the number of digits of its numerator.
        digits: the number of digits that it folds to.
    """

    kind: int
    code: int
    digits: int


def classify(character: str) -> Character:
    """Return what a character is in the search for marks, whatever its neighbours are.

    >>> classify("５") == classify("5") == Character(PLAIN_DIGIT, 0, 1), classify("½") == Character(FRACTION, 1, 2)
    (True, True)
    """
    code = ord(character)
    if code >= FIRST_UNKNOWN:
        return Character(LETTER if code <= LAST_UNKNOWN_LETTER else IGNORED, 0, 0)
    if character.isspace():
        return Character(LINE_END if character in _ENDING_LINES else SPACE, 0, 0)
    named = _named_marks().get(character)
    if named:
        return named
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", character).casefold())
    if code not in TRADE_MARKS and any(map(str.isalnum, folded)):
        return _classify_letters(character, folded)
    return _classify_symbol(folded if len(folded) == 1 else character)


def _classify_letters(character: str, folded: str) -> Character:
    """Return what a character is that folds to letters or digits."""
    digits = sum(map(str.isdecimal, folded))
    if not digits:
        return Character(LETTER, ord(folded) if len(folded) == 1 and folded.isascii() else 0, 0)
    numerator, slash, denominator = folded.partition("⁄")
    if len(numerator) + len(denominator) > digits:
        return Character(LETTER, 0, digits)
    return Character(FRACTION, len(numerator), digits) if slash else Character(_kind_of_digit(character), 0, digits)


def _classify_symbol(character: str) -> Character:
    """Return what a character is that is no part of a word."""
    named = _named_marks().get(character)
    if named:
        return named
    category = unicodedata.category(character)
    if category == "Pd" or character == "\u2212":
        return Character(DASH, ord("-"), 0)
    if category[0] == "M" or category in ("Cf", "Cc", "Cs") or character in _QUOTES:
        return Character(IGNORED, 0, 0)
    if category == "Sc":
        return Character(UNIT, ord(character), 0)
    if category == "Sm" and character not in _NO_SIGNS:
        return Character(SIGN, ord(character), 0)
    return Character(BREAK, 0, 0)


def _kind_of_digit(character: str) -> int:
    """Return the kind of a character that folds to digits alone."""
    if unicodedata.category(character) == "Nd":
        return PLAIN_DIGIT
    tag = unicodedata.decomposition(character).partition(" ")[0]
    return {"<super>": SUPERSCRIPT, "<sub>": SUBSCRIPT}.get(tag, ENCLOSED)


@cache
def _named_marks() -> dict[str, Character]:
    """Return the characters of `_MARKS`."""
    return {
        form: Character(kind, ord(mark) | (OR_EQUAL if form in _OR_EQUAL else 0), 0)
        for kind, marks in _MARKS.items()
        for mark, forms in marks.items()
        for form in forms
    }
