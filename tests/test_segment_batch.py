"""Texts by the batch: the compiled functions say what their definitions say, and these what the single ones say."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.arrays import encode_utf8, pack
from dedup.findings import Offsets, fix
from dedup.fingerprint.self_matches import REPEATED_PARAGRAPH, REPEATED_RUNS, has_repeated_runs
from dedup.kernels import compiled as kernels
from dedup.kernels import reference as plain
from dedup.kernels.characters import CODES, HARD, characters
from dedup.prepare.raw_spans import raw_spans
from dedup.segment.paragraphs import paragraphs
from dedup.segment.words import comparison_key

# Characters that fold to several, that compose, that are sorted, that separate lines and words.
ODD = (
    "\n\n\n\r\t \u00a0\u0085\u2028\u3000aA_9éß\u0130\u0149\ufb01\ufdfa\u0301\u0316\u0345"
    "\u0e31\u0e48กา中文\uff21ー가\u1100\u1161\u11a8"
)
TEXTS = st.lists(st.text(st.one_of(st.sampled_from(ODD), st.characters())), max_size=6)


def same(one, two):
    for name, first, second in zip(one._fields, one, two, strict=True):
        assert first.dtype == second.dtype, name
        assert first.tolist() == second.tolist(), name


@given(TEXTS)
@example(["", "\n", " \n\n\u3000\n", "a\n\nb", "a\nb", "\ud800 x \udfff"])
@example(["ﷺ" * 40, "a" + "\u0316" * 100, "a" + "\u0301" * 31 + " b", "\U0001f600 \U000e0041 \U00031350"])
def test_compiled_segments_equal_their_definition(texts):
    packed = pack([encode_utf8(text) for text in texts])
    same(plain.segment_batch(*packed), kernels.segment_batch(*packed))


@given(TEXTS)
def test_segments_are_the_paragraphs_and_their_keys(texts):
    found = plain.segment_batch(*pack([encode_utf8(text) for text in texts]))
    for text, first, last in zip(texts, found.borders[:-1], found.borders[1:], strict=True):
        spans = paragraphs(text)
        assert spans == list(zip(found.starts[first:last].tolist(), found.stops[first:last].tolist(), strict=True))
        for number, (start, stop) in enumerate(spans, first):
            key = found.keys[found.key_starts[number] : found.key_stops[number]].tobytes()
            assert key == encode_utf8(comparison_key(text[start:stop]))


def test_every_character_folds_alike_alone_and_between_letters():
    texts = [f"{chr(code)}\nx{chr(code)}y {chr(code)}" for code in range(CODES)]
    for at in range(0, CODES, 1 << 14):
        packed = pack(list(map(encode_utf8, texts[at : at + (1 << 14)])))
        same(plain.segment_batch(*packed), kernels.segment_batch(*packed))


def test_only_what_joins_or_is_sorted_is_left_to_the_definition():
    hard = np.flatnonzero(characters().becomes == HARD).tolist()
    assert 100 < len(hard) < 400
    for code in hard:
        form = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", chr(code)).casefold())
        joins = unicodedata.normalize("NFD", chr(code)) != unicodedata.normalize("NFC", chr(code))
        marks = unicodedata.combining(chr(code)) or unicodedata.category(chr(code))[0] == "M"
        assert joins or marks or 0x1100 < code < 0x1200 or form != chr(code), hex(code)


@given(TEXTS, st.data())
def test_joined_keys_are_those_of_the_paragraphs_left(texts, data):
    found = plain.segment_batch(*pack([encode_utf8(text) for text in texts]))
    gone = np.array([data.draw(st.booleans()) for _ in found.starts], bool)
    stops = np.where(gone, found.key_starts, found.key_stops)
    made = plain.join_keys(found.keys, found.key_starts, stops, found.borders)
    same(made, kernels.join_keys(found.keys, found.key_starts, stops, found.borders))
    for text, (first, last) in enumerate(zip(found.borders[:-1], found.borders[1:], strict=True)):
        left = [
            found.keys[found.key_starts[number] : found.key_stops[number]].tobytes()
            for number in range(first, last)
            if not gone[number]
        ]
        own = made.keys[made.key_borders[text] : made.key_borders[text + 1]].tobytes()
        assert own == b" ".join(filter(None, left))


@given(st.lists(st.lists(st.text("abc", min_size=1, max_size=2), max_size=90).map(" ".join), max_size=5))
@example(["\n".join(["one two three four five six"] * 2), "\n".join(["one two three four five"] * 2)])
def test_compiled_search_for_repeats_equals_its_definition(texts):
    found = plain.segment_batch(*pack([encode_utf8(text) for text in texts]))
    hashes = plain.word_hashes(found.keys, found.key_borders)
    flags = plain.screen_self_repeats(hashes, found)
    assert flags.tolist() == kernels.screen_self_repeats(hashes, found).tolist()
    for flag, text in zip(flags.tolist(), texts, strict=True):
        assert bool(flag & REPEATED_RUNS) == has_repeated_runs(comparison_key(text).split())
        long = [key for key in map(comparison_key, text.split("\n")) if key.count(" ") >= 5]
        assert bool(flag & REPEATED_PARAGRAPH) == (len(set(long)) < len(long))


@pytest.mark.parametrize("size", [20, 25, 40, 60])
def test_a_block_printed_twice_is_never_passed_over(size):
    body = [f"word{number}" for number in range(size)]
    edited = [f"edit{number}" if number % 12 == 11 and size >= 40 else word for number, word in enumerate(body)]
    other = [f"other{number}" for number in range(200)]
    for again in (body, edited):
        for text in (body + again, body + other + again, other + body + again + other):
            assert has_repeated_runs(text)


@given(st.lists(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4), st.text("xy", max_size=3)), max_size=4)))
def test_raw_spans_of_a_batch_are_those_of_each_text(shapes):
    findings, sizes, spans, borders, expected = [], [], [], [0], []
    for shape in shapes:
        edits, position, size = [], 0, 0
        for skip, length, replacement in shape:
            position += skip
            raw = "." * (position + length)
            edits.append(fix("whitespace", raw, position, position + length, replacement))
            position += length
            size += skip + len(replacement)
        sizes.append(size + 3)
        own = [(start, stop) for start in range(size + 3) for stop in range(start, size + 4, 2)]
        findings.append(edits)
        spans += own
        borders.append(len(spans))
        expected += [Offsets(edits).widen(*span) for span in own]
    starts, stops = np.array(spans, np.int64).reshape(-1, 2).T
    found = plain.segment_batch(*pack([]))._replace(borders=np.array(borders), starts=starts, stops=stops)
    made = raw_spans(findings, found, np.array(sizes, np.int64))
    assert list(zip(*(side.tolist() for side in made), strict=True)) == expected
