"""Find lines that repair may change, and decode plain mojibake: `dedup.repairs.screen.find_suspect_lines`, compiled.

A line is plain if one of the encodings in `dedup.repairs.encoding.PLAIN` turns it into UTF-8 in which ftfy sees
nothing more. Its fix is then certain, and ftfy need not look at the line.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from dedup.arrays import I64, Bytes
from dedup.kernels.jit import njit
from dedup.kernels.page_furniture_lines import decode_at
from dedup.kernels.repair_screen import BAD, ENTITY, MARKUP, Tables, seen, tables
from dedup.repairs.encoding import MAX_LINE, PLAIN
from dedup.repairs.screen import ENCODING, SuspectLines

_NEWLINE, _LESS_THAN = 10, 60
_SUBSTITUTE = 0x1A  # stands for a lost character in sloppy encodings
_SURROGATE = 0xED  # first byte of surrogates in UTF-8; ftfy decodes it in its own way
_REACH = 0x2200  # one more than the largest code point of those encodings


@cache
def _bytes() -> Bytes:
    """Return the byte of each non-ASCII character in each plain encoding, or 0: uint8 [encodings, code points]."""
    found = np.zeros((len(PLAIN), _REACH), np.uint8)
    for number, name in enumerate(PLAIN):
        for byte, character in enumerate(bytes(range(128, 256)).decode(name), 128):
            found[number, ord(character)] = byte
    return found


def find_suspect_lines(data: Bytes, borders: I64) -> SuspectLines:
    """Return suspect lines and certain fixes: `dedup.repairs.screen.find_suspect_lines`, compiled."""
    lines, fixes = np.empty((1 << 14, 3), np.int64), np.empty((1 << 14, 6), np.int64)
    out = np.empty(len(data), np.uint8)
    while True:
        counts = _suspect_lines(data, borders, tables(), _bytes(), lines, fixes, out)
        if counts[0] <= len(lines) and counts[1] <= len(fixes):
            return SuspectLines(lines[: counts[0]], fixes[: counts[1]], out[: counts[2]].tobytes())
        lines, fixes = np.empty((counts[0], 3), np.int64), np.empty((counts[1], 6), np.int64)


@njit
def _suspect_lines(
    data: Bytes, borders: I64, screen: Tables, bytes_of: Bytes, lines: I64, fixes: I64, out: Bytes
) -> tuple[int, int, int]:
    """Store as many suspect lines and fixes as fit, and return the numbers of lines, fixes and bytes of `out`."""
    count = fixed = written = 0
    for row in range(len(borders) - 1):
        at, stop = borders[row], borders[row + 1]
        known = 0
        for byte in range(at, stop):
            known |= MARKUP * (data[byte] == _LESS_THAN)
        place = 0
        while at < stop:
            end = at
            size = 0
            while end < stop and data[end] != _NEWLINE:
                size += (data[end] & 0xC0) != 0x80
                end += 1
            if end < stop:
                end, size = end + 1, size + 1
            bits = seen(data, at, end, screen, known)
            if bits & ENCODING:
                number = -1
                if bits & BAD and not bits & ENTITY and size <= MAX_LINE:
                    number = _decoded(data, at, end, screen, bytes_of, out, written)
                if number < 0:
                    if count < len(lines):
                        lines[count] = row, place, place + size
                    count += 1
                else:
                    fixed, written = _note(data, at, end, out, written, row, place, number, fixes, fixed)
            at = end
            place += size
    return count, fixed, written


@njit
def _decoded(data: Bytes, start: int, end: int, screen: Tables, bytes_of: Bytes, out: Bytes, written: int) -> int:
    """Return the encoding by which a line is plain, or -1; its repaired bytes are then in ``out[written:]``."""
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
            whole = _is_utf8(out, written, position) and not seen(out, written, position, screen, 0) & ENCODING
            return number if whole else -1
    return -1


@njit
def _is_utf8(data: Bytes, start: int, end: int) -> bool:
    """Return True if the bytes are UTF-8 without lost characters, surrogates and byte order mark."""
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


@njit
def _note(
    data: Bytes, at: int, end: int, out: Bytes, written: int, row: int, place: int, number: int, fixes: I64, fixed: int
) -> tuple[int, int]:
    """Store a fix for each non-ASCII run of a plain line, keep only their repaired bytes, and return both counts."""
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
            fixes[fixed] = row, start, place, first, written, number
        fixed += 1
    return fixed, written
