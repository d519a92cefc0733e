"""Read JSON Lines and text files: the formats that are cut into records without looking inside."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from dedup.read.streams import BLOCK_BYTES, ByteStream, damage_error

# A record of a file: number, bytes, error, and the charset that it was decoded from if that is not UTF-8.
FileRow = tuple[int, bytes, str | None, str | None]


def read_lines(stream: ByteStream, charset: str | None = None) -> Iterator[FileRow]:
    """Yield the non-blank lines with their 0-based line numbers; if the data is damaged, the last has the error."""
    record = 0
    rest: list[bytes] = []
    while block := stream.read1(BLOCK_BYTES):
        first, *others = block.split(b"\n")
        rest.append(first)
        for line in others:
            yield from _line_row(record, b"".join(rest), charset)
            record += 1
            rest = [line]
    if stream.damage:
        yield record, b"".join(rest), damage_error(stream.damage), charset
    else:
        yield from _line_row(record, b"".join(rest), charset)


def _line_row(record: int, line: bytes, charset: str | None) -> Iterator[FileRow]:
    """Yield one record, or none for a blank line; `line` comes without its newline."""
    line = line.removesuffix(b"\r")
    if record == 0:
        line = line.removeprefix(codecs.BOM_UTF8)
    if line and not line.isspace():
        yield record, line, None, charset


def read_whole(stream: ByteStream) -> Iterator[FileRow]:
    """Yield the whole file as record 0, with an error if it is damaged."""
    data = stream.read_all()
    yield 0, data, damage_error(stream.damage) if stream.damage else None, None
