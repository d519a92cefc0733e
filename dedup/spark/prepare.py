"""Files to prepared articles: each file is read by one task, its records are prepared wherever there is room.

An article is known by one number, the place of its file among the inputs and its record number in it; numbers ascend
in input order.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.kernels.backend import load_backend
from dedup.prepare.batch import prepare
from dedup.prepare.columns import prepared_schema
from dedup.read.inputs import JSON_LINES, InputFile, InputFiles
from dedup.read.records import RECORD_SCHEMA, RecordReader
from dedup.settings import Settings
from dedup.spark.arrow_types import batch_of, cast, ddl_of, storable
from dedup.spark.listing import _FILES, _RAW, Listed
from dedup.spark.tables import TableStore

RECORD_BITS = 36  # 2**36 records to a file, 2**27 files
META = -1  # the record number of the row that says what a file was
_PREPARED_AT_ONCE = 4 << 20  # bytes of records


def prepared(raw: Any, settings: Settings, *, compiled: bool) -> Any:
    """One row per record of `raw`, with its number ``aid``, in the columns of `dedup.prepare.batch`.

    A bad record is a row with an error, whatever the settings say: the driver decides on those. A row with record
    `META` says what a file was.
    """
    tolerant = replace(settings, on_error="quarantine")
    return raw.mapInArrow(partial(_prepare, settings=tolerant, compiled=compiled), ddl_of(_prepared(settings)))


def records(session: Any, files: Sequence[Listed], partitions: int) -> Any:
    """The raw records of all files, with their numbers, and for each file a row that says what it was."""
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    table = session.createDataFrame([tuple(one) for one in files], _FILES)
    tasks = min(len(files), partitions * 8)
    if files[0].remote:
        paths = [one.path for one in files]
        content = session.read.format("binaryFile").load(paths).select("path", "content")
        # Spark may give an address in another spelling than it was listed in: "file:/a" or "file:///a".
        content = content.selectExpr("regexp_replace(path, '^file:/+', 'file:/') as place", "content")
        table = table.selectExpr("*", "regexp_replace(path, '^file:/+', 'file:/') as place")
        table = content.join(f.broadcast(table), "place").drop("place")
    else:
        table = table.repartition(tasks, "file").selectExpr("*", "cast(null as binary) as content")
    raw = table.mapInArrow(_read, ddl_of(_RAW))
    if len(files) < partitions * 4:
        raw = raw.repartition(partitions, "aid")  # few files: their records go to all workers
    return raw


def rows(store: TableStore, frame: Any, partitions: int) -> Any:
    """The raw records of a table: its rows as JSON, in the order of that.

    Rows of a table have no order of their own, and no task may number them by counting: sorted, they have a place that
    follows from what they say. Their source is ``-``.
    """
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    told = frame.select(f.to_json(f.struct("*"), {"ignoreNullFields": "false"}).alias("value"))
    given = store.table("given", told.repartitionByRange(partitions, "value").sortWithinPartitions("value"))
    placed = given.select("value", "_metadata.file_name", "_metadata.row_index")
    counts = {row["file_name"]: row["count"] for row in placed.groupBy("file_name").count().collect()}
    names = [name for name in (path.rsplit("/", 1)[-1] for path in store.parts("given")) if name in counts]
    starts = [(name, sum(counts[one] for one in names[:at])) for at, name in enumerate(names)]
    placed = placed.join(
        f.broadcast(store.session.createDataFrame(starts, "file_name string, start bigint")), "file_name"
    )
    made = placed.selectExpr(
        "start + row_index as aid",
        "'-' as source",
        f"'{JSON_LINES}' as kind",
        "start + row_index as record",
        "cast(value as binary) as data",
        "cast(null as string) as error",
    )
    size = given.agg(f.sum(f.octet_length("value") + 1)).first()[0] or 0
    # what the rows are, whatever their order: the sum of their hashes
    parts = [f"cast(conv(substring(sha2(value, 256), {at}, 8), 16, 10) as decimal(38))" for at in range(1, 65, 8)]
    sums = given.selectExpr(*(f"sum({part}) as s{at}" for at, part in enumerate(parts))).first()
    digest = "".join(f"{int(one or 0) % (1 << 32):08x}" for one in sums)
    meta = json.dumps({"source": "-", "bytes": int(size), "sha256": digest, "records": sum(counts.values())})
    told = [(0, "-", JSON_LINES, META, bytearray(meta.encode()), None)]
    return made.unionByName(store.session.createDataFrame(told, ddl_of(_RAW)))


def _prepared(settings: Settings) -> dict[str, pa.DataType]:
    columns = {field.name: field.type for field in prepared_schema(settings)}
    return {"aid": pa.int64(), "bytes": pa.int64(), **columns}


class _Blob:
    """The content of a remote file, in the place of a path."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def open(self, _mode: str) -> io.BytesIO:
        """The content as a file."""
        return io.BytesIO(self.content)


