"""Texts by the batch: paragraphs and comparison keys as arrays, the definition.

A batch of texts is one run of UTF-8 bytes with the borders between them. What is said about it here in plain Python,
text by text, `dedup.kernels.segments` says in machine code; small inputs use this module, which needs no compilation.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np

from dedup.arrays import I64, Bytes, Floats, decode_utf8, encode_utf8, pack
from dedup.segment.paragraphs import paragraphs
from dedup.segment.words import comparison_key, weighted_word_count

DIGEST_BYTES = 16


class Segments(NamedTuple):
    """The paragraphs of a batch of texts.

    `borders` says which are whose: int64 [texts + 1]. One value per paragraph: `starts` and `stops`, in code points of
    its text, and where its comparison key stands in `keys`, `key_starts` and `key_stops`, in bytes of the whole batch:
    int64; `words` of the key: int64; `sizes`, as `dedup.segment.words.weighted_word_count` counts words: float64. The key of a text is
    ``keys[key_borders[text]:key_borders[text + 1]]``: those of its paragraphs, where they have words, joined by a
    space.
    """

    borders: I64
    starts: I64
    stops: I64
    key_starts: I64
    key_stops: I64
    words: I64
    sizes: Floats
    keys: Bytes
    key_borders: I64


class BatchKeys(NamedTuple):
    """Comparison keys of a batch, as in `Segments`."""

    key_starts: I64
    key_stops: I64
    keys: Bytes
    key_borders: I64


def segment_batch(data: Bytes, borders: I64) -> Segments:
    r"""The paragraphs of texts in UTF-8 (lone surrogates included), and their comparison keys.

    >>> made = segments(*pack([b"One, two.\n\nThree", b"four"]))
    >>> bytes(made.keys), made.borders.tolist(), made.key_starts.tolist(), made.key_borders.tolist()
    (b'one two threefour', [0, 2, 3], [0, 8, 13], [0, 13, 17])
    """
    counts, rows, keys = [0], [], []
    for text_start, text_stop in zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True):
        text = decode_utf8(data[text_start:text_stop].tobytes())
        spans = paragraphs(text)
        counts.append(counts[-1] + len(spans))
        for start, stop in spans:
            key = comparison_key(text[start:stop])
            found = key.split()
            rows.append((start, stop, len(found), weighted_word_count(found)))
            keys.append(encode_utf8(key))
    table = np.array(rows, np.float64).reshape(-1, 4).T
    starts, stops, counted = table[:3].astype(np.int64)
    whole, ends = pack(keys)
    numbers = np.array(counts, np.int64)
    told = join_keys(whole, ends[:-1], ends[1:], numbers)
    return Segments(borders=numbers, starts=starts, stops=stops, words=counted, sizes=table[3].copy(), **told._asdict())


def join_keys(data: Bytes, starts: I64, stops: I64, borders: I64) -> BatchKeys:
    """The keys of texts, where those of their paragraphs are the parts ``starts:stops`` of `data`, some of them empty.

    `borders` says which paragraphs are whose: int64 [texts + 1].
    """
    made = BatchKeys(np.zeros_like(starts), np.zeros_like(starts), data[:0], np.zeros(len(borders), np.int64))
    pieces: list[bytes] = []
    position = 0
    for text, (first, last) in enumerate(zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True)):
        opened = False
        for number in range(first, last):
            own = data[starts[number] : stops[number]].tobytes()
            if own and opened:
                pieces.append(b" ")
                position += 1
            opened = opened or bool(own)
            pieces.append(own)
            made.key_starts[number], made.key_stops[number] = position, position + len(own)
            position += len(own)
        made.key_borders[text + 1] = position
    return made._replace(keys=np.frombuffer(b"".join(pieces), np.uint8))


def key_digests(data: Bytes, starts: I64, stops: I64) -> list[bytes]:
    """BLAKE2b, 16 bytes, of the keys ``data[start:stop]``: equal digests stand for equal keys."""
    whole = data.tobytes()
    blake2b, size = hashlib.blake2b, DIGEST_BYTES
    places = zip(starts.tolist(), stops.tolist(), strict=True)
    return [blake2b(whole[start:stop], digest_size=size).digest() for start, stop in places]
