"""Articles of one form with other facts stay, and copies and updates of one article are dropped."""

from __future__ import annotations

import io
import json
from itertools import islice, permutations

import numpy as np
import pytest
from helpers.form_pairs import evidence_of_form, form_pairs
from helpers.oracle import jaccard
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from dedup import Settings, clean, clean_articles, verify
from dedup.inspect.explain import print_explanation
from dedup.inspect.output import open_output
from dedup.inspect.restore import restore
from dedup.match.form_texts import FormTexts
from dedup.match.same_form import find_copy, find_slots, have_same_form
from dedup.prepare.batch import prepare
from dedup.prepare.compared_texts import compared_texts
from dedup.prepare.one_text import compared_text
from dedup.read.fields import to_json_bytes
from dedup.read.objects import JsonRecord, record_batch
from dedup.rules import resolve_actions
from dedup.segment.words import comparison_key

RULE = "near-duplicate-article"
PAIRS = form_pairs()
RAW_TEXTS = st.lists(
    st.sampled_from(
        ["One two  three.", "na\u00c3\u00afve &amp; so", "\n\n", "Share on Facebook", "A sentence of " * 20]
    ),
    max_size=12,
).map("\n".join)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_a_form_is_told_from_a_copy(pair, request):
    if pair.is_missed:
        request.applymarker(pytest.mark.xfail(strict=True))
    assert jaccard(pair.first, pair.second, 5) >= 0.7  # else they would not be compared
    evidence = evidence_of_form(pair.first, pair.second)
    assert (evidence is not None) == pair.is_form
    assert (evidence_of_form(pair.second, pair.first) is not None) == pair.is_form


def test_there_are_cases_of_both_kinds_in_many_languages():
    languages = {is_form: {pair.name[:2] for pair in PAIRS if pair.is_form == is_form} for is_form in (True, False)}
    assert len(PAIRS) >= 120
    assert min(map(len, languages.values())) >= 16


WORDS = st.sampled_from(["one", "two", "Three", "Four", "5", "6", "not", ".", "\n"])


@given(st.lists(WORDS, max_size=40), st.data())
def test_the_verdict_does_not_depend_on_the_order_of_the_texts(words, data):
    other = list(words)
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(other)))
        other[place : place + data.draw(st.integers(0, 2))] = data.draw(st.lists(st.sampled_from(["Six", "7", "x"])))
    first, second = " ".join(words), " ".join(other)
    there, back = evidence_of_form(first, second), evidence_of_form(second, first)
    assert (there is None) == (back is None)
    assert evidence_of_form(first, first) is None


@pytest.mark.parametrize(
    ("first", "second", "facts"),
    [
        ("Shares fell by -1.2% today", "Shares fell by +1.2% today", "-1.2%/+1.2%"),
        ("It costs $5 a head", "It costs €5 a head", "5$/5€"),
        ("It costs $5 a head", "It costs 5 a head", "5$/5"),
        ("It is open for 5-7 people", "It is open for 5, 7 people", "5–7/5 7"),
        ("It was written in C++ by one", "It was written in C by one", "c++/"),
        ("about 1,204 people", "about 1.204 people", "1,204/1.204"),
        ("$6.3 of 5%", "$6,3 of 5", "6.3$/6,3$, 5%/5"),
    ],
)
def test_texts_of_equal_words_and_other_facts_have_one_form(first, second, facts):
    assert evidence_of_form(first, second) == f"same form, other facts: {facts}"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("It costs $5 a head", "IT COSTS 5 $ A HEAD"),
        ("about 40,000 people", "about 40 000 people"),
        ("about 40.000 people", "about 40 000 people"),
        ("1'040'000 people, in 2020 -5", "1,040,000 people, in 2020 −5"),
        ("up 6.3%, to 1,234.56 €", "up 6,3 %, to €1.234,56"),
        ("4½ of 1.000.000", "4½ of 1,000,000"),
    ],
)
def test_another_format_of_a_number_is_a_copy(first, second):
    assert comparison_key(first) == comparison_key(second)
    assert evidence_of_form(first, second) is evidence_of_form(second, first) is None


def test_evidence_names_the_facts_of_the_article_before_those_of_its_twin():
    pair = next(pair for pair in PAIRS if pair.name.startswith("en: weather of two towns"))
    assert evidence_of_form(pair.first, pair.second) == "same form, other facts: Brindle/Ashby, 12/17"
    assert evidence_of_form(pair.second, pair.first) == "same form, other facts: Ashby/Brindle, 17/12"


@pytest.mark.slow
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("size", [1, 40])
def test_many_texts_at_once_are_judged_as_each_pair_is(size, compiled):
    texts = [text for pair in PAIRS[:size] for text in (pair.first, pair.second)]
    together_texts = FormTexts(compiled=compiled)
    numbers = np.array(together_texts.add(texts))
    for number, text in enumerate(texts):
        together = have_same_form(together_texts, number, numbers).tolist()
        assert together == [evidence_of_form(text, other) is not None for other in texts]
        assert find_copy(together_texts, number, numbers) == together.index(False)


