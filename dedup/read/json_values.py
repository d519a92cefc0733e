"""Read files of JSON values: an array of objects, or one or more objects, however they are laid out.

The bytes of a value stay as they are. msgspec finds its end by what it says about the bytes behind it. A value that is
not strict JSON (``NaN``, a comment) ends where its brackets do. Memory holds one value and a block of the file.
Measured on 45 MB of articles, in seconds: msgspec 0.06, brackets alone 0.35, `json.JSONDecoder.raw_decode` 0.16, which
needs decoded text, and a regular expression for tokens 0.57; ijson returns other bytes than it read.

A value whose brackets do not match is recorded with its bytes and an error, and reading continues at the next line or
object that begins as the first one of the file did. Where none is near, one record says at which byte reading stopped.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from enum import Enum

import msgspec

from dedup.read.json_lines import FileRow, beginning, too_long
from dedup.read.streams import BLOCK_BYTES, ByteStream, damage_error
from dedup.settings import MAX_RECORD

_JSON_BLANKS = b" \t\r\n"
_BETWEEN_VALUES = re.compile(rb"[\s,]*")
_STRUCTURE = re.compile(rb'["{}\[\]]|/\*.*?\*/|//[^\n]*', re.DOTALL)
_SCALAR = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[^\s,\]\[{}"]+', re.DOTALL)
_OUTSIDE = re.compile(rb'(?:[\s,:{}\[\]0-9a-zA-Z+.-]++|"(?:[^"\\]++|\\.)*+"|/\*.*?\*/|//[^\n]*)*', re.DOTALL)
_FIRST_NAME = re.compile(rb'\{\s*("(?:[^"\\]++|\\.){0,200}+"\s*:)', re.DOTALL)
_BREAK_OR_TEXT = re.compile(rb'("(?:[^"\\]++|\\.)*+")|[ \t]*[\r\n][ \t\r\n]*', re.DOTALL)
_CLOSER = {ord("{"): ord("}"), ord("["): ord("]")}
_QUOTE, _BACKSLASH, _SLASH, _OPEN_ARRAY, _CLOSE_ARRAY = b'"\\/[]'

_TRAILING_BYTES = re.compile(r"trailing characters \(byte (\d+)\)")
_LAX_BYTES = 1 << 13
_MAX_DEPTH = 1000  # of brackets; parsers give up before

_UNBALANCED = "not JSON: its brackets or quotes do not match"


class _Cut(Enum):
    """Why a value has no end in the window."""

    INCOMPLETE = "the window ends first"
    MALFORMED = "a bracket closes another one"


def read_json_values(stream: ByteStream, charset: str | None = None, most: int = MAX_RECORD) -> Iterator[FileRow]:
    r"""Yield each element of the arrays of a file, and each other value, with its number.

    Line breaks between the tokens of a value become spaces, so that every value is a line. A value of more than `most`
    bytes is cut and has an error; where its end cannot be found in twice as many, a quote or bracket is not closed.

    >>> from io import BytesIO
    >>> [row[:2] for row in read_json_values(ByteStream(BytesIO(b'[{"a": 1.0},\n {"b":\n [2]}] {"c": 3}').read))]
    [(0, b'{"a": 1.0}'), (1, b'{"b": [2]}'), (2, b'{"c": 3}')]
    """
    window = _Window(stream, most)
    in_array = False
    record = 0
    while True:
        byte = window.skip_separators()
        if byte is None:
            break
        if byte == _OPEN_ARRAY and not in_array:
            window.start += 1
            in_array = True
        elif byte == _CLOSE_ARRAY and in_array:
            window.start += 1
            in_array = False
        else:
            data, error = window.take_value()
            if len(data) > most:
                data, error = beginning(data), error or too_long(most)
            yield record, data if error else _on_one_line(data), error, charset
            record += 1
            if window.stopped:
                return
    if stream.damage:
        yield record, b"", damage_error(stream.damage), charset
    elif in_array:
        yield record, b"", "not JSON: the file ends inside its array; fetch it again", charset


class _Window:
    """The part of a stream that is being looked at: `data` from `start` on."""

    def __init__(self, stream: ByteStream, most: int) -> None:
        self.stream = stream
        self.most = most
        self.data = stream.read1(BLOCK_BYTES).removeprefix(codecs.BOM_UTF8)
        self.start = 0
        self.passed = 0  # bytes of the stream before `data`
        self.ended = False
        self.stopped = False
        self.next_value: re.Pattern[bytes] | None = None

    def grow(self) -> bool:
        """Read on until twice as much is in the window, at least a block; return False at the end of the stream."""
        rest = self.data[self.start :]
        self.passed += self.start
        blocks, wanted = [rest], max(len(rest), BLOCK_BYTES)
        while wanted > 0 and (block := self.stream.read1(wanted)):
            blocks.append(block)
            wanted -= len(block)
        self.data, self.start = b"".join(blocks), 0
        self.ended = wanted > 0
        return len(self.data) > len(rest)

    def skip_separators(self) -> int | None:
        """Go to the next byte that is no space or comma, and return it; None at the end of the stream."""
        while True:
            separators = _BETWEEN_VALUES.match(self.data, self.start)
            before, self.start = self.start, separators.end() if separators else self.start
            if self.start < len(self.data):
                if self.next_value is None and self.data[self.start] == ord("{"):
                    self._remember_layout(before)
                return self.data[self.start]
            if not self.grow():
                return None

    def take_value(self) -> tuple[bytes, str | None]:
        """Return the value that begins here and None, or what stands in its place and an error; go behind it."""
        while True:
            end = self._strict_end()
            if end is _Cut.INCOMPLETE and len(self.data) - self.start <= self.most and self.grow():
                continue
            if end is _Cut.MALFORMED:
                end = self._lax_end()
            if not isinstance(end, int):
                return self._skip_malformed()
            data = self.data[self.start : end]
            self.start = end
            return data, None

    def _strict_end(self) -> int | _Cut:
        """Return the offset behind the JSON value that begins here, or why there is none."""
        rest = memoryview(self.data)[self.start :]
        try:
            msgspec.json.decode(rest, type=msgspec.Raw)
        except (msgspec.MsgspecError, RecursionError) as error:
            message = str(error)
            trailing = _TRAILING_BYTES.search(message)
            if trailing:
                end = self.start + int(trailing[1]) - 1  # the number counts the first of them
                while self.data[end - 1] in _JSON_BLANKS:
                    end -= 1
                return end
            return _Cut.INCOMPLETE if "truncated" in message else _Cut.MALFORMED
        is_open = self.data[self.start] not in b'{["' and not self.ended  # a number may go on
        return _Cut.INCOMPLETE if is_open and self.grow() else len(self.data.rstrip(_JSON_BLANKS))

    def _lax_end(self) -> int | _Cut:
        """Return the offset behind a value that is not strict JSON, or why there is none.

        It is looked for a little beyond the place where the next value seems to begin, since that may be inside of it.
        """
        following = self._find_next()
        limit = following + _LAX_BYTES if following else 2 * BLOCK_BYTES + self.start
        end = self._end_by_brackets(min(limit, len(self.data)))
        if end is _Cut.INCOMPLETE and limit > len(self.data) and self.grow():
            return self._lax_end()
        if isinstance(end, int) and _OUTSIDE.fullmatch(self.data, self.start, end) is None:
            return _Cut.MALFORMED
        return end

    def _end_by_brackets(self, stop: int) -> int | _Cut:
        """Return the offset, up to `stop`, behind the bracket that closes the one here, or why there is none."""
        data, at = self.data, self.start
        if data[at] not in _CLOSER:
            scalar = _SCALAR.match(data, at, stop)
            if scalar is None:
                return _Cut.MALFORMED
            return scalar.end() if scalar.end() < len(data) or self.ended else _Cut.INCOMPLETE
        closers = bytearray()
        while token := _STRUCTURE.search(data, at, stop):
            at = token.end()
            byte = data[token.start()]
            if byte == _QUOTE:
                at = _end_of_text(data, at, stop)
                if not at:
                    return _Cut.INCOMPLETE
            elif byte in _CLOSER:
                closers.append(_CLOSER[byte])
                if len(closers) > _MAX_DEPTH:
                    return _Cut.MALFORMED
            elif byte != _SLASH and closers.pop() != byte:
                return _Cut.MALFORMED
            elif not closers:
                return at
        return _Cut.INCOMPLETE

    def _remember_layout(self, before: int) -> None:
        """Note how the first object begins, to recognize where another one does; `before` is where its line may."""
        gap = self.data[before : self.start]
        line_break = gap.rfind(b"\n")
        name = _FIRST_NAME.match(self.data, self.start)
        if line_break >= 0:
            self.next_value = re.compile(rb"\n" + re.escape(gap[line_break + 1 :]) + rb"(?=\{)")
        elif name:
            self.next_value = re.compile(rb"[\s,\]}](?=\{\s*" + re.escape(name[1]) + rb")")

    def _find_next(self) -> int | None:
        """Return the offset behind this one at which a value seems to begin; None if there is none near."""
        while self.next_value:
            following = self.next_value.search(self.data, self.start + 1)
            if following:
                return following.end()
            if len(self.data) - self.start > 2 * BLOCK_BYTES or not self.grow():
                return None
        return None

    def _skip_malformed(self) -> tuple[bytes, str]:
        """Return the bytes up to the next value that can be recognized, and the error; go there."""
        following = self._find_next()
        if following:
            data = self.data[self.start : following]
            self.start = following
            return data.rstrip(_JSON_BLANKS + b","), f"{_UNBALANCED}; correct this object"
        self.stopped = True
        if len(self.data) - self.start < BLOCK_BYTES:
            self.grow()
        data, position = self.data[self.start :], self.passed + self.start
        if self.stream.damage:
            return data, damage_error(self.stream.damage)
        if self.ended:
            return data, f"{_UNBALANCED} up to the end of the file; fetch it again"
        return data, f"{_UNBALANCED} from byte {position} on, and the rest of the file is not read; correct it there"


def _end_of_text(data: bytes, at: int, stop: int) -> int:
    """Return the offset behind the quote that ends the text around offset `at`; 0 if there is none before `stop`."""
    end = data.find(b'"', at, stop)
    while end >= 0:
        first = end
        while first > at and data[first - 1] == _BACKSLASH:
            first -= 1
        if (end - first) % 2 == 0:
            return end + 1
        end = data.find(b'"', end + 1, stop)
    return 0


def _on_one_line(data: bytes) -> bytes:
    """Return a JSON value with a space in place of each line break outside of its texts."""
    if b"\n" not in data and b"\r" not in data:
        return data
    return _BREAK_OR_TEXT.sub(lambda match: match[1] or b" ", data)
