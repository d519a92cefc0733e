"""The prepared corpus: batches in memory, or files of a working folder, read back column by column.

A piece on disk is one Arrow IPC file that is complete or absent. Its name ends in a checksum of its bytes, verified
when it is opened for the first time; its schema says what it was made from (`Origin`), so that a later run can tell
whether it would make the same. Only the columns asked for are decompressed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, TypeAlias
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.errors import PieceError
from dedup.fingerprint.shingles import I64
from dedup.runtime.resources import Scratch

Piece: TypeAlias = pa.RecordBatch | Path

_KEPT_SHARE = 8  # columns that may be asked for again take this part of the memory


class Origin(NamedTuple):
    """What a piece was made from: settings, program, and the raw records from `first` to `last`, as source#record."""

    settings: str
    version: str
    first: str
    last: str
    sha256: str

    @classmethod
    def of(cls, records: pa.RecordBatch, settings: str, version: str) -> Origin:
        """The origin of a piece made from `records`; `settings` is their digest."""
        found = sha256(integers(records.column("record")).tobytes())
        for name in ("source", "kind", "data", "error"):
            for value in records.column(name).to_pylist():
                told = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
                found.update(b"-" if told is None else b"%d:" % len(told))
                found.update(told or b"")
        sources, numbers = (records.column(name) for name in ("source", "record"))
        first, last = (f"{sources[at]}#{numbers[at]}" if records.num_rows else "" for at in (0, -1))
        return cls(settings, version, first, last, found.hexdigest())


def store(batch: pa.RecordBatch, path: Path, origin: Origin) -> Path:
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


def verify(piece: Piece) -> None:
    """Raises `PieceError` where a piece on disk is not what was stored."""
    if isinstance(piece, pa.RecordBatch):
        return
    try:
        with pa.memory_map(str(piece)) as file:
            found = crc32(file.read_buffer())
    except (OSError, pa.ArrowInvalid):
        raise PieceError(f"{piece}: gone since it was written; start the run again") from None
    if not piece.stem.endswith(f"-{found:08x}"):
        raise PieceError(f"{piece}: damaged since it was written, its checksum is {found:08x}; start the run again")


def discard(piece: Piece) -> None:
    """Gives back the disk space of a piece that nobody will read again."""
    if isinstance(piece, Path):
        piece.unlink()


def origin(piece: Path) -> Origin:
    """What a piece on disk was made from; raises `PieceError` where it is damaged."""
    verify(piece)
    with pa.memory_map(str(piece)) as file:
        told = pa.ipc.open_file(file).schema.metadata or {}
    return Origin(*(told.get(f"dedup.{name}".encode(), b"").decode() for name in Origin._fields))


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
        reader = pa.ipc.open_file(file)
        if names is not None:
            wanted = sorted(map(reader.schema.get_field_index, names))
            reader = pa.ipc.open_file(file, options=pa.ipc.IpcReadOptions(included_fields=wanted))
        batch = reader.get_batch(0).replace_schema_metadata(None)
        return batch if names is None else batch.select(list(names))


def _rows(piece: Piece) -> int:
    verify(piece)
    return int(load(piece, ["record"]).num_rows)


