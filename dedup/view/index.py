"""Read the tables of an output into a DuckDB database in a temporary folder, which answers in milliseconds.

Articles are numbered in input order. Of each the database has the words that are searched, of each finding what lists
and filters show; the texts themselves are read from the tables of the output when an article is opened.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from dedup import output_layout as layout
from dedup.errors import DedupError, OutputError
from dedup.inspect.article_rows import Article, InputOrder
from dedup.inspect.output import Output
from dedup.inspect.table_rows import read_fields
from dedup.read.article_fields import date_of, host_of
from dedup.read.hosts import hosts_of_files
from dedup.view.finding_rows import FINDING_ROWS, NAME_LISTED, TEXT_LISTED, listed_findings, read_natively, safe

if TYPE_CHECKING:
    import duckdb

_ROWS_PER_BATCH = 5_000
_SEARCHES_KEPT = 16
_MICROSECONDS_OF_DAY = 86_400_000_000  # microseconds

_ARTICLES = pa.schema(
    [
        ("number", pa.int64()),
        ("source_number", pa.int64()),
        ("record", pa.int64()),
        ("id", pa.string()),
        ("sha256", pa.string()),
        ("kept", pa.bool_()),
        ("host", pa.string()),
        ("day", pa.int64()),  # since 1970
        ("characters", pa.int64()),
        ("findings", pa.int64()),
        ("beginning", pa.string()),
        ("haystack", pa.string()),  # the text in lower case, which is searched
    ]
)


class ReadingProgress(NamedTuple):
    """How much of an output has been read: a share, and the problem that ended it, if one did."""

    share: float
    problem: str | None


class ReadingIndex:
    """The database of an output; a thread reads the tables. `folder` is where its file is, and should be empty."""

    def __init__(self, output: Output, folder: Path) -> None:
        self.output = output
        self.path = folder / "view.duckdb"
        self._problem: str | None = None
        self._rows = 0
        counts = output.run.get("counts", {})
        self._expected = counts.get("articles", 0) + counts.get("findings", 0)
        self._ready = threading.Event()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._decided_version = 0
        self._hits: dict[tuple[str, ...], str] = {}
        self._searches = 0
        self._connection = _connect(self.path)
        self._thread = threading.Thread(target=self._read, name="dedup-view-index", daemon=True)
        self._thread.start()

    @property
    def is_ready(self) -> bool:
        """Return True if all tables have been read."""
        return self._ready.is_set() and self._problem is None

    @property
    def progress(self) -> ReadingProgress:
        """How much has been read."""
        share = 1.0 if self._ready.is_set() else min(0.99, self._rows / max(1, self._expected))
        return ReadingProgress(share, self._problem)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until all tables have been read, and return True if they have been."""
        return self._ready.wait(seconds) and self._problem is None

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection for one thread."""
        return self._connection.cursor()

    def set_decided(self, version: int, rows: Callable[[], list[tuple[str, str, int, str]]]) -> None:
        """Set the findings that were decided about: digest, rule, start and decision of each, as of a version."""
        with self._lock:
            if self._decided_version == version:
                return
            cursor = self.cursor()
            cursor.execute("DELETE FROM decided")
            decided = rows()
            if decided:
                cursor.executemany("INSERT INTO decided VALUES (?, ?, ?, ?)", decided)
            self._decided_version = version

    def hits(self, terms: Sequence[str]) -> str:
        """Return the name of a table of the articles that hold all `terms`, and of one of findings, after a suffix.

        The texts are searched once for all lists and facets of a page, and for the pages that follow.
        """
        key = tuple(terms)
        with self._lock:
            if key not in self._hits:
                cursor = self.cursor()
                if len(self._hits) == _SEARCHES_KEPT:
                    oldest = self._hits.pop(next(iter(self._hits)))
                    for suffix in ("_articles", "_findings"):
                        cursor.execute(f"DROP TABLE {oldest}{suffix}")
                self._searches += 1
                name = f"hits_{self._searches}"
                text, ids, removed = (
                    " AND ".join([f"contains({column}, ?)"] * len(key))
                    for column in ("haystack", "lower(id)", "lower(removed)")
                )
                cursor.execute(
                    f"CREATE TABLE {name}_articles AS SELECT number, {text} AS in_text FROM articles "  # noqa: S608
                    f"WHERE ({text}) OR ({ids})",
                    [*key, *key, *key],
                )
                cursor.execute(
                    f"CREATE TABLE {name}_findings AS SELECT finding FROM findings WHERE number IN "  # noqa: S608
                    f"(SELECT number FROM {name}_articles WHERE in_text) OR ({removed})",
                    [*key],
                )
                self._hits[key] = name
            return self._hits[key]

    def close(self) -> None:
        """Stop reading, and close the database."""
        self._closing.set()
        self._thread.join()
        self._connection.close()

    def _read(self) -> None:
        try:
            cursor = self._connection.cursor()
            self._insert(cursor, "article_rows", _ARTICLES, self._article_rows())
            if not self._closing.is_set() and not read_natively(cursor, self.output):
                self._insert(cursor, "finding_rows", FINDING_ROWS, listed_findings(self.output))
            if not self._closing.is_set():
                for statement in _TABLES:
                    cursor.execute(statement)
                cursor.execute("SET enable_external_access = false")  # from here on, no statement opens a file
        except DedupError as error:
            self._problem = str(error)
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise to
            self._problem = f"the output cannot be read ({type(error).__name__}: {error}); see dedup verify"
        self._ready.set()

    def _insert(
        self, cursor: duckdb.DuckDBPyConnection, table: str, schema: pa.Schema, rows: Iterator[dict[str, Any]]
    ) -> None:
        """Put rows into a new table, batch by batch."""
        cursor.register("batch", schema.empty_table())
        cursor.execute(f"CREATE TABLE {table} AS SELECT * FROM batch")  # noqa: S608 - a name of ours
        cursor.unregister("batch")
        while not self._closing.is_set() and (part := list(islice(rows, _ROWS_PER_BATCH))):
            cursor.register("batch", pa.Table.from_pylist(part, schema))
            cursor.execute(f"INSERT INTO {table} SELECT * FROM batch")  # noqa: S608 - a name of ours
            cursor.unregister("batch")
            self._rows += len(part)

    def _article_rows(self) -> Iterator[dict[str, Any]]:
        """Yield the articles in input order."""
        names = list(self.output.sources)
        file_hosts = dict(zip(names, hosts_of_files(names), strict=True))
        tables = (
            self._articles_of(table, kept=kept) for table, kept in ((layout.ARTICLES, True), (layout.DROPPED, False))
        )
        settings = self.output.settings
        for number, ((source_number, record), article) in enumerate(merge(*tables, key=itemgetter(0))):
            date = date_of(article.fields, settings)[1]
            host = host_of(article.fields, settings)[1] or file_hosts[article.source]
            yield {
                "number": number,
                "source_number": source_number,
                "record": record,
                "id": safe(article.id[:NAME_LISTED]),
                "sha256": article.provenance.get("sha256"),
                "kept": article.kept,
                "host": None if host is None else safe(host),
                "day": None if date is None else date // _MICROSECONDS_OF_DAY,
                "characters": len(article.text),
                "findings": article.provenance.get("findings", 0),
                "beginning": safe(article.text[:TEXT_LISTED]),
                "haystack": safe(article.text.lower()),
            }

    def _articles_of(self, table: str, *, kept: bool) -> Iterator[tuple[InputOrder, Article]]:
        for path in self.output.table_paths(table):
            for number, row in enumerate(read_fields(path)):
                article = self.output.article_of_fields(row, f"{path}: row {number}", kept=kept)
                order = self.output.input_order(article)
                if order is None:
                    raise OutputError(f"{article.where}: its source is not among the inputs; see dedup verify")
                yield order, article


_TABLES = (
    """
    CREATE TABLE findings AS
    SELECT f.*, a.number, a.host, a.day, a.kept, a.id, a.sha256, t.number AS twin_number
    FROM finding_rows f
    JOIN article_rows a ON a.source_number = f.source_number AND a.record = f.record
    LEFT JOIN (SELECT source_number, record, number FROM article_rows) t
        ON t.source_number = f.twin_source_number AND t.record = f.twin_record
    ORDER BY f.finding
    """,
    "DROP TABLE finding_rows",
    "ALTER TABLE article_rows RENAME TO articles",
    """
    CREATE TABLE groups AS
    SELECT twin_number AS number, count(*) AS copies, min(similarity) AS low, max(similarity) AS high,
        count(DISTINCT host) AS hosts
    FROM findings WHERE NOT kept AND action = 'drop' AND twin_number IS NOT NULL
    GROUP BY twin_number ORDER BY copies DESC, number
    """,
    "DROP TABLE IF EXISTS finding_lines",
    "CREATE TABLE decided (sha256 VARCHAR, rule VARCHAR, start BIGINT, decision VARCHAR)",
)


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    import duckdb  # noqa: PLC0415 - an extra

    return duckdb.connect(
        str(path),
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "enable_external_access": "true",
            "temp_directory": str(path.parent),
        },
    )
