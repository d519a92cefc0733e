from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.segment.paragraphs import paragraphs, removal_spans
from dedup.segment.words import comparison_key, words

LAYOUT = st.text(alphabet="ab \t\n\r\u3000", max_size=60)


@given(LAYOUT)
def test_paragraphs_hold_every_character_that_is_not_blank(text):
    spans = paragraphs(text)
    inside = "".join(text[start:stop] for start, stop in spans)
    assert [c for c in inside if not c.isspace()] == [c for c in text if not c.isspace()]
    assert all(one[1] < two[0] for one, two in pairwise(spans))
    assert all(text[start:stop].strip() for start, stop in spans)


@given(LAYOUT)
def test_paragraphs_are_runs_of_lines_or_single_lines(text):
    lines = [line for line in text.split("\n") if line.strip()]
    runs = [run for run in _runs(text) if run]
    found = [text[start:stop] for start, stop in paragraphs(text)]
    assert found == (["\n".join(run) for run in runs] if len(runs) > 1 else lines)


def _runs(text):
    runs = [[]]
    for line in text.split("\n"):
        if line.strip():
            runs[-1].append(line)
        elif runs[-1]:
            runs.append([])
    return runs


@given(LAYOUT, st.data())
def test_cuts_leave_the_other_paragraphs_as_they_were(text, data):
    spans = paragraphs(text)
    gone = sorted(data.draw(st.sets(st.integers(0, max(0, len(spans) - 1)), max_size=len(spans)))) if spans else []
    removed = removal_spans(spans, [(number, number) for number in gone])
    assert all(one[1] <= two[0] for one, two in pairwise(removed))
    left, position = [], 0
    for start, stop in removed:
        left.append(text[position:start])
        position = stop
    rest = "".join([*left, text[position:]])
    kept = [text[start:stop].split() for number, (start, stop) in enumerate(spans) if number not in gone]
    assert rest.split() == [word for paragraph in kept for word in paragraph]
    assert "\n\n\n" in text or "\n\n\n" not in rest or any(not line or line.isspace() for line in text.split("\n"))


def test_cuts_remove_a_separator_with_each_paragraph():
    text = "one\n\ntwo\n\nthree\n"
    spans = paragraphs(text)
    for drops, rest in [
        ([(0, 0)], "two\n\nthree\n"),
        ([(1, 1)], "one\n\nthree\n"),
        ([(2, 2)], "one\n\ntwo\n"),
        ([(1, 1), (2, 2)], "one\n"),
        ([(0, 2)], "\n"),
    ]:
        left = text
        for start, stop in reversed(removal_spans(spans, drops)):
            left = left[:start] + left[stop:]
        assert left == rest


@given(st.text())
def test_a_comparison_key_is_its_own_key(text):
    key = comparison_key(text)
    assert comparison_key(key) == key


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_the_ascii_way_to_words_equals_the_general_one(text):
    general = words(text + " é")
    assert general[-1] == "é"
    assert words(text) == general[:-1]


@pytest.mark.parametrize(
    ("label", "text", "expected"),
    [
        ("case and punctuation", "Don't PANIC!", "don t panic"),
        ("digits stay", "4 oz. or 8 oz.", "4 oz or 8 oz"),
        ("curly quotes and dashes", "“It’s”—fine", "it s fine"),
        ("ligatures and width", "ﬁne ＬＯＵＤ ﾊﾟﾝ", "fine loud パ ン"),
        ("sharp s", "STRASSE straße", "strasse strasse"),
        ("composed and decomposed", "caf\u00e9 cafe\u0301", "caf\u00e9 caf\u00e9"),
        ("Han", "北京大学2008", "北 京 大 学 2008"),
        ("kana", "ひらカナ", "ひ ら カ ナ"),
        ("Thai with marks", "กินข้าว", "กิ น ข้ า ว"),
        ("Khmer", "ភាសា", "ភា សា"),
        ("Hangul has spaces", "한국어 문장", "한국어 문장"),
        ("Devanagari keeps its vowel signs", "हिन्दी भाषा", "हिन्दी भाषा"),
        ("Arabic", "اللغة العربية", "اللغة العربية"),
        ("nothing but punctuation", "— … !?", ""),
    ],
)
def test_comparison_keys_in_many_scripts(label, text, expected):
    assert comparison_key(text) == unicodedata.normalize("NFKC", expected), label


def test_a_long_run_of_combining_marks_takes_no_quadratic_time():
    assert len(comparison_key("a" + "\u0301\u0316" * 500_000)) < 200
