"""Choose the pairs to ask about: evenly over bins of similarity, by weight within a bin, the same pairs every time.

The choice does not depend on the order of the input: a random draw is a hash of the digests of two texts and the seed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from dedup.arrays import I64, U64, Bools, Floats
from dedup.tune.candidate_pairs import shuffled_marks

STEP = 0.05  # the width of a bin, and the distance between thresholds


def bin_edges(window: tuple[float, float]) -> list[float]:
    """Return the edges of the bins of `window`: its ends, and every multiple of 0.05 between them.

    >>> bin_edges((0.62, 0.8))
    [0.62, 0.65, 0.7, 0.75, 0.8]
    """
    low, high = window
    steps = range(math.floor(low / STEP), math.ceil(high / STEP) + 1)
    multiples = (round(step * STEP, 10) for step in steps)
    return [low, *(edge for edge in multiples if low < edge < high), high]


def bin_numbers(similarities: Floats, edges: Sequence[float]) -> I64:
    """Return the bin of each similarity: int64 [pairs], from `similarities`, float64 [pairs].

    A bin includes its lower edge, and the last one its upper edge too.
    """
    numbers = np.searchsorted(np.asarray(edges), similarities, side="right") - 1
    return np.minimum(numbers, len(edges) - 2).astype(np.int64)


def pair_draws(first: U64, second: U64, seed: int) -> Floats:
    """Return a number in (0, 1) for each pair of marks, whichever of the two comes first: float64 [pairs].

    `first` and `second` are the marks of the texts of each pair: uint64 [pairs].
    """
    low, high = np.minimum(first, second), np.maximum(first, second)
    value = shuffled_marks(shuffled_marks(low, seed % (1 << 32)) ^ high, seed % (1 << 32))
    return ((value >> np.uint64(11)).astype(np.float64) + 0.5) / (1 << 53)


def sample_pairs(bins: I64, weights: Floats, draws: Floats, labelled: Bools, counts: Sequence[int], count: int) -> I64:
    """Return the numbers of at most `count` pairs to ask about, in the order of asking: int64 [pairs to ask about].

    `bins` int64, `weights` and `draws` float64, and `labelled` bool, are all [pairs]. `counts` are the labels that each
    bin has already. Each pair comes from the bin with the fewest labels. If bins are equal, it comes from the upper
    one, which says more about precision. Within a bin, the pairs without a label are drawn without replacement, by
    weight (Efraimidis, Spirakis 2006). The order of asking reveals nothing about bins.
    """
    order = np.lexsort((draws, -np.log(draws) / weights, bins))
    order = order[~labelled[order]]
    waiting = [order[bins[order] == number][:count].tolist()[::-1] for number in range(len(counts))]
    totals = list(counts)
    chosen: list[int] = []
    while len(chosen) < count and any(waiting):
        number = min((number for number, left in enumerate(waiting) if left), key=lambda at: (totals[at], -at))
        chosen.append(waiting[number].pop())
        totals[number] += 1
    pairs = np.array(chosen, np.int64)
    return pairs[np.argsort(shuffled_marks(draws[pairs].view(np.uint64), 0), kind="stable")]
