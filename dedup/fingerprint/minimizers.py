"""Minimizers of the shingles of texts: the definition, in numpy."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from dedup.arrays import I64, U64, offsets_of
from dedup.fingerprint.shingles import window_hashes


def find_minimizers(words: U64, offsets: I64, n: int, window: int) -> tuple[U64, I64]:
    """Return the minimizers of each text, and their offsets.

    The minimizers are the smallest shingle hash of every `window` consecutive shingles of `n` words: distinct and
    ascending within a text, uint64 [minimizers]. A text of fewer shingles has one, the smallest of its hashes; a text
    without shingles has none. Their offsets are int64 [texts + 1].

    `words` are the hashes of the words of all texts: uint64 [words]. `offsets` say where the words of each text start:
    int64 [texts + 1].

    >>> values, starts = find_minimizers(np.arange(5, dtype=np.uint64), np.array([0, 4, 5]), 2, 3)
    >>> len(values), starts.tolist()
    (1, [0, 1, 1])
    """
    parts = []
    for start, stop in pairwise(offsets.tolist()):
        hashes = window_hashes(words[start:stop], n)
        if len(hashes):
            hashes = np.lib.stride_tricks.sliding_window_view(hashes, min(window, len(hashes))).min(axis=1)
        parts.append(np.unique(hashes))
    return np.concatenate([np.empty(0, np.uint64), *parts]), offsets_of(list(map(len, parts)))
