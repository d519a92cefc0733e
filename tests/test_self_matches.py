"""Word runs that repeat within one text: compiled code equals the definition, and that equals a slow search."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.arrays import encode_utf8, pack
from dedup.fingerprint.self_alignment import GAIN
from dedup.fingerprint.self_matches import REPEATED_PARAGRAPH, REPEATED_RUNS, RUN_WORDS, has_repeated_runs
from dedup.fingerprint.versions import MemberRule, UnitLayout
from dedup.kernels import compiled, reference
from dedup.segment.paragraphs import paragraphs
from dedup.segment.words import comparison_key
from dedup.segment.words import words as words_of

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


RUNS = np.zeros((0, 3), np.int64)


@given(st.lists(st.integers(0, 3), min_size=120, max_size=120), GAPS)
def test_compiled_pairs_equal_the_definition_and_pair_equal_words_in_order(words, given_gaps):
    numbers = np.array(words, np.int64)
    gaps = np.array([(60 + copy, 60 + stop, *source) for copy, stop, *source in given_gaps], np.int64).reshape(-1, 4)
    pairs = reference.pair_words(numbers, gaps, RUNS)
    runs = reference.find_runs(numbers)
    assert compiled.pair_words(numbers, gaps, RUNS).tolist() == pairs.tolist()
    assert compiled.pair_words(numbers, gaps, runs).tolist() == reference.pair_words(numbers, gaps, runs).tolist()
    for copy, source in pairs.tolist():
        assert words[copy] == words[source]
    for gap in gaps:
        alone = reference.pair_words(numbers, gap[None], RUNS)
        assert (np.diff(alone, axis=0) > 0).all()


@given(TEXTS, st.sets(st.integers(0, 80)))
def test_compiled_pieces_of_paragraphs_equal_the_definition_and_hold_every_similar_pair(numbers, cuts):
    borders = np.array(sorted({0, len(numbers)} | {cut for cut in cuts if cut < len(numbers)}))
    runs = reference.find_runs(numbers)
    pieces = reference.pair_paragraphs(runs, borders)
    assert compiled.pair_paragraphs(runs, borders).tolist() == pieces.tolist()
    shared = Counter()
    for copy, source, length in runs.tolist():
        for place in range(length):
            index, twin = np.searchsorted(borders, (copy + place, source + place), side="right") - 1
            shared[index, twin] += 1
    kept = set(map(tuple, pieces[:, :2].tolist()))
    sizes = np.diff(borders)
    for (index, twin), count in shared.items():
        assert twin >= index or 2 * count < min(sizes[index], sizes[twin]) or (index, twin) in kept


@given(TEXTS, st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1), st.sampled_from([1.0, 0.25]))
def test_compiled_members_of_a_version_equal_the_definition(numbers, units, weight):
    pairs = reference.pair_words(numbers, np.zeros((0, 4), np.int64), reference.find_runs(numbers))
    borders = np.minimum(np.cumsum([0, *(count for count, _ in units), len(numbers)]), len(numbers))
    paragraphs = np.cumsum([0, *(opens for _, opens in units)])
    layout = UnitLayout(np.arange(len(numbers) + 1) * weight, borders, paragraphs)
    for side in (0, 1):
        words, first = np.unique(pairs[:, side], return_index=True)
        if len(words):
            place = np.searchsorted(borders, words[[0, -1]], side="right") - 1
            given_version = words, pairs[first, 1 - side], layout, *place.tolist(), MemberRule(0.5, 0.7, 10 * weight)
            members, matched = reference.choose_members(*given_version)
            again, matched_again = compiled.choose_members(*given_version)
            assert again.tolist() == members.tolist()
            assert matched_again.tolist() == matched.tolist()


MARKED = st.lists(
    st.sampled_from(
        ["a", "B.", "c!”", " ", "\n", "\n\n", "。", "京", "？」", "ก", "ข ", "½", "e\u0301", "?)", "\u3000", "…"]
    ),
    max_size=40,
)


@given(MARKED)
def test_compiled_sentences_equal_the_definition_and_keep_the_words(parts):
    text = "".join(parts)
    spans = paragraphs(text)
    counts = np.array([len(comparison_key(text[slice(*span)]).split()) for span in spans], np.int64)
    given_text = text, np.array(spans, np.int64).reshape(-1, 2), counts
    sentences = reference.split_sentences(*given_text)
    for column, same in zip(sentences, compiled.split_sentences(*given_text), strict=True):
        assert same.tolist() == column.tolist()
    rows = zip(*(column.tolist() for column in sentences), strict=True)
    assert [len(words_of(text[start:stop])) for start, stop, *_ in rows] == sentences.words.tolist()
    assert sentences.words.sum() == counts.sum()


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
