"""Put a finished folder in the place of another, so that neither a kill nor a power cut leaves a part of it.

Everything is written to the disk before the exchange, and the earlier folder is deleted after the exchange is on the
disk. Linux exchanges two folders in one step. Where a file system cannot, the earlier folder is first moved aside, and
`settle` finishes what was interrupted between the two steps.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
from pathlib import Path

from dedup.runtime.shared_files import sync

RESULT, REPLACED = "result", "replaced"  # in a run folder: the finished folder, and the earlier one that makes room

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # of renameat2(2)
_NO_EXCHANGE = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}  # an old kernel, or a file system that cannot


class FileOperations:
    """The operations that decide what a power cut leaves; tests record them."""

    def sync(self, path: Path) -> None:
        """Write the data of a file, or the names in a folder, to the disk."""
        sync(path)

    def rename(self, source: Path, target: Path) -> None:
        """Move a folder to a path that does not exist, or is an empty folder."""
        source.rename(target)

    def exchange(self, first: Path, second: Path) -> bool:
        """Exchange two folders in one step; return False where the system cannot."""
        try:
            renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
        except (AttributeError, OSError, TypeError):  # not Linux, or another C library
            return False
        if renameat2(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE) == 0:
            return True
        number = ctypes.get_errno()
        if number in _NO_EXCHANGE:
            return False
        raise OSError(number, os.strerror(number), str(second))

    def remove(self, folder: Path) -> None:
        """Delete a folder and what is in it."""
        shutil.rmtree(folder)


def put_in_place(folder: Path, out: Path, operations: FileOperations | None = None) -> None:
    """Move the result of the run folder `folder` to `out`, and delete what was there before. Raises `OSError`."""
    operations = operations or FileOperations()
    result = folder / RESULT
    for parent, _, names in os.walk(result, topdown=False):
        for name in names:
            operations.sync(Path(parent, name))
        operations.sync(Path(parent))
    operations.sync(folder)
    if not out.exists():
        operations.rename(result, out)
    elif not operations.exchange(result, out):
        operations.rename(out, folder / REPLACED)
        operations.rename(result, out)
    operations.sync(out.parent)
    operations.sync(folder)
    for earlier in (result, folder / REPLACED):
        if earlier.exists():
            operations.remove(earlier)


def settle(folder: Path, out: Path, operations: FileOperations | None = None) -> None:
    """Finish the replacement that a run has left in its run folder `folder`, if it was interrupted between two steps.

    Then `out` is missing and the earlier folder lies aside, so the result is complete. Raises `OSError`.
    """
    operations = operations or FileOperations()
    if out.exists() or not (folder / REPLACED).exists():
        return
    is_complete = (folder / RESULT).exists()
    operations.rename(folder / (RESULT if is_complete else REPLACED), out)
    operations.sync(out.parent)
