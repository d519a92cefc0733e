"""Find lines that repair may change, and decode plain mojibake: `dedup.repairs.screen.find_suspect_lines`, compiled.

A line is plain if ftfy's pattern surely matches in it, the first of ftfy's encodings that has all of its characters
turns it into UTF-8, and no step of ftfy then has anything left to do. That is one step of ftfy, and the only one that
it takes. Whatever else a line may need is left to ftfy.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from dedup.arrays import I64, Bytes
from dedup.kernels.constants import NEWLINE_BYTE, NONE_YET
from dedup.kernels.declare import kernel, part
from dedup.kernels.repair_screen import BAD, ENTITY, LESS_THAN, TABLES, Tables, observed_bits, tables
from dedup.kernels.utf8 import decode_at
from dedup.repairs.encoding import PLAIN_ENCODINGS
from dedup.repairs.long_lines import MAX_LINE
from dedup.repairs.screen import ENCODING, SuspectLines

_LESS_THAN = 60
_SUBSTITUTE = 0x1A  # the byte that sloppy encodings have for a lost character
_SURROGATE = 0xED  # the first byte of a surrogate in UTF-8, which ftfy decodes in its own way
_ENCODED_END = 0x2200  # greater than the code points of those encodings


@cache
def _encoded_bytes() -> Bytes:
    """Return the byte of each non-ASCII character in each plain encoding, or 0: uint8 [encodings, code points]."""
    table = np.zeros((len(PLAIN_ENCODINGS), _ENCODED_END), np.uint8)
    for number, name in enumerate(PLAIN_ENCODINGS):
        for byte, character in enumerate(bytes(range(128, 256)).decode(name), 128):
            table[number, ord(character)] = byte
    return table


def find_suspect_lines(data: Bytes, borders: I64) -> SuspectLines:
    """Return the lines in which the rule ``encoding`` may find something, and the fixes of plain lines.

    `data` is the UTF-8 of all texts, uint8 [bytes]; `borders` are their offsets, int64 [texts + 1], in bytes. The
    compiled version of `dedup.repairs.screen.find_suspect_lines`.
    """
    lines, fixes = np.empty((1 << 14, 3), np.int64), np.empty((1 << 14, 6), np.int64)
    out, counts = np.empty(len(data), np.uint8), np.empty(3, np.int64)
    while True:
        _write_suspect_lines(data, borders, tables(), _encoded_bytes(), lines, fixes, out, counts)
        if counts[0] <= len(lines) and counts[1] <= len(fixes):
            return SuspectLines(lines[: counts[0]], fixes[: counts[1]], out[: counts[2]].tobytes())
        lines, fixes = np.empty((counts[0], 3), np.int64), np.empty((counts[1], 6), np.int64)


@kernel(f"uint8[:], int64[:], {TABLES}, uint8[:,:], +int64[:,:], +int64[:,:], +uint8[:], +int64[:]")
def _write_suspect_lines(
    data: Bytes, borders: I64, screen: Tables, bytes_of: Bytes, lines: I64, fixes: I64, out: Bytes, counts: I64
) -> None:
    """Write as many lines and fixes as fit, and the numbers of lines, of fixes and of bytes in `out` to `counts`.

    `lines`, int64 [room, 3], and `fixes`, int64 [room, 6], are those of `SuspectLines`; `out`, uint8 [bytes of `data`],
    receives the replacements. `bytes_of` is the result of `_encoded_bytes`, `screen` that of `tables`.
    """
    count = fixed = written = NONE_YET
    for row in range(len(borders) - 1):
        at, stop = borders[row], borders[row + 1]
        known = NONE_YET
        for byte in range(at, stop):
            known |= LESS_THAN * (data[byte] == _LESS_THAN)
        place = 0
        while at < stop:
            end = at
            size = 0
            while end < stop and data[end] != NEWLINE_BYTE:
                size += (data[end] & 0xC0) != 0x80
                end += 1
            if end < stop:
                end, size = end + 1, size + 1
            bits = observed_bits(data, at, end, screen, known)
            if bits & ENCODING:
                number = -1
                if bits & BAD and not bits & ENTITY and size <= MAX_LINE:
                    number = _decode_plain(data, at, end, screen, bytes_of, out, written)
                if number < 0:
                    if count < len(lines):
                        lines[count, 0], lines[count, 1], lines[count, 2] = row, place, place + size
                    count += 1
                else:
                    fixed, written = _write_fixes(data, at, end, out, written, row, place, number, fixes, fixed)
            at = end
            place += size
    counts[0], counts[1], counts[2] = count, fixed, written


@part
def _decode_plain(data: Bytes, start: int, end: int, screen: Tables, bytes_of: Bytes, out: Bytes, written: int) -> int:
    """Return the number of the encoding by which the line ``data[start:end]`` is plain, or -1.

    If it is plain, its repaired bytes are then in ``out[written:]``. The arrays are those of `_write_suspect_lines`.
    """
    for number in range(len(bytes_of)):
        position = written
        at = start
        while at < end:
            byte = data[at]
            size = 1
            if byte > 127:
                code, size = decode_at(data, at, end)
                byte = bytes_of[number, code] if code < bytes_of.shape[1] else np.uint8(0)
                if byte == 0:
                    break
            out[position] = byte
            position += 1
            at += size
        if at == end:
            is_plain = (
                _is_utf8(out, written, position)
                and not observed_bits(out, written, position, screen, NONE_YET) & ENCODING
            )
            return number if is_plain else -1
    return -1


@part
def _is_utf8(data: Bytes, start: int, end: int) -> bool:
    """Return True if ``data[start:end]`` is UTF-8 without lost characters, surrogates and byte order marks."""
    at = start
    while at < end:
        byte = data[at]
        at += 1
        if byte < 128:
            if byte == _SUBSTITUTE:
                return False
            continue
        if byte == _SURROGATE or not 0xC2 <= byte <= 0xF4:
            return False
        if byte == 0xEF and at + 1 < end and data[at] == 0xBB and data[at + 1] == 0xBF:
            return False
        least, most = 0x80, 0xBF
        if byte == 0xE0:
            least = 0xA0
        elif byte == 0xF0:
            least = 0x90
        elif byte == 0xF4:
            most = 0x8F
        for _ in range(1 + (byte >= 0xE0) + (byte >= 0xF0)):
            if at == end or not least <= data[at] <= most:
                return False
            least, most = 0x80, 0xBF
            at += 1
    return True


@part
def _write_fixes(
    data: Bytes, at: int, end: int, out: Bytes, written: int, row: int, place: int, number: int, fixes: I64, fixed: int
) -> tuple[int, int]:
    """Write a fix for each run beyond ASCII of the plain line ``data[at:end]``, and return the new counts.

    In `out`, only the repaired bytes of these runs are kept. The counts are `fixed`, of fixes, and `written`, of bytes
    in `out`. The line is in text `row`, at code point `place`; `number` is its encoding.
    """
    source = written  # offset of the next repaired byte; kept bytes are before it
    while at < end:
        if data[at] < 128:
            at += 1
            place += 1
            source += 1
            continue
        start, first = place, written
        while at < end and data[at] > 127:
            at += decode_at(data, at, end)[1]
            place += 1
            out[written] = out[source]
            written += 1
            source += 1
        if fixed < len(fixes):
            fixes[fixed, 0], fixes[fixed, 1], fixes[fixed, 2] = row, start, place
            fixes[fixed, 3], fixes[fixed, 4], fixes[fixed, 5] = first, written, number
        fixed += 1
    return fixed, written
