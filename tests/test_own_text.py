"""Site text: every copy of a line goes, it is kept once, and articles are compared by the text that is their own."""

from __future__ import annotations

import json
import random

import pyarrow as pa
import pytest
from conftest import read_jsonl, write_jsonl
from helpers.made_pages import FOOTER, PAGE_MENU, made_pages
from helpers.outputs import change_row
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup
from dedup import Settings
from dedup.engines.local import LocalEngine
from dedup.inspect.restore import restore
from dedup.inspect.verify import verify
from dedup.kernels.backend import load_backend
from dedup.prepare.batch import prepare
from dedup.prepare.compared_texts import compared_texts
from dedup.prepare.site_text import SITE_TEXT_SCHEMA_OF_BATCH, take_out_site_text
from dedup.read.objects import JsonRecord, record_batch

_LETTERS = "bcdfghjklmnprstvwz"
MENU = ["Home News Sport", "Weather in your town", "Buy a print of this picture", "Our other papers"]


def prose(seed, words=30):
    """Return a made-up paragraph, the same for the same seed."""
    rng = random.Random(seed)
    told = ["".join(rng.choice(_LETTERS) + rng.choice("aeiou") for _ in range(3)) for _ in range(words)]
    return " ".join(told).capitalize() + "."


def body(seed, paragraphs=4, words=30):
    return [prose(f"{seed} {at}", words) for at in range(paragraphs)]


def page(text, menu=(), host="x.example"):
    """Return a page: an article, given as paragraphs, with a menu before it and behind it."""
    return {"url": f"https://{host}/", "text": "\n\n".join([*menu[:1], *text, *menu[1:]])}


def pages(count=20, host="x.example", menu=MENU):
    return [page(body(f"{host} {number}"), menu, host) for number in range(count)]


def lines_of(site_text):
    return {(row["host"], row["text"], row["articles"], row["share"], row["dropped"]) for row in site_text}


def test_every_page_loses_its_menu_which_is_kept_once():
    result = dedup.clean_articles(pages())
    assert lines_of(result.site_text) == {("x.example", line, 20, 1.0, 20) for line in MENU}
    assert [row["text"] for row in result.site_text] == MENU, "rows are ordered by their first places"
    assert [row["text"] for row in result.articles] == ["\n\n".join(body(f"x.example {n}")) for n in range(20)]
    drops = [finding for finding in result.findings if finding.rule == "boilerplate"]
    assert {(drop.twin, drop.twin_source, drop.similarity) for drop in drops} == {("x.example", "site_text.jsonl", 1.0)}
    assert [drop.twin_record for drop in drops] == [*range(4)] * 20


def test_lines_of_unknown_hosts_are_of_no_host():
    result = dedup.clean_articles([{"text": row["text"]} for row in pages()])
    assert lines_of(result.site_text) == {(None, line, 20, 1.0, 20) for line in MENU}
    assert {finding.twin for finding in result.findings if finding.rule == "boilerplate"} == {""}


def test_different_articles_in_one_frame_are_not_merged():
    menu = [MENU[0], *(f"{line} {number}" for line in MENU[1:] for number in range(12))]
    short = [page([prose(number, 12)], menu) for number in range(30)]
    assert len(dedup.clean_articles(short, Settings(rules={"boilerplate": "off"})).articles) < 30
    assert len(dedup.clean_articles(short).articles) == 30


def test_one_article_in_two_frames_is_found():
    other = [
        "Front page",
        *(f"The other paper {line}" for line in MENU[1:]),
        "Terms of use",
        "Contact us",
        "About the paper",
    ]
    one, two = page(body("same", 1), MENU), page(body("same", 1), other, "y.example")
    rows = [*pages(), one, *pages(20, "y.example", other), two]
    assert not dedup.clean_articles(rows, Settings(rules={"boilerplate": "off"})).dropped
    result = dedup.clean_articles(rows)
    [dropped] = result.dropped
    assert dropped["provenance"]["rule"] == "duplicate-article"
    lines = [result.site_text[row]["text"] for row in dropped["provenance"]["site_text"]]
    assert lines in (MENU, other), "its provenance names the lines that it was compared without"
    record = dropped["provenance"]["record"]
    assert [finding.rule for finding in result.findings if finding.record == record] == ["duplicate-article"]


