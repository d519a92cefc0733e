"""Pairs of texts whose similarity lies in a window, and how many pairs each of them stands for.

Texts that agree in a band share a bucket, as everywhere; but where many do, not all pairs of a bucket are looked at:
its texts stand in a ring, in an order that depends on their digests and the band only, and each meets the next few.
Buckets of up to ``2 * neighbours + 1`` texts are still looked at whole. The chance that a pair is met at all is known,
so every pair found stands for one divided by it (Horvitz, Thompson 1952).

Texts are numbered by distinct comparison key: equal texts leave nothing to ask.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from dedup.arrays import I64, U32, U64, Floats
from dedup.fingerprint.shingles import MIX_1, MIX_2, SHINGLE_BASE
from dedup.fingerprint.similarity import Comparer

NEIGHBOURS = (32, 16, 8, 4, 2, 1)  # tried in this order
MEETINGS_AT_MOST = 10_000_000  # pairs met in all buckets together: 80 MB of numbers, and seconds of comparing
_ROWS_AT_ONCE = 1 << 16

KeysOf = Callable[[I64], Sequence[bytes]]


class CandidatePairs(NamedTuple):
    """Pairs of texts ``ones < twos``: int64 [pairs]; their similarity, and how many pairs each stands for: float64."""

    ones: I64
    twos: I64
    similarities: Floats
    weights: Floats


def pairs_within(
    buckets: U32, marks: U64, keys_of: KeysOf, n: int, window: tuple[float, float], comparer: Comparer
) -> CandidatePairs:
    """The pairs that share a bucket and whose Jaccard similarity is in `window`, both ends included, in order.

    `buckets` is [texts, bands], made for the lower end of the window; `marks` is a number drawn from each text's
    digest. `keys_of` is asked once, for the texts that meet another.
    """
    codes, sizes, neighbours = meetings(buckets, marks)
    ones, twos = np.divmod(codes, np.int64(max(len(marks), 1)))
    similarities = _similarities(ones, twos, len(marks), keys_of, n, window[0], comparer)
    inside = (similarities >= window[0]) & (similarities <= window[1])
    ones, twos = ones[inside], twos[inside]
    return CandidatePairs(ones, twos, similarities[inside], 1 / _chances(ones, twos, buckets, sizes, neighbours))


def meetings(buckets: U32, marks: U64, at_most: int = MEETINGS_AT_MOST) -> tuple[I64, I64, int]:
    """Pairs that meet in a bucket, as ``one * texts + two``, ascending; bucket sizes [texts, bands]; ring neighbours.

    As many neighbours are taken as `at_most` meetings allow, but one at least.
    """
    count, bands = buckets.shape
    sizes = np.ones((count, bands), np.int64)
    for band in range(bands):
        _, inverse, counted = np.unique(buckets[:, band], return_inverse=True, return_counts=True)
        sizes[:, band] = counted[inverse]
    neighbours = next((few for few in NEIGHBOURS if _meetings_of(sizes, few) <= at_most), NEIGHBOURS[-1])
    found = [_band(buckets[:, band], sizes[:, band], mixed(marks, band), neighbours) for band in range(bands)]
    return np.unique(np.concatenate(found)), sizes, neighbours


def mixed(marks: U64, salt: int) -> U64:
    """`marks` in another order for every `salt`: MurmurHash3's finaliser of both."""
    value = marks ^ np.uint64((salt + 1) * SHINGLE_BASE % (1 << 64))
    value = (value ^ (value >> np.uint64(33))) * np.uint64(MIX_1)
    value = (value ^ (value >> np.uint64(33))) * np.uint64(MIX_2)
    done: U64 = value ^ (value >> np.uint64(33))
    return done


def _meetings_of(sizes: I64, neighbours: int) -> float:
    """How many meetings there are; every text of a bucket counts half of each of its own."""
    return float(np.minimum((sizes - 1) / 2, neighbours).sum())


def _band(buckets: U32, sizes: I64, order_in: U64, neighbours: int) -> I64:
    """The meetings in the buckets of one band, each once."""
    shared = np.flatnonzero(sizes > 1)
    order = shared[np.lexsort((order_in[shared], buckets[shared]))]
    size = sizes[order]
    changes = np.flatnonzero(np.diff(buckets[order])) + 1
    starts = np.zeros(len(order), np.int64)
    starts[changes] = changes
    starts = np.maximum.accumulate(starts)
    place = np.arange(len(order)) - starts
    found = []
    for step in range(1, neighbours + 1):
        far = np.flatnonzero(size // 2 >= step)  # half-way round the ring all have met
        if not len(far):
            break
        here = order[far]
        there = order[starts[far] + (place[far] + step) % size[far]]
        found.append(np.minimum(here, there) * len(buckets) + np.maximum(here, there))
    return np.unique(np.concatenate([np.empty(0, np.int64), *found]))


def _similarities(
    ones: I64, twos: I64, count: int, keys_of: KeysOf, n: int, least: float, comparer: Comparer
) -> Floats:
    """The similarity of each pair; zero where sizes alone say that it is below `least`. `ones` ascends."""
    involved = np.unique(np.concatenate([ones, twos]))
    rows = np.zeros(count, np.int64)
    rows[involved] = np.arange(len(involved))
    hashes, borders = comparer.hash_sets(keys_of(involved), n)
    result = np.zeros(len(ones))
    texts, starts = np.unique(ones, return_index=True)
    for text, start, stop in zip(texts.tolist(), starts, [*starts[1:], len(ones)], strict=True):
        result[start:stop] = comparer.similarities(hashes, borders, int(rows[text]), rows[twos[start:stop]], least)
    return result


def _chances(ones: I64, twos: I64, buckets: U32, sizes: I64, neighbours: int) -> Floats:
    """The probability of each pair to be met in at least one of the buckets it shares."""
    result = np.ones(len(ones))
    for at in range(0, len(ones), _ROWS_AT_ONCE):
        one, two = ones[at : at + _ROWS_AT_ONCE], twos[at : at + _ROWS_AT_ONCE]
        met = np.minimum(2 * neighbours / np.maximum(sizes[one] - 1, 1), 1.0)
        missed = np.where(buckets[one] == buckets[two], 1 - met, 1.0)
        result[at : at + _ROWS_AT_ONCE] = 1 - missed.prod(axis=1)
    return result
