"""Segment a batch of texts into paragraphs and comparison keys: compiled functions of `dedup.segment.batch`.

One pass finds the lines of each text, a second one writes the keys of its paragraphs. Characters are decoded from UTF-8
one by one, and `dedup.kernels.characters` says what each becomes. The few "hard" paragraphs, which cannot be folded
character by character, are left to the definition: their keys are added afterwards.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, Bytes, decode_utf8, encode_utf8
from dedup.kernels.characters import (
    BREAK,
    CODES,
    EAST,
    ENDS_SORTED,
    HARD,
    IS_LONE,
    IS_MARK,
    IS_REMOVED,
    IS_SPACE,
    ITSELF,
    MARK,
    SOUTH,
    SPACED,
    Characters,
    characters,
)
from dedup.kernels.constants import NEWLINE_BYTE, SPACE_BYTE
from dedup.kernels.declare import kernel, part
from dedup.kernels.utf8 import character_width, code_point_at
from dedup.segment.batch import BatchKeys, Segments
from dedup.segment.words import CJK_LETTER_WEIGHT, SOUTHEAST_ASIAN_LETTER_WEIGHT, comparison_key, weighted_word_count

_MOST_MARKS = 30  # in a row; a longer run is hard, since the definition cuts runs at `dedup.segment.words.MAX_MARKS`

# The columns of the table of paragraphs: spans in the text, in the keys and in the data, and numbers of words.
_START, _STOP, _KEY_START, _KEY_STOP, _WORDS, _CJK_LETTERS, _BYTE_START, _BYTE_STOP, _SOUTHEAST_ASIAN_LETTERS = range(9)
_COLUMNS = 9

# What each ASCII character is folded to, uint8 [128]: a letter or a digit, and a space for any other.
_FOLDED_ASCII = np.array(
    [ord(chr(code).lower()) if chr(code).isalnum() else SPACE_BYTE for code in range(128)], np.uint8
)


@part
def _find_lines(data: Bytes, start: int, stop: int, breaks: I64, next_break: int, flags: Bytes, rows: I64) -> int:
    """Write the lines of ``data[start:stop]`` that are not blank to `rows`, and return their number.

    `rows` is int64 [room, 5]: the span in bytes of `data`, the span in code points of the text, and 1 if the line
    before is blank or missing. ``breaks[next_break:]`` are the bytes of the line breaks from `start` on: int64.
    `flags` are those of `dedup.kernels.characters.Characters`.
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
        if _is_blank(data, line, end, flags):
            after_blank = 1
        else:
            rows[count, 0], rows[count, 1], rows[count, 2], rows[count, 3] = line, end, place, place_end
            rows[count, 4] = after_blank
            count += 1
            after_blank = 0
        line = end + 1
        place = place_end + 1
    return count


@part
def _is_blank(data: Bytes, start: int, stop: int, flags: Bytes) -> bool:
    """Return True if ``data[start:stop]`` consists of white space."""
    at = start
    while at < stop:
        width = character_width(data[at])
        code = code_point_at(data, at, width)
        if code >= CODES or flags[code] & IS_SPACE == 0:
            return False
        at += width
    return True


@part
def _join_lines(rows: I64, count: int) -> int:
    """Join each run of lines without a blank one between them, and return the number of paragraphs.

    If the text has one run only, each line is a paragraph. `rows` is as `_find_lines` writes it and is changed in
    place; `count` is the number of lines.
    """
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


