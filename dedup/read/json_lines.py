"""Read JSON Lines and text files: the formats that are cut into records without looking inside.

Memory holds one record and a block of the file. Of a record that is larger than the limit, it holds the beginning.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from dedup.read.streams import BLOCK_BYTES, ByteStream, damage_error
from dedup.settings import MAX_RECORD

_LAST_CHARACTER = re.compile(rb"[\xc0-\xff][\x80-\xbf]*\Z")  # of UTF-8, which may be incomplete
_BEGINNING_BYTES = 1 << 16  # of a record that is too long; enough to see what it is

# A record of a file: number, bytes, error, and the charset that it was decoded from if that is not UTF-8.
FileRow = tuple[int, bytes, str | None, str | None]


def read_lines(stream: ByteStream, charset: str | None = None, most: int = MAX_RECORD) -> Iterator[FileRow]:
    """Yield the non-blank lines with their 0-based line numbers; if the data is damaged, the last has the error.

    A line of more than `most` bytes is cut and has an error.
    """
    record = 0
    rest = _LinePieces(most)
    while block := stream.read1(BLOCK_BYTES):
        first, *others = block.split(b"\n")
        rest.add(first)
        for line in others:
            yield from rest.take_row(record, charset)
            record += 1
            rest.add(line)
    if stream.damage:
        yield record, rest.take(), damage_error(stream.damage), charset
    else:
        yield from rest.take_row(record, charset)


class _LinePieces:
    """The pieces of a line; no more than the beginning of one that has more than `most` bytes."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.pieces: list[bytes] = []
        self.size = 0

    def add(self, piece: bytes) -> None:
        """Append to the line."""
        self.size += len(piece)
        if self.size <= self.most or self.size == len(piece):
            self.pieces.append(piece)
        else:
            self.pieces = [beginning(b"".join(self.pieces))]

    def take(self) -> bytes:
        """Return the line, and begin the next one."""
        line = b"".join(self.pieces)
        self.pieces, self.size = [], 0
        return line

    def take_row(self, record: int, charset: str | None) -> Iterator[FileRow]:
        """Yield the line as a record, or nothing if it is blank, and begin the next one."""
        error = too_long(self.most) if self.size > self.most else None
        line = self.take().removesuffix(b"\r")
        if record == 0:
            line = line.removeprefix(codecs.BOM_UTF8)
        if error or (line and not line.isspace()):
            yield record, beginning(line) if error else line, error, charset


def read_whole(stream: ByteStream, most: int = MAX_RECORD) -> Iterator[FileRow]:
    """Yield the whole file as record 0, with an error if it is damaged or has more than `most` bytes."""
    data = stream.read_all(most)
    if len(data) > most:
        yield 0, beginning(data), too_long(most), None
    else:
        yield 0, data, damage_error(stream.damage) if stream.damage else None, None


def beginning(data: bytes) -> bytes:
    """Return the beginning of a record that is too long to be kept, which ends with a whole character of UTF-8."""
    return _LAST_CHARACTER.sub(b"", data[:_BEGINNING_BYTES])


def too_long(most: int) -> str:
    """Return the error of a record of more than `most` bytes."""
    return f"longer than {most:,} bytes, so only its beginning is here; if it is an article, raise `max_record`"
