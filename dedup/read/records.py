"""From the inputs on the command line to batches of raw records.

A record is one line of a JSONL file or one whole ``.txt`` file, as bytes, with its true key: source and record
number. Nothing is decoded here but compression; what a record means is `dedup.read.fields`' business. A file whose
compressed data is damaged yields what can be read, then one record that says so.
"""

from __future__ import annotations

import glob
import gzip
import hashlib
import io
import json
import os
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pyarrow as pa

from dedup.errors import InputError

TEXT = "txt"
LINES = "jsonl"
STDIN = "-"
RUN_FILE = "run.json"

BATCH_BYTES = 4 << 20  # of records handed on at once; large enough to drown the cost of a hand-over
BATCH_RECORDS = 8192
_BLOCK = 1 << 20

_KINDS = {".txt": TEXT, ".jsonl": LINES, ".ndjson": LINES}
_COMPRESSED = (".gz", ".zst")
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_BOM = b"\xef\xbb\xbf"

RECORDS = pa.schema(
    [
        ("source", pa.string()),
        ("kind", pa.string()),
        ("record", pa.int64()),
        ("data", pa.large_binary()),
        ("error", pa.string()),
    ]
)


class Source(NamedTuple):
    """One input file: its name in the output, where it is, and how it is read."""

    name: str
    path: Path
    kind: str


class Found(NamedTuple):
    """The input files in input order, and the names of files passed over because of their kind."""

    sources: list[Source]
    skipped: list[str]


class Read:
    """Iterating gives record batches of `RECORDS`.

    Afterwards `inputs` says what each file was and `sizes` how many bytes the records of each batch have.
    """

    def __init__(self, found: Found, *, batch_bytes: int = BATCH_BYTES) -> None:
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

    def _records(self, source: Source) -> Iterator[tuple[int, bytes, str | None]]:
        with _open(source) as file:
            counted = _Counted(file)
            stream = _decompressed(counted)
            records = _whole(stream) if source.kind == TEXT else _lines(stream)
            for row in records:
                yield row
                self._fresh += counted.fresh()
            counted.drain()
            self._fresh += counted.fresh()
        self.inputs.append({"source": source.name, "bytes": counted.size, "sha256": counted.hash.hexdigest()})


def find(inputs: Sequence[str | Path], *, ignore: Path | None = None) -> Found:
    """The files that `inputs` mean: files, folders (recursively, sorted), globs, or ``-``.

    A folder that is an output of ours means its articles. `ignore`, the output to be written, is passed over in folders
    and globs. Names are paths relative to the given input; where two inputs would give one name, they carry as many of
    the input's own folders as tell them apart. A file reached twice counts once. Raises `InputError`.
    """
    found: list[tuple[Path, Path]] = []  # (given input, file)
    skipped: list[str] = []
    for given, by_glob in _expand(inputs):
        if str(given) == STDIN and not by_glob:
            found.append((given, given))
        elif ignore and given.resolve() == ignore.resolve():
            if not by_glob:
                raise InputError(f"{given}: is the output itself; leave it out, or write elsewhere with -o")
        elif given.is_dir():
            inside, others = _walk(given, ignore)
            if not inside and not by_glob:
                seen = f" (passed over {len(others)} such as {others[0].name})" if others else ""
                raise InputError(f"{given}: no articles in this folder{seen}; give .txt or .jsonl files")
            found += [(given, path) for path in inside]
            skipped += [str(path) for path in others]
        elif given.exists() and _kind(given):
            found.append((given, given))
        elif by_glob:
            skipped.append(str(given))
        else:
            kinds = ", ".join(_KINDS)
            raise InputError(f"{given}: unknown kind of file; give {kinds}, plain or with .gz or .zst, or pipe to -")
    if not found:
        raise InputError(f"{', '.join(map(str, inputs))}: no articles in what this matches; give .txt or .jsonl files")
    unique = list(
        {str(path if str(path) == STDIN else path.resolve()): (given, path) for given, path in found}.values()
    )
    return Found([Source(name, path, _kind(path) or LINES) for name, path in _named(unique)], skipped)


