"""The words of texts and their comparison keys."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.segment.words import comparison_key, is_unspaced, words


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
        ("variation selectors", "✔️ milk, ✔︎ milk, ✔ milk; 葛\U000e0100飾; ᠠ\u180b", "milk milk milk 葛 飾 ᠠ"),
        ("emoji", "❤️ ⚠️ ☎️", ""),
        ("keycaps and enclosing marks", "5️⃣ #️⃣ *⃣ A⃝ ◌⃝", "5 a"),
        ("a mark that follows no word", "— \u0301a b\u0301 .\u0301 \u0301", "a b\u0301"),
        ("spacing accents", "it´s it¨s it¯s it¸s it˘s it˙s it˚s it˛s it˜s it˝s", " ".join(["it s"] * 10)),
        ("low lines", "_the long road_ snake_case ____ ＿a＿", "the long road snake case a"),
        ("trade marks", "Widget™ Care℠ A™B Go🅪 ™ Widget®", "widget care a b go widget"),
    ],
)
def test_comparison_keys_fold_texts_of_many_scripts(label, text, expected):
    assert comparison_key(text) == unicodedata.normalize("NFKC", expected), label


def test_a_long_run_of_combining_marks_is_cut_short():
    assert len(comparison_key("a" + "\u0301\u0316" * 500_000)) < 200


@given(st.text())
def test_a_word_starts_with_a_letter_or_a_digit(text):
    assert all(word[0].isalnum() for word in words(text))


@given(st.lists(st.text(st.characters(whitelist_categories=["L", "N", "P", "Z"], blacklist_characters="_"))))
def test_texts_without_marks_have_the_lower_cased_words_of_a_regular_expression(texts):
    text = unicodedata.normalize("NFKC", " ".join(texts)).lower()
    spaced = "".join(c for c in text if unicodedata.category(c)[0] != "M" and not is_unspaced(c))
    if unicodedata.normalize("NFKC", spaced.casefold()) == spaced:
        assert words(spaced) == re.findall(r"[^\W_]+", spaced)
