"""Prepared batches as Arrow IPC files, each with a checksum and an origin."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, TypeAlias
from zlib import crc32

import pyarrow as pa

from dedup.arrays import encode_utf8
from dedup.errors import WorkFileError
from dedup.prepare.columns import integer_values

PreparedBatch: TypeAlias = pa.RecordBatch | Path  # in memory, or the path of its file

_BATCH_NAME = re.compile(r"\d{8}-[0-9a-f]{8}\.arrow")  # the number of a batch and the checksum of its file
_CHANGED = "-changed"


class BatchOrigin(NamedTuple):
    """What a stored batch was made from.

    Attributes:
        settings: digest of the settings.
        version: version of this program and of its libraries (`dedup.runtime.versions.program_version`).
        batch_bytes: the bytes of records at which the reader ended a batch.
        first: source and number of the first record, as ``source#record``; empty if the batch is empty.
        last: the same of the last record.
        sha256: SHA-256 of the raw records, in hexadecimal.
    """

    settings: str
    version: str
    batch_bytes: int
    first: str
    last: str
    sha256: str

    @classmethod
    def of(cls, records: pa.RecordBatch, settings: str, version: str, batch_bytes: int) -> BatchOrigin:
        """Return the origin of a batch made from `records` (`dedup.read.records.RECORD_SCHEMA`)."""
        checksum = sha256(integer_values(records.column("record")).tobytes())
        for name in ("source", "kind", "data", "error", "charset", "file_host"):
            for value in records.column(name).to_pylist():
                data = encode_utf8(value) if isinstance(value, str) else value
                checksum.update(b"-" if data is None else b"%d:" % len(data))
                checksum.update(data or b"")
        sources, numbers = (records.column(name) for name in ("source", "record"))
        first, last = (f"{sources[row]}#{numbers[row]}" if records.num_rows else "" for row in (0, -1))
        return cls(settings, version, batch_bytes, first, last, checksum.hexdigest())


def store_batch(batch: pa.RecordBatch, path: Path, origin: BatchOrigin) -> Path:
    """Write `batch` beside `path`, and return the path of its file, which is named after `path` and its checksum.

    The file appears complete or not at all.
    """
    metadata = {f"dedup.{name}": str(value) for name, value in origin._asdict().items()}
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)  # every core has a batch of its own
    with pa.ipc.new_file(sink, batch.schema.with_metadata(metadata), options=options) as writer:
        writer.write_batch(batch)
    data = sink.getvalue()
    complete = path.with_name(f"{path.stem}-{crc32(data):08x}.arrow")
    partial = complete.with_suffix(".partial")
    with pa.OSFile(str(partial), "wb") as file:
        file.write(data)
    partial.replace(complete)
    return complete


def store_changed_batch(path: Path, batch: pa.RecordBatch) -> Path:
    """Write `batch`, made from the batch stored at `path`, beside it, and return the path of its file.

    Its name says that it is not what was prepared.
    """
    return store_batch(batch, path.with_name(f"{path.stem}{_CHANGED}.arrow"), read_origin(path))


def is_as_prepared(path: Path) -> bool:
    """Return True if the name of `path` is that of the file of a prepared batch that has not been changed since."""
    return _BATCH_NAME.fullmatch(path.name) is not None


def batch_number(path: Path) -> int:
    """Return the number of the batch stored at `path`."""
    return int(path.name.partition("-")[0])


def verify_checksum(batch: PreparedBatch) -> None:
    """Raise `WorkFileError` if the file of a stored batch is missing or has changed. A batch in memory passes."""
    if isinstance(batch, pa.RecordBatch):
        return
    try:
        with pa.memory_map(str(batch)) as file:
            checksum = crc32(file.read_buffer())
    except (OSError, pa.ArrowInvalid):
        raise WorkFileError(f"{batch}: missing or empty; start the run again") from None
    if not batch.stem.endswith(f"-{checksum:08x}"):
        raise WorkFileError(
            f"{batch}: damaged since it was written, its checksum is {checksum:08x}; start the run again"
        )


def discard_batch(batch: PreparedBatch) -> None:
    """Delete the file of a stored batch that is no longer needed, to free disk space early."""
    if isinstance(batch, Path):
        batch.unlink()


def read_origin(path: Path) -> BatchOrigin:
    """Return the origin of the batch stored at `path`; raise `WorkFileError` if the file is missing or damaged."""
    verify_checksum(path)
    with pa.memory_map(str(path)) as file:
        metadata = pa.ipc.open_file(file).schema.metadata or {}
    values = {name: metadata.get(f"dedup.{name}".encode(), b"").decode() for name in BatchOrigin._fields}
    return BatchOrigin(**{**values, "batch_bytes": int(values["batch_bytes"] or 0)})


def to_ipc(batch: pa.RecordBatch) -> bytes:
    """Return `batch` as an Arrow IPC stream, to be sent to another process."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def from_ipc(data: bytes) -> pa.RecordBatch:
    """Return the batch that `to_ipc` has encoded."""
    with pa.ipc.open_stream(data) as reader:
        return reader.read_next_batch()


def load_batch(batch: PreparedBatch, names: Sequence[str] | None = None) -> pa.RecordBatch:
    """Return the columns `names` of a prepared batch in that order, or all; of a file, only these are decompressed."""
    if isinstance(batch, pa.RecordBatch):
        return batch if names is None else batch.select(list(names))
    with pa.memory_map(str(batch)) as file:
        reader = pa.ipc.open_file(file)
        if names is not None:
            numbers = sorted(map(reader.schema.get_field_index, names))
            reader = pa.ipc.open_file(file, options=pa.ipc.IpcReadOptions(included_fields=numbers))
        loaded = reader.get_batch(0).replace_schema_metadata(None)
        return loaded if names is None else loaded.select(list(names))
