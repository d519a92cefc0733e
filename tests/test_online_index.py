"""An online index gives each article the verdict of one run over all articles, in the order of their addition."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from helpers.command import run_dedup
from helpers.forked import run_forked
from helpers.served import wait_for
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup
from dedup.errors import IndexFolderError, InputError
from dedup.index.manifest import ONLINE_DATABASE
from dedup.online import recent_postings, sqlite_store
from dedup.settings import Settings

WORDS = [f"w{number}" for number in range(30)]
paragraph_texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=14).map(" ".join)


@st.composite
def corpora(draw, *, longest_first=False):
    pool = draw(st.lists(paragraph_texts, min_size=1, max_size=5))
    rows = []
    for _ in range(draw(st.integers(2, 9))):
        parts = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=5 if longest_first else 3))
        parts = [part + draw(st.sampled_from(["", "", " w1", " and 5 more"])) for part in parts]
        rows.append({"title": draw(st.sampled_from([None, "One", "Two"])), "text": "\n\n".join(parts)})
    if longest_first:
        rows.sort(key=lambda row: -len(row["text"].split()))
    return [{"id": str(number), **row} for number, row in enumerate(rows)]


def in_one_run(rows, chosen):
    """Return the result of one run for each article: rule, twin and similarity if dropped, else text and findings.

    An index numbers the articles that it keeps, and a run all articles; twins are compared by id.
    """
    result = dedup.clean_articles(rows, chosen)
    said = {
        row["id"]: tuple(row["provenance"][name] for name in ("rule", "twin", "similarity")) for row in result.dropped
    }
    for row in result.articles:
        said[row["id"]] = (row["text"], sorted(without_place(f) for f in result.findings if f.article == row["id"]))
    return said


def without_place(finding):
    values = finding._replace(source="", record=0, twin_source=None, twin_record=None)
    return tuple((value is None, value) if not isinstance(value, str) else (False, value) for value in values)


def said_by(verdict):
    if not verdict.kept:
        return verdict.rule, verdict.twin, verdict.similarity
    return verdict.text, sorted(map(without_place, verdict.findings))


RULES = [
    {},
    {"shared-paragraph": "drop", "repeated-paragraph": "drop", "near-duplicate-article": "flag"},
    {"near-duplicate-article": "off", "duplicate-article": "flag"},
    {"near-duplicate-article": "flag", "contained-article": "off"},
]


@pytest.mark.slow
@pytest.mark.parametrize("rules", RULES, ids=str)
@given(rows=corpora())
@settings(max_examples=8, deadline=None)
def test_articles_added_one_by_one_have_the_verdicts_of_one_run(rules, rows):
    chosen = Settings(keep="first", rules={"boilerplate": "off", "contained-article": "off", **rules})
    with tempfile.TemporaryDirectory() as folder, dedup.Index(folder, chosen) as index:
        said = {row["id"]: said_by(index.add(row)) for row in rows}
    assert said == in_one_run(rows, chosen)


@pytest.mark.slow
@pytest.mark.parametrize("action", ["flag", "drop"])
@given(rows=corpora(longest_first=True))
@settings(max_examples=10, deadline=None)
def test_an_article_is_found_in_a_longer_one_that_came_before(action, rows):
    off = dict.fromkeys(("boilerplate", "near-duplicate-article", "shared-paragraph"), "off")
    chosen = Settings(keep="first", rules={**off, "contained-article": action})
    with tempfile.TemporaryDirectory() as folder, dedup.Index(folder, chosen) as index:
        said = {row["id"]: said_by(index.add(row)) for row in rows}
    assert said == in_one_run(rows, chosen)


@pytest.mark.slow
@given(rows=corpora())
@settings(max_examples=8, deadline=None)
def test_a_query_says_what_an_addition_would_say_and_changes_nothing(rows):
    with tempfile.TemporaryDirectory() as folder, dedup.Index(folder) as index:
        for row in rows:
            before = len(index)
            asked = [index.query(row), index.query(row)]
            assert len(index) == before
            assert asked == [index.add(row)] * 2


def story(number):
    chance = random.Random(number)
    return "\n\n".join(" ".join(f"w{chance.randrange(10_000)}" for _ in range(30)) for _ in range(3))


@pytest.mark.slow
def test_of_articles_that_eight_threads_add_at_once_one_of_each_stays(tmp_path):
    rows = [{"id": f"{number}", "text": story(number)} for number in range(40)]
    with dedup.Index(tmp_path / "seen") as index, ThreadPoolExecutor(8) as pool:
        start = threading.Barrier(8)

        def add_all(seed):
            start.wait()
            return [index.add(row) for row in random.Random(seed).sample(rows, len(rows))]

        verdicts = [verdict for part in pool.map(add_all, range(8)) for verdict in part]
        assert len(index) == len(rows)
    assert Counter(verdict.article for verdict in verdicts if verdict.kept) == {row["id"]: 1 for row in rows}
    assert {(verdict.rule, verdict.twin) for verdict in verdicts if not verdict.kept} == {
        ("duplicate-article", row["id"]) for row in rows
    }


ADDER = """
import sys, dedup
with dedup.Index(sys.argv[1]) as index:
    for number in range(int(sys.argv[2])):
        words = " ".join(f"w{number}x{place}" for place in range(30))
        print(number, index.add({"id": str(number), "text": words}).kept, flush=True)
