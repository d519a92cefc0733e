"""Convert the tables of an output from JSON lines to Parquet.

JSON has no schema and Parquet needs one, so the lines are read twice: once to see what kinds of values each field
holds, once to write. A field becomes a column of text, whole numbers, numbers or booleans if all its values are of that
kind. Any other field becomes a text column that holds JSON, marked in the column's metadata. The `provenance` of each
article also lists the fields that it really had, in order, so that reading it back loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from dedup import output_layout as layout
from dedup.output_layout import JSON_COLUMN, table_file_name
from dedup.read.fields import NOT_FINITE, PROVENANCE_FIELD, Fields, from_json, parse_fields
from dedup.settings import Settings
from dedup.write.schema import FINDINGS_SCHEMA, QUARANTINE_SCHEMA

_ROW_GROUP_SIZE = 4096  # rows
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

# The first set that contains every kind of value of a field names the type of its column.
_COLUMN_TYPES = (
    ({"string"}, pa.string()),
    ({"bool"}, pa.bool_()),
    ({"int", "long"}, pa.int64()),
    ({"int", "float"}, pa.float64()),
)


def to_parquet(folder: Path, settings: Settings) -> None:
    """Replace the four JSONL files of `folder` by Parquet files.

    The JSONL files must not be compressed. `settings.compress` names the codec of the Parquet files.
    """
    codec = _CODECS[settings.compress]
    for table, schema in ((layout.PROVENANCE, FINDINGS_SCHEMA), (layout.QUARANTINE, QUARANTINE_SCHEMA)):
        source = folder / table_file_name(table, "jsonl", "none")
        _write_parquet(
            folder / table_file_name(table, "parquet", settings.compress),
            schema,
            map(msgspec.json.decode, _json_lines(source)),
            codec,
        )
        source.unlink()
    for table, members in ((layout.ARTICLES, []), (layout.DROPPED, _DROPPED_MEMBERS)):
        source = folder / table_file_name(table, "jsonl", "none")
        schema = _infer_schema(source, pa.struct([*_PROVENANCE_MEMBERS, *members, *_RESTORE_MEMBERS]))
        _write_parquet(
            folder / table_file_name(table, "parquet", settings.compress), schema, _column_values(source, schema), codec
        )
        source.unlink()


def _write_parquet(path: Path, schema: pa.Schema, rows: Iterable[dict[str, Any]], codec: str) -> None:
    with pq.ParquetWriter(path, schema, compression=codec) as writer:
        for group in _row_groups(rows):
            writer.write_batch(pa.RecordBatch.from_pylist(group, schema=schema))


def _row_groups(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield `rows` in lists of at most `_ROW_GROUP_SIZE`."""
    group: list[dict[str, Any]] = []
    for row in rows:
        group.append(row)
        if len(group) == _ROW_GROUP_SIZE:
            yield group
            group = []
    if group:
        yield group


def _json_lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        for line in file:
            yield line.rstrip(b"\n")


def _infer_schema(path: Path, provenance: pa.StructType) -> pa.Schema:
    """Return a schema with a column for each field of any line, in order of first appearance, then `provenance`."""
    kinds: dict[str, set[str]] = {}
    for line in _json_lines(path):
        for name, value in parse_fields(line).items():
            kinds.setdefault(name, set()).add(_value_kind(value))
    kinds.pop(PROVENANCE_FIELD, None)
    return pa.schema([*(_column_field(name, kinds[name]) for name in kinds), pa.field(PROVENANCE_FIELD, provenance)])


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
            return "float" if abs(decoded) < float("inf") else "json"
        case str():
            return "string"
    return "json"


def _column_field(name: str, kinds: set[str]) -> pa.Field:
    """Return the Arrow field of a column that holds values of these kinds."""
    kinds = kinds - {"null"}
    for allowed, arrow_type in _COLUMN_TYPES:
        if kinds and kinds <= allowed:
            return pa.field(name, arrow_type)
    return pa.field(name, pa.string(), metadata=JSON_COLUMN)


def _column_values(path: Path, schema: pa.Schema) -> Iterator[dict[str, Any]]:
    """Yield the lines of an article table as values for the columns of `schema`."""
    json_names = {field.name for field in schema if field.metadata == JSON_COLUMN}
    for line in _json_lines(path):
        fields = parse_fields(line)
        row = {
            name: bytes(value).decode() if name in json_names else from_json(value) for name, value in fields.items()
        }
        row[PROVENANCE_FIELD] = _provenance_values(fields)
        yield row


def _provenance_values(fields: Fields) -> dict[str, Any]:
    """Return the members of the `provenance` struct of an article, including the names of its fields in order."""
    members = parse_fields(bytes(fields[PROVENANCE_FIELD]))
    previous = members.pop("previous", None)
    return {
        **{name: from_json(value) for name, value in members.items()},
        "fields": [name for name in fields if name != PROVENANCE_FIELD or previous is not None],
        "previous": None if previous is None else bytes(previous).decode(),
    }