def is_output(folder: Path) -> bool:
    """Whether `folder` is an output of ours: it has a run file that says so."""
    try:
        return "format" in json.loads((folder / RUN_FILE).read_bytes())["dedup"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _expand(inputs: Sequence[str | Path]) -> Iterator[tuple[Path, bool]]:
    """Each path that `inputs` name, and whether a glob matched it."""
    if not inputs or not all(map(str, inputs)):
        what = "an empty name among the inputs" if inputs else "no input"
        raise InputError(f"{what}; give files, folders, globs, or - for standard input")
    for given in inputs:
        if not isinstance(given, Path) and not given.strip():
            raise InputError("an empty name among the inputs; give files, folders, globs, or - for standard input")
        name = str(given)
        if name == STDIN or Path(name).exists():
            yield Path(name), False
            continue
        matches = sorted(glob.glob(name, recursive=True)) if glob.has_magic(name) else []
        if not matches:
            what = "matches nothing" if glob.has_magic(name) else "no such file or folder"
            raise InputError(f"{name}: {what}; check the path (the current folder is {Path.cwd()})")
        yield from ((Path(match), True) for match in matches)


def _walk(folder: Path, ignore: Path | None) -> tuple[list[Path], list[Path]]:
    """The readable files below `folder` in sorted order, and what was passed over; hidden files are not looked at.

    A link to a folder is passed over, for one to a folder above would never end.
    """
    if is_output(folder):
        articles = [path for path in sorted(folder.iterdir()) if path.name.startswith("articles.")]
        return [path for path in articles if _kind(path)], [path for path in articles if not _kind(path)]
    inside: list[Path] = []
    others: list[Path] = []
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or (ignore and entry.resolve() == ignore.resolve()):
            continue
        if entry.is_dir() and not entry.is_symlink():
            deeper = _walk(entry, ignore)
            inside += deeper[0]
            others += deeper[1]
        else:
            (inside if entry.is_file() and _kind(entry) else others).append(entry)
    return inside, others


def _kind(path: Path) -> str | None:
    name = path.name.lower()
    for ending in _COMPRESSED:
        name = name.removesuffix(ending)
    return next((kind for ending, kind in _KINDS.items() if name.endswith(ending)), None)


def _named(files: Sequence[tuple[Path, Path]]) -> list[tuple[str, Path]]:
    """Each file with the shortest name, ending in its relative path, that no other file has."""
    depths = [0] * len(files)
    while True:
        names = [_name(given, path, depth) for (given, path), depth in zip(files, depths, strict=True)]
        clashing = {name for name, count in Counter(names).items() if count > 1}
        if not clashing or max(depths) > max(len(path.resolve().parts) for _, path in files):
            return [(name, path) for name, (_, path) in zip(_numbered(names), files, strict=True)]
        depths = [depth + (name in clashing) for name, depth in zip(names, depths, strict=True)]


def _numbered(names: Sequence[str]) -> list[str]:
    """`names`, the second of equal ones with ``~2`` behind it, and so on: only where no folder tells them apart."""
    seen: Counter[str] = Counter()
    told = []
    for name in names:
        seen[name] += 1
        told.append(name if seen[name] == 1 else f"{name}~{seen[name]}")
    return told


def _name(given: Path, path: Path, depth: int) -> str:
    """The path relative to the given input, with `depth` more folders in front."""
    if str(given) == STDIN:
        return STDIN
    inside = path.relative_to(given).parts if given != path else (given.name,)
    above = given.resolve().parts[1:] if given != path else given.resolve().parent.parts[1:]
    name = "/".join((*above[len(above) - min(depth, len(above)) :], *inside))
    return os.fsencode(name).decode("utf-8", "backslashreplace")  # file names can be any bytes, names here are text


def _open(source: Source) -> BinaryIO:
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
    columns = zip(*rows, strict=True) if rows else [[]] * len(RECORDS)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, RECORDS, strict=True)]
    return pa.record_batch(arrays, schema=RECORDS)
