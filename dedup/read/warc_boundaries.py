"""Find where the records of a web archive (WARC) begin and end, also in a damaged or truncated one.

A record is a header, an empty line, as many bytes as its ``Content-Length`` says, and two line ends. Where that does
not hold, the next line with a version begins the next record. No bytes are skipped: those that are not a record are a
part of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from dedup.read.streams import BLOCK_BYTES, ByteStream

_VERSION = re.compile(rb"WARC/(?:1\.[01]|0\.1[78])", re.IGNORECASE)  # those that warcio knows
_VERSION_LINE = re.compile(_VERSION.pattern + rb"[ \t]*\r?\n", re.IGNORECASE)
_LATER_VERSION = re.compile(rb"\n(" + _VERSION_LINE.pattern + rb")", re.IGNORECASE)
_VERSION_BYTES = 32  # of a line with a version, at most
_HEADER_END = re.compile(rb"\n\r?\n")
_HEADER_BYTES = 1 << 20  # of a header, at most; its addresses are long at times
_LENGTH = re.compile(rb"^(Content-Length[ \t]*:[ \t]*)([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_LENGTH_DIGITS = 18  # of a Content-Length, at most
KEPT_BYTES = 1 << 16  # of bytes that are no record, at most
_SHOWN_BYTES = 24  # of other bytes in an error


class WarcPart(NamedTuple):
    """A record of a web archive, or bytes that are not a record.

    `start` is the byte at which it begins. `content` has the bytes after its header, and `size` is their number; above
    the limit, `content` has only the first of them. `problem` says what is wrong, None if nothing is. `broke_off` is
    True if the archive ends inside this part.
    """

    start: int
    header: bytes
    content: bytes
    size: int
    problem: str | None = None
    broke_off: bool = False

    def whole(self) -> bytes:
        """Return the record with the Content-Length that its content has."""
        return _LENGTH.sub(rb"\g<1>%d" % len(self.content), self.header, count=1) + self.content


def split_records(stream: ByteStream, most: int) -> Iterator[WarcPart]:
    r"""Yield the parts of a web archive, with at most about `most` bytes of the content of each.

    >>> import io
    >>> record = b"WARC/1.0\r\nContent-Length: 2\r\n\r\nab\r\n\r\n"
    >>> stream = ByteStream(io.BytesIO(record + b"?\r\n" + record).read)
    >>> [(part.start, part.content, part.problem is None) for part in split_records(stream, 9)]
    [(0, b'ab', True), (37, b'?\r\n', False), (40, b'ab', True)]
    """
    window = _ArchiveWindow(stream)
    while window.pass_blank_lines():
        head = window.peek(_VERSION_BYTES)
        if _VERSION.match(head):
            yield _next_record(window, most)
        elif b"WARC/1.".startswith(head):
            yield _to_next_version(window, window.place, b"", "the archive ends inside the header of this record")
        else:
            shown = repr(head[:_SHOWN_BYTES].decode("latin-1"))
            yield _to_next_version(window, window.place, b"", f"no record of a web archive begins here: {shown}")


def _next_record(window: _ArchiveWindow, most: int) -> WarcPart:
    """Return the record that begins here."""
    start = window.place
    size = 4096
    while True:
        head = window.peek(size)
        end = _HEADER_END.search(head)
        later = _LATER_VERSION.search(head, 0, end.start() + 1 if end else len(head))
        if end or later or len(head) < size or size >= _HEADER_BYTES:
            break
        size *= 4
    if later or not end:
        problem = "the header of this record does not end"
        if not later and len(head) < size:
            problem = "the archive ends inside the header of this record"
        return _to_next_version(window, start, window.take(1, 1)[0], problem)
    header = window.take(end.end(), end.end())[0]
    length_field = _LENGTH.search(header)
    digits = length_field[2].strip() if length_field else b""
    if not digits.isdigit() or len(digits) > _LENGTH_DIGITS:
        shown = repr(digits[:_SHOWN_BYTES].decode("latin-1"))
        problem = f"this record has the Content-Length {shown}" if length_field else "this record has no Content-Length"
        return _to_next_version(window, start, header, problem)
    return _with_content(window, start, header, int(digits), most)


def _with_content(window: _ArchiveWindow, start: int, header: bytes, length: int, most: int) -> WarcPart:
    """Return the record with `header`, whose content of `length` bytes begins here."""
    content, size = window.take(length, most)
    after = window.peek(_VERSION_BYTES) if size == length else b""
    if size == length and (not after or after[:1] in b"\r\n" or _VERSION.match(after)):
        return WarcPart(start, header, content, size)
    later = _LATER_VERSION.search(content + after) if size == len(content) else None
    if later and later.start(1) < size:  # a wrong length must not swallow the next records
        window.put_back(content[later.start(1) :])
        content = content[: later.start(1)]
        problem = f"the Content-Length of this record, {length:,}, reaches into another record"
        return WarcPart(start, header, content, len(content), problem)
    if size == length:  # the bytes that follow are the next part
        return WarcPart(start, header, content, size)
    problem = f"the archive ends inside this record: {length - size:,} bytes are missing"
    return WarcPart(start, header, content, size, problem, broke_off=True)


def _to_next_version(window: _ArchiveWindow, start: int, before: bytes, problem: str) -> WarcPart:
    """Return `before` and all bytes up to the next line with a version as a part with `problem`."""
    kept, size = before, len(before)
    has_more = True
    while has_more:
        later = window.search(_VERSION_LINE)
        count = max(0, window.available - _VERSION_BYTES) if later is None else later
        has_more = later is None and window.read_more()
        if later is None and not has_more:
            count = window.available
        kept = (kept + window.take(count, KEPT_BYTES)[0])[:KEPT_BYTES]
        size += count
    broke_off = later is None and problem.startswith("the archive ends")
    return WarcPart(start, b"", kept, size, problem, broke_off)


class _ArchiveWindow:
    """The next bytes of a stream, and the place of the first of them."""

    def __init__(self, stream: ByteStream) -> None:
        self.stream = stream
        self.place = 0
        self.data = b""  # used up to `at`
        self.at = 0

    @property
    def available(self) -> int:
        """The number of next bytes that were read already."""
        return len(self.data) - self.at

    def read_more(self) -> bool:
        """Read more of the stream; return False at its end."""
        block = self.stream.read1(BLOCK_BYTES)
        self.data, self.at = self.data[self.at :] + block, 0
        return bool(block)

    def peek(self, size: int) -> bytes:
        """Return the next `size` bytes without consuming them; fewer only at the end."""
        while self.available < size and self.read_more():
            pass
        return self.data[self.at : self.at + size]

    def search(self, pattern: re.Pattern[bytes]) -> int | None:
        """Return the distance of the first match of `pattern` in the bytes that were read already."""
        match = pattern.search(self.data, self.at)
        return match.start() - self.at if match else None

    def take(self, size: int, most: int) -> tuple[bytes, int]:
        """Consume the next `size` bytes, fewer only at the end; return at least the first `most`, and the count."""
        blocks: list[bytes] = []
        kept = count = 0
        while count < size and (block := self.peek(min(size - count, BLOCK_BYTES))):
            self.at += len(block)
            count += len(block)
            if kept < most:
                blocks.append(block)
                kept += len(block)
        self.place += count
        return b"".join(blocks), count

    def put_back(self, data: bytes) -> None:
        """Make `data`, which was consumed last, the next bytes again."""
        self.data, self.at = data + self.data[self.at :], 0
        self.place -= len(data)

    def pass_blank_lines(self) -> bool:
        """Consume empty lines; return False at the end."""
        while (head := self.peek(2)) and (head[:1] == b"\n" or head in {b"\r\n", b"\r"}):
            count = 1 if head[:1] == b"\n" else len(head)
            self.take(count, 0)
        return bool(head)
