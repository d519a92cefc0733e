"""Read the rows of one file of a table of an output: JSON lines, Parquet or CSV.

All functions read a few rows at a time, because articles are long. They raise `OutputError` with the path, and the row
number where there is one, if a file cannot be read. `read_article_lines` and `read_value_lines` leave rows as JSON, so
that other processes can decode them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from dedup.errors import OutputError
from dedup.read.article_tables import fields_from_csv, fields_from_parquet, rows_of_batch
from dedup.read.fields import Fields, from_json, join_fields, parse_fields, to_json_bytes
from dedup.read.json_errors import BadRecordError

_PARQUET_BATCH = 256  # rows
_LINE_BUFFER = 1 << 18  # bytes


def read_fields(path: Path) -> Iterator[Fields]:
    """Yield the rows of a file of articles as fields whose values are JSON, whatever the format of the file."""
    if path.suffix == ".parquet":
        for batch in _read_batches(path):
            yield from fields_from_parquet(batch)
    elif ".csv" in path.suffixes:
        with open_table(path) as file:
            try:
                yield from fields_from_csv(file)
            except (ValueError, KeyError, csv.Error) as error:
                raise OutputError(f"{path}: not the CSV that dedup wrote ({error}); clean again") from None
    else:
        for number, line in enumerate(_read_lines(path)):
            yield fields_of_line(line, f"{path}: row {number}")


def read_article_lines(path: Path) -> Iterator[bytes]:
    """Yield the rows of a file of articles as lines of JSON, whatever the format of the file."""
    return _read_lines(path) if _has_lines(path) else map(join_fields, read_fields(path))


def read_value_lines(path: Path) -> Iterator[bytes]:
    """Yield the rows of a file of a table with known columns as lines of JSON."""
    return _read_lines(path) if _has_lines(path) else map(to_json_bytes, read_values(path))


def fields_of_line(line: bytes, where: str) -> Fields:
    """Return the fields of a line of JSON. Raises `OutputError` that names `where` if it has none."""
    try:
        return parse_fields(line)
    except BadRecordError as error:
        raise OutputError(f"{where}: {error}; clean again") from None


def values_of_line(line: bytes, where: str) -> dict[str, Any]:
    """Return the values of a line of JSON. Raises `OutputError` that names `where` if it has none."""
    try:
        row = from_json(line)
    except ValueError as error:
        raise OutputError(f"{where}: not JSON ({error}); clean again") from None
    if not isinstance(row, dict):
        raise OutputError(f"{where}: not a JSON object; clean again")
    return row


def read_values(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file of a table with known columns as Python values."""
    if path.suffix == ".parquet":
        for batch in _read_batches(path):
            yield from rows_of_batch(batch)
        return
    for number, line in enumerate(_read_lines(path)):
        yield values_of_line(line, f"{path}: row {number}")


@contextmanager
def open_table(path: Path) -> Iterator[BinaryIO]:
    """Open a file of a table that is not Parquet, decompressed as its name says."""
    codec = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix)
    try:
        with path.open("rb") as file, pa.input_stream(file, compression=codec) as stream:
            yield io.BufferedReader(stream, _LINE_BUFFER)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error


def _has_lines(path: Path) -> bool:
    """Return True if a file holds lines of JSON, compressed or not."""
    return path.suffix != ".parquet" and ".csv" not in path.suffixes


def _read_lines(path: Path) -> Iterator[bytes]:
    with open_table(path) as file:
        yield from file


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
