"""The layout of an output folder: names of its files, its format number, and how to recognize one.

Writers and readers share these names. ``docs/formats.md`` describes the contents of the files.
"""

from __future__ import annotations

import json
from pathlib import Path

OUTPUT_FORMAT = 1  # of the files in an output; raised when an older reader could not read them

RUN_FILE = "run.json"  # settings, versions, inputs and counts: the same for equal runs
LOG_FILE = "run.log.json"  # seconds and skipped files: differs between equal runs

ARTICLES = "articles"
DROPPED = "dropped"
PROVENANCE = "provenance"
QUARANTINE = "quarantine"
TABLES = (ARTICLES, DROPPED, PROVENANCE, QUARANTINE)

SUFFIXES = {"none": "", "gz": ".gz", "zst": ".zst"}  # of compressed JSON lines, by `Settings.compress`

JSON_COLUMN = {b"json": b"1"}  # metadata of a Parquet column whose text holds JSON values


def table_file_name(table: str, format: str, compress: str) -> str:  # noqa: A002 - named as the setting is
    """Return the file name of `table` in the output format `format` with the compression `compress`.

    `table` is one of `TABLES`; `format` and `compress` are values of the `Settings` of those names. Parquet files are
    compressed inside, so their names carry no suffix.

    >>> table_file_name("articles", "jsonl", "zst")
    'articles.jsonl.zst'
    >>> table_file_name("articles", "parquet", "zst")
    'articles.parquet'
    """
    return f"{table}.parquet" if format == "parquet" else f"{table}.jsonl{SUFFIXES[compress]}"


def is_output(folder: Path) -> bool:
    """Return True if `folder` is an output of this package: its run file says so."""
    try:
        return is_run_file((folder / RUN_FILE).read_bytes())
    except OSError:
        return False


def is_run_file(content: bytes) -> bool:
    """Return True if `content` is that of the run file of an output of this package."""
    try:
        return "format" in json.loads(content)["dedup"]
    except (ValueError, KeyError, TypeError):
        return False
