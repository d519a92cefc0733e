"""Streams of bytes that are read once, forward, and can be looked into before they are read."""

from __future__ import annotations

import hashlib
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO

import pyarrow as pa

BLOCK_BYTES = 1 << 20  # read at once

_BOMB_BYTES = 1 << 30  # that data may expand to in any case: a few seconds, and memory does not grow with them

# What decompressors, archives and file systems raise where data is damaged.
DAMAGE = (
    EOFError,
    OSError,
    zlib.error,
    lzma.LZMAError,
    tarfile.TarError,
    zipfile.BadZipFile,
    pa.ArrowException,
)


class ByteStream(io.RawIOBase):
    """A stream over a function that returns the next bytes, none at the end.

    Where the function raises one of `DAMAGE`, the stream ends, and `damage` holds the exception.
    """

    def __init__(self, read: Callable[[int], bytes], *, is_decompressed: bool = False) -> None:
        self._read = read
        self._ahead = b""
        self.unit = "decompressed byte" if is_decompressed else "byte"  # of places in it
        self.damage: Exception | None = None

    def readable(self) -> bool:
        """Return True."""
        return True

    def peek(self, size: int) -> bytes:
        """Return the next `size` bytes without consuming them; fewer only at the end."""
        blocks = [self._ahead]
        available = len(self._ahead)
        while available < size and (block := self._next(size - available)):
            blocks.append(block)
            available += len(block)
        self._ahead = b"".join(blocks)
        return self._ahead[:size]

    def read1(self, size: int = BLOCK_BYTES) -> bytes:
        """Return some of the next bytes, at most `size`; none at the end."""
        if self._ahead:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            return data
        return self._next(size)

    def readinto(self, buffer: Any) -> int:
        """Read some of the next bytes into `buffer`, and return how many."""
        data = self.read1(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read_all(self, most: int | None = None) -> bytes:
        """Return all bytes up to the end; if they are more than `most`, some of them, but more than `most`."""
        blocks, size = [], 0
        while (most is None or size <= most) and (block := self.read1(BLOCK_BYTES)):
            blocks.append(block)
            size += len(block)
        return b"".join(blocks)

    def _next(self, size: int) -> bytes:
        if self.damage:
            return b""
        try:
            return self._read(size)
        except DAMAGE as error:
            self.damage = error
            return b""


class Expansion:
    """How much data grows when it is decompressed: to at most `most` times its size (None: to any).

    `before` and `after` count bytes.
    """

    def __init__(self, most: int | None, before: int = 0) -> None:
        self.most = most
        self.before = before
        self.after = 0

    def add(self, size: int) -> None:
        """Count `size` decompressed bytes. Raises `ExpansionError` if there are too many."""
        self.after += size
        if self.most is not None and self.after > max(_BOMB_BYTES, self.most * self.before):
            raise ExpansionError(
                f"it expands to more than {self.most:,} times its size, as a decompression bomb does; if it is none, "
                "raise `max_expansion`"
            )


class UnreadableError(OSError):
    """Data that is not read although it may be undamaged; the message says what to do."""


class ExpansionError(UnreadableError):
    """Compressed data that grows too much."""


class HashedFile:
    """A binary file that is counted and hashed as it is read; `on_read` is called with the size of each block."""

    def __init__(self, file: BinaryIO | ByteStream, on_read: Callable[[int], None]) -> None:
        self._file = file
        self._read: Callable[[int], bytes] = getattr(file, "read1", file.read)
        self._on_read = on_read
        self.size = 0
        self.hash = hashlib.sha256()

    def read(self, size: int) -> bytes:
        """Return some of the next bytes, at most `size`; none at the end. Raises one of `DAMAGE`."""
        data = self._read(size)
        if not data and isinstance(self._file, ByteStream) and self._file.damage:
            raise self._file.damage
        self.size += len(data)
        self.hash.update(data)
        self._on_read(len(data))
        return data

    def drain(self) -> None:
        """Read to the end, so that size and hash are those of the whole file."""
        with suppress(*DAMAGE):  # a record has the error already
            while self.read(BLOCK_BYTES):
                pass


def damage_error(error: Exception) -> str:
    """Return the quarantine error of a record at which a damaged file ends."""
    advice = "" if isinstance(error, UnreadableError) else "; fetch it again"
    return f"the file cannot be read on from here ({str(error).strip().rstrip('.')}){advice}"