@part
def _write_key(
    data: Bytes,
    start: int,
    stop: int,
    becomes: npt.NDArray[np.int32],
    classes: Bytes,
    flags: Bytes,
    stream: Bytes,
    folded_ascii: Bytes,
    out: Bytes,
    first: int,
    counts: I64,
) -> int:
    """Write the key of ``data[start:stop]`` to ``out[first:]`` and return its end, or -1 if the paragraph is hard.

    `data` and `out` are uint8 [bytes]. `becomes`, `classes`, `flags` and `stream` are those of
    `dedup.kernels.characters.Characters`, `folded_ascii` is `_FOLDED_ASCII`. `counts`, int64 [3], receives the number
    of all words, of those that are a CJK letter, and of those that are a letter of a Southeast Asian script.
    """
    position = first
    room = first + 2 * (stop - start)  # a longer key is hard
    state = BREAK  # the open word: `BREAK` for none, else `SPACED`, `EAST` or `SOUTH`
    gap = True  # whether the key so far is empty or ends with a space
    words = east = south = 0
    marks = 0
    ends_sorted = False
    at = start
    while at < stop:
        byte = data[at]
        if byte < 0x80:
            if not gap and state != SPACED:
                out[position] = SPACE_BYTE
                position += 1
                gap = True
            previous = np.uint8(SPACE_BYTE if gap else 0)
            while at < stop and data[at] < 0x80:  # write each character; a space after a space is overwritten
                folded = folded_ascii[data[at]]
                out[position] = folded
                position += (folded != SPACE_BYTE) | (previous != SPACE_BYTE)
                words += (folded != SPACE_BYTE) & (previous == SPACE_BYTE)
                previous = folded
                at += 1
            gap = previous == SPACE_BYTE
            state = BREAK if gap else SPACED
            marks = 0
            ends_sorted = False
            continue
        width = character_width(byte)
        code = code_point_at(data, at, width)
        if code >= CODES:
            return -1
        place = becomes[code]
        flag = flags[code]
        if flag & IS_REMOVED:
            at += width
            continue
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
        # The bytes behind the character become one and a half as many at most, with spaces: “a京” takes six of four.
        if position + 5 * parts + 3 * (stop - at) // 2 > room + 4:
            return -1
        for _ in range(parts):
            if place == ITSELF:
                kind: Any = classes[code]
                size: Any = width
                source: Any = at
            else:
                kind, size, source = stream[place], np.int64(stream[place + 1]), place + 2
                place += 2 + size
            opens = kind != MARK and (kind != SPACED or state != SPACED)
            if kind == MARK:
                kind = state  # `BREAK` where no word is before it
            if kind == BREAK:
                state = BREAK
                continue
            if opens:
                if not gap:
                    out[position] = SPACE_BYTE
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


@kernel(
    "uint8[:], int64[:], int32[:], uint8[:], uint8[:], uint8[:], uint8[:], int64[:], "
    "+int64[:,:], +int64[:,:], +int64[:], +uint8[:], +int64[:], +int64[:]"
)
def _write_segments(
    data: Bytes,
    offsets: I64,
    becomes: npt.NDArray[np.int32],
    classes: Bytes,
    flags: Bytes,
    stream: Bytes,
    folded_ascii: Bytes,
    breaks: I64,
    rows: I64,
    table: I64,
    counts: I64,
    out: Bytes,
    key_offsets: I64,
    word_counts: I64,
) -> None:
    """Write a row for each paragraph to `table`, and the keys to `out`; a hard paragraph has -1 words and no key.

    `data` is uint8 [bytes] and `offsets` int64 [texts + 1], in bytes. `breaks` are the bytes of all line breaks and
    one behind the data, int64. `rows` is room for `_find_lines`. `table` is int64 [room, `_COLUMNS`]; `counts`, int64
    [texts + 1], receives the number of each text's first paragraph, and `key_offsets`, int64 [texts + 1], the offsets
    of the texts' keys in `out`, uint8 [room]. `word_counts`, int64 [3], is room. The other arrays are those of
    `_write_key`.
    """
    number = 0
    position = 0
    next_break = 0
    for text in range(len(offsets) - 1):
        while breaks[next_break] < offsets[text]:
            next_break += 1
        paragraph_count = _join_lines(
            rows, _find_lines(data, offsets[text], offsets[text + 1], breaks, next_break, flags, rows)
        )
        has_words = False
        for row in range(paragraph_count):
            first = position + has_words
            end = _write_key(
                data, rows[row, 0], rows[row, 1], becomes, classes, flags, stream, folded_ascii, out, first, word_counts
            )
            columns = table[number]
            columns[_START], columns[_STOP] = rows[row, 2], rows[row, 3]
            columns[_BYTE_START], columns[_BYTE_STOP] = rows[row, 0], rows[row, 1]
            if end > first:
                if has_words:
                    out[position] = SPACE_BYTE
                columns[_KEY_START], columns[_KEY_STOP] = first, end
                position = end
                has_words = True
            else:
                columns[_KEY_START], columns[_KEY_STOP] = position, position
            columns[_WORDS], columns[_CJK_LETTERS] = word_counts[0], word_counts[1]
            columns[_SOUTHEAST_ASIAN_LETTERS] = word_counts[2]
            if end < 0:
                columns[_WORDS] = -1
            elif end == first:
                columns[_WORDS] = columns[_CJK_LETTERS] = columns[_SOUTHEAST_ASIAN_LETTERS] = 0
            number += 1
        counts[text + 1] = number
        key_offsets[text + 1] = position


