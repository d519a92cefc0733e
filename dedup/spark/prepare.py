"""Read input files and prepare their records: one task reads each file, any task prepares its records.

Each article has a number, ``aid``, made of the place of its file among the inputs and its place in that file.
These numbers ascend in input order. Those of known articles (`dedup.prepare.corpus.Corpus`) are below 0.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.errors import InputError
from dedup.kernels.backend import load_backend
from dedup.prepare.columns import prepared_schema
from dedup.prepare.failing_records import prepare_or_quarantine
from dedup.read.formats import JSON_LINES
from dedup.read.inputs import InputFile, InputFiles
from dedup.read.other_corpora import KnownRecords
from dedup.read.records import RECORD_SCHEMA, RecordReader
from dedup.settings import Settings
from dedup.spark.arrow_types import cast_bits, spark_batch, spark_type, sql_schema
from dedup.spark.listing import ListedFile
from dedup.spark.tables import TableStore, union_all

RECORD_BITS = 36  # of a number: 2**36 records to a file, 2**27 files
IS_KNOWN, IS_NEW = "aid < 0", "aid >= 0"  # SQL
FILE_SUMMARY = -1  # the record number of the row that describes a file
_BATCH_BYTES = 4 << 20  # of records that are prepared together

_FILE_COLUMNS = (
    "file bigint, name string, path string, kind string, bytes bigint, remote boolean, modified bigint, "
    "table string, forced boolean, host string"
)
_READING = ("input_format", "encoding")  # the settings that decide how files are read
_RAW_COLUMNS = {"aid": pa.int64(), **{field.name: field.type for field in RECORD_SCHEMA}}


def read_files(session: Any, files: Sequence[ListedFile], settings: Settings, partitions: int) -> Any:
    """Return a data frame of the raw records of `files`, with a `FILE_SUMMARY` row for each file."""
    kinds = [[file for file in files if file.remote == remote] for remote in (False, True)]
    return union_all([_read_alike(session, group, settings, partitions) for group in kinds if group])


def _read_alike(session: Any, files: Sequence[ListedFile], settings: Settings, partitions: int) -> Any:
    """Return what `read_files` returns, for files that are all remote or all not."""
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    table = session.createDataFrame([tuple(file) for file in files], _FILE_COLUMNS)
    if files[0].remote:
        paths = [file.path for file in files]
        content = session.read.format("binaryFile").load(paths).select("path", "content")
        # Spark may spell an address otherwise than it was listed: "file:/a" or "file:///a".
        content = content.selectExpr("regexp_replace(path, '^file:/+', 'file:/') as address", "content")
        table = table.selectExpr("*", "regexp_replace(path, '^file:/+', 'file:/') as address")
        table = content.join(f.broadcast(table), "address").drop("address")
    else:
        tasks = min(len(files), partitions * 8)
        table = table.repartition(tasks, "file").selectExpr("*", "cast(null as binary) as content")
    reading = {name: getattr(settings, name) for name in _READING}  # all settings would be pickled once more
    raw = table.mapInArrow(partial(_read_files_task, reading=reading), sql_schema(_RAW_COLUMNS))
    if len(files) < partitions * 4:
        raw = raw.repartition(partitions, "aid")  # few files: spread their records over all workers
    return raw


def read_table(store: TableStore, frame: Any, partitions: int) -> Any:
    """Return a data frame of raw records, one for each row of the data frame `frame`, as JSON.

    Rows of a table have no order, and tasks cannot number them by counting. Their JSON is sorted instead, so that the
    number of a row follows from its content. Their source is ``-``. One `FILE_SUMMARY` row describes the table.
    """
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    json_rows = frame.select(f.to_json(f.struct("*"), {"ignoreNullFields": "false"}).alias("value"))
    given = store.save("given", json_rows.repartitionByRange(partitions, "value").sortWithinPartitions("value"))
    raw = store.number_rows("given").selectExpr(
        "number as aid",
        "'-' as source",
        f"'{JSON_LINES}' as kind",
        "number as record",
        "cast(value as binary) as data",
        "cast(null as string) as error",
        "cast(null as string) as charset",
        "cast(null as string) as file_host",
    )
    size = given.agg(f.sum(f.octet_length("value") + 1)).first()[0] or 0
    inputs = [{"source": "-", "bytes": int(size), "sha256": _table_digest(given)}]
    summary = {"inputs": inputs, "skipped": [], "records": given.count(), "error": None}
    summary_row = (0, "-", JSON_LINES, FILE_SUMMARY, bytearray(json.dumps(summary).encode()), None, None, None)
    return raw.unionByName(store.session.createDataFrame([summary_row], sql_schema(_RAW_COLUMNS)))


def _table_digest(given: Any) -> str:
    """Return the sum of the SHA-256 hashes of all values, which does not depend on the order of rows.

    Each 32 bits of the hashes are added up separately, modulo 2**32; the result is 64 hexadecimal digits.
    """
    parts = [f"cast(conv(substring(sha2(value, 256), {at}, 8), 16, 10) as decimal(38))" for at in range(1, 65, 8)]
    sums = given.selectExpr(*(f"sum({part}) as s{number}" for number, part in enumerate(parts))).first()
    return "".join(f"{int(value or 0) % (1 << 32):08x}" for value in sums)


def prepare_records(raw: Any, settings: Settings, *, compiled: bool) -> Any:
    """Return a data frame with one row per record of `raw`: its number ``aid`` and the columns of a prepared batch.

    A bad record becomes a row with an error, whatever the settings say: the driver decides about those.
    `FILE_SUMMARY` rows are passed on.
    """
    tolerant = replace(settings, on_error="quarantine")
    task = partial(_prepare_task, settings=tolerant, compiled=compiled)
    return raw.mapInArrow(task, sql_schema(prepared_columns(settings)))


def prepared_columns(settings: Settings) -> dict[str, pa.DataType]:
    """Return the columns of prepared records by name; ``bytes`` is the size of the raw record."""
    columns = {field.name: field.type for field in prepared_schema(settings)}
    return {"aid": pa.int64(), "bytes": pa.int64(), **columns}


class _RemoteContent:
    """The content of a remote file, which `RecordReader` opens as it would open a path."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def open(self, _mode: str) -> io.BytesIO:
        """Open the content as a binary file."""
        return io.BytesIO(self.content)


