"""Postings of minimizers and the articles that may contain others: compiled."""

from __future__ import annotations

import numpy as np

from dedup.arrays import I64
from dedup.kernels.jit import njit


@njit
def holders_of(own: I64, borders: I64, count: int, most: int) -> tuple[I64, I64]:
    """For each of `count` values its holders, at most `most`, ascending; and their borders."""
    counts = np.zeros(count, np.int64)
    for value in own:
        counts[value] += 1
    starts = np.zeros(count + 1, np.int64)
    for value in range(count):
        starts[value + 1] = starts[value] + min(counts[value], most)
    ends = starts[:-1].copy()
    holders = np.empty(starts[-1], np.int64)
    for text in range(len(borders) - 1):
        for at in range(borders[text], borders[text + 1]):
            if ends[own[at]] < starts[own[at] + 1]:
                holders[ends[own[at]]] = text
                ends[own[at]] += 1
    return holders, starts


@njit
def containers(
    first: int,
    last: int,
    own: I64,
    borders: I64,
    totals: I64,
    holders: I64,
    starts: I64,
    counts: I64,
    share: float,
    most: int,
    ones: I64,
    others: I64,
) -> int:
    """The texts before each of ``first:last`` that share most of its rarest values, as pairs; how many pairs."""
    together = np.zeros(last, np.int64)
    touched = np.empty(last, np.int64)
    pairs = 0
    for text in range(first, last):
        values = own[borders[text] : borders[text + 1]]
        least = max(1, int(share * totals[text]))
        if len(values) < least:
            continue
        often = np.empty(len(values), np.int64)
        for at in range(len(values)):
            often[at] = counts[values[at]]
        order = np.argsort(often, kind="mergesort")
        met = 0
        for place in range(len(values) - least + 1):
            value = values[order[place]]
            for at in range(starts[value], starts[value + 1]):
                other = holders[at]
                if other >= text:
                    break
                if together[other] == 0:
                    touched[met] = other
                    met += 1
                together[other] += 1
        ranked = np.empty(met, np.int64)
        for at in range(met):
            ranked[at] = (len(values) - together[touched[at]]) << 32 | touched[at]
            together[touched[at]] = 0
        ranked = np.sort(ranked)
        for at in range(min(met, most)):
            ones[pairs], others[pairs] = text, ranked[at] & 0xFFFFFFFF
            pairs += 1
    return pairs
