"""The files of a table cut into blocks of rows, any of which can be read without those before it.

Lines of JSON are cut by bytes and Parquet by rows. Compressed lines and CSV can only be read from their beginning, so
they are read up to a limit first. `IndexedTable` puts the blocks of all files of a table together. It finds a row by
its position in input order, since all tables are sorted by it.
"""

from __future__ import annotations

import os
import weakref
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from dedup.errors import OutputError
from dedup.inspect.article_rows import InputOrder
from dedup.inspect.table_rows import open_table, read_fields
from dedup.read.article_tables import fields_from_parquet, rows_of_batch
from dedup.read.fields import PROVENANCE_FIELD, from_json, parse_fields, to_json

PREFIX_BYTES = 128 << 20  # decompressed bytes of a table that cannot be read from the middle; 0.6 s as gzip

AFTER_ALL: InputOrder = (1 << 62, 0)  # after every row

_LINES_BYTES = 1 << 16  # of a block of lines
_BLOCK_ROWS = 64  # of a block of Parquet or CSV

TableRow = Any  # fields of an article, or values of a finding
RowTest = Callable[[TableRow], bool]


class TableFile(Protocol):
    """One file of a table as blocks.

    `size` is about that of its JSON lines in bytes, and `is_complete` says that all of it can be read.
    """

    path: Path
    size: int
    is_complete: bool
    block_count: int

    def first_row(self, block: int) -> TableRow | None:
        """Return the first row that begins in a block, at least its key; None if none does."""

    def rows(self, block: int, is_wanted: RowTest | None = None) -> Iterator[TableRow]:
        """Yield the rows that begin in a block; those that are not wanted may be left out, if that saves work.

        `is_wanted` is given rows that have at least their key.
        """


