"""Articles inside a longer one: found by shared minimizers, verified on their shingles."""

from __future__ import annotations

from itertools import islice

import pytest
from conftest import SMALL
from helpers.oracle import shingle_set
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup import Settings, clean, clean_articles, verify
from dedup.fingerprint.minimizers import find_minimizers
from dedup.fingerprint.shingles import hash_words
from dedup.inspect.output import open_output
from dedup.kernels import compiled as kernels
from dedup.match.contained import CONTAINED_SHARE
from dedup.prepare.batch import CONTAINED_WINDOW, CONTAINED_WORDS
from dedup.segment.words import words

OTHERS = {"near-duplicate-article": "off", "repeated-block": "off"}


def made_words(seed, count):
    return [f"{chr(97 + (seed * 7 + n) % 26)}{seed}x{n}" for n in range(count)]


def contained(rows, **rules):
    result = clean_articles(rows, Settings(rules={**OTHERS, **rules}))
    found = {one.article: one for one in result.findings if one.rule == "contained-article"}
    return result, found


def test_an_article_inside_a_longer_one_is_flagged_with_its_twin():
    short = made_words(1, 60)
    long = made_words(2, 100) + short + made_words(3, 200)
    result, found = contained([{"id": "s", "text": " ".join(short)}, {"id": "l", "text": " ".join(long)}])
    assert [row["id"] for row in result.articles] == ["s", "l"]
    assert (found["s"].twin, found["s"].action, found["s"].evidence) == ("l", "flag", "100.0% of it stands there")
    one, two = shingle_set(" ".join(short), 5), shingle_set(" ".join(long), 5)
    assert found["s"].similarity == len(one & two) / len(one | two)


@pytest.mark.parametrize("front", [0, 3, 6])
def test_a_byline_of_its_own_does_not_hide_a_contained_article(front):
    short = made_words(9, front) + made_words(1, 100)
    long = made_words(2, 40) + made_words(1, 100) + made_words(3, 40)
    _, found = contained([{"id": "s", "text": " ".join(short)}, {"id": "l", "text": " ".join(long)}])
    assert list(found) == ["s"]


def test_a_dropped_article_is_never_the_twin_of_another():
    one = made_words(1, 30)
    two = one + made_words(2, 60)
    three = two + made_words(3, 120)
    rows = [{"id": name, "text": " ".join(text)} for name, text in [("1", one), ("2", two), ("3", three)]]
    result, found = contained(rows, **{"contained-article": "drop"})
    assert [row["id"] for row in result.articles] == ["3"]
    assert {name: finding.twin for name, finding in found.items()} == {"1": "3", "2": "3"}


@pytest.mark.parametrize("duplicate", ["drop", "flag", "off"])
def test_the_twin_of_a_near_duplicate_stays_and_copies_are_dropped_with_their_original(duplicate, tmp_path):
    report, other = made_words(1, 60), made_words(4, 60)
    near = [*report[:59], "else"]
    live = made_words(2, 100) + report + made_words(3, 40) + other
    texts = {"report": report, "near": near, "copy": report, "other": other, "again": other, "live": live}
    rows = [{"id": name, "text": " ".join(text)} for name, text in texts.items()]
    rules = {"contained-article": "drop", "repeated-block": "off", "duplicate-article": duplicate}
    clean(rows, tmp_path / "out", Settings(rules=rules))
    output = open_output(tmp_path / "out")
    twins = {
        (finding.article, finding.rule): finding.twin
        for finding in output.findings()
        if finding.rule in ("near-duplicate-article", "contained-article")
    }
    assert twins == {
        ("near", "near-duplicate-article"): "report",
        ("other", "contained-article"): "live",
        ("again", "contained-article"): "live",
    } | ({("copy", "contained-article"): "live"} if duplicate == "off" else {})
    assert verify(tmp_path / "out").mismatches == []


def test_articles_quoted_in_part_or_too_short_are_not_contained():
    short = made_words(1, 100)
    rows = [
        {"id": "half", "text": " ".join(short)},
        {"id": "long", "text": " ".join(short[:60] + made_words(2, 300))},
        {"id": "tiny", "text": " ".join(made_words(2, CONTAINED_WORDS - 1))},
    ]
    assert contained(rows)[1] == {}


@settings(max_examples=60)
@given(st.data())
def test_contained_articles_equal_those_of_a_comparison_of_all_pairs(data):
    """Copies in one run are always found; a copy with changes inside may be missed, and none is invented."""
    texts = []
    for seed in range(data.draw(st.integers(1, 3))):
        base = made_words(seed, data.draw(st.integers(CONTAINED_WORDS, 80)))
        texts.append(base)
        for copy in range(data.draw(st.integers(0, 3))):
            start = data.draw(st.integers(0, len(base) - CONTAINED_WORDS))
            stop = data.draw(st.integers(start + CONTAINED_WORDS, len(base)))
            around = data.draw(st.integers(1, 40))
            texts.append(
                made_words(100 + 10 * seed + copy, around)
                + base[start:stop]
                + made_words(500 + 10 * seed + copy, around)
            )
    rows = [{"id": str(number), "text": " ".join(text)} for number, text in enumerate(texts)]
    _, found = contained(rows)
    sets = [shingle_set(row["text"], 5) for row in rows]
    expected = set()
    for number, one in enumerate(sets):
        for other, two in enumerate(sets):
            longer = (len(texts[other]), -other) > (len(texts[number]), -number)
            if longer and one and len(one & two) / len(one) >= CONTAINED_SHARE:
                expected.add(str(number))
    assert set(found) == expected


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=60).map(" ".join), max_size=5), st.integers(1, 20))
def test_compiled_minimizers_equal_their_definition(texts, window):
    keys = [text.encode() for text in texts]
    hashes, ends = hash_words(keys)
    plain, borders = find_minimizers(hashes, ends, 3, window)
    fast, fast_borders = kernels.find_minimizers(hashes, ends, 3, window)
    assert plain.tolist() == fast.tolist()
    assert borders.tolist() == fast_borders.tolist()


@given(st.lists(st.integers(0, 5), min_size=30, max_size=80), st.integers(0, 20))
def test_every_shared_run_of_twenty_words_shares_a_minimizer(numbers, start):
    run = [f"w{number}x{place}" for place, number in enumerate(numbers)]
    part = run[start : start + CONTAINED_WORDS]
    if len(part) < CONTAINED_WORDS:
        return
    keys = [" ".join(run).encode(), " ".join(["before", *part, "behind"]).encode()]
    values, borders = find_minimizers(*hash_words(keys), 5, CONTAINED_WINDOW)
    assert set(values[: borders[1]].tolist()) & set(values[borders[1] :].tolist())


@pytest.mark.slow
@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda rows: rows.read(SMALL / "senate_releases.jsonl.gz"), id="small"),
        pytest.param(lambda rows: rows("senate_releases"), marks=pytest.mark.data, id="large"),
    ],
)
def test_longer_articles_have_the_shingles_of_those_flagged_as_contained(data_rows, read):
    rows = list(islice(read(data_rows), 6000))
    result, found = contained(rows, boilerplate="off")
    assert found
    texts = {row["id"]: row["text"] for row in rows}
    assert len(result.articles) + len(result.dropped) == len(rows)
    for name, finding in found.items():
        one, two = shingle_set(texts[name], 5), shingle_set(texts[finding.twin], 5)
        assert len(one & two) / len(one) >= CONTAINED_SHARE - 0.02  # repairs change a few words
        assert len(words(texts[finding.twin])) >= len(words(texts[name])) - 5
