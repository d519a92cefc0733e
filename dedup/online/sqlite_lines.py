"""The tables of a store in a folder for the site text of hosts: known lines, and how many articles were stored."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from dedup.match.known_lines import KnownLine
from dedup.online.stores import CountedArticle, host_key

LINE_TABLES = """
CREATE INDEX IF NOT EXISTS articles_of_hosts ON articles (host) WHERE host IS NOT NULL;
CREATE TABLE IF NOT EXISTS hosts (host BLOB PRIMARY KEY, articles INTEGER, judged INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lines
(host BLOB, digest TEXT, learned INTEGER, articles INTEGER, total INTEGER, PRIMARY KEY (host, learned, digest))
WITHOUT ROWID;
"""
_FIND_LINES = """
SELECT lines.host, lines.digest, lines.articles, lines.total
FROM json_each(?) AS wanted CROSS JOIN lines
ON lines.host IN (?, ?) AND lines.learned IN (0, 1) AND lines.digest = wanted.value
ORDER BY lines.learned
"""
_COUNT_ARTICLE = "INSERT INTO hosts VALUES (?, 1, 0) ON CONFLICT (host) DO UPDATE SET articles = articles + 1"
_LAST_ARTICLES = "SELECT row, lost FROM articles WHERE host = ? ORDER BY number DESC LIMIT ?"


def find_stored_lines(database: sqlite3.Connection, host: str | None, digests: Sequence[bytes]) -> list[KnownLine]:
    """Return the lines of `host` and of all hosts that have one of `digests`; those that were learnt come last."""
    wanted = json.dumps([digest.hex() for digest in digests])
    keys = host_key(host), host_key(None)
    return [
        KnownLine(None if key == keys[1] else host, bytes.fromhex(digest), articles, total)
        for key, digest, articles, total in database.execute(_FIND_LINES, (wanted, *keys)).fetchall()
    ]


def insert_lines(database: sqlite3.Connection, lines: Sequence[KnownLine], *, learned: bool) -> None:
    """Insert lines; of several of one host and digest, the last one is kept."""
    rows = [(host_key(line.host), line.digest.hex(), learned, line.articles, line.total) for line in lines]
    database.executemany("INSERT OR REPLACE INTO lines VALUES (?, ?, ?, ?, ?)", rows)


def count_article(database: sqlite3.Connection, host: bytes) -> None:
    """Count an article of the host with this key."""
    database.execute(_COUNT_ARTICLE, (host,))


def counts_of_host(database: sqlite3.Connection, host: bytes) -> tuple[int, int]:
    """Return how many articles of a host were stored, and how many when it was judged last."""
    row = database.execute("SELECT articles, judged FROM hosts WHERE host = ?", (host,)).fetchone()
    return (0, 0) if row is None else (int(row[0]), int(row[1]))


def last_articles(database: sqlite3.Connection, host: bytes, most: int) -> list[CountedArticle]:
    """Return at most the last `most` articles of a host, in the order of their additions."""
    rows = database.execute(_LAST_ARTICLES, (host, most)).fetchall()
    return [CountedArticle(*row) for row in reversed(rows)]


def replace_learned(database: sqlite3.Connection, host: bytes, lines: Sequence[KnownLine], articles: int) -> None:
    """Replace the lines that were learnt from a host, which was judged when it had `articles` articles."""
    database.execute("DELETE FROM lines WHERE host = ? AND learned", (host,))
    insert_lines(database, lines, learned=True)
    database.execute("UPDATE hosts SET judged = ? WHERE host = ?", (articles, host))
