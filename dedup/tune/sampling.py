"""Which pairs to ask about: evenly over bins of similarity, in each bin drawn by weight, the same ones every time.

Nothing here depends on the order of the input: a draw is a number made of the two texts' digests and the seed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, U64, Floats
from dedup.tune.candidate_pairs import mixed

STEP = 0.05  # the width of a bin, and the grid of thresholds


def edges(window: tuple[float, float]) -> list[float]:
    """The borders of the bins of `window`: its ends, and every multiple of 0.05 between them.

    >>> edges((0.62, 0.8))
    [0.62, 0.65, 0.7, 0.75, 0.8]
    """
    low, high = window
    steps = range(math.floor(low / STEP), math.ceil(high / STEP) + 1)
    between = (round(step * STEP, 10) for step in steps)
    return [low, *(edge for edge in between if low < edge < high), high]


def bin_numbers(similarities: Floats, borders: Sequence[float]) -> I64:
    """The bin of each similarity: a bin holds its lower border, the last one its upper border too."""
    found = np.searchsorted(np.asarray(borders), similarities, side="right") - 1
    return np.minimum(found, len(borders) - 2).astype(np.int64)


def draws(ones: U64, twos: U64, seed: int) -> Floats:
    """A number in (0, 1) for each pair of marks, the same whichever comes first: float64 [pairs]."""
    low, high = np.minimum(ones, twos), np.maximum(ones, twos)
    value = mixed(mixed(low, seed % (1 << 32)) ^ high, seed % (1 << 32))
    return ((value >> np.uint64(11)).astype(np.float64) + 0.5) / (1 << 53)


def sample(
    bins: I64, weights: Floats, drawn: Floats, labelled: npt.NDArray[np.bool_], counts: Sequence[int], count: int
) -> I64:
    """At most `count` pairs to ask about, in the order of asking.

    Each pair goes to the bin with the fewest labels, `counts` of them there before; where bins are equal, to the one
    of higher number, as the upper ones say more of precision. In a bin, those `labelled` are passed over, and the rest
    are drawn without replacement, by weight (Efraimidis, Spirakis 2006). The order of asking tells nothing of bins.
    """
    order = np.lexsort((drawn, -np.log(drawn) / weights, bins))
    order = order[~labelled[order]]
    waiting = [order[bins[order] == number][:count].tolist()[::-1] for number in range(len(counts))]
    have = list(counts)
    chosen: list[int] = []
    while len(chosen) < count and any(waiting):
        number = min((number for number, left in enumerate(waiting) if left), key=lambda at: (have[at], -at))
        chosen.append(waiting[number].pop())
        have[number] += 1
    found = np.array(chosen, np.int64)
    return found[np.argsort(mixed(drawn[found].view(np.uint64), 0), kind="stable")]
