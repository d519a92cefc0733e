"""Lines of copies are not site text: what `dedup.match.support` says, on arrays and on whole corpora."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.match.paragraph_columns import ParagraphColumns
from dedup.match.support import ENOUGH_OWN, FEWEST_OWN_TEXTS, LEAST_OWN, OWN_WORDS, have_support

ARTICLES = st.lists(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=5), min_size=1, max_size=8)
SIZES = [4.0, 10.0, 8.0, 20.0, 120.0, 300.0]  # of the paragraphs 0 to 5


@given(ARTICLES)
def test_a_line_has_support_from_articles_with_different_texts_of_their_own(articles):
    keys = np.array([key for article in articles for key, _ in article], np.int64)
    marked = np.array([is_marked for article in articles for _, is_marked in article], bool)
    rows = np.repeat(np.arange(len(articles)), list(map(len, articles)))
    sizes = np.array(SIZES)[keys] if len(keys) else np.zeros(0)
    columns = ParagraphColumns(
        rows, np.ones(len(keys), np.int32), keys, sizes, np.zeros(len(keys), np.int8), np.zeros(len(articles), int), []
    )
    numbers = np.flatnonzero(marked)
    own = []
    for article in articles:
        prose = [(key, is_marked) for key, is_marked in article if SIZES[key] >= OWN_WORDS]
        left = sorted(key for key, is_marked in prose if not is_marked)
        taken = sum(SIZES[key] for key, is_marked in prose if is_marked)
        least = min(taken / LEAST_OWN, ENOUGH_OWN)
        own.append(tuple(left) if left and sum(SIZES[key] for key in left) >= least else None)
    expected = []
    for number in numbers:
        texts = {own[row] for row in rows[numbers[keys[numbers] == keys[number]]]} - {None}
        articles_with_it = set(rows[numbers[keys[numbers] == keys[number]]].tolist())
        expected.append(len(texts) >= min(len(articles_with_it), FEWEST_OWN_TEXTS))
    assert have_support(columns, numbers, np.zeros(len(numbers), np.int64)).tolist() == expected


STORY = [
    f"Paragraph {name} of the story tells at some length what the {name} office said about the new bridge in {name}."
    for name in ("alder", "birch", "cedar")
]


@pytest.mark.parametrize("url", [None, "https://a.example/{}", "https://{}.example/x"])
@pytest.mark.parametrize("count", [3, 8, 40])
def test_copies_of_a_story_are_duplicates_and_no_site_text(tmp_path, url, count):
    rows = [{"id": n, "text": "\n\n".join(STORY)} | ({"url": url.format(n)} if url else {}) for n in range(count)]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    report = dedup.clean(path, tmp_path / "out")
    assert report.counts["dropped"] == count - 1
    assert (tmp_path / "out" / "site_text.jsonl").read_bytes() == b""


@pytest.mark.parametrize("count", [3, 8, 40])
def test_copies_with_a_line_of_their_own_are_near_duplicates(count):
    rows = [
        {"id": n, "url": f"https://a.example/{n}", "text": "\n\n".join([*STORY, f"Source: office number {n}"])}
        for n in range(count)
    ]
    result = dedup.clean_articles(rows)
    assert len(result.articles) == 1
    assert {row["text"] for row in result.site_text}.isdisjoint(STORY)
