"""Read the members of zip and tar archives.

Those of a zip archive come sorted by name; a tar archive is read as it streams, in its own order.
"""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dedup.read.streams import DAMAGE, ByteStream, Expansion

_TAR_BLOCK = 512  # bytes


class Member(NamedTuple):
    """A file in an archive: its path there, and its content, None if it is no regular file."""

    name: str
    content: ByteStream | None


def zip_members(path: Path, most: int | None = None) -> Iterator[Member]:
    """Yield the members of the zip archive at `path`. Raises one of `DAMAGE` if its directory cannot be read.

    A member is damaged where all so far expand to more than `most` times the size of the archive (None: any).
    """
    expansion = Expansion(most, path.stat().st_size)
    with zipfile.ZipFile(path) as archive:
        for member in sorted(archive.infolist(), key=lambda member: member.filename):
            if not member.is_dir():
                content = _ZipMember(archive, member, expansion)
                yield Member(_safe_name(member.filename), ByteStream(content.read))
                content.close()


class _ZipMember:
    """A member that is opened when it is first read, because a damaged or encrypted one cannot be."""

    def __init__(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, expansion: Expansion) -> None:
        self.archive = archive
        self.member = member
        self.expansion = expansion
        self.file: Any = None

    def read(self, size: int) -> bytes:
        try:
            self.file = self.file or self.archive.open(self.member)
            data: bytes = self.file.read1(size)
        except (RuntimeError, NotImplementedError) as error:  # a password or a method of compression
            raise zipfile.BadZipFile(str(error)) from error
        self.expansion.add(len(data))
        return data

    def close(self) -> None:
        if self.file:
            self.file.close()


def tar_members(stream: ByteStream) -> Iterator[Member]:
    """Yield the members of a tar archive. Raises one of `DAMAGE` where it ends too soon or makes no sense.

    The content of a member must be read before the next one is asked for.
    """
    blocks = _TarBlocks(stream)
    with tarfile.open(fileobj=io.BufferedReader(blocks), mode="r|") as archive:
        for member in archive:
            if member.isdir():
                continue
            content = archive.extractfile(member) if member.isreg() else None
            yield Member(
                _safe_name(member.name), ByteStream(_TarMember(content, member.size).read) if content else None
            )
            archive.members = []  # type: ignore[attr-defined] # it would keep one entry per member
    blocks.check_end()


class _TarBlocks(io.RawIOBase):
    """The bytes of a tar archive, which consist of blocks and end in empty ones; tarfile does not insist on that."""

    def __init__(self, stream: ByteStream) -> None:
        self.stream = stream
        self.size = 0
        self.last = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = self.stream.readinto(buffer)
        self.size += size
        self.last = (self.last + bytes(buffer[:size]))[-_TAR_BLOCK:]
        return size

    def check_end(self) -> None:
        """Raise one of `DAMAGE` if the archive ends too soon."""
        buffer = bytearray(1 << 16)
        while self.readinto(buffer):
            pass
        if self.stream.damage:
            raise self.stream.damage
        if self.size % _TAR_BLOCK or any(self.last):
            raise EOFError("the archive ends without its end mark")


class _TarMember:
    """A member whose content must have the size that the archive says; tarfile returns less at a sudden end."""

    def __init__(self, file: Any, size: int) -> None:
        self.file = file
        self.missing = size

    def read(self, size: int) -> bytes:
        blocks: list[bytes] = []
        try:
            while len(blocks) * _TAR_BLOCK < size and (block := self.file.read1(_TAR_BLOCK)):
                blocks.append(block)  # of one call that meets the end of the archive, tarfile returns nothing
        except DAMAGE:
            if not blocks:
                raise
        data = b"".join(blocks)
        self.missing -= len(data)
        if not data and self.missing:
            raise EOFError("the archive ends inside this member")
        return data


def _safe_name(name: str) -> str:
    r"""Return the path of a member as text that leads nowhere else.

    >>> _safe_name("../a//b\\\\c.txt")
    'a/b/c.txt'
    """
    parts = [part for part in name.replace("\\", "/").split("/") if part not in {"", ".", ".."}]
    return os.fsencode("/".join(parts)).decode("utf-8", "backslashreplace").replace("\0", "")


def is_hidden(name: str) -> bool:
    """Return True if a member is hidden, or one of those that macOS adds to archives."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))
