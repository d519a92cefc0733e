"""Prepared batches as Arrow IPC files with a checksum and an origin."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, TypeAlias
from zlib import crc32

import pyarrow as pa

from dedup.errors import WorkFileError
from dedup.prepare.columns import integer_values

PreparedBatch: TypeAlias = pa.RecordBatch | Path


class BatchOrigin(NamedTuple):
    """What a piece was made from: settings, program, and the raw records from `first` to `last`, as source#record."""

    settings: str
    version: str
    first: str
    last: str
    sha256: str

    @classmethod
    def of(cls, records: pa.RecordBatch, settings: str, version: str) -> BatchOrigin:
        """The origin of a piece made from `records`; `settings` is their digest."""
        found = sha256(integer_values(records.column("record")).tobytes())
        for name in ("source", "kind", "data", "error"):
            for value in records.column(name).to_pylist():
                told = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
                found.update(b"-" if told is None else b"%d:" % len(told))
                found.update(told or b"")
        sources, numbers = (records.column(name) for name in ("source", "record"))
        first, last = (f"{sources[at]}#{numbers[at]}" if records.num_rows else "" for at in (0, -1))
        return cls(settings, version, first, last, found.hexdigest())


def store_batch(batch: pa.RecordBatch, path: Path, origin: BatchOrigin) -> Path:
    """Writes `batch` beside `path`, under its name and a checksum; where it is, which it is only when it is whole."""
    told = {f"dedup.{name}": value for name, value in origin._asdict().items()}
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)  # every core has a piece of its own
    with pa.ipc.new_file(sink, batch.schema.with_metadata(told), options=options) as writer:
        writer.write_batch(batch)
    data = sink.getvalue()
    whole = path.with_name(f"{path.stem}-{crc32(data):08x}.arrow")
    partial = whole.with_suffix(".partial")
    with pa.OSFile(str(partial), "wb") as file:
        file.write(data)
    partial.replace(whole)
    return whole


def verify_checksum(piece: PreparedBatch) -> None:
    """Raises `WorkFileError` where a piece on disk is not what was stored."""
    if isinstance(piece, pa.RecordBatch):
        return
    try:
        with pa.memory_map(str(piece)) as file:
            found = crc32(file.read_buffer())
    except (OSError, pa.ArrowInvalid):
        raise WorkFileError(f"{piece}: gone since it was written; start the run again") from None
    if not piece.stem.endswith(f"-{found:08x}"):
        raise WorkFileError(f"{piece}: damaged since it was written, its checksum is {found:08x}; start the run again")


def discard_batch(piece: PreparedBatch) -> None:
    """Gives back the disk space of a piece that nobody will read again."""
    if isinstance(piece, Path):
        piece.unlink()


def read_origin(piece: Path) -> BatchOrigin:
    """What a piece on disk was made from; raises `WorkFileError` where it is damaged."""
    verify_checksum(piece)
    with pa.memory_map(str(piece)) as file:
        told = pa.ipc.open_file(file).schema.metadata or {}
    return BatchOrigin(*(told.get(f"dedup.{name}".encode(), b"").decode() for name in BatchOrigin._fields))


def to_ipc(batch: pa.RecordBatch) -> bytes:
    """`batch` as an Arrow IPC stream, to be handed to another process."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def from_ipc(data: bytes) -> pa.RecordBatch:
    """The batch that `to_ipc` was given."""
    with pa.ipc.open_stream(data) as reader:
        return reader.read_next_batch()


def load_batch(piece: PreparedBatch, names: Sequence[str] | None = None) -> pa.RecordBatch:
    """The batch of a piece, all of it or the columns `names`."""
    if isinstance(piece, pa.RecordBatch):
        return piece if names is None else piece.select(list(names))
    with pa.memory_map(str(piece)) as file:
        reader = pa.ipc.open_file(file)
        if names is not None:
            wanted = sorted(map(reader.schema.get_field_index, names))
            reader = pa.ipc.open_file(file, options=pa.ipc.IpcReadOptions(included_fields=wanted))
        batch = reader.get_batch(0).replace_schema_metadata(None)
        return batch if names is None else batch.select(list(names))
