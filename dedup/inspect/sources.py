"""The sources of an output: what kind each was, and the file that `restore` writes for it."""

from __future__ import annotations

import bz2
import lzma
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NamedTuple, cast

import pyarrow as pa

from dedup.errors import OutputError
from dedup.read.formats import JSON_LINES, STDIN, TEXT_FILE, format_of_name

OTHER = "other"  # the kind of a source that is restored as JSON lines, whatever it was

_ARROW_CODECS = {".gz": "gzip", ".zst": "zstd", ".lz4": "lz4"}
_LINES_SUFFIX = ".jsonl"  # of the files that receive sources of other kinds
_EQUAL_NAME = re.compile(r"~\d+\Z")  # what `dedup.read.inputs` appends to the second of two equal names
_STDIN_FILE = "stdin"


class Source(NamedTuple):
    """One source: its position among the inputs, its kind, and the charset of its text files (None: UTF-8).

    `kind` is `TEXT_FILE`, one article of plain text; `JSON_LINES`; or `OTHER`, such as CSV or a table of a database.
    """

    number: int
    kind: str
    charset: str | None = None


def sources_of_run(inputs: Iterable[Mapping[str, Any]]) -> dict[str, Source]:
    """Return the sources of a run by name, from the `inputs` of its run file.

    An entry has the key `format` only where its name does not say what it is.
    """
    sources = {}
    for number, entry in enumerate(inputs):
        name, given = entry["source"], entry.get("format")
        kind = kind_by_name(name) if given is None else given if given in {TEXT_FILE, JSON_LINES} else OTHER
        sources[name] = Source(number, kind, entry.get("charset"))
    return sources


def kind_by_name(source: str) -> str:
    """Return the kind of the source called `source`, as far as its name says.

    >>> kind_by_name("2020/taji.txt.gz"), kind_by_name("taji.txt.jsonl"), kind_by_name("crawl.zip/taji.csv")
    ('txt', 'jsonl', 'other')
    """
    if source == STDIN:
        return JSON_LINES
    kind = format_of_name(_EQUAL_NAME.sub("", source))
    return kind if kind in {TEXT_FILE, JSON_LINES} else OTHER


def is_text_file(source: str) -> bool:
    """Return True if the name of a source says that it is one article of plain text."""
    return kind_by_name(source) == TEXT_FILE


def target_names(sources: Mapping[str, Source], where: Path) -> dict[str, PurePosixPath]:
    """Return the path of the file that receives each source, relative to a folder.

    Raises `OutputError`, which names the output `where`, if a path leads out of the folder, or if two sources cannot
    both have their files.
    """
    names: dict[str, PurePosixPath] = {}
    taken: dict[PurePosixPath, str] = {}
    for source, (_, kind, _) in sources.items():
        name = PurePosixPath(_restored_name(source, kind))
        if name.is_absolute() or ".." in name.parts or not source or "\0" in source:
            raise OutputError(f"{where}: the source {source!r} leads out of the folder; was the output forged?")
        if name in taken:
            raise OutputError(f"{where}: the sources {taken[name]!r} and {source!r} would be one file {name}")
        taken[name] = source
        names[source] = name
    for name, source in taken.items():
        for parent in name.parents:
            if parent in taken:
                raise OutputError(
                    f"{where}: the source {taken[parent]!r} would be a file where {source!r} needs a folder"
                )
    return names


def _restored_name(source: str, kind: str) -> str:
    """Return the name of the file that receives a source."""
    if source == STDIN:
        return f"{_STDIN_FILE}.txt" if kind == TEXT_FILE else f"{_STDIN_FILE}{_LINES_SUFFIX}"
    return f"{source}{_LINES_SUFFIX}" if kind == OTHER else source


def open_for_writing(path: Path) -> BinaryIO:
    """Open a file for writing, compressed as its name says."""
    match path.suffix.lower():
        case ".bz2":
            return cast("BinaryIO", bz2.open(path, "wb"))
        case ".xz":
            return cast("BinaryIO", lzma.open(path, "wb"))
    codec = _ARROW_CODECS.get(path.suffix.lower())
    return cast("BinaryIO", pa.output_stream(path.open("wb"), compression=codec))
