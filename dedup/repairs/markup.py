"""Find leftover HTML tags, scripts, styles and comments in a text: the rule ``markup``.

Only tags of HTML in the syntax of HTML count, and only where they mark up the text. A text may also speak of tags, show
code, or be XML: tags in back quotes or on lines of code, tags that are mentioned like words, and tags without their
counterpart stay. Entities are left to the rule ``encoding``.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from typing import NamedTuple

from dedup.findings import Finding, fix

_ELEMENTS = {
    kind: frozenset(names)
    for kind, names in tomllib.loads((files("dedup.repairs") / "markup.toml").read_text("utf-8")).items()
}
_BLOCK_TAGS, _LINE_TAGS, _CELL_TAGS, _VOID_TAGS, _LONE_TAGS = (
    _ELEMENTS[kind] for kind in ("blocks", "lines", "cells", "void", "alone")
)
_HTML_NAMES = _BLOCK_TAGS | _LINE_TAGS | _CELL_TAGS | _VOID_TAGS | _ELEMENTS["inline"]
_VALUE = r"""\s*+=\s*+(?:"[^"]{0,4000}+"|'[^']{0,4000}+'|[^\s"'=<>`]{1,4000}+)"""
_ATTRIBUTE = rf"\s++(?:[A-Za-z_:@][\w:.-]*+{_VALUE}|(?:{'|'.join(sorted(_ELEMENTS['flags']))})(?=[\s/>]))"
_TAG = re.compile(
    rf"<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9]*+)(?P<attributes>(?:{_ATTRIBUTE})*+)\s*+/?>"
    r"|(?P<comment><!--)|(?P<doctype><!doctype\s++html\b[^<>]{0,500}+>)",
    re.IGNORECASE,
)
_MAY_BE_TAG = re.compile("<[A-Za-z/!]")
_EMPTY_VALUE = re.compile(r"(?<![\w:.-])[\w:.-]++\s*+=\s*+(?:\"\"|'')")


class _Hidden(NamedTuple):
    """The patterns of the start and end of what a browser does not show."""

    start: re.Pattern[str]
    end: re.Pattern[str]


_HIDDEN = {
    "!--": _Hidden(re.compile("<!--"), re.compile("-->")),
    **{
        name: _Hidden(re.compile(rf"<{name}\b", re.IGNORECASE), re.compile(rf"</{name}\s*+>", re.IGNORECASE))
        for name in ("script", "style")
    },
}
_UNKNOWN_END = re.compile(r"</([A-Za-z][\w.]*+)\s*+>")
_CODE_SPAN = re.compile(r"```.*?(?:```|\Z)|`[^`\n]{1,200}`", re.DOTALL)
# A line of a program that has a tag in it: it ends as statements do, or has the tag in a string that it uses.
_CODE_LINE = re.compile(r"[;{}]\s*\Z|[=(+,]\s*[\"']\s*<|\\n[\"']")
_SPEAKS_OF_IT_AFTER = re.compile(r"\W{0,3}(?:tags?|elements?|attributes?|markup|Tags?|Elemente?)\b")
_SPEAKS_OF_IT_BEFORE = re.compile(
    r"(?:^|\W)(?:tags?|elements?|an?|the|use|uses|using|like|and|or|with|of|by|der|das|ein|le|la|une?|el|un)\W?\Z",
    re.IGNORECASE,
)
_BESIDE = 24  # characters beside a tag that are looked at
_LINE_SEARCHED = 300  # characters of a line before and after a tag that are searched for signs of a program


class _Tag(NamedTuple):
    """A tag in a text: its span in code points, and what is known of it. `name` is in lower case."""

    start: int
    stop: int
    name: str
    closes: bool = False
    has_attributes: bool = False


def repair_markup(text: str) -> list[Finding]:
    r"""Return fixes that remove the markup of `text`; tags of blocks become line ends.

    The content of scripts, styles and comments goes with them. Spans are in code points of `text`.

    >>> from dedup.findings import apply
    >>> text = "<p>The <b>bridge</b> is open.<br>It is 40 m long.</p>"
    >>> apply(text, repair_markup(text))
    '\nThe bridge is open.\nIt is 40 m long.\n'
    >>> [repair_markup(text) for text in ("a < b, <3, List<int>, <ann@a.example>", "Close the <b> tag with `</b>`.")]
    [[], []]
    """
    return [
        fix("markup", text, tag.start, tag.stop, _line_end_for(text, tag), _evidence_of(tag)) for tag in find_tags(text)
    ]


def markup_length(text: str) -> int:
    """Return how many characters of `text` are markup.

    >>> markup_length("One<br>two"), markup_length("a <b c> d")
    (4, 0)
    """
    return sum(tag.stop - tag.start for tag in find_tags(text)) if "<" in text else 0


def markup_may_apply(text: str) -> bool:
    """Return False only if `repair_markup` finds nothing in `text`.

    >>> markup_may_apply("a < b <3"), markup_may_apply("a<b")
    (False, True)
    """
    return bool(_MAY_BE_TAG.search(text))


def find_tags(text: str) -> list[_Tag]:
    """Return the tags of `text` that are leftover markup, in order, scripts and styles with their content."""
    if not markup_may_apply(text):
        return []
    tags = list(_syntactic_tags(text))
    if not tags or _is_xml(text, tags):
        return []
    spans = [match.span() for match in _CODE_SPAN.finditer(text)] if "`" in text else []
    tags = [tag for tag in _outside_of(tags, spans) if not _is_in_code(text, tag)]
    return list(_with_counterparts(text, tags))


