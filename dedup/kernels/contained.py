"""Find the articles that may contain others: the twin of `dedup.match.container_candidates`.

A minimizer is a number from 0. The minimizers of article a are ``minimizers[borders[a]:borders[a + 1]]``.
"""

from __future__ import annotations

import numpy as np

from dedup.arrays import I64
from dedup.kernels.jit import njit


@njit
def holders_of(minimizers: I64, borders: I64, count: int, most: int) -> tuple[I64, I64]:
    """Return for each of `count` minimizers the first articles that have it, `most` at most, and their borders.

    The articles ascend within a minimizer: int64 [holders]; the borders are int64 [count + 1]. `minimizers` are those
    of all articles, int64 [minimizers]; `borders` say where those of each article start, int64 [articles + 1].
    """
    counts = np.zeros(count, np.int64)
    for value in minimizers:
        counts[value] += 1
    starts = np.zeros(count + 1, np.int64)
    for value in range(count):
        starts[value + 1] = starts[value] + min(counts[value], most)
    ends = starts[:-1].copy()
    holders = np.empty(starts[-1], np.int64)
    for text in range(len(borders) - 1):
        for at in range(borders[text], borders[text + 1]):
            if ends[minimizers[at]] < starts[minimizers[at] + 1]:
                holders[ends[minimizers[at]]] = text
                ends[minimizers[at]] += 1
    return holders, starts


@njit
def find_containers(
    first: int,
    last: int,
    minimizers: I64,
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
    """Write the pairs of each article of ``first:last`` and the earlier ones that share most of its rarest minimizers.

    Each article gets `most` pairs at most. It is written to `ones` and the earlier one to `others`, int64 [room];
    returned is the number of pairs. An article must share `share` of its total with another. It then shares one of its
    rarest, so only as many of these are looked up as that takes.

    `minimizers` and `borders` are those of `holders_of`, `holders` and `starts` its result. `totals`, int64 [articles],
    is the number of minimizers of an article, shared or not; `counts`, int64 [minimizers], says how many articles have
    a minimizer.
    """
    shared_counts = np.zeros(last, np.int64)
    touched = np.empty(last, np.int64)
    pairs = 0
    for text in range(first, last):
        values = minimizers[borders[text] : borders[text + 1]]
        least = max(1, int(share * totals[text]))
        if len(values) < least:
            continue
        frequencies = np.empty(len(values), np.int64)
        for at in range(len(values)):
            frequencies[at] = counts[values[at]]
        order = np.argsort(frequencies, kind="mergesort")
        met = 0
        for place in range(len(values) - least + 1):
            value = values[order[place]]
            for at in range(starts[value], starts[value + 1]):
                other = holders[at]
                if other >= text:
                    break
                if shared_counts[other] == 0:
                    touched[met] = other
                    met += 1
                shared_counts[other] += 1
        ranked = np.empty(met, np.int64)
        for at in range(met):
            ranked[at] = (len(values) - shared_counts[touched[at]]) << 32 | touched[at]
            shared_counts[touched[at]] = 0
        ranked = np.sort(ranked)
        for at in range(min(met, most)):
            ones[pairs], others[pairs] = text, ranked[at] & 0xFFFFFFFF
            pairs += 1
    return pairs
