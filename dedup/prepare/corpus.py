"""The prepared corpus: batches in memory or in files of a working folder, read back column by column.

The checksum of a file is verified when the corpus is opened. Only the columns asked for are decompressed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, Bytes, offsets_of
from dedup.prepare.store import PreparedBatch, load_batch, verify_checksum
from dedup.runtime.resources import ResourceBudget

_CACHE_SHARE = 8  # the column cache takes one part in this many of the memory


def _verified_row_count(batch: PreparedBatch) -> int:
    """Return the number of rows of a batch; raise `WorkFileError` if its file is missing or damaged."""
    verify_checksum(batch)
    return int(load_batch(batch, ["record"]).num_rows)


class Corpus:
    """All prepared batches, as one table whose rows are numbered in input order.

    `prepared_batches` are the batches, `starts` the number of the first row of each: int64 [batches + 1]. `budget`
    says how much memory and how many threads may be used. The articles of the first `known_batches` are *known*: they
    belong to other corpora, stay as they are, and only serve to be repeated. With `keeps_files` the files of batches
    stay when changed ones take their place and when their lines are written, so that an interrupted run can be resumed.
    Raises `WorkFileError` if a file is missing or damaged.
    """

    def __init__(
        self,
        prepared_batches: Sequence[PreparedBatch],
        budget: ResourceBudget | None = None,
        known_batches: int = 0,
        *,
        keeps_files: bool = False,
    ) -> None:
        self.prepared_batches = prepared_batches
        self.known_batches = known_batches
        self.keeps_files = keeps_files
        self.budget = budget or ResourceBudget()
        self.starts = offsets_of(list(self.budget.map(_verified_row_count, prepared_batches)))
        self._cache: dict[str, dict[int, pa.Array]] = {"paragraphs": {}, "key": {}}
        self._cached_bytes = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return int(self.starts[-1])

    @property
    def known_rows(self) -> int:
        """The number of known articles, which are the first rows."""
        return int(self.starts[self.known_batches])

    def new_part(self) -> Corpus:
        """Return the corpus without its known articles."""
        if not self.known_batches:
            return self
        return Corpus(self.prepared_batches[self.known_batches :], self.budget, keeps_files=self.keeps_files)

    def read_columns(self, *names: str) -> pa.Table:
        """Return the columns `names` of all rows."""
        return pa.Table.from_batches(list(self.iter_batches(*names)))

    def iter_batches(self, *names: str) -> Iterator[pa.RecordBatch]:
        """Iterate over the batches in order, each with the columns `names`."""
        return self.budget.map(lambda batch: load_batch(batch, names), self.prepared_batches)

    def read_keys(self, rows: I64) -> list[bytes]:
        """Return the comparison keys of the articles in `rows`, int64 [count], which may be in any order."""
        return KeyReader(self, rows).of(np.arange(len(rows)))

    def read_paragraph_keys(self, rows: I64, starts: I64, stops: I64) -> list[bytes]:
        """Return the parts ``starts:stops``, in bytes, of the comparison keys of the articles in `rows`.

        All three are int64 [count]; rows may be in any order and repeat.
        """
        return KeyReader(self, rows, starts, stops).of(np.arange(len(rows)))

    @cached_property
    def paragraph_offsets(self) -> I64:
        """The number of each article's first paragraph, counted through the corpus: int64 [articles + 1]."""
        numbers = range(len(self.prepared_batches))
        counts = self.budget.map(lambda number: np.diff(np.asarray(self._paragraphs(number).offsets)), numbers)
        return offsets_of(np.concatenate([np.empty(0, np.int64), *counts]))

    def iter_paragraphs(self, *names: str, batch_numbers: Iterable[int] | None = None) -> Iterator[list[pa.Array]]:
        """Yield the members `names` of the paragraphs of each batch, or of those in `batch_numbers`, in order.

        The members are those of `dedup.prepare.columns.PARAGRAPH_STRUCT`.
        """
        numbers = range(len(self.prepared_batches)) if batch_numbers is None else batch_numbers
        return self.budget.map(lambda number: self.paragraph_members(number, *names), numbers)

    def paragraph_members(self, number: int, *names: str) -> list[pa.Array]:
        """Return the members `names` of the paragraphs of batch `number`."""
        values = self._paragraphs(number).flatten()
        return [values.field(name) for name in names]

    def read_paragraphs(self, *names: str, numbers: I64 | None = None) -> list[Any]:
        """Return the members `names` of all paragraphs, or of those numbered `numbers`, as numpy arrays.

        `numbers` are counted through the corpus and may be in any order: int64 [count].
        """
        if numbers is None:
            batches = [[np.asarray(array).copy() for array in arrays] for arrays in self.iter_paragraphs(*names)]
            return [np.concatenate(member) for member in zip(*batches, strict=True)]
        order = np.argsort(numbers, kind="stable")
        firsts = self.paragraph_offsets[self.starts]  # the number of each batch's first paragraph
        offsets = np.searchsorted(numbers, firsts, sorter=order)
        batch_numbers = np.flatnonzero(np.diff(offsets)).tolist()
        parts: list[list[Any]] = [[np.empty(0, np.int64)] for _ in names]
        members = self.iter_paragraphs(*names, batch_numbers=batch_numbers)
        for batch_number, arrays in zip(batch_numbers, members, strict=True):
            inside = numbers[order[offsets[batch_number] : offsets[batch_number + 1]]] - firsts[batch_number]
            for part, array in zip(parts, arrays, strict=True):
                part.append(np.asarray(array)[inside])
        back = np.argsort(order)
        return [np.concatenate(part)[back] for part in parts]

    def key_column(self, number: int) -> pa.LargeBinaryArray:
        """Return the comparison keys of batch `number`; those of the first batches are cached if there is room."""
        return self._column(number, "key")

    def _paragraphs(self, number: int) -> pa.ListArray:
        """Return the paragraphs of batch `number`.

        The cache prefers paragraphs over keys, since every paragraph is read many times.
        """
        return self._column(number, "paragraphs")

    def _column(self, number: int, name: str) -> pa.Array:
        """Return the column `name` of batch `number`, from the cache if it is there."""
        column = self._cache[name].get(number)
        if column is None:
            column = load_batch(self.prepared_batches[number], [name]).column(0)
            with self._lock:
                self._store_in_cache(number, name, column)
        return column

    def _store_in_cache(self, number: int, name: str, column: pa.Array) -> None:
        """Cache a column if there is room; paragraphs evict keys."""
        keys = self._cache["key"]
        while name == "paragraphs" and keys and self._cached_bytes + column.nbytes > self._cache_size:
            self._cached_bytes -= keys.popitem()[1].nbytes
        if number not in self._cache[name] and self._cached_bytes + column.nbytes <= self._cache_size:
            self._cache[name][number] = column
            self._cached_bytes += column.nbytes

    @property
    def _cache_size(self) -> int:
        """The most bytes that the column cache may take."""
        return self.budget.memory // _CACHE_SHARE

    def with_batches(self, prepared_batches: Sequence[PreparedBatch]) -> Corpus:
        """Return the corpus with changed batches in place of its own."""
        return Corpus(prepared_batches, self.budget, self.known_batches, keeps_files=self.keeps_files)

    def numbered_batches(self) -> Iterator[tuple[int, PreparedBatch, int, int]]:
        """Iterate over the batches in order: ``(number, batch, first row, row after the last)``."""
        for number, batch in enumerate(self.prepared_batches):
            yield number, batch, int(self.starts[number]), int(self.starts[number + 1])

    def new_batches(self) -> Iterator[tuple[int, PreparedBatch]]:
        """Iterate over the batches of articles that are not known, in order, each with its number."""
        batches = enumerate(self.prepared_batches)
        return ((number, batch) for number, batch in batches if number >= self.known_batches)


