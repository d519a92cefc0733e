"""Which raw texts repair may change: `dedup.repairs.screen`, compiled.

Sequences of character sets are followed all at once, one bit for each place in each of them (Baeza-Yates and Gonnet,
*A new approach to text searching*, 1992), and only around characters that are not ASCII: no sequence is ASCII alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, U64, Bytes
from dedup.kernels.jit import njit
from dedup.kernels.page_furniture_lines import CODES, decode_at
from dedup.kernels.table_cache import kept
from dedup.repairs.code_ranges import NOT_ASCII, Ranges, of_codes
from dedup.repairs.ftfy_patterns import surely_bad_sequences, unsure_sequences
from dedup.repairs.screen import ENCODING, TYPOGRAPHY, WHITESPACE
from dedup.repairs.typography import typography_characters
from dedup.repairs.whitespace import AT_FAULT, AT_FAULT_LAST

_State = tuple[np.uint64, np.uint64]

# What a character may be beside the bits of rules.
_BLANK, _NEWLINE, _AMPERSAND, MARKUP, ENTITY = 8, 16, 32, 64, 128
BAD = 256  # ftfy's pattern matches, wherever lines start
_WORD = 64  # bits
_ENTITY_AT_MOST = 24  # characters between the marks of an entity


class Tables(NamedTuple):
    classes: Bytes  # of each code point
    flags: Bytes  # of each class: the bits of what its characters are by themselves
    masks: U64  # [classes, 2]: the places in sequences where characters of each class may stand
    first: U64  # the first place of each sequence
    last: U64
    sure: U64  # of `last`, those of sequences that ftfy's pattern has wherever a line starts
    before: int  # ASCII characters at most that a sequence begins with
    longest: int


@kept(Tables)
def tables() -> Tables:
    sequences = [tuple(chars.ranges for chars in sequence) for sequence in unsure_sequences()]
    alone = [
        *((sequence[0], ENCODING) for sequence in sequences if len(sequence) == 1),
        (of_codes(map(ord, AT_FAULT)), WHITESPACE),
        (of_codes(map(ord, AT_FAULT_LAST)), _BLANK),
        (of_codes(ord(character) for of in typography_characters().values() for character in of), TYPOGRAPHY),
        (of_codes(b"\r"), WHITESPACE),
        (of_codes(b"\n"), _NEWLINE),
        (of_codes(b"&"), _AMPERSAND),
        (of_codes(b"<"), MARKUP),
    ]
    sequences = [sequence for sequence in sequences if len(sequence) > 1]
    if sum(map(len, sequences)) > 2 * _WORD - max(map(len, sequences)):  # no room for this ftfy's pattern
        sequences = []
        alone.append((NOT_ASCII.ranges, ENCODING))
    places, first, last, sure = _places(sequences)
    starts, member = _members([*places.values(), *(ranges for ranges, _ in alone)])
    distinct, of_start = np.unique(np.packbits(member, axis=1), axis=0, return_inverse=True)
    of_start = of_start.ravel()
    example = np.unique(of_start, return_index=True)[1]  # a stretch of each class
    masks = np.zeros((len(distinct), 2), np.uint64)
    for (word, bit), ones in zip(places, member[example].T, strict=False):
        masks[ones, word] |= np.uint64(1 << bit)
    flags = np.zeros(len(distinct), np.uint8)
    for (_, flag), ones in zip(alone, member[example].T[len(places) :], strict=True):
        flags[ones] |= flag
    classes = np.repeat(of_start.astype(np.uint8), np.diff([*starts, CODES]))
    before = max((_leading_ascii(sequence) for sequence in sequences), default=0)
    return Tables(classes, flags, masks, first, last, sure, before, max(map(len, sequences), default=0))


def _leading_ascii(sequence: Sequence[Ranges]) -> int:
    """How many ASCII characters `sequence` may begin with."""
    return next(at for at, ranges in enumerate(sequence) if ranges[0][0] > 127)


def _members(sets: Sequence[Ranges]) -> tuple[I64, npt.NDArray[np.bool_]]:
    """Where stretches of code points start that are in the same of `sets`, and in which they are."""
    starts = np.array(sorted({0, *(code for ranges in sets for a, b in ranges for code in (a, b + 1) if code < CODES)}))
    member = np.zeros((len(starts), len(sets)), bool)
    for number, ranges in enumerate(sets):
        for a, b in ranges:
            member[np.searchsorted(starts, a) : np.searchsorted(starts, b, "right"), number] = True
    return starts, member


def _places(sequences: list[tuple[Ranges, ...]]) -> tuple[dict[tuple[int, int], Ranges], U64, U64, U64]:
    """The sets of `sequences` by word and bit, and the bits of first, last, and surely last places."""
    places: dict[tuple[int, int], Ranges] = {}
    sure_ones = {tuple(chars.ranges for chars in sequence) for sequence in surely_bad_sequences()}
    first, last, sure = [0, 0], [0, 0], [0, 0]
    word = bit = 0
    for sequence in sequences:
        if bit + len(sequence) > _WORD:
            word, bit = 1, 0
        first[word] |= 1 << bit
        for ranges in sequence:
            places[word, bit] = ranges
            bit += 1
        last[word] |= 1 << (bit - 1)
        sure[word] |= (sequence in sure_ones) << (bit - 1)
    return places, np.array(first, np.uint64), np.array(last, np.uint64), np.array(sure, np.uint64)


def rules_that_may_apply(data: Bytes, borders: I64) -> Bytes:
    """`dedup.repairs.screen.rules_that_may_apply`, compiled."""
    found = np.zeros(len(borders) - 1, np.uint8)
    _suspects(data, borders, tables(), found)
    return found


@njit
def _suspects(data: Bytes, borders: I64, tables: Tables, found: Bytes) -> None:
    for row in range(len(found)):
        bits = seen(data, borders[row], borders[row + 1], tables, 0)
        found[row] = bits & (ENCODING | WHITESPACE | TYPOGRAPHY)


@njit
def seen(data: Bytes, start: int, stop: int, tables: Tables, known: int) -> int:
    """What is seen in one text, or in a part of one of which bits are `known`: the bits of rules, and others."""
    bits = 0
    state = (np.uint64(0), np.uint64(0))
    follow = 0  # characters still to be followed: the state may stem from one that is not ASCII
    at = start
    while at < stop:
        size = 1
        kind = tables.classes[data[at]]
        if data[at] > 127:
            code, size = decode_at(data, at, stop)
            kind = tables.classes[code]
            if not follow:
                state = _before(data, start, at, tables)
            follow = tables.longest
        if tables.flags[kind]:
            bits |= tables.flags[kind] | _around(data, start, stop, at, size, tables.flags[kind])
        if follow:
            follow -= 1
            state = _step(state, kind, tables)
            if state[0] & tables.last[0] or state[1] & tables.last[1]:
                bits |= ENCODING
                if state[0] & tables.sure[0] or state[1] & tables.sure[1]:
                    bits |= BAD
        at += size
    if bits & ENTITY and not (bits | known) & MARKUP:
        bits |= ENCODING
    if stop > start and (data[stop - 1] in (9, 32) or (data[stop - 1] == 10 and _line_end(data, start, stop))):
        bits |= WHITESPACE
    return bits


@njit
def _step(state: _State, kind: int, tables: Tables) -> _State:
    """The places in sequences that are reached by one more character."""
    one = np.uint64(1)
    return (
        (state[0] << one | tables.first[0]) & tables.masks[kind, 0],
        (state[1] << one | tables.first[1]) & tables.masks[kind, 1],
    )


@njit
def _before(data: Bytes, start: int, at: int, tables: Tables) -> _State:
    """The places in sequences that the ASCII characters before `at` lead to."""
    place = at
    while place > start and place > at - tables.before and data[place - 1] < 128:
        place -= 1
    state = (np.uint64(0), np.uint64(0))
    while place < at:
        state = _step(state, tables.classes[data[place]], tables)
        place += 1
    return state


@njit
def _around(data: Bytes, start: int, stop: int, at: int, size: int, flag: int) -> int:
    """The bits that the character of `size` bytes at `at` has for what stands beside it."""
    if flag & _NEWLINE:
        return _line_end(data, start, at)
    if flag & _AMPERSAND:
        return _entity(data, at, stop)
    if flag & _BLANK and (at + size >= stop or data[at + size] == 10):
        return WHITESPACE
    return 0


@njit
def _line_end(data: Bytes, start: int, at: int) -> int:
    """The bit of the whitespace rule, where a line break at `at` follows a blank, two others, or nothing."""
    if at == start or data[at - 1] == 32 or data[at - 1] == 9:
        return WHITESPACE
    return WHITESPACE if data[at - 1] == 10 and at - 2 >= start and data[at - 2] == 10 else 0


@njit
def _entity(data: Bytes, at: int, stop: int) -> int:
    """`ENTITY` where what follows the ``&`` at `at` looks like one."""
    at += 1
    if at < stop and data[at] == 35:
        at += 1
    end = at
    while end < stop and (48 <= data[end] <= 57 or 65 <= data[end] <= 90 or 97 <= data[end] <= 122):
        end += 1
    return ENTITY if end < stop and data[end] == 59 and 1 <= end - at <= _ENTITY_AT_MOST else 0
