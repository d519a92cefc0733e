"""Where words are in a text that is folded to be compared, and what splitting units at them gives."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from dedup.kernels import reference
from dedup.repeats.article import ArticleParagraphs
from dedup.repeats.units import Units, offset_of_word
from dedup.segment.paragraphs import paragraphs
from dedup.segment.words import comparison_key, words

TEXTS = st.lists(
    st.sampled_from(["½ a ", "北京2008 ", "が", "é x, ", "ab. ", "กา", "it´s ", "™", "\n"]), max_size=60
).map("".join)


@given(TEXTS, st.data())
@example("a" * 300 + " b", None)
def test_a_word_starts_where_the_shortest_text_with_it_ends(text, draw):
    count = len(words(text))
    number = draw.draw(st.integers(0, max(count - 1, 0))) if draw else 1
    expected = next((end - 1 for end in range(1, len(text) + 1) if len(words(text[:end])) > number), 0)
    assert offset_of_word(text, 0, len(text), number) == (expected if number else 0)


@given(TEXTS.filter(str.strip), st.data())
def test_split_units_hold_the_same_words(text, draw):
    spans = paragraphs(text)
    article = ArticleParagraphs(text, spans, [comparison_key(text[slice(*span)]) for span in spans], reference)
    whole = Units.of(article)
    places = draw.draw(st.sets(st.integers(0, len(article.all_words))))
    parts = whole.cut(places)
    assert parts.starts == whole.starts | places
    assert parts.words == whole.words
    kept = "".join(text[start:stop] for start, stop in zip(parts.begins, parts.ends, strict=True))
    assert "".join(kept.split()) == "".join(
        "".join(text[start:stop].split()) for start, stop in zip(whole.begins, whole.ends, strict=True)
    )


ODD_PIECES = ["a", "É.", "“b”", "½", "3½", "a\u0301", "北京", "ﬁ", "c™", "\u0301", "\n", "Word one."]


@given(st.lists(st.sampled_from(ODD_PIECES), min_size=1, max_size=12).map(" ".join))
def test_a_word_starts_where_a_search_finds_it(text: str) -> None:
    spans = paragraphs(text)
    units = Units.of(ArticleParagraphs(text, spans, [comparison_key(text[slice(*span)]) for span in spans]))
    for unit in range(len(units)):
        for word in range(units.borders[unit], units.borders[unit + 1]):
            found = units.span_of_words(word, word + 1)[0]
            start, stop = units.begins[unit], units.ends[unit]
            number = word - units.borders[unit]
            assert found == (offset_of_word(text, start, stop, number) if number else start)
