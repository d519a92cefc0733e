"""Find lines that may be page furniture: `dedup.repairs.screen.find_furniture_lines`, compiled.

The kernel compares the prefix and the length of each line with those of the patterns
(`dedup.repairs.pattern_prefixes`). Only lines that pass are matched with the patterns themselves, in Python.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from dedup.arrays import I16, I32, I64, U64, Bytes, decode_utf8
from dedup.kernels.constants import SHINGLE_BASE
from dedup.kernels.jit import njit
from dedup.kernels.table_cache import cached_table
from dedup.repairs.page_furniture import AROUND, MAX_FURNITURE_LINE, line_beginnings, line_kind
from dedup.repairs.pattern_prefixes import DIGIT, END, LONGEST, Lengths

CODES = 0x110000  # code points of Unicode

_SPACE, _DECORATION = 1, 2
_END = np.int32(ord(END))
_BITS = 17  # of an index in the hash table; the prefixes fill a third of it


class _Tables(NamedTuple):
    kinds: Bytes  # of each code point: `_SPACE`, `_DECORATION` or 0
    codes: I32  # of each code point: its lower case, one digit for all digits, -1 if it has no single lower case
    hashes: U64  # open-addressing table of the hashes of prefixes; 0: empty
    lengths: I16  # int16 [entries, 2]: least and most characters of lines with this prefix; 1 and 0: none


@cached_table(_Tables)
def _tables() -> _Tables:
    every = np.arange(CODES, dtype="<u4")
    varied = [0x130, 0x3A3]  # the lower case of one is two characters, of the other depends on its neighbours
    every[varied] = 0
    text = every.tobytes().decode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(text.lower().encode("utf-32-le", "surrogatepass"), "<i4").astype(np.int32)
    kinds = np.zeros(CODES, np.uint8)
    for digits in re.finditer(r"\d+", text):
        codes[digits.start() : digits.end()] = ord(DIGIT)
    for spaces in re.finditer(r"\s+", text):
        kinds[spaces.start() : spaces.end()] = _SPACE
    kinds[[ord(character) for character in AROUND if not character.isspace()]] = _DECORATION
    codes[varied] = -1
    return _Tables(kinds, codes, *_table(line_beginnings()))


def _table(beginnings: dict[str, Lengths]) -> tuple[U64, I16]:
    """Return the hash table of `beginnings` and of all their prefixes."""
    known: dict[str, Lengths] = {}
    for beginning in sorted(beginnings):  # the same table in every process
        for size in range(1, len(beginning)):
            known[beginning[:size]] = (1, 0)
    known |= sorted(beginnings.items())
    sizes = np.fromiter(map(len, known), np.int64, len(known))
    letters = np.zeros((len(known), LONGEST), np.int32)
    letters[np.arange(LONGEST) < sizes[:, None]] = np.frombuffer("".join(known).encode("utf-32-le"), "<i4")
    hashes = np.zeros(1 << _BITS, np.uint64)
    lengths = np.zeros((1 << _BITS, 2), np.int16)
    lengths[:] = 1, 0
    _fill(letters, sizes, np.array(list(known.values()), np.int16), hashes, lengths)
    return hashes, lengths


@njit
def _fill(letters: I32, sizes: I64, values: I16, hashes: U64, lengths: I16) -> None:
    for row in range(len(letters)):
        value = np.uint64(0)
        for at in range(sizes[row]):
            value = _longer(value, letters[row, at])
        place = _place(value, hashes)
        hashes[place] = value
        least, most = values[row, 0], values[row, 1]
        if least <= most and lengths[place, 0] <= lengths[place, 1]:  # two prefixes with one hash
            least, most = min(least, lengths[place, 0]), max(most, lengths[place, 1])
        if least <= most:
            lengths[place, 0], lengths[place, 1] = least, most


@njit
def _longer(value: np.uint64, code: np.int32) -> np.uint64:
    """Return the hash, never 0, of a prefix of hash `value` and one more character."""
    mixed = (value ^ np.uint64(code)) * SHINGLE_BASE
    return (mixed ^ (mixed >> np.uint64(29))) | np.uint64(1)


@njit
def _place(value: np.uint64, hashes: U64) -> np.int64:
    """Return the index at which the hash `value` is, or would be."""
    place = np.int64(value >> np.uint64(64 - _BITS))
    while hashes[place] != 0 and hashes[place] != value:
        place = np.int64((place + 1) % len(hashes))
    return place


def find_furniture_lines(data: Bytes, borders: I64) -> dict[int, dict[int, str]]:
    """Return lines of furniture: `dedup.repairs.screen.find_furniture_lines`, compiled but for the final match."""
    rows = np.empty((1 << 10, 4), np.int64)
    while (count := _suspects(data, borders, _tables(), rows)) > len(rows):
        rows = np.empty((count, 4), np.int64)
    found: dict[int, dict[int, str]] = {}
    for row, number, start, stop in rows[:count].tolist():
        own = line_kind(decode_utf8(data[start:stop].tobytes()))
        if own is not None:
            found.setdefault(row, {})[number] = own
    return found


@njit
def _suspects(data: Bytes, borders: I64, tables: _Tables, rows: I64) -> int:
    """Store as many suspect lines as fit, as ``(text, line, start, stop)`` in bytes, and return their number."""
    count = 0
    for row in range(len(borders) - 1):
        at, stop = borders[row], borders[row + 1]
        number = -1
        while at < stop:
            number += 1
            start = at
            at = _first(data, at, stop, tables)
            end = at
            while end < stop and data[end] != 10:
                end += 1
            if at < end <= at + 4 * MAX_FURNITURE_LINE and _may_match(data, at, _last(data, at, end, tables), tables):
                if count < len(rows):
                    rows[count] = row, number, start, end
                count += 1
            at = end + 1
    return count


@njit
def _first(data: Bytes, at: int, stop: int, tables: _Tables) -> int:
    """Return the offset of the first character of a line that is not decoration, or the end of the line."""
    while at < stop and data[at] != 10:
        code, size = decode_at(data, at, stop)
        if not tables.kinds[code]:
            break
        at += size
    return at


@njit
def _last(data: Bytes, start: int, end: int, tables: _Tables) -> int:
    """Return the end of ``data[start:end]`` without trailing decoration."""
    end = _without(data, start, end, _SPACE, tables)
    if end - start >= 3 and data[end - 1] == 46 and data[end - 2] == 46 and data[end - 3] == 46:
        end -= 3
    return _without(data, start, end, _SPACE | _DECORATION, tables)


@njit
def _without(data: Bytes, start: int, end: int, kinds: int, tables: _Tables) -> int:
    """Return the end of ``data[start:end]`` without trailing characters of `kinds`."""
    while end > start:
        at = end - 1
        while at > start and data[at] & 0xC0 == 0x80:
            at -= 1
        if not tables.kinds[decode_at(data, at, end)[0]] & kinds:
            break
        end = at
    return end


@njit
def _may_match(data: Bytes, start: int, end: int, tables: _Tables) -> bool:
    """Return `dedup.repairs.page_furniture.may_match` of the line ``data[start:end]``."""
    value = np.uint64(0)
    at = start
    for _ in range(LONGEST):
        code = _END
        if at < end:
            code, at = _next(data, at, end, tables)
            if code < 0:
                return True
        value = _longer(value, code)
        place = _place(value, tables.hashes)
        if tables.hashes[place] == 0:
            return False
        least, most = tables.lengths[place, 0], tables.lengths[place, 1]
        if least <= most and _has_size(data, start, end, least, most, tables):
            return True
        if code == _END:
            return False
    return False


@njit
def _next(data: Bytes, at: int, end: int, tables: _Tables) -> tuple[np.int32, int]:
    """Return the folded character at `at` and the offset of the next one; a run of spaces is one character."""
    code, size = decode_at(data, at, end)
    if tables.kinds[code] != _SPACE:
        return tables.codes[code], at + size
    while at < end and tables.kinds[code] == _SPACE:
        at += size
        if at < end:
            code, size = decode_at(data, at, end)
    return np.int32(32), at


@njit
def _has_size(data: Bytes, at: Any, end: int, least: int, most: int, tables: _Tables) -> bool:
    """Return True if the line ``data[at:end]`` may have from `least` to `most` characters in lower case."""
    size = 0
    more = 0
    code: Any = 0
    while at < end:
        code, at = _next(data, at, end, tables)
        size += 1
        if code < 0:
            more += 1
    return size <= most and size + more >= least


@njit
def decode_at(data: Bytes, at: int, stop: int) -> tuple[np.int64, int]:
    """Return the code point that starts at `at`, and its number of bytes."""
    byte = np.int64(data[at])
    if byte < 0x80:
        return byte, 1
    if byte < 0xE0:
        code, size = np.int64(byte & 0x1F), 2
    elif byte < 0xF0:
        code, size = np.int64(byte & 0x0F), 3
    else:
        code, size = np.int64(byte & 0x07), 4
    for place in range(at + 1, min(at + size, stop)):
        code = np.int64(code << 6 | np.int64(data[place]) & 0x3F)
    if code >= CODES:
        code = np.int64(CODES - 1)
    return code, size
