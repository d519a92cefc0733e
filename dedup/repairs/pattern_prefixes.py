"""Read from a regular expression how the lines that it matches begin, and how long they are.

A line with another prefix need not be matched against the pattern, which may have thousands of alternatives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dedup.repairs.regex_tree import parse

LONGEST = 8  # characters of a prefix; longer ones exclude hardly more lines
_MOST_PREFIXES = 64  # of one alternative; beyond that its prefixes stay shorter
END = "\n"  # follows the text of a line that is shorter than a prefix
DIGIT = "0"  # stands for any decimal digit

Lengths = tuple[int, int]  # least and most characters
_FEW = 32  # characters of a range that are expanded one by one


def beginnings(pattern: str) -> dict[str, Lengths]:
    r"""Return the prefixes of the texts that `pattern` matches as a whole, each with the least and greatest length.

    If a digit stands for every digit, and `END` follows the text, then every text that `pattern` matches starts with
    one of these prefixes and has a length within its bounds. Lengths are in code points.

    >>> beginnings("(?:share|tweet)s?|ad .{1,10}|[a-c]?")["ad "]
    (4, 13)
    >>> sorted(beginnings("tweets?|[ab]?\\d"))
    ['0\n', 'a0\n', 'b0\n', 'tweet\n', 'tweets\n']
    """
    lengths: dict[str, Lengths] = {}
    for part in _alternatives(parse(pattern)):
        reader = _PrefixReader()
        ended = reader.read(part, {""})
        least, most = part.getwidth()
        for prefix in reader.prefixes | {prefix + END for prefix in ended}:
            known = lengths.get(prefix, (least, most))
            lengths[prefix] = (min(known[0], least), max(known[1], most))
    return lengths


def _alternatives(tree: Any) -> Sequence[Any]:
    """Return the alternatives of a parse tree, those of nested choices included."""
    if len(tree) == 1 and str(tree[0][0]) == "BRANCH":
        return [part for branch in tree[0][1][1] for part in _alternatives(branch)]
    return [tree]


class _PrefixReader:
    """Follows the alternatives of a pattern until each prefix is long enough; `prefixes` are the finished ones."""

    def __init__(self) -> None:
        self.prefixes: set[str] = set()

    def read(self, items: Iterable[tuple[Any, Any]], open_prefixes: set[str]) -> set[str]:
        """Return the prefixes in `open_prefixes` extended by `items`, without those that are finished."""
        for operation, value in items:
            if not open_prefixes:
                break
            match str(operation):
                case "BRANCH":
                    open_prefixes = set().union(*(self.read(branch, open_prefixes) for branch in value[1]))
                case "SUBPATTERN":
                    open_prefixes = self.read(value[3], open_prefixes)
                case "MAX_REPEAT" | "MIN_REPEAT":
                    least, most, repeated = value
                    open_prefixes = self._repeated(least, most, repeated, open_prefixes)
                case "ASSERT" | "ASSERT_NOT" | "AT":
                    pass  # matches no character
                case _:
                    open_prefixes = self._longer(open_prefixes, _characters_of_set(str(operation), value))
        return open_prefixes

    def _repeated(self, least: int, most: int, items: Any, open_prefixes: set[str]) -> set[str]:
        behind = set(open_prefixes) if least == 0 else set()
        for times in range(1, min(most, least + LONGEST) + 1):
            open_prefixes = self.read(items, open_prefixes)
            if times >= least:
                behind |= open_prefixes
            if not open_prefixes:
                break
        return behind

    def _longer(self, open_prefixes: set[str], characters: set[str] | None) -> set[str]:
        if characters is None or len(open_prefixes) > _MOST_PREFIXES:
            self.prefixes |= open_prefixes
            return set()
        longer = {way + character for way in open_prefixes for character in characters}
        self.prefixes |= {way for way in longer if len(way) >= LONGEST}
        return {way for way in longer if len(way) < LONGEST}


def _characters_of_set(operation: str, value: Any) -> set[str] | None:
    """Return the characters that a set can match, with `DIGIT` for digits, or None if there are more than a few."""
    if operation == "LITERAL":
        return {_digit_folded(value)}
    if operation != "IN":
        return None
    characters: set[str] = set()
    for kind, member in value:
        match str(kind), str(member):
            case "LITERAL", _:
                characters.add(_digit_folded(member))
            case "RANGE", _ if member[1] - member[0] < _FEW:
                characters |= {_digit_folded(code) for code in range(member[0], member[1] + 1)}
            case "CATEGORY", "CATEGORY_DIGIT":
                characters.add(DIGIT)
            case _:
                return None
    return characters


def _digit_folded(code: int) -> str:
    """Return the character of a code point, or `DIGIT` for a decimal digit."""
    return DIGIT if chr(code).isdecimal() else chr(code)
