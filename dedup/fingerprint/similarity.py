"""Exact Jaccard similarity and containment of shingle sets: the definition, in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from dedup.arrays import I64, U64, Floats
from dedup.fingerprint.shingles import key_shingles, shingle_hashes

compiled = False  # see `Comparer`


class Comparer(Protocol):
    """The functions that this module defines and `dedup.kernels.compiled` compiles; either module is one."""

    @property
    def compiled(self) -> bool:
        """Whether matching, too, is to use what `dedup.kernels.compiled` has."""

    def hash_sets(self, keys: Sequence[bytes], n: int) -> tuple[U64, I64]:
        """Sets of shingle hashes and their borders."""

    def similarities(self, hashes: U64, borders: I64, text: int, others: I64, least: float) -> Floats:
        """Jaccard similarities of one set to others."""


def jaccard(one: bytes, two: bytes, n: int) -> float:
    """The exact Jaccard similarity of two comparison keys over sets of `n`-word shingles.

    Equal keys are 1.0; a key too short to have shingles is otherwise 0.0 to anything.

    >>> jaccard(b"a b c d", b"a b c e", 2)
    0.5
    """
    if one == two:
        return 1.0
    first, second = key_shingles(one, n), key_shingles(two, n)
    if not first or not second:
        return 0.0
    common = len(first & second)
    return common / (len(first) + len(second) - common)


def hash_sets(keys: Sequence[bytes], n: int) -> tuple[U64, I64]:
    """Sets of shingle hashes of `keys`: each ascending, all in one run, uint64; and their borders, int64."""
    sets = [np.unique(shingle_hashes(key, n)) for key in keys]
    borders = np.zeros(len(keys) + 1, np.int64)
    np.cumsum([len(one) for one in sets], out=borders[1:])
    return np.concatenate([np.empty(0, np.uint64), *sets]), borders


def similarities(hashes: U64, borders: I64, text: int, others: I64, least: float) -> Floats:
    """Jaccard similarity of set `text` to each of the sets `others`: float64 [len(others)].

    Zero where the sizes alone say that it is below `least`.
    """
    one = hashes[borders[text] : borders[text + 1]]
    result = np.zeros(len(others))
    for index, other in enumerate(others):
        two = hashes[borders[other] : borders[other + 1]]
        small, large = sorted((len(one), len(two)))
        if small and small / large >= least:
            common = len(np.intersect1d(one, two, assume_unique=True))
            result[index] = common / (small + large - common)
    return result


def containment(one: bytes, two: bytes, n: int) -> float:
    """The share of the distinct `n`-word shingles of key `one` that key `two` has; 0.0 where `one` has none.

    >>> containment(b"a b c", b"x a b c d", 2)
    1.0
    """
    first = key_shingles(one, n)
    return len(first & key_shingles(two, n)) / len(first) if first else 0.0
