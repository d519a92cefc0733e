"""Read regular expressions as sequences of character sets, from the parse tree of Python's own parser.

The parser is the private module ``re._parser``. Only `parse` uses it; `tests/test_regex_tree.py` tests what the project
relies on, so that a change in Python fails there first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from dedup.repairs.code_ranges import LETTERS_END, Chars, Ranges, as_pattern, complement, union


def parse(pattern: str, flags: int = 0) -> Any:
    """Return the parse tree of `pattern`: pairs of an operation and its value, and `getwidth` for its lengths."""
    parser: Any = import_module("re._parser")
    return parser.parse(pattern, flags)


def read_sequences(pattern: str, flags: int, *, anchored: bool = True) -> tuple[tuple[Chars, ...], ...]:
    """Return the sequences of character sets of `pattern`, an alternation of such sequences; anchors are omitted.

    With `anchored` False, sequences that have an anchor are omitted as a whole. Raises `NotImplementedError` if
    `pattern` has any other operation.

    >>> [[chars.pattern for chars in sequence] for sequence in read_sequences("^a[b-c]?|d", 0)]
    [['a'], ['a', '[b-c]'], ['d']]
    """
    return tuple(_sequences(list(parse(pattern, flags)), [()] if anchored else []))


def _sequences(items: Sequence[tuple[Any, Any]], anchor: list[tuple[Chars, ...]]) -> list[tuple[Chars, ...]]:
    """Return the sequences of `items`, a part of the parse tree; `anchor` replaces an anchor at the start."""
    sequences: list[tuple[Chars, ...]] = [()]
    for operation, value in items:
        choices: list[tuple[Chars, ...]]
        match str(operation):
            case "BRANCH":
                choices = [sequence for branch in value[1] for sequence in _sequences(list(branch), anchor)]
            case "SUBPATTERN":
                choices = _sequences(list(value[3]), anchor)
            case "MAX_REPEAT" if value[0] == 0 and value[1] == 1:
                choices = [(), *_sequences(list(value[2]), anchor)]
            case "AT" if str(value) == "AT_BEGINNING":
                choices = anchor
            case _:
                choices = [(_character_set(str(operation), value),)]
        sequences = [sequence + choice for sequence in sequences for choice in choices]
    return sequences


def _character_set(operation: str, value: Any) -> Chars:
    """Return the set of characters that one operation of the parse tree matches."""
    match operation:
        case "LITERAL":
            return Chars(re.escape(chr(value)), ((value, value),))
        case "ANY":
            return Chars(r"[^\n]", complement(((10, 10),)))
        case "IN":
            members = [(str(kind), member) for kind, member in value]
            negated = members[0][0] == "NEGATE"
            ranges = union(_member(kind, member) for kind, member in members[negated:])
            ranges = complement(ranges) if negated else ranges
            whole = [_CATEGORIES.get(str(member)) for _, member in members]
            return Chars(whole[0] if len(whole) == 1 and whole[0] else as_pattern(ranges), ranges)
    raise NotImplementedError(operation)


_CATEGORIES = {"CATEGORY_SPACE": r"\s", "CATEGORY_WORD": r"\w"}


def _member(kind: str, member: Any) -> Ranges:
    """Return the ranges of one member of a bracketed set."""
    match kind:
        case "LITERAL":
            return ((member, member),)
        case "RANGE":
            return (member,)
        case "CATEGORY" if str(member) in _CATEGORIES:
            return _category(_CATEGORIES[str(member)])
    raise NotImplementedError(f"{kind} {member}")


@cache
def _category(pattern: str) -> Ranges:
    r"""Return the ranges of a category such as ``\s``."""
    every = np.arange(LETTERS_END, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
    return tuple((match.start(), match.end() - 1) for match in re.finditer(f"{pattern}+", every))
