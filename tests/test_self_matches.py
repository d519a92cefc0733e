"""What of the words of one text stands again: compiled code equals the definition, and that a slow search."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.fingerprint import self_matches as again
from dedup.kernels import self_matches as compiled

WORDS = st.integers(1, 6).flatmap(lambda most: st.lists(st.integers(0, most), max_size=60))
FEW = st.integers(1, 4)


@given(WORDS, st.integers(1, 5), FEW)
def test_matches_are_compiled_right(words, run, most):
    numbers = np.array(words, np.int64)
    (rows, runs), (expected, count) = (
        compiled.find_self_matches(numbers, run, most),
        again.find_self_matches(numbers, run, most),
    )
    assert (rows.tolist(), runs) == (expected.tolist(), count)


@given(WORDS, st.integers(1, 5), FEW)
def test_matches_stand_again_apart_and_as_long_as_they_go(words, run, most):
    end = 0
    for copy, source, length in again.find_self_matches(np.array(words, np.int64), run, most)[0].tolist():
        assert source < copy >= end
        assert length >= run
        assert words[copy : copy + length] == words[source : source + length]
        assert copy + length == len(words) or words[copy + length] != words[source + length]
        end = copy + length


@given(WORDS, st.integers(1, 5))
def test_every_run_that_stood_before_is_matched(words, run):
    found = again.find_self_matches(np.array(words, np.int64), run, len(words) + 1)[0].tolist()
    inside = {place for copy, _, length in found for place in range(copy, copy + length)}
    seen = set()
    for place in range(len(words) - run + 1):
        own = tuple(words[place : place + run])
        assert own not in seen or place in inside
        seen.add(own)


@given(st.lists(WORDS, max_size=7), st.data())
def test_lookalikes_are_compiled_right(paragraphs, data):
    numbers = np.array([word for words in paragraphs for word in words], np.int64)
    borders = np.array([0, *np.cumsum([len(words) for words in paragraphs])], np.int64)
    same = np.array([paragraphs.index(words) for words in paragraphs], np.int64)
    run, postings, candidates = data.draw(st.integers(1, 5)), data.draw(FEW), data.draw(FEW)
    found = again.find_similar_paragraphs(numbers, borders, same, run, postings, candidates)
    assert found.shape == (len(paragraphs), candidates)
    assert (
        compiled.find_similar_paragraphs(numbers, borders, same, run, postings, candidates).tolist() == found.tolist()
    )
    for index, row in enumerate(found.tolist()):
        for other in row:
            assert other < index
            assert other < 0 or same[other] != same[index]
