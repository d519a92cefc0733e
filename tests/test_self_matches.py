"""Word runs that repeat within one text: compiled code equals the definition, and that equals a slow search."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.arrays import encode_utf8, pack
from dedup.fingerprint.self_matches import REPEATED_PARAGRAPH, REPEATED_RUNS, has_repeated_runs
from dedup.kernels import compiled, reference
from dedup.segment.words import comparison_key

WORDS = st.integers(1, 6).flatmap(lambda most: st.lists(st.integers(0, most), max_size=60))
FEW = st.integers(1, 4)


@given(WORDS, st.integers(1, 5), FEW)
def test_compiled_self_matches_equal_the_definition(words, run, most):
    numbers = np.array(words, np.int64)
    (rows, runs), (expected, count) = (
        compiled.find_self_matches(numbers, run, most),
        reference.find_self_matches(numbers, run, most),
    )
    assert (rows.tolist(), runs) == (expected.tolist(), count)


@given(WORDS, st.integers(1, 5), FEW)
def test_self_matches_are_disjoint_copies_as_long_as_possible(words, run, most):
    end = 0
    for copy, source, length in reference.find_self_matches(np.array(words, np.int64), run, most)[0].tolist():
        assert source < copy >= end
        assert length >= run
        assert words[copy : copy + length] == words[source : source + length]
        assert copy + length == len(words) or words[copy + length] != words[source + length]
        end = copy + length


@given(WORDS, st.integers(1, 5))
def test_every_run_that_occurred_before_is_in_a_match(words, run):
    matches = reference.find_self_matches(np.array(words, np.int64), run, len(words) + 1)[0].tolist()
    inside = {place for copy, _, length in matches for place in range(copy, copy + length)}
    seen = set()
    for place in range(len(words) - run + 1):
        key = tuple(words[place : place + run])
        assert key not in seen or place in inside
        seen.add(key)


@given(st.lists(WORDS, max_size=7), st.data())
def test_compiled_similar_paragraphs_equal_the_definition(paragraphs, data):
    numbers = np.array([word for words in paragraphs for word in words], np.int64)
    offsets = np.array([0, *np.cumsum([len(words) for words in paragraphs])], np.int64)
    same = np.array([paragraphs.index(words) for words in paragraphs], np.int64)
    run, postings, candidates = data.draw(st.integers(1, 5)), data.draw(FEW), data.draw(FEW)
    similar = reference.find_similar_paragraphs(numbers, offsets, same, run, postings, candidates)
    assert similar.shape == (len(paragraphs), candidates)
    assert (
        compiled.find_similar_paragraphs(numbers, offsets, same, run, postings, candidates).tolist() == similar.tolist()
    )
    for index, row in enumerate(similar.tolist()):
        for other in row:
            assert other < index
            assert other < 0 or same[other] != same[index]


@given(st.lists(st.lists(st.text("abc", min_size=1, max_size=2), max_size=90).map(" ".join), max_size=5))
@example(["\n".join(["one two three four five six"] * 2), "\n".join(["one two three four five"] * 2)])
def test_the_compiled_screen_equals_its_definition(texts):
    segments = reference.segment_batch(*pack([encode_utf8(text) for text in texts]))
    hashes = reference.word_hashes(segments.keys, segments.key_offsets)
    flags = reference.screen_self_repeats(hashes, segments)
    assert flags.tolist() == compiled.screen_self_repeats(hashes, segments).tolist()
    for flag, text in zip(flags.tolist(), texts, strict=True):
        assert bool(flag & REPEATED_RUNS) == has_repeated_runs(comparison_key(text).split())
        long_keys = [key for key in map(comparison_key, text.split("\n")) if key.count(" ") >= 5]
        assert bool(flag & REPEATED_PARAGRAPH) == (len(set(long_keys)) < len(long_keys))


@pytest.mark.parametrize("size", [20, 25, 40, 60])
def test_the_screen_suspects_every_block_printed_twice(size):
    body = [f"word{number}" for number in range(size)]
    edited = [f"edit{number}" if number % 12 == 11 and size >= 40 else word for number, word in enumerate(body)]
    other = [f"other{number}" for number in range(200)]
    for copy in (body, edited):
        for text in (body + copy, body + other + copy, other + body + copy + other):
            assert has_repeated_runs(text)
