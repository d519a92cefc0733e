"""Find articles that share most of their rarest minimizers with an earlier one: compiled.

`dedup.match.contained` holds the definition.
"""

from __future__ import annotations

import numpy as np

from dedup.arrays import I64
from dedup.kernels.jit import njit


@njit
def holders_of(own: I64, borders: I64, count: int, most: int) -> tuple[I64, I64]:
    """Return the texts that hold each of `count` values, at most `most` each and ascending, and their offsets.

    The values of text t are ``own[borders[t]:borders[t + 1]]``, numbers below `count`: int64. The offsets are int64
    [count + 1].
    """
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
    """Store pairs of a text of ``first:last`` and an earlier text with most of its rarest values; return their number.

    The values of text t are ``own[borders[t]:borders[t + 1]]``, and it had ``totals[t]`` before common values were
    removed. The holders of value v are ``holders[starts[v]:starts[v + 1]]``, and ``counts[v]`` texts have it. A text
    needs the share `share` of its `totals`, and gives at most `most` pairs, which `ones` and `others` receive.
    """
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
