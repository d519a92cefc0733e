"""Find the marks of numbers in a batch of texts: the compiled version of `dedup.segment.facts`.

Eight bytes at once are passed over if they have no digit, plus, sharp or character beyond ASCII, and if no gap before
them has to be read. All other characters are looked up in tables.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, U64, Bytes
from dedup.kernels.constants import ZERO
from dedup.kernels.declare import kernel, part
from dedup.kernels.table_cache import cached_table
from dedup.kernels.utf8 import character_width, code_point_at
from dedup.segment.batch import FactMarks, Segments
from dedup.segment.fact_characters import (
    BREAK,
    DASH,
    FIRST_UNKNOWN,
    FRACTION,
    IGNORED,
    INNER,
    LAST_UNKNOWN_LETTER,
    LETTER,
    LINE_END,
    NO_WORD,
    OR_EQUAL,
    PLAIN_DIGIT,
    PLUS,
    POINT,
    SHARP,
    SIGN,
    SLASH,
    SPACE,
    SUBSCRIPT,
    SUPERSCRIPT,
    UNIT,
    classify,
)
from dedup.segment.facts import (
    AFTER_NUMBER,
    BETWEEN,
    JOINED_NUMBERS,
    LETTER_BIT,
    OF_NUMBER,
    OF_WORD,
    RAISED,
    ROLE_BIT,
    TOUCHING,
    TWO_NUMBERS,
)

_BLOCK_BYTES = 8  # bytes in a word of 64 bits
# Words of a byte repeated, for tests of all bytes of a word at once: Warren, "Hacker's Delight", 6-1.
_LOW_BITS, _HIGH_BITS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_PLUS_BYTES, _SHARP_BYTES = np.uint64(0x2B2B2B2B2B2B2B2B), np.uint64(0x2323232323232323)
_UP_TO_ZERO, _UP_TO_COLON = np.uint64(0x5050505050505050), np.uint64(0x4646464646464646)  # to 0x80
_FULL_STOP, _GREATER, _EQUALS, _ELLIPSIS_CODE, _SLASH_CODE = 0x2E, 0x3E, 0x3D, 0x2026, 0x2F
_BYTES_PER_MARK = 16  # in the room for marks at first; the press releases have a mark for every 1,000 bytes


class FactCharacters(NamedTuple):
    """One value for each code point below `FIRST_UNKNOWN`, as `dedup.segment.fact_characters.Character` has them.

    `kinds` is uint8, `codes` int64 and `digits` uint8.
    """

    kinds: npt.NDArray[np.uint8]
    codes: npt.NDArray[np.int64]
    digits: npt.NDArray[np.uint8]


@cached_table(FactCharacters)
def fact_characters() -> FactCharacters:
    """Return the tables for the Unicode version of this Python."""
    kinds, codes, digits = zip(*(classify(chr(code)) for code in range(FIRST_UNKNOWN)), strict=True)
    return FactCharacters(np.array(kinds, np.uint8), np.array(codes, np.int64), np.array(digits, np.uint8))


@part
def _has_no_mark(word: Any) -> Any:
    """Return True if none of the eight bytes of a word is a digit, a plus, a sharp or beyond ASCII."""
    plus, sharp = word ^ _PLUS_BYTES, word ^ _SHARP_BYTES
    digits = (word + _UP_TO_ZERO) & ~(word + _UP_TO_COLON)
    others = ((plus - _LOW_BITS) & ~plus) | ((sharp - _LOW_BITS) & ~sharp)
    return ((word | digits | others) & _HIGH_BITS) == ZERO


@part
def _kind_of(code: int, kinds: Bytes) -> Any:
    """Return the kind of the character `code`; `kinds` is that of `FactCharacters`."""
    if code < FIRST_UNKNOWN:
        return np.int64(kinds[code])
    return np.int64(LETTER if code <= LAST_UNKNOWN_LETTER else IGNORED)


@part
def _add_mark(rows: I64, count: int, paragraph: int, place: int, role: int, code: int, letter: int) -> int:
    """Write a mark to `rows`, int64 [room, 3], if there is room, and return the number of marks: `count` and it.

    The mark of a character that means two gives two.
    """
    if count < len(rows):
        rows[count, 0], rows[count, 1] = paragraph, place
        rows[count, 2] = (code & (OR_EQUAL - 1)) | (role << ROLE_BIT) | (letter << LETTER_BIT)
    count += 1
    if code & OR_EQUAL:
        if count < len(rows):
            rows[count, 0], rows[count, 1] = paragraph, place
            rows[count, 2] = _EQUALS | (role << ROLE_BIT) | (letter << LETTER_BIT)
        count += 1
    return count


@part
def _read_gap(
    data: Bytes,
    start: int,
    stop: int,
    kinds: Bytes,
    codes: I64,
    left: int,
    right: int,
    place: int,
    group: int,
    letter: int,
    paragraph: int,
    rows: I64,
    count: int,
) -> tuple[int, int]:
    """Write the marks of the gap ``data[start:stop]`` to `rows`; return how its numbers stand, and the number of marks.

    `left` and `right` are the kinds of the characters beside it. `place` is the number of digits before it, and `group`
    the place of the number before it. `letter` is the ASCII letter before it plus 1 if that is a word by itself, and
    minus that number if it is the end of a longer word. The other arguments are those of `_scan_paragraph`.
    """
    before, behind = left >= PLAIN_DIGIT, right >= PLAIN_DIGIT
    solid = inner = points = 0  # characters that are no formatting, formatting between digits, full stops
    zero: Any = np.int64(0)
    inner_code = only_kind = only_code = last_code = code_before_last = last_solid = zero
    last_end = last_loose = last_split = end_before = loose_before = split_before = zero - 1
    at = start
    while at < stop:
        width = character_width(data[at])
        value = code_point_at(data, at, width)
        kind = _kind_of(value, kinds)
        if kind == INNER:
            inner += 1
            inner_code = codes[value]
        elif kind != IGNORED:
            code = codes[value] if value < FIRST_UNKNOWN else zero
            solid += 1
            points += code == _FULL_STOP
            only_kind, only_code = kind, code
            code_before_last, last_code, last_solid = last_code, code, np.int64(at)
            end_before, loose_before, split_before = last_end, last_loose, last_split
            if kind in (BREAK, POINT):
                last_end = last_loose = last_split = np.int64(at)
            elif kind in (SPACE, LINE_END):
                last_loose = last_split = np.int64(at)
            elif kind in (DASH, PLUS, SLASH):
                last_split = np.int64(at)
        at += width
    if before and behind:
        if solid == 0:
            if inner == 0:
                return TOUCHING, count
            if inner == 1:
                return JOINED_NUMBERS, _add_mark(rows, count, paragraph, place, BETWEEN, inner_code, 0)
            return TWO_NUMBERS, count
        if solid == 1 and only_kind == POINT:
            count = _add_mark(rows, count, paragraph, place, BETWEEN, only_code, 0)
            return TWO_NUMBERS if only_code == _ELLIPSIS_CODE else JOINED_NUMBERS, count
        if points == solid:
            return TWO_NUMBERS, _add_mark(rows, count, paragraph, place, BETWEEN, _ELLIPSIS_CODE, 0)
    if before and solid == 1 and only_kind in (DASH, PLUS) and right in (SUPERSCRIPT, SUBSCRIPT):
        count = _add_mark(rows, count, paragraph, place, RAISED, right, 0)
    lead = zero - 1
    is_first = left == NO_WORD if solid == 1 else code_before_last != _FULL_STOP
    if behind and last_code == _FULL_STOP and is_first:
        lead = last_solid
        last_end, last_loose, last_split = end_before, loose_before, split_before
    attached, broken, starts_line = left != NO_WORD, False, left == NO_WORD
    previous_kind, previous_code = zero + SPACE, zero
    at = start
    while at < stop:
        here = at
        width = character_width(data[at])
        value = code_point_at(data, at, width)
        kind = _kind_of(value, kinds)
        at += width
        if kind in (IGNORED, INNER):
            continue
        code = codes[value] if value < FIRST_UNKNOWN else zero
        if here == lead:
            count = _add_mark(rows, count, paragraph, place, OF_NUMBER, _FULL_STOP, 0)
            continue
        next_kind, next_code = zero + LETTER, zero
        if at < stop:
            value = code_point_at(data, at, character_width(data[at]))
            next_kind = _kind_of(value, kinds)
            next_code = codes[value] if value < FIRST_UNKNOWN else zero
        is_rule = (kind == previous_kind and code == previous_code) or (kind == next_kind and code == next_code)
        is_more = kind == DASH and previous_kind == DASH
        previous_kind, previous_code = kind, code
        if kind in (SPACE, LINE_END, BREAK, POINT):
            attached = False
            broken |= kind in (BREAK, POINT)
            starts_line = kind == LINE_END or (kind == SPACE and starts_line)
            continue
        if starts_line and next_kind in (SPACE, LINE_END) and (kind in (DASH, PLUS) or code == _GREATER):
            continue
        starts_line = False
        touches = here > last_loose
        joins = before and behind and not broken and here > last_end
        if kind == UNIT:
            if behind and here > last_end and (not before or broken or (here > last_split and not attached)):
                count = _add_mark(rows, count, paragraph, place, AFTER_NUMBER, code, 0)
            elif before and not broken:
                count = _add_mark(rows, count, paragraph, group, AFTER_NUMBER, code, 0)
            attached &= left != LETTER
        elif kind == SIGN:
            if behind and here > last_end and not is_rule:
                count = _add_mark(rows, count, paragraph, place, OF_NUMBER, code, 0)
            elif before and attached and not is_rule:
                count = _add_mark(rows, count, paragraph, group, AFTER_NUMBER, code, 0)
            attached = False
        elif kind == SHARP:
            if left == LETTER and letter > 0 and attached and not (touches and right != NO_WORD):
                count = _add_mark(rows, count, paragraph, place, OF_WORD, code, letter - 1)
        elif kind == PLUS and attached and (not (touches and right != NO_WORD) or (left == LETTER and behind)):
            if before:
                count = _add_mark(rows, count, paragraph, group, AFTER_NUMBER, code, 0)
            else:
                count = _add_mark(rows, count, paragraph, place, OF_WORD, code, abs(letter) - 1)
        else:
            if kind != SLASH and not is_more and behind and touches and not attached:
                count = _add_mark(rows, count, paragraph, place, OF_NUMBER, code, 0)
            elif joins and not is_more:
                count = _add_mark(rows, count, paragraph, place, BETWEEN, code, 0)
            attached = False
    return TWO_NUMBERS, count


@part
def _scan_paragraph(
    data: Bytes,
    start: int,
    stop: int,
    kinds: Bytes,
    codes: I64,
    digits: Bytes,
    blocks: U64,
    paragraph: int,
    rows: I64,
    count: int,
) -> tuple[int, int]:
    """Write the marks of ``data[start:stop]`` to `rows`; return its number of digits and the marks so far.

    `data` is uint8 [bytes], and `blocks` the same bytes as words of eight, uint64. `rows` is int64 [room, 3]:
    paragraph, place and code of each mark. `kinds`, `codes` and `digits` are those of `FactCharacters`.
    """
    zero: Any = np.int64(0)
    place = group = letter = zero
    left = zero + NO_WORD
    is_marked = False  # the gap so far has a plus or a sharp
    gap = at = start
    while at < stop:
        first = at
        if left < PLAIN_DIGIT and not is_marked:
            while (
                (at | (_BLOCK_BYTES - 1)) < stop
                and at // _BLOCK_BYTES < len(blocks)
                and _has_no_mark(blocks[at // _BLOCK_BYTES])
            ):
                at = (at | (_BLOCK_BYTES - 1)) + 1
        if at > first:
            last = at - 1
            while last >= first and kinds[data[last]] != LETTER:
                last -= 1
            if last >= first:
                is_longer = gap == first and left == LETTER if last == first else kinds[data[last - 1]] == LETTER
                left, gap = zero + LETTER, last + 1
                letter = -codes[data[last]] - 1 if is_longer else codes[data[last]] + 1
            continue
        width = character_width(data[at])
        value = code_point_at(data, at, width)
        kind = _kind_of(value, kinds)
        if kind < LETTER:
            is_marked |= kind in (PLUS, SHARP)
            at += width
            continue
        stands = zero + TOUCHING
        if at > gap and (kind >= PLAIN_DIGIT or left >= PLAIN_DIGIT or (is_marked and left != NO_WORD)):
            stands, count = _read_gap(
                data, gap, at, kinds, codes, left, kind, place, group, letter, paragraph, rows, count
            )
        code = codes[value] if value < FIRST_UNKNOWN else zero
        if kind >= PLAIN_DIGIT:
            if left >= PLAIN_DIGIT and stands == TOUCHING and (kind != left or kind == FRACTION):
                count = _add_mark(rows, count, paragraph, place, RAISED, kind, 0)
            if left < PLAIN_DIGIT or stands == TWO_NUMBERS:
                group = place
            if kind == FRACTION:
                count = _add_mark(rows, count, paragraph, place + code, BETWEEN, _SLASH_CODE, 0)
        else:
            letter = -code - 1 if left == LETTER and at == gap else code + 1
        if value < FIRST_UNKNOWN:
            place += digits[value]
        left = kind
        is_marked = False
        at += width
        gap = at
    if gap < stop and (left >= PLAIN_DIGIT or (is_marked and left != NO_WORD)):
        stands, count = _read_gap(
            data, gap, stop, kinds, codes, left, NO_WORD, place, group, letter, paragraph, rows, count
        )
    return place, count


@part
def _skip_characters(data: Bytes, blocks: U64, at: int, characters: int) -> int:
    """Return the byte that is `characters` code points behind byte `at`; `data` and `blocks` are as above."""
    while characters > 0:
        if at % _BLOCK_BYTES == 0:
            while (
                characters >= _BLOCK_BYTES
                and at // _BLOCK_BYTES < len(blocks)
                and blocks[at // _BLOCK_BYTES] & _HIGH_BITS == ZERO
            ):
                at += _BLOCK_BYTES
                characters -= _BLOCK_BYTES
            if characters == 0:
                break
        at += character_width(data[at])
        characters -= 1
    return at


@kernel(
    "uint8[:], uint64[:], int64[:], int64[:], int64[:], int64[:], int64[:], uint8[:], int64[:], uint8[:], "
    "+int64[:], +int64[:,:]",
    "int64",
)
def _write_fact_marks(
    data: Bytes,
    blocks: U64,
    offsets: I64,
    borders: I64,
    starts: I64,
    ends: I64,
    words: I64,
    kinds: Bytes,
    codes: I64,
    digits: Bytes,
    digit_counts: I64,
    rows: I64,
) -> int:
    """Write the marks of all paragraphs to `rows`, int64 [room, 3], as far as there is room, and return their number.

    `data` and `offsets` are those of `find_fact_marks`, `blocks` as for `_scan_paragraph`. The spans of the paragraphs
    in their texts, in code points, are ``starts:ends``, `borders` the first paragraph of each text, and `words` their
    numbers of words: int64. `digit_counts`, int64 [paragraphs], receives the number of digits of each. The other arrays
    are those of `FactCharacters`.
    """
    zero: Any = np.int64(0)
    count: int = zero
    for text in range(len(offsets) - 1):
        at = offsets[text]
        characters = zero
        for paragraph in range(borders[text], borders[text + 1]):
            if words[paragraph] == 0:
                continue
            at = _skip_characters(data, blocks, at, starts[paragraph] - characters)
            end = _skip_characters(data, blocks, at, ends[paragraph] - starts[paragraph])
            place, count = _scan_paragraph(data, at, end, kinds, codes, digits, blocks, paragraph, rows, count)
            digit_counts[paragraph] = place
            at, characters = end, ends[paragraph]
    return count


def find_fact_marks(data: Bytes, offsets: I64, segments: Segments) -> FactMarks:
    """Return the marks of the paragraphs of a batch that have words.

    `data` is uint8 [bytes], `offsets` int64 [texts + 1], in bytes. The compiled version of
    `dedup.segment.batch.find_fact_marks`.
    """
    digit_counts = np.zeros(len(segments.words), np.int64)
    blocks = data[: len(data) // _BLOCK_BYTES * _BLOCK_BYTES].view(np.uint64)
    room = len(data) // _BYTES_PER_MARK + 16
    while True:
        rows = np.empty((room, 3), np.int64)
        count = _write_fact_marks(
            data,
            blocks,
            offsets,
            segments.borders,
            segments.starts,
            segments.stops,
            segments.words,
            *fact_characters(),
            digit_counts,
            rows,
        )
        if count <= room:
            break
        room = count
    rows = rows[:count]
    rows = rows[np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))]
    paragraphs, places, codes = np.ascontiguousarray(rows.T)
    return FactMarks(paragraphs, places, codes, digit_counts)
