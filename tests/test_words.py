"""The words of texts and their comparison keys."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.segment.words import comparison_key, words


@given(st.text())
def test_a_comparison_key_is_its_own_comparison_key(text):
    key = comparison_key(text)
    assert comparison_key(key) == key


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_the_fast_path_for_ascii_equals_the_general_path(text):
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
def test_comparison_keys_fold_texts_of_many_scripts(label, text, expected):
    assert comparison_key(text) == unicodedata.normalize("NFKC", expected), label


def test_a_long_run_of_combining_marks_is_cut_short():
    assert len(comparison_key("a" + "\u0301\u0316" * 500_000)) < 200
