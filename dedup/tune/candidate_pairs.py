"""Find pairs of texts whose similarity lies in a window, and how many pairs each of them represents.

Texts that agree in a band share a bucket, as in every other stage. But not all pairs of a large bucket are compared.
Its texts form a ring, in an order that depends on their digests and the band only, and each is paired with the next
few. Buckets of up to ``2 * neighbours + 1`` texts are still compared completely. The probability that a pair is
compared is known, so each pair counts with the inverse of its probability (Horvitz, Thompson 1952).

Texts are numbered by distinct comparison key, because a question about equal texts has only one answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from dedup.arrays import I64, U32, U64, Floats
from dedup.fingerprint.shingles import SHINGLE_BASE, window_hashes
from dedup.fingerprint.similarity import Comparer

NEIGHBOURS = (32, 16, 8, 4, 2, 1)  # tried in this order
MAX_COMPARISONS = 10_000_000  # pairs in all buckets together: 80 MB of numbers, and seconds of comparing
_PAIRS_PER_CHUNK = 1 << 16

KeysOf = Callable[[I64], Sequence[bytes]]


class CandidatePairs(NamedTuple):
    """Pairs of text numbers, ``first < second``: int64 [pairs].

    `similarities` are their Jaccard similarities, and `weights` the numbers of pairs that they represent: float64
    [pairs].
    """

    first: I64
    second: I64
    similarities: Floats
    weights: Floats


def pairs_within(
    buckets: U32, marks: U64, keys_of: KeysOf, n: int, window: tuple[float, float], comparer: Comparer
) -> CandidatePairs:
    """Return the pairs that share a bucket and whose similarity over `n`-word shingles is in `window`, in order.

    `buckets` is uint32 [texts, bands], made for the lower end of the window. `marks` is a number from each text's
    digest: uint64 [texts]. Both ends of the window are included. `keys_of` is called once, with the numbers of the
    texts that are compared.
    """
    codes, sizes, neighbours = sample_bucket_pairs(buckets, marks)
    first, second = np.divmod(codes, np.int64(max(len(marks), 1)))
    similarities = _pair_similarities(first, second, len(marks), keys_of, n, window[0], comparer)
    inside = (similarities >= window[0]) & (similarities <= window[1])
    first, second = first[inside], second[inside]
    weights = 1 / _comparison_probabilities(first, second, buckets, sizes, neighbours)
    return CandidatePairs(first, second, similarities[inside], weights)


def sample_bucket_pairs(buckets: U32, marks: U64, max_pairs: int = MAX_COMPARISONS) -> tuple[I64, I64, int]:
    """Return the pairs to compare, the sizes of buckets, and the number of ring neighbours of each text.

    `buckets` is uint32 [texts, bands], `marks` uint64 [texts]. A pair is a code ``first * texts + second``: int64
    [pairs], ascending. Sizes are in texts: int64 [texts, bands]. The number of neighbours is the largest that gives at
    most `max_pairs` pairs, but at least 1.
    """
    count, bands = buckets.shape
    sizes = np.ones((count, bands), np.int64)
    for band in range(bands):
        _, inverse, counts = np.unique(buckets[:, band], return_inverse=True, return_counts=True)
        sizes[:, band] = counts[inverse]
    neighbours = next((number for number in NEIGHBOURS if _pair_count(sizes, number) <= max_pairs), NEIGHBOURS[-1])
    codes = [
        _ring_pairs(buckets[:, band], sizes[:, band], shuffled_marks(marks, band), neighbours) for band in range(bands)
    ]
    return np.unique(np.concatenate(codes)), sizes, neighbours


def shuffled_marks(marks: U64, salt: int) -> U64:
    """Return hashes of `marks` that put them in another order for every `salt`: uint64 [marks], as `marks`.

    `window_hashes` of single words is MurmurHash3's finaliser, which mixes all bits of a mark.
    """
    return window_hashes(marks ^ np.uint64((salt + 1) * SHINGLE_BASE % (1 << 64)), 1)


def _pair_count(sizes: I64, neighbours: int) -> float:
    """Return the number of pairs in all buckets; each text of a bucket counts half of each pair that it is in."""
    return float(np.minimum((sizes - 1) / 2, neighbours).sum())


def _ring_pairs(buckets: U32, sizes: I64, ranks: U64, neighbours: int) -> I64:
    """Return the codes of the pairs in the buckets of one band: int64 [pairs], ascending, without duplicates.

    `buckets` is uint32 [texts], `sizes` their sizes in texts, int64 [texts]. The texts of a bucket are in the order of
    `ranks`, uint64 [texts].
    """
    shared = np.flatnonzero(sizes > 1)
    order = shared[np.lexsort((ranks[shared], buckets[shared]))]
    size = sizes[order]
    changes = np.flatnonzero(np.diff(buckets[order])) + 1
    starts = np.zeros(len(order), np.int64)  # of the bucket of each text, in `order`
    starts[changes] = changes
    starts = np.maximum.accumulate(starts)
    place = np.arange(len(order)) - starts
    codes = []
    for step in range(1, neighbours + 1):
        larger = np.flatnonzero(size // 2 >= step)  # halfway round the ring, all pairs of a bucket are complete
        if not len(larger):
            break
        text = order[larger]
        other = order[starts[larger] + (place[larger] + step) % size[larger]]
        codes.append(np.minimum(text, other) * len(buckets) + np.maximum(text, other))
    return np.unique(np.concatenate([np.empty(0, np.int64), *codes]))


def _pair_similarities(
    first: I64, second: I64, count: int, keys_of: KeysOf, n: int, least: float, comparer: Comparer
) -> Floats:
    """Return the similarity of each pair: float64 [pairs]; 0 if the sizes alone show that it is below `least`.

    `first`, ascending, and `second` are text numbers below `count`: int64 [pairs].
    """
    involved = np.unique(np.concatenate([first, second]))
    rows = np.zeros(count, np.int64)
    rows[involved] = np.arange(len(involved))
    hashes, borders = comparer.shingle_hash_sets(keys_of(involved), n)
    result = np.zeros(len(first))
    texts, starts = np.unique(first, return_index=True)
    for text, (start, stop) in zip(texts.tolist(), pairwise([*starts.tolist(), len(first)]), strict=True):
        result[start:stop] = comparer.jaccard_similarities(
            hashes, borders, int(rows[text]), rows[second[start:stop]], least
        )
    return result


def _comparison_probabilities(first: I64, second: I64, buckets: U32, sizes: I64, neighbours: int) -> Floats:
    """Return the probability that each pair is compared in at least one of the buckets that it shares: float64 [pairs].

    `first` and `second` are text numbers, int64 [pairs]; `buckets` and `sizes` are [texts, bands].
    """
    result = np.ones(len(first))
    for at in range(0, len(first), _PAIRS_PER_CHUNK):
        chunk = slice(at, at + _PAIRS_PER_CHUNK)
        text, other = first[chunk], second[chunk]
        compared = np.minimum(2 * neighbours / np.maximum(sizes[text] - 1, 1), 1.0)
        missed = np.where(buckets[text] == buckets[other], 1 - compared, 1.0)
        result[chunk] = 1 - missed.prod(axis=1)
    return result
