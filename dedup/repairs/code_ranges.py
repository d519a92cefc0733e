"""Sets of characters, as sorted ranges of code points."""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

Ranges = tuple[tuple[int, int], ...]  # first and last code point of each range, ascending, with gaps between them


class Chars(NamedTuple):
    """A set of characters, as a regular expression and as ranges."""

    pattern: str
    ranges: Ranges


LAST_CODE = sys.maxunicode
LETTERS_END = 0x40000  # from here on, Unicode has no letters and no spaces
NOT_ASCII = Chars(r"[^\x00-\x7f]", ((128, LAST_CODE),))


def holds(ranges: Ranges, code: int) -> bool:
    """Return True if `ranges` contain the code point `code`."""
    at = bisect_right(ranges, (code, LAST_CODE))
    return at > 0 and code <= ranges[at - 1][1]


def holds_no_ascii(chars: Chars) -> bool:
    """Return True if `chars` contain no ASCII character."""
    return not chars.ranges or chars.ranges[0][0] > 127


def as_pattern(ranges: Ranges) -> str:
    """Return a regular expression that matches one character of `ranges`."""
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return re.escape(chr(ranges[0][0]))
    return "[" + "".join(_escaped(a) if a == b else f"{_escaped(a)}-{_escaped(b)}" for a, b in ranges) + "]"


def _escaped(code: int) -> str:
    return re.escape(chr(code))


def union(sets: Iterable[Ranges]) -> Ranges:
    """Return the ranges of the code points that are in any of `sets`."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(pair for ranges in sets for pair in ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)


def complement(ranges: Ranges) -> Ranges:
    """Return the ranges of the code points that are not in `ranges`."""
    borders = [(-1, -1), *ranges, (LAST_CODE + 1, LAST_CODE + 1)]
    return tuple((a[1] + 1, b[0] - 1) for a, b in pairwise(borders) if a[1] + 1 < b[0])


def intersection(left: Ranges, right: Ranges) -> Ranges:
    """Return the ranges of the code points that are in both sets."""
    return complement(union((complement(left), complement(right))))


def of_ranges(ranges: Ranges) -> Chars:
    """Return `ranges` as a set of characters with its pattern."""
    return Chars(as_pattern(ranges), ranges)


def of_codes(codes: Iterable[int]) -> Ranges:
    """Return the ranges of single code points."""
    return union(((code, code),) for code in codes)
