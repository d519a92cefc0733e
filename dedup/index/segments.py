"""Segments of an index: what one run adds to it, as Parquet files that never change.

A segment has three files: its articles, in input order, in small row groups so that few are read for a few articles;
its postings, ascending; and the lines of site text that its run has found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dedup.arrays import I64
from dedup.errors import IndexFolderError
from dedup.index.postings import Hits, Lookup, Postings, candidates_of, find_hits
from dedup.index.segment_files import WRITE_OPTIONS, SegmentFile, file_entry
from dedup.index.stored_articles import STORED_SCHEMA
from dedup.index_layout import ARTICLES_FILE, LINES_FILE, POSTINGS_FILE, SEGMENT_PREFIX
from dedup.read.other_corpora import INDEX
from dedup.runtime.shared_files import sync

LINES_SCHEMA = pa.schema(
    [
        ("host", pa.string()),  # null for a line of the whole corpus
        ("text", pa.string()),
        ("articles", pa.int64()),  # of the host, in that run, that have the line
        ("share", pa.float64()),  # of the host's articles in that run
    ]
)

# Bytes of text in a row group of articles: what is read for one article. With all columns, 1,000 press releases take
# 33.8 % of their text in groups of 256 KB, 32.0 % in groups of 512 KB, and 30.5 % in groups of 1 MB.
_GROUP_BYTES = 512 << 10
_LEVEL = 9  # of zstd; 12 and 15 save 1 % at half and a quarter of the speed
_ASCENDING = ("record", *(f"paragraphs.list.element.{name}" for name in ("start", "length", "raw_shift", "raw_growth")))
_GROUP_POSTINGS = 1 << 20
_POSTING_SCHEMA = pa.schema([("hash", pa.uint64()), ("article", pa.uint32())])


def segment_name(run: int) -> str:
    """Return the name of the folder of the segment that a run writes; rewritten segments have a longer one."""
    return f"{SEGMENT_PREFIX}{run:06d}"


class Segment(NamedTuple):
    """One segment, as the manifest names it: its folder, the number of the run, and how much is in it.

    `files` has of each file what `file_entry` returns.
    """

    name: str
    run: int
    articles: int
    text_bytes: int
    postings: int
    files: dict[str, dict[str, Any]]

    @property
    def bytes(self) -> int:
        """The size of all files of the segment."""
        return sum(int(entry["bytes"]) for entry in self.files.values())

    @property
    def is_rewritten(self) -> bool:
        """True if it was made of other segments. Then it holds sources as later runs name them."""
        return self.name != segment_name(self.run)


def known_source(segment: Segment, source: str) -> str:
    """Return the source of an indexed article in later runs: that of its own run, after the number of that run.

    `source` is what the segment holds. A source of a run may itself begin with `INDEX`, as a folder can have that name.
    """
    return source if segment.is_rewritten else f"{INDEX}{segment.run}/{source}"


def with_known_sources(stored: pa.RecordBatch, segment: Segment) -> pa.RecordBatch:
    """Return stored articles of a segment with the sources that they have in later runs."""
    names = [known_source(segment, source) for source in stored.column("source").to_pylist()]
    place = stored.schema.get_field_index("source")
    return stored.set_column(place, stored.schema.field(place), pa.array(names, pa.string()))


class SegmentWriter:
    """A writer of one segment in the new folder `folder`: articles batch by batch, then the rest by `finish`.

    Either `add` takes postings together with their articles, or `finish_sorted` takes all of them at the end, sorted.
    """

    def __init__(self, folder: Path, run: int) -> None:
        self.folder = folder
        self.run = run
        self.articles = 0
        self.text_bytes = 0
        folder.mkdir(parents=True)
        self._parts: list[Postings] = []
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_bytes = 0
        self._writer = pq.ParquetWriter(
            folder / ARTICLES_FILE,
            STORED_SCHEMA,
            **WRITE_OPTIONS,
            compression_level=_LEVEL,
            write_statistics=False,
            use_dictionary=["source"],
            column_encoding=dict.fromkeys(_ASCENDING, "DELTA_BINARY_PACKED"),
        )

    def add(self, stored: pa.RecordBatch, postings: Postings) -> None:
        """Add stored articles, and their postings, whose articles are numbered from 0."""
        self._parts.append(Postings(postings.hashes, postings.articles + np.uint32(self.articles)))
        self.add_articles(stored)

    def add_articles(self, stored: pa.RecordBatch) -> None:
        """Add stored articles without their postings."""
        self.articles += stored.num_rows
        start = 0
        for row, text in enumerate(stored.column("text").to_pylist()):
            self.text_bytes += len(text)
            self._waiting_bytes += len(text)
            if self._waiting_bytes >= _GROUP_BYTES:
                self._waiting.append(stored.slice(start, row + 1 - start))
                self._write_group()
                start = row + 1
        if start < stored.num_rows:
            self._waiting.append(stored.slice(start))

    def _write_group(self) -> None:
        """Write the articles that wait as one row group."""
        if self._waiting:
            table = pa.Table.from_batches(self._waiting).combine_chunks()
            self._writer.write_table(table, row_group_size=max(1, table.num_rows))
        self._waiting, self._waiting_bytes = [], 0

    def finish(self, lines: Iterable[dict[str, Any]]) -> Segment:
        """Write what is left, and `lines`, rows of `LINES_SCHEMA`; return the segment, all of it on the disk."""
        hashes = np.concatenate([np.empty(0, np.uint64), *(part.hashes for part in self._parts)])
        articles = np.concatenate([np.empty(0, np.uint32), *(part.articles for part in self._parts)])
        order = np.lexsort((articles, hashes))
        return self.finish_sorted([Postings(hashes[order], articles[order])], lines)

    def finish_sorted(self, postings: Iterable[Postings], lines: Iterable[dict[str, Any]]) -> Segment:
        """Do what `finish` does, with all `postings` of the segment: ascending, in pieces of any size."""
        self._write_group()
        self._writer.close()
        posting_count = self._write_postings(postings)
        pq.write_table(pa.Table.from_pylist(list(lines), LINES_SCHEMA), self.folder / LINES_FILE, **WRITE_OPTIONS)
        for path in (*self.folder.iterdir(), self.folder, self.folder.parent):
            sync(path)
        files = {path.name: file_entry(path) for path in sorted(self.folder.iterdir())}
        return Segment(self.folder.name, self.run, self.articles, self.text_bytes, posting_count, files)

    def _write_postings(self, pieces: Iterable[Postings]) -> int:
        """Write postings in row groups of `_GROUP_POSTINGS`, and return their number."""
        count = 0
        waiting = _POSTING_SCHEMA.empty_table()
        with pq.ParquetWriter(
            self.folder / POSTINGS_FILE,
            _POSTING_SCHEMA,
            **WRITE_OPTIONS,
            use_dictionary=False,
            column_encoding={"hash": "DELTA_BINARY_PACKED", "article": "BYTE_STREAM_SPLIT"},
        ) as writer:
            for piece in pieces:
                arrays = [pa.array(piece.hashes), pa.array(piece.articles)]
                waiting = pa.concat_tables([waiting, pa.Table.from_arrays(arrays, schema=_POSTING_SCHEMA)])
                while waiting.num_rows >= _GROUP_POSTINGS:
                    writer.write_table(waiting.slice(0, _GROUP_POSTINGS).combine_chunks())
                    waiting = waiting.slice(_GROUP_POSTINGS)
                    count += _GROUP_POSTINGS
            if waiting.num_rows or not count:
                writer.write_table(waiting.combine_chunks())
        return count + int(waiting.num_rows)


class SegmentReader:
    """The files of one segment below the folder `root` of its index."""

    def __init__(self, root: Path, segment: Segment) -> None:
        self.segment = segment
        self.folder = root / segment.name
        self._held: dict[str, SegmentFile] = {}

    def hold(self) -> None:
        """Open all files that are there, to read them whether or not a writer deletes them meanwhile."""
        for name in self.segment.files:
            with suppress(IndexFolderError):  # who reads the file says so
                self._held[name] = self._file(name)

    def lookup(self, wanted: Lookup) -> I64:
        """Return the numbers of the articles that `wanted` finds, ascending: int64 [articles]."""
        hits: list[Hits] = []
        postings = self._file(POSTINGS_FILE)
        file = postings.open()
        for group in range(file.num_row_groups):
            if not file.metadata.row_group(group).num_rows:
                continue
            limits = file.metadata.row_group(group).column(0).statistics
            low = np.searchsorted(wanted.hashes, np.uint64(limits.min), "left")
            high = np.searchsorted(wanted.hashes, np.uint64(limits.max), "right")
            if low < high:
                table = postings.read_group(file, group)
                inside = wanted._replace(hashes=wanted.hashes[low:high], groups=wanted.groups[low:high])
                articles = np.asarray(table.column("article")).astype(np.int64)
                hits.append(find_hits(inside, np.asarray(table.column("hash")), articles))
        return candidates_of(wanted, hits)

    def posting_groups(self) -> int:
        """Return the number of row groups of postings."""
        return int(self._file(POSTINGS_FILE).open().num_row_groups)

    def read_posting_group(self, group: int) -> Postings:
        """Return the postings of one row group."""
        postings = self._file(POSTINGS_FILE)
        table = postings.read_group(postings.open(), group)
        return Postings(np.asarray(table.column("hash")), np.asarray(table.column("article")))

    def read(self, numbers: I64) -> Iterator[pa.RecordBatch]:
        """Yield the articles with these numbers, ascending: int64 [articles], row group by row group."""
        articles = self._file(ARTICLES_FILE)
        file = articles.open()
        stop = 0
        for group in range(file.num_row_groups):
            start, stop = stop, stop + file.metadata.row_group(group).num_rows
            inside = numbers[slice(*np.searchsorted(numbers, (start, stop)))] - start
            if len(inside):
                table = articles.read_group(file, group)
                yield from table.take(pa.array(inside)).combine_chunks().to_batches()

    def read_all(self, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield all articles in order, or some of their columns."""
        articles = self._file(ARTICLES_FILE)
        file = articles.open()
        for group in range(file.num_row_groups):
            yield from articles.read_group(file, group, columns).combine_chunks().to_batches()

    def sources(self) -> set[str]:
        """Return the sources of the articles, as later runs name them."""
        names: set[str] = set()
        for stored in self.read_all(["source"]):
            names |= {known_source(self.segment, name) for name in set(stored.column("source").to_pylist())}
        return names

    def postings(self) -> Postings:
        """Return all postings."""
        table = self._file(POSTINGS_FILE).read()
        return Postings(np.asarray(table.column("hash")), np.asarray(table.column("article")))

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines of site text."""
        rows: list[dict[str, Any]] = self._file(LINES_FILE).read().to_pylist()
        return rows

    def problems(self) -> Iterator[str]:
        """Yield what is wrong with the files."""
        for name in self.segment.files:
            where = f"{self.folder.name}/{name}"
            try:
                if not self._file(name).is_as_written():
                    yield f"{where}: has changed since it was written"
            except IndexFolderError as error:
                yield str(error) if (self.folder / name).exists() else f"{where}: is not there"

    def _file(self, name: str) -> SegmentFile:
        """Return a file, open. Raises `IndexFolderError` if it cannot be opened."""
        return self._held.get(name) or SegmentFile(self.folder / name, self.segment.files[name])