def segment_batch(data: Bytes, offsets: I64) -> Segments:
    """Return the paragraphs of a batch of texts, with their comparison keys.

    `data` is the UTF-8 of the texts, uint8 [bytes]; `offsets` are where they start, int64 [texts + 1], in bytes. The
    compiled version of `dedup.segment.batch.segment_batch`.
    """
    characters_: Characters = characters()
    breaks = np.append(np.flatnonzero(data == NEWLINE_BYTE), len(data) + 1)
    lines = len(breaks)
    texts = len(offsets) - 1
    rows = np.empty((lines + 2, 5), np.int64)
    table = np.zeros((lines + texts, _COLUMNS), np.int64)
    counts = np.zeros(texts + 1, np.int64)
    out = np.empty(2 * len(data) + lines + texts + 16, np.uint8)
    key_offsets = np.zeros(texts + 1, np.int64)
    _write_segments(
        data,
        offsets,
        characters_.becomes,
        characters_.classes,
        characters_.flags,
        characters_.stream,
        _FOLDED_ASCII,
        breaks,
        rows,
        table,
        counts,
        out,
        key_offsets,
        np.zeros(3, np.int64),
    )
    columns = np.ascontiguousarray(table[: counts[-1]].T)
    words = columns[_WORDS]
    cjk_letters, southeast_asian_letters = columns[_CJK_LETTERS], columns[_SOUTHEAST_ASIAN_LETTERS]
    segments = Segments(
        borders=counts,
        starts=columns[_START],
        stops=columns[_STOP],
        key_starts=columns[_KEY_START],
        key_stops=columns[_KEY_STOP],
        words=words,
        sizes=words
        + (CJK_LETTER_WEIGHT - 1) * cjk_letters
        + (SOUTHEAST_ASIAN_LETTER_WEIGHT - 1) * southeast_asian_letters,
        keys=out[: key_offsets[-1]],
        key_offsets=key_offsets,
    )
    hard = np.flatnonzero(words < 0)
    if not len(hard):
        return segments
    return _with_hard_keys(segments, hard, data, columns[_BYTE_START], columns[_BYTE_STOP])


def _with_hard_keys(segments: Segments, hard: I64, data: Bytes, byte_starts: I64, byte_stops: I64) -> Segments:
    """Return `segments` with the keys of the paragraphs `hard`, int64 [hard paragraphs], from the definition.

    Paragraph p is ``data[byte_starts[p]:byte_stops[p]]``: `data` uint8 [bytes], the others int64 [paragraphs].
    """
    starts, stops = segments.key_starts.copy(), segments.key_stops.copy()
    words, sizes = segments.words.copy(), segments.sizes.copy()
    parts = [segments.keys.tobytes()]
    position = len(segments.keys)
    for number in hard.tolist():
        key = comparison_key(decode_utf8(data[byte_starts[number] : byte_stops[number]].tobytes()))
        key_words = key.split()
        encoded = encode_utf8(key)
        words[number], sizes[number] = len(key_words), weighted_word_count(key_words)
        starts[number], stops[number] = position, position + len(encoded)
        position += len(encoded)
        parts.append(encoded)
    keys = np.frombuffer(b"".join(parts), np.uint8)
    return segments._replace(words=words, sizes=sizes, **join_keys(keys, starts, stops, segments.borders)._asdict())


@kernel("uint8[:], int64[:], int64[:], int64[:], +uint8[:], +int64[:], +int64[:], +int64[:]")
def _write_joined_keys(
    data: Bytes,
    starts: I64,
    stops: I64,
    offsets: I64,
    out: Bytes,
    out_starts: I64,
    out_stops: I64,
    out_offsets: I64,
) -> None:
    """Write the keys of texts to `out`, uint8 [room], and their spans to the arrays after it.

    `out_starts` and `out_stops` are int64 [paragraphs], `out_offsets` int64 [texts + 1], all in bytes of `out`. The
    first four arrays are those of `join_keys`.
    """
    position = 0
    for text in range(len(offsets) - 1):
        has_words = False
        for number in range(offsets[text], offsets[text + 1]):
            size = stops[number] - starts[number]
            if size > 0 and has_words:
                out[position] = SPACE_BYTE
                position += 1
            has_words = has_words or size > 0
            out_starts[number] = position
            for at in range(size):
                out[position + at] = data[starts[number] + at]
            position += size
            out_stops[number] = position
        out_offsets[text + 1] = position


def join_keys(data: Bytes, starts: I64, stops: I64, offsets: I64) -> BatchKeys:
    """Return the comparison keys of texts, joined from the keys ``data[start:stop]`` of their paragraphs.

    `data` is uint8 [bytes]; `starts` and `stops` are int64 [paragraphs], in bytes. `offsets` are the numbers of the
    texts' first paragraphs: int64 [texts + 1]. The compiled version of `dedup.segment.batch.join_keys`.
    """
    out = np.empty(int((stops - starts).sum()) + len(starts), np.uint8)
    joined = BatchKeys(np.empty_like(starts), np.empty_like(starts), out, np.zeros(len(offsets), np.int64))
    _write_joined_keys(data, starts, stops, offsets, out, joined.key_starts, joined.key_stops, joined.key_offsets)
    return joined._replace(keys=out[: joined.key_offsets[-1]])
