"""Turn articles from lines of JSON into columns, as Parquet and CSV need them.

`dedup.read.article_tables` says what a row holds so that nothing is lost, and reads it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from dedup.read.fields import PROVENANCE_FIELD, Fields, parse_fields, to_json
from dedup.settings import Settings

EMPTY_TEXT_FIELD = "text"  # the column of a table without articles, unless the settings name the text field


def json_lines(paths: Iterable[Path]) -> Iterator[bytes]:
    """Yield the lines of files that are not compressed, without their line ends."""
    for path in paths:
        with path.open("rb") as file:
            for line in file:
                yield line.removesuffix(b"\n")


def empty_table_fields(settings: Settings) -> list[str]:
    """Return the names of the columns of a table without articles, before `provenance`.

    >>> empty_table_fields(Settings(text_field="body"))
    ['body']
    """
    return [settings.text_field or EMPTY_TEXT_FIELD]


def split_row(line: bytes) -> tuple[Fields, Fields]:
    """Return the fields of an article, without `provenance`, and the members of that.

    The members have two more: `fields` and, if the record had a `provenance` of its own, `previous` as the last.

    >>> [*map(list, split_row(b'{"id": 1, "text": "a", "provenance": {"record": 0}}'))]
    [['id', 'text'], ['record', 'fields']]
    """
    fields = parse_fields(line)
    members = parse_fields(bytes(fields[PROVENANCE_FIELD]))
    previous = members.pop("previous", None)
    names = [name for name in fields if name != PROVENANCE_FIELD or previous is not None]
    del fields[PROVENANCE_FIELD]
    members["fields"] = to_json(names)
    if previous is not None:
        members["previous"] = previous
    return fields, members


def text_value(value: msgspec.Raw) -> str | None:
    """Return the text that a JSON value is; None if it is no text, or has a lone surrogate."""
    if bytes(value)[:1] != b'"':
        return None
    try:
        return msgspec.json.decode(value, type=str)
    except msgspec.MsgspecError:
        return None
