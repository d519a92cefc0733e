"""Read the sets of shingle hashes of keys, for compiled comparisons."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dedup.arrays import I64, U64, offsets_of
from dedup.prepare.corpus import KeyReader
from dedup.runtime.resources import evict_pages


class ShingleSets(NamedTuple):
    """Sets of shingle hashes, one for each key: set k is ``hashes[places[k]:places[k] + sizes[k]]``.

    `hashes` is uint64 [room for all]; `places` and `sizes` are int64 [keys]. `prints`, uint64 [keys], has bit i set if
    an odd number of the hashes of a set have i in their last six bits.
    """

    hashes: U64
    places: I64
    sizes: I64
    prints: U64


def read_shingle_sets(keys: KeyReader, numbers: I64, words: I64, n: int) -> ShingleSets:
    """Return the shingle sets of the keys `numbers`, for compiled comparisons.

    `numbers` and `words`, the number of words of each of these keys, are int64 [keys]; `n` is the number of words in a
    shingle.
    """
    from dedup.kernels import set_overlap  # noqa: PLC0415 - loading LLVM takes longer than a small job

    budget = keys.corpus.budget
    borders = offsets_of(np.maximum(words - n + 1, 0))
    sets = ShingleSets(
        budget.array(int(borders[-1]), np.uint64),
        borders[:-1],
        np.zeros(len(numbers), np.int64),
        np.zeros(len(numbers), np.uint64),
    )

    def hash_piece(task: tuple[int, I64, I64]) -> None:
        places, data, starts, stops = keys.part(task)
        set_overlap.distinct_hashes(data, starts, stops, n, places, *sets)
        evict_pages(sets.hashes)

    for _ in budget.map(hash_piece, keys.by_batch(numbers)):
        pass
    return sets
