"""Convert a table of an output from JSON lines to Parquet.

JSON has no schema and Parquet needs one, so the lines are read twice: once to see what kinds of values each field
holds, once to write. A field becomes a column of text, whole numbers, numbers or booleans if all its values are of that
kind. Any other field becomes a text column that holds JSON, marked in the column's metadata. The `provenance` of each
article also lists the fields that it really had, in order, so that reading it back loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from dedup import output_layout as layout
from dedup.output_layout import JSON_COLUMN
from dedup.read.fields import NOT_FINITE, PROVENANCE_FIELD, from_json, join_fields
from dedup.settings import Settings
from dedup.write.article_columns import empty_table_fields, json_lines, split_row
from dedup.write.schema import FINDINGS_SCHEMA, QUARANTINE_SCHEMA, SITE_TEXT_SCHEMA

_ROW_GROUP_SIZE = 4096  # rows
_ROW_GROUP_BYTES = 64 << 20  # of JSON; a group is in memory several times over while it is written
_CODECS = {"none": "none", "gz": "gzip", "zst": "zstd"}
_EXACT_FLOAT = 1 << 53  # a float64 holds every whole number up to this one exactly

_PROVENANCE_MEMBERS = [
    ("source", pa.string()),
    ("record", pa.int64()),
    ("sha256", pa.string()),
    ("findings", pa.int64()),
]
_DROPPED_MEMBERS = [("rule", pa.string()), ("twin", pa.string()), ("similarity", pa.float64())]
_RESTORE_MEMBERS = [("fields", pa.list_(pa.string())), ("previous", pa.string())]
_KNOWN_MEMBERS = [*_PROVENANCE_MEMBERS, *_DROPPED_MEMBERS, *_RESTORE_MEMBERS]
_ID, _MORE = "id", "more"  # members that are there only if a row needs them; `more` holds all others, as JSON

_FIXED_SCHEMAS = {
    layout.PROVENANCE: FINDINGS_SCHEMA,
    layout.QUARANTINE: QUARANTINE_SCHEMA,
    layout.SITE_TEXT: SITE_TEXT_SCHEMA,
}
_ARTICLE_TABLES = (layout.ARTICLES, layout.DROPPED)

# The first set that contains every kind of value of a field names the type of its column.
_COLUMN_TYPES = (
    ({"string"}, pa.string()),
    ({"bool"}, pa.bool_()),
    ({"int", "long"}, pa.int64()),
    ({"int", "float"}, pa.float64()),
)


def table_to_parquet(table: str, sources: Sequence[Path], targets: Sequence[Path], settings: Settings) -> None:
    """Write each file of JSON lines in `sources` as the Parquet file of the same place in `targets`, and delete it.

    All files of a table have one schema. `settings.compress` names the codec.
    """
    codec = _CODECS[settings.compress]
    schema = _FIXED_SCHEMAS.get(table) or _infer_schema(table, sources, settings)
    values = _column_values if table in _ARTICLE_TABLES else _fixed_values
    for source, target in zip(sources, targets, strict=True):
        with pq.ParquetWriter(target, schema, compression=codec) as writer:
            for lines in _row_groups(json_lines([source])):
                rows = [values(line, schema) for line in lines]
                writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=schema))
        source.unlink()


def _row_groups(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield `lines` in lists: of at most `_ROW_GROUP_SIZE`, and as soon as one has `_ROW_GROUP_BYTES`."""
    group: list[bytes] = []
    size = 0
    for line in lines:
        group.append(line)
        size += len(line)
        if len(group) == _ROW_GROUP_SIZE or size >= _ROW_GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _infer_schema(table: str, sources: Sequence[Path], settings: Settings) -> pa.Schema:
    """Return a schema with a column for each field of any line, in order of first appearance, then `provenance`.

    A table without lines has a column for the text.
    """
    kinds: dict[str, set[str]] = {}
    optional: set[str] = set()
    known = {name for name, _ in _KNOWN_MEMBERS}
    for line in json_lines(sources):
        fields, members = split_row(line)
        for name, value in fields.items():
            kinds.setdefault(name, set()).add(_value_kind(value))
        optional.update(name if name == _ID else _MORE for name in members if name not in known)
    columns = [_column_field(name, kinds[name]) for name in kinds]
    if not columns and not optional:
        columns = [pa.field(name, pa.string()) for name in empty_table_fields(settings)]
    added = [(name, pa.string()) for name in (_ID, _MORE) if name in optional]
    dropped = _DROPPED_MEMBERS if table == layout.DROPPED else []
    struct = pa.struct([*_PROVENANCE_MEMBERS, *dropped, *added, *_RESTORE_MEMBERS])
    return pa.schema([*columns, pa.field(PROVENANCE_FIELD, struct)])


def _value_kind(value: msgspec.Raw) -> str:
    """Return the kind of a JSON value: null, bool, int, long, float or string; json if no column type can hold it.

    An int can be converted to float64 without loss; a long cannot, but fits into int64.
    """
    try:
        decoded = 0.0 if bytes(value) in NOT_FINITE else msgspec.json.decode(value)
    except msgspec.MsgspecError:  # a lone surrogate, or more levels of nesting than the decoder allows
        return "json"
    match decoded:
        case None:
            return "null"
        case bool():
            return "bool"
        case int():
            if abs(decoded) <= _EXACT_FLOAT:
                return "int"
            return "long" if -(1 << 63) <= decoded < 1 << 63 else "json"
        case float():
            return "float" if is_exact_float(bytes(value), decoded) else "json"
        case str():
            return "string"
    return "json"


def is_exact_float(written: bytes, value: float) -> bool:
    """Return True if a number of JSON, `written` so, is `value` to the last digit.

    >>> is_exact_float(b"1.50", 1.5), is_exact_float(b"0.12345678901234567890123", 0.12345678901234568)
    (True, False)
    """
    return written in NOT_FINITE or (abs(value) < float("inf") and Decimal(written.decode()) == Decimal(repr(value)))


def _column_field(name: str, kinds: set[str]) -> pa.Field:
    """Return the Arrow field of a column that holds values of these kinds."""
    kinds = kinds - {"null"}
    for allowed, arrow_type in _COLUMN_TYPES:
        if kinds and kinds <= allowed:
            return pa.field(name, arrow_type)
    return pa.field(name, pa.string(), metadata=JSON_COLUMN)


def _fixed_values(line: bytes, _schema: pa.Schema) -> dict[str, Any]:
    """Return a line of a table with fixed columns as values for them."""
    return msgspec.json.decode(line, type=dict[str, Any])


def _column_values(line: bytes, schema: pa.Schema) -> dict[str, Any]:
    """Return a line of an article table as values for the columns of `schema`."""
    fields, members = split_row(line)
    json_names = {field.name for field in schema if field.metadata == JSON_COLUMN}
    row = {name: bytes(value).decode() if name in json_names else from_json(value) for name, value in fields.items()}
    previous = members.pop("previous", None)
    known = {field.name for field in schema.field(PROVENANCE_FIELD).type}
    more = {name: members.pop(name) for name in list(members) if name not in known}
    row[PROVENANCE_FIELD] = {
        **{name: from_json(value) for name, value in members.items()},
        "previous": None if previous is None else bytes(previous).decode(),
        _MORE: join_fields(more).decode() if more else None,
    }
    return row
