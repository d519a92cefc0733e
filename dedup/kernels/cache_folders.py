"""The folders in which machine code and tables are cached between jobs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import platformdirs


def cache_folders() -> Iterator[Path]:
    """Yield the folders in which code and tables may be cached, best first.

    That is ``NUMBA_CACHE_DIR`` alone if it can be written. Else it is a folder of this package, which may be readable
    only, and one of the user, if there is a home.
    """
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen and _can_be_written(Path(chosen)):
        yield Path(chosen)
        return
    yield Path(__file__).parent / "__pycache__"
    of_user = platformdirs.user_cache_path("dedup")
    if not chosen and of_user.is_absolute():  # a user without a home has ~ in place of it
        yield of_user


def _can_be_written(folder: Path) -> bool:
    """Return True if `folder` can be written, or made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` to the file `path`, complete or not at all, whatever other processes do."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
