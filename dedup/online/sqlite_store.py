"""A store in a folder: SQLite, in WAL mode, which is part of Python.

An addition is one transaction. As soon as `add` returns, it survives a crash of the process. A power cut can lose the
most recent additions, but never damages the database. With `durable`, each addition waits for the disk, and a power cut
loses none. Many processes may use one folder; writers wait for each other.

An article has some 150 postings, which are in as many random pages of their table. So an addition writes them as one
row of the table `recent`, and each process keeps the postings of these rows in memory (`recent_postings`). When there
are many rows, a thread moves their postings into the table `postings`. It moves them in the order of their hashes, so
that one write of a page serves several, and few at a time, so that no addition waits for long. A move may be
interrupted at any moment: a posting that is in both tables counts once. The same thread copies pages from the log into
the database.

A removed text is also in the log, which can be emptied only while no connection reads an earlier state. So a removal
tries this for a moment, and the thread tries again until it succeeds.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from dedup.arrays import I64, U64
from dedup.errors import IndexFolderError
from dedup.index.manifest import ONLINE_DATABASE
from dedup.index_layout import MANIFEST
from dedup.match.known_lines import KnownLine
from dedup.online.recent_postings import RecentPostings, merge_postings
from dedup.online.sqlite_lines import (
    LINE_TABLES,
    count_article,
    counts_of_host,
    find_stored_lines,
    insert_lines,
    last_articles,
    replace_learned,
)
from dedup.online.sqlite_log import EMPTYING_SECONDS, WAIT_SECONDS, copy_log, empty_log
from dedup.online.stores import (
    Addition,
    FoundPostings,
    Learner,
    ResultT,
    StoreReader,
    check_remembered,
    host_key,
)

ONLINE_FORMAT = 3  # raised when an older reader could not read a store

_PAGE_BYTES = 1024  # p99 of additions on a busy machine: 22 ms; with 4096, which writes four times as much, 28 ms
_CACHE_KIB = 64 << 10
_MAPPED_BYTES = 1 << 34  # address space for memory-mapped reads; the system decides how much memory they use
_EMPTYING_PAUSE = 1.0  # seconds until the thread tries again to empty the log
_CHECKPOINT_EVERY = 64  # additions
_RECENT_ARTICLES = 8192  # articles whose postings are moved together: 1,200,000 postings, which take 20 MB of memory
_URGENT_ARTICLES = 4 * _RECENT_ARTICLES  # from here on, additions are faster than the move
_MOVED_POSTINGS = 128  # in one transaction: an addition waits 1 ms for it
_DELETED_ROWS = 16  # of moved articles, in one transaction
_PAUSE_FACTOR = 4  # a pause is so many times as long as the transaction before it, so that few additions meet one
_LEAST_PAUSE = 0.001  # seconds, so that additions take their turn

_DEFINITIONS = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS articles
(number INTEGER PRIMARY KEY AUTOINCREMENT, identity BLOB NOT NULL, row BLOB NOT NULL, host BLOB, lost BLOB);
CREATE INDEX IF NOT EXISTS identities ON articles (identity);
CREATE TABLE IF NOT EXISTS recent (article INTEGER PRIMARY KEY, hashes BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS postings (hash INTEGER, article INTEGER, PRIMARY KEY (hash, article)) WITHOUT ROWID;
"""
_FIND = """
SELECT postings.hash, postings.article FROM json_each(?) AS wanted CROSS JOIN postings ON postings.hash = wanted.value
"""

_RECENT_EDGES = "SELECT (SELECT min(article) FROM recent), (SELECT max(article) FROM recent)"


@contextmanager
def closed_on_error(database: sqlite3.Connection) -> Iterator[None]:
    """Close a connection if the block fails."""
    try:
        yield
    except BaseException:
        database.close()
        raise


class _Snapshot:
    """A reader of the database, in a transaction; `recent` has the postings of its recent articles."""

    def __init__(self, database: sqlite3.Connection, recent: RecentPostings) -> None:
        self._database = database
        self._recent = recent

    @property
    def next_number(self) -> int:
        """The number of the next article."""
        row = self._database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'articles'").fetchone()
        return 0 if row is None else int(row[0])

    def find(self, hashes: U64) -> FoundPostings:
        """Return the postings of `hashes`."""
        pairs = self._database.execute(_FIND, (json.dumps(hashes.tolist()),)).fetchall()
        table = np.array(pairs, np.int64).reshape(-1, 2)
        moved = FoundPostings(table[:, 0].astype(np.uint64), table[:, 1])
        return merge_postings(moved, self._recent.find(hashes))

    def read(self, numbers: I64) -> list[bytes]:
        """Return the rows of articles."""
        return [
            bytes(self._database.execute("SELECT row FROM articles WHERE number = ?", (number + 1,)).fetchone()[0])
            for number in numbers.tolist()
        ]


