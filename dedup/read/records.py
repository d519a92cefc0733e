"""Read input files as batches of raw records.

A record is one line of a JSONL file or one whole ``.txt`` file, as bytes, with its true key: source and record number.
This module decompresses and cuts; `dedup.read.fields` says what a record means. A file whose compressed data is damaged
yields what can be read, then one record that carries the error.
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

BATCH_BYTES = 4 << 20  # of records in a batch; large enough that passing a batch to another process costs little
BATCH_RECORDS = 8192
_BLOCK = 1 << 20  # bytes read at once
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
        ("charset", pa.string()),  # that `data` was decoded from; null if it is as it was read
    ]
)


class RecordReader:
    """A reader of input files; iterating yields record batches of `RECORD_SCHEMA`.

    After the iteration `inputs` holds name, size in bytes and SHA-256 of each file, and `sizes` the bytes of the
    records of each batch.
    """

    def __init__(self, files: InputFiles, *, batch_bytes: int = BATCH_BYTES) -> None:
        self.sources, self.skipped = files
        self.batch_bytes = batch_bytes
        self.inputs: list[dict[str, str | int]] = []
        self.sizes: list[int] = []
        self._unreported_bytes = 0

    @property
    def total_bytes(self) -> int | None:
        """The size of all files in bytes; None if one of them is standard input."""
        if any(source.name == STDIN for source in self.sources):
            return None
        return sum(source.path.stat().st_size for source in self.sources)

    def fresh_bytes(self) -> int:
        """Return the number of bytes read since the last call."""
        fresh, self._unreported_bytes = self._unreported_bytes, 0
        return fresh

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        rows: list[tuple[str, str, int, bytes, str | None, str | None]] = []
        size = 0
        for source in self.sources:
            for record, data, error in self._records(source):
                rows.append((source.name, source.kind, record, data, error, None))
                size += len(data)
                if size >= self.batch_bytes or len(rows) == BATCH_RECORDS:
                    self.sizes.append(size)
                    yield _record_batch(rows)
                    rows, size = [], 0
        if rows or not self.sizes:
            self.sizes.append(size)
            yield _record_batch(rows)  # yield at least one batch, so that no stage has to handle none

    def _records(self, source: InputFile) -> Iterator[tuple[int, bytes, str | None]]:
        """Yield number, bytes and error of each record of one file."""
        with _open_input(source) as file:
            hashed = _HashingFile(file)
            stream = _decompress(hashed)
            records = _read_whole(stream) if source.kind == TEXT_FILE else _records_of_lines(stream)
            for row in records:
                yield row
                self._unreported_bytes += hashed.fresh_bytes()
            hashed.drain()
            self._unreported_bytes += hashed.fresh_bytes()
        self.inputs.append({"source": source.name, "bytes": hashed.size, "sha256": hashed.hash.hexdigest()})


def _open_input(source: InputFile) -> BinaryIO:
    """Return the file of `source`, opened. Raises `InputError`."""
    if source.name == STDIN:
        return sys.stdin.buffer
    try:
        return source.path.open("rb")
    except OSError as error:
        raise InputError(f"{source.path}: {error.strerror or error}; make it readable or leave it out") from error


class _HashingFile(io.RawIOBase):
    """A binary file that counts and hashes what is read from it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.size = 0
        self.reported = 0
        self.hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self.file.read(len(buffer))
        buffer[: len(data)] = data
        self.size += len(data)
        self.hash.update(data)
        return len(data)

    def fresh_bytes(self) -> int:
        """Return the number of bytes read since the last call."""
        reported, self.reported = self.reported, self.size
        return self.size - reported

    def drain(self) -> None:
        """Read to the end, so that size and hash are those of the whole file."""
        buffer = bytearray(_BLOCK)
        while self.readinto(buffer):
            pass


def _decompress(file: _HashingFile) -> io.BufferedReader | gzip.GzipFile:
    """Return a stream of the decompressed bytes; the first bytes of the file decide, not its name."""
    plain: io.BufferedReader = io.BufferedReader(file, _BLOCK)
    magic = plain.peek(4)
    if magic.startswith(_GZIP_MAGIC):
        return gzip.GzipFile(fileobj=plain)  # its read1 returns the data before damage; a buffer would not
    if magic.startswith(_ZSTD_MAGIC):
        return io.BufferedReader(_ZstdFile(plain), _BLOCK)
    return plain


class _ZstdFile(io.RawIOBase):
    """A Python file of Zstandard data that Arrow decompresses."""

    def __init__(self, file: BinaryIO) -> None:
        self.stream = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self.stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _records_of_lines(stream: io.BufferedReader | gzip.GzipFile) -> Iterator[tuple[int, bytes, str | None]]:
    """Yield the non-blank lines with their 0-based line numbers; if the data is damaged, the last has the error."""
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
            yield from _line_record(record, b"".join(rest))
            record += 1
            rest = [line]
    if damage:
        yield record, b"".join(rest), _damage_error(damage)
    else:
        yield from _line_record(record, b"".join(rest))


def _line_record(record: int, line: bytes) -> Iterator[tuple[int, bytes, str | None]]:
    """Yield one record, or none for a blank line; `line` comes without its newline."""
    line = line.removesuffix(b"\r")
    if record == 0:
        line = line.removeprefix(_BOM)
    if line and not line.isspace():
        yield record, line, None


def _read_whole(stream: io.BufferedReader | gzip.GzipFile) -> Iterator[tuple[int, bytes, str | None]]:
    """Yield the whole file as record 0, with an error if it is damaged."""
    blocks: list[bytes] = []
    try:
        while block := stream.read1(_BLOCK):
            blocks.append(block)
    except (EOFError, OSError, zlib.error) as error:
        yield 0, b"".join(blocks), _damage_error(error)
    else:
        yield 0, b"".join(blocks), None


def _damage_error(error: Exception) -> str:
    """Return the quarantine error of a record at which a damaged file ends."""
    return f"the file cannot be read on from here ({str(error).rstrip('.')}); fetch it again"


def _record_batch(rows: list[tuple[str, str, int, bytes, str | None, str | None]]) -> pa.RecordBatch:
    """Return `rows`, the values of a record in the order of `RECORD_SCHEMA`, as a batch."""
    columns = zip(*rows, strict=True) if rows else [[]] * len(RECORD_SCHEMA)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, RECORD_SCHEMA, strict=True)]
    return pa.record_batch(arrays, schema=RECORD_SCHEMA)