def test_many_articles_of_one_form_are_told_without_aligning_each_pair(monkeypatch):
    form = next(pair.first for pair in PAIRS if pair.name.startswith("en: weather of two towns"))
    names = ["".join(letters).capitalize() for letters in islice(permutations("aeioumnrst", 5), 0, None, 150)]
    texts = [form.replace("Brindle", name).replace("12", str(number)) for number, name in enumerate(names, 50)]
    aligned = []
    monkeypatch.setattr("dedup.match.same_form.find_slots", lambda *pair: aligned.append(pair) or find_slots(*pair))
    result = clean_articles(texts, Settings(keep="first"))
    assert [article["text"] for article in result.articles] == texts
    assert len(aligned) < len(texts) ** 2 / 20


def test_explain_and_restore_show_both_articles_of_a_form(tmp_path):
    report = (
        "Shares of the port of Brindle fell by {} on Monday after a quiet session with little trade in the morning."
    )
    rows = [{"id": number, "text": report.format(fact)} for number, fact in enumerate(("-1.2%", "+1.2%"))]
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "out"
    clean(source, out, Settings(keep="first", rules={"contained-article": "drop", "shared-paragraph": "drop"}))
    shown = io.StringIO()
    print_explanation(open_output(out), "1", Console(file=shown, width=200, highlight=False))
    assert "in.jsonl#1  kept" in shown.getvalue()
    assert "near-duplicate-article: flag" in shown.getvalue()
    assert "(same form, other facts: +1.2%/-1.2%)" in shown.getvalue()
    assert "in.jsonl#0" in shown.getvalue()
    assert restore(out, tmp_path / "again")["articles"] == len(rows)
    restored = (tmp_path / "again" / "in.jsonl").read_text().splitlines()
    assert list(map(json.loads, restored)) == rows
    assert verify(out).mismatches == []


def test_verify_reports_a_flag_with_other_evidence(tmp_path):
    pair = next(pair for pair in PAIRS if pair.name.startswith("en: grants"))
    clean([{"text": pair.first}, {"text": pair.second}], tmp_path / "out", Settings(keep="first"))
    path = tmp_path / "out" / "provenance.jsonl"
    path.write_text(path.read_text().replace("other facts: ", "other facts: not "))
    assert any("other facts" in mismatch.what for mismatch in verify(tmp_path / "out").mismatches)


def test_the_flag_of_a_form_is_a_finding_that_can_be_verified(tmp_path):
    pair = next(pair for pair in PAIRS if pair.name.startswith("en: grants"))
    rows = [{"id": "a", "text": pair.first}, {"id": "b", "text": pair.second}]
    clean(rows, tmp_path / "out", Settings(keep="first"))
    assert verify(tmp_path / "out").mismatches == []
    [flag] = [row for row in clean_articles(rows, Settings(keep="first")).findings if row.rule == RULE]
    assert (flag.article, flag.action, flag.twin, flag.start, flag.stop) == ("b", "flag", "a", 0, len(pair.second))
    assert flag.evidence.startswith("same form, other facts: ")
    assert flag.similarity == jaccard(pair.first, pair.second, 5)


@pytest.mark.slow
@given(st.lists(RAW_TEXTS, max_size=5))
def test_compared_texts_of_a_batch_are_those_of_single_texts(texts):
    settings = Settings(rules={"page-furniture": "drop", "repeated-paragraph": "drop"})
    rows = [JsonRecord(to_json_bytes({"text": text}), None) for text in texts]
    batch = prepare(record_batch(rows, 0), settings)
    assert list(compared_texts(batch, settings.rules)) == [compared_text(text, settings) for text in texts]


@pytest.mark.parametrize("action", ["flag", "off"])
def test_where_near_duplicates_are_not_dropped_forms_are_not_looked_for(action):
    pair = next(pair for pair in PAIRS if pair.is_form)
    settings = Settings(rules={RULE: action})
    findings = [row for row in clean_articles([pair.first, pair.second], settings).findings if row.rule == RULE]
    assert [(row.action, row.evidence) for row in findings] == ([("flag", None)] if action == "flag" else [])


@pytest.mark.parametrize("profile", ["default", "corpus"])
@pytest.mark.parametrize("facts", [("Carrick", "5"), ("Ashby", "17"), ("Ashby", "12")])
@pytest.mark.parametrize("keep", ["first", "longest"])
def test_articles_of_one_form_stay_whole_whatever_else_is_dropped(profile, facts, keep):
    report = (
        "Weather for {0}: A dry night follows with only light winds from the west and a touch of frost in sheltered "
        "valleys before dawn. Tomorrow starts bright, and most places keep long sunny spells until the middle of the "
        "afternoon, when cloud builds over the hills. The highest temperature will be {1} degrees on the coast."
    )
    texts = [report.format(*facts), report.format("Upper Brindle", "-12"), report.format("Upper Brindle", "+12")]
    drops = {"contained-article": "drop", "shared-paragraph": "drop", "repeated-paragraph": "drop"}
    settings = Settings(rules=drops if profile == "default" else drops | resolve_actions(profile, drops), keep=keep)
    result = clean_articles([*texts, texts[2].upper()], settings)
    assert [article["text"] for article in result.articles] == texts
    assert [finding.rule for finding in result.findings if finding.action == "drop"] == ["duplicate-article"]
    assert {finding.action for finding in result.findings if finding.rule == RULE} == {"flag"}
