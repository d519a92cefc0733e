"""Pairs of one story and of other facts: how they are made, and what their dates say."""

from __future__ import annotations

import gzip
import json
import random
import re
import sys

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT))

from benchmarks.quality import stories
from benchmarks.quality.corpora import Article


def articles(count):
    """Return English articles of made-up words, with names, numbers and "the"."""
    rng = random.Random(1)
    known = [first + last for first in ("ba", "do", "fen", "gri", "lu", "mar") for last in ("dan", "kel", "mo", "rist")]

    def word():
        kind = rng.random()
        return (
            rng.choice(known).capitalize()
            if kind < 0.1
            else str(rng.randint(10, 99))
            if kind < 0.2
            else rng.choice(known)
        )

    return [
        Article(str(number), [" ".join(["Over the", *(word() for _ in range(40))]) + "." for _ in range(5)])
        for number in range(count)
    ]


def facts(text):
    """Return the numbers and the names of a text, in order."""
    return re.findall(r"\d+", text), re.findall(r"\b[A-Z]\w{3,}", text)


@pytest.fixture(scope="module")
def pairs():
    """Return pairs of every kind."""
    return stories.make_pairs(articles(5 * len(stories.KINDS)), 1)


def test_pairs_of_every_kind_are_as_similar_as_asked(pairs):
    assert {pair.kind for pair in pairs} == set(stories.KINDS)
    assert all(stories.SIMILAR[0] - 0.05 <= pair.similarity < stories.SIMILAR[1] for pair in pairs)


def test_only_versions_with_other_facts_have_other_numbers_or_names(pairs):
    for pair in pairs:
        (numbers, names), (other_numbers, other_names) = map(facts, pair.texts)
        if pair.kind in ("other words", "other words and paragraphs added", "other words and a “not”"):
            assert numbers == other_numbers
            assert not {*other_names} - {*names} or "added" in pair.kind  # a sentence begins with a capital
        if "other number" in pair.kind:
            assert numbers != other_numbers
        assert (" not " in pair.texts[1]) == ("not" in pair.kind)


def test_dates_and_senders_say_what_releases_are(tmp_path):
    names = [
        "Ash/1May2006Ash1.txt",
        "Ash/2May2006Ash2.txt",
        "Ash/1May2007Ash3.txt",
        "Fir/1May2007Fir1.txt",
        "Fir/x.txt",
    ]
    rows = [{"id": name, "source": name.split("/", maxsplit=1)[0], "text": name} for name in names]
    known = [(0, 1, 0.7), (0, 2, 0.7), (0, 3, 0.7), (2, 3, 0.6), (1, 4, 0.7), (0, 1, 0.9)]
    pairs = [{"a": names[first], "b": names[second], "jaccard": similarity} for first, second, similarity in known]
    for file, content in ((stories.RELEASES, rows), (stories.PAIRS, pairs)):
        with gzip.open(tmp_path / file, "wt", encoding="utf-8") as out:
            out.writelines(json.dumps(row) + "\n" for row in content)
    kinds = [(pair.texts, pair.is_same) for pair in stories.real_pairs(tmp_path)]
    assert kinds == [
        ((names[0], names[1]), True),
        ((names[0], names[2]), False),
        ((names[2], names[3]), True),
    ]


def test_right_and_wrong_drops_are_counted_by_kind(pairs):
    chosen = [pair for pair in pairs if pair.kind in ("other words", "other numbers")]
    counts = stories.measure(chosen, 0.6)
    assert counts["other words"][0] == sum(pair.similarity >= 0.6 for pair in chosen if pair.kind == "other words")
    assert counts["other words"][1] > 0
    assert counts["other numbers"][1] == 0
    assert counts["no known pair"] == [0, 0]
