"""Articles are compared with those of other corpora: what repeats them goes, and they stay as they are."""

from __future__ import annotations

import json
import shutil

import pytest
from helpers.command import run_dedup
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import dedup
from dedup.errors import InputError
from dedup.inspect.verify import verify

WORDS = [f"{stem}{ending}" for stem in ("alder", "birch", "cedar", "hazel", "maple") for ending in "abcdefgh"]
LINES = ["Sign up for our daily newsletter", "Read the full story here", "Follow us on every channel"]

paragraphs = st.integers(0, 9).map(
    lambda first: " ".join(WORDS[(first * 7 + step * (first + 1)) % 40] for step in range(12))
)
edits = st.sampled_from(["", " and more", " cedarz"])


@st.composite
def texts(draw):
    parts = [
        paragraph + edit for paragraph, edit in draw(st.lists(st.tuples(paragraphs, edits), min_size=1, max_size=4))
    ]
    if draw(st.booleans()):
        parts.append(draw(st.sampled_from(LINES)))
    return "\n\n".join(parts)


@st.composite
def corpora(draw, least=1, most=8):
    hosts = st.sampled_from(["one.test", "two.test"])
    return [
        {"url": f"https://{draw(hosts)}/{number}", "text": text}
        for number, text in enumerate(draw(st.lists(texts(), min_size=least, max_size=most)))
    ]


def outcome(result, first):
    """What happened to the articles from record `first` on, with the twins named as if those before were known."""

    def place(source, record):
        return (source, record - first) if source == "-" and record >= first else ("against/-", record)

    def finding_of(finding):
        values = finding._asdict()
        values["record"] -= first
        if finding.rule == "boilerplate":
            values["twin_source"], values["twin_record"] = result.site_text[finding.twin_record]["text"], None
        elif finding.twin_source == "-":
            values["twin_source"], values["twin_record"] = place(finding.twin_source, finding.twin_record)
        return values

    findings = [finding_of(finding) for finding in result.findings if finding.record >= first]
    kept = [row["text"] for row in result.articles if row["provenance"]["record"] >= first]
    dropped = [
        {**row["provenance"], "record": row["provenance"]["record"] - first, "site_text": None}
        for row in result.dropped
        if row["provenance"]["record"] >= first
    ]
    return kept, dropped, findings


RULES = [{}, {"shared-paragraph": "drop"}, {"contained-article": "off", "repeated-paragraph": "drop"}]


@pytest.mark.slow
@pytest.mark.parametrize("rules", RULES, ids=str)
@given(earlier=corpora(), new=corpora())
@settings(max_examples=12, deadline=None)
def test_what_a_clean_corpus_makes_of_new_articles_is_what_one_run_over_both_makes_of_them(rules, earlier, new):
    chosen = dedup.Settings(keep="first", rules=rules)
    corpus = [
        {"url": article["url"], "text": article["text"]} for article in dedup.clean_articles(earlier, chosen).articles
    ]
    together = dedup.clean_articles(corpus + new, chosen)
    assume(not any(row["provenance"]["record"] < len(corpus) for row in together.dropped))
    alone = dedup.clean_articles(new, chosen, against=corpus)
    assert outcome(alone, 0) == outcome(together, len(corpus))


STORIES = [" ".join(WORDS[(start * 11 + step * 3) % 40] + str(step) for step in range(60)) for start in range(6)]
SHARED = "The council of the town met on Monday evening to speak about the new bridge over the river."


def write(path, rows):
    path.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))
    return path


@pytest.fixture
def folders(tmp_path):
    """A corpus of three articles; and new ones: a copy, an edited copy, one that shares a paragraph, and another."""
    old = [{"id": f"old-{number}", "title": "Old", "text": STORIES[number]} for number in range(3)]
    old[0]["text"] += f"\n\n{SHARED}"
    new = [
        {"id": "copy", "title": "Old", "text": old[0]["text"]},
        {"id": "edited", "title": "Old", "text": old[1]["text"] + " It starts at once."},
        {"id": "shares", "text": f"{STORIES[4]}\n\n{SHARED}"},
        {"id": "other", "text": STORIES[5]},
    ]
    write(tmp_path / "old.jsonl", old)
    write(tmp_path / "new.jsonl", new)
    return tmp_path


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def cleaned(folders):
    """The new articles cleaned against the output of a run over the corpus."""
    assert run_dedup(f"dedup clean {folders}/old.jsonl -o {folders}/corpus -q").status == 0
    finished = run_dedup(f"dedup clean {folders}/new.jsonl --against {folders}/corpus -o {folders}/out -q")
    assert (finished.status, finished.stderr) == (0, "")
    return folders


