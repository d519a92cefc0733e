"""From the inputs on the command line to batches of raw records.

A record is one line of a JSONL file or one whole ``.txt`` file, as bytes, with its true key: source and record
number. Nothing is decoded here but compression; what a record means is `dedup.read.fields`' business. A file whose
compressed data is damaged yields what can be read, then one record that says so.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa

from dedup.errors import InputError
from dedup.read.inputs import STDIN, TEXT_FILE, InputFile, InputFiles

BATCH_BYTES = 4 << 20  # of records handed on at once; large enough to drown the cost of a hand-over
BATCH_RECORDS = 8192
_BLOCK = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_BOM = b"\xef\xbb\xbf"

RECORD_SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("kind", pa.string()),
        ("record", pa.int64()),
        ("data", pa.large_binary()),
        ("error", pa.string()),
    ]
)


class RecordReader:
    """Iterating gives record batches of `RECORD_SCHEMA`.

    Afterwards `inputs` says what each file was and `sizes` how many bytes the records of each batch have.
    """

    def __init__(self, found: InputFiles, *, batch_bytes: int = BATCH_BYTES) -> None:
        self.sources, self.skipped = found
        self.batch_bytes = batch_bytes
        self.inputs: list[dict[str, str | int]] = []
        self._fresh = 0
        self.sizes: list[int] = []

    @property
    def total_bytes(self) -> int | None:
        """The size of all files, None where one of them is standard input."""
        if any(source.name == STDIN for source in self.sources):
            return None
        return sum(source.path.stat().st_size for source in self.sources)

    def fresh_bytes(self) -> int:
        """Bytes read since this was last asked."""
        fresh, self._fresh = self._fresh, 0
        return fresh

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        rows: list[tuple[str, str, int, bytes, str | None]] = []
        size = 0
        for source in self.sources:
            for record, data, error in self._records(source):
                rows.append((source.name, source.kind, record, data, error))
                size += len(data)
                if size >= self.batch_bytes or len(rows) == BATCH_RECORDS:
                    self.sizes.append(size)
                    yield _batch(rows)
                    rows, size = [], 0
        if rows or not self.sizes:
            self.sizes.append(size)
            yield _batch(rows)  # one batch at least: stages then need not ask whether there is any

    def _records(self, source: InputFile) -> Iterator[tuple[int, bytes, str | None]]:
        with _open(source) as file:
            counted = _Counted(file)
            stream = _decompressed(counted)
            records = _whole(stream) if source.kind == TEXT_FILE else _lines(stream)
            for row in records:
                yield row
                self._fresh += counted.fresh()
            counted.drain()
            self._fresh += counted.fresh()
        self.inputs.append({"source": source.name, "bytes": counted.size, "sha256": counted.hash.hexdigest()})


def _open(source: InputFile) -> BinaryIO:
    if source.name == STDIN:
        return sys.stdin.buffer
    try:
        return source.path.open("rb")
    except OSError as error:
        raise InputError(f"{source.path}: {error.strerror or error}; make it readable or leave it out") from error


class _Counted(io.RawIOBase):
    """A binary file that counts and hashes what is read from it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.size = 0
        self.told = 0
        self.hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self.file.read(len(buffer))
        buffer[: len(data)] = data
        self.size += len(data)
        self.hash.update(data)
        return len(data)

    def fresh(self) -> int:
        """Bytes read since this was last asked."""
        told, self.told = self.told, self.size
        return self.size - told

    def drain(self) -> None:
        """Read on to the end, so that size and hash are those of the whole file."""
        buffer = bytearray(_BLOCK)
        while self.readinto(buffer):
            pass


def _decompressed(counted: _Counted) -> io.BufferedReader | gzip.GzipFile:
    """What is in the file, by its first bytes rather than its name."""
    plain: io.BufferedReader = io.BufferedReader(counted, _BLOCK)
    magic = plain.peek(4)
    if magic.startswith(_GZIP_MAGIC):
        return gzip.GzipFile(fileobj=plain)  # its read1 gives what precedes damage; a buffer around it would not
    if magic.startswith(_ZSTD_MAGIC):
        return io.BufferedReader(_Zstd(plain), _BLOCK)
    return plain


class _Zstd(io.RawIOBase):
    """Zstandard data decompressed by Arrow, as a Python file."""

    def __init__(self, file: BinaryIO) -> None:
        self.stream = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self.stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _lines(stream: io.BufferedReader | gzip.GzipFile) -> Iterator[tuple[int, bytes, str | None]]:
    """Non-blank lines with their 0-based line numbers; damage ends them with a record that says so."""
    record = 0
    rest: list[bytes] = []
    damage = None
    while True:
        try:
            block = stream.read1(_BLOCK)
        except (EOFError, OSError, zlib.error) as error:
            damage, block = error, b""
        if not block:
            break
        first, *others = block.split(b"\n")
        rest.append(first)
        for line in others:
            yield from _line(record, b"".join(rest))
            record += 1
            rest = [line]
    if damage:
        yield record, b"".join(rest), _damage(damage)
    else:
        yield from _line(record, b"".join(rest))


def _line(record: int, line: bytes) -> Iterator[tuple[int, bytes, str | None]]:
    line = line.removesuffix(b"\r")
    if record == 0:
        line = line.removeprefix(_BOM)
    if line and not line.isspace():
        yield record, line, None


def _whole(stream: io.BufferedReader | gzip.GzipFile) -> Iterator[tuple[int, bytes, str | None]]:
    blocks: list[bytes] = []
    try:
        while block := stream.read1(_BLOCK):
            blocks.append(block)
    except (EOFError, OSError, zlib.error) as error:
        yield 0, b"".join(blocks), _damage(error)
    else:
        yield 0, b"".join(blocks), None


def _damage(error: Exception) -> str:
    return f"the file cannot be read on from here ({str(error).rstrip('.')}); fetch it again"


def _batch(rows: list[tuple[str, str, int, bytes, str | None]]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True) if rows else [[]] * len(RECORD_SCHEMA)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, RECORD_SCHEMA, strict=True)]
    return pa.record_batch(arrays, schema=RECORD_SCHEMA)
