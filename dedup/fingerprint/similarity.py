"""Exact Jaccard similarity and containment of shingle sets: the definition, in plain Python and numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from dedup.arrays import I64, U64, Floats, offsets_of
from dedup.fingerprint.shingles import key_shingles, shingle_hashes

compiled = False  # see `Comparer.compiled`


class Comparer(Protocol):
    """The functions of `dedup.kernels.reference` or `dedup.kernels.compiled` that matching needs."""

    @property
    def compiled(self) -> bool:
        """True if matching also uses the compiled functions of `dedup.kernels` that this protocol does not list."""

    def shingle_hash_sets(self, keys: Sequence[bytes], n: int) -> tuple[U64, I64]:
        """Return the sets of shingle hashes of `keys`, and their offsets: see `shingle_hash_sets` of this module."""

    def jaccard_similarities(self, hashes: U64, offsets: I64, text: int, others: I64, least: float) -> Floats:
        """Return the Jaccard similarities of one set to others: see `jaccard_similarities` of this module."""


def jaccard(first: bytes, second: bytes, n: int) -> float:
    """Return the exact Jaccard similarity of two comparison keys over their sets of `n`-word shingles.

    Equal keys have similarity 1.0. Otherwise a key without shingles has similarity 0.0 to any other.

    >>> jaccard(b"a b c d", b"a b c e", 2)
    0.5
    """
    if first == second:
        return 1.0
    first_set, second_set = key_shingles(first, n), key_shingles(second, n)
    if not first_set or not second_set:
        return 0.0
    common = len(first_set & second_set)
    return common / (len(first_set) + len(second_set) - common)


def similarity_in_order(first: Sequence[str], second: Sequence[str]) -> float:
    """Return the share of the words of two texts that both have in the same order.

    It is ``c / (len(first) + len(second) - c)``, where c is the length of their longest common subsequence. Each word
    of `first` takes a few operations on integers of as many bits as `second` has words (Hyyrö, "Bit-parallel
    LCS-length computation revisited", 2004).

    >>> similarity_in_order("a b c d".split(), "a x c d".split())
    0.6
    """
    places: dict[str, int] = {}  # of each word in `second`, as bits
    for place, word in enumerate(second):
        places[word] = places.get(word, 0) | 1 << place
    every = (1 << len(second)) - 1
    unmatched = every  # a bit for each word of `second`, zero where the subsequence ends with it
    for word in first:
        matched = unmatched & places.get(word, 0)
        unmatched = ((unmatched + matched) | (unmatched - matched)) & every
    common = len(second) - unmatched.bit_count()
    return common / max(1, len(first) + len(second) - common)


def shingle_hash_sets(keys: Sequence[bytes], n: int) -> tuple[U64, I64]:
    """Return the sets of `n`-word shingle hashes of comparison keys, and their offsets.

    The hashes of all sets are in one array, ascending within each set: uint64 [hashes]. The offsets are int64
    [keys + 1].
    """
    sets = [np.unique(shingle_hashes(key, n)) for key in keys]
    return np.concatenate([np.empty(0, np.uint64), *sets]), offsets_of(list(map(len, sets)))


def jaccard_similarities(hashes: U64, offsets: I64, text: int, others: I64, least: float) -> Floats:
    """Return the Jaccard similarity of set `text` to each of the sets `others`: float64 [len(others)].

    A similarity is 0.0 if the sizes of the sets alone show that it is below `least`.

    `hashes` and `offsets` are as `shingle_hash_sets` returns them: uint64 [hashes] and int64 [sets + 1]. `others` are
    numbers of sets: int64 [count].
    """
    hash_set = hashes[offsets[text] : offsets[text + 1]]
    result = np.zeros(len(others))
    for index, other in enumerate(others):
        other_set = hashes[offsets[other] : offsets[other + 1]]
        small, large = sorted((len(hash_set), len(other_set)))
        if small and small / large >= least:
            common = len(np.intersect1d(hash_set, other_set, assume_unique=True))
            result[index] = common / (small + large - common)
    return result


def containment(key: bytes, container: bytes, n: int) -> float:
    """Return the share of the distinct `n`-word shingles of `key` that `container` has too.

    It is 0.0 if `key` has no shingles.

    >>> containment(b"a b c", b"x a b c d", 2)
    1.0
    """
    key_set = key_shingles(key, n)
    return len(key_set & key_shingles(container, n)) / len(key_set) if key_set else 0.0
