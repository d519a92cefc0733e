"""Equal or similar short texts under titles that say other things are two articles."""

from __future__ import annotations

import json
import tomllib

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from dedup import Settings, clean, clean_articles, verify
from dedup.match.titles import differing_titles

with (ROOT / "tests/data/titles.toml").open("rb") as _file:
    CASES = tomllib.load(_file)
NAMED = {kind: [pytest.param(*case["titles"], id=case["name"]) for case in CASES[kind]] for kind in CASES}
TEXT = "The board met this morning and agreed on a payment to all holders of shares, to be made before the summer."
LONG_TEXT = " ".join(f"{TEXT} In part {number} the report explains how it came about." for number in range(5))


def decisions(*rows, **chosen):
    """Return rule, action, similarity and evidence of what is decided about the articles, which keep their order."""
    articles = [{"id": str(number), **row} for number, row in enumerate(rows)]
    findings = clean_articles(articles, Settings(keep="first", **chosen)).findings
    return [(row.rule, row.action, row.similarity, row.evidence) for row in findings if row.rule.endswith("e-article")]


def titled(first, second, text=TEXT, other=TEXT):
    return {"title": first, "text": text}, {"title": second, "text": other}


@pytest.mark.parametrize(("first", "second"), NAMED["other"])
def test_other_titles_are_two_articles(first, second):
    for pair in ((first, second), (second, first)):
        [(rule, action, similarity, evidence)] = decisions(*titled(*pair))
        assert (rule, action, similarity) == ("near-duplicate-article", "flag", 1.0)
        assert evidence.startswith("same form, other titles: ")


@pytest.mark.parametrize(("first", "second"), NAMED["same"])
def test_titles_that_tell_nothing_leave_a_copy(first, second):
    for pair in ((first, second), (second, first)):
        assert decisions(*titled(*pair)) == [("duplicate-article", "drop", 1.0, None)]


def test_similar_texts_are_told_by_their_titles_too():
    similar = TEXT.replace("this morning", "early this morning")
    assert decisions(*titled("Alder sets dividend", "Alder sets dividend", TEXT, similar), threshold=0.5) == [
        ("near-duplicate-article", "drop", pytest.approx(0.68, abs=0.1), None)
    ]
    [(_, action, _, evidence)] = decisions(
        *titled("Alder sets dividend", "Birch sets dividend", TEXT, similar), threshold=0.5
    )
    assert (action, evidence) == ("flag", "same form, other titles: Birch/Alder")


def test_titles_play_no_part_over_long_texts_nor_where_nothing_is_dropped():
    pair = titled("Alder sets dividend", "Birch sets dividend", LONG_TEXT, LONG_TEXT)
    assert decisions(*pair) == [("duplicate-article", "drop", 1.0, None)]
    pair = titled("Alder sets dividend", "Birch sets dividend")
    assert decisions(*pair, rules={"near-duplicate-article": "flag"}) == [("duplicate-article", "drop", 1.0, None)]


def test_the_title_is_found_under_other_names_and_is_not_the_text():
    pair = [{"Headline": title, "text": TEXT} for title in ("Alder wins", "Birch wins")]
    assert [action for _, action, _, _ in decisions(*pair)] == ["flag"]
    rows = [{"title": f"{name} says that {TEXT}"} for name in ("Alder", "Alder")]
    assert decisions(*rows, text_field="title") == [("duplicate-article", "drop", 1.0, None)]


def test_very_short_texts_under_other_titles_stay():
    text = "No more details."
    assert decisions(*titled("Alder sets dividend", "Birch sets dividend", text, text)) == []


def test_copies_of_both_articles_are_dropped():
    names = ["Alder", "Birch", "Alder", "Birch", "Alder"]
    rows = [{"title": f"{name} sets dividend", "text": TEXT} for name in names]
    kept = clean_articles([{"id": n, **row} for n, row in enumerate(rows)], Settings(keep="first")).articles
    assert [row["title"] for row in kept] == ["Alder sets dividend", "Birch sets dividend"]


@pytest.mark.parametrize("output_fields", [None, ("id",)])
def test_verify_reads_the_titles_again(tmp_path, output_fields):
    pairs = [pair for kind in CASES for case in CASES[kind] for pair in (case["titles"],)]
    rows = [
        {"id": f"{number}{side}", "title": title, "text": f"{TEXT} Word{number} is the last word of this report."}
        for number, pair in enumerate(pairs)
        for side, title in enumerate(pair)
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    clean([tmp_path / "rows.jsonl"], tmp_path / "out", Settings(keep="first", output_fields=output_fields))
    assert verify(tmp_path / "out").mismatches == []


TITLES = st.lists(st.sampled_from(["Alder", "Birch", "sets", "3", "-3", "a", "dividend", "é", "\ud800"]), max_size=5)


@given(TITLES.map(" ".join), TITLES.map(" ".join))
def test_the_order_of_titles_does_not_matter(first, second):
    assert bool(differing_titles(first, second)) == bool(differing_titles(second, first))