def test_the_longest_article_is_the_one_with_the_most_text_of_its_own():
    twelve = [*MENU, *(f"{line} again" for line in MENU)]
    rows = [*pages(20, menu=twelve), *pages(20, "y.example")]
    rows += [page(body("same", 6), twelve), page([*body("same", 6), prose("more", 9)], MENU[:1], "y.example")]
    [dropped] = dedup.clean_articles(rows).dropped
    assert dropped["provenance"]["record"] == 40


def test_a_page_of_site_text_alone_is_compared_with_nothing():
    rows = [*pages(), page([], MENU), page([], MENU)]
    result = dedup.clean_articles(rows)
    assert not result.dropped
    assert [row["text"] for row in result.articles[-2:]] == ["", ""]


def test_copies_of_one_report_are_no_site_text():
    text = [prose(f"line {number}", 9) for number in range(6)]
    result = dedup.clean_articles([page(text) for _ in range(8)])
    assert (len(result.articles), result.site_text) == (1, [])


def test_a_flagged_line_stays_in_the_text_and_in_the_comparison():
    result = dedup.clean_articles(pages(), Settings(rules={"boilerplate": "flag", "shared-paragraph": "drop"}))
    assert [row["text"] for row in result.articles] == [row["text"] for row in pages()]
    assert lines_of(result.site_text) == {("x.example", line, 20, 1.0, 0) for line in MENU}
    assert {(finding.rule, finding.action) for finding in result.findings} == {("boilerplate", "flag")}


def test_where_nothing_recurs_there_is_no_site_text(tmp_path):
    source = write_jsonl(tmp_path / "in.jsonl", [page(body(number)) for number in range(20)])
    report = dedup.clean(source, tmp_path / "out")
    assert (tmp_path / "out" / "site_text.jsonl").read_bytes() == b""
    assert report.stages["find site text"] == {"lines": 0, "articles": 0}


@pytest.mark.slow
@pytest.mark.parametrize("batch_bytes", [3_000, 1 << 22])
@pytest.mark.parametrize("jobs", [1, 2])
def test_jobs_and_batches_change_no_byte_of_site_text(tmp_path, monkeypatch, jobs, batch_bytes):
    rows = [*pages(), *pages(9, "y.example", MENU[1:]), *(page(body(number), host="z.example") for number in range(9))]
    rows += made_pages()
    source = write_jsonl(tmp_path / "in.jsonl", rows)
    dedup.clean(source, tmp_path / "expected", engine=LocalEngine(jobs=1))
    monkeypatch.setattr(LocalEngine, "batch_bytes", batch_bytes)
    monkeypatch.setattr("dedup.engines.local.SMALL_BYTES", 0 if jobs > 1 else 1 << 30)
    dedup.clean(source, tmp_path / "out", engine=LocalEngine(jobs=jobs))
    for name in ("site_text", "provenance", "articles", "dropped"):
        assert (tmp_path / "out" / f"{name}.jsonl").read_bytes() == (
            tmp_path / "expected" / f"{name}.jsonl"
        ).read_bytes()


corpora = st.lists(
    st.tuples(st.sampled_from("xy"), st.lists(st.sampled_from(MENU), unique=True), st.integers(1, 4)),
    min_size=1,
    max_size=24,
)


def made(drawn):
    return [
        page(body(number, count), [line for line in MENU if line in menu], f"{host}.example")
        for number, (host, menu, count) in enumerate(drawn)
    ]