def _syntactic_tags(text: str) -> Iterator[_Tag]:
    """Yield everything in `text` that has the syntax of a tag of HTML; scripts, styles and comments as one tag each."""
    position = 0
    ends: dict[str, re.Match[str] | None] = {}  # the next end of each kind, searched for once
    while match := _TAG.search(text, position):
        position = match.end()
        if match["doctype"]:
            yield _Tag(*match.span(), "!doctype", has_attributes=True)
            continue
        name = "!--" if match["comment"] else match["name"].lower()
        if name not in _HIDDEN:
            if name in _HTML_NAMES:
                yield _Tag(*match.span(), name, bool(match["close"]), _has_values(match["attributes"]))
            continue
        end = ends.get(name)
        if name not in ends or (end is not None and end.start() < position):
            end = ends[name] = _HIDDEN[name].end.search(text, position)
        is_start = end is not None and not match["close"] and not _SPEAKS_OF_IT_AFTER.match(text, position)
        if end is None or not is_start or _HIDDEN[name].start.search(text, position, end.start()):
            continue  # the last start before an end begins what is hidden
        position = end.end()
        yield _Tag(match.start(), position, name, has_attributes=True)


def _has_values(attributes: str) -> bool:
    """Return True if one of the `attributes` of a tag has a value or needs none: forms list tags with empty ones."""
    return bool(_EMPTY_VALUE.sub("", attributes).strip())


def _is_xml(text: str, tags: list[_Tag]) -> bool:
    """Return True if `text` closes more elements that HTML does not know than elements of HTML."""
    known = sum(tag.closes for tag in tags)
    unknown = sum(match[1].lower() not in _HTML_NAMES | _HIDDEN.keys() for match in _UNKNOWN_END.finditer(text))
    return unknown > known or ("<?xml" in text and not any(tag.name == "html" for tag in tags))


def _outside_of(tags: list[_Tag], spans: list[tuple[int, int]]) -> Iterator[_Tag]:
    """Yield the `tags` that begin in none of `spans`, which are in order."""
    at = 0
    for tag in tags:
        while at < len(spans) and spans[at][1] <= tag.start:
            at += 1
        if at == len(spans) or tag.start < spans[at][0]:
            yield tag


def _is_in_code(text: str, tag: _Tag) -> bool:
    """Return True if the line of a tag of one line is of a program, or if the tag is in quotes or mentioned."""
    if tag.name in _HIDDEN or tag.name.startswith("!"):
        return False
    before = text[max(tag.start - _BESIDE, 0) : tag.start]
    after = text[tag.stop : tag.stop + _BESIDE]
    if before[-1:] and before[-1:] in "\"'“‘«(" and after[:1] and after[:1] in "\"'”’»)":
        return True
    if _SPEAKS_OF_IT_AFTER.match(after):
        return True
    stands_alone = before[-1:] in {" ", "\t"} and after[:1] in {" ", "\t", ".", ","}
    if stands_alone and not tag.has_attributes and _SPEAKS_OF_IT_BEFORE.search(before):
        return True
    start = text.rfind("\n", max(tag.start - _LINE_SEARCHED, 0), tag.start) + 1 or max(tag.start - _LINE_SEARCHED, 0)
    stop = text.find("\n", tag.stop, tag.stop + _LINE_SEARCHED)
    return bool(_CODE_LINE.search(text[start : stop if stop >= 0 else tag.stop + _LINE_SEARCHED]))


def _with_counterparts(text: str, tags: list[_Tag]) -> Iterator[_Tag]:
    """Yield the `tags` that have a counterpart or need none."""
    opened: Counter[str] = Counter(tag.name for tag in tags if not tag.closes)
    closed: Counter[str] = Counter(tag.name for tag in tags if tag.closes)
    seen: Counter[str] = Counter()
    for tag in tags:
        if tag.closes:
            if seen[tag.name] or (opened[tag.name] == 0 and tag.name in _BLOCK_TAGS and _is_at_border(text, tag)):
                yield tag
            closed[tag.name] -= 1
            continue
        seen[tag.name] += 1
        is_block = tag.name in _BLOCK_TAGS | _LINE_TAGS | _CELL_TAGS
        if (
            tag.has_attributes
            or tag.name in _LONE_TAGS
            or (tag.name not in _VOID_TAGS and closed[tag.name] > 0)
            or (is_block and _is_at_border(text, tag))
        ):
            yield tag


def _is_at_border(text: str, tag: _Tag) -> bool:
    """Return True if a tag is at the start or end of a line, or between a sentence and the next."""
    before, after = text[max(tag.start - 1, 0) : tag.start], text[tag.stop : tag.stop + 1]
    return before in {"", "\n"} or after in {"", "\n"} or (before in {".", "!", "?", ">", "。"} and not after.isspace())


def _line_end_for(text: str, tag: _Tag) -> str:
    """Return what replaces a tag: a line end for one that begins or ends a block, unless there is one already."""
    if tag.name == "br":
        return "" if re.match(r"[ \t]*+\r?\n", text[tag.stop : tag.stop + _BESIDE]) else "\n"
    if tag.name in _CELL_TAGS and not tag.closes:
        return " "
    return "\n" if tag.name in _BLOCK_TAGS or (tag.name in _LINE_TAGS and not tag.closes) else ""


def _evidence_of(tag: _Tag) -> str:
    """Return the evidence of a tag."""
    return {"!--": "comment", "!doctype": "doctype"}.get(
        tag.name, tag.name if tag.name in _HIDDEN else f"tag {tag.name}"
    )
