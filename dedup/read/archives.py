"""Read the members of zip and tar archives.

Those of a zip archive come sorted by name; a tar archive is read as it streams, in its own order. So is a zip archive
whose list of members is damaged.
"""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from tarfile import InvalidHeaderError  # type: ignore[attr-defined]
from typing import Any, BinaryIO, NamedTuple

from dedup.read.compression import PIECE_BYTES
from dedup.read.streams import DAMAGE, ByteStream, Expansion, UnreadableError
from dedup.read.zip_headers import ZipEntry, find_zip_members, member_at

_TAR_BLOCK = 512  # bytes
_ENCRYPTED = 1  # a flag of members of zip archives


class Member(NamedTuple):
    """A file in an archive: its path there, and its content, None if it is no regular file."""

    name: str
    content: ByteStream | None


def zip_members(path: Path, most: int | None = None) -> Iterator[Member]:
    """Yield the members of the zip archive at `path`.

    If its list of members is damaged or cut off, the members come in their order in the archive, and after the last one
    an exception of `DAMAGE` is raised. A member counts as damaged from the byte at which all members so far expand to
    more than `most` times the size of the archive (None: any).
    """
    size = path.stat().st_size
    expansion = Expansion(most, size)
    with path.open("rb") as file:
        listed = _listed_members(file)
        count = end = 0
        for member in find_zip_members(file, size) if listed is None else listed:
            count, end = count + 1, min(size, (member.start or 0) + member.info.compress_size)
            if not member.info.is_dir():
                content = _ZipMember(file, member, expansion)
                yield Member(_safe_name(member.info.filename), ByteStream(content.read))
        if listed is None:
            raise zipfile.BadZipFile(
                "the list of members at the end of the archive is damaged or cut off; "
                f"members found by the headers before them: {count:,}, up to byte {end:,}"
            )