def _read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """In a task: the records of files."""
    for batch in batches:
        for at in range(batch.num_rows):
            row = {name: batch.column(name)[at].as_py() for name in ("file", "name", "path", "kind", "content")}
            yield from _records(row)


def _records(row: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    first = row["file"] << RECORD_BITS
    place: Any = PurePosixPath(row["path"]) if row["content"] is None else _Blob(row["content"])
    if row["content"] is None:
        from pathlib import Path  # noqa: PLC0415 - a task may run where another kind of path was listed

        place = Path(row["path"])
    read = RecordReader(InputFiles([InputFile(row["name"], place, row["kind"])], []))
    count = 0
    for records in read:
        count += records.num_rows
        columns = {name: records.column(name) for name in RECORD_SCHEMA.names}
        yield batch_of({"aid": pa.array(np.asarray(columns["record"]) + first), **columns}, _RAW)
    [told] = read.inputs
    meta = json.dumps({**told, "records": count}).encode()
    columns = {"source": [row["name"]], "kind": [row["kind"]], "record": [META], "data": [meta]}
    yield batch_of({"aid": [first], "error": [None], **columns}, _RAW)


def _prepare(batches: Iterable[pa.RecordBatch], settings: Settings, *, compiled: bool) -> Iterator[pa.RecordBatch]:
    """In a task: prepared records."""
    kinds = _prepared(settings)
    backend = load_backend(compiled=compiled)
    for whole in batches:
        for batch in _parts(whole) if whole.num_rows else ():
            numbers = np.asarray(batch.column("record"))
            for mine in (np.flatnonzero(numbers != META), np.flatnonzero(numbers == META)):
                if not len(mine):
                    continue
                rows = batch.take(pa.array(mine))
                if numbers[mine[0]] == META:
                    empty = {name: pa.nulls(len(mine), storable(kind)) for name, kind in kinds.items()}
                    same = {name: rows.column(name) for name in ("aid", "source", "record", "data")}
                    yield batch_of({**empty, **same}, kinds)
                    continue
                records = pa.record_batch(
                    [cast(rows.column(field.name), field.type) for field in RECORD_SCHEMA], schema=RECORD_SCHEMA
                )
                made = prepare(records, settings, backend)
                columns = {name: made.column(name) for name in made.schema.names}
                sizes = pc.binary_length(rows.column("data"))
                yield batch_of({"aid": rows.column("aid"), "bytes": sizes, **columns}, kinds)


def _parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """`batch` in parts of so many bytes that preparing one stays small."""
    sizes = np.asarray(pc.binary_length(batch.column("data")).fill_null(0), np.int64)
    part = (np.cumsum(sizes) - sizes) // _PREPARED_AT_ONCE
    starts = np.flatnonzero(np.diff(part, prepend=-1))
    for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), batch.num_rows], strict=True):
        yield batch.slice(start, stop - start)
