"""Word runs that repeat within one text: compiled code equals the definition, and that equals a slow search."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.arrays import encode_utf8, pack
from dedup.fingerprint.self_alignment import GAIN
from dedup.fingerprint.self_matches import REPEATED_PARAGRAPH, REPEATED_RUNS, RUN_WORDS, has_repeated_runs
from dedup.kernels import compiled, reference
from dedup.segment.words import comparison_key

WORDS = st.integers(0, 3).flatmap(lambda most: st.lists(st.integers(0, most), max_size=80))
TILES = st.lists(st.integers(0, 6), max_size=12).map(
    lambda tiles: [word for tile in tiles for word in range(7 * tile, 7 * tile + 3 + tile)]
)
TEXTS = (WORDS | TILES).map(lambda words: np.array(words, np.int64))


@given(TEXTS)
def test_compiled_runs_equal_the_definition(numbers):
    assert compiled.find_runs(numbers).tolist() == reference.find_runs(numbers).tolist()


@given(TEXTS)
def test_runs_are_equal_maximal_and_found_once(numbers):
    runs = reference.find_runs(numbers).tolist()
    words = numbers.tolist()
    places = [(copy - source, place) for copy, source, length in runs for place in range(copy, copy + length)]
    assert len(set(places)) == len(places)
    for copy, source, length in runs:
        assert 0 <= source < copy
        assert length >= RUN_WORDS
        assert words[copy : copy + length] == words[source : source + length]
        assert copy + length == len(words) or words[copy + length] != words[source + length]
        assert source == 0 or words[copy - 1] != words[source - 1]


@given(TEXTS)
def test_every_seed_that_occurred_before_is_in_a_run(numbers):
    words = numbers.tolist()
    inside = {
        place for copy, _, length in reference.find_runs(numbers).tolist() for place in range(copy, copy + length)
    }
    seen = set()
    for place in range(len(words) - RUN_WORDS + 1):
        key = tuple(words[place : place + RUN_WORDS])
        assert key not in seen or place in inside
        seen.add(key)


@given(TEXTS, st.integers(1, 4))
def test_compiled_chains_equal_the_definition(numbers, size):
    runs = reference.find_runs(numbers)
    sizes = np.arange(len(numbers) + 1) * size
    chains = reference.chain_runs(runs, sizes)
    assert compiled.chain_runs(runs, sizes).tolist() == chains.tolist()
    for number, (score, before, cut) in enumerate(chains.tolist()):
        assert before < number
        assert 0 <= cut < runs[number, 2]
        assert score >= GAIN * size * int(runs[number, 2])


GAPS = st.lists(st.tuples(*[st.integers(0, 60)] * 4), max_size=8)


@given(st.lists(st.integers(0, 3), min_size=120, max_size=120), GAPS)
def test_compiled_gaps_equal_the_definition_and_pair_equal_words_in_order(words, given_gaps):
    numbers = np.array(words, np.int64)
    gaps = np.array([(60 + copy, 60 + stop, *source) for copy, stop, *source in given_gaps], np.int64).reshape(-1, 4)
    pairs = reference.align_gaps(numbers, gaps)
    assert compiled.align_gaps(numbers, gaps).tolist() == pairs.tolist()
    for copy, source in pairs.tolist():
        assert words[copy] == words[source]
    for gap in gaps:
        alone = reference.align_gaps(numbers, gap[None])
        assert (np.diff(alone, axis=0) > 0).all()


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