def test_twins_in_another_corpus_are_named_with_their_source(cleaned):
    dropped = {row["id"]: row["provenance"]["twin"] for row in lines(cleaned / "out" / "dropped.jsonl")}
    assert dropped == {"copy": "old-0", "edited": "old-1"}
    assert [row["id"] for row in lines(cleaned / "out" / "articles.jsonl")] == ["shares", "other"]
    (shared,) = [row for row in lines(cleaned / "out" / "provenance.jsonl") if row["rule"] == "shared-paragraph"]
    assert (shared["twin"], shared["twin_source"], shared["twin_record"]) == ("old-0", "against/articles.jsonl", 0)
    assert (shared["twin_start"], shared["twin_stop"]) == (len(STORIES[0]) + 2, len(STORIES[0]) + 2 + len(SHARED))


def test_the_other_corpus_is_neither_changed_nor_written(folders):
    before = (folders / "old.jsonl").read_bytes()
    dedup.clean(folders / "new.jsonl", folders / "out", against=folders / "old.jsonl")
    assert (folders / "old.jsonl").read_bytes() == before
    run = json.loads((folders / "out" / "run.json").read_text())
    assert run["counts"]["records"] == 4
    assert [entry["source"] for entry in run["inputs"]] == ["new.jsonl"]
    assert run["against"]["given"] == ["../old.jsonl"]
    assert [entry["source"] for entry in run["against"]["inputs"]] == ["against/old.jsonl"]


def test_articles_of_the_other_corpus_stay_even_if_they_repeat_each_other():
    repeated = [{"id": "one", "text": STORIES[0]}, {"id": "two", "text": STORIES[0] + " one more word"}]
    result = dedup.clean_articles([{"id": "new", "text": STORIES[0] + " one more word here"}], against=repeated)
    assert result.dropped[0]["provenance"]["twin"] == "two"


@pytest.mark.parametrize("keep", ["longest", "first", "earliest", "latest"])
def test_articles_of_the_other_corpus_win_whatever_is_kept(keep):
    old = [{"id": "old", "date": "2020-05-05", "text": STORIES[0]}]
    new = [
        {"id": name, "date": date, "text": STORIES[0] + " and one more word"}
        for name, date in (("a", "2019-01-01"), ("b", "2024-01-01"))
    ]
    result = dedup.clean_articles(new, dedup.Settings(keep=keep), against=old)
    assert [row["provenance"]["twin"] for row in result.dropped] == ["old", "old"]


def test_an_output_verifies_explains_and_restores_with_twins_in_another_corpus(cleaned):
    assert verify(cleaned / "out").mismatches == []
    explained = run_dedup(f"dedup explain {cleaned}/out edited").stdout
    assert "repeats old-1 (against/articles.jsonl#1)" in explained
    assert explained.count(STORIES[1][:40]) == 2  # the article, and its twin
    assert "against/articles.jsonl" in run_dedup(f"dedup explain {cleaned}/out").stdout
    assert run_dedup(f"dedup diff {cleaned}/out copy").status == 0
    assert run_dedup(f"dedup restore {cleaned}/out -o {cleaned}/again -q").status == 0
    assert (cleaned / "again" / "new.jsonl").read_bytes() == (cleaned / "new.jsonl").read_bytes()


def test_a_forged_twin_in_another_corpus_is_found(cleaned):
    articles = cleaned / "corpus" / "articles.jsonl"
    articles.write_text(articles.read_text().replace("aldera0", "changed"))
    assert {mismatch.where for mismatch in verify(cleaned / "out").mismatches} == {"against/articles.jsonl#0"}
    run = cleaned / "out" / "provenance.jsonl"
    run.write_text(run.read_text().replace('"twin_record":1', '"twin_record":2'))
    assert any("against/articles.jsonl#2" in mismatch.where for mismatch in verify(cleaned / "out").mismatches)


