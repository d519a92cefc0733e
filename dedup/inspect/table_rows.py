"""Read the rows of one table of an output, from JSON lines or Parquet.

Both functions read a few rows at a time, because articles are long. Both raise `OutputError` with the path, and the row
number where there is one, if a table cannot be read.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from dedup.arrays import decode_utf8
from dedup.errors import OutputError
from dedup.output_layout import JSON_COLUMN
from dedup.read.fields import PROVENANCE_FIELD, Fields, from_json, join_fields, parse_fields, to_json
from dedup.read.json_errors import BadRecordError

_PARQUET_BATCH = 256  # rows
_LINE_BUFFER = 1 << 18  # bytes


def read_fields(path: Path) -> Iterator[Fields]:
    """Yield the rows of a table of articles as fields whose values are JSON, also if the table is Parquet."""
    if path.suffix == ".parquet":
        yield from _fields_from_parquet(path)
        return
    for number, line in enumerate(_read_lines(path)):
        try:
            yield parse_fields(line)
        except BadRecordError as error:
            raise OutputError(f"{path}: row {number}: {error}; clean again") from None


def read_values(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table with known columns as Python values."""
    if path.suffix == ".parquet":
        for batch in _read_batches(path):
            yield from _dicts(batch.schema.names, batch.columns)
        return
    for number, line in enumerate(_read_lines(path)):
        try:
            row = from_json(line)
        except ValueError as error:
            raise OutputError(f"{path}: row {number}: not JSON ({error}); clean again") from None
        if not isinstance(row, dict):
            raise OutputError(f"{path}: row {number}: not a JSON object; clean again")
        yield row


def _read_lines(path: Path) -> Iterator[bytes]:
    codec = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix)
    try:
        with path.open("rb") as file, pa.input_stream(file, compression=codec) as stream:
            yield from io.BufferedReader(stream, _LINE_BUFFER)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error


def _read_batches(path: Path) -> Iterator[pa.RecordBatch]:
    try:
        with path.open("rb") as file, pq.ParquetFile(file) as table:
            yield from table.iter_batches(_PARQUET_BATCH)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> OutputError:
    if isinstance(error, FileNotFoundError):
        return OutputError(f"{path}: no such file; an output keeps all its tables together, clean again")
    return OutputError(f"{path}: cannot be read ({str(error).splitlines()[0]}); clean again")


def _fields_from_parquet(path: Path) -> Iterator[Fields]:
    """Yield the rows of a Parquet table as the JSON objects that `dedup.write.parquet` made them from.

    Each object has only the fields that its record had, in their order.
    """
    for batch in _read_batches(path):
        json_names = {field.name for field in batch.schema if JSON_COLUMN.items() <= (field.metadata or {}).items()}
        for row in _dicts(batch.schema.names, batch.columns):
            members = row.pop(PROVENANCE_FIELD)
            names, previous = members.pop("fields"), members.pop("previous")
            fields = {
                name: _raw_json(row[name]) if name in json_names else to_json(row[name])
                for name in names
                if name in row
            }
            if PROVENANCE_FIELD in names:
                members["previous"] = _raw_json(previous)
            provenance = msgspec.Raw(join_fields({name: to_json(value) for name, value in members.items()}))
            in_order = {name: provenance if name == PROVENANCE_FIELD else fields[name] for name in names}
            yield {**in_order, PROVENANCE_FIELD: provenance}


def _raw_json(text: str | None) -> msgspec.Raw:
    return msgspec.Raw((text or "null").encode("utf-8"))


def _dicts(names: Iterable[str], columns: Iterable[pa.Array]) -> Iterator[dict[str, Any]]:
    """Yield one dict for each row of `columns`."""
    names = list(names)
    for values in zip(*map(_python_values, columns), strict=True):
        yield dict(zip(names, values, strict=True))


def _python_values(array: pa.Array) -> list[Any]:
    """Return the Python values of a column.

    Arrow's own conversion fails on texts with lone surrogates, so texts are converted as bytes.
    """
    kind = array.type
    if pa.types.is_struct(kind):
        return list(_dicts([field.name for field in kind], array.flatten()))
    if pa.types.is_list(kind):
        values = iter(_python_values(array.flatten()))
        sizes = array.value_lengths().to_pylist()
        return [None if size is None else [next(values) for _ in range(size)] for size in sizes]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        binary = array.cast(pa.binary() if pa.types.is_string(kind) else pa.large_binary())
        return [None if value is None else decode_utf8(value) for value in binary.to_pylist()]
    return array.to_pylist()  # type: ignore[no-any-return]
