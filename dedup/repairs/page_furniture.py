"""Find page furniture: lines that belong to the page around an article, not to the article.

Examples are share bars, comment counters, "Read more: ..." and cookie notices. The patterns are data, in
``page_furniture.toml``; this module only defines what a line is. A pattern must match a whole line, and a line longer
than `MAX_FURNITURE_LINE` is prose, so sentences are never matched.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise
from typing import Any, NamedTuple

from dedup.findings import DROP, FLAG, Finding
from dedup.repairs.pattern_prefixes import DIGIT, END, LONGEST, Lengths, beginnings
from dedup.rules import OFF
from dedup.settings import Settings

RULE = "page-furniture"
MAX_FURNITURE_LINE = 200  # characters; the longest pattern is a cookie notice

# Decoration around the words of a button. A full stop is not part of it, because it ends a sentence.
AROUND = " *•·●▪|»«›‹→←↓↑▶►▼▲➤➜⇒>~_=–—-:…!！：+"


# Reading the prefixes from the patterns takes 0.2 s, as long as matching this many lines without them.
BEGINNINGS_FROM = 20_000
_lines_seen = 0
_KINDS_KEPT = 1 << 14  # lines in the cache: a site has the same ones in all of its articles

# A line longer than this that ends like a sentence is a sentence, unless it is one of the notices written as sentences.
SENTENCE_FROM = 60
_ENDS = (".", ".”", '."', "。", "。」", "؟", "۔", "।")
_NOTICES = ("newsletter sign-up", "cookie notice")


class _Line(NamedTuple):
    """One line of a text, and its kind if it is page furniture."""

    start: int
    stop: int  # without the line break
    end: int  # with it
    kind: str | None
    blank: bool


def find_page_furniture(text: str, settings: Settings, known: Mapping[int, str] | None = None) -> list[Finding]:
    r"""Return the findings of the rule ``page-furniture`` in `text`, in order; the evidence is the kind of the line.

    A flag spans the line. A drop also spans the line break, and one of two blank lines that would otherwise follow each
    other, so that the rest stays separated as before. `known` is the result of `line_kinds`, if it is already known.

    >>> text = "A quiet day.\n\nShare on Facebook\n\n12 Comments"
    >>> [(f.start, f.stop, f.evidence) for f in find_page_furniture(text, Settings())]
    [(14, 31, 'share bar'), (33, 44, 'comment counter')]
    """
    action = settings.rules[RULE]
    if action == OFF or not text:
        return []
    known = line_kinds(text) if known is None else known
    if not known:
        return []
    if action == FLAG:
        return list(_flags(text, known))
    return [
        Finding(
            rule=RULE,
            action=DROP,
            start=start,
            stop=stop,
            original=text[start:stop],
            replacement="",
            evidence=kind,
        )
        for start, stop, kind in _furniture_drops(_split_lines(text, known))
    ]


def line_kinds(text: str) -> dict[int, str]:
    r"""Return the kind of each line of `text` that is page furniture, by its number from 0.

    >>> line_kinds("A quiet day.\n\nShare on Facebook\n\n12 Comments")
    {2: 'share bar', 4: 'comment counter'}
    """
    kinds: dict[int, str] = {}
    for number, line in enumerate(text.split("\n")):
        if line and len(line) <= MAX_FURNITURE_LINE and (not _prefixes_pay_off() or may_match(normalize_line(line))):
            kind = line_kind(line)
            if kind is not None:
                kinds[number] = kind
    return kinds


@lru_cache(_KINDS_KEPT)
def line_kind(line: str) -> str | None:
    """Return the kind of page furniture that `line` is, or None.

    >>> line_kind("» Share on Facebook"), line_kind("We share on Facebook what we like.")
    ('share bar', None)
    """
    if not line or len(line) > MAX_FURNITURE_LINE:
        return None
    words = normalize_line(line)
    if len(line) > SENTENCE_FROM and line.rstrip().endswith(_ENDS):
        pattern, kinds = _pattern(_NOTICES)
    else:
        pattern, kinds = _pattern(None)
    match = pattern.fullmatch(words)
    return kinds[match.lastindex - 1] if match and match.lastindex else None


def normalize_line(line: str) -> str:
    """Return `line` as the patterns expect it: in lower case, with single spaces, without the decoration of a button.

    >>> normalize_line("» SHARE  this... ")
    'share this'
    """
    return " ".join(line.lower().split()).removesuffix("...").strip(AROUND)


def may_match(words: str) -> bool:
    """Return True if a normalized line has a prefix and a length that some pattern can match."""
    size = len(words)
    node = _prefix_tree()
    for character in words[:LONGEST] + END:
        node = node.get(DIGIT if character.isdecimal() else character)
        if node is None:
            return False
        if "" in node and node[""][0] <= size <= node[""][1]:
            return True
    return False


def _prefixes_pay_off() -> bool:
    """Count one more line, and return True once there were enough lines for the prefixes to save time."""
    global _lines_seen  # noqa: PLW0603 - changes speed, never results
    _lines_seen += 1
    return _lines_seen > BEGINNINGS_FROM


def _flags(text: str, known: Mapping[int, str]) -> Iterator[Finding]:
    """Yield a flag for each line of furniture."""
    start = 0
    for number, line in enumerate(text.split("\n")):
        if number in known:
            yield Finding(rule=RULE, action=FLAG, start=start, stop=start + len(line), evidence=known[number])
        start += len(line) + 1


def _split_lines(text: str, known: Mapping[int, str]) -> list[_Line]:
    """Return the lines of `text`, with the kinds from `known`."""
    lines = []
    start = 0
    for number, line in enumerate(text.split("\n")):
        stop = start + len(line)
        blank = not line or line.isspace()
        lines.append(_Line(start, stop, min(stop + 1, len(text)), known.get(number), blank))
        start = stop + 1
    return lines


def _furniture_drops(lines: list[_Line]) -> list[tuple[int, int, str]]:
    """Return ``(start, stop, kind)`` of the span to remove for each line of furniture."""
    drops: list[tuple[int, int, str]] = []
    separated = True  # whether the text kept so far ends with a blank line; the start of a text needs none
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if line.kind is None:
            separated = line.blank
            continue
        stop = line.end
        while separated and number < len(lines) and lines[number].blank:
            stop = lines[number].end
            number += 1
        drops.append((line.start, stop, line.kind))
    return _without_last_separator(lines, drops)


def _without_last_separator(lines: list[_Line], drops: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Return `drops`, where furniture at the end of the text is removed together with all blank lines around it."""
    tail = len(lines)
    while tail and (lines[tail - 1].kind or lines[tail - 1].blank):
        tail -= 1
    if tail == len(lines):
        return drops
    start = lines[tail].start
    first = next((number for number, drop in enumerate(drops) if drop[0] >= start), len(drops))
    bounds = [start, *(at for at, _, _ in drops[first + 1 :]), lines[-1].end]
    return drops[:first] + [(a, b, drop[2]) for (a, b), drop in zip(pairwise(bounds), drops[first:], strict=False)]


