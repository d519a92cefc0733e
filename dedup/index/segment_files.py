"""The Parquet files of a segment: written with checksums of all pages, and read only where these are right.

A page has its checksum in its header. The footer, which says where pages are and which hashes a row group holds, has a
digest in the manifest, as has the whole file. So what is read is what was written, although most is never read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dedup.errors import IndexFolderError
from dedup.write.seal import file_digests

WRITE_OPTIONS: dict[str, Any] = {"compression": "zstd", "write_page_checksum": True}

_TRAILER_BYTES = 8  # bytes at the end of a Parquet file: the length of the footer before them, and a name of the format


def file_entry(path: Path) -> dict[str, Any]:
    """Return what the manifest has of a file: its size, its SHA-256, and that of its footer."""
    with pa.OSFile(str(path)) as source:
        return {**file_digests(path.parent, [path.name])[path.name], "footer": _footer_digest(source)}


def _footer_digest(source: pa.NativeFile) -> str:
    """Return the SHA-256 of the footer of a Parquet file; a file without one ends where that would begin."""
    size = source.size()
    length = int.from_bytes(source.read_at(4, max(0, size - _TRAILER_BYTES)), "little") + _TRAILER_BYTES
    return sha256(source.read_at(length, size - length) if length <= size else b"").hexdigest()


class SegmentFile:
    """An open Parquet file of a segment, which can be read also when it has been deleted meanwhile.

    `entry` is what the manifest has of the file. Raises `IndexFolderError` if the file is missing or damaged.
    """

    def __init__(self, path: Path, entry: dict[str, Any]) -> None:
        self.path = path
        self._entry = entry
        with self._errors():
            self._source = pa.OSFile(str(path))

    def open(self) -> pq.ParquetFile:
        """Return the file, whose footer is as it was written."""
        with self._errors():
            if self._source.size() != self._entry["bytes"] or _footer_digest(self._source) != self._entry["footer"]:
                raise OSError("has changed since it was written")
            return pq.ParquetFile(self._source, page_checksum_verification=True)

    def read_group(self, file: pq.ParquetFile, group: int, columns: list[str] | None = None) -> pa.Table:
        """Return a row group of what `open` has returned, or some columns of it."""
        with self._errors():
            return file.read_row_group(group, columns=columns)

    def read(self) -> pa.Table:
        """Return the whole table."""
        file = self.open()
        with self._errors():
            return file.read()

    def is_as_written(self) -> bool:
        """Return True if the file has the digest that the manifest names."""
        digest = sha256()
        with self._errors():
            for start in range(0, self._source.size(), 1 << 20):
                digest.update(self._source.read_at(1 << 20, start))
        expected: str = self._entry["sha256"]
        return digest.hexdigest() == expected

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Raise `IndexFolderError` for an error of reading the file."""
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            problem = " ".join(str(error).split()).rstrip(".")
            raise IndexFolderError(
                f"{self.path}: cannot be read ({problem}); restore it, or build the index again"
            ) from None
