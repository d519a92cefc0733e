"""Articles that stand whole inside a longer one: found by minimizers, verified on exact sets.

Jaccard similarity does not see them: a report of 100 words inside a live blog of 2,000 shares 5 % of it. What is
measured here is the share of the shorter article's shingles that the longer one has. Candidates come from minimizers:
of every 16 consecutive shingles the one of smallest hash (Schleimer, Wilkerson, Aiken, *Winnowing*, 2003), so that any
run of 20 words that two articles share gives both of them a minimizer in common; nothing is compared with everything.

Articles are decided from the longest to the shortest, so that an article dropped is never the twin of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa

from dedup import fingerprint
from dedup.fingerprint import I64, U64, Comparer, containment, jaccard
from dedup.match import CONTAINED, NONE, RULES, Articles
from dedup.pieces import Corpus, flat, integers
from dedup.prepare import CONTAINED_WORDS
from dedup.settings import ARTICLE_SHINGLE, Settings

CONTAINED_SHARE = 0.9  # of the shorter article's shingles; a dateline or byline of its own may be missing
# An article contained to 0.9 has lost minimizers only around its changes; a quarter is left even where those are spread
# evenly, so a twin is among the articles that share one of the rarest three quarters.
_SHARED_MINIMIZERS = 0.25
_POSTINGS_AT_MOST = 512  # articles looked at for one minimizer, longest first: more is boilerplate
_VERIFIED_AT_MOST = 32  # articles compared exactly with one, those that share most minimizers first


def match_contained(
    corpus: Corpus, articles: Articles, settings: Settings, comparer: Comparer = fingerprint
) -> Articles:
    """`articles` with those that stand inside a longer one of them."""
    action = settings.rules[RULES[CONTAINED]]
    if action == "off":
        return articles
    table = corpus.columns("words", "minimizers")
    rows = np.flatnonzero(articles.kept & (articles.rules == NONE) & (integers(table["words"]) >= CONTAINED_WORDS))
    rows = rows[np.argsort(-integers(table["words"])[rows], kind="stable")]  # longest first, ties in input order
    candidates = _candidates(flat(table["minimizers"]), rows)
    if not candidates:
        return articles
    involved = np.unique(np.concatenate([[text, *others] for text, others in candidates.items()]))
    keys = corpus.keys(rows[involved])
    place = {int(rank): at for at, rank in enumerate(involved)}
    hashes, borders = comparer.hash_sets(keys, ARTICLE_SHINGLE)
    rules, twins, similarities = articles.rules.copy(), articles.twins.copy(), articles.similarities.copy()
    kept, evidence = articles.kept.copy(), dict(articles.evidence)
    gone: set[int] = set()
    for text, others in candidates.items():
        standing = [place[other] for other in others if other not in gone]
        found = _twin(keys, hashes, borders, place[text], standing, comparer)
        if found is None:
            continue
        row, (at, share) = int(rows[text]), found
        rules[row], twins[row] = CONTAINED, rows[involved[at]]
        similarities[row] = jaccard(keys[place[text]], keys[at], ARTICLE_SHINGLE)
        evidence[row] = f"{share:.1%} of it stands there"
        if action == "drop":
            kept[row] = False
            gone.add(text)
    return articles._replace(rules=rules, twins=twins, similarities=similarities, kept=kept, evidence=evidence)


def _candidates(minimizers: pa.ListArray, rows: I64) -> dict[int, list[int]]:
    """For each of `rows`, by its place, the places before it that share minimizers, those that share most first."""
    mine = minimizers.take(pa.array(rows))
    values = np.asarray(mine.flatten())
    borders = np.concatenate([[0], np.cumsum(np.asarray(mine.value_lengths().fill_null(0)))])
    places = np.repeat(np.arange(len(rows)), np.diff(borders))
    order = np.lexsort((places, values))  # by minimizer, longest article first
    _, numbers, counts = np.unique(values, return_inverse=True, return_counts=True)
    starts = np.concatenate([[0], np.cumsum(counts)])
    holders = places[order]
    candidates: dict[int, list[int]] = {}
    for place, (start, stop) in enumerate(pairwise(borders.tolist())):
        own = numbers[start:stop]
        own = own[counts[own] > 1]
        least = max(1, int(_SHARED_MINIMIZERS * (stop - start)))
        if len(own) < least:
            continue
        rarest = own[np.argsort(counts[own], kind="stable")][: len(own) - least + 1]
        lists = [holders[starts[one] : min(starts[one + 1], starts[one] + _POSTINGS_AT_MOST)] for one in rarest]
        met = np.concatenate(lists)
        others, shared = np.unique(met[met < place], return_counts=True)
        if len(others):
            best = np.argsort(-shared, kind="stable")[:_VERIFIED_AT_MOST]
            candidates[place] = others[best].tolist()
    return candidates


def _twin(
    keys: Sequence[bytes], hashes: U64, borders: I64, text: int, others: list[int], comparer: Comparer
) -> tuple[int, float] | None:
    """Of `others` the one that holds most of `text` (ties: first), and how much; None where none holds enough."""
    if not others:
        return None
    rows = np.array(others)
    sizes = np.diff(borders)
    similar = comparer.similarities(hashes, borders, text, rows, 0.0)
    shares = similar * (sizes[text] + sizes[rows]) / ((1 + similar) * sizes[text])
    for at in np.argsort(-shares, kind="stable").tolist():
        if shares[at] < CONTAINED_SHARE - 1e-9:
            break
        exact = containment(keys[text], keys[others[at]], ARTICLE_SHINGLE)
        if exact >= CONTAINED_SHARE:
            return others[at], exact
    return None
