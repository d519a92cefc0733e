"""The prepared corpus: batches in memory, or files of a working folder, read back column by column.

A piece on disk is one Arrow IPC file that is complete or absent. Only the columns asked for are decompressed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from dedup.fingerprint import I64

Piece: TypeAlias = pa.RecordBatch | Path


def store(batch: pa.RecordBatch, path: Path) -> None:
    """Writes `batch` to `path`, which appears only when it is whole."""
    partial = path.with_suffix(".partial")
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.OSFile(str(partial), "wb") as file, pa.ipc.new_file(file, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    partial.replace(path)


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


def load(piece: Piece, names: Sequence[str] | None = None) -> pa.RecordBatch:
    """The batch of a piece, all of it or the columns `names`."""
    if isinstance(piece, pa.RecordBatch):
        return piece if names is None else piece.select(list(names))
    with pa.memory_map(str(piece)) as file:
        schema = pa.ipc.open_file(file).schema
        wanted = list(range(len(schema))) if names is None else sorted(schema.get_field_index(name) for name in names)
        options = pa.ipc.IpcReadOptions(included_fields=wanted)
        batch = pa.ipc.open_file(file, options=options).get_batch(0)
        return batch if names is None else batch.select(list(names))


class Corpus:
    """All pieces, as one table whose rows are numbered in input order."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = pieces
        self.rows = [load(piece, ["record"]).num_rows for piece in pieces]
        self.starts = np.concatenate([[0], np.cumsum(self.rows, dtype=np.int64)]).astype(np.int64)

    def __len__(self) -> int:
        return int(self.starts[-1])

    def columns(self, *names: str) -> pa.Table:
        """The columns `names` of all rows."""
        return pa.Table.from_batches([load(piece, names) for piece in self.pieces])

    def keys(self, rows: I64) -> list[bytes]:
        """The comparison keys of the articles in `rows`, any order."""
        return self._keys(rows, None, None)

    def paragraph_keys(self, rows: I64, starts: I64, stops: I64) -> list[bytes]:
        """The parts ``starts:stops`` of the comparison keys of the articles in `rows`, any order."""
        return self._keys(rows, starts, stops)

    def _keys(self, rows: I64, starts: I64 | None, stops: I64 | None) -> list[bytes]:
        found: list[bytes] = [b""] * len(rows)
        order = np.argsort(rows, kind="stable")
        borders = np.searchsorted(rows[order], self.starts)
        for number, piece in enumerate(self.pieces):
            mine = order[borders[number] : borders[number + 1]]
            if not len(mine):
                continue
            column = load(piece, ["key"]).column(0)
            previous, key = -1, b""
            for place in mine.tolist():
                row = int(rows[place] - self.starts[number])
                if row != previous:
                    previous, key = row, column[row].as_py()
                found[place] = key if starts is None or stops is None else key[starts[place] : stops[place]]
        return found

    def batches(self) -> Iterator[tuple[int, Piece, int, int]]:
        """``(number, piece, first row, row behind the last)`` of every piece."""
        for number, piece in enumerate(self.pieces):
            yield number, piece, int(self.starts[number]), int(self.starts[number + 1])


def flat(column: pa.ChunkedArray | pa.Array) -> Any:
    """One array of a column, chunks joined."""
    if isinstance(column, pa.ChunkedArray):
        return pa.concat_arrays(column.chunks) if column.num_chunks != 1 else column.chunk(0)
    return column


def integers(column: pa.ChunkedArray | pa.Array, missing: int = 0) -> I64:
    """A column of integers as int64, null as `missing`."""
    filled = flat(column).fill_null(missing) if column.null_count else flat(column)
    return np.asarray(filled.to_numpy(zero_copy_only=False), np.int64)


def digests(column: pa.ChunkedArray | pa.Array) -> Any:
    """A column of 16-byte digests as numpy ``V16`` (all zero where null)."""
    array = flat(column)
    if array.null_count:
        array = array.fill_null(bytes(16))
    data = np.frombuffer(array.buffers()[1], np.uint8)[array.offset * 16 : (array.offset + len(array)) * 16]
    return data.view("V16")
