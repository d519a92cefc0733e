"""Time single additions to an index in two embedded stores, SQLite and LMDB, with several settings.

    pip install lmdb
    python -m benchmarks.online_stores [ARTICLES]

Each store is filled with the postings of ARTICLES. Each article has 150 hashes of 40 bits, as a press release with its
minimizers has in `dedup.online.stored_rows`; one in twenty is shared with another article. Then articles are added,
each in one transaction, which looks up 330 hashes, and writes a row of 4,000 bytes and 150 postings. Prints a table of
milliseconds. The column `waits` says whether a transaction waits for the disk.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lmdb
import numpy as np

POSTINGS, LOOKED_UP, ROW_BYTES = 150, 330, 4000
ADDITIONS = 1000
PAUSE = 0.002  # seconds between two additions, in which an article would be prepared
FIND = "SELECT postings.hash, article FROM json_each(?) AS wanted CROSS JOIN postings ON postings.hash = wanted.value"

Add = Callable[[int, list[int]], None]


def make_table(articles: int, chance: np.random.Generator) -> list[tuple[int, int]]:
    """Return sorted postings: pairs of a hash and the number of an article."""
    hashes = chance.integers(0, 1 << 40, articles * POSTINGS)
    shared = chance.random(len(hashes)) < 1 / 20
    hashes[shared] = chance.integers(0, len(hashes) // 40, int(shared.sum()))
    owners = np.repeat(np.arange(articles), POSTINGS)
    pairs = np.unique(np.stack([hashes, owners], axis=1), axis=0)
    return list(map(tuple, pairs.tolist()))


@contextmanager
def sqlite_store(folder: Path, table: list[tuple[int, int]], *, page: int, thread: bool, waits: bool) -> Iterator[Add]:
    """Yield the function that adds to a database; with `thread`, a thread copies the log into it."""

    def connect() -> sqlite3.Connection:
        database = sqlite3.connect(folder / "db", timeout=60, isolation_level=None, check_same_thread=False)
        options = {"page_size": page, "journal_mode": "WAL", "cache_size": -65536, "mmap_size": 1 << 34}
        for name, value in (options | {"wal_autocheckpoint": 0 if thread else 4000}).items():
            database.execute(f"PRAGMA {name} = {value}")
        return database

    database = connect()
    database.execute("CREATE TABLE articles (number INTEGER PRIMARY KEY, row BLOB)")
    database.execute("CREATE TABLE postings (hash, article, PRIMARY KEY (hash, article)) WITHOUT ROWID")
    database.execute("PRAGMA synchronous = OFF")
    database.execute("BEGIN")
    database.executemany("INSERT INTO postings VALUES (?, ?)", table)
    database.execute("COMMIT")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.execute(f"PRAGMA synchronous = {'FULL' if waits else 'NORMAL'}")
    ended = threading.Event()

    def carry_over() -> None:
        other = connect()
        while not ended.wait(0.2):
            other.execute("PRAGMA wal_checkpoint(PASSIVE)")
        other.close()

    def add(number: int, hashes: list[int]) -> None:
        database.execute("BEGIN IMMEDIATE")
        database.execute(FIND, (json.dumps(hashes),)).fetchall()
        database.execute("INSERT INTO articles VALUES (?, ?)", (number, os.urandom(ROW_BYTES)))
        rows = ((value, number) for value in sorted(hashes[:POSTINGS]))
        database.executemany("INSERT OR IGNORE INTO postings VALUES (?, ?)", rows)
        database.execute("COMMIT")

    checkpoints = threading.Thread(target=carry_over)
    if thread:
        checkpoints.start()
    yield add
    ended.set()
    if thread:
        checkpoints.join()
    database.close()


@contextmanager
def lmdb_store(folder: Path, table: list[tuple[int, int]], *, waits: bool) -> Iterator[Add]:
    """Yield the function that adds to an LMDB environment."""
    keys = ((value.to_bytes(5, "big"), number.to_bytes(4, "big")) for value, number in table)
    with lmdb.open(str(folder), map_size=1 << 36, max_dbs=2, sync=waits) as environment:
        postings = environment.open_db(b"postings", dupsort=True, dupfixed=True)
        articles = environment.open_db(b"articles")
        with environment.begin(write=True, db=postings) as transaction:
            transaction.cursor().putmulti(keys, dupdata=True)
        environment.sync(force=True)

        def add(number: int, hashes: list[int]) -> None:
            owner = number.to_bytes(4, "big")
            with environment.begin(write=True) as transaction:
                cursor = transaction.cursor(postings)
                cursor.getmulti([value.to_bytes(5, "big") for value in hashes], dupdata=True)
                transaction.put(owner, os.urandom(ROW_BYTES), db=articles)
                rows = [(value.to_bytes(5, "big"), owner) for value in sorted(hashes[:POSTINGS])]
                cursor.putmulti(rows, dupdata=True)

        yield add


STORES: dict[tuple[str, str], Callable[[Path, list[tuple[int, int]]], Any]] = {
    ("SQLite, pages of 4096 bytes", "no"): lambda folder, table: sqlite_store(
        folder, table, page=4096, thread=False, waits=False
    ),
    ("the same, and a thread for checkpoints", "no"): lambda folder, table: sqlite_store(
        folder, table, page=4096, thread=True, waits=False
    ),
    ("the same, pages of 1024 bytes", "no"): lambda folder, table: sqlite_store(
        folder, table, page=1024, thread=True, waits=False
    ),
    ("the same", "yes"): lambda folder, table: sqlite_store(folder, table, page=1024, thread=True, waits=True),
    ("LMDB", "no"): lambda folder, table: lmdb_store(folder, table, waits=False),
    ("the same", "yes "): lambda folder, table: lmdb_store(folder, table, waits=True),
}


def main(articles: int) -> None:
    """Measure all stores."""
    chance = np.random.default_rng(1)
    table = make_table(articles, chance)
    print(f"{articles:,} articles, {len(table):,} postings\n")
    print("| store | waits | p50 (ms) | p99 (ms) | slowest (ms) |\n|---|---|---|---|---|")
    for (name, waits), opened in STORES.items():
        with tempfile.TemporaryDirectory() as folder, opened(Path(folder), table) as add:
            seconds = []
            for number in range(ADDITIONS):
                hashes = chance.integers(0, 1 << 40, LOOKED_UP).tolist()
                start = time.perf_counter()
                add(articles + number, hashes)
                seconds.append(time.perf_counter() - start)
                time.sleep(PAUSE)
        figures = (f"{figure:.1f}" for figure in 1e3 * np.percentile(seconds, [50, 99, 100]))
        print(f"| {name} | {waits.strip()} | {' | '.join(figures)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40_000)
