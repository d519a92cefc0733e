"""Say in one line what is wrong with a record that is not one JSON object."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

import msgspec

_ADVICE = "each line must be one article's object"
_SPACES = re.compile(r"[ \t\n\r]*")
_VALUE_KINDS = {  # by the first character
    '"': "a string",
    "{": "an object",
    "[": "a list",
    "t": "true",
    "f": "false",
    "n": "null",
    "N": "NaN",
}
_SLIPS = (  # what people write, by the place where the parser stops
    (re.compile(r"//|/\*|#"), "a comment", "remove it"),
    (re.compile(r",\s*[}\]]"), "a trailing comma", "remove it"),
    (re.compile(r"'"), "single quotes", "JSON takes double quotes: write it with json.dumps"),
    (re.compile(r"(None|True|False|undefined)\b"), "a word that JSON does not know", "write null, true or false"),
)


class BadRecordError(ValueError):
    """An input record that cannot be an article; its message goes into the quarantine file."""


def skip_space(text: str, position: int) -> int:
    """Return the offset of the first character from `position` on that is no JSON space."""
    match = _SPACES.match(text, position)
    return match.end() if match else position


def duplicate_key(names: Iterable[str]) -> str | None:
    """Return the first of `names` that occurs again; None if all differ."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def json_kind(value: bytes | str) -> str:
    """Return the kind of a JSON value in words, with its article."""
    text = value if isinstance(value, str) else value.decode("utf-8", "replace")
    return _VALUE_KINDS.get(text.lstrip()[:1], "a number")


def parse_error(text: str, error: Exception) -> str:
    """Return the message for a line that is not one JSON object; `error` is what the fast parser raised."""
    try:
        json.loads(text)
    except json.JSONDecodeError as problem:
        return _slip_at(text, problem.pos) or f"not JSON: {_parser_message(error)}; {_ADVICE}"
    except (ValueError, RecursionError):
        return f"not JSON: {_parser_message(error)}; {_ADVICE}"
    return f"not a JSON object but {json_kind(text)}; {_ADVICE}"


def _slip_at(text: str, position: int) -> str | None:
    """Return the message for a common slip where the parser stopped; None for anything else."""
    start = skip_space(text, position)
    last = len(text[:start].rstrip()) - 1
    places = (last, start) if text[last : last + 1] == "," else (start,)
    for place in places:
        for pattern, name, advice in _SLIPS:
            if place >= 0 and pattern.match(text, place):
                return f"not JSON: {name} at {place}; {advice}"
    return None


def _parser_message(error: Exception) -> str:
    """Return the message of a JSON parser's `error`, without its preamble."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, msgspec.ValidationError):
        return "its top level is not an object"
    return str(error).removeprefix("JSON is malformed: ")
