"""The original files again, from an output.

Text files come back byte for byte. Files of JSON lines come back line by line: every article with its fields in
order and its raw text, records that could not be read as they were, blank lines as empty ones; spacing between
the values of a line is not kept. Nothing is ever written outside the given folder, whatever an output says.
"""

from __future__ import annotations

import base64
import binascii
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from itertools import groupby
from pathlib import Path, PurePosixPath

import pyarrow as pa

from dedup.errors import FindingError, OutputError
from dedup.inspect.output import Article, Order, Output, Quarantined, is_text_file, open_output
from dedup.read.fields import join_fields

STDIN_SOURCE = "-"
STDIN_FILE = "stdin.jsonl"


def restore(path: str | Path, directory: str | Path, *, force: bool = False) -> Mapping[str, int]:
    """How many files, articles and quarantined records were written back below `directory`.

    `directory` must be new or empty; with `force` files are put among those that are there, in place of those with
    the same names. It appears complete or not at all. Raises `OutputError`.
    """
    stored = open_output(path)
    target = Path(directory).resolve()
    if target.is_relative_to(stored.path.resolve()):
        raise OutputError(f"{directory}: is inside the output; choose a folder outside of {path}")
    occupied = target.is_dir() and any(target.iterdir())
    if (occupied and not force) or (target.exists() and not target.is_dir()):
        raise OutputError(f"{directory}: exists and is not an empty folder; choose another, or give --force")
    names = _names(stored)
    work = target.parent / f".{target.name}.{os.getpid()}.partial"
    try:
        work.mkdir(parents=True)
        counts = _write(stored, names, work)
        if occupied:
            _move_into(work, target, names.values())
        else:
            work.replace(target)
    except OSError as error:
        raise OutputError(f"{directory}: {error.strerror or error}; nothing more was written") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return counts


def _names(stored: Output) -> dict[str, PurePosixPath]:
    """The path of each source below the folder; refuses those that lead out of it, or to one file twice."""
    names: dict[str, PurePosixPath] = {}
    taken: dict[PurePosixPath, str] = {}
    for source in stored.sources:
        name = PurePosixPath(STDIN_FILE if source == STDIN_SOURCE else source)
        if name.is_absolute() or ".." in name.parts or not name.parts or "\0" in source:
            raise OutputError(f"{stored.path}: the source {source!r} leads out of the folder; was the output forged?")
        if name in taken:
            raise OutputError(f"{stored.path}: the sources {taken[name]!r} and {source!r} would be one file {name}")
        taken[name] = source
        names[source] = name
    return names


def _write(stored: Output, names: Mapping[str, PurePosixPath], folder: Path) -> Counter[str]:
    counts = Counter(files=0, articles=0, quarantined=0)
    for name in names.values():  # inputs that held nothing included
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        _compressed(folder / name).close()
        counts["files"] += 1
    rows = merge(_ordered(stored, stored.articles()), _ordered(stored, stored.quarantined()), key=lambda pair: pair[0])
    for source, group in groupby((row for _, row in rows), key=lambda row: row.source):
        with _compressed(folder / names[source]) as file:
            line = 0
            for row in group:
                counts["articles" if isinstance(row, Article) else "quarantined"] += 1
                if is_text_file(source):
                    file.write(_bytes(row))
                else:
                    file.write(b"\n" * (row.record - line) + _bytes(row) + b"\n")
                    line = row.record + 1
    return counts


def _ordered(
    stored: Output, rows: Iterator[Article] | Iterator[Quarantined]
) -> Iterator[tuple[Order, Article | Quarantined]]:
    for row in rows:
        order = stored.order(row)
        if order is None:
            raise OutputError(f"{row.source}#{row.record}: its source is not among the inputs; see dedup verify")
        yield order, row


def _bytes(row: Article | Quarantined) -> bytes:
    where = f"{row.source}#{row.record}"
    if isinstance(row, Quarantined):
        try:
            return base64.b64decode(row.raw, validate=True) if row.encoding == "base64" else _utf8(row.raw)
        except binascii.Error as error:
            raise OutputError(f"{where}: its quarantined bytes are not base64 ({error})") from None
    try:
        return _utf8(row.raw) if is_text_file(row.source) else join_fields(row.original())
    except FindingError as error:
        raise FindingError(f"{where}: {error}; see dedup verify") from None


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _compressed(path: Path) -> pa.NativeFile:
    """The file to write to, compressed as its name says."""
    codec = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix.lower())
    return pa.output_stream(path.open("wb"), compression=codec)


def _move_into(work: Path, target: Path, names: Iterable[PurePosixPath]) -> None:
    """Put each file in its place in a folder that holds other things."""
    for name in names:
        place = target / name
        if not place.parent.resolve().is_relative_to(target):
            raise OutputError(f"{place}: a link leads out of the folder; remove it")
        place.parent.mkdir(parents=True, exist_ok=True)
        (work / name).replace(place)
