"""A log of file operations, and what a power cut in the midst of them may leave on the disk.

The model is that of a file system with a journal: names change in order, and those since the last sync of their folder
may be lost, from any point on. The content of a file that was not synced is lost.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from dedup.write.replacement import FileOperations


class RecordedOperations(FileOperations):
    """File operations that are done and noted; `can_exchange` tells whether the file system can exchange folders."""

    def __init__(self, *, can_exchange: bool) -> None:
        self.can_exchange = can_exchange
        self.log: list[tuple[str, ...]] = []

    def sync(self, path: Path) -> None:
        super().sync(path)
        self.log.append(("sync", str(path)))

    def rename(self, source: Path, target: Path) -> None:
        super().rename(source, target)
        self.log.append(("rename", str(source), str(target)))

    def exchange(self, first: Path, second: Path) -> bool:
        done = self.can_exchange and super().exchange(first, second)
        if done:
            self.log.append(("exchange", str(first), str(second)))
        return done

    def remove(self, folder: Path) -> None:
        for name in sorted(path.name for path in folder.iterdir()):
            self.log.append(("unlink", str(folder / name)))
        super().remove(folder)
        self.log.append(("rmdir", str(folder)))


def after_power_cuts(log: list[tuple[str, ...]], start: Path, root: Path, scratch: Path) -> Iterator[tuple[int, Path]]:
    """Yield what may be on the disk after a power cut behind each operation of `log`.

    `start` is a copy of the folder `root` before the first operation, in which no content is synced but that of the
    folder `root / "out"`. Each state is a folder that stands for `root`, with the number of operations before the cut.
    """
    for stop in range(len(log) + 1):
        done = log[:stop]
        synced = [number for number, entry in enumerate(done) if entry[0] == "sync"]
        certain = max((number for number in synced if done[number][1] == str(root)), default=0)
        for last in range(certain, stop + 1):
            state = scratch / f"{stop}-{last}"
            shutil.copytree(start, state)
            _lose_unsynced(state, root, {done[number][1] for number in synced})
            for entry in done[:last]:
                _replay(entry, state, root)
            yield stop, state


def _lose_unsynced(state: Path, root: Path, synced: set[str]) -> None:
    """Empty the files that are not synced, and remove those whose folder is not."""
    for parent, _, names in os.walk(state):
        place = root / Path(parent).relative_to(state)
        if place.is_relative_to(root / "out"):
            continue
        for name in names:
            if str(place) not in synced:
                Path(parent, name).unlink()
            elif str(place / name) not in synced:
                Path(parent, name).write_bytes(b"")


def _replay(entry: tuple[str, ...], state: Path, root: Path) -> None:
    kind, *paths = entry
    first, *others = (state / Path(path).relative_to(root) for path in paths)
    if kind == "rename":
        first.rename(others[0])
    elif kind == "exchange":
        aside = first.with_name("aside")
        first.rename(aside)
        others[0].rename(first)
        aside.rename(others[0])
    elif kind == "unlink":
        first.unlink(missing_ok=True)
    elif kind == "rmdir":
        shutil.rmtree(first)
