"""Match articles that a longer article contains as a whole: found by minimizers, verified on exact sets.

Jaccard similarity does not detect them: a report of 100 words inside a live blog of 2,000 shares 5 % of it. This module
measures the share of the shorter article's shingles that the longer one has. Candidates come from minimizers: of every
16 consecutive shingles the one of smallest hash (Schleimer, Wilkerson, Aiken, *Winnowing*, 2003). So any run of 20
words that two articles share gives both of them a minimizer in common, and not every pair has to be compared.

A notice at the end of an article, such as that of a paywall, does not count: an opening is found in the whole report.

Articles are decided from the longest to the shortest, so that an article dropped is never the twin of another. Where
the rule drops articles, the twin of a near-duplicate stays, since the longer article may lack what only the
near-duplicate has. A copy of an article that is dropped is contained in the same longer article.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from dedup.arrays import I64, Bools, offsets_of
from dedup.findings import DROP
from dedup.fingerprint.similarity import Comparer, containment, jaccard
from dedup.kernels import reference
from dedup.match.articles import ArticleMatches
from dedup.match.buckets import Entries, find_shared_values, group_by_row, value_entries
from dedup.match.container_candidates import (
    SLICES_PER_THREAD,
    ContainedPairs,
    MinimizerIndex,
    find_candidates,
    index_minimizers,
)
from dedup.match.policy import ARTICLE_MATCH_RULES, CONTAINED, DUPLICATE, NO_MATCH
from dedup.match.shingle_sets import read_shingle_sets
from dedup.match.survivors import hashes_agree
from dedup.prepare.batch import CONTAINED_WINDOW, CONTAINED_WORDS
from dedup.prepare.columns import digest_values, integer_values
from dedup.prepare.corpus import Corpus, KeyReader
from dedup.prepare.store import load_batch
from dedup.rules import OFF
from dedup.runtime.resources import evict_pages, slices
from dedup.segment.digests import key_halves
from dedup.settings import ARTICLE_SHINGLE, Settings

CONTAINED_SHARE = 0.9  # of the shorter article's shingles; a dateline or byline of its own may be missing


class _MeasuredPairs(NamedTuple):
    """Pairs whose second article contains the first, by their sets of hashes.

    All are int64 [pairs]: the places of the articles, how many shingles they share, and how many each has.
    """

    ones: I64
    others: I64
    common: I64
    sizes: I64
    other_sizes: I64

    def share_and_similarity(self, pair: int) -> tuple[float, float]:
        """Return the share of the first article's shingles that the second has, and their Jaccard similarity."""
        common, size, other_size = int(self.common[pair]), int(self.sizes[pair]), int(self.other_sizes[pair])
        return common / size, common / (size + other_size - common)


class _Containments(NamedTuple):
    """The pairs chosen as matches, by index, with the share contained and the similarity of each."""

    pairs: list[int]
    shares: list[float]
    similarities: list[float]


def match_contained(
    corpus: Corpus, articles: ArticleMatches, settings: Settings, comparer: Comparer = reference
) -> ArticleMatches:
    """Return `articles` with the matches of those that a longer article contains.

    Only articles that stay and have no other match are compared. Those of equal keys differ in their facts, and neither
    contains the other. Known articles contain others, and it does not matter what contains them.
    """
    action = settings.rules[ARTICLE_MATCH_RULES[CONTAINED]]
    if action == OFF:
        return articles
    table = corpus.read_columns("own_words", "own_key", "digest")
    words = integer_values(table["own_words"])
    rows = np.flatnonzero(articles.kept & (articles.rules == NO_MATCH) & (words >= CONTAINED_WORDS))
    rows = rows[np.argsort(-words[rows], kind="stable")]  # longest first, ties in input order
    keys = KeyReader(corpus, rows, np.zeros_like(rows), integer_values(table["own_key"])[rows])
    candidates = find_candidates(_read_minimizers(corpus, rows, comparer), corpus.budget, compiled=comparer.compiled)
    wordings = key_halves(digest_values(table["digest"])[rows])
    differ_in_words = wordings[candidates.ones] != wordings[candidates.others]  # else they differ in facts
    drops = action == DROP
    may_match = differ_in_words & ~(drops & _similar_twins(articles)[rows][candidates.ones])
    may_match &= rows[candidates.ones] >= corpus.known_rows
    candidates = ContainedPairs(candidates.ones[may_match], candidates.others[may_match])
    pairs = _measure_pairs(candidates, keys, words[rows], comparer)
    if comparer.compiled:
        chosen = _choose_containers(pairs, pairs.share_and_similarity, drops=drops)
        if hashes_agree(keys, words[rows], pairs.ones[chosen.pairs], pairs.others[chosen.pairs], ARTICLE_SHINGLE):
            return _with_containments(articles, rows, pairs, chosen, drops=drops)
    chosen = _choose_containers(pairs, _ExactPairs(pairs, keys).share_and_similarity, drops=drops)
    return _with_containments(articles, rows, pairs, chosen, drops=drops)


