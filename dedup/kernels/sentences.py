"""Split the paragraphs of one text into sentences: the compiled version of `dedup.segment.sentences`."""

from __future__ import annotations

from functools import cache

import numpy as np

from dedup.arrays import I64, Bytes
from dedup.kernels.declare import kernel, part
from dedup.segment import sentences as definition
from dedup.segment.sentences import Sentences
from dedup.segment.word_offsets import UNDECIDED, WHOLE_WORD, WORD_PART, code_points, word_classes

# Bits of a character.
_SPACE_BIT, _NEWLINE_BIT, _STOP_BIT, _CLOSER_BIT, _WIDE_STOP_BIT, _WIDE_CLOSER_BIT, _SPACED_BIT = 1, 2, 4, 8, 16, 32, 64


@cache
def _bits_of_code_points() -> Bytes:
    """Return the bits of each character: uint8 [code points]."""
    bits = np.zeros(0x110000, np.uint8)
    for low, high in definition.SPACE_ENDS_SENTENCE:
        bits[low : high + 1] |= _SPACED_BIT
    spaces = [code for code in range(0x3001) if chr(code).isspace()]  # none is above the ideographic one
    for characters, bit in (
        ("".join(map(chr, spaces)), _SPACE_BIT),
        ("\n", _NEWLINE_BIT),
        (definition.STOPS, _STOP_BIT),
        (definition.CLOSERS, _CLOSER_BIT),
        (definition.WIDE_STOPS, _WIDE_STOP_BIT),
        (definition.WIDE_CLOSERS, _WIDE_CLOSER_BIT),
    ):
        bits[list(map(ord, characters))] |= bit
    return bits


@part
def _skip(bits: Bytes, at: int, stop: int, mask: int) -> int:
    """Return the first character from `at` on, or `stop`, that has no bit of `mask`; `bits` is uint8 [characters]."""
    while at < stop and bits[at] & mask:
        at += 1
    return at


@part
def _border_end(bits: Bytes, start: int, at: int, stop: int) -> int:
    """Return the end of the border that starts at character `at` of a paragraph, or 0 if none does."""
    if bits[at] & _NEWLINE_BIT:
        return _skip(bits, at, stop, _SPACE_BIT)
    if bits[at] & _STOP_BIT:
        end = _skip(bits, _skip(bits, at, stop, _STOP_BIT), stop, _CLOSER_BIT)
        behind = _skip(bits, end, stop, _SPACE_BIT)
        return behind if behind > end else 0
    if bits[at] & _WIDE_STOP_BIT:
        return _skip(bits, _skip(bits, _skip(bits, at, stop, _WIDE_STOP_BIT), stop, _WIDE_CLOSER_BIT), stop, _SPACE_BIT)
    if bits[at] & _SPACE_BIT and at > start and bits[at - 1] & _SPACED_BIT:
        return _skip(bits, at, stop, _SPACE_BIT)
    return 0


@kernel("uint8[:], uint8[:], int64[:,:], int64[:], +int64[:,:]", returns="int64")
def _write_sentences(classes: Bytes, bits: Bytes, spans: I64, counts: I64, rows: I64) -> int:
    """Write the sentences to `rows`, int64 [5, room], and return how many there are, or -1 if words are not sure.

    `classes` are those of `dedup.segment.word_offsets` and `bits` those of the characters: uint8 [characters]. `spans`
    and `counts` are as for `split_sentences`.
    """
    found = 0
    line = -1
    for paragraph in range(len(spans)):
        start, stop = spans[paragraph, 0], spans[paragraph, 1]
        opening = found
        first = at = start
        while at < stop:
            end = _border_end(bits, start, at, stop) if bits[at] & (_SPACE_BIT | _STOP_BIT | _WIDE_STOP_BIT) else 0
            if end == 0:
                at += 1
                continue
            last = end
            while last > first and bits[last - 1] & _SPACE_BIT:
                last -= 1
            if last > first:
                rows[0, found], rows[1, found] = first, last
                found += 1
                first = end
            at = end
        if first < stop:
            rows[0, found], rows[1, found] = first, stop
            found += 1
        total = 0
        for number in range(opening, found):
            begin = rows[1, number - 1] if number > opening else rows[0, number]
            line += number == opening
            for place in range(begin, rows[0, number]):
                if bits[place] & _NEWLINE_BIT:
                    line += 1
                    break
            size = 0
            for place in range(rows[0, number], rows[0, number + 1] if number + 1 < found else stop):
                kind = classes[place]
                if kind == UNDECIDED:
                    return -1
                size += kind == WHOLE_WORD or (kind == WORD_PART and (place == 0 or classes[place - 1] != WORD_PART))
            rows[2, number], rows[3, number], rows[4, number] = paragraph, line, size
            total += size
        if total != counts[paragraph]:
            return -1
    return found


def split_sentences(text: str, spans: I64, counts: I64) -> Sentences:
    """Return the sentences of a text; the compiled version of `dedup.segment.sentences.split_sentences`.

    `spans` are its paragraphs, in code points: int64 [paragraphs, 2]; `counts` are the words of each: int64
    [paragraphs].
    """
    codes = code_points(text)
    bits = _bits_of_code_points()[codes]
    room = int(np.count_nonzero(bits)) + len(spans)
    rows = np.empty((5, room), np.int64)
    found = _write_sentences(word_classes(codes), bits, spans, counts, rows)
    return Sentences(*rows[:, :found].copy()) if found >= 0 else definition.split_sentences(text, spans, counts)
