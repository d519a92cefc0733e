"""Decompress files: the first bytes decide how, not the name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from dedup.read.streams import BLOCK_BYTES, ByteStream

_ARROW_BYTES = 1 << 16  # read at once through Arrow, which loses what it read of a damaged block
_MAGIC_BYTES = 14


def _read_with(open_stream: Callable[[Any], Any]) -> Callable[[ByteStream], Callable[[int], bytes]]:
    """Return a maker of read functions from one of files that decompress."""

    def reader_of(stream: ByteStream) -> Callable[[int], bytes]:
        file = open_stream(io.BufferedReader(_Undamaged(stream), BLOCK_BYTES))

        def read(size: int) -> bytes:
            data: bytes = file.read1(size)  # unlike read, it returns what comes before damage
            return data

        return read

    return reader_of


def _read_with_arrow(codec: str) -> Callable[[ByteStream], Callable[[int], bytes]]:
    """Return a maker of read functions from the name of a codec of Arrow."""

    def reader_of(stream: ByteStream) -> Callable[[int], bytes]:
        file = io.BufferedReader(_Undamaged(stream), BLOCK_BYTES)
        decompressed = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), codec)

        def read(size: int) -> bytes:
            data: bytes = decompressed.read(min(size, _ARROW_BYTES))
            return data

        return read

    return reader_of


_READERS = (  # first bytes, maker of a read function
    (b"\x1f\x8b", _read_with(lambda file: gzip.GzipFile(fileobj=file))),
    (b"\x28\xb5\x2f\xfd", _read_with_arrow("zstd")),
    (b"BZh", _read_with(bz2.BZ2File)),
    (b"\xfd7zXZ\0", _read_with(lzma.LZMAFile)),
    (b"\x04\x22\x4d\x18", _read_with_arrow("lz4")),
)
_BZIP2_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")  # of data, and of the end of an empty stream


def decompressed(stream: ByteStream) -> ByteStream:
    """Return a stream of the decompressed bytes; `stream` itself if it is not compressed.

    >>> decompressed(ByteStream(io.BytesIO(gzip.compress(b"text")).read)).read_all()
    b'text'
    """
    head = stream.peek(_MAGIC_BYTES)
    for magic, reader_of in _READERS:
        if head.startswith(magic) and (magic != b"BZh" or head[4:10] in _BZIP2_BLOCKS):
            return ByteStream(reader_of(stream))
    return stream


class _Undamaged(io.RawIOBase):
    """A raw file over a stream that raises the damage at its end."""

    def __init__(self, stream: ByteStream) -> None:
        self.stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = self.stream.readinto(buffer)
        if not size and self.stream.damage:
            raise self.stream.damage
        return size