def _similar_twins(articles: ArticleMatches) -> Bools:
    """Return which articles are the twin of one with other words or facts: bool [articles]."""
    are_twins = np.zeros(len(articles.rules), bool)
    are_twins[articles.twins[(articles.rules != NO_MATCH) & (articles.rules != DUPLICATE)]] = True
    return are_twins


def _choose_containers(
    pairs: _MeasuredPairs, share_and_similarity: Callable[[int], tuple[float, float]], *, drops: bool
) -> _Containments:
    """Return for each article its first pair that reaches the share.

    Where the rule `drops` articles, a pair with a dropped one does not count.
    """
    chosen = _Containments([], [], [])
    dropped: set[int] = set()
    decided = -1
    for pair, (article, other) in enumerate(zip(pairs.ones.tolist(), pairs.others.tolist(), strict=True)):
        if article == decided or other in dropped:
            continue
        share, similarity = share_and_similarity(pair)
        if share >= CONTAINED_SHARE:
            decided = article
            chosen.pairs.append(pair)
            chosen.shares.append(share)
            chosen.similarities.append(similarity)
            if drops:
                dropped.add(article)
    return chosen


def _with_containments(
    articles: ArticleMatches, rows: I64, pairs: _MeasuredPairs, chosen: _Containments, *, drops: bool
) -> ArticleMatches:
    """Return `articles` with the `chosen` pairs as matches; `rows` are the rows of the places in pairs."""
    rules, twins, similarities = articles.rules.copy(), articles.twins.copy(), articles.similarities.copy()
    kept, evidence = articles.kept.copy(), dict(articles.evidence)
    contained = rows[pairs.ones[chosen.pairs]]
    chosen_pairs = np.arange(len(contained))
    if drops:
        place = np.full(len(rules), -1, np.int64)  # of each article in `contained`
        place[contained] = chosen_pairs
        copies = np.flatnonzero((rules == DUPLICATE) & (place[twins] >= 0))
        chosen_pairs = np.concatenate([chosen_pairs, place[twins[copies]]])
        contained = np.concatenate([contained, copies])
        kept[contained] = False
    rules[contained], twins[contained] = CONTAINED, rows[pairs.others[chosen.pairs]][chosen_pairs]
    similarities[contained] = np.array(chosen.similarities)[chosen_pairs]
    shares = map(containment_evidence, np.array(chosen.shares)[chosen_pairs].tolist())
    evidence |= zip(contained.tolist(), shares, strict=True)
    return articles._replace(rules=rules, twins=twins, similarities=similarities, kept=kept, evidence=evidence)


def containment_evidence(share: float) -> str:
    """Return the evidence of a contained article, of whose shingles the longer one has `share`."""
    return f"{share:.1%} of it stands there"


def _read_minimizers(corpus: Corpus, rows: I64, comparer: Comparer) -> MinimizerIndex:
    """Return the index of the minimizers that the articles in `rows`, int64 [articles], share.

    Articles are numbered by their place in `rows`, and minimizers by their value, ascending.
    """
    places = np.full(len(corpus), -1, np.int64)
    places[rows] = np.arange(len(rows))
    totals = np.zeros(len(rows), np.int64)

    def entries_of_piece(number: int, low: int, high: int) -> Entries:
        column = load_batch(corpus.prepared_batches[number], ["minimizers"]).column(0)
        articles = places[corpus.starts[number] : corpus.starts[number + 1]]
        lengths = np.diff(np.asarray(column.offsets))
        chosen = articles >= 0
        totals[articles[chosen]] = lengths[chosen]
        values = np.asarray(column.values)
        borders = np.asarray(column.offsets).astype(np.int64)
        if not chosen.all():
            values = values[borders[0] : borders[-1]][np.repeat(chosen, lengths)]
            borders = offsets_of(lengths[chosen])
        return value_entries(articles[chosen].astype(np.uint32), values[borders[0] : borders[-1]], borders, low, high)

    def entries(low: int, high: int) -> Iterator[Entries]:
        return corpus.budget.map(
            lambda number: entries_of_piece(number, low, high), range(len(corpus.prepared_batches))
        )

    size = int(integer_values(corpus.read_columns("own_words")["own_words"])[rows].sum()) * 2 // (CONTAINED_WINDOW + 1)
    values, numbers, holders = [np.empty(0, np.uint64)], [np.empty(0, np.int64)], [np.empty(0, np.uint32)]
    for shared, shared_values in find_shared_values(entries, size, comparer, corpus.budget):
        numbers.append(shared.values.astype(np.int64) + sum(map(len, values)))
        holders.append(shared.holders)
        values.append(shared_values)
    order = np.argsort(np.concatenate(values))
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    ranked = ranks[np.concatenate(numbers)].astype(np.uint32)
    by_minimizer = group_by_row(ranked, np.concatenate(holders).astype(np.int64), len(order), comparer)
    counts = np.diff(by_minimizer.borders)
    minimizers = np.repeat(np.arange(len(order)), counts)
    by_article = group_by_row(by_minimizer.values.astype(np.uint32), minimizers, len(rows), comparer)
    return index_minimizers(by_article, totals, counts, compiled=comparer.compiled)


