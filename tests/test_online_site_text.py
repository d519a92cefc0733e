"""An online index takes out of an article what is known to be site text of its host, as a run with an index does."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest
from helpers.news import sentences
from helpers.redis_server import running_redis
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup
from dedup.output_layout import SITE_TEXT_SOURCE
from dedup.settings import Settings

HOSTS = ["a.example", "b.example"]
LINES = [
    "Home of the daily news",
    "Sports and the weather",
    "Letters to the editor",
    "All of our puzzles here",
    "Share",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


def page(number, story, lines, host=HOSTS[0]):
    """An article with `lines` around the sentences of a story; two of one story are copies."""
    prose = [" ".join(sentences(story, 3)), " ".join(sentences(1000 + story, 3))]
    row = {"id": str(number), "text": "\n\n".join([*lines[:2], *prose[: story % 4], *lines[2:]])}
    return row if host is None else {**row, "url": f"https://{host}/{number}"}


@st.composite
def crawls(draw):
    """The pages of a first run, in which lines recur, and those that come one by one."""
    some_lines = st.lists(st.sampled_from(LINES), max_size=5)
    menus = {host: draw(some_lines) for host in [*HOSTS, None]}
    first = [page(number, number, menus[host], host) for number, host in enumerate([*HOSTS * 4, None])]
    later = []
    for number in range(len(first), len(first) + draw(st.integers(2, 3))):
        host = draw(st.sampled_from([*HOSTS, None]))
        lines = draw(st.sampled_from([menus[host], LINES]) | some_lines)
        later.append(page(number, draw(st.integers(0, 14)), lines, host))
    return first, later


def without_place(finding):
    """A finding without record numbers, and without counts: a run adds its own to those of earlier runs."""
    values = finding | {"source": None, "record": None, "twin_record": None}
    is_twin_here = values["twin_source"] not in {None, SITE_TEXT_SOURCE}
    values |= {"twin_source": None} if is_twin_here else {}
    return json.dumps(values | ({"evidence": None} if values["rule"] == "boilerplate" else {}), sort_keys=True)


def said_by_run(row, folder, number, chosen):
    """What a run with an index says about one article: rule, twin and similarity, or the text and the findings."""
    out = folder / f"out{number}"
    dedup.clean([row], out, chosen, index=folder / "seen")
    kept, dropped, findings = (
        [json.loads(line) for line in (out / f"{name}.jsonl").read_text().splitlines()]
        for name in ("articles", "dropped", "provenance")
    )
    if dropped:
        return tuple(dropped[0]["provenance"][name] for name in ("rule", "twin", "similarity"))
    return kept[0]["text"], sorted(map(without_place, findings))


def said_by(verdict):
    if not verdict.kept:
        return verdict.rule, verdict.twin, verdict.similarity
    return verdict.text, sorted(without_place(finding._asdict()) for finding in verdict.findings)


RULES = [
    {},
    {"shared-paragraph": "drop", "repeated-paragraph": "drop", "near-duplicate-article": "flag"},
    {"boilerplate": "flag"},
    {"boilerplate": "off"},
]


@pytest.mark.slow
@pytest.mark.parametrize("rules", RULES, ids=str)
@given(crawl=crawls())
@settings(max_examples=3, deadline=None)
def test_an_added_article_loses_the_site_text_that_a_run_over_it_takes_out(server, rules, crawl):
    chosen = Settings(keep="first", rules={"contained-article": "off", **rules})
    first, later = crawl
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        dedup.clean(first, folder / "first", chosen, index=folder / "seen")
        places = [folder / "online", f"{server}?name={os.urandom(8).hex()}"]
        said = []
        for place in places:
            with dedup.Index(place, chosen) as index:
                index.load(folder / "seen")
                asked = index.query(later[0])
                verdicts = [index.add(row) for row in later]
                assert said_by(asked) == said_by(verdicts[0])
                said.append([said_by(verdict) for verdict in verdicts])
        assert said == [[said_by_run(row, folder, number, chosen) for number, row in enumerate(later)]] * 2


def loaded(folder, chosen=None, **first):
    """An index that has loaded a run over eight pages of one host, whose lines are its site text."""
    rows = [page(number, 4 * number + 2, LINES, **first) for number in range(8)]
    dedup.clean(rows, folder / "out", chosen, index=folder / "seen")
    index = dedup.Index(folder / "online", chosen)
    index.load(folder / "seen")
    return index


def test_the_verdict_has_the_evidence_of_the_run_and_articles_are_compared_without_site_text(tmp_path):
    with loaded(tmp_path) as index:
        own = page("own", 42, LINES)
        verdict = index.add(own)
        story = "\n\n".join(" ".join(sentences(number, 3)) for number in (42, 1042))
        assert verdict.text == story
        found = [finding for finding in verdict.findings if finding.rule == "boilerplate"]
        assert {(f.action, f.evidence, f.twin, f.twin_source) for f in found} == {
            ("drop", "in 8 of 8 articles of earlier runs", "a.example", SITE_TEXT_SOURCE)
        }
        assert dedup.apply(own["text"], verdict.findings) == story
        bare = index.add({"id": "bare", "text": story})
        assert (bare.kept, bare.rule, bare.twin, bare.similarity) == (False, "duplicate-article", "own", 1.0)
        elsewhere = index.query(page("elsewhere", 50, LINES, "b.example"))
        assert (elsewhere.rule, elsewhere.twin) == (None, None)  # another host's lines stay
        assert elsewhere.text == page("elsewhere", 50, LINES)["text"]


def test_an_article_is_found_in_a_longer_one_without_the_site_text_of_both(tmp_path):
    with loaded(tmp_path, Settings(rules={"contained-article": "drop", "near-duplicate-article": "off"})) as index:
        index.add({**page("long", 42, LINES), "text": "\n\n".join([*LINES, *sentences(5, 40)])})
        verdict = index.add({**page("short", 42, LINES), "text": "\n\n".join([*sentences(5, 20), *LINES])})
        assert (verdict.kept, verdict.rule, verdict.twin) == (False, "contained-article", "long")


def test_a_removed_article_without_its_site_text_is_forgotten(tmp_path):
    with loaded(tmp_path) as index:
        before = len(index)
        assert index.add(page("own", 42, LINES)).kept
        assert index.remove("own") == 1
        assert (index.add(page("again", 42, LINES)).kept, len(index)) == (True, before + 1)
