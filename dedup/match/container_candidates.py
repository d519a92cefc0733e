"""Find the articles that may contain another one, by the minimizers that they share.

An article is a candidate container if it comes earlier in the order (longest first) and has one of the article's
rarest minimizers. Candidates that share most of these minimizers come first. The plain search is the definition; the
compiled one gives the same pairs. Both engines call `find_candidates`, Spark once for each part of the articles.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from dedup.arrays import I64, offsets_of
from dedup.match.buckets import Buckets
from dedup.runtime.resources import ResourceBudget, slices

# An article contained to 0.9 has lost minimizers only around its changes; a quarter is left even where those are spread
# evenly, so a twin is among the articles that share one of the rarest three quarters.
SHARED_MINIMIZERS = 0.25
POSTINGS_AT_MOST = 512  # articles looked at for one minimizer, longest first: more is boilerplate
VERIFIED_AT_MOST = 32  # articles compared exactly with one, those that share most minimizers first
SLICES_PER_THREAD = 8  # later articles have more articles before them, so slices of equal size differ in work


class ContainedPairs(NamedTuple):
    """Articles and longer articles that may contain them, as places in the order of the articles.

    `ones` and `others` are int64 [pairs]. Pairs of one article are neighbours, and the likeliest container comes first.
    """

    ones: I64
    others: I64

    def ranks(self) -> I64:
        """Return the rank of each pair among those of its article, from 0 for the likeliest: int64 [pairs]."""
        starts = np.flatnonzero(np.diff(self.ones, prepend=-1))
        return np.arange(len(self.ones)) - np.repeat(starts, np.diff(starts, append=len(self.ones)))


class MinimizerIndex(NamedTuple):
    """The minimizers that articles share, by article and by minimizer; both are numbered from 0.

    `shared` holds the minimizers of each article, ascending. `totals`, int64 [articles], is the number of minimizers
    that an article has, shared or not. `counts`, int64 [minimizers], is the number of articles that have a minimizer.
    `holders` holds the first `POSTINGS_AT_MOST` articles of each minimizer, ascending.

    With `totals` and `counts` of zeros, all of the minimizers of an article are searched for, and none is rarer.
    """

    shared: Buckets
    totals: I64
    counts: I64
    holders: Buckets


def index_minimizers(shared: Buckets, totals: I64, counts: I64, *, compiled: bool) -> MinimizerIndex:
    """Return the index of the minimizers `shared`, with `totals` and `counts` as `MinimizerIndex` has them."""
    if compiled:
        from dedup.kernels import contained as fast  # noqa: PLC0415 - loading LLVM takes longer than a small job

        return MinimizerIndex(shared, totals, counts, Buckets(*fast.holders_of(*shared, len(counts), POSTINGS_AT_MOST)))
    order = np.argsort(shared.values, kind="stable")
    articles = np.repeat(np.arange(len(totals)), np.diff(shared.borders))[order]
    all_borders = offsets_of(np.bincount(shared.values, minlength=len(counts)))
    posting = np.arange(len(order)) - np.repeat(all_borders[:-1], np.diff(all_borders))
    lengths = np.minimum(np.diff(all_borders), POSTINGS_AT_MOST)
    holders = Buckets(articles[posting < POSTINGS_AT_MOST], offsets_of(lengths))
    return MinimizerIndex(shared, totals, counts, holders)


def find_candidates(index: MinimizerIndex, budget: ResourceBudget | None = None, *, compiled: bool) -> ContainedPairs:
    """Return each article with up to `VERIFIED_AT_MOST` earlier ones that share most of its rarest minimizers.

    `budget` gives the threads that the search may use.
    """
    if not compiled:
        return _find_candidates_plain(index)
    budget = budget or ResourceBudget()
    spans = slices(len(index.totals), SLICES_PER_THREAD * budget.threads)
    parts = [np.empty((2, 0), np.int64), *budget.map(lambda span: _search_compiled(index, *span), spans)]
    return ContainedPairs(*np.concatenate(parts, axis=1))


def _find_candidates_plain(index: MinimizerIndex) -> ContainedPairs:
    """Return the pairs by their definition."""
    (values, borders), totals, counts, holders = index
    postings = np.split(holders.values, holders.borders[1:-1])
    least = np.maximum(1, (SHARED_MINIMIZERS * totals).astype(np.int64)).tolist()
    ones, others = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for article, (start, stop) in enumerate(pairwise(borders.tolist())):
        if stop - start < least[article]:
            continue
        minimizers = values[start:stop]
        rarest = minimizers[np.argsort(counts[minimizers], kind="stable")[: stop - start - least[article] + 1]]
        met = np.concatenate([postings[value] for value in rarest.tolist()])
        earlier, shares = np.unique(met[met < article], return_counts=True)
        likeliest = earlier[np.argsort(-shares, kind="stable")[:VERIFIED_AT_MOST]]
        ones.append(np.full(len(likeliest), article, np.int64))
        others.append(likeliest)
    return ContainedPairs(np.concatenate(ones), np.concatenate(others))


def _search_compiled(index: MinimizerIndex, start: int, stop: int) -> I64:
    """Return the pairs of the articles ``start:stop``: int64 [2, pairs]."""
    from dedup.kernels import contained as fast  # noqa: PLC0415 - loading LLVM takes longer than a small job

    with_minimizers = np.count_nonzero(np.diff(index.shared.borders[start : stop + 1]))
    room = np.empty((2, int(with_minimizers) * VERIFIED_AT_MOST), np.int64)
    count = fast.find_containers(
        start,
        stop,
        *index.shared,
        index.totals,
        *index.holders,
        index.counts,
        SHARED_MINIMIZERS,
        VERIFIED_AT_MOST,
        *room,
    )
    return room[:, :count].copy()  # a view would keep all of the room
