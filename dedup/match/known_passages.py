"""Find articles that have passages of known articles, such as the items of a test set in a training corpus.

A passage is a run of words that both have, of at least as many as the setting `passage_words` says; a known article
with fewer words is a passage as a whole. What counts is the share of the words of the known article that stand in its
passages in an article: a page that quotes one sentence of a long text is no copy of it.

Sets of hashes of such runs propose pairs, and the words themselves decide. This comes before articles are matched, so
that an article that goes is nobody's twin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from dedup.arrays import I64, U64, Bools, Floats, decode_utf8
from dedup.findings import DROP
from dedup.fingerprint.similarity import Comparer, jaccard
from dedup.kernels import reference
from dedup.match.articles import ArticleMatches
from dedup.match.policy import ARTICLE_MATCH_RULES, KNOWN_PASSAGE, NO_MATCH
from dedup.prepare.columns import integer_values, join_chunks
from dedup.prepare.corpus import Corpus
from dedup.rules import OFF
from dedup.settings import ARTICLE_SHINGLE, Settings

FEWEST_PASSAGE_WORDS = 5  # of a known article; shorter ones, such as "Yes" or "in 1945", are in any corpus
_NEW_ARTICLES_AT_ONCE = 512  # whose keys are in memory
PLACES_SHOWN = 10  # articles named for each known one


class PassagePlace(NamedTuple):
    """An article that has passages of a known one: its row, and the share of the words of the known one in them."""

    row: int
    share: float


class KnownItem(NamedTuple):
    """What was found of one known article.

    `row` is its row, `words` counts its words, and `share` is the share of them that stand in passages in any article.
    `articles` counts the articles that have passages of it, and `places` names those with the largest shares.
    """

    row: int
    words: int
    share: float
    articles: int
    places: list[PassagePlace]


class KnownPassages(NamedTuple):
    """The articles that have enough of a known one, and what was found of each known article.

    `rows` are the articles, ascending, and `twins` the known articles of which they have the largest share: int64
    [articles]. `shares` are these, and `similarities` the Jaccard similarities: float64 [articles].
    """

    rows: I64
    twins: I64
    shares: Floats
    similarities: Floats
    items: list[KnownItem]

    def removed(self, count: int, settings: Settings) -> Bools:
        """Return which of `count` articles the rule drops: bool [count]."""
        removed = np.zeros(count, bool)
        removed[self.rows] = settings.rules[ARTICLE_MATCH_RULES[KNOWN_PASSAGE]] == DROP
        return removed


def passage_evidence(share: float) -> str:
    """Return the evidence of an article that has passages with `share` of the words of a known one."""
    return f"{share:.1%} of that stands here"


def covered_words(item: Sequence[str], text: Sequence[str], n: int) -> list[bool]:
    """Return which words of `item` stand in a run of `n` words that `text` has, too.

    An item of fewer words counts as one run.

    >>> covered_words("a b c d".split(), "x b c d y".split(), 2)
    [False, True, True, True]
    """
    n = min(n, len(item))
    runs = {tuple(text[start : start + n]) for start in range(len(text) - n + 1)}
    covered = [False] * len(item)
    for start in range(len(item) - n + 1):
        if tuple(item[start : start + n]) in runs:
            covered[start : start + n] = [True] * n
    return covered


def find_known_passages(corpus: Corpus, settings: Settings, comparer: Comparer = reference) -> KnownPassages:
    """Return the articles of `corpus` that have passages of its known ones."""
    nothing = KnownPassages(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0), [])
    if not corpus.known_rows or settings.rules[ARTICLE_MATCH_RULES[KNOWN_PASSAGE]] == OFF:
        return nothing
    words = integer_values(corpus.read_columns("words")["words"])
    readable = np.asarray(join_chunks(corpus.read_columns("error")["error"]).is_null())
    known = np.flatnonzero(readable[: corpus.known_rows] & (words[: corpus.known_rows] >= FEWEST_PASSAGE_WORDS))
    found = {row: _Found(row, key, settings) for row, key in zip(known.tolist(), corpus.read_keys(known), strict=True)}
    index = _RunIndex(list(found.values()), settings, comparer)
    best: dict[int, tuple[float, int, bytes]] = {}  # by row of an article: share, known row, key
    new = np.flatnonzero(readable & (words >= FEWEST_PASSAGE_WORDS))
    new = new[new >= corpus.known_rows]
    for start in range(0, len(new), _NEW_ARTICLES_AT_ONCE):
        rows = new[start : start + _NEW_ARTICLES_AT_ONCE]
        keys = corpus.read_keys(rows)
        for place, item in index.candidates(keys):
            row = int(rows[place])
            share = item.compare(row, keys[place])
            if share >= settings.passage_share and share > best.get(row, (0.0,))[0]:
                best[row] = share, item.row, keys[place]
    matches = sorted(best.items())
    return KnownPassages(
        np.array([row for row, _ in matches], np.int64),
        np.array([twin for _, (_, twin, _) in matches], np.int64),
        np.array([share for _, (share, _, _) in matches]),
        np.array([jaccard(key, found[twin].key, ARTICLE_SHINGLE) for _, (_, twin, key) in matches]),
        [item.summary() for item in found.values()],
    )


class _Found:
    """The words of a known article, and which of them were found so far, anywhere."""

    def __init__(self, row: int, key: bytes, settings: Settings) -> None:
        self.row = row
        self.key = key
        self.run = settings.passage_words
        self.words = decode_utf8(key).split(" ")
        self.covered = np.zeros(len(self.words), bool)
        self.articles = 0
        self.places: list[PassagePlace] = []

    def compare(self, row: int, key: bytes) -> float:
        """Note the passages in the article `row`, whose key is given; return the share of the words in them."""
        covered = np.array(covered_words(self.words, decode_utf8(key).split(" "), self.run))
        share = float(np.count_nonzero(covered) / len(covered))
        if share:
            self.covered |= covered
            self.articles += 1
            self.places = sorted([*self.places, PassagePlace(row, share)], key=lambda place: (-place.share, place.row))
            del self.places[PLACES_SHOWN:]
        return share

    def summary(self) -> KnownItem:
        """Return what was found of the article."""
        share = float(np.count_nonzero(self.covered) / len(self.covered))
        return KnownItem(self.row, len(self.words), share, self.articles, self.places)


class _RunIndex:
    """The hashes of all runs of known articles, by the number of words in a run."""

    def __init__(self, items: Sequence[_Found], settings: Settings, comparer: Comparer) -> None:
        self.comparer = comparer
        by_length: dict[int, list[_Found]] = {}
        for item in items:
            by_length.setdefault(min(len(item.words), settings.passage_words), []).append(item)
        self.runs = {length: self._indexed(length, group) for length, group in sorted(by_length.items())}

    def _indexed(self, length: int, items: list[_Found]) -> tuple[U64, list[_Found]]:
        """Return the hashes of the runs of `items`, ascending, and the item of each."""
        hashes, borders = self.comparer.shingle_hash_sets([item.key for item in items], length)
        order = np.argsort(hashes, kind="stable")
        owners = np.repeat(np.arange(len(items)), np.diff(borders))[order]
        return hashes[order], [items[owner] for owner in owners.tolist()]

    def candidates(self, keys: Sequence[bytes]) -> Iterator[tuple[int, _Found]]:
        """Yield the places in `keys` and the items that share a run, each pair once, in order."""
        pairs: dict[tuple[int, int], _Found] = {}
        for length, (indexed, owners) in self.runs.items():
            hashes, borders = self.comparer.shingle_hash_sets(keys, length)
            starts, stops = (np.searchsorted(indexed, hashes, side) for side in ("left", "right"))
            hits = np.flatnonzero(stops > starts)
            places = np.searchsorted(borders, hits, "right") - 1
            for place, start, stop in zip(places.tolist(), starts[hits].tolist(), stops[hits].tolist(), strict=True):
                pairs |= {(place, item.row): item for item in owners[start:stop]}
        yield from ((place, pairs[place, row]) for place, row in sorted(pairs))


def with_known_passages(articles: ArticleMatches, passages: KnownPassages, settings: Settings) -> ArticleMatches:
    """Return `articles` with the matches of `passages`.

    Where the rule only flags, the match of another rule for the same article comes first.
    """
    drops = settings.rules[ARTICLE_MATCH_RULES[KNOWN_PASSAGE]] == DROP
    chosen = np.flatnonzero(drops | (articles.rules[passages.rows] == NO_MATCH))
    rows = passages.rows[chosen]
    rules, twins, similarities = articles.rules.copy(), articles.twins.copy(), articles.similarities.copy()
    rules[rows], twins[rows], similarities[rows] = KNOWN_PASSAGE, passages.twins[chosen], passages.similarities[chosen]
    evidence = articles.evidence | dict(
        zip(rows.tolist(), map(passage_evidence, passages.shares[chosen].tolist()), strict=True)
    )
    return articles._replace(rules=rules, twins=twins, similarities=similarities, evidence=evidence)
