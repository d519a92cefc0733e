"""Repair invisible and odd white space: the rule ``whitespace``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from operator import attrgetter

from dedup.findings import Finding, apply, compose, fix
from dedup.segment.words import MAX_MARKS, is_unspaced

_BLANK = "\t \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_REMOVED = {
    "\u00ad": "soft hyphen",
    "\u200b": "zero-width space",
    "\u2060": "word joiner",
    "\ufeff": "byte order mark",
}
TRAILING = _BLANK + "".join(_REMOVED)
# The odd characters that are repaired wherever they are, and those that are repaired at the end of a line only.
REPAIRED_ANYWHERE = "\u00a0\u202f" + "".join(_REMOVED)
REPAIRED_AT_LINE_END = "".join(sorted(set(_BLANK[2:]) - set(REPAIRED_ANYWHERE)))
_FAULT = re.compile(f"[{REPAIRED_ANYWHERE}{REPAIRED_AT_LINE_END}](?:(?<=[{REPAIRED_ANYWHERE}])|(?=\n|\\Z))")
# A run of one kind. Searching for its first character alone is three times as fast as searching for either run.
_INSIDE = re.compile(
    f"[{REPAIRED_ANYWHERE}](?:(?<=[\u00a0\u202f])[\u00a0\u202f]*|(?<![\u00a0\u202f])[{''.join(_REMOVED)}]*)"
)
# A line break that may need a fix before or after it. The search starts from line breaks, which are fewer than spaces.
_AT_FAULT_BREAK = re.compile(f"\n(?:(?<=[{TRAILING}\r]\n)|(?=\n\n))")
_BLANKS = frozenset(TRAILING)
_MAY_BE_BLANK = _BLANKS | {"\r", "\n", ""}  # possible first characters of a blank line
_BLANK_LINE = re.compile(f"([{TRAILING}]*+)\r?\n")
_BLANK_LINES = re.compile(f"(?:[{TRAILING}]*+\r?\n)*+")
# A soft hyphen at the end of a line, with the characters around the line end that go with it, a page break included.
_AT_LINE_END = re.compile(f"(?<![{TRAILING}])([{''.join(_REMOVED)}]++)[{TRAILING}]*+(?:\r\n?|\n)[{TRAILING}\x0c]*+")
_BLANK_END = re.compile(f"[{TRAILING}]*+\\Z")


def repair_whitespace(text: str) -> list[Finding]:
    r"""Return fixes for invisible white space: at line ends, of unusual kinds, and more than one blank line in a row.

    A word that a soft hyphen divides at the end of a line is joined; all of the line end goes with the hyphen.

    No-break spaces become spaces, except beside a Mongolian letter, where they bind a suffix to its word. Zero-width
    spaces, word joiners, soft hyphens and byte order marks are removed. A zero-width space between letters of a script
    written without spaces stays, because it marks a word boundary. Joiners, direction marks, indentation and double
    spaces stay. ``\r\n`` is a line end like ``\n``. Spans are in code points of `text`.

    >>> from dedup.findings import apply
    >>> apply("10\u00a0000 co\u00adpies  \n\n\n\nEnd", repair_whitespace("10\u00a0000 co\u00adpies  \n\n\n\nEnd"))
    '10 000 copies\n\nEnd'
    """
    if not whitespace_may_apply(text):
        return []
    joins = _join_broken_words(text)
    return compose(text, joins, _repair_in_lines(apply(text, joins))) if joins else _repair_in_lines(text)


def _join_broken_words(text: str) -> list[Finding]:
    """Return fixes that join the words of `text` that a soft hyphen divides at the end of a line."""
    if "\u00ad" not in text:
        return []
    return [
        fix("whitespace", text, *match.span(), "", "soft hyphen at a line end")
        for match in _AT_LINE_END.finditer(text)
        if "\u00ad" in match[1]
        and is_word_character(text[match.start() - 1 : match.start()])
        and is_word_character(text[match.end() : match.end() + 1])
    ]


def is_word_character(character: str) -> bool:
    """Return True if `character` is a letter, a digit or a combining mark; an empty text is none."""
    return character != "" and unicodedata.category(character)[0] in "LNM"


def _repair_in_lines(text: str) -> list[Finding]:
    """Return the fixes of `repair_whitespace` in a text without divided words."""
    gaps = list(_gaps(text))
    findings: list[Finding] = []
    for gap in gaps:
        kept, body, start, stop = gap
        if kept < body:
            findings.append(fix("whitespace", text, kept, body, "", "trailing space"))
        if start < stop:
            _fix_blank_lines(findings, text, start, stop)
    if not text.isascii():
        inside = list(_odd_characters(text, gaps))
        if inside:
            findings = sorted(findings + inside, key=attrgetter("start"))
    return findings


# The gap between a non-blank line and the next one, or the end of the text, as four offsets: the end of the characters
# that stay, the end of the trailing blanks, and the start and end of the blank lines after the line break.
_Gap = tuple[int, int, int, int]


def _gaps(text: str) -> Iterator[_Gap]:
    """Yield the gaps of `text` that may need a fix, and possibly others. The part before the first line is one too."""
    done = 0
    if text.startswith("\n"):
        done = _behind_blank_lines(text, 0)
        yield 0, 0, 0, done
    for match in _AT_FAULT_BREAK.finditer(text):
        if match.start() >= done:
            gap = _gap(text, match.start())
            yield gap
            done = gap[3]
    if done < len(text):
        yield _gap(text, len(text))


def _gap(text: str, place: int) -> _Gap:
    """Return the gap that contains the line end at offset `place`."""
    while True:
        body = place - (0 < place < len(text) and text[place - 1] == "\r")
        kept = body
        while kept and text[kept - 1] in _BLANKS:
            kept -= 1
        if not kept:
            return 0, 0, 0, _behind_blank_lines(text, 0)
        if text[kept - 1] != "\n":
            start = min(place + 1, len(text))
            return kept, body, start, _behind_blank_lines(text, start)
        place = kept - 1  # the line is blank


def _behind_blank_lines(text: str, start: int) -> int:
    """Return the offset of the first non-blank line from `start` on, or the length of the text if there is none."""
    if text[start : start + 1] not in _MAY_BE_BLANK:
        return start
    lines = _BLANK_LINES.match(text, start)
    stop = lines.end() if lines else start
    return len(text) if _BLANK_END.match(text, stop) else stop


def _fix_blank_lines(findings: list[Finding], text: str, start: int, stop: int) -> None:
    """Append to `findings` the fixes for the blank lines ``text[start:stop]``; one blank line stays."""
    blank = _BLANK_LINE.match(text, start) if start and stop < len(text) else None
    if blank:  # one blank line stays
        if blank.end(1) > start:
            findings.append(fix("whitespace", text, start, blank.end(1), "", "trailing space"))
        start = blank.end()
    if start < stop:
        findings.append(fix("whitespace", text, start, stop, "", "blank lines"))


def whitespace_may_apply(text: str) -> bool:
    r"""Return False only if `repair_whitespace` finds nothing in `text`.

    It searches for the characters and places that the rule repairs, which is faster than the rule.

    >>> [whitespace_may_apply(text) for text in ("one  two\n", "one \n", "\u3000one", "one\u3000")]
    [False, True, False, True]
    """
    return _blanks_need_fix(text) or (not text.isascii() and bool(_FAULT.search(text)))


def _odd_characters(text: str, gaps: Iterable[_Gap]) -> Iterator[Finding]:
    """Yield fixes for the odd characters of `text` outside of `gaps`."""
    rest = iter(gaps)
    gap = next(rest, None)
    for match in _INSIDE.finditer(text):
        run = match.group()
        left, right = match.span()
        while gap and gap[3] <= left:
            gap = next(rest, None)
        if gap and gap[0] <= left:
            continue
        if run[0] not in _REMOVED:
            if not any("\u1800" <= beside <= "\u18af" for beside in (text[max(left - 1, 0)], text[right : right + 1])):
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
    """Return True if letters of scripts written without spaces are on both sides of ``text[left:right]``."""
    before = left - 1
    while before > max(0, left - MAX_MARKS) and unicodedata.category(text[before]).startswith("M"):
        before -= 1  # vowel signs and tone marks belong to the letter before them
    return before >= 0 and is_unspaced(text[before]) and right < len(text) and is_unspaced(text[right])


def _blanks_need_fix(text: str) -> bool:
    """Return True if a run of plain spaces, tabs and line ends in `text` may need a fix."""
    return (
        "\r" in text
        or text.startswith("\n")
        or text.endswith((" ", "\t", "\n\n"))
        or bool(_AT_FAULT_BREAK.search(text))
    )