class Corpus:
    """All pieces, as one table whose rows are numbered in input order."""

    def __init__(self, pieces: Sequence[Piece], scratch: Scratch | None = None) -> None:
        self.pieces = pieces
        self.scratch = scratch or Scratch()
        self.rows = list(self.scratch.map(_rows, pieces))
        self.starts = np.concatenate([[0], np.cumsum(self.rows, dtype=np.int64)]).astype(np.int64)
        self._kept: dict[str, dict[int, pa.Array]] = {"paragraphs": {}, "key": {}}
        self._kept_bytes = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return int(self.starts[-1])

    def columns(self, *names: str) -> pa.Table:
        """The columns `names` of all rows."""
        return pa.Table.from_batches(list(self.each(*names)))

    def each(self, *names: str) -> Iterator[pa.RecordBatch]:
        """The columns `names` of every piece, in order."""
        return self.scratch.map(lambda piece: load(piece, names), self.pieces)

    def keys(self, rows: I64) -> list[bytes]:
        """The comparison keys of the articles in `rows`, any order."""
        return Keys(self, rows).of(np.arange(len(rows)))

    def paragraph_keys(self, rows: I64, starts: I64, stops: I64) -> list[bytes]:
        """The parts ``starts:stops`` of the comparison keys of the articles in `rows`, any order."""
        return Keys(self, rows, starts, stops).of(np.arange(len(rows)))

    @cached_property
    def paragraph_borders(self) -> I64:
        """The number of each article's first paragraph, counting those of all articles; one more behind the last."""
        borders = np.zeros(len(self) + 1, np.int64)
        numbers = range(len(self.pieces))
        counts = self.scratch.map(lambda number: np.diff(np.asarray(self._paragraphs(number).offsets)), numbers)
        np.cumsum(np.concatenate([np.empty(0, np.int64), *counts]), out=borders[1:])
        return borders

    def each_of_paragraphs(self, *names: str, pieces: Iterable[int] | None = None) -> Iterator[list[pa.Array]]:
        """The members `names` of the paragraphs of every piece, or of the `pieces`, in order."""

        def part(number: int) -> list[pa.Array]:
            values = self._paragraphs(number).flatten()
            return [values.field(name) for name in names]

        return self.scratch.map(part, range(len(self.pieces)) if pieces is None else pieces)

    def paragraphs(self, *names: str, numbers: I64 | None = None) -> list[Any]:
        """The members `names` of all paragraphs, or of those with the given `numbers`, any order, as numpy arrays."""
        if numbers is None:
            found = [[np.asarray(array).copy() for array in arrays] for arrays in self.each_of_paragraphs(*names)]
            return [np.concatenate(column) for column in zip(*found, strict=True)]
        order = np.argsort(numbers, kind="stable")
        borders = self.paragraph_borders[self.starts]
        places = np.searchsorted(numbers, borders, sorter=order)
        pieces = np.flatnonzero(np.diff(places)).tolist()
        parts: list[list[Any]] = [[np.empty(0, np.int64)] for _ in names]
        for piece, arrays in zip(pieces, self.each_of_paragraphs(*names, pieces=pieces), strict=True):
            mine = numbers[order[places[piece] : places[piece + 1]]] - borders[piece]
            for part, array in zip(parts, arrays, strict=True):
                part.append(np.asarray(array)[mine])
        back = np.argsort(order)
        return [np.concatenate(part)[back] for part in parts]

    def key_column(self, number: int) -> pa.LargeBinaryArray:
        """The comparison keys of piece `number`; those of the first pieces are kept where there is room."""
        return self._column(number, "key")

    def _paragraphs(self, number: int) -> pa.ListArray:
        """The paragraphs of piece `number`, kept before keys are: all of them are gone over again and again."""
        return self._column(number, "paragraphs")

    def _column(self, number: int, name: str) -> pa.Array:
        found = self._kept[name].get(number)
        if found is None:
            found = load(self.pieces[number], [name]).column(0)
            with self._lock:
                self._keep(number, name, found)
        return found

    def _keep(self, number: int, name: str, column: pa.Array) -> None:
        keys = self._kept["key"]
        while name == "paragraphs" and keys and self._kept_bytes + column.nbytes > self._room:
            self._kept_bytes -= keys.popitem()[1].nbytes
        if number not in self._kept[name] and self._kept_bytes + column.nbytes <= self._room:
            self._kept[name][number] = column
            self._kept_bytes += column.nbytes

    @property
    def _room(self) -> int:
        return self.scratch.memory // _KEPT_SHARE

    def batches(self) -> Iterator[tuple[int, Piece, int, int]]:
        """``(number, piece, first row, row behind the last)`` of every piece."""
        for number, piece in enumerate(self.pieces):
            yield number, piece, int(self.starts[number]), int(self.starts[number + 1])


class Keys:
    """Comparison keys of some articles, or parts of them, any order; read when asked for.

    `rows` are those of the articles; ``starts:stops`` parts of their keys, all of each where None.
    """

    def __init__(self, corpus: Corpus, rows: I64, starts: I64 | None = None, stops: I64 | None = None) -> None:
        self.corpus = corpus
        self.rows = rows
        self.starts = starts
        self.stops = stops

    def of(self, numbers: I64) -> list[bytes]:
        """The keys with the given numbers, in their order."""
        found: list[bytes] = [b""] * len(numbers)
        for places, data, starts, stops in self.corpus.scratch.map(self.part, self.by_piece(numbers)):
            view = data.data
            for place, start, stop in zip(places.tolist(), starts.tolist(), stops.tolist(), strict=True):
                found[place] = bytes(view[start:stop])
        return found

    def by_piece(self, numbers: I64) -> Iterator[tuple[int, I64, I64]]:
        """The numbers in each piece: the piece, their places in `numbers`, and they themselves."""
        rows = self.rows[numbers]
        order = np.argsort(rows, kind="stable")
        borders = np.searchsorted(rows[order], self.corpus.starts)
        for piece in range(len(self.corpus.pieces)):
            mine = order[borders[piece] : borders[piece + 1]]
            if len(mine):
                yield piece, mine, numbers[mine]

    def part(self, task: tuple[int, I64, I64]) -> tuple[I64, npt.NDArray[np.uint8], I64, I64]:
        """For one of `by_piece`: the places, all bytes of the piece, and start and stop of each key in them."""
        piece, places, numbers = task
        column = self.corpus.key_column(piece)
        _, offsets, data = column.buffers()
        borders = np.frombuffer(offsets, np.int64)[column.offset :]
        rows = self.rows[numbers] - self.corpus.starts[piece]
        starts, stops = borders[rows], borders[rows + 1]
        if self.starts is not None and self.stops is not None:
            starts, stops = starts + self.starts[numbers], starts + self.stops[numbers]
        return places, np.frombuffer(data or b"", np.uint8), starts, stops


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
