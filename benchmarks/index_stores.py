"""Which embedded store holds the postings of an index: Parquet, DuckDB, SQLite, LMDB or RocksDB.

    pip install duckdb lmdb rocksdict
    python benchmarks/index_stores.py [ARTICLES]

Postings are pairs of a hash of 40 bits and the number of an article, as `dedup.index.postings` makes them: 110 for each
article, of which one in fifty shares its hash with another article. Each store is written once with all of them, in
batches of 100,000 articles; then those of another 1 % of articles are looked up, half of which have postings there, and
added. Prints a table: seconds, and bytes for each posting. Every store has a folder of its own, and is closed and
opened again between the steps.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import lmdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import rocksdict

POSTINGS = 110  # of an article: 25 buckets, a digest, and the shingles of some ten paragraphs
BATCH = 100_000  # articles
SEED = 1

Table = tuple[Any, Any]  # hashes, uint64, ascending; articles, uint32


def make_postings(articles: int, first: int, chance: np.random.Generator) -> Table:
    """Return the postings of some articles, numbered from `first`."""
    count = articles * POSTINGS
    hashes = chance.integers(0, 1 << 40, count, np.uint64)
    shared = chance.random(count) < 0.02
    hashes[shared] = chance.integers(0, max(count // 100, 1), int(shared.sum()), np.uint64)
    owners = np.repeat(np.arange(first, first + articles, dtype=np.uint32), POSTINGS)
    order = np.lexsort((owners, hashes))
    return hashes[order], owners[order]


class ParquetStore:
    """A file of sorted columns for each batch."""

    def add(self, folder: Path, table: Table) -> None:
        """Add postings."""
        columns = pa.table({"hash": table[0], "article": table[1]})
        encodings = {"hash": "DELTA_BINARY_PACKED", "article": "BYTE_STREAM_SPLIT"}
        path = folder / f"{len(list(folder.iterdir()))}.parquet"
        pq.write_table(
            columns,
            path,
            row_group_size=1 << 20,
            use_dictionary=False,
            compression="zstd",
            column_encoding=encodings,
        )

    def look_up(self, folder: Path, hashes: Any) -> int:
        """Return how many articles have a posting for any of `hashes`."""
        found = []
        for path in folder.iterdir():
            file = pq.ParquetFile(path)
            for group in range(file.num_row_groups):
                limits = file.metadata.row_group(group).column(0).statistics
                low, high = np.searchsorted(hashes, np.array([limits.min, limits.max], np.uint64))
                columns = file.read_row_group(group)
                indexed, owners = np.asarray(columns["hash"]), np.asarray(columns["article"])
                starts, stops = (np.searchsorted(indexed, hashes[low : high + 1], side) for side in ("left", "right"))
                hit = stops > starts
                spans = zip(starts[hit].tolist(), stops[hit].tolist(), strict=True)
                found += [owners[start:stop] for start, stop in spans]
        return len(np.unique(np.concatenate(found)))


class DuckStore:
    """A table, ordered by hash within each batch."""

    def add(self, folder: Path, table: Table) -> None:
        """Add postings."""
        with duckdb.connect(str(folder / "db")) as db:
            new = pa.table({"hash": table[0], "article": table[1]})
            db.register("new", new)
            db.execute("CREATE TABLE IF NOT EXISTS postings (hash UBIGINT, article UINTEGER)")
            db.execute("INSERT INTO postings SELECT * FROM new")

    def look_up(self, folder: Path, hashes: Any) -> int:
        """Return how many articles have a posting for any of `hashes`."""
        with duckdb.connect(str(folder / "db"), read_only=True) as db:
            db.register("wanted", pa.table({"hash": hashes}))
            return int(
                db.execute("SELECT count(DISTINCT article) FROM postings SEMI JOIN wanted USING (hash)").fetchall()[0][
                    0
                ]
            )


class SqliteStore:
    """A table without row ids: hash and article are the key."""

    def add(self, folder: Path, table: Table) -> None:
        """Add postings."""
        db = sqlite3.connect(folder / "db")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE IF NOT EXISTS postings (hash, article, PRIMARY KEY (hash, article)) WITHOUT ROWID")
        with db:
            rows = zip(table[0].tolist(), table[1].tolist(), strict=True)
            db.executemany("INSERT OR IGNORE INTO postings VALUES (?, ?)", rows)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()

    def look_up(self, folder: Path, hashes: Any) -> int:
        """Return how many articles have a posting for any of `hashes`."""
        db = sqlite3.connect(folder / "db")
        found: set[int] = set()
        for hashed in hashes.tolist():
            found.update(row[0] for row in db.execute("SELECT article FROM postings WHERE hash = ?", (hashed,)))
        db.close()
        return len(found)


class LmdbStore:
    """A key of five bytes with sorted duplicates of four."""

    def add(self, folder: Path, table: Table) -> None:
        """Add postings."""
        with lmdb.open(str(folder), map_size=1 << 36, max_dbs=1) as env:
            postings = env.open_db(b"postings", dupsort=True, dupfixed=True)
            with env.begin(write=True, db=postings) as transaction:
                transaction.cursor().putmulti(_packed(table), dupdata=True)

    def look_up(self, folder: Path, hashes: Any) -> int:
        """Return how many articles have a posting for any of `hashes`."""
        found: set[bytes] = set()
        with lmdb.open(str(folder), map_size=1 << 36, max_dbs=1, readonly=True) as env:
            postings = env.open_db(b"postings", dupsort=True, dupfixed=True, create=False)
            with env.begin(db=postings) as transaction:
                cursor = transaction.cursor()
                for key in _keys(hashes):
                    if cursor.set_key(key):
                        found.update(cursor.iternext_dup())
        return len(found)


class RocksStore:
    """Hash and article are the key, without a value; a lookup is a search by prefix."""

    def add(self, folder: Path, table: Table) -> None:
        """Add postings."""
        db = rocksdict.Rdict(str(folder), _rocks_options())
        for start in range(0, len(table[0]), 100_000):
            batch = rocksdict.WriteBatch(raw_mode=True)
            for key, article in _packed((table[0][start : start + 100_000], table[1][start : start + 100_000])):
                batch.put(key + article, b"")
            db.write(batch)
        db.flush()
        db.compact_range(None, None)
        db.close()

    def look_up(self, folder: Path, hashes: Any) -> int:
        """Return how many articles have a posting for any of `hashes`."""
        db = rocksdict.Rdict(str(folder), _rocks_options())
        found: set[bytes] = set()
        cursor = db.iter()
        for key in _keys(hashes):
            cursor.seek(key)
            while cursor.valid() and cursor.key()[:5] == key:
                found.add(cursor.key()[5:])
                cursor.next()
        del cursor
        db.close()
        return len(found)


def _rocks_options() -> Any:
    options = rocksdict.Options(raw_mode=True)
    options.set_compression_type(rocksdict.DBCompressionType.zstd())
    return options


def _keys(hashes: Any) -> Iterator[bytes]:
    data = hashes.astype(">u8").tobytes()
    return (data[start + 3 : start + 8] for start in range(0, len(data), 8))


def _packed(table: Table) -> Iterator[tuple[bytes, bytes]]:
    data = table[1].astype(">u4").tobytes()
    articles = (data[start : start + 4] for start in range(0, len(data), 4))
    return zip(_keys(table[0]), articles, strict=True)


STORES: dict[str, Any] = {
    "Parquet": ParquetStore,
    "DuckDB": DuckStore,
    "SQLite": SqliteStore,
    "LMDB": LmdbStore,
    "RocksDB": RocksStore,
}


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that `work` takes, and what it returns."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def main(articles: int) -> None:
    """Print the table."""
    chance = np.random.default_rng(SEED)
    borders = [*range(0, articles, BATCH), articles]
    batches = [make_postings(stop - start, start, chance) for start, stop in pairwise(borders)]
    more = make_postings(max(articles // 100, 1), articles, chance)
    half = len(more[0]) // 2
    known = chance.choice(batches[0][0], half, replace=False)
    wanted = np.unique(np.concatenate([more[0][:half], known]))
    count = articles * POSTINGS
    print(f"{articles:,} articles, {count:,} postings; 1 %: {len(wanted):,} lookups")
    print(
        "| store | build (s) | bytes per posting | look up 1 % (s) | add 1 % (s) | found |\n|---|---|---|---|---|---|"
    )
    for name, kind in STORES.items():
        store, folder = kind(), Path(tempfile.mkdtemp(prefix="stores-"))
        build = sum(timed(partial(store.add, folder, table))[0] for table in batches)
        size = sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file()) / count
        look, found = timed(partial(store.look_up, folder, wanted))
        add, _ = timed(partial(store.add, folder, more))
        print(f"| {name} | {build:.1f} | {size:.1f} | {look:.2f} | {add:.2f} | {found:,} |", flush=True)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