class KeyReader:
    """The comparison keys of some articles, or parts of them, in any order, read when asked for.

    `rows` are the rows of the articles in `corpus`; ``starts:stops`` are the parts of their keys, in bytes, or all of
    each if None. All are int64 [keys].
    """

    def __init__(self, corpus: Corpus, rows: I64, starts: I64 | None = None, stops: I64 | None = None) -> None:
        self.corpus = corpus
        self.rows = rows
        self.starts = starts
        self.stops = stops

    def of(self, numbers: I64) -> list[bytes]:
        """Return the keys with the given numbers, int64 [count], in their order."""
        keys: list[bytes] = [b""] * len(numbers)
        for places, data, starts, stops in self.corpus.budget.map(self.part, self.by_batch(numbers)):
            view = data.data
            for place, start, stop in zip(places.tolist(), starts.tolist(), stops.tolist(), strict=True):
                keys[place] = bytes(view[start:stop])
        return keys

    def by_batch(self, numbers: I64) -> Iterator[tuple[int, I64, I64]]:
        """Iterate over the batches that hold some of the keys `numbers`, int64 [count].

        Each item is the number of the batch, the places in `numbers` of the keys in it, and their numbers.
        """
        rows = self.rows[numbers]
        order = np.argsort(rows, kind="stable")
        offsets = np.searchsorted(rows[order], self.corpus.starts)
        for batch_number in range(len(self.corpus.prepared_batches)):
            places = order[offsets[batch_number] : offsets[batch_number + 1]]
            if len(places):
                yield batch_number, places, numbers[places]

    def part(self, task: tuple[int, I64, I64]) -> tuple[I64, Bytes, I64, I64]:
        """Return where the keys of one item of `by_batch` are.

        The result is the places of the item, all key bytes of the batch (uint8 [bytes]), and the start and stop of each
        key in them (int64 [keys]).
        """
        batch_number, places, numbers = task
        column = self.corpus.key_column(batch_number)
        _, offset_buffer, data = column.buffers()
        offsets = np.frombuffer(offset_buffer, np.int64)[column.offset :]
        rows = self.rows[numbers] - self.corpus.starts[batch_number]
        starts, stops = offsets[rows], offsets[rows + 1]
        if self.starts is not None and self.stops is not None:
            starts, stops = starts + self.starts[numbers], starts + self.stops[numbers]
        return places, np.frombuffer(data or b"", np.uint8), starts, stops
