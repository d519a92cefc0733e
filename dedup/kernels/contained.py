"""Find the articles that may contain others: the twin of `dedup.match.container_candidates`.

A minimizer is a number from 0. The minimizers of article a are ``minimizers[borders[a]:borders[a + 1]]``.
"""

from __future__ import annotations

import numpy as np

from dedup.arrays import I64, U64, offsets_of
from dedup.kernels.declare import kernel
from dedup.kernels.sorting import sort_values


def holders_of(minimizers: I64, borders: I64, count: int, most: int) -> tuple[I64, I64]:
    """Return for each of `count` minimizers the first articles that have it, `most` at most, and their borders.

    The articles ascend within a minimizer: int64 [holders]; the borders are int64 [count + 1]. `minimizers` are those
    of all articles, int64 [minimizers]; `borders` say where those of each article start, int64 [articles + 1].
    """
    starts = offsets_of(np.minimum(np.bincount(minimizers, minlength=count), most))
    holders = np.empty(int(starts[-1]), np.int64)
    _write_holders(minimizers, borders, starts, starts[:-1].copy(), holders)
    return holders, starts


@kernel("int64[:], int64[:], int64[:], +int64[:], +int64[:]")
def _write_holders(minimizers: I64, borders: I64, starts: I64, ends: I64, holders: I64) -> None:
    """Write the holders that `holders_of` returns to `holders`; `ends` is a copy of their `starts` without the last."""
    for text in range(len(borders) - 1):
        for at in range(borders[text], borders[text + 1]):
            if ends[minimizers[at]] < starts[minimizers[at] + 1]:
                holders[ends[minimizers[at]]] = text
                ends[minimizers[at]] += 1


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
    shared_counts, touched = np.zeros(last, np.int64), np.empty(last, np.int64)
    room = max(last, int(np.diff(borders[first : last + 1]).max(initial=0)))
    ranked, sorting = np.empty(room, np.uint64), np.empty(room, np.uint64)
    pairs: int = _write_containers(
        first,
        last,
        minimizers,
        borders,
        totals,
        holders,
        starts,
        counts,
        share,
        most,
        ones,
        others,
        shared_counts,
        touched,
        ranked,
        sorting,
    )
    return pairs


@kernel(
    "int64, int64, int64[:], int64[:], int64[:], int64[:], int64[:], int64[:], float64, int64, +int64[:], +int64[:], "
    "+int64[:], +int64[:], +uint64[:], +uint64[:]",
    "int64",
)
def _write_containers(
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
    shared_counts: I64,
    touched: I64,
    ranked: U64,
    sorting: U64,
) -> int:
    """Do what `find_containers` does.

    `shared_counts`, int64 [articles], is all 0; `touched`, int64 [articles], is room. So are `ranked` and `sorting`,
    uint64, for the values of an article and for the articles before it.
    """
    pairs = 0
    for text in range(first, last):
        values = minimizers[borders[text] : borders[text + 1]]
        least = max(1, int(share * totals[text]))
        if len(values) < least:
            continue
        for at in range(len(values)):
            ranked[at] = np.uint64(counts[values[at]] << 32 | at)
        sort_values(ranked[: len(values)], sorting)
        met = 0
        for place in range(len(values) - least + 1):
            value = values[np.int64(ranked[place]) & 0xFFFFFFFF]
            for at in range(starts[value], starts[value + 1]):
                other = holders[at]
                if other >= text:
                    break
                if shared_counts[other] == 0:
                    touched[met] = other
                    met += 1
                shared_counts[other] += 1
        for at in range(met):
            ranked[at] = np.uint64((len(values) - shared_counts[touched[at]]) << 32 | touched[at])
            shared_counts[touched[at]] = 0
        sort_values(ranked[:met], sorting)
        for at in range(min(met, most)):
            ones[pairs], others[pairs] = text, np.int64(ranked[at]) & 0xFFFFFFFF
            pairs += 1
    return pairs
