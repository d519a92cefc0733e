"""The form and the frame of each line of a batch: the compiled version of `dedup.site_text.line_forms`."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dedup.arrays import I64, U64, Bytes
from dedup.kernels.constants import FNV_OFFSET, FNV_PRIME, SPACE_BYTE
from dedup.kernels.declare import kernel, part
from dedup.kernels.utf8 import character_width, code_point_at
from dedup.segment.batch import Segments
from dedup.site_text import line_forms as definition
from dedup.site_text.characters import CLASS_OF, character_classes
from dedup.site_text.dates import date_name_hashes
from dedup.site_text.line_forms import FORM_BITS, FORM_SHIFTS, FRAME_WORDS, SHARES, TITLE_RUN, LineForms
from dedup.site_text.site_words import site_word_hashes

_CLASS_UPPER, _CLASS_DIGIT, _CLASS_SPACE, _CLASS_AT, _CLASS_DASH = (CLASS_OF[name] for name in "Ud_@-")
_CLASS_END, _CLASS_WIDE_END, _CLASS_QUESTION, _CLASS_WIDE_QUESTION, _CLASS_ELLIPSIS = (
    CLASS_OF[name] for name in ".E?Q…"
)
_CLASS_COLON, _CLASS_COMMA, _CLASS_SEPARATOR, _CLASS_QUOTE, _CLASS_CLOSER = (CLASS_OF[name] for name in ':,|")')
_CLASSED_CODES = 0x10000
_DATE_NAME, _TITLE_NAME = np.uint64(definition.DATE_NAME), np.uint64(definition.TITLE_NAME)
_FOLDED_DIGIT = np.uint64(48)

# The place of each member of a form, and the highest value that there is room for.
_AT_FIRST, _AT_LAST, _AT_CAPITALS, _AT_DIGITS, _AT_ENDS, _AT_COMMAS, _AT_SEPARATORS = (
    FORM_SHIFTS[name] for name in ("first", "last", "capitals", "digits", "ends", "commas", "separators")
)
_AT_QUOTES, _AT_QUOTED, _AT_AT, _AT_TIME, _AT_TITLE, _AT_FROM, _AT_OF = (
    FORM_SHIFTS[name] for name in ("quotes", "is_quoted", "has_at", "has_time", "is_title", "from_title", "of_title")
)
_AT_SITE_WORDS = FORM_SHIFTS["site_words"]
_MOST_SIGNS = (1 << FORM_BITS["commas"]) - 1  # as many as ends and separators
_MOST_QUOTES = (1 << FORM_BITS["quotes"]) - 1
_MOST_SITE_WORDS = (1 << FORM_BITS["site_words"]) - 1

# The set of the words of two titles is a hash table of so many slots, of which at most a quarter are used.
_TITLE_SLOTS = 512
_SITE_SLOTS = 8192  # the same for the list of site words


@part
def _form_of(data: Bytes, start: int, stop: int, classes: Bytes) -> Any:
    """Return the form of the line ``data[start:stop]``, as `dedup.site_text.line_forms.form_of` describes it."""
    zero: Any = np.int64(0)
    length = characters = quoted_length = zero  # up to the last character that is no space
    first = last = zero
    tokens = capitals = digits = ends = commas = separators = quotes = zero
    has_at = has_time = zero
    trailing = zero  # spaces since
    previous, before_previous = zero + _CLASS_SPACE, zero + _CLASS_SPACE
    last_before = zero  # class before the last character that is no space, quotation mark or bracket
    pending = zero  # the character before may end a sentence
    at = start
    while at < stop:
        width = character_width(data[at])
        code = code_point_at(data, at, width)
        at += width
        kind: Any = np.int64(classes[code]) if code < _CLASSED_CODES else zero
        if pending and kind in (_CLASS_SPACE, _CLASS_QUOTE, _CLASS_CLOSER):
            ends += 1
        pending = zero
        if kind == _CLASS_SPACE:
            if length > 0:
                trailing += 1
        else:
            if length == 0:
                first = kind
            if quotes & 1:
                quoted_length += trailing + (kind != _CLASS_QUOTE)
            length += trailing + 1
            trailing = zero
            characters += 1
            if previous == _CLASS_SPACE:
                tokens += 1
                capitals += kind == _CLASS_UPPER
            digits += kind == _CLASS_DIGIT
            commas += kind == _CLASS_COMMA
            separators += kind == _CLASS_SEPARATOR
            has_at |= kind == _CLASS_AT
            if kind == _CLASS_DIGIT and before_previous == _CLASS_DIGIT:
                has_time |= previous in (_CLASS_COLON, _CLASS_END, _CLASS_DASH, _CLASS_SEPARATOR)
            if kind in (_CLASS_WIDE_END, _CLASS_WIDE_QUESTION):
                ends += 1
            elif kind in (_CLASS_END, _CLASS_QUESTION, _CLASS_ELLIPSIS):
                pending = zero + 1
            if kind == _CLASS_QUOTE:
                quotes += 1
            elif kind != _CLASS_CLOSER:
                last, last_before = kind, previous
        before_previous, previous = previous, kind
    ends += pending
    if last == _CLASS_END and last_before == _CLASS_END:
        last = zero + _CLASS_ELLIPSIS
    form = first << _AT_FIRST | last << _AT_LAST
    form |= (capitals * SHARES // max(tokens, 1)) << _AT_CAPITALS
    form |= (digits * SHARES // max(characters, 1)) << _AT_DIGITS
    form |= min(ends, _MOST_SIGNS) << _AT_ENDS
    form |= min(commas, _MOST_SIGNS) << _AT_COMMAS
    form |= min(separators, _MOST_SIGNS) << _AT_SEPARATORS
    form |= min(quotes, _MOST_QUOTES) << _AT_QUOTES
    if quotes > 0 and 2 * quoted_length >= length:
        form |= zero + 1 << _AT_QUOTED
    form |= has_at << _AT_AT | has_time << _AT_TIME
    return form


@part
def _find_slot(value: np.uint64, slots: U64) -> Any:
    """Return the place of `value` in `slots`, or of the free slot, 0, for it: uint64 [a power of two]."""
    last = np.int64(len(slots) - 1)
    slot: Any = np.int64(value) & last
    while slots[slot] != value and slots[slot] != np.uint64(0):
        slot = (slot + 1) & last
    return slot


@part
def _count_site_words(hashes: U64, first: int, count: int, site_slots: U64) -> Any:
    """Return how many of `count` words, from `first` on in `hashes`, and pairs of them are in the set `site_slots`."""
    found: Any = np.int64(0)
    for at in range(first, first + count):
        found += site_slots[_find_slot(hashes[at], site_slots)] == hashes[at]
        if at > first:
            pair = (((FNV_OFFSET ^ hashes[at - 1]) * FNV_PRIME) ^ hashes[at]) * FNV_PRIME
            found += site_slots[_find_slot(pair, site_slots)] == pair
    return min(found, _MOST_SITE_WORDS)


@part
def _is_date_name(value: np.uint64, names: U64) -> bool:
    """Return True if `value` is one of `names`, uint64 [names], which are ascending."""
    low = 0
    high = len(names)
    while low < high:
        middle = (low + high) // 2
        if names[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low < len(names) and names[low] == value


@part
def _is_listed(hashes: U64, first: int, count: int, others: U64, start: int) -> bool:
    """Return True if the `count` hashes from `first` on are those of `others` from `start` on: uint64 [words]."""
    equal = 0
    while equal < count and hashes[first + equal] == others[start + equal]:
        equal += 1
    return equal == count


@part
def _has_digit(keys: Bytes, start: int, stop: int) -> bool:
    """Return True if ``keys[start:stop]`` has an ASCII digit."""
    at = start
    while at < stop and not 48 <= keys[at] <= 57:
        at += 1
    return at < stop


@part
def _frame_of(
    keys: Bytes, start: int, stop: int, hashes: U64, first: int, count: int, slots: U64, names: U64, folded_words: U64
) -> Any:
    """Return the frame of the line with the key ``keys[start:stop]`` and `count` words, from `first` on in `hashes`.

    `slots` is the set of the words of titles, `names` the date names, and `folded_words` room for `FRAME_WORDS` words.
    """
    is_dated = _has_digit(keys, start, stop)
    frame = FNV_OFFSET
    at = start
    run = 0
    for word in range(count):
        value = hashes[first + word]
        folded = value
        if is_dated:
            has_digit = False
            previous_is_digit = False
            without = FNV_OFFSET
            while at < stop and keys[at] != SPACE_BYTE:
                is_digit = 48 <= keys[at] <= 57
                has_digit |= is_digit
                if not is_digit:
                    without = (without ^ np.uint64(keys[at])) * FNV_PRIME
                elif not previous_is_digit:
                    without = (without ^ _FOLDED_DIGIT) * FNV_PRIME
                previous_is_digit = is_digit
                at += 1
            at += 1
            if has_digit:
                folded = without
            elif _is_date_name(value, names):
                folded = _DATE_NAME
        if slots[_find_slot(value, slots)] == value and value != np.uint64(0):
            folded_words[run] = folded
            run += 1
            continue
        frame = _add_run(frame, folded_words, run)
        run = 0
        frame = (frame ^ folded) * FNV_PRIME
    return _add_run(frame, folded_words, run)


@part
def _add_run(frame: np.uint64, folded_words: U64, run: int) -> Any:
    """Return `frame` with the first `run` of `folded_words`, words of a title in a row, added."""
    if run >= TITLE_RUN:
        return (frame ^ _TITLE_NAME) * FNV_PRIME
    for at in range(run):
        frame = (frame ^ folded_words[at]) * FNV_PRIME
    return frame


@part
def _fill_slots(values: U64, start: int, stop: int, slots: U64) -> None:
    """Add ``values[start:stop]`` to the set `slots`."""
    for at in range(start, stop):
        slots[_find_slot(values[at], slots)] = values[at]


@kernel(
    "uint8[:], int64[:], int64[:], int64[:], int64[:], int64[:], uint8[:], int64[:], int64[:], uint64[:], uint64[:], "
    "int64[:], uint8[:], uint64[:], uint64[:], +uint64[:], +uint64[:], +int64[:], +uint64[:]"
)
def _write_line_forms(
    data: Bytes,
    offsets: I64,
    borders: I64,
    starts: I64,
    stops: I64,
    words: I64,
    keys: Bytes,
    key_starts: I64,
    key_stops: I64,
    hashes: U64,
    title_hashes: U64,
    title_offsets: I64,
    classes: Bytes,
    names: U64,
    site_slots: U64,
    slots: U64,
    folded_words: U64,
    forms: I64,
    frames: U64,
) -> None:
    """Write the form and the frame of each line to `forms`, int64 [lines], and `frames`, uint64 [lines].

    The arrays up to `title_offsets` are those of `line_forms` and the members of its `segments`. `classes` and `names`
    are those of `dedup.site_text`, `site_slots` the set of its site words, `slots` and `folded_words` room: uint64
    [`_TITLE_SLOTS`] and [`FRAME_WORDS`].
    """
    zero: Any = np.int64(0)
    word: Any = zero
    for text in range(len(offsets) - 1):
        title_start, title_stop = title_offsets[text], title_offsets[text + 1]
        if title_stop - title_start > FRAME_WORDS:
            title_stop = title_start
        slots[:] = 0
        _fill_slots(title_hashes, title_start, title_stop, slots)
        title_words = title_stop - title_start
        is_first = True
        opening = zero - 1  # first word of the first line, if that is a title
        opening_words = zero
        at = offsets[text]
        characters = zero
        for line in range(borders[text], borders[text + 1]):
            count = words[line]
            if count == 0:
                continue
            while characters < starts[line]:
                at += character_width(data[at])
                characters += 1
            end: Any = at
            while characters < stops[line]:
                end += character_width(data[end])
                characters += 1
            form = _form_of(data, at, end, classes)
            at = end
            if is_first and count <= FRAME_WORDS:
                _fill_slots(hashes, word, word + count, slots)
                opening, opening_words = word, count
                if title_words == 0:
                    title_words = count
            is_first = False
            if count <= FRAME_WORDS:
                matched = zero
                for number in range(word, word + count):
                    matched += slots[_find_slot(hashes[number], slots)] == hashes[number]
                is_title = opening >= 0 and count == opening_words and _is_listed(hashes, word, count, hashes, opening)
                is_title |= count == title_stop - title_start and _is_listed(
                    hashes, word, count, title_hashes, title_start
                )
                if is_title:
                    form |= zero + 1 << _AT_TITLE
                form |= (matched * SHARES // count) << _AT_FROM
                form |= min(matched * SHARES // max(title_words, 1), SHARES) << _AT_OF
                form |= _count_site_words(hashes, word, count, site_slots) << _AT_SITE_WORDS
                if matched < count:
                    frames[line] = _frame_of(
                        keys, key_starts[line], key_stops[line], hashes, word, count, slots, names, folded_words
                    )
            forms[line] = form
            word += count


def line_forms(
    data: Bytes, offsets: I64, segments: Segments, hashes: U64, title_hashes: U64, title_offsets: I64
) -> LineForms:
    """Return the forms and frames of the paragraphs of a batch.

    `hashes` are those of all words of `segments`, uint64 [words]; `title_hashes` those of the words of titles, uint64
    [title words], from `title_offsets` on, int64 [texts + 1]. The compiled version of
    `dedup.site_text.line_forms.line_forms`.
    """
    forms, frames = np.zeros(len(segments.words), np.int64), np.zeros(len(segments.words), np.uint64)
    _write_line_forms(
        data,
        offsets,
        segments.borders,
        segments.starts,
        segments.stops,
        segments.words,
        segments.keys,
        segments.key_starts,
        segments.key_stops,
        hashes,
        title_hashes,
        title_offsets,
        character_classes(),
        date_name_hashes(),
        _site_slots(),
        np.zeros(_TITLE_SLOTS, np.uint64),
        np.zeros(FRAME_WORDS, np.uint64),
        forms,
        frames,
    )
    return LineForms(forms, frames.view(np.int64))


@cache
def _site_slots() -> U64:
    """Return the set of the hashes of site words: uint64 [`_SITE_SLOTS`]."""
    slots = np.zeros(_SITE_SLOTS, np.uint64)
    for value in site_word_hashes().tolist():
        slot = value % _SITE_SLOTS
        while slots[slot]:
            slot = (slot + 1) % _SITE_SLOTS
        slots[slot] = value
    return slots
