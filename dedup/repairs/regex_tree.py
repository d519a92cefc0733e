"""Regular expressions read as sequences of character sets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from dedup.repairs.code_ranges import _LETTERS_TO, Chars, Ranges, as_pattern, complement, union


def read_sequences(pattern: str, flags: int, *, anchored: bool = True) -> tuple[tuple[Chars, ...], ...]:
    """The sequences of character sets that `pattern`, a choice among such, stands for; anchors are left out.

    So are the sequences that have one, where `anchored` says so.

    Raises `NotImplementedError` where `pattern` is of another kind.

    >>> [[chars.pattern for chars in sequence] for sequence in read_sequences("^a[b-c]?|d", 0)]
    [['a'], ['a', '[b-c]'], ['d']]
    """
    parser: Any = import_module("re._parser")
    return tuple(_sequences(list(parser.parse(pattern, flags)), [()] if anchored else []))


def _sequences(items: Sequence[tuple[Any, Any]], anchor: list[tuple[Chars, ...]]) -> list[tuple[Chars, ...]]:
    found: list[tuple[Chars, ...]] = [()]
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
                choices = [(_chars(str(operation), value),)]
        found = [sequence + choice for sequence in found for choice in choices]
    return found


def _chars(operation: str, value: Any) -> Chars:
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
    every = np.arange(_LETTERS_TO, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
    return tuple((match.start(), match.end() - 1) for match in re.finditer(f"{pattern}+", every))
