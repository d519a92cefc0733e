"""The paragraphs and comparison keys of a batch of texts, as arrays: the definition, in plain Python.

A batch of texts is one run of UTF-8 bytes and the offsets at which the texts start. `dedup.kernels.segments` computes
the same in machine code. Small inputs use this module, since it needs no compilation.
"""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from dedup.arrays import I64, Bytes, Floats, decode_utf8, encode_utf8, offsets_of, pack
from dedup.segment.facts import fact_marks_and_digits
from dedup.segment.paragraphs import paragraphs
from dedup.segment.words import comparison_key, weighted_word_count

DIGEST_BYTES = 16


class Segments(NamedTuple):
    """The paragraphs of a batch of texts.

    The paragraphs of a text are those numbered ``borders[text]:borders[text + 1]``. Its comparison key is
    ``keys[key_offsets[text]:key_offsets[text + 1]]``: the keys of its paragraphs joined by one space, without those
    that are empty.

    Attributes:
        borders: the number of each text's first paragraph, int64 [texts + 1].
        starts: where each paragraph starts in its text, in code points, int64 [paragraphs].
        stops: where each paragraph ends, exclusive, like `starts`.
        key_starts: where the key of each paragraph starts in `keys`, in bytes, int64 [paragraphs].
        key_stops: where that key ends, exclusive, like `key_starts`.
        words: the number of words in the key of each paragraph, int64 [paragraphs].
        sizes: the same as `dedup.segment.words.weighted_word_count` counts words, float64 [paragraphs].
        keys: the comparison keys of all texts in UTF-8, uint8 [bytes].
        key_offsets: where the key of each text starts in `keys`, in bytes, int64 [texts + 1].
    """

    borders: I64
    starts: I64
    stops: I64
    key_starts: I64
    key_stops: I64
    words: I64
    sizes: Floats
    keys: Bytes
    key_offsets: I64


class FactMarks(NamedTuple):
    """The marks of the paragraphs of a batch: what `dedup.segment.facts` finds in each.

    Attributes:
        paragraphs: the paragraph of each mark, ascending, int64 [marks].
        places: the number of digits before each mark in its paragraph, int64 [marks].
        codes: the code of each mark, int64 [marks].
        digits: the number of digits of each paragraph, int64 [paragraphs].
    """

    paragraphs: I64
    places: I64
    codes: I64
    digits: I64


class BatchKeys(NamedTuple):
    """The comparison keys of a batch, with fields as in `Segments`."""

    key_starts: I64
    key_stops: I64
    keys: Bytes
    key_offsets: I64


def segment_batch(data: Bytes, offsets: I64) -> Segments:
    r"""Return the paragraphs of a batch of texts, with their comparison keys.

    `data` holds the texts in UTF-8, lone surrogates included: uint8 [bytes]. `offsets` are where they start, in
    bytes, with the end of the last one: int64 [texts + 1].

    >>> segments = segment_batch(*pack([b"One, two.\n\nThree", b"four"]))
    >>> bytes(segments.keys), segments.key_offsets.tolist()
    (b'one two threefour', [0, 13, 17])
    >>> segments.borders.tolist(), segments.starts.tolist(), segments.key_starts.tolist()
    ([0, 2, 3], [0, 11, 0], [0, 8, 13])
    """
    paragraph_counts, rows, keys = [], [], []
    for text_start, text_stop in pairwise(offsets.tolist()):
        text = decode_utf8(data[text_start:text_stop].tobytes())
        spans = paragraphs(text)
        paragraph_counts.append(len(spans))
        for start, stop in spans:
            key = comparison_key(text[start:stop])
            key_words = key.split()
            rows.append((start, stop, len(key_words), weighted_word_count(key_words)))
            keys.append(encode_utf8(key))
    columns = np.array(rows, np.float64).reshape(-1, 4).T
    starts, stops, word_counts = columns[:3].astype(np.int64)
    packed, key_offsets = pack(keys)
    paragraph_offsets = offsets_of(paragraph_counts)
    return Segments(
        borders=paragraph_offsets,
        starts=starts,
        stops=stops,
        words=word_counts,
        sizes=columns[3].copy(),
        **join_keys(packed, key_offsets[:-1], key_offsets[1:], paragraph_offsets)._asdict(),
    )


def join_keys(data: Bytes, starts: I64, stops: I64, offsets: I64) -> BatchKeys:
    """Return the comparison keys of texts, joined from the keys of their paragraphs.

    The key of a paragraph is ``data[start:stop]`` in UTF-8 and may be empty: `data` uint8 [bytes], `starts` and `stops`
    int64 [paragraphs], in bytes. `offsets` are the numbers of the texts' first paragraphs: int64 [texts + 1].

    >>> data, starts, stops = np.frombuffer(b"one,two", np.uint8), np.array([0, 3, 4]), np.array([3, 3, 7])
    >>> joined = join_keys(data, starts, stops, np.array([0, 3]))
    >>> bytes(joined.keys), joined.key_starts.tolist(), joined.key_stops.tolist()
    (b'one two', [0, 3, 4], [3, 3, 7])
    """
    joined = BatchKeys(np.zeros_like(starts), np.zeros_like(starts), data[:0], np.zeros(len(offsets), np.int64))
    parts: list[bytes] = []
    position = 0
    for text, (first, last) in enumerate(pairwise(offsets.tolist())):
        has_words = False
        for number in range(first, last):
            key = data[starts[number] : stops[number]].tobytes()
            if key and has_words:
                parts.append(b" ")
                position += 1
            has_words = has_words or bool(key)
            parts.append(key)
            joined.key_starts[number], joined.key_stops[number] = position, position + len(key)
            position += len(key)
        joined.key_offsets[text + 1] = position
    return joined._replace(keys=np.frombuffer(b"".join(parts), np.uint8))


def find_fact_marks(data: Bytes, offsets: I64, segments: Segments) -> FactMarks:
    """Return the marks of the paragraphs of a batch that have words.

    `data` and `offsets` are those of `segment_batch`. `segments` may have other paragraphs of the same texts, in order.

    >>> packed = pack([b"It fell by 2.5 %.", b"It cost $5."])
    >>> marks = find_fact_marks(*packed, segment_batch(*packed))
    >>> marks.paragraphs.tolist(), marks.places.tolist(), marks.digits.tolist()
    ([0, 0, 1], [0, 1, 0], [2, 1])
    """
    rows: list[tuple[int, ...]] = []
    digits = np.zeros(len(segments.words), np.int64)
    for text_number, (first, last) in enumerate(pairwise(segments.borders.tolist())):
        text = decode_utf8(data[offsets[text_number] : offsets[text_number + 1]].tobytes())
        for number in range(first, last):
            if segments.words[number]:
                marks, digits[number] = fact_marks_and_digits(text[segments.starts[number] : segments.stops[number]])
                rows += [(number, *mark) for mark in marks]
    numbers, places, codes = np.array(rows, np.int64).reshape(-1, 3).T.copy()
    return FactMarks(numbers, places, codes, digits)


def key_digests(data: Bytes, starts: I64, stops: I64) -> list[bytes]:
    """Return the BLAKE2b digests, `DIGEST_BYTES` bytes each, of the keys ``data[start:stop]``.

    Keys with equal digests are taken to be equal. `data` is uint8 [bytes]; `starts` and `stops` are int64 [keys], in
    bytes.
    """
    buffer = data.tobytes()
    blake2b, size = hashlib.blake2b, DIGEST_BYTES
    spans = zip(starts.tolist(), stops.tolist(), strict=True)
    return [blake2b(buffer[start:stop], digest_size=size).digest() for start, stop in spans]
