"""Choose some of the records that are read: the first ones, or a sample that depends on the records alone.

A sample takes the records with the lowest hashes of seed, source and record number. So it is the same whatever the
batches, and its records keep their order. Records that may be in it wait in a file, since input may be read only once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, U64
from dedup.read.inputs import find_inputs
from dedup.read.objects import GivenArticles, ObjectReader
from dedup.read.records import BATCH_RECORDS, RecordReader
from dedup.settings import Settings

_SPARE = 1 << 16  # hashes collected before the highest of them are given up


class RecordSource(Protocol):
    """Record batches of `dedup.read.records.RECORD_SCHEMA` from files, from Python objects, or a choice of them.

    After the iteration `inputs` has an entry for each source, and `sizes` the bytes of the records of each batch.
    """

    batch_bytes: int
    inputs: list[dict[str, Any]]
    sizes: list[int]
    skipped: list[str]

    @property
    def total_bytes(self) -> int | None:
        """The bytes that will be read, None if that is not known."""

    def fresh_bytes(self) -> int:
        """Return the number of bytes read since the last call."""

    def __iter__(self) -> Iterator[pa.RecordBatch]: ...


class SelectedRecords:
    """The records of `reader` that `limit` and `sample` choose, as `RecordReader` gives them.

    `limit` is applied first. Reading stops when it is reached: the file of the last record then has neither size nor
    hash among the `inputs`, and later files are not there. A sample is written to `work` when this object is made.
    """

    def __init__(self, reader: RecordSource, *, limit: int | None, sample: int | None, seed: int, work: Path) -> None:
        self.reader = reader
        self.skipped = reader.skipped
        self.batch_bytes = reader.batch_bytes
        self.inputs: list[dict[str, Any]] = []
        self.sizes: list[int] = []
        self._limit = limit
        self._fresh = 0
        self._batches = self._first_records()
        self._waiting: list[pa.RecordBatch] = []
        self.total_bytes = reader.total_bytes
        if sample is not None:
            path = work / "sample.arrow"
            chosen = _write_candidates(self._batches, sample, seed, path)
            self._batches = _chosen_batches(path, chosen, reader.batch_bytes)
            self.total_bytes = chosen.size
        elif limit is not None:
            self._waiting = [next(self._batches)]
            if self._is_done:
                self.total_bytes = _data_bytes(self._waiting[0])

    def fresh_bytes(self) -> int:
        """Return the bytes of records that were given since the last call."""
        fresh, self._fresh = self._fresh, 0
        return fresh

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batches in (self._waiting, self._batches):
            for batch in batches:
                size = _data_bytes(batch)
                self.sizes.append(size)
                self._fresh += size
                yield batch

    @property
    def _is_done(self) -> bool:
        """True if the limit is reached or the input has ended."""
        return bool(self.inputs)

    def _first_records(self) -> Iterator[pa.RecordBatch]:
        """Yield the batches up to the limit; set `inputs` before the last of them."""
        missing = self._limit
        batches = iter(self.reader)
        for batch in batches:
            if missing is not None and batch.num_rows >= missing:
                last = batch.slice(0, missing)
                self.inputs = self._inputs_up_to(last.column("source")[-1].as_py())
                if isinstance(batches, Generator):
                    batches.close()  # and with it the file
                yield last
                return
            if missing is not None:
                missing -= batch.num_rows
            yield batch
        self.inputs = self.reader.inputs

    def _inputs_up_to(self, last: str) -> list[dict[str, Any]]:
        """Return the inputs before the file called `last`, and that file, whose rest is not read."""
        inputs: list[dict[str, Any]] = []
        for entry in self.reader.inputs:
            if entry["source"] == last:
                break
            inputs.append(dict(entry))
        return [*inputs, {"source": last, "bytes": None, "sha256": None}]


def reader_of(
    source: list[str | Path] | GivenArticles,
    settings: Settings,
    batch_bytes: int,
    first_batch_bytes: Sequence[int] = (),
    ignore: Path | None = None,
) -> RecordReader | ObjectReader:
    """Return a reader of files or of Python objects; the folder `ignore` is not read."""
    if isinstance(source, GivenArticles):
        return ObjectReader(source, settings, batch_bytes=batch_bytes, first_batch_bytes=first_batch_bytes)
    files = find_inputs(source, input_format=settings.input_format, ignore=ignore)
    return RecordReader(files, settings, batch_bytes=batch_bytes, first_batch_bytes=first_batch_bytes)


def choose_records(reader: RecordSource, settings: Settings, work: Path) -> RecordSource:
    """Return the records of `reader` that the settings choose: all, the first ones, or a sample, which `work` holds."""
    if settings.limit is None and settings.sample is None:
        return reader
    return SelectedRecords(reader, limit=settings.limit, sample=settings.sample, seed=settings.seed, work=work)


def record_hashes(sources: list[str], records: U64, seed: int) -> U64:
    """Return a hash of each record: uint64 [records], of its source, its number (uint64 [records]) and `seed`."""
    salts = {
        source: int.from_bytes(hashlib.blake2b(f"{seed}\0{source}".encode(), digest_size=8).digest(), "little")
        for source in set(sources)
    }
    values = records * np.uint64(0x9E3779B97F4A7C15) + np.array([salts[source] for source in sources], np.uint64)
    values ^= values >> np.uint64(30)  # the finalizer of SplitMix64 (Steele, Lea and Flood, 2014)
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


class _Chosen(NamedTuple):
    """A sample: all records with a hash below `bound`, and the first `ties` of those with that hash.

    `size` is the number of bytes of its records.
    """

    bound: int
    ties: int
    size: int


def _write_candidates(batches: Iterator[pa.RecordBatch], sample: int, seed: int, path: Path) -> _Chosen:
    """Write the records that may be among the `sample` lowest hashes to `path`, each with its hash."""
    hashes, sizes = np.empty(0, np.uint64), np.empty(0, np.int64)
    bound = np.uint64(np.iinfo(np.uint64).max)
    writer = None
    with pa.OSFile(str(path), "wb") as file:
        for batch in batches:
            numbers = np.asarray(batch.column("record")).astype(np.uint64)
            new = record_hashes(batch.column("source").to_pylist(), numbers, seed)
            near = new <= bound
            schema = batch.schema.append(pa.field("hash", pa.uint64()))
            candidates = pa.record_batch([*batch.columns, pa.array(new)], schema=schema).filter(pa.array(near))
            writer = writer or pa.ipc.new_stream(file, schema)
            writer.write_batch(candidates)
            hashes = np.concatenate([hashes, new[near]])
            sizes = np.concatenate([sizes, _data_sizes(candidates)])
            if len(hashes) > 2 * sample + _SPARE:
                hashes, sizes = _lowest(hashes, sizes, sample)
                bound = hashes.max()
        assert writer, "a reader yields at least one batch"
        writer.close()
    hashes, sizes = _lowest(hashes, sizes, sample)
    bound = hashes.max() if len(hashes) else np.uint64(0)
    return _Chosen(int(bound), int(np.count_nonzero(hashes == bound)), int(sizes.sum()))


def _lowest(hashes: U64, sizes: I64, count: int) -> tuple[U64, I64]:
    """Return the `count` lowest of `hashes`, uint64 [records], in any order, with their `sizes`, int64 [records]."""
    if len(hashes) <= count:
        return hashes, sizes
    order = np.argpartition(hashes, count - 1)[:count]
    return hashes[order], sizes[order]


def _chosen_batches(path: Path, chosen: _Chosen, batch_bytes: int) -> Iterator[pa.RecordBatch]:
    """Yield the chosen records of the file at `path` in batches of about `batch_bytes`, at least one batch."""
    parts: list[pa.RecordBatch] = []
    ties = chosen.ties
    with pa.OSFile(str(path), "rb") as file:
        stream = pa.ipc.open_stream(file)
        for batch in stream:
            hashes = np.asarray(batch.column("hash"))
            equal = np.flatnonzero(hashes == chosen.bound)[:ties]
            ties -= len(equal)
            inside = hashes < chosen.bound
            inside[equal] = True
            parts.append(batch.drop_columns(["hash"]).filter(pa.array(inside)))
            full = sum(map(_data_bytes, parts)) >= batch_bytes
            if full or sum(part.num_rows for part in parts) >= BATCH_RECORDS:
                yield _joined(parts)
                parts = []
    if parts:
        yield _joined(parts)


def _joined(parts: list[pa.RecordBatch]) -> pa.RecordBatch:
    """Return several batches as one."""
    columns = [pa.concat_arrays([part.column(number) for part in parts]) for number in range(parts[0].num_columns)]
    return pa.record_batch(columns, schema=parts[0].schema)


def _data_sizes(batch: pa.RecordBatch) -> I64:
    """Return the bytes of each record: int64 [records]."""
    column = batch.column("data")
    offsets = np.frombuffer(column.buffers()[1] or b"", np.int64)[column.offset : column.offset + len(column) + 1]
    return np.diff(offsets)


def _data_bytes(batch: pa.RecordBatch) -> int:
    return int(_data_sizes(batch).sum())
