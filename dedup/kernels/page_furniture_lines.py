"""Find lines that may be page furniture: the compiled version of `dedup.repairs.screen.find_furniture_lines`.

The kernel looks up the prefixes of each line in a hash table of those of the patterns, from the first character on for
as long as some pattern continues like the line: see `dedup.repairs.pattern_prefixes`. Only lines that pass are matched
with the patterns themselves, in Python. Two prefixes with the same hash, or a character without a single lower case,
can only cause a false positive.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from dedup.arrays import I16, I32, I64, U64, Bytes, decode_utf8
from dedup.kernels.constants import NEWLINE_BYTE, SHINGLE_BASE
from dedup.kernels.declare import kernel, part
from dedup.kernels.table_cache import cached_table
from dedup.kernels.utf8 import UNICODE_END, decode_at
from dedup.repairs.page_furniture import AROUND, MAX_FURNITURE_LINE, line_beginnings, line_kind
from dedup.repairs.pattern_prefixes import DIGIT, END, LONGEST, Lengths

_WHITE_SPACE: Any = np.int64(1)  # as in `dedup.kernels.constants`, no literals
_DECORATION: Any = np.int64(2)
_END = np.int32(ord(END))
_INDEX_BITS = 17  # of an index in the hash table; the prefixes fill a third of it


class FurnitureTables(NamedTuple):
    """How characters are normalized, and the prefixes of page furniture, as arrays for the kernel.

    Attributes:
        kinds: `_WHITE_SPACE`, `_DECORATION` or 0 for each code point, uint8 [code points].
        codes: the lower case of each code point, one digit for all digits, or -1 if it has no single lower case,
            int32 [code points].
        hashes: the hashes of all prefixes, each at the index that its upper bits give or after it, and 0 where the
            table is empty, uint64 [`1 << _INDEX_BITS`].
        lengths: the least and the greatest length, in characters, of lines with this prefix, int16
            [`1 << _INDEX_BITS`, 2]. They are 1 and 0 if the prefix must go on.
    """

    kinds: Bytes
    codes: I32
    hashes: U64
    lengths: I16


@cached_table(FurnitureTables)
def furniture_tables() -> FurnitureTables:
    """Return the tables for the patterns of this package and the Unicode version of this Python."""
    every = np.arange(UNICODE_END, dtype="<u4")
    varied = [0x130, 0x3A3]  # the lower case of one is two characters, of the other depends on its neighbours
    every[varied] = 0
    text = every.tobytes().decode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(text.lower().encode("utf-32-le", "surrogatepass"), "<i4").astype(np.int32)
    kinds = np.zeros(UNICODE_END, np.uint8)
    for digits in re.finditer(r"\d+", text):
        codes[digits.start() : digits.end()] = ord(DIGIT)
    for spaces in re.finditer(r"\s+", text):
        kinds[spaces.start() : spaces.end()] = _WHITE_SPACE
    kinds[[ord(character) for character in AROUND if not character.isspace()]] = _DECORATION
    codes[varied] = -1
    return FurnitureTables(kinds, codes, *_prefix_table(line_beginnings()))


def _prefix_table(beginnings: dict[str, Lengths]) -> tuple[U64, I16]:
    """Return the hash table of `beginnings` and of their own prefixes, as `FurnitureTables` has it."""
    known: dict[str, Lengths] = {}
    for beginning in sorted(beginnings):  # the same table in every process
        for size in range(1, len(beginning)):
            known[beginning[:size]] = (1, 0)
    known |= sorted(beginnings.items())
    sizes = np.fromiter(map(len, known), np.int64, len(known))
    letters = np.zeros((len(known), LONGEST), np.int32)
    letters[np.arange(LONGEST) < sizes[:, None]] = np.frombuffer("".join(known).encode("utf-32-le"), "<i4")
    hashes = np.zeros(1 << _INDEX_BITS, np.uint64)
    lengths = np.zeros((1 << _INDEX_BITS, 2), np.int16)
    lengths[:] = 1, 0
    _fill_prefix_table(letters, sizes, np.array(list(known.values()), np.int16), hashes, lengths)
    return hashes, lengths


def _fill_prefix_table(letters: I32, sizes: I64, values: I16, hashes: U64, lengths: I16) -> None:
    """Enter prefixes into the table `hashes` and `lengths`; see `FurnitureTables`.

    `letters` are the code points of each prefix, int32 [prefixes, `LONGEST`], `sizes` their number, int64 [prefixes],
    and `values` the least and the greatest length of lines with it, int16 [prefixes, 2].
    """
    prefix_hashes = np.zeros(len(letters), np.uint64)
    for at in range(LONGEST):
        longer = _extended_hash(prefix_hashes, letters[:, at].astype(np.uint64))
        prefix_hashes = np.where(at < sizes, longer, prefix_hashes)
    table = [0] * len(hashes)
    ranges = lengths.tolist()
    places = (prefix_hashes >> np.uint64(64 - _INDEX_BITS)).tolist()
    for value, first, given in zip(prefix_hashes.tolist(), places, values.tolist(), strict=True):
        place = first
        while table[place] not in {0, value}:
            place = (place + 1) % len(table)
        table[place] = value
        known = ranges[place]
        if given[0] > given[1]:
            continue
        two_prefixes = known[0] <= known[1]  # with one hash
        ranges[place] = [min(given[0], known[0]), max(given[1], known[1])] if two_prefixes else given
    hashes[:], lengths[:] = table, ranges


@part
def _extended_hash(value: Any, code: Any) -> Any:
    """Return the hash, never 0, of a prefix of hash `value` and one more character, as uint64."""
    mixed = (value ^ code) * SHINGLE_BASE
    return (mixed ^ (mixed >> np.uint64(29))) | np.uint64(1)


@part
def _index_of(value: np.uint64, hashes: U64) -> np.int64:
    """Return the index at which the hash `value` is, or would be."""
    place = np.int64(value >> np.uint64(64 - _INDEX_BITS))
    while hashes[place] != 0 and hashes[place] != value:
        place = np.int64((place + 1) & (len(hashes) - 1))
    return place


def find_furniture_lines(data: Bytes, borders: I64) -> dict[int, dict[int, str]]:
    """Return the kinds of the lines that are page furniture, by number of the line, by number of the text.

    `data` is the UTF-8 of all texts, uint8 [bytes]; `borders` are their offsets, int64 [texts + 1], in bytes. The
    compiled version of `dedup.repairs.screen.find_furniture_lines`; the last step, which few lines reach, is the same.
    """
    rows = np.empty((1 << 10, 4), np.int64)
    while (count := _find_suspects(data, borders, furniture_tables(), rows)) > len(rows):
        rows = np.empty((count, 4), np.int64)
    kinds: dict[int, dict[int, str]] = {}
    for row, number, start, stop in rows[:count].tolist():
        kind = line_kind(decode_utf8(data[start:stop].tobytes()))
        if kind is not None:
            kinds.setdefault(row, {})[number] = kind
    return kinds


@kernel("uint8[:], int64[:], (uint8[:], int32[:], uint64[:], int16[:,:]), +int64[:,:]", "int64")
def _find_suspects(data: Bytes, borders: I64, tables: FurnitureTables, rows: I64) -> int:
    """Write the lines that may be furniture to `rows`, as many as fit, and return their number.

    `rows` is int64 [room, 4]: the number of the text, that of the line, and the span of the line in `data`, in bytes,
    without decoration before it. The other arrays are those of `find_furniture_lines`.
    """
    count = 0
    for row in range(len(borders) - 1):
        at, stop = borders[row], borders[row + 1]
        number = -1
        while at < stop:
            number += 1
            start = at
            at = _skip_decoration(data, at, stop, tables)
            end = at
            while end < stop and data[end] != NEWLINE_BYTE:
                end += 1
            if at < end <= at + 4 * MAX_FURNITURE_LINE and _may_match(
                data, at, _end_without_decoration(data, at, end, tables), tables
            ):
                if count < len(rows):
                    rows[count, 0], rows[count, 1], rows[count, 2], rows[count, 3] = row, number, start, end
                count += 1
            at = end + 1
    return count


@part
def _skip_decoration(data: Bytes, at: int, stop: int, tables: FurnitureTables) -> int:
    """Return the offset of the first character, from byte `at` of a line on, that is no decoration, or its end."""
    while at < stop and data[at] != NEWLINE_BYTE:
        code, size = decode_at(data, at, stop)
        if not tables.kinds[code]:
            break
        at += size
    return at


@part
def _end_without_decoration(data: Bytes, start: int, end: int, tables: FurnitureTables) -> int:
    """Return the end of the line ``data[start:end]`` without white space, an ellipsis and decoration there."""
    end = _end_without(data, start, end, _WHITE_SPACE, tables)
    if end - start >= 3 and data[end - 1] == 46 and data[end - 2] == 46 and data[end - 3] == 46:
        end -= 3
    return _end_without(data, start, end, _WHITE_SPACE | _DECORATION, tables)


@part
def _end_without(data: Bytes, start: int, end: int, kinds: int, tables: FurnitureTables) -> int:
    """Return the end of the line ``data[start:end]`` without the last characters that are of `kinds`."""
    while end > start:
        at = end - 1
        while at > start and data[at] & 0xC0 == 0x80:
            at -= 1
        if not tables.kinds[decode_at(data, at, end)[0]] & kinds:
            break
        end = at
    return end


@part
def _may_match(data: Bytes, start: int, end: int, tables: FurnitureTables) -> bool:
    """Return True if the line ``data[start:end]`` may match, like `dedup.repairs.page_furniture.may_match`."""
    value = np.uint64(0)
    at = start
    for _ in range(LONGEST):
        code = _END
        if at < end:
            code, at = _normalized_character(data, at, end, tables)
            if code < 0:
                return True
        value = _extended_hash(value, np.uint64(code))
        place = _index_of(value, tables.hashes)
        if tables.hashes[place] == 0:
            return False
        least, most = tables.lengths[place, 0], tables.lengths[place, 1]
        if least <= most and _may_have_length(data, start, end, least, most, tables):
            return True
        if code == _END:
            return False
    return False


@part
def _normalized_character(data: Bytes, at: int, end: int, tables: FurnitureTables) -> tuple[np.int32, int]:
    """Return the normalized character at byte `at` and the offset of the next; a run of white space is one space."""
    code, size = decode_at(data, at, end)
    if tables.kinds[code] != _WHITE_SPACE:
        return tables.codes[code], at + size
    while at < end and tables.kinds[code] == _WHITE_SPACE:
        at += size
        if at < end:
            code, size = decode_at(data, at, end)
    return np.int32(32), at


@part
def _may_have_length(data: Bytes, at: Any, end: int, least: int, most: int, tables: FurnitureTables) -> bool:
    """Return True if the line ``data[at:end]`` may have from `least` to `most` characters in lower case."""
    size = 0
    more = 0
    code: Any = 0
    while at < end:
        code, at = _normalized_character(data, at, end, tables)
        size += 1
        if code < 0:
            more += 1
    return size <= most and size + more >= least
