"""The prepared batches that an interrupted run has left, and which of them the next run can use.

A batch is a pure function of its records, the settings and the program. So a file is used if all three are the same,
whatever has happened to the input meanwhile, and whichever run has made it. The records are read again and compared by
their hash: that takes a small part of the time that preparing them does.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from dedup.errors import WorkFileError
from dedup.prepare.store import BatchOrigin, batch_number, is_as_prepared, read_origin

DAMAGED, OTHER_SETTINGS, OTHER_PROGRAM = "damaged", "of other settings", "of another version"


class StoredBatch(NamedTuple):
    """The file of a prepared batch, and what it was made from."""

    path: Path
    origin: BatchOrigin


class EarlierBatches:
    """The usable batches of an interrupted run, by number; `refused` counts the others by reason, `used` those used."""

    def __init__(self) -> None:
        self.by_number: dict[int, list[StoredBatch]] = {}
        self.refused: Counter[str] = Counter()
        self.used = 0

    def read_folder(self, folder: Path, settings: str, version: str) -> None:
        """Read the usable batches in the working folder `folder`; delete all other files there.

        A batch is usable if its file is undamaged and was made with these `settings` (a digest) by this `version` of
        the program. Whether its records are the same is seen when they are read.
        """
        for path in sorted(folder.iterdir()):
            if path.is_symlink() or not path.is_file() or not is_as_prepared(path):
                _delete(path)
                continue
            origin = _origin_of(path)
            reason = _reason_against(origin, settings, version)
            if origin is None or reason:
                self.refused[reason] += 1
                _delete(path)
            else:
                self.by_number.setdefault(batch_number(path), []).append(StoredBatch(path, origin))

    def __len__(self) -> int:
        return len(self.by_number)

    def batch_bytes(self) -> list[int]:
        """Return the bytes at which a reader must end each batch, up to the last of these, to get the same records.

        A batch that is missing was as large as the next one.
        """
        sizes: list[int] = []
        for number in sorted(self.by_number):
            size = self.by_number[number][0].origin.batch_bytes
            sizes += [size] * (number + 1 - len(sizes))
        return sizes

    def candidates(self, number: int) -> Sequence[StoredBatch]:
        """Return the files that may be batch `number`."""
        return self.by_number.get(number, ())

    def count(self, number: int, path: Path) -> None:
        """Count batch `number`, whose file is `path` now."""
        self.used += any(stored.path == path for stored in self.by_number.get(number, ()))

    def opening_line(self) -> str:
        """Return what to say before the batches are read."""
        parts = [f"{count:,} {reason}" for reason, count in sorted(self.refused.items())]
        again = f"; made again: {', '.join(parts)}" if parts else ""
        if not self.by_number and not again:
            return "resume: no interrupted run has left batches for this output; starting from the beginning"
        return f"resume: {len(self):,} prepared batches of the interrupted run are there{again}"

    def closing_line(self) -> str | None:
        """Return what to say when all batches are read: None if all of these were used."""
        if self.used == len(self):
            return None
        return (
            f"resume: {len(self) - self.used:,} of {len(self):,} batches were not used, "
            "since the input has changed meanwhile"
        )


def usable_batch(origin: BatchOrigin, candidates: Sequence[StoredBatch]) -> Path | None:
    """Return the file of `candidates` that was made from the records of `origin`; delete the others."""
    usable = None
    for stored in candidates:
        if usable is None and stored.origin.sha256 == origin.sha256:
            usable = stored.path
        else:
            stored.path.unlink(missing_ok=True)
    return usable


def _origin_of(path: Path) -> BatchOrigin | None:
    """Return the origin of the batch stored at `path`, None if the file is damaged or no batch."""
    with suppress(WorkFileError, OSError, ValueError, pa.ArrowException):
        return read_origin(path)
    return None


def _reason_against(origin: BatchOrigin | None, settings: str, version: str) -> str:
    """Return why a batch of `origin` cannot be used, empty if it can."""
    if origin is None or not origin.sha256:
        return DAMAGED
    if origin.version != version:
        return OTHER_PROGRAM
    return OTHER_SETTINGS if origin.settings != settings else ""


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
