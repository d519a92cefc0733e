"""The hidden folder beside an output in which a run works: owned by one live run, and cleared after a dead one.

Its name follows from that of the output, so that the next run on the output finds it. A run owns it while it holds a
lock on a file inside; the system unlocks that file when the process and its workers have ended, however they do. Only
working files of an interrupted run stay in it, until a run on the output uses or deletes them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dedup.errors import OutputError
from dedup.runtime.shared_files import name_owner, owner_of, try_lock
from dedup.write.replacement import settle

LOCK_FILE = "lock"  # in a run folder; holds number and machine of the process that owns it
WORK = "work"  # in a run folder: working files, which a run that is interrupted may leave


def run_folder(out: Path) -> Path:
    """Return the path of the run folder of the output `out`."""
    return out.with_name(f".{out.name}.dedup")


@contextmanager
def writable(out: Path) -> Iterator[None]:
    """Raise `OutputError` where the block cannot write the output `out` or its run folder."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{out}: {error.strerror or error}; choose a folder you can write to") from error


@contextmanager
def owned_run_folder(out: Path, *, resume: bool = False) -> Iterator[Path]:
    """Yield the run folder of `out`, owned by this process and empty but for its lock; delete it in the end.

    What a dead run has left in it is finished or deleted; with `resume` its working files stay. In the end the folder
    stays only if there are working files in it. Raises `OutputError` if a live run owns it, or if it cannot be written.
    """
    folder = run_folder(out)
    with writable(out):
        descriptor = _own(folder, out)
    try:
        with writable(out):
            _clear(folder, out, keep_work=resume)
        yield folder
    finally:
        try:
            with writable(out):
                _clear(folder, out, keep_work=True)
                (folder / LOCK_FILE).unlink(missing_ok=True)
            with suppress(OSError):  # the next run has put its lock there
                folder.rmdir()
        finally:
            os.close(descriptor)


def _own(folder: Path, out: Path) -> int:
    """Create `folder` and lock it; return the descriptor of the locked file."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:  # its owner has ended just now
            continue
        if not try_lock(descriptor):
            owner = owner_of(descriptor)
            os.close(descriptor)
            raise OutputError(f"{out}: is being written by {owner}; wait for that run, or name another folder")
        if os.fstat(descriptor).st_nlink:
            name_owner(descriptor)
            return descriptor
        os.close(descriptor)  # the file was deleted by its owner before it was locked here


def _clear(folder: Path, out: Path, *, keep_work: bool) -> None:
    """Finish the replacement of `out` if it was interrupted; delete what is in `folder` but its lock and working files.

    Without `keep_work` the working files are deleted, too.
    """
    settle(folder, out)
    for entry in folder.iterdir():
        if keep_work and entry.name == WORK and entry.is_dir() and not entry.is_symlink():
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.name != LOCK_FILE:
            entry.unlink()