def test_a_corpus_that_is_gone_is_one_line(cleaned):
    shutil.rmtree(cleaned / "corpus")
    (mismatch,) = verify(cleaned / "out").mismatches
    assert mismatch.what.startswith("2 twins cannot be checked: the corpus of the known articles cannot be read")
    assert "not in this output" in run_dedup(f"dedup explain {cleaned}/out copy").stdout


def test_articles_without_site_text_are_compared_and_proved_by_it(tmp_path):
    menus = "\n\n".join(["Home of the daily news", "Sports and the weather", "Letters to the editor", LINES[0]])
    old = [{"url": f"https://a.test/{number}", "text": f"{story}\n\n{menus}"} for number, story in enumerate(STORIES)]
    new = [{"url": f"https://b.test/{number}", "text": story} for number, story in enumerate(STORIES)]
    new += [
        {"url": f"https://a.test/new{number}", "text": f"{story[::-1]}\n\n{menus}"}
        for number, story in enumerate(STORIES)
    ]
    dedup.clean(write(tmp_path / "new.jsonl", new), tmp_path / "out", against=write(tmp_path / "old.jsonl", old))
    assert verify(tmp_path / "out").mismatches == []
    assert {row["rule"] for row in lines(tmp_path / "out" / "provenance.jsonl")} >= {"duplicate-article", "boilerplate"}
    twins = lines(tmp_path / "out" / "known_twins.jsonl")
    assert [len(row["site_text"]) for row in twins] == [4] * 6
    rows = lines(tmp_path / "out" / "site_text.jsonl")
    assert [(row["articles"], row["dropped"], row["source"]) for row in rows] == [(12, 6, "new.jsonl")] * 4


@pytest.mark.parametrize("jobs", [1, 2])
def test_jobs_and_batches_change_no_byte_against_another_corpus(cleaned, monkeypatch, jobs):
    monkeypatch.setattr(dedup.LocalEngine, "batch_bytes", 300)
    monkeypatch.setattr("dedup.engines.local.SMALL_BYTES", 0)
    engine = dedup.LocalEngine(jobs=jobs)
    dedup.clean(cleaned / "new.jsonl", cleaned / "again", engine=engine, against=cleaned / "corpus")
    for path in (cleaned / "out").iterdir():
        if path.name != "run.log.json":
            assert (cleaned / "again" / path.name).read_bytes() == path.read_bytes(), path.name


def test_check_compares_with_another_corpus(cleaned):
    found = run_dedup(f"dedup check {cleaned}/new.jsonl --against {cleaned}/corpus -q")
    assert (found.status, found.stdout.count("against/articles.jsonl")) == (1, 3)


def test_files_and_objects_may_be_given_together(folders):
    new = lines(folders / "new.jsonl")
    dedup.clean(new, folders / "out", against=lines(folders / "old.jsonl"))
    (mismatch,) = verify(folders / "out").mismatches
    assert "articles in memory were known" in mismatch.what
    result = dedup.clean_articles(new, against=folders / "old.jsonl")
    assert [row["id"] for row in result.dropped] == ["copy", "edited"]


@pytest.mark.parametrize("against", ["-", "nowhere"])
def test_a_corpus_that_cannot_be_read_is_one_line(folders, against):
    finished = run_dedup(f"dedup clean {folders}/new.jsonl --against {against} -o {folders}/out")
    assert finished.status == 2
    assert len(finished.stderr.strip().splitlines()) == 1
    assert not (folders / "out").exists()


def test_an_input_that_would_be_named_like_a_known_article_is_refused(folders):
    (folders / "crawl" / "against").mkdir(parents=True)
    shutil.copy(folders / "new.jsonl", folders / "crawl" / "against" / "old.jsonl")
    with pytest.raises(InputError, match=r"against/old\.jsonl: an input and a file"):
        dedup.clean(folders / "crawl", folders / "out", against=folders / "old.jsonl")
