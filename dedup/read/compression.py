"""Decompress files: the first bytes decide how, not the name.

A file may consist of several members, one behind the other, also of different kinds. What stands before damage is read.
"""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from collections.abc import Callable
from typing import Protocol

from dedup.read.streams import BLOCK_BYTES, DAMAGE, ByteStream, Expansion

_HEAD_BYTES = 18  # from the first bytes of a member to those that tell its kind
_BZIP2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")  # a block of data, or the end of an empty stream
_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18", re.DOTALL)  # a frame of Zstandard or LZ4 with other data
_PADDING = re.compile(rb"\0*")  # allowed behind the members of gzip and xz, as on tapes
# Compressed bytes that are decompressed at once: what a decompressor has made of them is lost if they are damaged.
# Measured in MB/s of text on one core with 512, 4096 and 2**20 bytes: gzip 161, 170, 234; Zstandard 595, 824, 317.
PIECE_BYTES = 512
_XZ_MEMORY = 256 << 20  # bytes that a dictionary may take; `xz -9` takes 65 MB


class _Decompressor(Protocol):
    """What decompresses one member, as those of the bz2 and lzma modules do."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes | None: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _GzipMember:
    """A decompressor of one member of a gzip file, with its checksum."""

    def __init__(self) -> None:
        self.member = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self.member.eof

    @property
    def needs_input(self) -> bool:
        return not self.member.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self.member.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self.member.decompress(self.member.unconsumed_tail + data, max_length)


class _SkippableFrame:
    """A decompressor of a frame that holds other data, such as an index: there is nothing in it to read."""

    def __init__(self) -> None:
        self.head = b""
        self.missing: int | None = None  # bytes of the frame behind its head
        self.unused_data = b""
        self.needs_input = True
        self.eof = False

    def decompress(self, data: bytes, max_length: int) -> bytes:  # noqa: ARG002 - of the protocol
        if self.missing is None:
            self.head += data
            if len(self.head) < 8:
                return b""
            self.missing, data = int.from_bytes(self.head[4:8], "little"), self.head[8:]
        self.unused_data = data[self.missing :]
        self.missing -= len(data) - len(self.unused_data)
        self.eof = self.missing == 0
        return b""


def _zstandard() -> _Decompressor:
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - Python 3.14
    except ImportError:
        from backports import zstd  # noqa: PLC0415 - rarely used
    decompressor: _Decompressor = zstd.ZstdDecompressor()
    return decompressor


def _lz4() -> _Decompressor:
    from lz4.frame import LZ4FrameDecompressor  # noqa: PLC0415 - rarely used

    decompressor: _Decompressor = LZ4FrameDecompressor()
    return decompressor


def _decompressor_of(head: bytes) -> Callable[[], _Decompressor] | None:
    """Return what makes a decompressor of the member that begins with `head`; None if none does."""
    if head.startswith(b"\x1f\x8b"):
        return _GzipMember
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return _zstandard
    if _BZIP2.match(head):
        return bz2.BZ2Decompressor
    if head.startswith(b"\xfd7zXZ\0"):
        return lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
    if head.startswith(b"\x04\x22\x4d\x18"):
        return _lz4
    return _SkippableFrame if _SKIPPABLE.match(head) else None


def decompressed(stream: ByteStream, most: int | None = None) -> ByteStream:
    """Return a stream of the decompressed bytes; `stream` itself if it is not compressed.

    It is damaged where it expands to more than `most` times its size (None: any).

    >>> import gzip, io
    >>> decompressed(ByteStream(io.BytesIO(gzip.compress(b"te") + gzip.compress(b"xt")).read)).read_all()
    b'text'
    """
    if not _decompressor_of(stream.peek(_HEAD_BYTES)):
        return stream
    return ByteStream(_MemberStream(stream, most).read, is_decompressed=True)


class _MemberStream:
    """The decompressed bytes of the members of a file, one after the other."""

    def __init__(self, stream: ByteStream, most: int | None) -> None:
        self.stream = stream
        self.expansion = Expansion(most)
        self.member: _Decompressor | None = None
        self.block = b""  # compressed bytes, used up to `at`
        self.at = 0
        self.damage: Exception | None = None

    def read(self, size: int) -> bytes:
        """Return some of the next bytes, at most `size`; none at the end. Raises one of `DAMAGE`."""
        texts: list[bytes] = []
        missing = size
        while missing and self.damage is None:
            try:
                if self.member is None and not self._start_member():
                    break
                texts.append(self._decompress(missing))
            except DAMAGE as error:
                self.damage = error
            else:
                missing -= len(texts[-1])
        if self.damage and missing == size:
            raise self.damage
        return b"".join(texts)

    def _decompress(self, size: int) -> bytes:
        """Return what the next piece of the current member expands to, at most `size` bytes; it may be nothing."""
        assert self.member
        data = self._take(PIECE_BYTES) if self.member.needs_input else b""
        if not data and self.member.needs_input:
            raise EOFError(f"the compressed data ends inside, at byte {self._place():,}")
        try:
            text = self.member.decompress(data, size)
        except MemoryError:
            raise
        except Exception as error:  # each decompressor has its own
            reason = str(error).strip().rstrip(".") or type(error).__name__
            raise EOFError(f"{reason}, before byte {self._place():,} of the compressed data") from error
        if self.member.eof:
            self.at -= len(self.member.unused_data or b"")
            self.member = None
        self.expansion.add(len(text))
        return text

    def _start_member(self) -> bool:
        """Begin the next member; return False at the end of the file. Raises `EOFError` if other data is there."""
        is_more = True
        while is_more:
            padding = _PADDING.match(self.block, self.at)
            assert padding
            self.at = padding.end()
            is_more = len(self.block) - self.at < _HEAD_BYTES and self._read_block()
        if self.at == len(self.block):
            return False
        make = _decompressor_of(self.block[self.at : self.at + _HEAD_BYTES])
        if make is None:
            raise EOFError(f"from byte {self._place():,} on it is not compressed")
        self.member = make()
        return True

    def _place(self) -> int:
        """Return the number of compressed bytes that were used."""
        return self.expansion.before - len(self.block) + self.at

    def _take(self, size: int) -> bytes:
        """Return some of the next compressed bytes, at most `size`; none at the end. Raises one of `DAMAGE`."""
        if self.at == len(self.block) and not self._read_block():
            return b""
        data = self.block[self.at : self.at + size]
        self.at += len(data)
        return data

    def _read_block(self) -> bool:
        """Read more of the file behind what was not used; return False at its end. Raises the damage of the stream."""
        data = self.stream.read1(BLOCK_BYTES)
        if not data and self.stream.damage:
            raise self.stream.damage
        self.block, self.at = self.block[self.at :] + data, 0
        self.expansion.before += len(data)
        return bool(data)
