"""Tell articles of one form by their names and numbers: the compiled version of `dedup.match.form_names`."""

from __future__ import annotations

import numpy as np

from dedup.arrays import I32, I64, Bools, Bytes
from dedup.fingerprint.form_tables import (
    FIRST_ROW,
    IS_CASED,
    LAST_ROW,
    NUMBER_COUNT,
    SIZE,
    NameLimits,
    TextTable,
)
from dedup.fingerprint.vocabulary import BEGINS, DIGITS, IS_NUMBER, LENGTH, LETTER_BITS, LETTERS
from dedup.fingerprint.word_profiles import COUNT, IS_INSIDE, IS_NAME, PLACE, WORD
from dedup.kernels.constants import ONE, ZERO
from dedup.kernels.declare import kernel, part

_LETTER = (1 << LETTER_BITS) - 1
_TABLE = "(int64[:,:], int32[:,:], int32[:], int64[:,:])"
_LIMITS = "(int64, int64, float64, int64, int64, int64, int64, int64, float64, int64)"


@part
def _bit_count(value: int) -> int:
    """Return how many bits of an int64 are set."""
    rest = np.uint64(value)
    count = 0
    while rest != ZERO:
        rest &= rest - ONE
        count += 1
    return count


@part
def _may_be_spelling(letters: I64, word: int, other: int, limits: NameLimits) -> bool:
    """Return True if one word may be the other one in another spelling."""
    begins, other_begins = letters[word, BEGINS], letters[other, BEGINS]
    first, second = begins & _LETTER, begins >> LETTER_BITS & _LETTER
    other_first, other_second = other_begins & _LETTER, other_begins >> LETTER_BITS & _LETTER
    if first != other_first and (first != other_second or second != other_first):
        return False
    length, other_length = letters[word, LENGTH], letters[other, LENGTH]
    if min(length, other_length) <= limits.abbreviation:
        return True
    most = 1 if max(length, other_length) < limits.long_word else 2
    return abs(length - other_length) <= most and (
        _bit_count(letters[word, LETTERS] ^ letters[other, LETTERS]) <= 2 * most
    )


@part
def _is_candidate(rows: I32, row: int, letters: I64, is_cased: bool, least: int) -> bool:
    """Return True if a word may be a name that tells a form."""
    return (
        rows[row, IS_INSIDE] != 0
        and letters[rows[row, WORD], IS_NUMBER] == 0
        and (rows[row, IS_NAME] != 0 or not is_cased)
        and rows[row, COUNT] >= least
    )


@part
def _is_free(table: TextTable, row: int, others: I32, count: int, is_few: bool, limits: NameLimits) -> bool:
    """Return True if none of the `others` begins like a word or, if they are few, may be another spelling of it.

    `others` are rows of words: int32 [count or more].
    """
    word = table.rows[row, WORD]
    for at in range(count):
        other = table.rows[others[at], WORD]
        if table.letters[word, BEGINS] == table.letters[other, BEGINS]:
            return False
        if is_few and _may_be_spelling(table.letters, word, other, limits):
            return False
    return True


@part
def _share_no_name(
    table: TextTable,
    own: I32,
    own_count: int,
    others: I32,
    count: int,
    is_cased: bool,
    is_few: bool,
    least: int,
    limits: NameLimits,
) -> bool:
    """Return True if each of two texts has a name that the other one has not, at about the same place.

    `own` and `others` are the rows of the words that only the one and only the other text has: int32 [room].
    """
    for at in range(own_count):
        if not _is_candidate(table.rows, own[at], table.letters, is_cased, least):
            continue
        is_free = -1  # not known
        for other_at in range(count):
            if abs(
                table.rows[own[at], PLACE] - table.rows[others[other_at], PLACE]
            ) > limits.same_place or not _is_candidate(table.rows, others[other_at], table.letters, is_cased, least):
                continue
            if is_free < 0:
                is_free = 1 if _is_free(table, own[at], others, count, is_few, limits) else 0
            if is_free == 0:
                break
            if _is_free(table, others[other_at], own, own_count, is_few, limits):
                return True
    return False


