"""Screen raw texts for rules that may change them: `dedup.repairs.screen.rules_that_may_apply`, compiled.

The kernel follows all sequences of character sets that `dedup.repairs.ftfy_patterns` reads from ftfy at once, one bit
for each position in each of them (Baeza-Yates and Gonnet, *A new approach to text searching*, 1992). It does so only
around characters that are not ASCII, since no sequence consists of ASCII characters alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, U64, Bytes
from dedup.kernels.constants import NEWLINE_BYTE, NONE_YET, ONE, ZERO
from dedup.kernels.declare import kernel, part
from dedup.kernels.table_cache import cached_table
from dedup.kernels.utf8 import UNICODE_END, decode_at
from dedup.repairs.code_ranges import NOT_ASCII, Ranges, of_codes
from dedup.repairs.ftfy_patterns import surely_bad_sequences, suspect_sequences
from dedup.repairs.screen import ENCODING, MARKUP, TYPOGRAPHY, WHITESPACE
from dedup.repairs.typography import typography_characters
from dedup.repairs.whitespace import REPAIRED_ANYWHERE, REPAIRED_AT_LINE_END

_State = tuple[np.uint64, np.uint64]

# Flags of characters besides the bits of rules.
_TRAILING_BLANK, _LINE_BREAK, _AMPERSAND, LESS_THAN = 16, 32, 64, 128
BAD = 256  # ftfy's pattern matches, wherever lines start
ENTITY = 512
_WORD_BITS = 64  # a state has two words
_LONGEST_ENTITY = 24  # characters between "&" and ";"


class Tables(NamedTuple):
    """The classes of characters and the sequences of character sets, as arrays for the kernel.

    Characters of one class are in the same sets. A position in a sequence is one bit of two words.

    Attributes:
        classes: the class of each code point, uint8 [code points].
        flags: the bits that the characters of a class have whatever their neighbours are, uint8 [classes].
        masks: the positions at which characters of a class may occur, uint64 [classes, 2].
        first: the first position of each sequence, uint64 [2].
        last: the last position of each sequence, uint64 [2].
        sure: those of `last` whose sequence is enough for ftfy's pattern, wherever lines start, uint64 [2].
        before: the greatest number of ASCII characters that a sequence begins with.
        longest: the number of characters in the longest sequence.
    """

    classes: Bytes
    flags: Bytes
    masks: U64
    first: U64
    last: U64
    sure: U64
    before: int
    longest: int


TABLES = "(uint8[:], uint8[:], uint64[:,:], uint64[:], uint64[:], uint64[:], int64, int64)"  # as a kernel takes them


@cached_table(Tables)
def tables() -> Tables:
    """Return the tables for the installed ftfy and the Unicode version of this Python."""
    sequences = [tuple(chars.ranges for chars in sequence) for sequence in suspect_sequences()]
    single_sets = [
        *((sequence[0], ENCODING) for sequence in sequences if len(sequence) == 1),
        (of_codes(map(ord, REPAIRED_ANYWHERE)), WHITESPACE),
        (of_codes(map(ord, REPAIRED_AT_LINE_END)), _TRAILING_BLANK),
        (of_codes(ord(character) for changed in typography_characters().values() for character in changed), TYPOGRAPHY),
        (of_codes(b"\r"), WHITESPACE),
        (of_codes(b"\n"), _LINE_BREAK),
        (of_codes(b"&"), _AMPERSAND),
        (of_codes(b"<"), LESS_THAN),
    ]
    sequences = [sequence for sequence in sequences if len(sequence) > 1]
    if sum(map(len, sequences)) > 2 * _WORD_BITS - max(map(len, sequences)):  # no room for this ftfy's pattern
        sequences = []
        single_sets.append((NOT_ASCII.ranges, ENCODING))
    positions, first, last, sure = _assign_bits(sequences)
    starts, memberships = _set_memberships([*positions.values(), *(ranges for ranges, _ in single_sets)])
    distinct, class_of_start = np.unique(np.packbits(memberships, axis=1), axis=0, return_inverse=True)
    class_of_start = class_of_start.ravel()
    examples = np.unique(class_of_start, return_index=True)[1]  # one stretch of each class
    masks = np.zeros((len(distinct), 2), np.uint64)
    for (word, bit), classes_of_set in zip(positions, memberships[examples].T, strict=False):
        masks[classes_of_set, word] |= np.uint64(1 << bit)
    flags = np.zeros(len(distinct), np.uint8)
    for (_, flag), classes_of_set in zip(single_sets, memberships[examples].T[len(positions) :], strict=True):
        flags[classes_of_set] |= flag
    classes = np.repeat(class_of_start.astype(np.uint8), np.diff([*starts, UNICODE_END]))
    before = max((_leading_ascii(sequence) for sequence in sequences), default=0)
    return Tables(classes, flags, masks, first, last, sure, before, max(map(len, sequences), default=0))


def _leading_ascii(sequence: Sequence[Ranges]) -> int:
    """Return the greatest number of ASCII characters that `sequence` may begin with."""
    return next(at for at, ranges in enumerate(sequence) if ranges[0][0] > 127)


def _set_memberships(sets: Sequence[Ranges]) -> tuple[I64, npt.NDArray[np.bool_]]:
    """Return the starts of the stretches of code points that are in the same `sets`, and the sets of each stretch.

    The starts are int64 [stretches], the sets bool [stretches, sets].
    """
    starts = np.array(
        sorted({0, *(code for ranges in sets for a, b in ranges for code in (a, b + 1) if code < UNICODE_END)})
    )
    memberships = np.zeros((len(starts), len(sets)), bool)
    for number, ranges in enumerate(sets):
        for a, b in ranges:
            memberships[np.searchsorted(starts, a) : np.searchsorted(starts, b, "right"), number] = True
    return starts, memberships


def _assign_bits(sequences: list[tuple[Ranges, ...]]) -> tuple[dict[tuple[int, int], Ranges], U64, U64, U64]:
    """Return the sets of `sequences` by word and bit, and the bits of the first, last and surely last positions.

    The last three are uint64 [2]: see `Tables`.
    """
    positions: dict[tuple[int, int], Ranges] = {}
    sure_sequences = {tuple(chars.ranges for chars in sequence) for sequence in surely_bad_sequences()}
    first, last, sure = [0, 0], [0, 0], [0, 0]
    word = bit = 0
    for sequence in sequences:
        if bit + len(sequence) > _WORD_BITS:
            word, bit = 1, 0
        first[word] |= 1 << bit
        for ranges in sequence:
            positions[word, bit] = ranges
            bit += 1
        last[word] |= 1 << (bit - 1)
        sure[word] |= (sequence in sure_sequences) << (bit - 1)
    return positions, np.array(first, np.uint64), np.array(last, np.uint64), np.array(sure, np.uint64)


def rules_that_may_apply(data: Bytes, borders: I64) -> Bytes:
    """Return for each text the bits of the rules that may find something in it: uint8 [texts].

    `data` is the UTF-8 of all texts, uint8 [bytes]; `borders` are their offsets, int64 [texts + 1], in bytes. The
    compiled version of `dedup.repairs.screen.rules_that_may_apply`.
    """
    bits = np.zeros(len(borders) - 1, np.uint8)
    _write_rule_bits(data, borders, tables(), bits)
    return bits


@kernel(f"uint8[:], int64[:], {TABLES}, +uint8[:]")
def _write_rule_bits(data: Bytes, borders: I64, tables: Tables, bits: Bytes) -> None:
    """Write the bits of each text to `bits`, uint8 [texts]; see `rules_that_may_apply`."""
    for row in range(len(bits)):
        text_bits = observed_bits(data, borders[row], borders[row + 1], tables, NONE_YET)
        bits[row] = text_bits & (ENCODING | WHITESPACE | TYPOGRAPHY | MARKUP)


@part
def observed_bits(data: Bytes, start: int, stop: int, tables: Tables, known: int) -> int:
    """Return the bits of rules, and `LESS_THAN`, `ENTITY` and `BAD`, for ``data[start:stop]``, a text or a part of one.

    `data` is uint8 [bytes]. `known` are bits of the whole text: an entity counts only in a text without ``<``.
    """
    bits = 0
    state = (ZERO, ZERO)
    follow = 0  # characters for which the state still depends on an earlier non-ASCII one
    at = start
    while at < stop:
        size = 1
        kind = tables.classes[data[at]]
        if data[at] > 127:
            code, size = decode_at(data, at, stop)
            kind = tables.classes[code]
            if not follow:
                state = _state_before(data, start, at, tables)
            follow = tables.longest
        if tables.flags[kind]:
            bits |= tables.flags[kind] | _bits_by_neighbours(data, start, stop, at, size, tables.flags[kind])
        if follow:
            follow -= 1
            state = _step(state, kind, tables)
            if state[0] & tables.last[0] or state[1] & tables.last[1]:
                bits |= ENCODING
                if state[0] & tables.sure[0] or state[1] & tables.sure[1]:
                    bits |= BAD
        at += size
    if bits & ENTITY and not (bits | known) & LESS_THAN:
        bits |= ENCODING
    if stop > start and (
        data[stop - 1] in (9, 32) or (data[stop - 1] == NEWLINE_BYTE and _line_end_bits(data, start, stop))
    ):
        bits |= WHITESPACE
    return bits


@part
def _step(state: _State, kind: int, tables: Tables) -> _State:
    """Return the positions in sequences that are reached by one more character, of class `kind`."""
    return (
        (state[0] << ONE | tables.first[0]) & tables.masks[kind, 0],
        (state[1] << ONE | tables.first[1]) & tables.masks[kind, 1],
    )


@part
def _state_before(data: Bytes, start: int, at: int, tables: Tables) -> _State:
    """Return the positions in sequences that the ASCII characters before byte `at` of `data` lead to."""
    place = at
    while place > start and place > at - tables.before and data[place - 1] < 128:
        place -= 1
    state = (ZERO, ZERO)
    while place < at:
        state = _step(state, tables.classes[data[place]], tables)
        place += 1
    return state


@part
def _bits_by_neighbours(data: Bytes, start: int, stop: int, at: int, size: int, flag: int) -> int:
    """Return the bits that a character of `size` bytes, at byte `at` of `data`, has because of its neighbours."""
    if flag & _LINE_BREAK:
        return _line_end_bits(data, start, at)
    if flag & _AMPERSAND:
        return _entity_bits(data, at, stop)
    if flag & LESS_THAN:
        return MARKUP if at + 1 < stop and _may_begin_tag(data[at + 1]) else 0
    if flag & _TRAILING_BLANK and (at + size >= stop or data[at + size] == NEWLINE_BYTE):
        return WHITESPACE
    return 0


@part
def _line_end_bits(data: Bytes, start: int, at: int) -> int:
    """Return the bit of rule ``whitespace`` if a line break at `at` follows a blank, two line breaks, or nothing."""
    if at == start or data[at - 1] == 32 or data[at - 1] == 9:
        return WHITESPACE
    return WHITESPACE if data[at - 1] == NEWLINE_BYTE and at - 2 >= start and data[at - 2] == NEWLINE_BYTE else 0


@part
def _may_begin_tag(byte: int) -> bool:
    """Return True if `byte` after a ``<`` is a letter of ASCII, a slash or an exclamation mark."""
    return byte in (33, 47) or 65 <= byte <= 90 or 97 <= byte <= 122


@part
def _entity_bits(data: Bytes, at: int, stop: int) -> int:
    """Return `ENTITY` if the text after the ``&`` at `at` looks like an entity."""
    at += 1
    if at < stop and data[at] == 35:
        at += 1
    end = at
    while end < stop and (48 <= data[end] <= 57 or 65 <= data[end] <= 90 or 97 <= data[end] <= 122):
        end += 1
    return ENTITY if end < stop and data[end] == 59 and 1 <= end - at <= _LONGEST_ENTITY else 0
