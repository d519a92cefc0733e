"""The formats of input files as data: their names and suffixes."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import NamedTuple

TEXT_FILE = "txt"
HTML_FILE = "html"
WARC = "warc"
JSON_LINES = "jsonl"
JSON_VALUES = "json"
CSV = "csv"
TSV = "tsv"
PARQUET = "parquet"
ARROW = "arrow"
SQLITE = "sqlite"
DUCKDB = "duckdb"
ZIP = "zip"
TAR = "tar"
EXTRACTED = "extracted"  # no format of files: an article that was extracted from a page when an output was written

STDIN = "-"


class InputFormat(NamedTuple):
    """One format of input files.

    A file of a format that `is_table` holds known bytes at its start, so that these, not its name, decide. Such a file
    is read from a path, unless its format `is_streamed`.
    """

    name: str
    title: str  # for messages
    suffixes: tuple[str, ...]
    is_table: bool = False
    is_streamed: bool = False


INPUT_FORMATS = {
    entry.name: entry
    for entry in (
        InputFormat(TEXT_FILE, "text", (".txt",)),
        InputFormat(HTML_FILE, "HTML", (".html", ".htm", ".xhtml")),
        InputFormat(WARC, "a web archive", (".warc",), is_table=True, is_streamed=True),
        InputFormat(JSON_LINES, "JSON Lines", (".jsonl", ".ndjson", ".jl", ".jsonlines")),
        InputFormat(JSON_VALUES, "JSON", (".json",)),
        InputFormat(CSV, "CSV", (".csv",)),
        InputFormat(TSV, "TSV", (".tsv", ".tab")),
        InputFormat(PARQUET, "Parquet", (".parquet", ".pq"), is_table=True),
        InputFormat(ARROW, "Arrow", (".arrow", ".arrows", ".feather", ".ipc"), is_table=True),
        InputFormat(SQLITE, "an SQLite database", (".sqlite", ".sqlite3", ".db", ".db3"), is_table=True),
        InputFormat(DUCKDB, "a DuckDB database", (".duckdb", ".ddb"), is_table=True),
        InputFormat(ZIP, "a zip archive", (".zip",), is_table=True),
        InputFormat(TAR, "a tar archive", (".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tzst"), is_table=True),
    )
}
ARCHIVES = frozenset({ZIP, TAR})
DATABASES = frozenset({SQLITE, DUCKDB})
ONE_ARTICLE = frozenset({TEXT_FILE, HTML_FILE})  # formats of files that hold a single article
KINDS_HINT = (
    "give .txt, .html, .warc, .jsonl, .json, .csv, .tsv, .parquet or .arrow files, databases, or .zip and .tar archives"
)

COMPRESSION_SUFFIXES = (".gz", ".zst", ".bz2", ".xz", ".lz4")

_FORMAT_OF_SUFFIX = {suffix: entry.name for entry in INPUT_FORMATS.values() for suffix in entry.suffixes}
_NUMBER = re.compile(r"~\d+\Z")  # what the second of two equal names gets
_SUFFIX = re.compile(r"\.[a-z][a-z0-9_+-]{0,11}", re.IGNORECASE)  # "v1.2" and "St. Paul" have none

_CONVERT_FIRST = {  # for kinds that people have and this package does not read
    ".xlsx": "save it as CSV",
    ".xls": "save it as CSV",
    ".ods": "save it as CSV",
    ".pdf": "extract the text first",
    ".docx": "save it as text",
    ".xml": "convert it to JSON Lines",
    ".pkl": "write it as Parquet or JSON Lines",
    ".pickle": "write it as Parquet or JSON Lines",
    ".7z": "unpack it",
    ".rar": "unpack it",
}


def format_of_name(name: str) -> str | None:
    """Return the format that the suffix of a file name means; None if it means none.

    >>> format_of_name("news.NDJSON.gz"), format_of_name("news.tgz"), format_of_name("README")
    ('jsonl', 'tar', None)
    """
    return _FORMAT_OF_SUFFIX.get(suffix_of(name))


def suffix_of(name: str) -> str:
    """Return the suffix of a file name in lower case, without those of compression; empty if there is none.

    >>> suffix_of("a/News.JSON.gz"), suffix_of("St. Paul v1.2")
    ('.json', '')
    """
    suffix = PurePosixPath(without_compression(name.lower())).suffix
    return suffix if _SUFFIX.fullmatch(suffix) else ""


def without_compression(name: str) -> str:
    """Return a file name without the suffixes of compression.

    >>> without_compression("a.txt.GZ")
    'a.txt'
    """
    while name.lower().endswith(COMPRESSION_SUFFIXES):
        name = name[: name.rindex(".")]
    return name


def is_text_name(name: str) -> bool:
    """Return True if a source of this name is a text file unless its entry in ``run.json`` says otherwise.

    >>> is_text_name("2020/taji.txt.gz"), is_text_name("taji.txt.jsonl"), is_text_name("-")
    (True, False, False)
    """
    return format_of_name(name) == TEXT_FILE


def format_of_source(name: str) -> str | None:
    """Return the format that the name of a source means, to which a number may be appended; None if it means none.

    >>> format_of_source("a.txt~2"), format_of_source("-"), format_of_source("63")
    ('txt', 'jsonl', None)
    """
    return JSON_LINES if name == STDIN else format_of_name(_NUMBER.sub("", name))


def unknown_kind(where: object, name: str) -> str:
    """Return the error about the file called `name` that is of no known kind."""
    conversion = _CONVERT_FIRST.get(suffix_of(name))
    if conversion:
        return f"{where}: {suffix_of(name)} files are not read; {conversion} first"
    return f"{where}: unknown kind of file; {KINDS_HINT}, or name its format with `input_format`"
