"""A store in a folder: SQLite, in WAL mode, which is part of Python.

An addition is one transaction. As soon as `add` returns, it survives a crash of the process. A power cut can lose the
most recent additions, but never damages the database. With `durable`, each addition waits for the disk, and a power cut
loses none. Many processes may use one folder; writers wait for each other.

Each addition changes about 150 random pages of the postings. Small pages keep these writes small. A thread copies them
from the log into the database, so that no addition has to (`docs/growing.md` has measurements).
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from dedup.arrays import I64, U64
from dedup.errors import IndexFolderError
from dedup.index.manifest import MANIFEST, ONLINE_DATABASE
from dedup.online.stores import Addition, FoundPostings, ResultT, StoreReader, check_remembered

ONLINE_FORMAT = 1  # raised when an older reader could not read a store

_PAGE_BYTES = 1024  # p99 of additions on a busy machine: 22 ms; with 4096, which writes four times as much, 28 ms
_CACHE_KIB = 64 << 10
_MAPPED_BYTES = 1 << 34  # address space for memory-mapped reads; the system decides how much memory they use
_WAIT_SECONDS = 60  # for another writer
_CHECKPOINT_EVERY = 64  # additions
_LOG_PAGES = 128 << 10  # of the log; above this, additions wait once until the log can start again

_DEFINITIONS = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS articles
(number INTEGER PRIMARY KEY AUTOINCREMENT, identity BLOB NOT NULL, row BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS identities ON articles (identity);
CREATE TABLE IF NOT EXISTS postings (hash INTEGER, article INTEGER, PRIMARY KEY (hash, article)) WITHOUT ROWID;
"""
_FIND = """
SELECT postings.hash, postings.article FROM json_each(?) AS wanted CROSS JOIN postings ON postings.hash = wanted.value
"""


@contextmanager
def closed_on_error(database: sqlite3.Connection) -> Iterator[None]:
    """Close a connection if the block fails."""
    try:
        yield
    except BaseException:
        database.close()
        raise


class _Snapshot:
    """A reader of the database, in a transaction."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    @property
    def next_number(self) -> int:
        """The number of the next article."""
        row = self._database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'articles'").fetchone()
        return 0 if row is None else int(row[0])

    def find(self, hashes: U64) -> FoundPostings:
        """Return the postings of `hashes`."""
        pairs = self._database.execute(_FIND, (json.dumps(hashes.tolist()),)).fetchall()
        table = np.array(pairs, np.int64).reshape(-1, 2)
        return FoundPostings(table[:, 0].astype(np.uint64), table[:, 1])

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
        database = sqlite3.connect(self._path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False)
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
            for statement in _DEFINITIONS.split(";"):
                self._database.execute(statement)
            self._database.execute("INSERT OR IGNORE INTO about VALUES ('settings', ?)", (json.dumps(wanted),))
            (value,) = self._database.execute("SELECT value FROM about WHERE name = 'settings'").fetchone()
        check_remembered(str(self.folder), json.loads(value), json.loads(json.dumps(wanted)))

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn an error of SQLite or of the system into an `IndexFolderError` of one line."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            what = "was closed" if self._closed else f"cannot be used ({error})"
            raise IndexFolderError(f"{self._path}: {what}; open it again, or restore it from a copy") from None

    @contextmanager
    def _transaction(self, kind: str = "IMMEDIATE") -> Iterator[None]:
        """Begin a transaction, and commit it; roll it back if the block fails."""
        self._database.execute(f"BEGIN {kind}")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.Error):
                self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def query(self, judge: Callable[[StoreReader], ResultT]) -> ResultT:
        """Return the result of `judge` for the current state of the store."""
        with self._lock, self._errors(), self._transaction("DEFERRED"):
            return judge(_Snapshot(self._database))

    def add(self, judge: Callable[[StoreReader], tuple[ResultT, Addition | None]]) -> ResultT:
        """Store the article that `judge` returns, if any, in the same transaction as its reads."""
        with self._lock, self._errors(), self._transaction():
            result, addition = judge(_Snapshot(self._database))
            if addition is not None:
                self._insert(addition)
        if addition is not None:
            self._note_addition()
        return result

    def _insert(self, addition: Addition) -> None:
        number = self._insert_row(addition)
        self._insert_postings((value, number) for value in addition.hashes.tolist())

    def _insert_row(self, addition: Addition) -> int:
        """Insert the row of an article, and return its number."""
        cursor = self._database.execute(
            "INSERT INTO articles (identity, row) VALUES (?, ?)", (addition.identity, addition.row)
        )
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

    def remove(self, identity: bytes, hashes_of: Callable[[bytes], U64]) -> int:
        """Remove the articles of an id, and return how many there were; overwrite their data with zeros."""
        with self._lock, self._errors(), self._transaction():
            rows = self._database.execute("SELECT number, row FROM articles WHERE identity = ?", (identity,)).fetchall()
            for number, row in rows:
                pairs = ((value, number - 1) for value in hashes_of(row).tolist())
                self._database.executemany("DELETE FROM postings WHERE hash = ? AND article = ?", pairs)
                self._database.execute("DELETE FROM articles WHERE number = ?", (number,))
        with self._lock, suppress(sqlite3.Error):  # removes the text from the log, too, unless others read
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
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
        """Copy pages from the log into the database until the store is closed."""
        database = self._connect(durable=False)
        try:
            while True:
                self._added.wait()
                self._added.clear()
                if self._closed:
                    return
                with suppress(sqlite3.Error):  # the next one will do
                    _, pages, _ = database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                    if pages > _LOG_PAGES:
                        database.execute("PRAGMA wal_checkpoint(RESTART)")
        finally:
            database.close()

    def close(self) -> None:
        """Copy the whole log into the database, and close it."""
        if self._closed:
            return
        self._closed = True
        self._added.set()
        self._checkpointer.join()
        with self._lock, suppress(sqlite3.Error):
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._database.close()
