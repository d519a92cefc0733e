"""The layout of an output folder: names of its files, its format number, and how to recognize one.

Writers and readers share these names. ``docs/formats.md`` describes the contents of the files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

OUTPUT_FORMAT = 2  # of the files in an output; raised when an older reader could not read them

RUN_FILE = "run.json"  # settings, versions, inputs and counts: the same for equal runs
KNOWN_TWINS_FILE = "known_twins.jsonl"  # twins in other corpora; there if the run was given any
KNOWN_ITEMS_FILE = "known_items.jsonl"  # what was found of each known article; there if it was searched for
LOG_FILE = "run.log.json"  # seconds and skipped files: differs between equal runs
REPORT_FILE = "report.html"  # may be in an output, but is not one of its tables
COMPARISON_FILE = "comparison.html"  # the same, of this run and another one
PAGES = (REPORT_FILE, COMPARISON_FILE)
REVIEW_FILE = "review.jsonl"  # the same: what a person has decided about the findings

ARTICLES = "articles"
DROPPED = "dropped"
PROVENANCE = "provenance"
QUARANTINE = "quarantine"
SITE_TEXT = "site_text"
TABLES = (ARTICLES, DROPPED, PROVENANCE, QUARANTINE, SITE_TEXT)

SITE_TEXT_SOURCE = f"{SITE_TEXT}.jsonl"  # the source of a twin that is a row of that table, whatever the format

SUFFIXES = {"none": "", "gz": ".gz", "zst": ".zst"}  # of compressed JSON lines, by `Settings.compress`

_MOST_SHARDS = 1 << 20

JSON_COLUMN = {b"json": b"1"}  # metadata of a Parquet column whose text holds JSON values


class OutputFiles(NamedTuple):
    """The choices that name the files of an output: three `Settings` of those names, and what was written.

    `shards` is the number of files of each table, and empty unless `shard_size` is set.
    """

    format: str = "jsonl"
    compress: str = "none"
    shard_size: int | None = None
    shards: Mapping[str, int] = MappingProxyType({})

    def names(self, table: str) -> list[str]:
        """Return the names of the files of `table`, in the order of their rows.

        >>> OutputFiles("csv", "gz", 1000, {"articles": 2}).names("articles")
        ['articles-00000.csv.gz', 'articles-00001.csv.gz']
        """
        numbers = [None] if self.shard_size is None else range(self.shards.get(table, 1))
        return [table_file_name(table, self.format, self.compress, number) for number in numbers]


def table_file_name(
    table: str,
    format: str,  # noqa: A002 - named as the setting is
    compress: str,
    shard: int | None = None,
) -> str:
    """Return the file name of `table`, or of one shard of it, in the output format `format` with this compression.

    `table` is one of `TABLES`; `format` and `compress` are values of the `Settings` of those names. Parquet files are
    compressed inside, so their names carry no suffix. Only articles can be CSV; the other tables are JSON lines then.

    >>> table_file_name("articles", "jsonl", "zst")
    'articles.jsonl.zst'
    >>> table_file_name("articles", "parquet", "zst", 12)
    'articles-00012.parquet'
    """
    stem = table if shard is None else f"{table}-{shard:05d}"
    if format == "parquet":
        return f"{stem}.parquet"
    return f"{stem}.{'csv' if (format, table) == ('csv', ARTICLES) else 'jsonl'}{SUFFIXES[compress]}"


def output_files(run: Any) -> OutputFiles:
    """Return what names the files of an output, from the contents of its run file.

    Raises `KeyError`, `TypeError` or `AttributeError` if it does not hold that.
    """
    settings, shards = run["settings"], dict(run.get("shards", {}))
    if not all(isinstance(count, int) and 0 < count <= _MOST_SHARDS for count in shards.values()):
        raise TypeError("shards are not numbers of files")
    return OutputFiles(settings["format"], settings["compress"], settings.get("shard_size"), shards)


def read_run_file(folder: Path) -> dict[str, Any] | None:
    """Return the contents of the run file of `folder`; None if the folder is not an output of this package."""
    try:
        run = json.loads((folder / RUN_FILE).read_bytes())
        return run if "format" in run["dedup"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_output(folder: Path) -> bool:
    """Return True if `folder` is an output of this package: its run file says so."""
    return read_run_file(folder) is not None


def article_files(folder: Path) -> list[Path]:
    """Return the files of the articles in an output, in the order of their rows; one of them may be missing."""
    try:
        names = output_files(read_run_file(folder)).names(ARTICLES)
    except (KeyError, TypeError, AttributeError, ValueError):
        names = sorted(path.name for path in folder.iterdir() if path.name.startswith(f"{ARTICLES}."))
    return [folder / name for name in names]


def foreign_files(folder: Path) -> list[str]:
    """Return the names of what is in an output and was not written by this package, sorted."""
    try:
        files = output_files(read_run_file(folder))
        ours = {name for table in TABLES for name in files.names(table)}
    except (KeyError, TypeError, AttributeError, ValueError):
        ours = set()
    ours |= {RUN_FILE, LOG_FILE, KNOWN_TWINS_FILE, KNOWN_ITEMS_FILE, REVIEW_FILE, *PAGES}
    return sorted({entry.name for entry in folder.iterdir()} - ours)


def is_run_file(content: bytes) -> bool:
    """Return True if `content` is that of the run file of an output of this package."""
    try:
        return "format" in json.loads(content)["dedup"]
    except (ValueError, KeyError, TypeError):
        return False
