"""The log of a store in a folder: copy its pages into the database, and empty it of removed texts."""

from __future__ import annotations

import sqlite3
from contextlib import suppress

WAIT_SECONDS = 60  # for another writer
EMPTYING_SECONDS = 0.1  # to wait for other connections before the log is emptied; additions wait meanwhile
_LOG_PAGES = 128 << 10  # of the log; above this, additions wait once until the log can start again


def copy_log(database: sqlite3.Connection) -> None:
    """Copy pages from the log into the database."""
    _, pages, _ = database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    if pages > _LOG_PAGES:
        database.execute("PRAGMA wal_checkpoint(RESTART)")


def empty_log(database: sqlite3.Connection) -> bool:
    """Copy the whole log into the database and empty it; return False if other connections use it, or on an error."""
    with suppress(sqlite3.Error):
        database.execute(f"PRAGMA busy_timeout = {round(1000 * EMPTYING_SECONDS)}")
        try:
            is_busy, _, _ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            database.execute(f"PRAGMA busy_timeout = {1000 * WAIT_SECONDS}")
        return not is_busy
    return False
