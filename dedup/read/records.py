"""Read input files as batches of raw records.

A record is one line, element or row of a file, or one whole text file, with its true key: source and record number.
Except for text files its data is one JSON object, whatever the format of its file, so that everything after the reader
is the same for all of them. `dedup.read.fields` says what a record means. A file that is damaged yields what can be
read, then one record that carries the error.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, repeat
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import MappingProxyType
from typing import Any, BinaryIO

import pyarrow as pa

from dedup.errors import InputError
from dedup.read.archives import Member, is_hidden, tar_members, zip_members
from dedup.read.compression import decompressed
from dedup.read.file_records import FileHead, member_kind, read_records, recognize
from dedup.read.folders import is_pipe
from dedup.read.formats import (
    ARCHIVES,
    COMPRESSION_SUFFIXES,
    HTML_FILE,
    INPUT_FORMATS,
    KINDS_HINT,
    STDIN,
    WARC,
    ZIP,
    format_of_source,
)
from dedup.read.inputs import InputFile, InputFiles
from dedup.read.pages import check_html_extra
from dedup.read.streams import BLOCK_BYTES, DAMAGE, ByteStream, HashedFile, damage_error
from dedup.read.warc_records import check_warc_extra, read_warc
from dedup.settings import Settings

BATCH_BYTES = 4 << 20  # of records in a batch; large enough that passing a batch to another process costs little
BATCH_RECORDS = 8192

RECORD_SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("kind", pa.string()),
        ("record", pa.int64()),
        ("data", pa.large_binary()),
        ("error", pa.string()),
        ("charset", pa.string()),  # that the reader decoded the record from, if it was not UTF-8; `data` is UTF-8 then
        ("file_host", pa.string()),  # host of the record if its fields name none: see `dedup.read.hosts.hosts_of_files`
    ]
)

_KeyedRow = tuple[str, str, int, bytes, str | None, str | None]  # the values of a record up to ``charset``


class RecordReader:
    """A reader of input files; iterating yields record batches of `RECORD_SCHEMA`.

    A batch ends when its records have `batch_bytes`; the first ones at `first_batch_bytes`, if these are given.
    After the iteration `inputs` holds name, size in bytes and SHA-256 of each file, and `sizes` the bytes of the
    records of each batch. Members of archives are files of their own. `is_part` says that other readers read the rest
    of the input. Raises `InputError` if there is no file at all, or none that can be recognized.
    """

    def __init__(
        self,
        files: InputFiles,
        settings: Settings | None = None,
        *,
        batch_bytes: int = BATCH_BYTES,
        first_batch_bytes: Sequence[int] = (),
        is_part: bool = False,
    ) -> None:
        self.sources, self.skipped = files
        self.settings = settings or Settings()
        self.batch_bytes = batch_bytes
        self.first_batch_bytes = first_batch_bytes
        self.inputs: list[dict[str, Any]] = []
        self.sizes: list[int] = []
        self._is_part = is_part
        self._names = {source.name for source in files.sources}
        self._unreported_bytes = 0

    @property
    def total_bytes(self) -> int | None:
        """The size of all files in bytes; None if that of one of them is not known, as of standard input."""
        sizes = [_known_size(source) for source in self.sources]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def estimated_bytes(self) -> int | None:
        """The bytes of all records, about: compressed files count three times; None if a size is not known."""
        sizes = [(_known_size(source), source.name.lower()) for source in self.sources]
        if any(size is None for size, _ in sizes):
            return None
        return sum((size or 0) * (3 if name.endswith(COMPRESSION_SUFFIXES) else 1) for size, name in sizes)

    def fresh_bytes(self) -> int:
        """Return the number of bytes read since the last call."""
        fresh, self._unreported_bytes = self._unreported_bytes, 0
        return fresh

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        rows: list[tuple[Any, ...]] = []  # the values of records in the order of the schema
        size = 0
        limits = chain(self.first_batch_bytes, repeat(self.batch_bytes))
        limit = next(limits)
        for source in self.sources:
            with _open_input(source) as file:
                for row in self._rows(source, file):
                    rows.append((*row, source.host))
                    size += len(row[3])
                    if size >= limit or len(rows) == BATCH_RECORDS:
                        self.sizes.append(size)
                        yield _record_batch(rows)
                        rows, size, limit = [], 0, next(limits)
        if not self.inputs and not self._is_part:
            raise InputError(self._nothing_read())
        if rows or not self.sizes:
            self.sizes.append(size)
            yield _record_batch(rows)  # yield at least one batch, so that no stage has to handle none

    def _rows(self, source: InputFile, file: BinaryIO) -> Iterator[_KeyedRow]:
        """Yield the records of one file."""
        hashed = HashedFile(file, self._count)
        plain = ByteStream(hashed.read)
        stream = decompressed(plain, self.settings.max_expansion)
        head = recognize(source, stream, self.settings)
        local = source.path if stream is plain and isinstance(source.path, Path) and source.path.is_file() else None
        if head.kind in ARCHIVES:
            yield from self._archive_rows(source, head.kind, stream, local, hashed)
            return
        yield from self._file_rows(source.name, source.table, head, stream, local, hashed)

    def _file_rows(
        self,
        name: str,
        table: str | None,
        head: FileHead,
        stream: ByteStream,
        local: Path | None,
        hashed: HashedFile,
    ) -> Iterator[_KeyedRow]:
        """Yield the records of one file that is no archive, and note its size and hash."""
        kind = head.kind
        _check_extra(name, kind)
        skipped: Counter[str] = Counter()
        if kind == WARC:
            for row in read_warc(stream, skipped, self.settings.max_record):
                yield name, kind, *row
        elif INPUT_FORMATS[kind].is_table:
            with _seekable(stream, local, hashed) as path:
                for row in read_records(name, table, head, stream, path, self.settings.max_record):
                    yield name, kind, *row
        else:
            for row in read_records(name, table, head, stream, None, self.settings.max_record):
                yield name, kind, *row
        hashed.drain()
        self._note(name, head, hashed, skipped)

    def _note(
        self, name: str, head: FileHead, hashed: HashedFile, skipped: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        """Append the entry of a source to `inputs`; `skipped` counts records that are no articles, by type."""
        entry: dict[str, Any] = {"source": name, "bytes": hashed.size, "sha256": hashed.hash.hexdigest()}
        if head.kind != format_of_source(name):
            entry["format"] = head.kind
        if head.record_charset:
            entry["charset"] = head.record_charset
        if skipped:
            entry["skipped"] = dict(sorted(skipped.items()))
        self.inputs.append(entry)

    def _archive_rows(
        self, source: InputFile, kind: str, stream: ByteStream, local: Path | None, hashed: HashedFile
    ) -> Iterator[_KeyedRow]:
        """Yield the records of the members of an archive; where it is damaged, one record in its own name."""
        damage: Exception | None = None
        member_damage: Exception | None = None
        try:
            for member in self._members(kind, stream, local, hashed):
                yield from self._member_rows(source, member)
                member_damage = member.content.damage if member.content else None
        except DAMAGE as error:
            damage = error
        damage = damage or (stream.damage if kind == ZIP else None)
        if damage and not (member_damage and isinstance(damage, EOFError)):  # both errors would be about the same end
            hashed.drain()
            yield source.name, kind, 0, b"", damage_error(damage), None
            self._note(source.name, FileHead(kind), hashed)

    def _members(self, kind: str, stream: ByteStream, local: Path | None, hashed: HashedFile) -> Iterator[Member]:
        """Yield the members of an archive."""
        if kind != ZIP:
            yield from tar_members(stream)
            return
        with _seekable(stream, local, hashed) as path:
            yield from zip_members(path, self.settings.max_expansion)

    def _member_rows(self, source: InputFile, member: Member) -> Iterator[_KeyedRow]:
        """Yield the records of a member of an archive, or none if it is no input file."""
        name = f"{source.name}/{member.name}"
        kind = None if member.content is None or is_hidden(member.name) else member_kind(member, source, self.settings)
        if kind is None or member.content is None:
            self.skipped.append(name)
            return
        numbered, number = name, 1
        while numbered in self._names:
            number += 1
            numbered = f"{name}~{number}"
        self._names.add(numbered)
        hashed = HashedFile(member.content, lambda _size: None)
        stream = decompressed(ByteStream(hashed.read), self.settings.max_expansion)
        head = recognize(InputFile(numbered, source.path, kind, forced=source.forced), stream, self.settings)
        if head.kind in ARCHIVES:
            self.skipped.append(name)
            return
        _check_extra(numbered, head.kind)
        try:
            yield from self._file_rows(numbered, None, head, stream, None, hashed)
        except InputError as error:  # a database with several tables
            yield numbered, head.kind, 0, b"", f"{error}; unpack the archive for that", None
            self._note(numbered, head, hashed)

    def _nothing_read(self) -> str:
        """Return the error about inputs that are archives without articles."""
        where = ", ".join(str(source.path) for source in self.sources)
        examples = f" (skipped {len(self.skipped)} such as {self.skipped[0]})" if self.skipped else ""
        return f"{where}: no articles in this archive{examples}; {KINDS_HINT}"

    def _count(self, size: int) -> None:
        self._unreported_bytes += size


def _check_extra(name: str, kind: str) -> None:
    """Raise `InputError` if the format `kind` of the source `name` needs an extra that is not installed."""
    if kind == WARC:
        check_warc_extra(name)
    if kind in {HTML_FILE, WARC}:
        check_html_extra(name)


def _known_size(source: InputFile) -> int | None:
    """Return the size of a file in bytes, None if it is not known before it is read."""
    if not isinstance(source.path, Path):
        return source.path.size
    return None if source.name == STDIN or is_pipe(source.path) else source.path.stat().st_size


@contextmanager
def _open_input(source: InputFile) -> Iterator[BinaryIO]:
    """Yield the file of `source`, opened. Raises `InputError`."""
    if source.name == STDIN:
        if sys.stdin is None:
            raise InputError("-: standard input is closed; give files, or pipe the articles in")
        yield sys.stdin.buffer
        return
    try:
        file = source.path.open("rb")
    except OSError as error:
        raise InputError(f"{source.path}: {error.strerror or error}; make it readable or leave it out") from error
    with file:
        yield file


@contextmanager
def _seekable(stream: ByteStream, local: Path | None, hashed: HashedFile) -> Iterator[Path]:
    """Yield the path of a file with the content of `stream`: `local`, the file itself, or a temporary copy."""
    if local:
        hashed.drain()
        yield local
        return
    with NamedTemporaryFile(prefix="dedup-") as copy:
        while block := stream.read1(BLOCK_BYTES):
            copy.write(block)
        copy.flush()
        yield Path(copy.name)


def _record_batch(rows: list[tuple[Any, ...]]) -> pa.RecordBatch:
    """Return `rows`, the values of a record in the order of `RECORD_SCHEMA`, as a batch."""
    columns: Any = zip(*rows, strict=True) if rows else [[]] * len(RECORD_SCHEMA)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, RECORD_SCHEMA, strict=True)]
    return pa.record_batch(arrays, schema=RECORD_SCHEMA)
