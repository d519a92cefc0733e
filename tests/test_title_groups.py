"""Titles that are found to differ without a comparison of pairs do differ, and few are left to compare."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup import Settings, clean_articles
from dedup.match import titles
from dedup.match.title_groups import FEW_TITLES, TitleGroups
from dedup.match.titles import differing_titles

WORDS = [
    "Alder",
    "Aldar",
    "Birch",
    "New",
    "York",
    "Delhi",
    "sets",
    "dividend",
    "3",
    "-3",
    "2019",
    "é",
    "北",
    "\ud800",
    "",
]
TITLES = st.lists(st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join), min_size=FEW_TITLES, max_size=40)
SPELLINGS = st.text("abAB1", min_size=1, max_size=6).map(lambda name: f"{name} sets dividend")
TEXT = "The board met this morning and agreed on a payment to all holders of shares, to be made before the summer."


@given(TITLES | st.lists(SPELLINGS, min_size=FEW_TITLES, max_size=40))
def test_titles_that_certainly_differ_are_those_of_other_articles(given_titles):
    groups = TitleGroups()
    for number, title in enumerate(given_titles):
        groups.insert(number, title)
    others = np.arange(len(given_titles))
    for number, title in enumerate(given_titles):
        for other in np.flatnonzero(groups.certainly_differ(number, others)).tolist():
            assert differing_titles(title, given_titles[other]), (title, given_titles[other])


def names(count):
    random = Random(1)
    return ["".join(random.sample("abcdefghijklmnoprstu", 8)).title() for _ in range(count)]


def test_few_titles_of_one_form_are_compared_in_pairs(monkeypatch):
    compared = []
    monkeypatch.setattr(titles, "_changes_of_words", lambda *words: compared.append(words) or changes(*words))
    counts = []
    for count in (150, 300):
        compared.clear()
        rows = [{"id": name, "title": f"{name} sets dividend", "text": TEXT} for name in names(count)]
        assert len(clean_articles(rows, Settings(keep="first")).articles) == count
        counts.append(len(compared))
    assert counts[1] <= 2.3 * counts[0] <= 10 * 150


changes = titles._changes_of_words