def _listed_members(file: BinaryIO) -> list[ZipEntry] | None:
    """Return the members in the list of a zip archive, sorted by name; None if the list cannot be read."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = sorted(archive.infolist(), key=lambda member: member.filename)
    except (*DAMAGE, NotImplementedError, ValueError, OverflowError, struct.error):
        return None
    return [ZipEntry(member, None) for member in members]


class _ZipMember:
    """The content of a member, read as far as it is whole. Errors say at which byte of the archive they are."""

    def __init__(self, file: BinaryIO, member: ZipEntry, expansion: Expansion) -> None:
        self.file = file
        self.member = member
        self.expansion = expansion
        self.read_some: Callable[[int], bytes] | None = None
        self.damage: Exception | None = None

    def read(self, size: int) -> bytes:
        """Return some of the next bytes, at most `size`; none at the end. Raises one of `DAMAGE`."""
        pieces: list[bytes] = []
        missing = size
        while missing and self.damage is None:
            try:
                self.read_some = self.read_some or self._open()
                piece = self.read_some(missing)
                self.expansion.add(len(piece))
            except (*DAMAGE, RuntimeError, ValueError) as error:
                self.damage = error if isinstance(error, UnreadableError) else self._with_place(error)
            else:
                pieces.append(piece)
                missing -= len(piece)
                if not piece:
                    break
        if self.damage and missing == size:
            raise self.damage
        return b"".join(pieces)

    def _open(self) -> Callable[[int], bytes]:
        """Return a function that reads at most as many of the next bytes of the member as it is given."""
        info, start = self.member
        if info.flag_bits & _ENCRYPTED:
            raise UnreadableError("it is encrypted; unpack it with its password, and give the files")
        if start is None:
            self.file.seek(info.header_offset)
            header = member_at(self.file, info.header_offset)
            if header is None or header.start is None:
                raise zipfile.BadZipFile("the list of members names a byte at which no member begins")
            start = header.start
        self.file.seek(start)
        if info.compress_type in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            return _Inflated(self.file, info).read
        try:
            content = zipfile.ZipExtFile(self.file, "r", info)
        except (NotImplementedError, RuntimeError):
            method = info.compress_type
            raise UnreadableError(f"it is compressed by method {method}; unpack it, and give the files") from None
        return lambda size: content.read1(min(size, PIECE_BYTES))

    def _with_place(self, error: Exception) -> Exception:
        """Return the damage that `error` is about, with the byte up to which the archive was read."""
        reason = str(error).strip().rstrip(".") or "the archive ends inside this member"
        return zipfile.BadZipFile(f"{reason}, at byte {self.file.tell():,} of the archive")


class _Inflated:
    """The content of a stored or deflated member that begins where `file` is.

    zipfile would lose the bytes before damage.
    """

    def __init__(self, file: BinaryIO, info: zipfile.ZipInfo) -> None:
        self.file = file
        self.missing = info.compress_size
        self.checksum = getattr(info, "CRC", None)
        self.inflater = zlib.decompressobj(-zlib.MAX_WBITS) if info.compress_type == zipfile.ZIP_DEFLATED else None
        self.read_checksum = 0  # of the bytes that were read

    def read(self, size: int) -> bytes:
        """Return some of the next bytes, at most `size`; none at the end. Raises one of `DAMAGE`."""
        text = b""
        while not text and not (self.inflater.eof if self.inflater else self.missing == 0):
            text = self._read_piece(size)
        self.read_checksum = zlib.crc32(text, self.read_checksum)
        if not text and self.checksum not in {None, self.read_checksum}:
            raise zipfile.BadZipFile("the checksum of this member does not match")
        return text

    def _read_piece(self, size: int) -> bytes:
        if self.inflater is None:
            return self._take(size)
        return self.inflater.decompress(self.inflater.unconsumed_tail or self._take(PIECE_BYTES), size)

    def _take(self, size: int) -> bytes:
        data = self.file.read(min(size, self.missing))
        self.missing -= len(data)
        if not data:
            raise EOFError("the compressed data of this member is incomplete" if self.missing == 0 else "")
        return data


def tar_members(stream: ByteStream) -> Iterator[Member]:
    """Yield the members of a tar archive. Raises one of `DAMAGE` where it ends too soon or makes no sense.

    The content of a member must be read before the next one is asked for.
    """
    blocks = _TarBlocks(stream)
    try:
        with _TarArchive.open(fileobj=io.BufferedReader(blocks), mode="r|") as archive:
            for member in archive:
                if member.isdir():
                    continue
                content = archive.extractfile(member) if member.isreg() else None
                yield Member(
                    _safe_name(member.name),
                    ByteStream(_TarMember(content, member.size, blocks).read) if content else None,
                )
                archive.members = []  # type: ignore[attr-defined] # it would keep one entry per member
    except tarfile.ReadError as error:
        raise blocks.end_error(str(error)) from error
    if archive.damaged_header is not None:
        raise tarfile.ReadError(f"the header of a member is damaged, at {stream.unit} {archive.damaged_header:,}")
    blocks.check_end()


class _TarHeader(tarfile.TarInfo):
    """A header of a member. Damaged ones are skipped; tarfile itself would end there without an error."""

    @classmethod
    def fromtarfile(cls, tarfile: Any) -> Any:
        """Return the next header that is whole."""
        while True:
            place = tarfile.fileobj.tell()
            try:
                return super().fromtarfile(tarfile)
            except InvalidHeaderError:
                tarfile.damaged_header = place if tarfile.damaged_header is None else tarfile.damaged_header


class _TarArchive(tarfile.TarFile):
    """A tar archive, and the byte of its first damaged header."""

    tarinfo = _TarHeader
    damaged_header: int | None = None


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
            raise self.end_error("the archive ends without its end mark")

    def end_error(self, problem: str) -> Exception:
        """Return the damage of an archive that ends here: that of its stream, or `problem` with the place."""
        return self.stream.damage or EOFError(f"{problem}, at {self.stream.unit} {self.size:,}")


class _TarMember:
    """A member whose content must have the size that the archive says; tarfile returns less at a sudden end."""

    def __init__(self, file: Any, size: int, archive: _TarBlocks) -> None:
        self.file = file
        self.missing = size
        self.archive = archive

    def read(self, size: int) -> bytes:
        blocks: list[bytes] = []
        try:
            while len(blocks) * _TAR_BLOCK < size and (block := self.file.read1(_TAR_BLOCK)):
                blocks.append(block)  # of one call that meets the end of the archive, tarfile returns nothing
        except DAMAGE as error:
            if not blocks:
                raise self.archive.end_error("the archive ends inside this member") from error
        data = b"".join(blocks)
        self.missing -= len(data)
        if not data and self.missing:
            raise self.archive.end_error("the archive ends inside this member")
        return data


def _safe_name(name: str) -> str:
    r"""Return the path of a member as text that leads nowhere else.

    >>> _safe_name("../a//b\\\\c.txt")
    'a/b/c.txt'
    """
    parts = [part for part in name.replace("\\", "/").split("/") if part not in {"", ".", ".."}]
    encoded = "/".join(parts).encode("utf-8", "surrogateescape")  # in any locale
    return encoded.decode("utf-8", "backslashreplace").replace("\0", "")


def is_hidden(name: str) -> bool:
    """Return True if a member is hidden, or one of those that macOS adds to archives."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))
