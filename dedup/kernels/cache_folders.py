"""The folders in which machine code and tables are cached between jobs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import platformdirs


def cache_folders() -> Iterator[Path]:
    """Yield the folders in which code and tables may be cached, best first.

    That is ``NUMBA_CACHE_DIR`` alone, or else a folder of this package and one of the user.
    """
    if folder := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(folder)
        return
    yield Path(__file__).parent / "__pycache__"
    yield platformdirs.user_cache_path("dedup")


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` to the file `path`, complete or not at all, whatever other processes do."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
