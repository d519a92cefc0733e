r"""Separate words that a control character separates, and join numeric entities that are one character.

ftfy removes most control characters. Between two words that joins the words, so these become line ends before ftfy sees
them. This is part of the rule ``encoding``.

- A vertical tab or form feed between words becomes one line end, and so does a run of them. Beside a line end, or at
  the start or end of a text, it separates nothing: ftfy removes the vertical tab and leaves the form feed, so no blank
  line appears.
- The separators U+001C to U+001E become a line end only directly between two words. They are often the remains of
  quotation marks (U+201C, U+201D), which stand beside a space.
- U+2028 becomes a line end, as ftfy does it; beside a line end it is removed. U+2029 becomes a line end too, and a
  paragraph break beside another. U+0085 is an ellipsis of windows-1252, as ftfy reads it.
- U+001F is removed, as ftfy does it: in texts from Word it is a hyphen that may break a word.
"""

from __future__ import annotations

import re

from ftfy.chardata import CONTROL_CHARS

from dedup.findings import Finding, fix
from dedup.repairs.whitespace import TRAILING, is_word_character

_NAMES = {"\x0b": "vertical tab", "\x0c": "form feed", "\u2028": "line separator"}
_SEPARATORS = "\x0b\x0c\x1c\x1d\x1e\u2028"
_LINE_ENDS = frozenset("\n\r\u2028\u2029")
_CLOSING = frozenset(".,;:!?%…)]’”»\"'")

# Characters between words that are no part of one: blanks, and control characters that ftfy removes.
_NOTHING = frozenset(TRAILING) | frozenset(map(chr, CONTROL_CHARS))
_NOTHING_PATTERN = re.escape("".join(sorted(_NOTHING)))
_SEPARATOR_RUN = re.compile(f"[\x0b\x0c](?:[\x0b\x0c{_NOTHING_PATTERN}]*[\x0b\x0c])?|[\x1c-\x1e]+|\u2028+")

# The decimal and hexadecimal numbers of the surrogates that come first (55296-56319) and second (56320-57343).
_ZEROS = "0{0,16}"
_FIRST = (
    f"[xX]{_ZEROS}[dD][89abAB][0-9a-fA-F]{{2}}|{_ZEROS}(?:55(?:29[6-9]|[3-9][0-9]{{2}})|56(?:[0-2][0-9]|3[01])[0-9])"
)
_SECOND = (
    f"[xX]{_ZEROS}[dD][c-fC-F][0-9a-fA-F]{{2}}|"
    f"{_ZEROS}(?:56(?:3[2-9]|[4-9][0-9])[0-9]|57(?:[0-2][0-9]{{2}}|3(?:[0-3][0-9]|4[0-3])))"
)
_SURROGATE_PAIR = re.compile(f"(?:([\ud800-\udbff])|&#({_FIRST});)(?:([\udc00-\udfff])|&#({_SECOND});)")
_FIRST_AT_END = re.compile(f"&#(?:{_FIRST});\\Z")
_VERTICAL_TAB = re.compile(rf"(?<=\S)&#(?:[xX]{_ZEROS}[bB]|{_ZEROS}11);(?=\S)")


def separate_words(text: str) -> list[Finding]:
    r"""Return fixes for the control characters of `text` that separate words; the rest is left to ftfy.

    >>> from dedup.findings import apply
    >>> [apply(text, separate_words(text)) for text in ("one\x0btwo", "one\x0b\ntwo", "a \x1cquote\x1d, and")]
    ['one\ntwo', 'one\x0b\ntwo', 'a \x1cquote\x1d, and']
    """
    if not any(character in text for character in _SEPARATORS):  # ten times as fast as a pattern
        return []
    findings = []
    for match in _SEPARATOR_RUN.finditer(text):
        replacement = _replacement(text, *match.span())
        if replacement is not None:
            names = dict.fromkeys(_NAMES.get(each, "separator") for each in match.group() if each in _SEPARATORS)
            findings.append(fix("encoding", text, *match.span(), replacement, ", ".join(names)))
    return findings


def _replacement(text: str, start: int, stop: int) -> str | None:
    """Return what the run of separators ``text[start:stop]`` becomes, or None if it is left to ftfy."""
    if text[start] in "\x1c\x1d\x1e":
        before, after = text[max(start - 1, 0) : start], text[stop : stop + 1]
        return (
            "\n" if (is_word_character(before) or before in _CLOSING) and before and is_word_character(after) else None
        )
    before, after = _neighbours(text, start, stop)
    if text[start] == "\u2028":
        beside_line_end = before in {"\n", "\r"} or after in {"\n", "\r"}
        return "" if stop - start == 1 and beside_line_end else None
    between_words = before and after and before not in _LINE_ENDS and after not in _LINE_ENDS
    return "\n" if between_words else None


def _neighbours(text: str, start: int, stop: int) -> tuple[str, str]:
    """Return the nearest characters on both sides of ``text[start:stop]`` that are not blank; empty where none is."""
    while start and text[start - 1] in _NOTHING:
        start -= 1
    while stop < len(text) and text[stop] in _NOTHING:
        stop += 1
    return text[max(start - 1, 0) : start], text[stop : stop + 1]


def join_surrogate_entities(text: str) -> str:
    r"""Return `text` with the characters that two numeric entities, of one surrogate each, stand for.

    JavaScript and Java count in UTF-16, so they write a character beyond the first plane as two entities. HTML decodes
    each of them by itself, to U+FFFD. The entity of a vertical tab between words becomes a line end.

    >>> join_surrogate_entities("&#55357;&#xDE00;! &#55357;") == "\U0001f600! &#55357;"
    True
    """
    return _VERTICAL_TAB.sub("\n", _SURROGATE_PAIR.sub(_joined_pair, text))


def _joined_pair(match: re.Match[str]) -> str:
    """Return the character of a pair of surrogates."""
    first, first_number, second, second_number = match.groups()
    high = ord(first) if first else _number(first_number)
    low = ord(second) if second else _number(second_number)
    return chr(0x10000 + (high - 0xD800 << 10) + low - 0xDC00)


def _number(digits: str) -> int:
    """Return the number of an entity, decimal or hexadecimal after an ``x``."""
    return int(digits[1:], 16) if digits[0] in "xX" else int(digits)


def ends_with_first_surrogate(text: str) -> bool:
    """Return True if `text` ends with the entity of a surrogate that begins a pair."""
    return bool(_FIRST_AT_END.search(text))
