"""Segment a batch of texts into paragraphs and comparison keys: `dedup.segment.batch`, compiled.

A paragraph with a character that cannot be folded by itself is "hard": the definition computes its key. All texts are
one array of UTF-8 bytes, uint8 [bytes], with offsets, int64 [texts + 1].
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, Bytes, decode_utf8, encode_utf8
from dedup.kernels.characters import (
    CODES,
    EAST,
    ENDS_SORTED,
    HARD,
    IS_LONE,
    IS_MARK,
    IS_SPACE,
    ITSELF,
    MARK,
    SOUTH,
    SPACED,
    Characters,
    characters,
)
from dedup.kernels.jit import inlined, njit
from dedup.segment.batch import BatchKeys, Segments
from dedup.segment.words import CJK_LETTER_WEIGHT, SOUTHEAST_ASIAN_LETTER_WEIGHT, comparison_key, weighted_word_count

_MOST_MARKS = 30  # consecutive marks; a longer run is hard, because the definition cuts runs at `MAX_MARKS`
_LINE_BREAK = 10
_SPACE = 32


@inlined
def _width(byte: int) -> int:
    """Return the number of bytes of the character that starts with `byte`."""
    return 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4


@inlined
def _code(data: Bytes, at: int, width: int) -> Any:
    """Return the code point of the character of `width` bytes at ``data[at]``."""
    if width == 1:
        return np.int64(data[at])
    if width == 2:
        return (np.int64(data[at]) & 0x1F) << 6 | (np.int64(data[at + 1]) & 0x3F)
    if width == 3:
        return (
            (np.int64(data[at]) & 0x0F) << 12 | (np.int64(data[at + 1]) & 0x3F) << 6 | (np.int64(data[at + 2]) & 0x3F)
        )
    return (
        (np.int64(data[at]) & 0x07) << 18
        | (np.int64(data[at + 1]) & 0x3F) << 12
        | (np.int64(data[at + 2]) & 0x3F) << 6
        | (np.int64(data[at + 3]) & 0x3F)
    )


@njit
def _lines(data: Bytes, start: int, stop: int, breaks: I64, next_break: int, flags: Bytes, rows: I64) -> int:
    """Store the non-blank lines in `rows` and return their number.

    A row is ``(byte start, byte stop, start, stop, whether the line before is blank)``; starts and stops are in code
    points. ``breaks[next_break:]`` are the offsets of the line breaks from `start` on.
    """
    count = 0
    after_blank = 1
    line = start
    place = 0  # start of the line, in code points
    while line <= stop:
        end = min(breaks[next_break], stop)
        next_break += 1
        inside = 0  # continuation bytes
        for at in range(line, end):
            inside += (data[at] & 0xC0) == 0x80
        place_end = place + end - line - inside
        if _blank(data, line, end, flags):
            after_blank = 1
        else:
            rows[count, 0], rows[count, 1], rows[count, 2], rows[count, 3] = line, end, place, place_end
            rows[count, 4] = after_blank
            count += 1
            after_blank = 0
        line = end + 1
        place = place_end + 1
    return count


@njit
def _blank(data: Bytes, start: int, stop: int, flags: Bytes) -> bool:
    """Return True if ``data[start:stop]`` is only white space."""
    at = start
    while at < stop:
        width = _width(data[at])
        code = _code(data, at, width)
        if code >= CODES or flags[code] & IS_SPACE == 0:
            return False
        at += width
    return True


@njit
def _paragraphs(rows: I64, count: int) -> int:
    """Join consecutive lines in place if there is more than one run of them, and return the number of paragraphs."""
    runs = 0
    for row in range(count):
        runs += rows[row, 4]
    if runs < 2:
        return count
    kept = -1
    for row in range(count):
        if rows[row, 4]:
            kept += 1
            rows[kept, 0], rows[kept, 2] = rows[row, 0], rows[row, 2]
        rows[kept, 1], rows[kept, 3] = rows[row, 1], rows[row, 3]
    return runs


@njit
def _key(
    data: Bytes,
    start: int,
    stop: int,
    becomes: npt.NDArray[np.int32],
    classes: Bytes,
    flags: Bytes,
    stream: Bytes,
    ascii_fold: Bytes,
    out: Bytes,
    first: int,
    counts: I64,
) -> int:
    """Write the key of ``data[start:stop]`` to ``out[first:]`` and return its end, or -1 if the paragraph is hard.

    `counts` receives three numbers of words: all, those that are a CJK letter, and those that are a letter of a
    Southeast Asian script without spaces.
    """
    position = first
    room = first + 2 * (stop - start)  # a longer key is hard
    state = 0  # the open word: 0 for none, else `SPACED`, `EAST` or `SOUTH`
    gap = True  # whether the key so far is empty or ends with a space
    words = east = south = 0
    marks = 0
    ends_sorted = False
    at = start
    while at < stop:
        byte = data[at]
        if byte < 0x80:
            if not gap and state != SPACED:
                out[position] = _SPACE
                position += 1
                gap = True
            previous = np.uint8(_SPACE if gap else 0)
            while at < stop and data[at] < 0x80:  # write each character; a space after a space is overwritten
                folded = ascii_fold[data[at]]
                out[position] = folded
                position += (folded != _SPACE) | (previous != _SPACE)
                words += (folded != _SPACE) & (previous == _SPACE)
                previous = folded
                at += 1
            gap = previous == _SPACE
            state = 0 if gap else SPACED
            marks = 0
            ends_sorted = False
            continue
        width = _width(byte)
        code = _code(data, at, width)
        if code >= CODES:
            return -1
        place = becomes[code]
        flag = flags[code]
        if place == HARD or (flag & IS_LONE and ends_sorted):
            return -1
        marks = marks + 1 if flag & IS_MARK else 0
        if marks > _MOST_MARKS:
            return -1
        ends_sorted = flag & ENDS_SORTED != 0
        parts: Any = 1
        if place != ITSELF:
            parts = np.int64(stream[place])
            place += 1
        if position + 5 * parts > room + 4:
            return -1
        for _ in range(parts):
            if place == ITSELF:
                kind: Any = classes[code]
                size: Any = width
                source: Any = at
            else:
                kind, size, source = stream[place], np.int64(stream[place + 1]), place + 2
                place += 2 + size
            if kind == 0:
                state = 0
                continue
            if kind == MARK:
                opens = state == 0
                kind = SPACED if opens else state
            else:
                opens = kind != SPACED or state != SPACED
            if opens:
                if not gap:
                    out[position] = _SPACE
                    position += 1
                words += 1
                east += kind == EAST
                south += kind == SOUTH
                state = kind
            for offset in range(size):
                out[position + offset] = data[source + offset] if place == ITSELF else stream[source + offset]
            position += size
            gap = False
        at += width
    if gap and position > first:
        position -= 1
    counts[0], counts[1], counts[2] = words, east, south
    return position


@njit
def _segments(
    data: Bytes,
    borders: I64,
    becomes: npt.NDArray[np.int32],
    classes: Bytes,
    flags: Bytes,
    stream: Bytes,
    ascii_fold: Bytes,
    breaks: I64,
    rows: I64,
    table: I64,
    counts: I64,
    out: Bytes,
    key_borders: I64,
) -> None:
    """Fill `table`, one row per paragraph, and the keys; a hard paragraph gets -1 words and no key."""
    number = 0
    position = 0
    next_break = 0
    tally = np.zeros(3, np.int64)
    for text in range(len(borders) - 1):
        while breaks[next_break] < borders[text]:
            next_break += 1
        found = _paragraphs(rows, _lines(data, borders[text], borders[text + 1], breaks, next_break, flags, rows))
        opened = False
        for row in range(found):
            first = position + opened
            end = _key(data, rows[row, 0], rows[row, 1], becomes, classes, flags, stream, ascii_fold, out, first, tally)
            one = table[number]
            one[0], one[1] = rows[row, 2], rows[row, 3]
            one[6], one[7] = rows[row, 0], rows[row, 1]
            if end > first:
                if opened:
                    out[position] = _SPACE
                one[2], one[3] = first, end
                position = end
                opened = True
            else:
                one[2], one[3] = position, position
            one[4], one[5] = tally[0], tally[1]
            one[8] = tally[2]
            if end < 0:
                one[4] = -1
            elif end == first:
                one[4] = one[5] = one[8] = 0
            number += 1
        counts[text + 1] = number
        key_borders[text + 1] = position


def segment_batch(data: Bytes, borders: I64) -> Segments:
    """Return the paragraphs and keys of texts: `dedup.segment.batch.segment_batch`, compiled."""
    table: Characters = characters()
    breaks = np.append(np.flatnonzero(data == _LINE_BREAK), len(data) + 1)
    lines = len(breaks)
    texts = len(borders) - 1
    rows = np.empty((lines + 2, 5), np.int64)
    found = np.zeros((lines + texts, 9), np.int64)
    counts = np.zeros(texts + 1, np.int64)
    out = np.empty(2 * len(data) + lines + texts + 16, np.uint8)
    key_borders = np.zeros(texts + 1, np.int64)
    _segments(
        data,
        borders,
        table.becomes,
        table.classes,
        table.flags,
        table.stream,
        _ASCII_FOLD,
        breaks,
        rows,
        found,
        counts,
        out,
        key_borders,
    )
    found = found[: counts[-1]]
    sizes = found[:, 4] + (CJK_LETTER_WEIGHT - 1) * found[:, 5] + (SOUTHEAST_ASIAN_LETTER_WEIGHT - 1) * found[:, 8]
    columns = np.ascontiguousarray(found.T)
    starts, stops, key_starts, key_stops, words, _, byte_starts, byte_stops, _ = columns
    keys = out[: key_borders[-1]]
    made = Segments(counts, starts, stops, key_starts, key_stops, words, sizes, keys, key_borders)
    hard = np.flatnonzero(words < 0)
    return _spliced(made, hard, data, byte_starts, byte_stops) if len(hard) else made


def _spliced(made: Segments, hard: I64, data: Bytes, byte_starts: I64, byte_stops: I64) -> Segments:
    """Return `made` with the keys of the paragraphs `hard`, computed by the definition."""
    starts, stops = made.key_starts.copy(), made.key_stops.copy()
    words, sizes = made.words.copy(), made.sizes.copy()
    pieces = [made.keys.tobytes()]
    position = len(made.keys)
    for number in hard.tolist():
        key = comparison_key(decode_utf8(data[byte_starts[number] : byte_stops[number]].tobytes()))
        found = key.split()
        own = encode_utf8(key)
        words[number], sizes[number] = len(found), weighted_word_count(found)
        starts[number], stops[number] = position, position + len(own)
        position += len(own)
        pieces.append(own)
    whole = np.frombuffer(b"".join(pieces), np.uint8)
    return made._replace(words=words, sizes=sizes, **join_keys(whole, starts, stops, made.borders)._asdict())


@njit
def _joined(
    data: Bytes,
    starts: I64,
    stops: I64,
    borders: I64,
    out: Bytes,
    out_starts: I64,
    out_stops: I64,
    out_borders: I64,
) -> None:
    position = 0
    for text in range(len(borders) - 1):
        opened = False
        for number in range(borders[text], borders[text + 1]):
            size = stops[number] - starts[number]
            if size > 0 and opened:
                out[position] = _SPACE
                position += 1
            opened = opened or size > 0
            out_starts[number] = position
            out[position : position + size] = data[starts[number] : stops[number]]
            position += size
            out_stops[number] = position
        out_borders[text + 1] = position


def join_keys(data: Bytes, starts: I64, stops: I64, borders: I64) -> BatchKeys:
    """Return the keys of texts from those of their paragraphs: `dedup.segment.batch.join_keys`, compiled."""
    out = np.empty(int((stops - starts).sum()) + len(starts), np.uint8)
    made = BatchKeys(np.empty_like(starts), np.empty_like(starts), out, np.zeros(len(borders), np.int64))
    _joined(data, starts, stops, borders, out, made.key_starts, made.key_stops, made.key_borders)
    return made._replace(keys=out[: made.key_borders[-1]])


_ASCII_FOLD = np.array(
    [ord(chr(code).lower()) if chr(code).isalnum() or chr(code) == "_" else _SPACE for code in range(128)], np.uint8
)
