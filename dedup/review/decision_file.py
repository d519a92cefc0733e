"""Keep decisions in a file of JSON lines that only grows, so that programs and windows lose none of each other's.

Whoever adds a row holds a lock on the file. A file that is replaced together with its folder is locked until the copy
is in place, and a row that waited for the lock goes into the copy.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from dedup.errors import InputError
from dedup.read.fields import from_json, to_json_bytes
from dedup.review.decisions import Decision, decision_of
from dedup.runtime.shared_files import wait_for_lock


class StoredDecisions(NamedTuple):
    """The rows of a review file. Their number tells whether it has grown since."""

    rows: list[Decision]

    @property
    def version(self) -> int:
        """The number of rows."""
        return len(self.rows)


def read_decisions(path: Path, *, missing_is_empty: bool = False) -> StoredDecisions:
    """Return the decisions in the file at `path`, in their order.

    Raises `InputError` if it cannot be read, with the number of the line that is no decision; and if there is no such
    file, unless `missing_is_empty`.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        if missing_is_empty:
            return StoredDecisions([])
        raise InputError(f"{path}: there is no such file; review an output first, or name another `review`") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; name another file with `review`") from None
    return StoredDecisions(_parse_rows(data, path))


def append_decisions(
    path: Path, make: Callable[[StoredDecisions], Sequence[Decision]]
) -> tuple[StoredDecisions, Sequence[Decision]]:
    """Add rows to the end of the file at `path`, which need not exist, and return its rows and the new ones.

    `make` is called with the rows that are there while nobody else can add any, and returns the new ones. Raises
    `InputError` as `read_decisions` does.
    """
    with locked_decisions(path) as file:
        file.seek(0)
        data = file.read()
        known = StoredDecisions(_parse_rows(data, path))
        new = make(known)
        lines = b"".join(to_json_bytes(msgspec.to_builtins(row)) + b"\n" for row in new)
        if data and not data.endswith(b"\n"):  # an editor has removed the last line end
            lines = b"\n" + lines
        if new:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
        return StoredDecisions([*known.rows, *new]), new


@contextmanager
def locked_decisions(path: Path) -> Iterator[BinaryIO]:
    """Yield the file at `path`, open for reading and appending, while nobody else can add to it.

    It is made if it does not exist. Raises `InputError` if it cannot be opened.
    """
    while True:
        try:
            file = path.open("a+b")
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or error}; decisions cannot be kept there") from None
        with file:
            wait_for_lock(file.fileno())
            if _is_at(file, path):
                yield file
                return


def _is_at(file: BinaryIO, path: Path) -> bool:
    """Return True if `path` still leads to the open file: it has not been replaced while this waited for the lock."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    return False


def _parse_rows(data: bytes, path: Path) -> list[Decision]:
    rows = []
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip():
            where = f"{path}:{number}"
            try:
                values = from_json(line)
            except ValueError as error:
                raise InputError(f"{where}: not JSON ({error}); remove the line, or give another file") from None
            rows.append(decision_of(values, where))
    return rows
