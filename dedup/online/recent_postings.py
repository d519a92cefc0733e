"""The postings of the articles that were added last, in memory: a table of hashes, and sorted arrays for older ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dedup.arrays import I64, U64
from dedup.index.postings import Lookup, find_hits
from dedup.online.stores import FoundPostings

_FRESH_ARTICLES = 512  # in the table, which takes 100 bytes for a hash; an array takes 16, and 15 ms to be put together


class RecentPostings:
    """Postings of articles whose numbers ascend; `last` is the last of these numbers, -1 before the first."""

    def __init__(self) -> None:
        self.last = -1
        self._fresh: dict[int, tuple[int, ...]] = {}  # lists would have to be looked at by the garbage collector
        self._waiting: list[tuple[int, U64]] = []  # the number and the hashes of each article in the table
        self._hashes: U64 = np.empty(0, np.uint64)
        self._articles: I64 = np.empty(0, np.int64)

    @property
    def is_full(self) -> bool:
        """True if so many articles were added that `settle` is due, before the next `find`."""
        return len(self._waiting) >= _FRESH_ARTICLES

    def add(self, rows: Sequence[tuple[int, bytes]]) -> None:
        """Add the postings of articles: the number of each, and its hashes, distinct, as bytes of uint64."""
        waiting = [(article, np.frombuffer(data, np.uint64)) for article, data in rows]
        self._waiting += waiting
        if not self.is_full:  # else `settle` is due, and needs no table
            for article, hashes in waiting:
                for value in hashes.tolist():
                    self._fresh[value] = (*self._fresh.get(value, ()), article)
        if waiting:
            self.last = waiting[-1][0]

    def settle(self, first: int) -> None:
        """Move the table into the arrays, and forget the articles before number `first`."""
        hashes = np.concatenate([np.empty(0, np.uint64), *(values for _, values in self._waiting)])
        counts = [len(values) for _, values in self._waiting]
        articles = np.repeat(np.array([article for article, _ in self._waiting], np.int64), counts)
        order = np.argsort(hashes, kind="stable")
        hashes, articles = hashes[order], articles[order]
        places = np.searchsorted(self._hashes, hashes, "right")
        hashes, articles = np.insert(self._hashes, places, hashes), np.insert(self._articles, places, articles)
        stays = articles >= first
        self._hashes, self._articles = hashes[stays], articles[stays]
        self._fresh, self._waiting = {}, []

    def find(self, hashes: U64) -> FoundPostings:
        """Return the postings of `hashes`, uint64 [hashes], ascending; first those in the arrays."""
        older = find_hits(Lookup(hashes, hashes.view(np.int64), _NO_GROUPS), self._hashes, self._articles)
        pairs = [(value, article) for value in hashes.tolist() for article in self._fresh.get(value, ())]
        if not pairs:
            return FoundPostings(older.groups.view(np.uint64), older.articles)
        table = np.array(pairs, np.int64)
        values = np.concatenate([older.groups, table[:, 0]]).view(np.uint64)
        return FoundPostings(values, np.concatenate([older.articles, table[:, 1]]))


_NO_GROUPS: I64 = np.empty(0, np.int64)


def merge_postings(first: FoundPostings, second: FoundPostings) -> FoundPostings:
    """Return the postings of `first` and `second`, each once, by hash and article."""
    if not len(second.hashes):
        return first
    hashes, articles = (np.concatenate(parts) for parts in zip(first, second, strict=True))
    order = np.lexsort((articles, hashes))
    hashes, articles = hashes[order], articles[order]
    new = np.ones(len(hashes), bool)
    new[1:] = (hashes[1:] != hashes[:-1]) | (articles[1:] != articles[:-1])
    return FoundPostings(hashes[new], articles[new])