def _read_files_task(batches: Iterable[pa.RecordBatch], reading: dict[str, str | None]) -> Iterator[pa.RecordBatch]:
    """Run in a task: read the records of files, as the settings `reading` say."""
    settings = Settings(**reading)  # type: ignore[arg-type]
    names = ("file", "name", "path", "kind", "table", "forced", "host", "content")
    for batch in batches:
        for at in range(batch.num_rows):
            yield from _read_file({name: batch.column(name)[at].as_py() for name in names}, settings)


def _read_file(row: dict[str, Any], settings: Settings) -> Iterator[pa.RecordBatch]:
    """Yield the records of one file, then its `FILE_SUMMARY` row."""
    first_aid = row["file"] << RECORD_BITS
    path: Any = Path(row["path"]) if row["content"] is None else _RemoteContent(row["content"])
    source = InputFile(row["name"], path, row["kind"], row["table"], row["forced"], row["host"])
    reader = RecordReader(InputFiles([source], []), settings, is_part=True)
    named = KnownRecords(reader) if row["file"] < 0 else reader
    record_count, error = 0, None
    try:
        for records in named:
            numbers = np.arange(record_count, record_count + records.num_rows) + first_aid
            record_count += records.num_rows
            columns = {name: records.column(name) for name in RECORD_SCHEMA.names}
            yield spark_batch({"aid": pa.array(numbers), **columns}, _RAW_COLUMNS)
    except InputError as problem:  # for the driver, which raises it
        error = str(problem)
    summary = {"inputs": named.inputs, "skipped": reader.skipped, "records": record_count, "error": error}
    empty = {name: [None] for name in _RAW_COLUMNS}
    columns = {"source": [row["name"]], "record": [FILE_SUMMARY], "data": [json.dumps(summary).encode()]}
    yield spark_batch({**empty, "aid": [first_aid], **columns}, _RAW_COLUMNS)


def _prepare_task(batches: Iterable[pa.RecordBatch], settings: Settings, *, compiled: bool) -> Iterator[pa.RecordBatch]:
    """Run in a task: prepare records, and pass `FILE_SUMMARY` rows on."""
    kinds = prepared_columns(settings)
    backend = load_backend(compiled=compiled)
    for whole in batches:
        for batch in _slices_by_bytes(whole) if whole.num_rows else ():
            numbers = np.asarray(batch.column("record"))
            for chosen in (np.flatnonzero(numbers != FILE_SUMMARY), np.flatnonzero(numbers == FILE_SUMMARY)):
                if not len(chosen):
                    continue
                rows = batch.take(pa.array(chosen))
                if numbers[chosen[0]] == FILE_SUMMARY:
                    empty = {name: pa.nulls(len(chosen), spark_type(kind)) for name, kind in kinds.items()}
                    same = {name: rows.column(name) for name in ("aid", "source", "record", "data")}
                    yield spark_batch({**empty, **same}, kinds)
                    continue
                records = pa.record_batch(
                    [cast_bits(rows.column(field.name), field.type) for field in RECORD_SCHEMA], schema=RECORD_SCHEMA
                )
                prepared = prepare_or_quarantine(records, settings, backend)
                columns = {name: prepared.column(name) for name in prepared.schema.names}
                sizes = pc.binary_length(rows.column("data"))
                yield spark_batch({"aid": rows.column("aid"), "bytes": sizes, **columns}, kinds)


def _slices_by_bytes(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield slices of `batch` with about `_BATCH_BYTES` of records each, which bounds the memory of preparing one."""
    sizes = np.asarray(pc.binary_length(batch.column("data")).fill_null(0), np.int64)
    slice_numbers = (np.cumsum(sizes) - sizes) // _BATCH_BYTES
    starts = np.flatnonzero(np.diff(slice_numbers, prepend=-1))
    for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), batch.num_rows], strict=True):
        yield batch.slice(start, stop - start)
