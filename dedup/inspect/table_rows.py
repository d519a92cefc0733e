"""Read the rows of one file of a table of an output: JSON lines, Parquet or CSV.

`read_fields` and `read_values` read a few rows at a time, because articles are long. They raise `OutputError` with the
path, and the row number where there is one, if a file cannot be read.
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
from dedup.read.fields import Fields, from_json, parse_fields
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
            try:
                yield parse_fields(line)
            except BadRecordError as error:
                raise OutputError(f"{path}: row {number}: {error}; clean again") from None


def read_values(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file of a table with known columns as Python values."""
    if path.suffix == ".parquet":
        for batch in _read_batches(path):
            yield from rows_of_batch(batch)
        return
    for number, line in enumerate(_read_lines(path)):
        try:
            row = from_json(line)
        except ValueError as error:
            raise OutputError(f"{path}: row {number}: not JSON ({error}); clean again") from None
        if not isinstance(row, dict):
            raise OutputError(f"{path}: row {number}: not a JSON object; clean again")
        yield row


@contextmanager
def open_table(path: Path) -> Iterator[BinaryIO]:
    """Open a file of a table that is not Parquet, decompressed as its name says."""
    codec = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix)
    try:
        with path.open("rb") as file, pa.input_stream(file, compression=codec) as stream:
            yield io.BufferedReader(stream, _LINE_BUFFER)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error


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