"""


def start_adder(folder, count):
    command = [sys.executable, "-c", ADDER, str(folder), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


@pytest.mark.slow
def test_of_articles_that_two_processes_add_at_once_one_of_each_stays(tmp_path):
    adders = [start_adder(tmp_path / "seen", 25) for _ in range(2)]
    kept = [line.split()[0] for adder in adders for line in adder.communicate()[0].splitlines() if "True" in line]
    assert sorted(kept, key=int) == [str(number) for number in range(25)]


@pytest.mark.slow
def test_what_a_killed_process_has_added_is_there(tmp_path):
    adder = start_adder(tmp_path / "seen", 10_000)
    said = [adder.stdout.readline() for _ in range(20)]
    os.kill(adder.pid, signal.SIGKILL)
    said += adder.communicate()[0].splitlines(keepends=True)
    complete = [line for line in said if line.endswith("True\n")]
    with dedup.Index(tmp_path / "seen") as index:
        assert len(index) in {len(complete), len(complete) + 1}  # one may have been added, but not printed
        words = " ".join(f"w19x{place}" for place in range(30))
        assert index.add({"id": "again", "text": words}).twin == "19"


def test_a_verdict_names_twin_and_evidence_and_has_the_cleaned_text(tmp_path):
    form = "The caf\u00c3\u00a9 board of {} has approved a dividend of {} cents. " + story(1)
    with dedup.Index(tmp_path / "seen") as index:
        first = index.add({"id": "first", "text": form.format("Alder", 5)})
        assert first.text.startswith("The café board of Alder")
        assert [finding.rule for finding in first.findings] == ["encoding"]
        other_facts = index.add({"id": "facts", "text": form.format("Birch", 7)})
        assert (other_facts.kept, [finding.rule for finding in other_facts.findings]) == (
            True,
            ["near-duplicate-article", "encoding", "shared-paragraph", "shared-paragraph"],
        )
        copy = index.add({"id": "copy", "text": first.text + " And one more."})
        assert (copy.kept, copy.rule, copy.twin, copy.twin_source, copy.twin_record) == (
            False,
            "near-duplicate-article",
            "first",
            "index",
            0,
        )
        assert 0.8 < copy.similarity < 1
        assert copy.text == first.text + " And one more."
        assert index.query("").kept  # nothing to compare
        assert len(index) == 2
        assert index.add(story(5)).article == "index#2"  # the article has no id
        assert index.query(story(5)).twin == "index#2"


def articles_with_postings(index, tables="SELECT article FROM postings UNION SELECT article FROM recent"):
    """The numbers of the articles of an index that have postings."""
    return [number for (number,) in index._store._database.execute(f"{tables} ORDER BY article").fetchall()]


@pytest.fixture
def quick_moves(monkeypatch):
    """Postings are moved to their table all the time, in small steps, so that indexes are used meanwhile."""
    for name, value in (
        ("_RECENT_ARTICLES", 3),
        ("_CHECKPOINT_EVERY", 1),
        ("_MOVED_POSTINGS", 7),
        ("_DELETED_ROWS", 1),
    ):
        monkeypatch.setattr(sqlite_store, name, value)
    monkeypatch.setattr(recent_postings, "_FRESH_ARTICLES", 2)


@pytest.mark.usefixtures("quick_moves")
def test_articles_are_found_while_their_postings_are_moved(tmp_path):
    with dedup.Index(tmp_path / "seen") as index, dedup.Index(tmp_path / "seen") as other:
        assert all((other if number % 3 else index).add({"text": story(number)}).kept for number in range(12))
        for number in range(12):
            verdicts = [one.query(story(number)) for one in (index, other)]
            assert [(verdict.rule, verdict.twin_record) for verdict in verdicts] == [("duplicate-article", number)] * 2
        for _ in range(1000):
            if len(articles_with_postings(index, "SELECT article FROM recent")) < 3:
                break
            time.sleep(0.01)
        assert len(articles_with_postings(index, "SELECT DISTINCT article FROM postings")) > 9
        assert articles_with_postings(index) == list(range(12))
        stored = index._store._database.execute("SELECT hash, article FROM postings").fetchall()
        assert len(stored) == len(set(stored))


@pytest.mark.usefixtures("quick_moves")
def test_an_article_that_is_removed_while_postings_are_moved_stays_away(tmp_path):
    with dedup.Index(tmp_path / "seen") as index, dedup.Index(tmp_path / "seen") as other:
        for number in range(20):
            assert index.add({"id": str(number), "text": story(number)}).kept
            if number % 2:
                assert other.remove(str(number)) == 1
        assert all(other.query(story(number)).kept == bool(number % 2) for number in range(20))
    with dedup.Index(tmp_path / "seen") as index:
        assert articles_with_postings(index) == list(range(0, 20, 2))
        assert all(index.query(story(number)).kept == bool(number % 2) for number in range(20))


def kill_while_moving(folder, texts, statement, number):
    """Add articles, and kill this process when the thread that moves postings executes a statement again."""
    sqlite_store._RECENT_ARTICLES = len(texts)  # the move begins when all are there
    sqlite_store._MOVED_POSTINGS, sqlite_store._DELETED_ROWS = 100, 2
    connect = sqlite_store.SqliteStore._connect

    def connect_mover(store, **options):
        database = connect(store, **options)
        executed = Counter()

        def trace(sql):
            executed[sql.startswith(statement)] += 1
            if executed[True] == number:
                os.kill(os.getpid(), signal.SIGKILL)

        if threading.current_thread().name == "dedup-checkpoints":
            database.set_trace_callback(trace)
        return database

    sqlite_store.SqliteStore._connect = connect_mover
    index = dedup.Index(folder)
    for place, text in enumerate(texts):
        index.add({"id": str(place), "text": text})
    index._store._added.set()
    time.sleep(60)


KILL_POINTS = [  # a statement of the move, which is executed so many times when the process is killed
    ("INSERT OR IGNORE INTO postings", 1),
    ("INSERT OR IGNORE INTO postings", 275),  # in the middle of a step
    ("COMMIT", 2),  # before the first step is committed; the first transaction reads
    ("COMMIT", 5),
    ("DELETE FROM recent", 1),
    ("DELETE FROM recent", 3),
]


@pytest.mark.slow
def test_an_index_whose_process_was_killed_while_it_moved_postings_is_as_good_as_another(tmp_path):
    texts = [story(number) for number in range(7)] + [f"{story(3)} and more.\n\n{story(9)}"]
    folders = [tmp_path / str(number) for number in range(len(KILL_POINTS))]
    for folder, point in zip(folders, KILL_POINTS, strict=True):
        assert run_forked(partial(kill_while_moving, folder, texts, *point)) == -signal.SIGKILL, point
    probes = [*texts, *(f"{text} A last word." for text in texts[2:5]), f"{story(2)[:300]}\n\n{story(20)}", story(21)]

    def said_of(index):
        return [index.query({"id": "q", "text": text}) for text in probes], len(index)

    with dedup.Index(tmp_path / "undisturbed") as index:
        for number, text in enumerate(texts):
            index.add({"id": str(number), "text": text})
        postings = all_postings(index)
        expected = said_of(index)
    assert {verdict.rule for verdict in expected[0]} == {"duplicate-article", "near-duplicate-article", None}
    moved = []
    for folder in folders:
        with dedup.Index(folder) as index:
            moved.append([len(all_postings(index, table)) for table in ("moved", "recent")])
            assert all_postings(index) == postings
            assert said_of(index) == expected
    everything = len(postings)
    assert [of_move for of_move, _ in moved[:4]] == [0, 200, 0, 300]
    assert [of_rows == everything for _, of_rows in moved] == [True] * 5 + [False]
    assert [of_move == everything for of_move, _ in moved[4:]] == [True, True]


def all_postings(index, table="moved and recent"):
    """The postings of an index, in one of its tables or in both."""
    database = index._store._database
    postings = set()
    if "moved" in table:
        rows = database.execute("SELECT hash, article FROM postings").fetchall()
        postings |= {(value, article) for value, article in rows}
    if "recent" in table:
        rows = database.execute("SELECT article, hashes FROM recent").fetchall()
        postings |= {(int(value), number) for number, data in rows for value in np.frombuffer(data, np.uint64)}
    return postings


def test_a_removed_article_is_forgotten(tmp_path):
    article = {"id": "a", "text": story(1)}
    with dedup.Index(tmp_path / "seen") as index:
        index.add(article)
        index.add({"id": "b", "text": story(2)})
        assert (index.remove("a"), index.remove("a"), len(index)) == (1, 0, 1)
        again = index.add({**article, "id": "again"})
        assert (again.kept, again.record) == (True, 2)  # numbers are not reused
        assert articles_with_postings(index) == [1, 2]


def test_the_text_of_a_removed_article_is_gone_from_the_disk(tmp_path):
    with dedup.Index(tmp_path / "seen") as index:
        index.add({"id": "a", "text": story(1)})
        index.add({"id": "b", "text": story(2)})
        rows = dict(index._store._database.execute("SELECT identity, row FROM articles").fetchall())
        pieces = {name: {row[place : place + 40] for place in range(0, len(row), 20)} for name, row in rows.items()}
        index.remove("a")
        data = b"".join(path.read_bytes() for path in (tmp_path / "seen").iterdir())
    assert {name: any(piece in data for piece in of_row) for name, of_row in pieces.items()} == {
        b"a": False,
        b"b": True,
    }


@given(number=st.integers())
@settings(max_examples=5, deadline=None)
def test_an_article_is_removed_by_the_number_that_it_was_given_as_id(number):
    with tempfile.TemporaryDirectory() as folder, dedup.Index(folder) as index:
        assert index.add({"id": number, "text": story(1)}).article == str(number)
        assert (index.remove(number + 1), index.remove(number), len(index)) == (0, 1, 0)


@pytest.mark.parametrize("name", [None, True, 1.5, b"a", ["a"]])
def test_what_is_no_id_is_one_line(tmp_path, name):
    with dedup.Index(tmp_path / "seen") as index, pytest.raises(InputError, match="an id is a text or an integer, not"):
        index.remove(name)


def is_on_the_disk(folder, pieces):
    data = b"".join(path.read_bytes() for path in folder.iterdir())
    return any(piece in data for piece in pieces)


def pieces_of(index, identity):
    (row,) = index._store._database.execute("SELECT row FROM articles WHERE identity = ?", (identity,)).fetchone()
    return [row[place : place + 40] for place in range(0, len(row), 20)]


@pytest.fixture
def reader(tmp_path):
    """A connection that reads an index, as a backup does, as long as it is in a transaction."""
    dedup.Index(tmp_path / "seen").close()
    with closing(sqlite3.connect(tmp_path / "seen" / ONLINE_DATABASE, isolation_level=None)) as database:
        yield database


def start_to_read(reader):
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM articles").fetchone()


def test_a_removed_text_leaves_the_disk_when_those_who_read_it_have_ended(tmp_path, monkeypatch, reader):
    monkeypatch.setattr(sqlite_store, "_EMPTYING_PAUSE", 0.05)
    with dedup.Index(tmp_path / "seen") as index:
        for number in range(3):
            index.add({"id": str(number), "text": story(number)})
        pieces = pieces_of(index, b"1")
        start_to_read(reader)
        start = time.monotonic()
        assert index.remove("1") == 1
        assert index.add({"id": "3", "text": story(3)}).kept
        assert time.monotonic() - start < 20  # the limit for another writer is 60
        assert is_on_the_disk(tmp_path / "seen", pieces)
        reader.execute("COMMIT")
        wait_for(lambda: not is_on_the_disk(tmp_path / "seen", pieces))
        assert index._store._log_has_removed is False


def test_closing_waits_until_a_removed_text_can_leave_the_disk(tmp_path, reader):
    index = dedup.Index(tmp_path / "seen")
    index.add({"id": "1", "text": story(1)})
    pieces = pieces_of(index, b"1")
    start_to_read(reader)
    assert index.remove("1") == 1
    closer = threading.Thread(target=index.close)
    closer.start()
    closer.join(0.5)
    assert closer.is_alive()
    reader.execute("COMMIT")
    closer.join()
    assert not is_on_the_disk(tmp_path / "seen", pieces)


def test_a_text_that_a_killed_process_has_removed_leaves_the_disk_when_the_index_is_opened(tmp_path, monkeypatch):
    def remove_and_die():
        sqlite_store.SqliteStore._empty_log = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        dedup.Index(tmp_path / "seen").remove("1")

    with dedup.Index(tmp_path / "seen") as index:
        index.add({"id": "1", "text": story(1)})
        pieces = pieces_of(index, b"1")
    assert run_forked(remove_and_die) == -signal.SIGKILL
    monkeypatch.setattr(sqlite_store, "_EMPTYING_PAUSE", 0.05)
    assert is_on_the_disk(tmp_path / "seen", pieces)
    with dedup.Index(tmp_path / "seen"):
        wait_for(lambda: not is_on_the_disk(tmp_path / "seen", pieces))


def test_an_index_goes_on_where_it_was_closed(tmp_path):
    with dedup.Index(tmp_path / "seen", Settings(threshold=0.7)) as index:
        index.add({"id": "a", "text": story(1)})
    assert [path.name for path in (tmp_path / "seen").iterdir()] == [ONLINE_DATABASE]
    with dedup.Index(tmp_path / "seen", Settings(threshold=0.7)) as index:
        assert index.query(story(1)).twin == "a"


@given(rows=corpora(), place=st.integers(1, 8))
@settings(max_examples=6, deadline=None)
def test_the_articles_of_runs_are_known_to_an_index_that_loads_them(rows, place):
    chosen = Settings(keep="first", rules={"boilerplate": "off", "contained-article": "off"})
    expected = in_one_run(rows, chosen)
    with tempfile.TemporaryDirectory() as folder:
        dedup.clean(rows[:place], Path(folder, "out"), chosen, index=Path(folder, "seen"))
        with dedup.Index(Path(folder, "online"), chosen) as index:
            assert index.load(Path(folder, "seen")) == len(index)
            later = {row["id"]: index.add(row) for row in rows[place:]}
    assert {name: said_by(verdict) for name, verdict in later.items()} == {name: expected[name] for name in later}


def test_an_index_that_loads_another_names_its_articles_as_a_run_does(tmp_path):
    dedup.clean([{"id": "a", "text": story(1)}], tmp_path / "out", index=tmp_path / "seen")
    with dedup.Index(tmp_path / "online") as index:
        index.load(tmp_path / "seen")
        verdict = index.add(story(1))
        assert (verdict.twin, verdict.twin_source, verdict.twin_record) == ("a", "index/1/-", 0)
        with pytest.raises(IndexFolderError, match="has articles already; load another index into a new one"):
            index.load(tmp_path / "seen")
    with dedup.Index(tmp_path / "other", Settings(threshold=0.7)) as index:
        with pytest.raises(IndexFolderError, match=r"this index was made with threshold 0\.8, not 0\.7"):
            index.load(tmp_path / "seen")
        with pytest.raises(IndexFolderError, match="is no index of dedup"):
            index.load(tmp_path / "out")


def test_an_index_of_another_format_is_refused_and_stays_as_it_was(tmp_path):
    dedup.Index(tmp_path / "seen").close()
    path = tmp_path / "seen" / ONLINE_DATABASE
    with sqlite3.connect(path) as database:
        database.execute("UPDATE about SET value = replace(value, '\"format\": 3', '\"format\": 2')")
        database.execute("DROP TABLE recent")
    with pytest.raises(IndexFolderError, match="has format 2, and this version reads format 3; make a new one"):
        dedup.Index(tmp_path / "seen")
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'recent'").fetchone() == (0,)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"threshold": 0.7}, "this index was made with threshold 0.8, not 0.7; use that, or another index"),
        ({"rules": {"shared-paragraph": "drop"}}, "made with the rule shared-paragraph flag, not drop"),
    ],
)
def test_an_index_refuses_other_settings(tmp_path, options, problem):
    dedup.Index(tmp_path / "seen").close()
    with pytest.raises(IndexFolderError, match=problem):
        dedup.Index(tmp_path / "seen", Settings(**options))


def test_what_is_no_index_is_left_alone(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(IndexFolderError, match="exists and is no online index, so it is left alone"):
        dedup.Index(tmp_path)
    with pytest.raises(IndexFolderError, match="is a file; name a folder"):
        dedup.Index(tmp_path / "file")
    (tmp_path / "seen").mkdir()
    (tmp_path / "seen" / ONLINE_DATABASE).write_bytes(b"no database" * 1000)
    with pytest.raises(IndexFolderError, match="cannot be used"):
        dedup.Index(tmp_path / "seen")
    assert (tmp_path / "file").read_text() == "mine"


def test_an_online_index_and_one_of_runs_are_not_taken_for_each_other(tmp_path):
    (tmp_path / "old.jsonl").write_text('{"text": "The council met on Monday to speak about the new bridge."}\n')
    dedup.clean(tmp_path / "old.jsonl", tmp_path / "out", index=tmp_path / "runs")
    with pytest.raises(IndexFolderError, match=r"is an index of runs, .*; name a new folder, and copy .*\.load\("):
        dedup.Index(tmp_path / "runs")
    dedup.Index(tmp_path / "online").close()
    online = tmp_path / "online"
    clean = f"clean {tmp_path}/old.jsonl -o {tmp_path}/new --index {online}"
    for command in (f"index stats {online}", f"index remove {online} x", clean):
        finished = run_dedup(f"dedup {command}")
        assert (finished.status, "is an online index, of dedup serve" in finished.stderr) == (2, True), command


def test_what_is_no_article_is_one_line(tmp_path):
    with dedup.Index(tmp_path / "seen", Settings(on_error="fail", keep="earliest")) as index:
        for article in ({"id": "a"}, {"id": "a", "text": None}, 7):
            with pytest.raises(InputError, match="article"):
                index.add(article)
        assert len(index) == 0
    with pytest.raises(IndexFolderError, match="was closed"):
        index.add("a text")


def test_an_asynchronous_index_answers_many_tasks_at_once(tmp_path):
    async def add_twice():
        async with dedup.AsyncIndex(tmp_path / "seen") as index:
            rows = [{"id": str(number), "text": story(number)} for number in range(5)]
            verdicts = await asyncio.gather(*(index.add(row) for row in rows * 2))
            asked = await index.query(story(3))
            removed = await index.remove("3")
            return Counter(verdict.article for verdict in verdicts if verdict.kept), asked, removed, await index.count()

    kept, asked, removed, count = asyncio.run(add_twice())
    assert kept == {str(number): 1 for number in range(5)}
    assert (asked.twin, removed, count) == ("3", 1, 4)


def test_an_index_whose_folder_is_deleted_leaves_no_traceback(tmp_path, capfd):
    with dedup.Index(tmp_path / "seen") as index:
        shutil.rmtree(tmp_path / "seen")
        for number in range(70):  # more than are added before the thread is woken
            index.add({"id": str(number), "text": story(number)})
    assert capfd.readouterr().err == ""


def test_an_index_opens_without_the_extras(tmp_path):
    blocked = "import sys; sys.modules.update(dict.fromkeys(['redis', 'starlette', 'uvicorn', 'prometheus_client'])); "
    code = f"{blocked}import dedup; print(dedup.Index({str(tmp_path / 'seen')!r}).add('a text').kept)"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (finished.stdout, finished.stderr) == ("True\n", "")
    assert Path(tmp_path / "seen" / ONLINE_DATABASE).exists()