@part
def _has_other_numbers(
    table: TextTable, one: int, other: int, own: I32, own_count: int, others: I32, count: int, limits: NameLimits
) -> bool:
    """Return True if most numbers of both texts are others, or a short text has another one."""
    changed, other_changed, digits = 0, 0, 0
    for at in range(own_count):
        word = table.rows[own[at], WORD]
        digits += table.letters[word, DIGITS]
        if table.letters[word, IS_NUMBER] and table.rows[own[at], IS_INSIDE]:
            changed += table.rows[own[at], COUNT]
    for at in range(count):
        word = table.rows[others[at], WORD]
        digits -= table.letters[word, DIGITS]
        if table.letters[word, IS_NUMBER] and table.rows[others[at], IS_INSIDE]:
            other_changed += table.rows[others[at], COUNT]
    if digits == 0:
        return False
    is_short: bool = max(table.texts[one, SIZE], table.texts[other, SIZE]) < limits.short_form
    return is_short or bool(
        changed > limits.changed_numbers * table.texts[one, NUMBER_COUNT]
        and other_changed > limits.changed_numbers * table.texts[other, NUMBER_COUNT]
    )


@part
def _has_other_names(
    table: TextTable, one: int, other: int, own: I32, own_count: int, others: I32, count: int, limits: NameLimits
) -> bool:
    """Return True if two texts are of one form, by the words that only one of them has."""
    size, other_size = table.texts[one, SIZE], table.texts[other, SIZE]
    shift = abs(size - other_size)
    size = max(size, other_size)
    is_few = max(own_count, count) <= limits.few_own_words and (
        shift <= limits.shifted_words or shift <= limits.shifted_share * size
    )
    has_number, has_other_number = False, False
    for at in range(own_count):
        has_number = has_number or table.letters[table.rows[own[at], WORD], IS_NUMBER] != 0
    for at in range(count):
        has_other_number = has_other_number or table.letters[table.rows[others[at], WORD], IS_NUMBER] != 0
    both_numbers = has_number and has_other_number
    is_cased = table.texts[one, IS_CASED] != 0 and table.texts[other, IS_CASED] != 0
    if is_few and both_numbers and _has_other_numbers(table, one, other, own, own_count, others, count, limits):
        return True
    if is_few:
        if has_number != has_other_number:
            return False
        least = 1 if is_cased and size < limits.long_form else 2
    else:
        if not is_cased:
            return False
        least = limits.recurring
    least = max(least - both_numbers, 1)
    return _share_no_name(table, own, own_count, others, count, is_cased, is_few, least, limits)


@kernel(f"{_TABLE}, int64, int64[:], {_LIMITS}, +int32[:], +int32[:], +int32[:], +int32[:], +uint8[:]")
def _write_verdicts(
    table: TextTable,
    one: int,
    others: I64,
    limits: NameLimits,
    place_of: I32,
    met: I32,
    own: I32,
    other_words: I32,
    verdicts: Bytes,
) -> None:
    """Write 1 to `verdicts`, uint8 [others], for the texts that are of one form with the text `one`, else 0.

    `place_of`, int32 [words of the vocabulary], is all -1, before and after. `met`, `own` and `other_words`, int32, are
    room for the words of the longest text.
    """
    first = table.texts[one, FIRST_ROW]
    size = table.texts[one, LAST_ROW] - first
    for place in range(size):
        place_of[table.words[first + place]] = place
        met[place] = -1
    for at in range(len(others)):
        other = others[at]
        count = 0
        for row in range(table.texts[other, FIRST_ROW], table.texts[other, LAST_ROW]):
            place = place_of[table.words[row]]
            if place >= 0:
                met[place] = at
            elif table.rows[row, COUNT] > 0:
                other_words[count] = row
                count += 1
        own_count = 0
        for place in range(size):
            if met[place] != at and table.rows[first + place, COUNT] > 0:
                own[own_count] = first + place
                own_count += 1
        verdicts[at] = _has_other_names(table, one, other, own, own_count, other_words, count, limits)
    for place in range(size):
        place_of[table.words[first + place]] = -1


def have_other_names(table: TextTable, one: int, others: I64, limits: NameLimits, room: I32) -> Bools:
    """Return which of `others` are of one form with the text `one`, by their words alone: bool [others].

    `others` are numbers of texts, int64 [others]. `room`, int32 [4, words], is all -1 in its first row. The compiled
    version of `dedup.match.form_names.have_other_names`.
    """
    verdicts = np.empty(len(others), np.uint8)
    _write_verdicts(table, one, others, limits, room[0], room[1], room[2], room[3], verdicts)
    answer: Bools = verdicts.view(bool)
    return answer
