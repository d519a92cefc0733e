"""How the lines that a pattern matches begin, and how long they are: read from the pattern itself.

A line that begins otherwise needs no look at the pattern, which may have thousands of alternatives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

LONGEST = 8  # characters; longer beginnings tell few more lines apart
# Alternatives that begin in more ways than this are known by what they have in common up to there.
_WAYS = 64
END = "\n"  # stands behind a line that ends within its beginning
DIGIT = "0"  # stands for any decimal digit

Lengths = tuple[int, int]  # least and most characters
_FEW = 32  # characters of a range that are worth telling apart


def beginnings(pattern: str) -> dict[str, Lengths]:
    r"""The beginnings of what `pattern` matches as a whole, and how long that can be for each.

    Whatever it matches, with a digit for every digit and `END` behind it, starts with one of them and has a length
    between its two.

    >>> beginnings("(?:share|tweet)s?|ad .{1,10}|[a-c]?")["ad "]
    (4, 13)
    >>> sorted(beginnings("tweets?|[ab]?\\d"))
    ['0\n', 'a0\n', 'b0\n', 'tweet\n', 'tweets\n']
    """
    parser: Any = import_module("re._parser")
    tree = parser.parse(pattern)
    found: dict[str, Lengths] = {}
    for part in _alternatives(tree):
        reader = _Reader()
        ended = reader.read(part, {""})
        least, most = part.getwidth()
        for beginning in reader.found | {beginning + END for beginning in ended}:
            known = found.get(beginning, (least, most))
            found[beginning] = (min(known[0], least), max(known[1], most))
    return found


def _alternatives(tree: Any) -> Sequence[Any]:
    if len(tree) == 1 and str(tree[0][0]) == "BRANCH":
        return [part for branch in tree[0][1][1] for part in _alternatives(branch)]
    return [tree]


class _Reader:
    """Follows the ways through a pattern until they are long enough; `found` is where they were left."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def read(self, items: Iterable[tuple[Any, Any]], ways: set[str]) -> set[str]:
        """The `ways` as they go on behind `items`, those that were left aside."""
        for operation, value in items:
            if not ways:
                break
            match str(operation):
                case "BRANCH":
                    ways = set().union(*(self.read(branch, ways) for branch in value[1]))
                case "SUBPATTERN":
                    ways = self.read(value[3], ways)
                case "MAX_REPEAT" | "MIN_REPEAT":
                    least, most, repeated = value
                    ways = self._repeated(least, most, repeated, ways)
                case "ASSERT" | "ASSERT_NOT" | "AT":
                    pass  # takes no character
                case _:
                    ways = self._longer(ways, _characters(str(operation), value))
        return ways

    def _repeated(self, least: int, most: int, items: Any, ways: set[str]) -> set[str]:
        behind = set(ways) if least == 0 else set()
        for times in range(1, min(most, least + LONGEST) + 1):
            ways = self.read(items, ways)
            if times >= least:
                behind |= ways
            if not ways:
                break
        return behind

    def _longer(self, ways: set[str], characters: set[str] | None) -> set[str]:
        if characters is None or len(ways) > _WAYS:
            self.found |= ways
            return set()
        longer = {way + character for way in ways for character in characters}
        self.found |= {way for way in longer if len(way) >= LONGEST}
        return {way for way in longer if len(way) < LONGEST}


def _characters(operation: str, value: Any) -> set[str] | None:
    """The characters that a set may be, digits as `DIGIT`; None for more than a few."""
    if operation == "LITERAL":
        return {_known(value)}
    if operation != "IN":
        return None
    found: set[str] = set()
    for kind, member in value:
        match str(kind), str(member):
            case "LITERAL", _:
                found.add(_known(member))
            case "RANGE", _ if member[1] - member[0] < _FEW:
                found |= {_known(code) for code in range(member[0], member[1] + 1)}
            case "CATEGORY", "CATEGORY_DIGIT":
                found.add(DIGIT)
            case _:
                return None
    return found


def _known(code: int) -> str:
    return DIGIT if chr(code).isdecimal() else chr(code)
