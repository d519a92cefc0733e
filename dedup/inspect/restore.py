"""Write the original files again from an output.

Text files come back byte for byte. Files of JSON lines come back line by line: each article with its fields in order
and its raw text, each record that could not be read as it was, and blank lines as empty lines. Spaces between the
values of a line are not kept. `restore` never writes outside the given folder, whatever an output says.
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
from operator import itemgetter
from pathlib import Path, PurePosixPath

import pyarrow as pa

from dedup.arrays import encode_utf8
from dedup.errors import FindingError, OutputError
from dedup.inspect.names import record_name
from dedup.inspect.output import Article, InputOrder, Output, Quarantined, is_text_file, open_output
from dedup.read.fields import join_fields
from dedup.read.formats import STDIN

STDIN_FILE = "stdin.jsonl"  # the file that receives what came from standard input

_SourceRow = Article | Quarantined


def restore(path: str | Path, directory: str | Path, *, force: bool = False) -> Mapping[str, int]:
    """Write the original files below `directory`, and return the numbers of files, articles and quarantined records.

    `directory` must be new or empty, and then appears complete or not at all. With `force` it may hold other files;
    those with the same names are replaced. Raises `OutputError` if `path` is not an output or `directory` cannot be
    used, and `FindingError` if the output was changed since it was written.
    """
    output = open_output(path)
    target = Path(directory).resolve()
    if target.is_relative_to(output.path.resolve()):
        raise OutputError(f"{directory}: is inside the output; choose a folder outside of {path}")
    occupied = target.is_dir() and any(target.iterdir())
    if (occupied and not force) or (target.exists() and not target.is_dir()):
        raise OutputError(f"{directory}: exists and is not an empty folder; choose another, or add `force=True`")
    names = _target_names(output)
    work = target.parent / f".{target.name}.{os.getpid()}.partial"
    try:
        work.mkdir(parents=True)
        counts = _write_files(output, names, work)
        if occupied:
            _move_into(work, target, names.values())
        else:
            work.replace(target)
    except OSError as error:
        raise OutputError(f"{directory}: {error.strerror or error}; nothing more was written") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return counts


def _target_names(output: Output) -> dict[str, PurePosixPath]:
    """Return the path of each source relative to the folder.

    Raises `OutputError` if a path leads out of the folder, or if two sources have the same path.
    """
    names: dict[str, PurePosixPath] = {}
    taken: dict[PurePosixPath, str] = {}
    for source in output.sources:
        name = PurePosixPath(STDIN_FILE if source == STDIN else source)
        if name.is_absolute() or ".." in name.parts or not name.parts or "\0" in source:
            raise OutputError(f"{output.path}: the source {source!r} leads out of the folder; was the output forged?")
        if name in taken:
            raise OutputError(f"{output.path}: the sources {taken[name]!r} and {source!r} would be one file {name}")
        taken[name] = source
        names[source] = name
    return names


def _write_files(output: Output, names: Mapping[str, PurePosixPath], folder: Path) -> Counter[str]:
    """Write all sources below `folder`, and return the numbers of files, articles and quarantined records."""
    counts = Counter(files=0, articles=0, quarantined=0)
    for name in names.values():  # an empty input has no row, but gets its file here
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        _open_for_writing(folder / name).close()
        counts["files"] += 1
    articles = _in_input_order(output, output.articles())
    quarantined = _in_input_order(output, output.quarantined())
    rows = merge(articles, quarantined, key=itemgetter(0))
    for source, group in groupby((row for _, row in rows), key=lambda row: row.source):
        with _open_for_writing(folder / names[source]) as file:
            line = 0  # number of the next line of the file
            for row in group:
                counts["articles" if isinstance(row, Article) else "quarantined"] += 1
                if is_text_file(source):
                    file.write(_original_bytes(row))
                else:
                    file.write(b"\n" * (row.record - line) + _original_bytes(row) + b"\n")
                    line = row.record + 1
    return counts


def _in_input_order(
    output: Output, rows: Iterator[Article] | Iterator[Quarantined]
) -> Iterator[tuple[InputOrder, _SourceRow]]:
    """Yield each row with its position in input order; raise `OutputError` if its source is unknown."""
    for row in rows:
        order = output.input_order(row)
        if order is None:
            raise OutputError(
                f"{record_name(row.source, row.record)}: its source is not among the inputs; see dedup verify"
            )
        yield order, row


def _original_bytes(row: _SourceRow) -> bytes:
    """Return the bytes of an input record, without the line end of a JSON line."""
    where = record_name(row.source, row.record)
    if isinstance(row, Quarantined):
        try:
            return base64.b64decode(row.raw, validate=True) if row.encoding == "base64" else encode_utf8(row.raw)
        except binascii.Error as error:
            raise OutputError(f"{where}: its quarantined bytes are not base64 ({error})") from None
    try:
        return encode_utf8(row.raw) if is_text_file(row.source) else join_fields(row.original())
    except FindingError as error:
        raise FindingError(f"{where}: {error}; see dedup verify") from None


def _open_for_writing(path: Path) -> pa.NativeFile:
    """Open a file for writing, compressed as its name says."""
    codec = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix.lower())
    return pa.output_stream(path.open("wb"), compression=codec)


def _move_into(work: Path, target: Path, names: Iterable[PurePosixPath]) -> None:
    """Move each file from `work` to its place in `target`, a folder that already holds other files."""
    for name in names:
        place = target / name
        if not place.parent.resolve().is_relative_to(target):
            raise OutputError(f"{place}: a link leads out of the folder; remove it")
        place.parent.mkdir(parents=True, exist_ok=True)
        (work / name).replace(place)
