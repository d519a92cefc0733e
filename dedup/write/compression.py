"""Open a file for writing, compressed as the settings say."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

_GZIP_LEVEL = 6


@contextmanager
def open_compressed(path: Path, compress: str) -> Iterator[BinaryIO]:
    """Open `path` for writing; `compress` is none, gz or zst.

    Equal content gives equal files: the header of a gzip file gets no time and no name.
    """
    with path.open("wb") as file:
        if compress == "gz":
            with gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as packed:
                yield packed  # type: ignore[misc]
        elif compress == "zst":
            with pa.CompressedOutputStream(pa.PythonFile(file, mode="w"), "zstd") as packed:
                yield packed
        else:
            yield file