class SqliteStore:
    """The store in `folder`, which is created if absent; `remembered` are its settings.

    Raises `IndexFolderError` if the folder is something else, or was made with other settings.
    """

    def __init__(self, folder: Path, remembered: dict[str, Any], *, durable: bool = False) -> None:
        self.folder = folder
        self._path = folder / ONLINE_DATABASE
        self._check_folder()
        self._lock = threading.Lock()
        self._added = threading.Event()
        self._closed = False
        self._additions = 0
        self._recent = RecentPostings()
        self._removals = 0
        self._log_has_removed = True  # a process may have been killed right after a removal
        with self._errors():
            folder.mkdir(parents=True, exist_ok=True)
            self._database = self._connect(durable=durable)
            with closed_on_error(self._database):
                self._create({"format": ONLINE_FORMAT, **remembered})
        self._checkpointer = threading.Thread(target=self._run_checkpoints, name="dedup-checkpoints", daemon=True)
        self._checkpointer.start()

    def _check_folder(self) -> None:
        if self.folder.exists() and not self.folder.is_dir():
            raise IndexFolderError(f"{self.folder}: is a file; name a folder for the index")
        if not self._path.exists() and self.folder.is_dir() and any(self.folder.iterdir()):
            if (self.folder / MANIFEST).is_file():
                raise IndexFolderError(
                    f"{self.folder}: is an index of runs, written by dedup clean with `index`; name a new folder, and "
                    f"copy this index there by dedup.Index(...).load({str(self.folder)!r})"
                )
            raise IndexFolderError(f"{self.folder}: exists and is no online index, so it is left alone; name another")

    def _connect(self, *, durable: bool) -> sqlite3.Connection:
        """Return a connection to the database that begins no transaction by itself."""
        database = sqlite3.connect(self._path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
        options = {
            "page_size": _PAGE_BYTES,
            "journal_mode": "WAL",
            "synchronous": "FULL" if durable else "NORMAL",
            "cache_size": -_CACHE_KIB,
            "mmap_size": _MAPPED_BYTES,
            "wal_autocheckpoint": 0,
            "secure_delete": "ON",
        }
        with closed_on_error(database):
            for name, value in options.items():
                database.execute(f"PRAGMA {name} = {value}")
        return database

    def _create(self, wanted: dict[str, Any]) -> None:
        """Create the tables of a new database, or check that this one was made with the same settings."""
        with self._transaction():
            for statement in (_DEFINITIONS + LINE_TABLES).split(";"):
                self._database.execute(statement)
            self._database.execute("INSERT OR IGNORE INTO about VALUES ('settings', ?)", (json.dumps(wanted),))
            self._database.execute("INSERT OR IGNORE INTO about VALUES ('removals', '0')")
            (value,) = self._database.execute("SELECT value FROM about WHERE name = 'settings'").fetchone()
            check_remembered(str(self.folder), value, wanted)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn an error of SQLite or of the system into an `IndexFolderError` of one line."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            what = "was closed" if self._closed else f"cannot be used ({error})"
            raise IndexFolderError(f"{self._path}: {what}; open it again, or restore it from a copy") from None

    @contextmanager
    def _transaction(self, kind: str = "IMMEDIATE", database: sqlite3.Connection | None = None) -> Iterator[None]:
        """Begin a transaction, and commit it; roll it back if the block fails."""
        database = database or self._database
        database.execute(f"BEGIN {kind}")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")

    def _snapshot(self) -> _Snapshot:
        """Return a reader of the current transaction, after reading the recent articles that this process lacks."""
        removals = _count_removals(self._database)
        if removals != self._removals:
            self._recent, self._removals = RecentPostings(), removals
        rows = self._database.execute("SELECT article, hashes FROM recent WHERE article > ?", (self._recent.last,))
        self._recent.add(rows.fetchall())
        if self._recent.is_full:
            (first,) = self._database.execute("SELECT min(article) FROM recent").fetchone()
            self._recent.settle(self._recent.last + 1 if first is None else first)
        return _Snapshot(self._database, self._recent)

    def query(self, judge: Callable[[StoreReader], ResultT]) -> ResultT:
        """Return the result of `judge` for the current state of the store."""
        with self._lock, self._errors(), self._transaction("DEFERRED"):
            return judge(self._snapshot())

    def add(self, judge: Callable[[StoreReader], tuple[ResultT, Addition | None]]) -> ResultT:
        """Store the article that `judge` returns, if any, in the same transaction as its reads."""
        with self._lock, self._errors(), self._transaction():
            result, addition = judge(self._snapshot())
            if addition is not None:
                self._insert(addition)
        if addition is not None:
            self._note_addition()
        return result

    def _insert(self, addition: Addition) -> None:
        self._database.execute(
            "INSERT INTO recent VALUES (?, ?)", (self._insert_row(addition), addition.hashes.tobytes())
        )

    def _insert_row(self, addition: Addition) -> int:
        """Insert the row of an article, and return its number."""
        host = None if addition.host is None else host_key(addition.host)
        cursor = self._database.execute(
            "INSERT INTO articles (identity, row, host, lost) VALUES (?, ?, ?, ?)",
            (addition.identity, addition.row, host, addition.lost),
        )
        if host is not None:
            count_article(self._database, host)
        assert cursor.lastrowid is not None
        return cursor.lastrowid - 1  # SQLite counts from 1

    def _insert_postings(self, pairs: Iterable[tuple[int, int]]) -> None:
        self._database.executemany("INSERT INTO postings VALUES (?, ?)", pairs)

    def add_all(self, additions: Sequence[Addition]) -> None:
        """Store articles without looking anything up, in one transaction.

        Postings are inserted in order, so that each page is written once.
        """
        with self._lock, self._errors(), self._transaction():
            numbers = [self._insert_row(addition) for addition in additions]
            self._insert_postings(
                sorted(
                    (value, number)
                    for number, addition in zip(numbers, additions, strict=True)
                    for value in addition.hashes.tolist()
                )
            )
        self._added.set()

    def known_lines(self, host: str | None, digests: Sequence[bytes]) -> list[KnownLine]:
        """Return the lines of `host` and of all hosts that have one of `digests`."""
        with self._lock, self._errors():
            return find_stored_lines(self._database, host, digests)

    def add_lines(self, lines: Sequence[KnownLine]) -> None:
        """Store lines of site text, in one transaction."""
        with self._lock, self._errors(), self._transaction():
            insert_lines(self._database, lines, learned=False)

    def learn(self, host: str, learner: Learner) -> None:
        """Replace the lines that were learnt from articles of `host`, if that is due and no other process does it.

        Others can add articles meanwhile.
        """
        key = host_key(host)
        with self._lock, self._errors(), self._transaction("DEFERRED"):
            counts = counts_of_host(self._database, key)
            if not learner.is_due(*counts):
                return
            articles = last_articles(self._database, key, learner.most)
        lines = learner.find(articles) if articles else []
        with self._lock, self._errors(), self._transaction():
            if counts_of_host(self._database, key)[1] == counts[1]:
                replace_learned(self._database, key, lines, counts[0])

    def remove(self, identity: bytes, hashes_of: Callable[[bytes], U64]) -> int:
        """Remove the articles of an id, and return how many there were; overwrite their data with zeros."""
        with self._lock, self._errors(), self._transaction():
            rows = self._database.execute("SELECT number, row FROM articles WHERE identity = ?", (identity,)).fetchall()
            for number, row in rows:
                pairs = ((value, number - 1) for value in hashes_of(row).tolist())
                self._database.executemany("DELETE FROM postings WHERE hash = ? AND article = ?", pairs)
                self._database.execute("DELETE FROM recent WHERE article = ?", (number - 1,))
                self._database.execute("DELETE FROM articles WHERE number = ?", (number,))
            if rows:
                self._database.execute("UPDATE about SET value = value + 1 WHERE name = 'removals'")
        self._log_has_removed = True
        with self._lock:
            if not self._empty_log(self._database):
                self._added.set()
        return len(rows)

    def count(self) -> int:
        """Return the number of articles."""
        with self._lock, self._errors():
            return int(self._database.execute("SELECT count(*) FROM articles").fetchone()[0])

    def _note_addition(self) -> None:
        """Count an addition, and wake the checkpoint thread from time to time."""
        self._additions += 1
        if self._additions % _CHECKPOINT_EVERY == 0:
            self._added.set()

    def _run_checkpoints(self) -> None:
        """Move postings, and copy pages from the log into the database, until the store is closed."""
        # Without its folder, there is nothing to do: the next process that opens the store moves the postings.
        with suppress(sqlite3.Error), closing(self._connect(durable=False)) as database:
            while True:
                is_woken = self._added.wait(_EMPTYING_PAUSE if self._log_has_removed else None)
                self._added.clear()
                if self._closed:
                    return
                with suppress(sqlite3.Error):  # the next one will do
                    copy_log(database)
                    if is_woken:
                        self._move_recent(database)
                if self._log_has_removed:
                    self._empty_log(database)

    def _empty_log(self, database: sqlite3.Connection) -> bool:
        """Copy the whole log into the database and empty it, unless others use it; return True if it was emptied."""
        self._log_has_removed = False  # before the attempt, which includes what was removed until now
        is_empty = empty_log(database)
        if not is_empty:
            self._log_has_removed = True
        return is_empty

    def _move_recent(self, database: sqlite3.Connection) -> None:
        """Move the postings of recent articles into their table, if there are many; stop if the store is closed."""
        first, last = database.execute(_RECENT_EDGES).fetchone()
        if first is None or last - first + 1 < _RECENT_ARTICLES:
            return
        with self._transaction("DEFERRED", database):
            removals = _count_removals(database)
            rows = database.execute("SELECT article, hashes FROM recent WHERE article <= ?", (last,)).fetchall()
        if not rows:
            return
        parts = [np.frombuffer(hashes, np.uint64) for _, hashes in rows]
        numbers = np.array([article for article, _ in rows], np.int64)
        hashes, articles = np.concatenate(parts), np.repeat(numbers, list(map(len, parts)))
        order = np.argsort(hashes, kind="stable")
        is_there = np.ones(len(order), bool)
        for number, start in enumerate(range(0, len(order), _MOVED_POSTINGS), 1):
            with self._pausing(database, number, first), self._lock, self._transaction(database=database):
                if self._closed:
                    return
                if removals != (removals := _count_removals(database)):  # a removed article must not get postings again
                    left = database.execute("SELECT article FROM recent WHERE article <= ?", (last,)).fetchall()
                    is_there = np.isin(articles, np.array(left, np.int64))
                chosen = order[start : start + _MOVED_POSTINGS]
                chosen = chosen[is_there[chosen]]
                pairs = zip(hashes[chosen].tolist(), articles[chosen].tolist(), strict=True)
                database.executemany("INSERT OR IGNORE INTO postings VALUES (?, ?)", pairs)
        for number, start in enumerate(range(0, len(rows), _DELETED_ROWS), 1):
            of_rows = numbers[start : start + _DELETED_ROWS]
            with self._pausing(database, number, first), self._lock, self._transaction(database=database):
                if self._closed:
                    return
                edges = int(of_rows[0]), int(of_rows[-1])
                database.execute("DELETE FROM recent WHERE article BETWEEN ? AND ?", edges)

    @contextmanager
    def _pausing(self, database: sqlite3.Connection, number: int, first: int) -> Iterator[None]:
        """Pause after a step of a move that began at article `first`, and copy the log from time to time."""
        start = time.perf_counter()
        yield
        seconds = time.perf_counter() - start
        is_urgent = self._closed or self._recent.last - first >= _URGENT_ARTICLES
        time.sleep(_LEAST_PAUSE if is_urgent else max(_LEAST_PAUSE, _PAUSE_FACTOR * seconds))
        if number % _CHECKPOINT_EVERY == 0:
            copy_log(database)

    def close(self) -> None:
        """Copy the whole log into the database, and close it.

        If others read an earlier state, wait for them only if the log has removed text, and then 60 seconds at most.
        """
        if self._closed:
            return
        self._closed = True
        self._added.set()
        self._checkpointer.join()
        has_removed, end = self._log_has_removed, time.monotonic() + WAIT_SECONDS
        while True:
            with self._lock, suppress(sqlite3.Error):
                if self._empty_log(self._database) or not has_removed or time.monotonic() > end:
                    self._database.close()
                    return
            time.sleep(EMPTYING_SECONDS)


def _count_removals(database: sqlite3.Connection) -> int:
    """Return how often articles were removed: a process that has seen fewer forgets what it keeps in memory."""
    return int(database.execute("SELECT value FROM about WHERE name = 'removals'").fetchone()[0])