def _measure_pairs(candidates: ContainedPairs, keys: KeyReader, words: I64, comparer: Comparer) -> _MeasuredPairs:
    """Return the `candidates` that reach the share by their sets of hashes; those of one article by their share.

    `words` is the number of words of each article: int64 [articles].
    """
    involved, places = np.unique(np.concatenate(candidates), return_inverse=True)
    ones, others = places.reshape(2, -1)
    if comparer.compiled:
        common, sizes = _count_common(ones, others, keys, involved, words)
        similarities = common / (sizes[ones] + sizes[others] - common)
    else:
        hashes, borders = comparer.shingle_hash_sets(keys.of(involved), ARTICLE_SHINGLE)
        sizes = np.diff(borders)
        similarities = np.zeros(len(ones))
        for article in np.unique(ones).tolist():
            of_article = ones == article
            similarities[of_article] = comparer.jaccard_similarities(hashes, borders, article, others[of_article], 0.0)
        common = np.rint(similarities * (sizes[ones] + sizes[others]) / (1 + similarities)).astype(np.int64)
    # from the similarity, since Spark orders by the same expression, to the last bit
    shares = similarities * (sizes[ones] + sizes[others]) / ((1 + similarities) * sizes[ones])
    near = np.flatnonzero(shares >= CONTAINED_SHARE - 1e-9)
    near = near[np.lexsort((-shares[near], candidates.ones[near]))]
    return _MeasuredPairs(
        candidates.ones[near], candidates.others[near], common[near], sizes[ones[near]], sizes[others[near]]
    )


def _count_common(ones: I64, others: I64, keys: KeyReader, involved: I64, words: I64) -> tuple[I64, I64]:
    """Return how many shingles each pair shares, 0 where too few, and how many each article has: int64.

    `ones` and `others`, int64 [pairs], index `involved`, the articles that are in any pair: int64 [articles].
    """
    from dedup.kernels import set_overlap  # noqa: PLC0415 - loading LLVM takes longer than a small job

    budget = keys.corpus.budget
    sets = read_shingle_sets(keys, involved, words[involved], ARTICLE_SHINGLE)
    order = np.argsort(others, kind="stable")
    common = np.zeros(len(ones), np.int64)

    def count_slice(span: tuple[int, int]) -> None:
        pairs = order[slice(*span)]
        counts = np.empty(len(pairs), np.int64)
        set_overlap.count_common_of_pairs(ones[pairs], others[pairs], *sets[:3], CONTAINED_SHARE, counts)
        common[pairs] = np.maximum(counts, 0)
        evict_pages(sets.hashes)

    parts = max(SLICES_PER_THREAD * budget.threads, budget.passes(sets.hashes.nbytes))
    for _ in budget.map(count_slice, slices(len(order), parts)):
        pass
    return common, sets.sizes


class _ExactPairs:
    """The keys of measured pairs, to compare their shingles themselves instead of hashes."""

    def __init__(self, pairs: _MeasuredPairs, keys: KeyReader) -> None:
        self.pairs = pairs
        involved = np.unique(np.concatenate([pairs.ones, pairs.others]))
        self.keys = dict(zip(involved.tolist(), keys.of(involved), strict=True))

    def share_and_similarity(self, pair: int) -> tuple[float, float]:
        """Return what `_MeasuredPairs.share_and_similarity` does; a similarity of 0.0 where the share is too low."""
        key, other_key = self.keys[int(self.pairs.ones[pair])], self.keys[int(self.pairs.others[pair])]
        share = containment(key, other_key, ARTICLE_SHINGLE)
        return share, jaccard(key, other_key, ARTICLE_SHINGLE) if share >= CONTAINED_SHARE else 0.0
