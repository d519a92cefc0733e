"""The prepared corpus: batches in memory, or files of a working folder, read back column by column.

A piece on disk is one Arrow IPC file that is complete or absent. Its name ends in a checksum of its bytes, verified
when it is opened for the first time; its schema says what it was made from (`Origin`), so that a later run can tell
whether it would make the same. Only the columns asked for are decompressed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.arrays import I64
from dedup.prepare.store import PreparedBatch, load_batch, verify_checksum
from dedup.runtime.resources import ResourceBudget

_KEPT_SHARE = 8  # columns that may be asked for again take this part of the memory


def _rows(piece: PreparedBatch) -> int:
    verify_checksum(piece)
    return int(load_batch(piece, ["record"]).num_rows)


class Corpus:
    """All pieces, as one table whose rows are numbered in input order."""

    def __init__(self, pieces: Sequence[PreparedBatch], scratch: ResourceBudget | None = None) -> None:
        self.pieces = pieces
        self.scratch = scratch or ResourceBudget()
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
        return self.scratch.map(lambda piece: load_batch(piece, names), self.pieces)

    def keys(self, rows: I64) -> list[bytes]:
        """The comparison keys of the articles in `rows`, any order."""
        return KeyReader(self, rows).of(np.arange(len(rows)))

    def paragraph_keys(self, rows: I64, starts: I64, stops: I64) -> list[bytes]:
        """The parts ``starts:stops`` of the comparison keys of the articles in `rows`, any order."""
        return KeyReader(self, rows, starts, stops).of(np.arange(len(rows)))

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
            found = load_batch(self.pieces[number], [name]).column(0)
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

    def batches(self) -> Iterator[tuple[int, PreparedBatch, int, int]]:
        """``(number, piece, first row, row behind the last)`` of every piece."""
        for number, piece in enumerate(self.pieces):
            yield number, piece, int(self.starts[number]), int(self.starts[number + 1])


class KeyReader:
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
