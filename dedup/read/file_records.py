"""Recognize what one file is, and read its records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from dedup.errors import InputError
from dedup.read.archives import Member
from dedup.read.arrow_rows import read_table_file
from dedup.read.charset import decode_exactly
from dedup.read.compression import decompressed
from dedup.read.databases import choose_table, read_database
from dedup.read.delimited import read_rows
from dedup.read.formats import (
    ARCHIVES,
    CSV,
    DATABASES,
    HTML_FILE,
    INPUT_FORMATS,
    JSON_LINES,
    JSON_VALUES,
    STDIN,
    TEXT_FILE,
    TSV,
    format_of_name,
    is_text_name,
    suffix_of,
)
from dedup.read.inputs import InputFile
from dedup.read.json_errors import BadRecordError
from dedup.read.json_lines import FileRow, beginning, read_lines, read_whole, too_long
from dedup.read.json_values import read_json_values
from dedup.read.sniffing import SNIFFED_BYTES, json_layout, sniff_format, sniff_signature
from dedup.read.streams import ByteStream, damage_error
from dedup.read.transcoding import (
    charset_of,
    has_escapes,
    named_charset,
    original_bytes,
    transcoded,
)
from dedup.settings import MAX_RECORD, Settings


class FileHead(NamedTuple):
    """The format of a file by its first bytes, its charset if its bytes are to be decoded, and an error."""

    kind: str
    charset: str | None = None
    problem: str | None = None

    @property
    def record_charset(self) -> str | None:
        """The charset as records carry it."""
        return named_charset(self.charset)


def recognize(source: InputFile, stream: ByteStream, settings: Settings) -> FileHead:
    """Return the format and charset of a file, which are those of `source` unless its first bytes say otherwise.

    `stream` is the file, decompressed. Raises `InputError` if nothing says what it is.
    """
    head = stream.peek(SNIFFED_BYTES)
    charset = charset_of(head, settings.encoding)
    kind = source.kind
    if is_text_name(source.name) and kind in {TEXT_FILE, None}:
        return FileHead(TEXT_FILE, charset)
    signature = sniff_signature(head)
    if kind is None:
        return FileHead(_sniffed(source, head), charset)
    if signature and (signature in ARCHIVES or not source.forced):
        return FileHead(signature)
    if INPUT_FORMATS[kind].is_table:
        problem = None if signature == kind or kind in ARCHIVES else _not_of_kind(kind, head)
        return FileHead(kind, None, problem)
    if kind in {JSON_LINES, JSON_VALUES} and not source.forced:
        text = head.decode(charset, "replace").encode() if charset else head
        return FileHead(json_layout(text, kind), charset)
    return FileHead(kind, charset)


def _sniffed(source: InputFile, head: bytes) -> str:
    """Return the format of a file whose name says nothing. Raises `InputError` if its first bytes say nothing, too."""
    kind = sniff_format(head, stream=True)
    if kind:
        return kind
    if not head.strip():
        return JSON_LINES
    where = "standard input" if source.name == STDIN else source.path
    example = "csv" if b"," in head.partition(b"\n")[0] else "txt"
    raise InputError(f"{where}: its first bytes do not show its format; name it, as `input_format='{example}'`")


def _not_of_kind(kind: str, head: bytes) -> str:
    """Return the error about a file of a binary format that does not begin as its format does."""
    title = INPUT_FORMATS[kind].title
    if not head:
        return f"not {title}: the file is empty; write it again"
    sniffed = sniff_format(head)
    if sniffed:
        return f"not {title} but {INPUT_FORMATS[sniffed].title}; rename it, or name its format with --input-format"
    return f"not {title}, by its first bytes; write it again, or name its format with --input-format"


def member_kind(member: Member, source: InputFile, settings: Settings) -> str | None:
    """Return the format of a member of the archive `source`; None if it is no input file."""
    named = format_of_name(member.name)
    if named in ARCHIVES or member.content is None:
        return None
    if source.forced:
        return settings.input_format
    if named or suffix_of(PurePosixPath(member.name).name):
        return named
    return sniff_format(decompressed(ByteStream(member.content.peek)).peek(SNIFFED_BYTES))


def read_records(
    name: str, table: str | None, head: FileHead, stream: ByteStream, path: Path | None, most: int = MAX_RECORD
) -> Iterator[FileRow]:
    """Yield the records of one file that is no archive; `path` leads to its content if its format needs seeking.

    Records of text formats with more than `most` bytes are cut and have an error.
    """
    kind, charset = head.kind, head.record_charset
    if path is not None:
        yield from _read_table_format(name, table, head, stream, path)
    elif kind == TEXT_FILE:
        yield from _read_text(stream, head, most)
    elif kind == HTML_FILE:  # decoded by whoever extracts its text
        yield from ((record, data, error, charset) for record, data, error, _ in read_whole(stream, most))
    elif head.charset:
        text = transcoded(stream, head.charset)
        for row in _read_text_rows(text, kind, charset, most, checked=True):
            yield _with_original_bytes(row, head.charset) if has_escapes(row[1]) else row
    else:
        yield from _read_text_rows(stream, kind, None, most, checked=False)


def _read_text_rows(
    stream: ByteStream, kind: str, charset: str | None, most: int, *, checked: bool
) -> Iterator[FileRow]:
    """Yield the records of a text format in UTF-8."""
    if kind == JSON_LINES:
        return read_lines(stream, charset, most)
    if kind == JSON_VALUES:
        return read_json_values(stream, charset, most)
    assert kind in {CSV, TSV}
    return read_rows(stream, kind, charset, checked=checked, most=most)


def _with_original_bytes(row: FileRow, charset: str) -> FileRow:
    """Return a record that did not decode with the bytes of its file, and the error."""
    record, data, error, _ = row
    return record, original_bytes(data, charset), error or f"not {charset}: it has bytes that do not decode", None


def _read_text(stream: ByteStream, head: FileHead, most: int) -> Iterator[FileRow]:
    """Yield a text file as one record."""
    if head.charset is None:
        yield from read_whole(stream, most)
        return
    data = stream.read_all(most)
    text = decode_exactly(data, head.charset) if len(data) <= most else None
    if len(data) > most:
        yield 0, beginning(data), too_long(most), None
    elif stream.damage:
        yield 0, data, damage_error(stream.damage), None
    elif text is None:
        yield 0, data, f"not {head.charset}, or not to be restored from it; name another with --encoding", None
    else:
        yield 0, text.encode("utf-8"), None, head.record_charset


def _read_table_format(
    name: str, table: str | None, head: FileHead, stream: ByteStream, path: Path
) -> Iterator[FileRow]:
    """Yield the rows of a file in a binary format."""
    if head.problem or stream.damage:
        yield 0, b"", damage_error(stream.damage) if stream.damage else head.problem, None
    elif head.kind not in DATABASES:
        yield from read_table_file(path, head.kind)
    else:
        try:
            chosen = choose_table(path, head.kind, table, name)
        except BadRecordError as error:
            yield 0, b"", str(error), None
        else:
            yield from read_database(path, head.kind, chosen)
