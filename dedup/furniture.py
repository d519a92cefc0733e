"""Page furniture: lines that belong to the page around an article, not to the article.

Share bars, comment counters, "Read more: ...", cookie notices. What they look like is data, in
``page_furniture.toml``; this module only knows what a line is. A pattern must match the whole line, and a line
longer than `LINE_AT_MOST` is prose, so nothing here looks at sentences.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from typing import NamedTuple

from dedup.findings import DROP, FLAG, Finding
from dedup.rules import OFF
from dedup.settings import Settings

RULE = "page-furniture"
LINE_AT_MOST = 200  # characters; the longest pattern is a cookie notice

# What stands around a button's words and is no part of them.
# A full stop is not among it: it ends a sentence, if only the last words of one.
_AROUND = " *•·●▪|»«›‹→←↓↑▶►▼▲➤➜⇒>~_=–—-:…!！：+"


class _Line(NamedTuple):
    start: int
    stop: int  # without the line break
    end: int  # with it
    kind: str | None
    blank: bool


def furniture(text: str, settings: Settings) -> list[Finding]:
    r"""Findings of the rule ``page-furniture`` in `text`, in order; the evidence is the kind of line.

    A flag spans the line. A drop takes the line break too, and one of two blank lines that would then follow
    each other, so that what is left is separated as before.

    >>> text = "A quiet day.\n\nShare on Facebook\n\n12 Comments"
    >>> [(f.start, f.stop, f.evidence) for f in furniture(text, Settings())]
    [(14, 31, 'share bar'), (33, 44, 'comment counter')]
    """
    action = settings.rules[RULE]
    if action == OFF or not text:
        return []
    lines = _lines(text)
    if not any(line.kind for line in lines):
        return []
    if action == FLAG:
        return [
            Finding(rule=RULE, action=FLAG, start=line.start, stop=line.stop, evidence=line.kind)
            for line in lines
            if line.kind
        ]
    return [
        Finding(
            rule=RULE, action=DROP, start=start, stop=stop, original=text[start:stop], replacement="", evidence=kind
        )
        for start, stop, kind in _drops(lines)
    ]


def kind(line: str) -> str | None:
    """The kind of page furniture that `line` is, or None.

    >>> kind("» Share on Facebook"), kind("We share on Facebook what we like.")
    ('share bar', None)
    """
    if len(line) > LINE_AT_MOST:
        return None
    match = _pattern().fullmatch(" ".join(line.lower().split()).removesuffix("...").strip(_AROUND))
    return _kinds()[match.lastindex - 1] if match and match.lastindex else None


def _lines(text: str) -> list[_Line]:
    lines = []
    start = 0
    for line in text.split("\n"):
        stop = start + len(line)
        lines.append(_Line(start, stop, min(stop + 1, len(text)), kind(line), blank=not line or line.isspace()))
        start = stop + 1
    return lines


def _drops(lines: list[_Line]) -> list[tuple[int, int, str]]:
    """``(start, stop, kind)`` of what to remove for each line of furniture."""
    drops: list[tuple[int, int, str]] = []
    blank_before = True  # of what stays; a text starts with nothing, which needs no separator
    reach = 0  # up to here everything is dropped already
    for number, line in enumerate(lines):
        if line.end <= reach and line.blank:
            continue
        if line.kind is None:
            blank_before = line.blank
            continue
        stop = line.end
        if blank_before:
            for later in lines[number + 1 :]:
                if not later.blank:
                    break
                stop = later.end
        drops.append((line.start, stop, line.kind))
        reach = stop
    return _without_last_separator(lines, drops)


def _without_last_separator(lines: list[_Line], drops: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """`drops`, where the furniture that ends the text takes with it the blank lines before it."""
    tail = len(lines)
    while tail and (lines[tail - 1].kind or lines[tail - 1].blank):
        tail -= 1
    start = lines[tail].start if tail < len(lines) else 0
    for number, (at, stop, kind_) in enumerate(drops):
        if at >= start and tail < len(lines):
            drops[number] = (start, stop, kind_)
            break
    return drops


@cache
def _table() -> tuple[tuple[str, str], ...]:
    """``(kind, pattern)`` of every kind, its patterns of all languages in one, without capturing groups."""
    source = resources.files("dedup").joinpath("page_furniture.toml").read_text(encoding="utf-8")
    table = tomllib.loads(source)
    names: dict[str, str] = {}
    for name, pattern in table.pop("names").items():
        names[name] = f"(?:{_filled(pattern, names)})"
    return tuple(
        (kind_, "|".join(_filled(pattern, names) for patterns in languages.values() for pattern in patterns))
        for kind_, languages in table.items()
    )


def _filled(pattern: str, names: dict[str, str]) -> str:
    return re.sub("<([a-z]{1,})>", lambda name: names[name.group(1)], pattern)


def _kinds() -> tuple[str, ...]:
    return tuple(kind_ for kind_, _ in _table())


@cache
def _pattern() -> re.Pattern[str]:
    """All kinds, one group each, in the order of `_kinds`."""
    together = "|".join(f"({pattern})" for _, pattern in _table())
    return re.compile(together)  # lines are lower-cased instead: ignoring case is three times as slow here
