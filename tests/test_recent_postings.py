"""Postings in memory are found wherever they are, and those of moved articles are forgotten."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.online import recent_postings
from dedup.online.recent_postings import RecentPostings, merge_postings
from dedup.online.stores import FoundPostings

HASHES = st.sets(st.integers(0, 20), max_size=8)


def pairs_of(found):
    return list(zip(found.hashes.tolist(), found.articles.tolist(), strict=True))


def postings(pairs):
    """Sorted pairs of hash and article, as a store returns them."""
    return FoundPostings(
        np.array([value for value, _ in pairs], np.uint64), np.array([article for _, article in pairs], np.int64)
    )


@given(st.lists(st.lists(HASHES, max_size=4), max_size=6), st.data())
@settings(max_examples=100, deadline=None)
def test_postings_in_memory_equal_a_list_of_them(groups, data):
    recent, expected, count = RecentPostings(), [], 0
    limit, recent_postings._FRESH_ARTICLES = recent_postings._FRESH_ARTICLES, 3
    try:
        for group in groups:
            rows = list(enumerate(group, count))
            recent.add([(article, np.array(sorted(values), np.uint64).tobytes()) for article, values in rows])
            expected += [(value, article) for article, values in rows for value in values]
            count += len(rows)
            if recent.is_full or data.draw(st.booleans()):
                first = data.draw(st.integers(0, count))
                recent.settle(first)
                expected = [(value, article) for value, article in expected if article >= first]
            wanted = data.draw(HASHES)
            found = recent.find(np.array(sorted(wanted), np.uint64))
            assert sorted(pairs_of(found)) == sorted(pair for pair in expected if pair[0] in wanted)
            assert recent.last == count - 1
    finally:
        recent_postings._FRESH_ARTICLES = limit


@given(*[st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)))] * 2)
def test_a_posting_that_is_in_two_places_counts_once(first, second):
    merged = merge_postings(postings(sorted(first)), postings(sorted(second)))
    assert pairs_of(merged) == sorted(first | second)