@cache
def _furniture_patterns() -> tuple[tuple[str, str], ...]:
    """Return ``(kind, pattern)`` of every kind: its patterns of all languages in one, without capturing groups."""
    source = resources.files("dedup.repairs").joinpath("page_furniture.toml").read_text(encoding="utf-8")
    table = tomllib.loads(source)
    names: dict[str, str] = {}
    for name, pattern in table.pop("names").items():
        names[name] = f"(?:{_filled(pattern, names)})"
    return tuple(
        (kind_, "|".join(_filled(pattern, names) for patterns in languages.values() for pattern in patterns))
        for kind_, languages in table.items()
    )


def _filled(pattern: str, names: dict[str, str]) -> str:
    """Return `pattern` with each ``<name>`` replaced by the pattern of that name."""
    return re.sub("<([a-z]{1,})>", lambda name: names[name.group(1)], pattern)


@cache
def line_beginnings() -> dict[str, Lengths]:
    """Return the prefixes of normalized lines of page furniture; see `dedup.repairs.pattern_prefixes`."""
    return beginnings("|".join(pattern for _, pattern in _furniture_patterns()))


@cache
def _prefix_tree() -> Any:
    """Return the prefixes as nested dictionaries by character, with the lengths of lines under the empty string."""
    root: Any = {}
    for beginning, lengths in line_beginnings().items():
        node = root
        for character in beginning:
            if character not in node:
                node[character] = {}
            node = node[character]
        node[""] = lengths
    return root


@cache
def _pattern(only: tuple[str, ...] | None) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """Return a pattern of normalized lines, one group for each kind, and the kinds; all of them, or `only` these."""
    table = [row for row in _furniture_patterns() if only is None or row[0] in only]
    # Lines are lower-cased because a pattern that ignores case takes three times as long here.
    return re.compile("|".join(f"({pattern})" for _, pattern in table)), tuple(kind_ for kind_, _ in table)
