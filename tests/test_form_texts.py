"""The compiled functions that tell articles of one form equal their definitions, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.form_pairs import form_pairs
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.arrays import encode_utf8, pack
from dedup.kernels import vocabulary as compiled_vocabulary
from dedup.kernels import word_edits
from dedup.kernels import written_words as compiled_words
from dedup.kernels.characters import CODES
from dedup.match.form_texts import FormTexts
from dedup.match.same_form import find_copy, have_same_form
from dedup.repairs.diff import edits_of_words
from dedup.segment.words import comparison_key
from dedup.segment.written_words import cut_words

# Capitals, marks, letters of unspaced scripts, foldings to several characters, hard ones, and those beyond the tables.
CHARACTERS = st.one_of(
    st.sampled_from("aB 1é\u0301\u0338京ก\u0e31ﬁ½№™️\ufe0fﾫ각\u11a8ẞΣΐ\u0345\n.-'́ÅⒶ²ﷺ㎏«\u0323\u0307"),
    st.sampled_from("\ud800\U00020000\U00030000\U000e0100\U0001f600\u00b4_"),
    st.characters(max_codepoint=CODES),
)
TEXTS = st.lists(st.text(CHARACTERS, max_size=30), max_size=6)


def assert_equal(first, second, *, but=()):
    """Assert that two named tuples of arrays are equal, types included."""
    for name, one, other in zip(first._fields, first, second, strict=True):
        if name not in but:
            assert one.dtype == other.dtype, name
            assert one.tolist() == other.tolist(), name


@given(TEXTS)
@example(["½" * 40, "a A"])
@example(["\U00030000", "", "\ufe0f"])
@example([])
def test_compiled_words_equal_the_definition(texts):
    packed = pack(list(map(encode_utf8, texts)))
    assert_equal(cut_words(*packed), compiled_words.cut_words(*packed), but=("are_key_words",))


@given(st.text(CHARACTERS, max_size=30), st.text(CHARACTERS, max_size=30))
@example("№ 5", "no 5")
@example("x ½", "x 1 2")
@pytest.mark.parametrize("compiled", [False, True])
def test_texts_have_one_key_if_their_comparison_keys_are_equal(compiled, first, second):
    for text, other in ((first, second), (first, first.upper()), (first, first + "\ufe0f"), (first, f" {first}.")):
        texts = FormTexts(compiled=compiled)
        texts.add([text, other])
        assert texts.have_one_key(texts[0], texts[1]) == (comparison_key(text) == comparison_key(other))


@given(st.lists(TEXTS, max_size=3))
def test_compiled_arrays_equal_the_definition(batches):
    plain, compiled = FormTexts(compiled=False), FormTexts(compiled=True)
    for batch in batches:
        assert list(plain.add(batch)) == list(compiled.add(batch))
    count, words = sum(map(len, batches)), len(plain.vocabulary)
    assert words == len(compiled.vocabulary)
    assert [plain.vocabulary.word(number) for number in range(words)] == [
        compiled.vocabulary.word(number) for number in range(words)
    ]
    assert plain.vocabulary.letters[:words].tolist() == compiled.vocabulary.letters[:words].tolist()
    for number in range(count):
        one, other = plain[number], compiled[number]
        assert (one.encoded, one.head, one.tail, one.is_cased) == (
            other.encoded,
            other.head,
            other.tail,
            other.is_cased,
        )
        profiles = [texts.profile(number).tolist() for texts in (plain, compiled)]
        assert profiles[0] == profiles[1]


def test_a_vocabulary_keeps_its_words_when_it_grows():
    words = [f"word{number % 700}" for number in range(2000)]
    vocabulary = compiled_vocabulary.Vocabulary()
    numbers = [
        vocabulary.number(*pack([word.encode() for word in words[start : start + 7]])) for start in range(0, 2000, 7)
    ]
    assert np.concatenate(numbers).tolist() == [number % 700 for number in range(2000)]
    assert [vocabulary.word(number) for number in range(700)] == words[:700]


WORDS = st.lists(st.integers(0, 5), max_size=60) | st.lists(st.integers(0, 400), max_size=400)


@given(WORDS, WORDS, st.lists(st.integers(0, 5), max_size=20), st.lists(st.integers(0, 5), max_size=20))
@example(list(range(300)), list(range(300, 700)), [1], [2])
def test_compiled_edits_equal_the_definition(first, second, head, tail):
    one, other = np.array(head + first + tail, np.int32), np.array(head + second + tail, np.int32)
    edits = edits_of_words(one, other)
    assert word_edits.edits_of_words(one, other).tolist() == edits.tolist()
    result = one.tolist()
    for start, stop, other_start, other_stop in reversed(edits.tolist()):
        result[start:stop] = other.tolist()[other_start:other_stop]
    assert result == other.tolist()


SENTENCES = st.lists(
    st.sampled_from(
        ["Anna", "Boris", "Borys", "Carl", "anna", "the", "of", "St", "Saint", "12", "21", "3", "five", "."]
    ),
    min_size=5,
    max_size=60,
).map(" ".join)


@given(st.lists(SENTENCES, min_size=1, max_size=5), st.sampled_from(["", "the same words go on and on " * 12]))
def test_compiled_names_equal_the_definition(texts, more):
    plain, compiled = FormTexts(compiled=False), FormTexts(compiled=True)
    numbers = np.array(plain.add([text + more for text in texts]))
    compiled.add([text + more for text in texts])
    for number in numbers.tolist():
        expected = plain.have_other_names(number, numbers)
        assert compiled.have_other_names(number, numbers).tolist() == expected.tolist()


def test_both_backends_give_one_verdict_on_all_cases():
    pairs = form_pairs()
    plain, compiled = FormTexts(compiled=False), FormTexts(compiled=True)
    for pair in pairs:
        one, other = plain.add([pair.first, pair.second])
        compiled.add([pair.first, pair.second])
        for numbers in ((one, other), (other, one)):
            others = np.array(numbers[1:])
            expected = have_same_form(plain, numbers[0], others).tolist()
            assert have_same_form(compiled, numbers[0], others).tolist() == expected
            assert (find_copy(compiled, numbers[0], others) < 0) == expected[0]
            by_name = plain.have_other_names(numbers[0], others).tolist()
            assert compiled.have_other_names(numbers[0], others).tolist() == by_name
