"""Read and write values inside nested fields by paths such as ``article.body`` and ``data[0].text``.

A field whose literal name is the path comes first, so ``{"article.body": "…"}`` works, too. Writing replaces the bytes
of one value, and keeps all other bytes of the field around it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from dedup.read.fields import Fields, from_json
from dedup.read.json_errors import skip_space

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)  # numbers of any length

Step = str | int


@lru_cache(1 << 10)
def parse_path(path: str) -> tuple[Step, ...]:
    """Return the names and indexes of `path`; nothing if it has less than two.

    >>> parse_path("data[0].text"), parse_path("text"), parse_path("a..b")
    (('data', 0, 'text'), (), ())
    """
    steps: list[Step] = []
    position = 0
    while position < len(path):
        if path[position] == "." and steps:
            position += 1
            match = _STEP.match(path, position)
            if not match or match[1] is None:
                return ()
        else:
            match = _STEP.match(path, position)
            if not match or (match[1] is not None) != (not steps):
                return ()
        steps.append(match[1] if match[1] is not None else int(match[2]))
        position = match.end()
    return tuple(steps) if len(steps) > 1 else ()


def get_field(fields: Fields, path: str) -> msgspec.Raw | None:
    """Return the value of the field named `path`, else the value at that path, else None.

    >>> from dedup.read.fields import parse_fields
    >>> bytes(get_field(parse_fields(b'{"data": [{"text": "One."}]}'), "data[0].text"))
    b'"One."'
    """
    if path in fields:
        return fields[path]
    steps = parse_path(path)
    if not steps or steps[0] not in fields:
        return None
    field = bytes(fields[str(steps[0])])
    span = _find_span(field.decode("utf-8"), steps[1:]) if field[:1] in {b"{", b"["} else None
    return None if span is None else msgspec.Raw(field.decode("utf-8")[slice(*span)].encode("utf-8"))


def set_field(fields: Fields, path: str, value: msgspec.Raw) -> None:
    """Replace the value that `get_field` returns; `fields` change, but not the bytes around the value.

    >>> from dedup.read.fields import join_fields, parse_fields
    >>> fields = parse_fields(b'{"data": [ {"text":  "One.", "n": 1.0} ]}')
    >>> set_field(fields, "data[0].text", msgspec.Raw(b"null"))
    >>> join_fields(fields)
    b'{"data":[ {"text":  null, "n": 1.0} ]}'
    """
    steps = parse_path(path)
    if path in fields or not steps:
        fields[path] = value
        return
    name = str(steps[0])
    field = bytes(fields[name]).decode("utf-8")
    span = _find_span(field, steps[1:])
    assert span is not None, path
    fields[name] = msgspec.Raw(f"{field[: span[0]]}{bytes(value).decode('utf-8')}{field[span[1] :]}".encode())


def string_paths(fields: Fields, depth: int = 3) -> Iterator[tuple[str, str]]:
    """Yield the path and the value of each string in `fields`, also inside objects and lists up to `depth`."""
    for name, value in fields.items():
        yield from _strings(name, from_json(value), depth)


def _strings(path: str, value: object, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        yield path, "\n\n".join(value)
    elif depth and isinstance(value, dict):
        for name, inner in value.items():
            yield from _strings(f"{path}.{name}", inner, depth - 1)
    elif depth and isinstance(value, list) and value:
        yield from _strings(f"{path}[0]", value[0], depth - 1)


def _find_span(text: str, steps: tuple[Step, ...]) -> tuple[int, int] | None:
    """Return where in `text`, a JSON value, the value at `steps` starts and stops; None if there is none."""
    start, stop = 0, len(text)
    for step in steps:
        opening = text[start : start + 1]
        if opening != ("{" if isinstance(step, str) else "["):
            return None
        inner = None
        for place, (key, inner_start, inner_stop) in enumerate(_members(text, start)):
            if (key if isinstance(step, str) else place) == step:
                inner = inner_start, inner_stop  # of a key that occurs twice, the last counts
        if inner is None:
            return None
        start, stop = inner
    return start, stop


def _members(text: str, start: int) -> Iterator[tuple[str, int, int]]:
    """Yield name, start and stop of each member of the JSON object or list at `start`; those of a list have no name."""
    is_object = text[start] == "{"
    position = skip_space(text, start + 1)
    while text[position] not in "}]":
        name = ""
        if is_object:
            name, position = _DECODER.raw_decode(text, position)
            position = skip_space(text, skip_space(text, position) + 1)
        _, stop = _DECODER.raw_decode(text, position)
        yield name, position, stop
        position = skip_space(text, stop)
        if text[position] == ",":
            position = skip_space(text, position + 1)
