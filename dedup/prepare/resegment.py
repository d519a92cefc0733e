"""The paragraphs of a batch after a look at single texts: some cut in pieces, some gone."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, encode_utf8
from dedup.kernels.backend import Backend
from dedup.repeats.split_paragraphs import SplitArticle
from dedup.segment.batch import Segments
from dedup.segment.words import weighted_word_count


def without_dropped(found: Segments, gone: npt.NDArray[np.bool_], backend: Backend) -> Segments:
    """`found` where the paragraphs that are `gone` have no words."""
    stops = np.where(gone, found.key_starts, found.key_stops)
    keys = backend.join_keys(found.keys, found.key_starts, stops, found.borders)
    words, sizes = np.where(gone, 0, found.words), np.where(gone, 0.0, found.sizes)
    return found._replace(words=words, sizes=sizes, **keys._asdict())


def replace_paragraphs(found: Segments, pieces: Mapping[int, SplitArticle], backend: Backend) -> Segments:
    """`found` where the texts numbered in `pieces` have these for their paragraphs."""
    columns: list[list[I64]] = []
    sizes = []
    extra = []
    position = len(found.keys)
    counts = np.diff(found.borders)
    for text, (first, last) in enumerate(pairwise(found.borders.tolist())):
        if text not in pieces:
            mine = slice(first, last)
            columns.append([column[mine] for column in found[1:6]])
            sizes.append(found.sizes[mine])
            continue
        spans, keys, _ = pieces[text]
        words = [key.split() for key in keys]
        own = list(map(encode_utf8, keys))
        ends = position + np.cumsum(list(map(len, own)), dtype=np.int64)
        starts, stops = np.array(spans, np.int64).reshape(-1, 2).T
        columns.append([starts, stops, ends - np.array(list(map(len, own)), np.int64), ends, _lengths(words)])
        sizes.append(np.array(list(map(weighted_word_count, words)), np.float64))
        extra += own
        position = int(ends[-1]) if len(ends) else position
        counts[text] = len(keys)
    starts, stops, key_starts, key_stops, count = (np.concatenate(column) for column in zip(*columns, strict=True))
    borders = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    data = np.concatenate([found.keys, np.frombuffer(b"".join(extra), np.uint8)])
    keys_ = backend.join_keys(data, key_starts, key_stops, borders)
    return Segments(
        borders=borders, starts=starts, stops=stops, words=count, sizes=np.concatenate(sizes), **keys_._asdict()
    )


def _lengths(rows: list[list[str]]) -> I64:
    return np.array(list(map(len, rows)), np.int64)