@pytest.mark.slow
@settings(max_examples=40)
@given(corpora, st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_no_line(drawn, rng):
    rows = made(drawn)
    expected = lines_of(dedup.clean_articles(rows).site_text)
    rng.shuffle(rows)
    assert lines_of(dedup.clean_articles(rows).site_text) == expected


@settings(max_examples=40)
@given(corpora)
def test_cleaning_again_drops_no_new_line_and_findings_are_undone(drawn):
    rows = made(drawn)
    result = dedup.clean_articles(rows)
    findings = [finding for finding in result.findings if finding.rule == "boilerplate"]
    for row in result.articles:
        record = row["provenance"]["record"]
        of_article = [finding for finding in findings if finding.record == record]
        raw = rows[record]["text"]
        assert dedup.apply(raw, of_article) == row["text"]
        assert dedup.revert(row["text"], of_article) == raw
    again = dedup.clean_articles([{"url": row["url"], "text": row["text"]} for row in result.articles])
    known = {(row["host"], row["text"]) for row in result.site_text}  # a line may go from pages first
    assert {row["text"] for row in again.site_text if row["dropped"]} <= {text for _, text in known}


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("keeps_one", [False, True])
def test_an_article_without_site_text_is_compared_as_if_it_had_never_had_any(compiled, keeps_one):
    backend, chosen = load_backend(compiled=compiled), Settings(profile="corpus")
    again = prose("again")
    texts = ["\n\n".join([MENU[0], *body(7), "It cost $5.", *MENU[1:]]), "A text of its own.", ""]
    texts += ["\n\n".join([MENU[0], again, prose("b"), again, MENU[1], "caf\u00c3\u00a9 \u00a35"])] + [
        MENU[0]
    ] * keeps_one
    cut = ["\n\n".join([*body(7), "It cost $5."]), "A text of its own.", ""]
    cut += ["\n\n".join([again, prose("b"), again, "caf\u00c3\u00a9 \u00a35"])] + [MENU[0]] * keeps_one

    def prepared(texts):
        return prepare(
            record_batch([JsonRecord(json.dumps({"text": text}).encode(), None) for text in texts], 0), chosen, backend
        )

    places = [(0, number) for number in (0, 6, 7, 8)] + [(3, 0), (3, 4)]
    lines = [
        {"row": row, "paragraph": number, "line": at // 2, "host": None, "size": 1, "action": "drop", "evidence": ""}
        for at, (row, number) in enumerate(places)
    ]
    site_text = pa.RecordBatch.from_pylist(lines, SITE_TEXT_SCHEMA_OF_BATCH)
    cleared, expected = take_out_site_text(prepared(texts), site_text, chosen, backend), prepared(cut)
    for name in ("length", "key", "digest", "words", "buckets", "minimizers"):
        assert cleared.column(name).to_pylist() == expected.column(name).to_pylist(), name
    assert list(compared_texts(cleared, chosen.rules)) == list(compared_texts(expected, chosen.rules))
    words = cleared.column("paragraphs").flatten().field("words").to_pylist()
    buckets = cleared.column("paragraph_buckets").flatten().to_pylist()
    other = expected.column("paragraphs").flatten().field("words").to_pylist()
    assert [count for count in words if count] == [count for count in other if count]
    kept = [bucket for bucket in buckets if bucket]
    assert kept == [bucket for bucket in expected.column("paragraph_buckets").flatten().to_pylist() if bucket]


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verified")
    rows = [
        *pages(),
        page(body("same"), MENU),
        *pages(20, "y.example", MENU[2:]),
        page(body("same"), MENU[2:], "y.example"),
    ]
    source = write_jsonl(folder / "in.jsonl", rows)
    dedup.clean(source, folder / "out")
    return folder, rows


def test_an_output_with_site_text_is_verified_restored_and_explained(output, tmp_path):
    folder, rows = output
    out = folder / "out"
    assert len(read_jsonl(out / "dropped.jsonl")) == 1
    assert verify(out).mismatches == []
    restore(out, tmp_path / "back")
    assert read_jsonl(tmp_path / "back" / "in.jsonl") == rows
    shown = repr(dedup.explain(out, "in.jsonl#3"))
    assert "boilerplate: drop" in shown
    assert "twin x.example (site_text.jsonl#0)" in shown


def without_row(number):
    def change(out):
        path = out / "site_text.jsonl"
        rows = path.read_text().splitlines(keepends=True)
        path.write_text("".join(rows[:number] + rows[number + 1 :]))

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_row(5), "is not there"),
        (without_row(0), "is another line"),
        (change_row("site_text", 1, text="Weather in your village"), "is another line"),
        (change_row("site_text", 1, text="Weather in your town!"), "characters long"),
        (change_row("site_text", 1, host="y.example"), "is of 'y.example'"),
        (change_row("site_text", 1, dropped=3), "says that 3 articles lost it"),
        (change_row("site_text", 1, articles=3), "cannot be"),
        (change_row("site_text", 1, start=0, stop=9), "is not at its first place"),
        (change_row("site_text", 1, record=77), "is not at its first place"),
        (change_row("dropped", 0, provenance__site_text=[0]), "its similarity to"),
    ],
)
def test_verify_notices_a_changed_or_missing_line(output, tmp_path, change, message):
    folder, _ = output
    out = tmp_path / "out"
    out.mkdir()
    for path in (folder / "out").iterdir():
        (out / path.name).write_bytes(path.read_bytes())
    change(out)
    assert any(message in mismatch.what for mismatch in verify(out).mismatches)


