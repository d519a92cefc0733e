"""Screen raw texts for rules that may change them: `dedup.repairs.screen.rules_that_may_apply`, compiled.

All sequences of character sets that `dedup.repairs.ftfy_patterns` reads from ftfy are matched at once, as bits of two
words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, U64, Bytes
from dedup.kernels.jit import njit
from dedup.kernels.page_furniture_lines import CODES, decode_at
from dedup.kernels.table_cache import cached_table
from dedup.repairs.code_ranges import NOT_ASCII, Ranges, of_codes
from dedup.repairs.ftfy_patterns import surely_bad_sequences, unsure_sequences
from dedup.repairs.screen import ENCODING, TYPOGRAPHY, WHITESPACE
from dedup.repairs.typography import typography_characters
from dedup.repairs.whitespace import AT_FAULT, AT_FAULT_LAST

_State = tuple[np.uint64, np.uint64]

# Flags of characters besides the bits of rules.
_BLANK, _NEWLINE, _AMPERSAND, MARKUP, ENTITY = 8, 16, 32, 64, 128
BAD = 256  # ftfy's pattern matches, wherever lines start
_WORD = 64  # bits
_LONGEST_ENTITY = 24  # characters between "&" and ";"


class Tables(NamedTuple):
    """The classes of characters and the sequences of character sets, as arrays for the kernel."""

    classes: Bytes  # of each code point
    flags: Bytes  # of each class: the bits that its characters have regardless of their neighbours
    masks: U64  # uint64 [classes, 2]: the positions in sequences at which characters of each class may occur
    first: U64  # the first position of each sequence
    last: U64
    sure: U64  # those of `last` that belong to sequences which match anywhere in a line
    before: int  # the greatest number of ASCII characters that a sequence begins with
    longest: int


@cached_table(Tables)
def tables() -> Tables:
    """Return the tables for the installed ftfy and the Unicode version of this Python."""
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
    example = np.unique(of_start, return_index=True)[1]  # one stretch of each class
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
    """Return the greatest number of ASCII characters that `sequence` may begin with."""
    return next(at for at, ranges in enumerate(sequence) if ranges[0][0] > 127)


def _members(sets: Sequence[Ranges]) -> tuple[I64, npt.NDArray[np.bool_]]:
    """Return the starts of stretches of code points that are in the same `sets`, and the sets of each stretch."""
    starts = np.array(sorted({0, *(code for ranges in sets for a, b in ranges for code in (a, b + 1) if code < CODES)}))
    member = np.zeros((len(starts), len(sets)), bool)
    for number, ranges in enumerate(sets):
        for a, b in ranges:
            member[np.searchsorted(starts, a) : np.searchsorted(starts, b, "right"), number] = True
    return starts, member


def _places(sequences: list[tuple[Ranges, ...]]) -> tuple[dict[tuple[int, int], Ranges], U64, U64, U64]:
    """Return the sets of `sequences` by word and bit, and the bits of their first, last and surely last positions."""
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
    """Return the bits of rules for each text: `dedup.repairs.screen.rules_that_may_apply`, compiled."""
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
    """Return the bits of rules and markers seen in ``data[at:end]``, of which the bits `known` are already set."""
    bits = 0
    state = (np.uint64(0), np.uint64(0))
    follow = 0  # characters for which the state still depends on an earlier non-ASCII one
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
    """Return the positions in sequences that one more character reaches."""
    one = np.uint64(1)
    return (
        (state[0] << one | tables.first[0]) & tables.masks[kind, 0],
        (state[1] << one | tables.first[1]) & tables.masks[kind, 1],
    )


@njit
def _before(data: Bytes, start: int, at: int, tables: Tables) -> _State:
    """Return the positions in sequences that the ASCII characters before `at` lead to."""
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
    """Return the bits that the character of `size` bytes at `at` has because of its neighbours."""
    if flag & _NEWLINE:
        return _line_end(data, start, at)
    if flag & _AMPERSAND:
        return _entity(data, at, stop)
    if flag & _BLANK and (at + size >= stop or data[at + size] == 10):
        return WHITESPACE
    return 0


@njit
def _line_end(data: Bytes, start: int, at: int) -> int:
    """Return the bit of the whitespace rule if a line break at `at` follows a blank, two line breaks, or nothing."""
    if at == start or data[at - 1] == 32 or data[at - 1] == 9:
        return WHITESPACE
    return WHITESPACE if data[at - 1] == 10 and at - 2 >= start and data[at - 2] == 10 else 0


@njit
def _entity(data: Bytes, at: int, stop: int) -> int:
    """Return `ENTITY` if the text after the ``&`` at `at` looks like an entity."""
    at += 1
    if at < stop and data[at] == 35:
        at += 1
    end = at
    while end < stop and (48 <= data[end] <= 57 or 65 <= data[end] <= 90 or 97 <= data[end] <= 122):
        end += 1
    return ENTITY if end < stop and data[end] == 59 and 1 <= end - at <= _LONGEST_ENTITY else 0
