"""Find the members of a zip archive by the headers before them, where its list of members is damaged or cut off.

That list, the central directory, is the end of the archive. A header before each member repeats name, method of
compression and, mostly, size. A member whose size was not known when its header was written is followed by a
descriptor with its size. APPNOTE.TXT of PKWARE, 4.3.7 and 4.3.9, has both layouts.
"""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

_HEADER = struct.Struct("<4s5H3I2H")
_MEMBER_START = b"PK\x03\x04"
_LIST_START = b"PK\x01\x02"
_HEADER_STARTS = re.compile(rb"PK(?:\x03\x04|\x01\x02|\x07\x08)")
_DESCRIPTOR = b"PK\x07\x08"
_SEARCHED_BYTES = 1 << 16  # at once
_SIZE_FOLLOWS, _IS_UTF8 = 8, 0x800  # flags
_LARGE = 0xFFFFFFFF  # a size of 32 bits that says that the extra field has the size
_VERSIONS = 63  # of the format that a header may need: 6.3 is the last
_ENDLESS = 1 << 62  # bytes of a member that ends with the archive


class ZipEntry(NamedTuple):
    """A member of a zip archive: what its header says, and the byte at which its content begins, None if unknown.

    The sizes of a member inside which the archive ends are larger than any file.
    """

    info: zipfile.ZipInfo
    start: int | None


def find_zip_members(file: BinaryIO, size: int) -> Iterator[ZipEntry]:
    """Yield the members of a zip archive of `size` bytes in their order in the archive."""
    end = 0
    while member := _next_member(file, end):
        end = _content_end(file, member, size)
        yield member


def member_at(file: BinaryIO, place: int) -> ZipEntry | None:
    """Return the member whose header begins at `place`, None if there is no whole header."""
    file.seek(place)
    head = file.read(_HEADER.size)
    if len(head) < _HEADER.size or not head.startswith(_MEMBER_START):
        return None
    _, version, flags, method, _, _, checksum, packed, unpacked, name_bytes, extra_bytes = _HEADER.unpack(head)
    rest = file.read(name_bytes + extra_bytes)
    name, extra = rest[:name_bytes], rest[name_bytes:]
    if len(rest) < name_bytes + extra_bytes:
        return None
    info = zipfile.ZipInfo(name.decode("utf-8" if flags & _IS_UTF8 else "cp437", "backslashreplace"))
    info.header_offset, info.flag_bits, info.compress_type = place, flags, method
    info.extract_version = version & 0xFF
    info.CRC, info.compress_size, info.file_size = checksum, packed, unpacked
    if _LARGE in {packed, unpacked}:
        info.file_size, info.compress_size = _large_sizes(extra, unpacked, packed)
    return ZipEntry(info, place + len(head) + len(rest))


def _next_member(file: BinaryIO, start: int) -> ZipEntry | None:
    """Return the first member that begins at or after `start`, None if the list of members comes first."""
    if member := member_at(file, start):
        return member
    for place, signature in _signatures(file, start):
        if signature == _LIST_START:
            return None
        if signature != _MEMBER_START:
            continue
        member = member_at(file, place)
        if member and member.info.filename and member.info.extract_version <= _VERSIONS:
            return member
    return None


def _large_sizes(extra: bytes, unpacked: int, packed: int) -> tuple[int, int]:
    """Return the unpacked and packed sizes of a member; its extra field has those that need more than 32 bits."""
    sizes = [unpacked, packed]
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        values = extra[4 : 4 + length]
        extra = extra[4 + length :]
        if kind == 1:
            for number, value in enumerate(sizes):
                if value == _LARGE and len(values) >= 8:
                    sizes[number] = int.from_bytes(values[:8], "little")
                    values = values[8:]
    return sizes[0], sizes[1]


def _content_end(file: BinaryIO, member: ZipEntry, size: int) -> int:
    """Return the byte at which a member ends, with its descriptor, and complete its sizes."""
    info, start = member
    assert start is not None
    if info.flag_bits & _SIZE_FOLLOWS:
        for place, signature in _signatures(file, start):
            for begin, end, layout in _descriptors_at(place, signature):
                if begin < start:
                    continue
                file.seek(end - struct.calcsize(layout))
                data = file.read(struct.calcsize(layout))
                if len(data) < struct.calcsize(layout):
                    continue
                checksum, packed, unpacked = struct.unpack(layout, data)
                if packed == begin - start:
                    info.CRC, info.compress_size, info.file_size = checksum, packed, unpacked
                    return end
    elif start + info.compress_size <= size:
        return start + info.compress_size
    del info.CRC
    info.compress_size = info.file_size = _ENDLESS
    return size


def _descriptors_at(place: int, signature: bytes) -> Iterator[tuple[int, int, str]]:
    """Yield the places where a descriptor beside the signature at `place` may begin and end, and the layout of its end.

    Most descriptors begin with a signature. One without a signature ends where the next header begins.
    """
    for layout in ("<3I", "<I2Q"):
        length = struct.calcsize(layout)
        if signature == _DESCRIPTOR:
            yield place, place + len(signature) + length, layout
        else:
            yield place - length, place, layout


def _signatures(file: BinaryIO, start: int) -> Iterator[tuple[int, bytes]]:
    """Yield the places from `start` on that have a signature, and the signature."""
    rest = b""
    place = start
    while True:
        file.seek(place)
        block = file.read(_SEARCHED_BYTES)
        if not block:
            return
        data = rest + block
        first = place - len(rest)
        place += len(block)
        for match in _HEADER_STARTS.finditer(data):
            yield first + match.start(), match[0]
        rest = data[-3:]
