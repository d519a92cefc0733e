"""Segments of a batch updated after the search within single texts: paragraphs split into parts, or dropped."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from dedup.arrays import I64, Bools, encode_utf8, offsets_of
from dedup.kernels.backend import Backend
from dedup.repeats.split_paragraphs import SplitArticle
from dedup.segment.batch import Segments
from dedup.segment.words import weighted_word_count


def clear_dropped(segments: Segments, is_dropped: Bools, backend: Backend) -> Segments:
    """Return `segments` with empty keys, and so no words, for the dropped paragraphs; their spans stay.

    `is_dropped` is bool [paragraphs].
    """
    stops = np.where(is_dropped, segments.key_starts, segments.key_stops)
    keys = backend.join_keys(segments.keys, segments.key_starts, stops, segments.borders)
    words, sizes = np.where(is_dropped, 0, segments.words), np.where(is_dropped, 0.0, segments.sizes)
    return segments._replace(words=words, sizes=sizes, **keys._asdict())


def replace_paragraphs(segments: Segments, splits: Mapping[int, SplitArticle], backend: Backend) -> Segments:
    """Return `segments` with other paragraphs for the texts whose numbers are in `splits`."""
    columns: list[list[I64]] = []  # of each text: starts, stops, key_starts, key_stops, words
    sizes = []
    new_keys = []
    position = len(segments.keys)
    counts = np.diff(segments.borders)
    for text, (first, last) in enumerate(pairwise(segments.borders.tolist())):
        if text not in splits:
            rows = slice(first, last)
            columns.append([column[rows] for column in segments[1:6]])
            sizes.append(segments.sizes[rows])
            continue
        spans, keys, _ = splits[text]
        key_words = [key.split() for key in keys]
        encoded = list(map(encode_utf8, keys))
        key_offsets = position + offsets_of(list(map(len, encoded)))
        starts, stops = np.array(spans, np.int64).reshape(-1, 2).T
        columns.append(
            [starts, stops, key_offsets[:-1], key_offsets[1:], np.array(list(map(len, key_words)), np.int64)]
        )
        sizes.append(np.array(list(map(weighted_word_count, key_words)), np.float64))
        new_keys += encoded
        position = int(key_offsets[-1])
        counts[text] = len(keys)
    starts, stops, key_starts, key_stops, words = (np.concatenate(column) for column in zip(*columns, strict=True))
    offsets = offsets_of(counts)
    data = np.concatenate([segments.keys, np.frombuffer(b"".join(new_keys), np.uint8)])
    joined = backend.join_keys(data, key_starts, key_stops, offsets)
    return Segments(
        borders=offsets, starts=starts, stops=stops, words=words, sizes=np.concatenate(sizes), **joined._asdict()
    )
