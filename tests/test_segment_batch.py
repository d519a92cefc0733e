"""Batches of texts: compiled code equals the definition, and the definition equals the functions for one text."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.arrays import encode_utf8, pack
from dedup.kernels import compiled, reference
from dedup.kernels.characters import CODES, HARD, characters
from dedup.segment.paragraphs import paragraphs
from dedup.segment.words import comparison_key

# Characters that fold to several, that compose, that are reordered, that separate lines and words.
ODD = (
    "\n\n\n\r\t \u00a0\u0085\u2028\u3000aA_9éß\u0130\u0149\ufb01\ufdfa\u0301\u0316\u0345"
    "\u0e31\u0e48กา中文\uff21ー가\u1100\u1161\u11a8\u00b4\u02dc\u2122\u2120\u20dd\u20e3\ufe0e\ufe0f\u180b\U000e0100\U0001f16a"
)
TEXTS = st.lists(st.text(st.one_of(st.sampled_from(ODD), st.characters())), max_size=6)


def assert_equal_arrays(first_tuple, second_tuple):
    for name, first, second in zip(first_tuple._fields, first_tuple, second_tuple, strict=True):
        assert first.dtype == second.dtype, name
        assert first.tolist() == second.tolist(), name


@given(TEXTS)
@example(["", "\n", " \n\n\u3000\n", "a\n\nb", "a\nb", "\ud800 x \udfff"])
@example(["it´s", "❤️ 5️⃣ *️⃣ x\ufe0f\u0301y", "\u0301\ufe0f\u0316a", "Widget™ ́s", "a\u0301\ufe0f\u0316", "_a_b __ ＿"])
@example(["㍿" * 11 + "a" * 66, "½" * 30 + "a京" * 40])  # the keys take more than twice the bytes of the text
@example(["ﷺ" * 40, "a" + "\u0316" * 100, "a" + "\u0301" * 31 + " b", "\U0001f600 \U000e0041 \U00031350"])
def test_compiled_segments_equal_their_definition(texts):
    packed = pack([encode_utf8(text) for text in texts])
    assert_equal_arrays(reference.segment_batch(*packed), compiled.segment_batch(*packed))


@given(TEXTS)
def test_segments_are_the_paragraphs_and_keys_of_each_text(texts):
    segments = reference.segment_batch(*pack([encode_utf8(text) for text in texts]))
    for text, first, last in zip(texts, segments.borders[:-1], segments.borders[1:], strict=True):
        spans = paragraphs(text)
        assert spans == list(
            zip(segments.starts[first:last].tolist(), segments.stops[first:last].tolist(), strict=True)
        )
        for number, (start, stop) in enumerate(spans, first):
            key = segments.keys[segments.key_starts[number] : segments.key_stops[number]].tobytes()
            assert key == encode_utf8(comparison_key(text[start:stop]))


@pytest.mark.slow
def test_compiled_code_folds_every_character_alone_and_between_letters():
    texts = [f"{chr(code)}\nx{chr(code)}y {chr(code)}" for code in range(CODES)]
    for start in range(0, CODES, 1 << 14):
        packed = pack(list(map(encode_utf8, texts[start : start + (1 << 14)])))
        assert_equal_arrays(reference.segment_batch(*packed), compiled.segment_batch(*packed))


def test_only_characters_that_compose_or_are_reordered_are_left_to_the_definition():
    undecided = np.flatnonzero(characters().becomes == HARD).tolist()
    assert 100 < len(undecided) < 400
    for code in undecided:
        form = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", chr(code)).casefold())
        joins = unicodedata.normalize("NFD", chr(code)) != unicodedata.normalize("NFC", chr(code))
        marks = unicodedata.combining(chr(code)) or unicodedata.category(chr(code))[0] == "M"
        assert joins or marks or 0x1100 < code < 0x1200 or form != chr(code), hex(code)


@given(TEXTS, st.data())
def test_joined_keys_are_those_of_the_paragraphs_that_stay(texts, data):
    segments = reference.segment_batch(*pack([encode_utf8(text) for text in texts]))
    is_dropped = np.array([data.draw(st.booleans()) for _ in segments.starts], bool)
    stops = np.where(is_dropped, segments.key_starts, segments.key_stops)
    joined = reference.join_keys(segments.keys, segments.key_starts, stops, segments.borders)
    assert_equal_arrays(joined, compiled.join_keys(segments.keys, segments.key_starts, stops, segments.borders))
    for text, (first, last) in enumerate(zip(segments.borders[:-1], segments.borders[1:], strict=True)):
        kept = [
            segments.keys[segments.key_starts[number] : segments.key_stops[number]].tobytes()
            for number in range(first, last)
            if not is_dropped[number]
        ]
        key = joined.keys[joined.key_offsets[text] : joined.key_offsets[text + 1]].tobytes()
        assert key == b" ".join(filter(None, kept))
