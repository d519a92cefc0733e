"""Twice the input is about twice the work, also for texts that are made to be slow; work is counted and not timed."""

from __future__ import annotations

import random

import pytest
from helpers.counting import count_calls

import dedup
from dedup import LocalEngine, Settings
from dedup.kernels import compiled, reference
from dedup.match import survivors
from dedup.match.articles import match_articles
from dedup.prepare.batch import prepare
from dedup.prepare.corpus import Corpus
from dedup.read.fields import to_json_bytes
from dedup.read.objects import JsonRecord, record_batch
from dedup.runtime.resources import ResourceBudget

pytestmark = pytest.mark.slow

MOST_GROWTH = 2.3  # times as many operations for twice the input
FEW_LOOKS = 20  # for one text: the members of buckets that are not large
ONE = LocalEngine(jobs=1)


def thue_morse(count):
    """Return `count` words of the Thue-Morse sequence, in which every run of words recurs soon."""
    return [("alpha", "bravo")[number.bit_count() % 2] for number in range(count)]


def in_paragraphs(words, size):
    return "\n\n".join(" ".join(words[start : start + size]) for start in range(0, len(words), size))


ARTICLES = {
    "Thue-Morse words in paragraphs": lambda count: in_paragraphs(thue_morse(10 * count), 10),
    "Thue-Morse words in one paragraph": lambda count: " ".join(thue_morse(10 * count)),
    "one paragraph again and again": lambda count: "\n\n".join(["The same paragraph again, with nine words."] * count),
    "paragraphs in which each fix is one of many": lambda count: "\n\n".join(
        f"Number {number % 7}\xa0 of a caf\xc3\xa9 that has{number % 5}  words." for number in range(count)
    ),
}


@pytest.mark.parametrize("name", ARTICLES)
def test_verify_is_linear_in_the_paragraphs_of_an_article(tmp_path, name):
    counts = []
    for count in (200, 200, 400):  # the first run fills caches
        out = tmp_path / f"out-{len(counts)}"
        (tmp_path / "a.txt").write_text(ARTICLES[name](count))
        dedup.clean(tmp_path / "a.txt", out, engine=ONE)
        counts.append(count_calls(lambda out=out: dedup.verify(out)))
    assert counts[2] <= MOST_GROWTH * counts[1]


def with_changed_words(count, changed, words=250, places=None):
    """Return texts of one form, in each of which other words take the place of some."""
    rnd = random.Random(1)
    form = [f"word{number}" for number in range(words)]
    for _ in range(count):
        text = list(form)
        for place in rnd.sample(places or range(words), changed):
            text[place] = f"new{rnd.randrange(10**9)}"
        yield " ".join(text)


CORPORA = {
    "forms with five changed words": lambda count: with_changed_words(count, 5),
    "forms with six changed words": lambda count: with_changed_words(count, 6),
    "forms with ten changed words": lambda count: with_changed_words(count, 10),
    "an equal first half": lambda count: with_changed_words(count, 125, places=range(125, 250)),
    "one bucket of texts that share a third": lambda count: with_changed_words(count, 40, 60, range(20, 60)),
    "Thue-Morse words": lambda count: (" ".join(thue_morse(30 * (number + 2))[-40:]) for number in range(count)),
}


def work(texts, backend):
    """Return how many pairs and index entries the loop compares for articles."""
    records = [JsonRecord(to_json_bytes({"text": text}), None) for text in texts]
    batch = prepare(record_batch(records, 0), Settings(), compiled)
    matches = match_articles(Corpus([batch], ResourceBudget()), Settings(), backend)
    return matches.candidates + matches.lookups


PLAIN = ["forms with five changed words", "forms with ten changed words", "an equal first half"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "backend", "count"),
    [*((name, compiled, 400) for name in CORPORA), *((name, reference, 250) for name in PLAIN)],
)
def test_matching_is_linear_where_texts_share_buckets_and_do_not_match(name, backend, count, monkeypatch):
    for constant in ("_LARGE_BUCKET", "_INDEXED_MEMBERS", "_SEARCHED_MEMBERS"):
        monkeypatch.setattr(survivors, constant, 8)  # so that small corpora behave as large ones do
    small, large = (work(CORPORA[name](size), backend) for size in (count, 2 * count))
    assert large <= max(MOST_GROWTH * small, 2 * count * FEW_LOOKS)
