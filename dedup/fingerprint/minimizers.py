"""Minimizers of shingle hashes: the definition, in numpy."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from dedup.arrays import I64, U64
from dedup.fingerprint.shingles import window_hashes


def minimizers(words: U64, borders: I64, n: int, window: int) -> tuple[U64, I64]:
    """Of every `window` consecutive shingles of each text the smallest hash, ascending: uint64; and borders, int64.

    `words` are the hashes of the words of all texts, `borders` those between texts: int64 [texts + 1]. A text of fewer
    shingles gives the smallest of all it has.
    """
    found = []
    for start, stop in pairwise(borders.tolist()):
        hashes = window_hashes(words[start:stop], n)
        if len(hashes):
            hashes = np.lib.stride_tricks.sliding_window_view(hashes, min(window, len(hashes))).min(axis=1)
        found.append(np.unique(hashes))
    result = np.zeros(len(borders), np.int64)
    np.cumsum([len(one) for one in found], out=result[1:])
    return np.concatenate([np.empty(0, np.uint64), *found]), result
