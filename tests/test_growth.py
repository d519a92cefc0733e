"""Twice the input is about twice the work, also for texts that are made to be slow; work is counted and not timed."""

from __future__ import annotations

import pytest
from helpers.counting import count_calls

import dedup
from dedup import LocalEngine

MOST_GROWTH = 2.3  # times as many operations for twice the input
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
