"""An online index takes out of an article what is known to be site text of its host, as a run with an index does."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from pathlib import Path

import pytest
from helpers.forked import run_forked
from helpers.news import sentences
from helpers.redis_server import running_redis
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup
from dedup.errors import IndexFolderError
from dedup.match.known_lines import line_digests
from dedup.online import judging, sqlite_store
from dedup.online.stores import host_key
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
    """Return what a run with an index says about an article: rule, twin and similarity, or text and findings."""
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
            ("drop", "in 8 of 8 earlier articles", "a.example", SITE_TEXT_SOURCE)
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


def site_rows(count, first=0, lines=LINES, host=HOSTS[0]):
    """Articles of a host, each with a story of its own and with `lines`."""
    return [page(number, 4 * number + 2, lines, host) for number in range(first, first + count)]


def learned_by(index, host=HOSTS[0]):
    """The lines that an index in a folder has learnt: their digests, the number of articles with each, and of all."""
    rows = index._store._database.execute("SELECT * FROM lines WHERE host = ? AND learned", (host_key(host),))
    return {(bytes.fromhex(digest), articles, total) for _, digest, _, articles, total in rows.fetchall()}


def dropped_in_half(rows, chosen):
    """The same for the lines that one run over `rows` drops, if at least half of them have the line, and three."""
    table = dedup.clean_articles(rows, chosen).site_text
    rows_of_table = [row for row in table if row["dropped"] and row["articles"] >= max(3, len(rows) / 2)]
    digests = line_digests([row["text"] for row in rows_of_table])
    return {(digest, row["articles"], len(rows)) for digest, row in zip(digests, rows_of_table, strict=True)}


@st.composite
def growing_hosts(draw):
    """Articles of one host in which some lines are in most, others in few, and paragraphs are shared."""
    frequent = draw(st.lists(st.sampled_from(LINES), min_size=1, max_size=3, unique=True))
    rows = []
    for number in range(draw(st.integers(4, 9))):
        lines = [line for line in frequent if draw(st.integers(0, 9))]
        lines += draw(st.lists(st.sampled_from(LINES), max_size=2))
        rows.append(page(number, draw(st.sampled_from([4 * number + 2, 4 * number + 3, 4 * number + 1])), lines))
        if draw(st.integers(0, 3)) == 0:
            rows[-1]["text"] += "\n\n" + " ".join(sentences(7, 2))
    return rows


@pytest.mark.slow
@pytest.mark.parametrize("rules", [{}, {"shared-paragraph": "drop", "near-duplicate-article": "flag"}], ids=str)
@given(rows=growing_hosts())
@settings(max_examples=12, deadline=None)
def test_an_index_learns_what_one_run_over_its_articles_takes_for_site_text(rules, rows):
    chosen = Settings(keep="first", rules=rules)
    with tempfile.TemporaryDirectory() as folder, dedup.Index(folder, chosen) as index:
        stored = []
        expected = set()
        for row in rows:
            if index.add(row).kept and index._store.count() > len(stored):
                stored.append(row)
                if len(stored) in {4, 8}:
                    expected = dropped_in_half(stored, chosen)
            assert learned_by(index) == expected


@pytest.mark.slow
@given(rows=growing_hosts())
@settings(max_examples=5, deadline=None)
def test_both_stores_learn_the_same(server, rows):
    with (
        tempfile.TemporaryDirectory() as folder,
        dedup.Index(folder) as ours,
        dedup.Index(f"{server}?name={os.urandom(8).hex()}") as theirs,
    ):
        for row in rows:
            assert said_by(theirs.add(row)) == said_by(ours.add(row))


def test_what_recurs_in_a_host_is_taken_out_of_its_later_articles(tmp_path):
    with dedup.Index(tmp_path / "seen") as index:
        early = [index.add(row) for row in site_rows(4)]
        assert all(verdict.text.startswith(LINES[0]) for verdict in early)
        later = index.add(page("later", 42, LINES))
        story = "\n\n".join(" ".join(sentences(number, 3)) for number in (42, 1042))
        assert later.text == story
        assert {f.evidence for f in later.findings if f.rule == "boilerplate"} == {"in 4 of 4 earlier articles"}
        assert index.query({"id": "bare", "text": story}).rule == "duplicate-article"
        assert index.query(page("other", 50, LINES, HOSTS[1])).text.startswith(LINES[0])
    with dedup.Index(tmp_path / "seen") as index:  # what was learnt is stored
        assert index.query(page("again", 50, LINES)).text == page("again", 50, [])["text"]


def test_lines_that_few_articles_have_are_forgotten(tmp_path):
    with dedup.Index(tmp_path / "seen") as index:
        for row in site_rows(4):
            index.add(row)
        assert {articles for _, articles, _ in learned_by(index)} == {4}
        for row in [*site_rows(4, 4, []), *site_rows(8, 8, LINES[3:])]:
            index.add(row)
        assert {(articles, total) for _, articles, total in learned_by(index)} == {(12, 16)}


def test_without_the_rule_nothing_is_learnt(tmp_path):
    with dedup.Index(tmp_path / "seen", Settings(rules={"boilerplate": "off"})) as index:
        verdicts = [index.add(row) for row in site_rows(9)]
        assert [verdict.text for verdict in verdicts] == [row["text"] for row in site_rows(9)]
        assert index._store._database.execute("SELECT count(*) FROM hosts").fetchone() == (0,)


def test_an_index_learns_later_what_a_killed_process_has_not_learnt(tmp_path):
    def add_and_die():
        sqlite_store.SqliteStore.learn = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        index = dedup.Index(tmp_path / "seen")
        index.add(site_rows(1, 3)[0])

    with dedup.Index(tmp_path / "seen") as index:
        for row in site_rows(3):
            index.add(row)
    assert run_forked(add_and_die) == -signal.SIGKILL
    with dedup.Index(tmp_path / "seen") as index:
        assert (len(index), learned_by(index)) == (4, set())
        index.add(site_rows(1, 4)[0])
        assert {(articles, total) for _, articles, total in learned_by(index)} == {(5, 5)}


@pytest.mark.parametrize("error", [IndexFolderError("disk full"), MemoryError(), ValueError("a bug")])
def test_an_addition_returns_its_verdict_if_learning_fails_and_a_later_one_learns(tmp_path, monkeypatch, error):
    def fail(*_):
        raise error

    rows = site_rows(5)
    with dedup.Index(tmp_path / "seen") as index:
        with monkeypatch.context() as patch:
            patch.setattr(judging, "learn_lines", fail)
            assert all(index.add(row).kept for row in rows[:4])
            assert learned_by(index) == set()
        assert index.add(rows[4]).kept
        assert {(articles, total) for _, articles, total in learned_by(index)} == {(5, 5)}


def test_an_index_that_is_closed_while_it_learns_has_returned_the_verdict(tmp_path):
    index = dedup.Index(tmp_path / "seen")
    rows = site_rows(4)
    for row in rows[:3]:
        index.add(row)
    learn = index._store.learn
    index._store.learn = lambda *arguments: (index.close(), learn(*arguments))
    assert index.add(rows[3]).kept
    with dedup.Index(tmp_path / "seen") as index:
        assert index.query(rows[3]).twin == rows[3]["id"]


def test_a_removed_article_leaves_no_text_and_its_lines_do_not_count(tmp_path):
    with dedup.Index(tmp_path / "seen") as index:
        for row in site_rows(6):
            index.add(row)
        columns = "row", "lost"
        rows = index._store._database.execute("SELECT identity, row, lost FROM articles").fetchall()
        pieces = {
            (identity, column): {value[place : place + 40] for place in range(0, len(value), 20)}
            for identity, *values in rows
            for column, value in zip(columns, values, strict=True)
            if value is not None
        }
        assert (b"5", "lost") in pieces
        for number in range(1, 6):
            assert index.remove(str(number)) == 1
        data = b"".join(path.read_bytes() for path in (tmp_path / "seen").iterdir())
        left = {key for key, of_row in pieces.items() if any(piece in data for piece in of_row)}
        assert {identity for identity, _ in left} == {b"0"}
        assert not any(line.encode() in data for line in LINES[:4])
        for row in site_rows(2, 10, []):
            index.add(row)
        assert learned_by(index) == set()  # of three articles that are left, one has the lines
