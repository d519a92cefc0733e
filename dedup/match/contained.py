"""Articles that stand whole inside a longer one: found by minimizers, verified on exact sets.

Jaccard similarity does not see them: a report of 100 words inside a live blog of 2,000 shares 5 % of it. What is
measured here is the share of the shorter article's shingles that the longer one has. Candidates come from minimizers:
of every 16 consecutive shingles the one of smallest hash (Schleimer, Wilkerson, Aiken, *Winnowing*, 2003), so that any
run of 20 words that two articles share gives both of them a minimizer in common; nothing is compared with everything.

Articles are decided from the longest to the shortest, so that an article dropped is never the twin of another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64
from dedup.fingerprint.similarity import Comparer, containment, jaccard
from dedup.kernels import reference
from dedup.match.articles import ARTICLE_MATCH_RULES, CONTAINED, NONE, ArticleMatches
from dedup.match.buckets import Buckets, Entries, gathered, shared, value_entries
from dedup.match.survivors import shingle_sets, shingle_sets_agree
from dedup.prepare.batch import CONTAINED_WINDOW, CONTAINED_WORDS
from dedup.prepare.columns import integer_values
from dedup.prepare.corpus import Corpus, KeyReader
from dedup.prepare.store import load_batch
from dedup.runtime.resources import evict_pages, slices
from dedup.settings import ARTICLE_SHINGLE, Settings

CONTAINED_SHARE = 0.9  # of the shorter article's shingles; a dateline or byline of its own may be missing
# An article contained to 0.9 has lost minimizers only around its changes; a quarter is left even where those are spread
# evenly, so a twin is among the articles that share one of the rarest three quarters.
SHARED_MINIMIZERS = 0.25
POSTINGS_AT_MOST = 512  # articles looked at for one minimizer, longest first: more is boilerplate
VERIFIED_AT_MOST = 32  # articles compared exactly with one, those that share most minimizers first
_SLICES = 8  # of the articles, for each thread: the later ones have more before them to meet


class ContainedPairs(NamedTuple):
    """Articles and longer ones that may hold them, by place; those of one article together, likeliest first."""

    ones: I64
    others: I64


class _Close(NamedTuple):
    """Pairs that seem to hold: how many shingles they share, how many each has."""

    ones: I64
    others: I64
    common: I64
    sizes: I64
    other_sizes: I64

    def measured(self, at: int) -> tuple[float, float]:
        """The share of an article that stands in the other, and their similarity."""
        common, size, other = int(self.common[at]), int(self.sizes[at]), int(self.other_sizes[at])
        return common / size, common / (size + other - common)


class _Chosen(NamedTuple):
    """The close pairs that count, by place; shares and similarities."""

    pairs: list[int]
    shares: list[float]
    similarities: list[float]


class _Minimizers(NamedTuple):
    """The minimizers that each article shares, ascending; how many it has in all; how many articles have each."""

    shared: Buckets
    totals: I64
    counts: I64


def match_contained(
    corpus: Corpus, articles: ArticleMatches, settings: Settings, comparer: Comparer = reference
) -> ArticleMatches:
    """`articles` with those that stand inside a longer one of them."""
    action = settings.rules[ARTICLE_MATCH_RULES[CONTAINED]]
    if action == "off":
        return articles
    words = integer_values(corpus.columns("words")["words"])
    rows = np.flatnonzero(articles.kept & (articles.rules == NONE) & (words >= CONTAINED_WORDS))
    rows = rows[np.argsort(-words[rows], kind="stable")]  # longest first, ties in input order
    keys = KeyReader(corpus, rows)
    pairs = _candidates(_minimizers(corpus, rows, comparer), corpus, comparer)
    close = _close(pairs, keys, words[rows], comparer)
    if comparer.compiled:
        chosen = _chosen(close, action, close.measured)
        if shingle_sets_agree(keys, words[rows], close.ones[chosen.pairs], close.others[chosen.pairs], ARTICLE_SHINGLE):
            return _with(articles, rows, close, chosen, action)
    return _with(articles, rows, close, _chosen(close, action, _Exact(close, keys).measured), action)


def _chosen(close: _Close, action: str, measured: Callable[[int], tuple[float, float]]) -> _Chosen:
    """For each article the first pair that holds; none with an article that is gone itself."""
    chosen = _Chosen([], [], [])
    gone: set[int] = set()
    done = -1
    for at, (text, other) in enumerate(zip(close.ones.tolist(), close.others.tolist(), strict=True)):
        if text == done or other in gone:
            continue
        share, similarity = measured(at)
        if share >= CONTAINED_SHARE:
            done = text
            chosen.pairs.append(at)
            chosen.shares.append(share)
            chosen.similarities.append(similarity)
            if action == "drop":
                gone.add(text)
    return chosen


def _with(articles: ArticleMatches, rows: I64, close: _Close, chosen: _Chosen, action: str) -> ArticleMatches:
    """`articles` with what was chosen."""
    rules, twins, similarities = articles.rules.copy(), articles.twins.copy(), articles.similarities.copy()
    kept, evidence = articles.kept.copy(), dict(articles.evidence)
    mine = rows[close.ones[chosen.pairs]]
    rules[mine], twins[mine], similarities[mine] = CONTAINED, rows[close.others[chosen.pairs]], chosen.similarities
    kept[mine] &= action != "drop"
    evidence |= {
        row: f"{share:.1%} of it stands there" for row, share in zip(mine.tolist(), chosen.shares, strict=True)
    }
    return articles._replace(rules=rules, twins=twins, similarities=similarities, kept=kept, evidence=evidence)


def _minimizers(corpus: Corpus, rows: I64, comparer: Comparer) -> _Minimizers:
    places = np.full(len(corpus), -1, np.int64)
    places[rows] = np.arange(len(rows))
    totals = np.zeros(len(rows), np.int64)

    def part(number: int, low: int, high: int) -> Entries:
        column = load_batch(corpus.pieces[number], ["minimizers"]).column(0)
        mine = places[corpus.starts[number] : corpus.starts[number + 1]]
        lengths = np.diff(np.asarray(column.offsets))
        chosen = mine >= 0
        totals[mine[chosen]] = lengths[chosen]
        values = np.asarray(column.values)
        borders = np.asarray(column.offsets).astype(np.int64)
        if not chosen.all():
            values = values[borders[0] : borders[-1]][np.repeat(chosen, lengths)]
            borders = np.concatenate([[0], np.cumsum(lengths[chosen])])
        return value_entries(mine[chosen].astype(np.uint32), values[borders[0] : borders[-1]], borders, low, high)

    def entries(low: int, high: int) -> Iterator[Entries]:
        return corpus.scratch.map(lambda number: part(number, low, high), range(len(corpus.pieces)))

    size = int(integer_values(corpus.columns("words")["words"])[rows].sum()) * 2 // (CONTAINED_WINDOW + 1)
    values, numbers, holders = [np.empty(0, np.uint64)], [np.empty(0, np.int64)], [np.empty(0, np.uint32)]
    for found, its in shared(entries, size, comparer, corpus.scratch):
        numbers.append(found.keys.astype(np.int64) + sum(map(len, values)))
        holders.append(found.holders)
        values.append(its)
    order = np.argsort(np.concatenate(values))
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    ranked = ranks[np.concatenate(numbers)].astype(np.uint32)
    ascending = gathered(ranked, np.concatenate(holders).astype(np.int64), len(order), comparer)
    counts = np.diff(ascending.borders)
    own = gathered(ascending.values.astype(np.uint32), np.repeat(np.arange(len(order)), counts), len(rows), comparer)
    return _Minimizers(own, totals, counts)


def _candidates(minimizers: _Minimizers, corpus: Corpus, comparer: Comparer) -> ContainedPairs:
    """For each article those before it that share minimizers, those that share most first."""
    own, totals, counts = minimizers
    if not comparer.compiled:
        return _plain_candidates(minimizers)
    from dedup.kernels import contained as fast  # noqa: PLC0415 - loading numba takes longer than a small job

    holders, starts = fast.holders_of(*own, len(counts), POSTINGS_AT_MOST)

    def part(span: tuple[int, int]) -> npt.NDArray[np.int64]:
        room = np.empty((2, (span[1] - span[0]) * VERIFIED_AT_MOST), np.int64)
        wanted = (SHARED_MINIMIZERS, VERIFIED_AT_MOST)
        count = fast.containers(*span, *own, totals, holders, starts, counts, *wanted, *room)
        return room[:, :count].copy()

    found = [np.empty((2, 0), np.int64)]
    found += corpus.scratch.map(part, slices(len(totals), _SLICES * corpus.scratch.threads))
    return ContainedPairs(*np.concatenate(found, axis=1))


def _plain_candidates(minimizers: _Minimizers) -> ContainedPairs:
    """The candidates as they are defined."""
    (values, borders), totals, counts = minimizers
    holders: list[list[int]] = [[] for _ in counts]
    ones, others = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for place, (start, stop) in enumerate(pairwise(borders.tolist())):
        own = values[start:stop]
        least = max(1, int(SHARED_MINIMIZERS * totals[place]))
        rarest = own[np.argsort(counts[own], kind="stable")][: max(len(own) - least + 1, 0)]
        met = [other for one in rarest.tolist() for other in holders[one]]
        found, shares = np.unique(np.array(met, np.int64), return_counts=True)
        best = found[np.argsort(-shares, kind="stable")[:VERIFIED_AT_MOST]]
        ones.append(np.full(len(best), place, np.int64))
        others.append(best)
        for one in own.tolist():
            if len(holders[one]) < POSTINGS_AT_MOST:
                holders[one].append(place)
    return ContainedPairs(np.concatenate(ones), np.concatenate(others))


def _close(pairs: ContainedPairs, keys: KeyReader, words: I64, comparer: Comparer) -> _Close:
    """The pairs that seem to hold, by sets of hashes; those of one article by how much of it they do."""
    involved, places = np.unique(np.concatenate(pairs), return_inverse=True)
    ones, others = places.reshape(2, -1)
    if comparer.compiled:
        common, sizes = _commons(ones, others, keys, involved, words)
        similar = common / (sizes[ones] + sizes[others] - common)
    else:
        hashes, borders = comparer.hash_sets(keys.of(involved), ARTICLE_SHINGLE)
        sizes = np.diff(borders)
        similar = np.zeros(len(ones))
        for text in np.unique(ones).tolist():
            mine = ones == text
            similar[mine] = comparer.similarities(hashes, borders, text, others[mine], 0.0)
        common = np.rint(similar * (sizes[ones] + sizes[others]) / (1 + similar)).astype(np.int64)
    shares = similar * (sizes[ones] + sizes[others]) / ((1 + similar) * sizes[ones])
    near = np.flatnonzero(shares >= CONTAINED_SHARE - 1e-9)
    near = near[np.lexsort((-shares[near], pairs.ones[near]))]
    return _Close(pairs.ones[near], pairs.others[near], common[near], sizes[ones[near]], sizes[others[near]])


def _commons(ones: I64, others: I64, keys: KeyReader, involved: I64, words: I64) -> tuple[I64, I64]:
    """How many shingles each pair shares, 0 where that is too few; and how many there are of each article."""
    from dedup.kernels import set_overlap  # noqa: PLC0415 - loading numba takes longer than a small job

    scratch = keys.corpus.scratch
    sets = shingle_sets(keys, involved, words[involved], ARTICLE_SHINGLE)
    order = np.argsort(others, kind="stable")
    common = np.zeros(len(ones), np.int64)

    def part(span: tuple[int, int]) -> None:
        mine = order[slice(*span)]
        found = np.empty(len(mine), np.int64)
        set_overlap.commons(ones[mine], others[mine], *sets[:3], CONTAINED_SHARE, found)
        common[mine] = np.maximum(found, 0)
        evict_pages(sets.hashes)

    parts = max(_SLICES * scratch.threads, scratch.passes(sets.hashes.nbytes))
    for _ in scratch.map(part, slices(len(order), parts)):
        pass
    return common, sets.sizes


class _Exact:
    """The words of close pairs, compared as they are."""

    def __init__(self, close: _Close, keys: KeyReader) -> None:
        self.close = close
        involved = np.unique(np.concatenate([close.ones, close.others]))
        self.keys = dict(zip(involved.tolist(), keys.of(involved), strict=True))

    def measured(self, at: int) -> tuple[float, float]:
        """As `_Close.measured`, of the shingles themselves."""
        one, two = self.keys[int(self.close.ones[at])], self.keys[int(self.close.others[at])]
        share = containment(one, two, ARTICLE_SHINGLE)
        return share, jaccard(one, two, ARTICLE_SHINGLE) if share >= CONTAINED_SHARE else 0.0
