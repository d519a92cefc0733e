"""Sets of characters as ranges of code points."""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

Ranges = tuple[tuple[int, int], ...]  # first and last code point of each, ascending and apart


class Chars(NamedTuple):
    """A set of characters, as a pattern and as ranges."""

    pattern: str
    ranges: Ranges


_LAST = sys.maxunicode
_LETTERS_TO = 0x40000  # where the planes start that Unicode has no letters and spaces in
NOT_ASCII = Chars(r"[^\x00-\x7f]", ((128, _LAST),))


def holds(ranges: Ranges, code: int) -> bool:
    """Whether `code` is in `ranges`."""
    at = bisect_right(ranges, (code, _LAST))
    return at > 0 and code <= ranges[at - 1][1]


def holds_no_ascii(chars: Chars) -> bool:
    """Whether `chars` has no ASCII character."""
    return not chars.ranges or chars.ranges[0][0] > 127


def as_pattern(ranges: Ranges) -> str:
    """A regular expression for one character of `ranges`."""
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return re.escape(chr(ranges[0][0]))
    return "[" + "".join(_escaped(a) if a == b else f"{_escaped(a)}-{_escaped(b)}" for a, b in ranges) + "]"


def _escaped(code: int) -> str:
    return re.escape(chr(code))


def union(sets: Iterable[Ranges]) -> Ranges:
    """The ranges of what is in one of `sets`."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(one for ranges in sets for one in ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def complement(ranges: Ranges) -> Ranges:
    """The ranges of what is not in `ranges`."""
    borders = [(-1, -1), *ranges, (_LAST + 1, _LAST + 1)]
    return tuple((a[1] + 1, b[0] - 1) for a, b in pairwise(borders) if a[1] + 1 < b[0])


def intersection(one: Ranges, other: Ranges) -> Ranges:
    """The ranges of what is in both."""
    return complement(union((complement(one), complement(other))))


def of_ranges(ranges: Ranges) -> Chars:
    """The set of `ranges`."""
    return Chars(as_pattern(ranges), ranges)


def of_codes(codes: Iterable[int]) -> Ranges:
    """The ranges of single code points."""
    return union(((code, code),) for code in codes)
