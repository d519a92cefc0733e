"""Locks on files that several programs use, and writing them to the disk for good."""

from __future__ import annotations

import errno
import os
import platform
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

_NO_SYNC = {errno.EINVAL, errno.ENOTSUP}  # file systems that sync no folders


def sync(path: Path) -> None:
    """Write the data of a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)


def try_lock(descriptor: int) -> bool:
    """Lock an open file; return False if another run holds the lock. Closing the file ends the lock."""
    with suppress(ImportError):  # not Unix
        import fcntl  # noqa: PLC0415

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks
            return True
    return True


def wait_for_lock(descriptor: int) -> None:
    """Wait until nobody else holds the lock on an open file, and take it."""
    with suppress(ImportError):  # not Unix
        import fcntl  # noqa: PLC0415

        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)


def name_owner(descriptor: int) -> None:
    """Write into a locked file that this process holds the lock."""
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, f"process {os.getpid()} on {platform.node()}".encode(), 0)


def owner_of(descriptor: int) -> str:
    """Return who holds the lock on an open file, and since when."""
    who = os.pread(descriptor, 1000, 0).decode("utf-8", "replace") or "another run"
    since = datetime.fromtimestamp(os.fstat(descriptor).st_mtime, UTC).astimezone()
    return f"{who} since {since:%Y-%m-%d %H:%M:%S}"