class LinesFile:
    """A file of JSON lines; if compressed, its first `limit` bytes."""

    def __init__(self, path: Path, limit: int, *, is_article: bool) -> None:
        self.path = path
        self.parse: Callable[[bytes], TableRow] = parse_fields if is_article else from_json
        self.is_complete = True
        self.data: bytes | None = None  # of a compressed file
        if path.suffix == ".jsonl":
            self.descriptor = os.open(path, os.O_RDONLY)
            weakref.finalize(self, os.close, self.descriptor)
            self.size = path.stat().st_size
        else:
            with open_table(path) as file:
                self.data = file.read(limit)
                self.is_complete = not file.read(1)
            if not self.is_complete:
                self.data = self.data[: self.data.rfind(b"\n") + 1]
            self.size = len(self.data)
        self.block_count = -(-self.size // _LINES_BYTES)

    def first_row(self, block: int) -> TableRow | None:
        """Return the first row that begins in a block; None if none does, as inside a very long line."""
        lines = self._lines(block)
        return self.parse(lines[0]) if lines else None

    def rows(self, block: int, is_wanted: RowTest | None = None) -> Iterator[TableRow]:  # noqa: ARG002
        """Yield the rows that begin in a block."""
        return map(self.parse, self._lines(block))

    def _lines(self, block: int) -> list[bytes]:
        """Return the lines that begin in a block."""
        start, stop = block * _LINES_BYTES, min((block + 1) * _LINES_BYTES, self.size)
        data = self._bytes(max(0, start - 1), stop)
        if start:
            skipped = data.find(b"\n") + 1  # the end of a line that begins before
            data = data[skipped:] if skipped else b""
        if not data:
            return []
        parts = [data]
        size = _LINES_BYTES
        while parts[-1] and b"\n" not in parts[-1][-1:]:
            part = self._bytes(stop, stop + size)
            end = part.find(b"\n") + 1
            parts.append(part[:end] if end else part)
            stop, size = stop + len(part), 2 * size
        return b"".join(parts).removesuffix(b"\n").split(b"\n")

    def _bytes(self, start: int, stop: int) -> bytes:
        return os.pread(self.descriptor, stop - start, start) if self.data is None else self.data[start:stop]


class ParquetTable:
    """A file of Parquet. A row group is decoded as a whole, and converted in blocks of rows."""

    is_complete = True

    def __init__(self, path: Path, *, is_article: bool) -> None:
        self.path = path
        self.file = pq.ParquetFile(path)
        self.is_article = is_article
        groups = [self.file.metadata.row_group(number) for number in range(self.file.num_row_groups)]
        self.size = sum(group.total_byte_size for group in groups)
        self.blocks = [
            (number, start) for number, group in enumerate(groups) for start in range(0, group.num_rows, _BLOCK_ROWS)
        ]
        self.block_count = len(self.blocks)
        names = [f"{PROVENANCE_FIELD}.source", f"{PROVENANCE_FIELD}.record"] if is_article else ["source", "record"]
        self.keys = lru_cache(64)(lambda group: self.file.read_row_group(group, columns=names))
        self.group = lru_cache(1)(self.file.read_row_group)

    def first_row(self, block: int) -> TableRow | None:
        """Return the first row of a block, for Parquet only its key."""
        return next(self._key_rows(block, 1))

    def rows(self, block: int, is_wanted: RowTest | None = None) -> Iterator[TableRow]:
        """Yield the rows that begin in a block."""
        number, start = self.blocks[block]
        places = None
        if is_wanted is not None:
            places = [place for place, row in enumerate(self._key_rows(block, _BLOCK_ROWS)) if is_wanted(row)]
            if not places:
                return
        rows = self.group(number).slice(start, _BLOCK_ROWS)
        for batch in (rows if places is None else rows.take(places)).combine_chunks().to_batches():
            yield from fields_from_parquet(batch) if self.is_article else rows_of_batch(batch)

    def _key_rows(self, block: int, count: int) -> Iterator[TableRow]:
        """Yield the first `count` rows of a block, with their keys alone."""
        number, start = self.blocks[block]
        for row in self.keys(number).slice(start, count).to_pylist():
            yield {PROVENANCE_FIELD: to_json(row[PROVENANCE_FIELD])} if self.is_article else row


class RowsInMemory:
    """The first articles of a CSV file, with at most `limit` bytes."""

    def __init__(self, path: Path, limit: int) -> None:
        self.path = path
        self.all_rows: list[TableRow] = []
        self.size = 0
        self.is_complete = True
        for row in read_fields(path):
            if self.size >= limit:
                self.is_complete = False
                break
            self.all_rows.append(row)
            self.size += sum(len(bytes(value)) for value in row.values())
        self.block_count = -(-len(self.all_rows) // _BLOCK_ROWS)

    def first_row(self, block: int) -> TableRow | None:
        """Return the first row of a block, for Parquet only its key."""
        return self.all_rows[block * _BLOCK_ROWS]

    def rows(self, block: int, is_wanted: RowTest | None = None) -> Iterator[TableRow]:  # noqa: ARG002
        """Yield the rows that begin in a block."""
        return iter(self.all_rows[block * _BLOCK_ROWS : (block + 1) * _BLOCK_ROWS])


class IndexedTable:
    """All files of a table: a row is found by its position in input order, which `order_of` gives.

    `order_of` returns None for a row whose source is unknown; such rows are passed over.
    """

    def __init__(
        self, paths: Iterable[Path], order_of: Callable[[TableRow], InputOrder | None], *, is_article: bool
    ) -> None:
        self.order_of = order_of
        self.files: list[TableFile] = []
        left = PREFIX_BYTES
        for path in paths:
            with _errors_named(path):
                self.files.append(_open_blocks(path, left, is_article=is_article))
            if path.suffix not in {".jsonl", ".parquet"}:
                left -= self.files[-1].size
            if not self.files[-1].is_complete:
                break
        self.is_complete = all(file.is_complete for file in self.files)
        self.size = sum(file.size for file in self.files)
        self.blocks = [(file, number) for file in self.files for number in range(file.block_count)]
        self._first: dict[int, InputOrder] = {}

    def first(self, block: int) -> InputOrder:
        """Return the position of the first row in or after a block, and `AFTER_ALL` if there is none."""
        if block not in self._first:
            self._first[block] = next(filter(None, map(self._first_in, range(block, len(self.blocks)))), AFTER_ALL)
        return self._first[block]

    def _first_in(self, block: int) -> InputOrder | None:
        file, number = self.blocks[block]
        with _errors_named(file.path):
            row = file.first_row(number)
        return None if row is None else self.order_of(row)

    def block_before(self, order: InputOrder) -> int:
        """Return the block in which rows at or after a position begin, or the one before that."""
        return max(0, bisect_left(range(len(self.blocks)), order, key=self.first) - 1)

    def rows(
        self, start: InputOrder, stop: InputOrder, only: Collection[InputOrder] | None = None
    ) -> Iterator[tuple[InputOrder, TableRow]]:
        """Yield the rows from one position to another, exclusive, each with its own; of those in `only` if given."""
        for block in range(self.block_before(start), len(self.blocks)):
            if self.first(block) >= stop:
                return
            for order, row in self._rows_in(block, only):
                if order >= stop:
                    return
                if order >= start and (only is None or order in only):
                    yield order, row

    def last(self) -> InputOrder:
        """Return the position of the last row, and (-1, -1) if there is none."""
        for block in reversed(range(len(self.blocks))):
            orders = [order for order, _ in self._rows_in(block)]
            if orders:
                return orders[-1]
        return (-1, -1)

    def _rows_in(self, block: int, only: Collection[InputOrder] | None = None) -> Iterator[tuple[InputOrder, TableRow]]:
        """Yield the rows that begin in a block, each with its position, at least those at the positions `only`."""
        file, number = self.blocks[block]
        is_wanted = None if only is None else lambda row: self.order_of(row) in only
        with _errors_named(file.path):
            for row in file.rows(number, is_wanted):
                order = self.order_of(row)
                if order is not None:
                    yield order, row


def _open_blocks(path: Path, limit: int, *, is_article: bool) -> TableFile:
    """Return a file of a table as blocks, chosen by its name."""
    if path.suffix == ".parquet":
        return ParquetTable(path, is_article=is_article)
    if ".csv" in path.suffixes:
        return RowsInMemory(path, limit)
    return LinesFile(path, limit, is_article=is_article)


@contextmanager
def _errors_named(path: Path) -> Iterator[None]:
    """Turn errors of reading a file into `OutputError`, which names it."""
    try:
        yield
    except FileNotFoundError:
        raise OutputError(f"{path}: no such file; an output keeps all its tables together, clean again") from None
    except (OSError, pa.ArrowException, ValueError, KeyError) as error:
        raise OutputError(f"{path}: cannot be read ({str(error).splitlines()[0]}); clean again") from None