def boilerplate_of(rows, **options):
    """Return the actions of the rule by the text of the line, and by its record."""
    told = {}
    for one in dedup.clean_articles(rows, Settings(**options)).findings:
        if one.rule == "boilerplate":
            text = rows[one.record]["text"][one.start : one.stop].strip()
            told.setdefault(text, {})[one.record] = one.action
    return told


@pytest.mark.parametrize("size", [3, 8, 30])
def test_pages_of_hosts_of_any_size_lose_their_menus(size):
    rows = made_pages([size])
    told = boilerplate_of(rows)
    for line in [*PAGE_MENU, *FOOTER]:
        assert told[line] == dict.fromkeys(range(size), "drop"), line
    lines = [line for row in rows for line in row["text"].split("\n")]
    changing = [line for line in lines if line.endswith("comments")]
    assert all(line in told for line in changing), "lines of one frame"
    cleaned = dedup.clean_articles(rows).articles
    for row, after in zip(rows, cleaned, strict=True):
        assert all(line in after["text"] for line in row["text"].split("\n") if len(line.split()) > 7)


def test_a_headline_stays_on_its_own_page_and_goes_as_a_teaser():
    rows = made_pages([8])
    cleaned = dedup.clean_articles(rows).articles
    titles = [row["title"] for row in rows]
    left = [[title for title in titles if title in row["text"].split("\n")] for row in cleaned]
    assert left == [[title] for title in titles]


@pytest.mark.parametrize("others", [0, 20])
def test_the_questions_of_interviews_stay_and_short_reports_too(others):
    questions = ["What are you reading at the moment?", "Who would play you in a film?", "What makes you happy?"]
    interviews = [body(f"interview {number}", 9) for number in range(36)]
    for text in interviews:
        for at, question in enumerate(questions):
            text.insert(2 * at + 2, question)
    crimes = [body(f"crime {number}", 5) for number in range(60)]
    for text in crimes[::10]:
        text.insert(2, "No injuries were reported.")
    rows = [page(text, host="talk.example") for text in interviews]
    rows += [page(text, host="crime.example") for text in crimes]
    rows += [page(body(f"other {number}"), host="other.example") for number in range(others)]
    assert not {line: told for line, told in boilerplate_of(rows).items() if "drop" in told.values()}


def test_the_order_of_pages_changes_no_line_and_they_are_verified_and_restored(tmp_path):
    rows = made_pages()
    source = write_jsonl(tmp_path / "in.jsonl", rows)
    dedup.clean(source, tmp_path / "out")
    assert verify(tmp_path / "out").mismatches == []
    restore(tmp_path / "out", tmp_path / "back")
    assert read_jsonl(tmp_path / "back" / "in.jsonl") == rows
    expected = lines_of(dedup.clean_articles(rows).site_text)
    assert lines_of(dedup.clean_articles(random.Random(5).sample(rows, len(rows))).site_text) == expected
