"""The tables of an output as Parquet, made from their JSON lines.

JSON has no schema and Parquet needs one, so the lines are read twice: once to see what kinds of values each field
holds, once to write. A field whose values are all text, all whole numbers, all numbers or all booleans becomes a column
of that type; any other becomes text holding JSON, marked in the column's metadata. Which fields an article really had,
and in what order, is kept in its `provenance`, so that nothing is lost on the way back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from dedup.read import fields as record_fields
from dedup.read.fields import PROVENANCE, Fields
from dedup.settings import Settings
from dedup.write.schema import FINDINGS_SCHEMA, QUARANTINE_SCHEMA

JSON_COLUMN = {b"json": b"1"}
_ROWS_AT_ONCE = 4096
_CODECS = {"none": "none", "gz": "gzip", "zst": "zstd"}
_EXACT_FLOAT = 1 << 53  # whole numbers up to here are floats without loss

_PROVENANCE = [
    ("source", pa.string()),
    ("record", pa.int64()),
    ("sha256", pa.string()),
    ("findings", pa.int64()),
]
_DROPPED = [("rule", pa.string()), ("twin", pa.string()), ("similarity", pa.float64())]
_KEPT_ASIDE = [("fields", pa.list_(pa.string())), ("previous", pa.string())]


def to_parquet(folder: Path, settings: Settings) -> None:
    """Replaces the four JSONL files of `folder`, which must not be compressed, by Parquet files."""
    codec = _CODECS[settings.compress]
    for name, schema in (("provenance", FINDINGS_SCHEMA), ("quarantine", QUARANTINE_SCHEMA)):
        source = folder / f"{name}.jsonl"
        _write(folder / f"{name}.parquet", schema, _rows(source), codec)
        source.unlink()
    for name, extra in (("articles", []), ("dropped", _DROPPED)):
        source = folder / f"{name}.jsonl"
        schema = _schema(source, pa.struct([*_PROVENANCE, *extra, *_KEPT_ASIDE]))
        _write(folder / f"{name}.parquet", schema, _article_rows(source, schema), codec)
        source.unlink()


def _write(path: Path, schema: pa.Schema, rows: Iterable[dict[str, Any]], codec: str) -> None:
    with pq.ParquetWriter(path, schema, compression=codec) as writer:
        for some in _groups(rows):
            writer.write_batch(pa.RecordBatch.from_pylist(some, schema=schema))


def _groups(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """`rows` in lists of a row group's size."""
    some: list[dict[str, Any]] = []
    for row in rows:
        some.append(row)
        if len(some) == _ROWS_AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        for line in file:
            yield line.rstrip(b"\n")


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    for line in _lines(path):
        yield msgspec.json.decode(line)


def _schema(path: Path, provenance: pa.StructType) -> pa.Schema:
    """One column per field that any line has, in order of first appearance, then `provenance`."""
    kinds: dict[str, set[str]] = {}
    for line in _lines(path):
        for name, value in record_fields.parse_fields(line).items():
            kinds.setdefault(name, set()).add(_kind(value))
    kinds.pop(PROVENANCE, None)
    return pa.schema([*(_column(name, found) for name, found in kinds.items()), pa.field(PROVENANCE, provenance)])


def _kind(value: msgspec.Raw) -> str:
    try:
        decoded = msgspec.json.decode(value)
    except msgspec.MsgspecError:  # a lone surrogate, or nested beyond reason
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


def _column(name: str, kinds: set[str]) -> pa.Field:
    kinds = kinds - {"null"}
    for allowed, arrow in (
        ({"string"}, pa.string()),
        ({"bool"}, pa.bool_()),
        ({"int", "long"}, pa.int64()),
        ({"int", "float"}, pa.float64()),
    ):
        if kinds and kinds <= allowed:
            return pa.field(name, arrow)
    return pa.field(name, pa.string(), metadata=JSON_COLUMN)


def _article_rows(path: Path, schema: pa.Schema) -> Iterator[dict[str, Any]]:
    as_json = {field.name for field in schema if field.metadata == JSON_COLUMN}
    for line in _lines(path):
        found = record_fields.parse_fields(line)
        row = {
            name: bytes(value).decode() if name in as_json else record_fields.from_json(value)
            for name, value in found.items()
        }
        row[PROVENANCE] = _provenance(found)
        yield row


def _provenance(found: Fields) -> dict[str, Any]:
    made = record_fields.parse_fields(bytes(found[PROVENANCE]))
    previous = made.pop("previous", None)
    return {
        **{name: record_fields.from_json(value) for name, value in made.items()},
        "fields": [name for name in found if name != PROVENANCE or previous is not None],
        "previous": None if previous is None else bytes(previous).decode(),
    }
