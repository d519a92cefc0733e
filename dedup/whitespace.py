"""The `whitespace` rule: space that nobody sees."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from dedup.findings import Finding, fix
from dedup.segment import MARKS_AT_MOST, unspaced_letter

_BLANK = "\t \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_REMOVED = {
    "\u00ad": "soft hyphen",
    "\u200b": "zero-width space",
    "\u2060": "word joiner",
    "\ufeff": "byte order mark",
}
_TRAILING = _BLANK + "".join(_REMOVED)
_ODD = re.compile(f"[{_BLANK[2:]}{''.join(_REMOVED)}]")
AT_FAULT = "\u00a0\u202f" + "".join(_REMOVED)  # odd characters that are at fault wherever they stand, but few
AT_FAULT_LAST = "".join(sorted(set(_BLANK[2:]) - set(AT_FAULT)))  # those that are where a line ends
_FAULT = re.compile(f"[{AT_FAULT}]|[{AT_FAULT_LAST}](?:\n|\\Z)")
_INSIDE = re.compile(f"[\u00a0\u202f]+|[{''.join(_REMOVED)}]+")


def whitespace(text: str) -> list[Finding]:
    r"""Fixes for space that nobody sees: at line ends, of odd kinds, and more than one blank line.

    No-break spaces become spaces, but not beside a Mongolian letter, where they bind a suffix to its word.
    Zero-width spaces, word joiners, soft hyphens and byte order marks go; a zero-width space between letters of
    a script written without spaces stays, for it marks the end of a word. Joiners, direction marks, indentation
    and double spaces stay. ``\r\n`` is a line end like ``\n``.

    >>> from dedup.findings import apply
    >>> apply("10\u00a0000 co\u00adpies  \n\n\n\nEnd", whitespace("10\u00a0000 co\u00adpies  \n\n\n\nEnd"))
    '10 000 copies\n\nEnd'
    """
    if not may_change(text):
        return []
    odd = not text.isascii() and bool(_ODD.search(text))
    found: list[Finding] = []
    start = 0
    end = 0  # of the last line that is not blank, line break included
    first_blank: tuple[int, int] | None = None  # of the run of blank lines since: where its blanks and itself end
    for line in text.split("\n"):
        line_stop = start + len(line)
        stop = min(line_stop + 1, len(text))
        body_stop = line_stop - (line.endswith("\r") and stop > line_stop)
        kept_stop = start + len(line[: body_stop - start].rstrip(_TRAILING))
        if kept_stop > start:
            if first_blank and end:
                _remove(found, text, end, first_blank[0], "trailing space")
                _remove(found, text, first_blank[1], start, "blank lines")
            else:
                _remove(found, text, end, start, "blank lines")
            if odd:
                found += _inside(text, start, kept_stop)
            _remove(found, text, kept_stop, body_stop, "trailing space")
            end, first_blank = stop, None
        elif not first_blank:
            first_blank = (body_stop, stop)
        start = stop
    _remove(found, text, end, len(text), "blank lines")
    return found


def may_change(text: str) -> bool:
    r"""False where `whitespace` finds nothing in `text`, by a look for the characters and places that it mends.

    >>> may_change("one  two\n"), may_change("one \n"), may_change("\u3000one"), may_change("one\u3000")
    (False, True, False, True)
    """
    return _blank_at_fault(text) or (not text.isascii() and bool(_FAULT.search(text)))


def _remove(found: list[Finding], text: str, start: int, stop: int, evidence: str) -> None:
    if start < stop:
        found.append(fix("whitespace", text, start, stop, "", evidence))


def _inside(text: str, start: int, stop: int) -> Iterator[Finding]:
    """Fixes for the odd characters of ``text[start:stop]``, a line without what trails it."""
    for match in _INSIDE.finditer(text, start, stop):
        run = match.group()
        left, right = match.span()
        if run[0] not in _REMOVED:
            if not any("\u1800" <= text[at] <= "\u18af" for at in (left - 1, right) if start <= at < stop):
                yield fix("whitespace", text, left, right, " " * len(run), "no-break space")
            continue
        if "\u200b" in run and _between_unspaced(text, left, right):
            boundary = left + run.index("\u200b")
            spans = [(left, boundary), (boundary + 1, right)]
        else:
            spans = [(left, right)]
        for a, b in spans:
            if a < b:
                names = ", ".join(dict.fromkeys(_REMOVED[character] for character in text[a:b]))
                yield fix("whitespace", text, a, b, "", names)


def _between_unspaced(text: str, left: int, right: int) -> bool:
    """Whether letters of scripts written without spaces stand on both sides of ``text[left:right]``."""
    before = left - 1
    while before > max(0, left - MARKS_AT_MOST) and unicodedata.category(text[before]).startswith("M"):
        before -= 1  # vowel signs and tone marks belong to the letter before them
    letter = unspaced_letter()
    return before >= 0 and bool(letter.match(text, before) and letter.match(text, right))


def _blank_at_fault(text: str) -> bool:
    """Whether a run of plain spaces, tabs and line breaks in `text` may need a fix."""
    return (
        " \n" in text
        or "\t\n" in text
        or "\n\n\n" in text
        or "\r" in text
        or text.startswith("\n")
        or text.endswith((" ", "\t", "\n\n"))
    )
