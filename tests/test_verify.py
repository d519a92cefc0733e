"""Verifying outputs: correct ones, and forged ones of every kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import read_jsonl, write_jsonl
from helpers.news import news
from helpers.outputs import (
    CORPUS,
    INPUTS,
    LAYOUTS,
    QUARANTINED,
    STORY,
    change_row,
    write_output,
    write_sealed_run,
)
from rich.console import Console

import dedup
from dedup.engines.local import LocalEngine
from dedup.inspect.explain import finding_line, print_explanation
from dedup.inspect.output import open_output
from dedup.inspect.verify import verify
from dedup.pipeline import check
from dedup.settings import settings_digest


@pytest.fixture(params=LAYOUTS, ids="-".join)
def out(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write_output(tmp_path / "out", CORPUS, QUARANTINED, INPUTS, request.param)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return write_output(tmp_path / "out", CORPUS, QUARANTINED, INPUTS)


def _remove_row(table: str, number: int) -> Callable[[Path], None]:
    def change(out: Path) -> None:
        lines = (out / f"{table}.jsonl").read_text().splitlines(keepends=True)
        del lines[number]
        (out / f"{table}.jsonl").write_text("".join(lines))

    return change


def _swap_first_rows(table: str) -> Callable[[Path], None]:
    def change(out: Path) -> None:
        first, second, *rest = (out / f"{table}.jsonl").read_text().splitlines(keepends=True)
        (out / f"{table}.jsonl").write_text("".join([second, first, *rest]))

    return change


def _change_run(path: list[str], value: Any) -> Callable[[Path], None]:
    def change(out: Path) -> None:
        run = json.loads((out / "run.json").read_text())
        place = run
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value
        (out / "run.json").write_text(json.dumps(run))

    return change


FORGERIES = [
    ("a twin was named for a repair", change_row("provenance", 0, twin_record=3), "has values of a twin, but no twin"),
    ("a kept text was edited", change_row("articles", 0, text=STORY + " More."), "another sha256"),
    ("a dropped text was edited", change_row("dropped", 0, text=STORY), "not the finding's original"),
    (
        "a replacement was changed",
        change_row("provenance", 0, replacement="e"),
        "its replacement is not in the cleaned",
    ),
    ("an original was changed", change_row("provenance", 0, original="xx"), "another sha256"),
    ("a span is longer than its text", change_row("provenance", 0, stop=9), "does not measure its original"),
    ("spans overlap", change_row("provenance", 1, start=4, stop=6), "overlaps"),
    ("a finding is missing", _remove_row("provenance", 0), "has 2 findings, its provenance says 3"),
    ("a finding has no article", change_row("provenance", 0, record=2), "of an article that is not there"),
    ("a finding has no input", change_row("provenance", 0, source="x"), "not among the inputs"),
    ("a finding names another article", change_row("provenance", 0, article="x"), "names the article 'x'"),
    ("a rule is unknown", change_row("provenance", 0, rule="magic"), "no such rule"),
    ("the rule of a drop is unknown", change_row("provenance", 3, rule="magic"), "no such rule"),
    (
        "the rule of a drop of a part is unknown",
        change_row("provenance", 0, rule="magic", action="drop", replacement=""),
        "no such rule",
    ),
    ("an action was changed", change_row("provenance", 0, action="drop"), "the action of this rule was fix"),
    ("findings are out of order", _swap_first_rows("provenance"), "out of order"),
    ("articles are out of order", _swap_first_rows("articles"), "out of input order"),
    ("an article is missing", _remove_row("articles", 2), "counts 5 kept, the tables hold 4"),
    ("a twin is missing", change_row("provenance", 3, twin_record=9), "is not there"),
    ("a twin is dropped itself", change_row("provenance", 3, twin_source="a.jsonl", twin_record=5), "is dropped"),
    ("a twin's span is too long", change_row("provenance", 3, twin_stop=999), "its span is 0-999"),
    (
        "a twin is another article",
        change_row("provenance", 3, twin_record=3, twin_stop=5),
        "similarity to 'one' is 0.0, not 1.0",
    ),
    ("a similarity was changed", change_row("dropped", 0, provenance__similarity=0.9), "another similarity"),
    (
        "a drop covers a part of its article",
        change_row("provenance", 3, stop=9, original=STORY.upper()[:9]),
        "not by one finding",
    ),
    ("a drop has no twin", change_row("provenance", 3, twin_source=None), "a drop without a twin"),
    ("a count is wrong", _change_run(["counts", "kept"], 3), "counts 3 kept, the tables hold 5"),
    (
        "a rule's count is wrong",
        _change_run(["rules"], {"encoding": {"fix": {"findings": 2}}}),
        "counts 2 of encoding: fix",
    ),
    ("a setting was changed", _change_run(["settings", "threshold"], 0.5), "digest"),
    ("a file is missing", lambda out: (out / "quarantine.jsonl").unlink(), "is not there"),
    ("a file is added", lambda out: (out / "notes.md").write_text("x"), "does not belong"),
    ("a line is cut", lambda out: (out / "articles.jsonl").write_text('{"id": 1'), "not JSON"),
    ("a line is not an article", lambda out: (out / "articles.jsonl").write_text("{}\n"), "not an article of dedup"),
    ("a row is not a finding", change_row("provenance", 0, start="three"), "not a finding"),
]


@pytest.mark.parametrize(("forge", "message"), [row[1:] for row in FORGERIES], ids=[row[0] for row in FORGERIES])
def test_verify_finds_every_forgery_with_any_number_of_processes(
    plain: Path, monkeypatch: pytest.MonkeyPatch, forge: Callable[[Path], object], message: str
) -> None:
    forge(plain)
    verified = verify(plain)
    assert any(message in f"{mismatch.where}: {mismatch.what}" for mismatch in verified.mismatches), verified
    use_processes(monkeypatch)
    assert verify(plain, LocalEngine(jobs=2)) == verified


def test_changed_findings_about_twins_are_all_noticed_by_plain_and_compiled_functions_alike(tmp_path, monkeypatch):
    chance = Random(1)
    rows = news(count=60)
    rows += [{"id": f"edited {number}", "text": row["text"] + " More."} for number, row in enumerate(rows[:20])]
    out = tmp_path / "out"
    dedup.clean(write_jsonl(tmp_path / "in.jsonl", rows), out)
    assert verify(out).mismatches == []
    table = out / "provenance.jsonl"
    findings = read_jsonl(table)
    changes = {
        "similarity": lambda value: value - 0.01,
        "twin": lambda value: f"{value}x",
        "twin_stop": lambda value: value + 100_000,
        "twin_record": lambda value: value + 1000,
    }
    changed = {}
    for finding in findings:
        if finding["twin_source"] is not None and chance.random() < 0.5:
            name = chance.choice(list(changes))
            finding[name] = changes[name](finding[name])
            changed.setdefault(finding["rule"], set()).add(f"{finding['source']}#{finding['record']}")
    assert {"boilerplate", "repeated-block", "near-duplicate-article", "shared-paragraph"} <= changed.keys()
    table.write_text("".join(json.dumps(finding) + "\n" for finding in findings))
    verified = verify(out)
    assert set().union(*changed.values()) <= {mismatch.where for mismatch in verified.mismatches}
    use_processes(monkeypatch)
    assert verify(out, LocalEngine(jobs=1)) == verify(out, LocalEngine(jobs=2)) == verified


def use_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let outputs of any size be verified with compiled functions, in batches of one article."""
    monkeypatch.setattr("dedup.engines.local.SMALL_BYTES", 0)
    monkeypatch.setattr("dedup.inspect.verify_articles._CHECKED_BYTES", 1)
    monkeypatch.setattr("dedup.inspect.verify_twins._COMPARED_BYTES", 1)
    monkeypatch.setattr("dedup.inspect.verify._COMPILED_BYTES", 0)


def test_a_correct_output_has_no_mismatches(out: Path) -> None:
    assert verify(out) == (6, 4, [])


def test_a_twin_inside_a_paragraph_is_compared(tmp_path: Path) -> None:
    first = "The council met on Monday to discuss the budget of the coming\u00a0year."
    body = [f"{first} Members said that schools would get more money than before, and parks less."]
    others = [
        "Nobody knows what the new bridge over the river will cost in the end.",
        "Opponents have announced a demonstration in front of the old town hall.",
        "The last debate about schools took nine hours and ended after midnight.",
    ]
    body += [f"There was news about this on day {number} too. {other}" for number, other in enumerate(others)]
    bullets = [first, *others]
    source = tmp_path / "a.jsonl"
    source.write_text(json.dumps({"id": "a", "text": "\n\n".join(body + bullets)}) + "\n")
    dedup.clean(source, tmp_path / "out")
    table = tmp_path / "out" / "provenance.jsonl"
    drops = [row for row in map(json.loads, table.read_text().splitlines()) if row["action"] == "drop"]
    raw = json.loads(source.read_text())["text"]
    assert raw[drops[0]["twin_start"] : drops[0]["twin_stop"]] == first
    assert not verify(tmp_path / "out").mismatches
    table.write_text(table.read_text().replace('"similarity":1.0', '"similarity":0.9'))
    assert any("similarity" in mismatch.what for mismatch in verify(tmp_path / "out").mismatches)


@pytest.mark.parametrize("keep", ["first", "longest"])
def test_the_twin_of_an_article_may_have_lost_its_only_paragraph(tmp_path, keep):
    paragraph = "The council met on Monday to discuss the budget of the coming year, and schools will get more of it."
    texts = [f"{paragraph}\n\nMembers heard nine hours of debate.", paragraph, paragraph]
    settings = dedup.Settings(keep=keep, rules={"shared-paragraph": "drop"})
    write_jsonl(tmp_path / "a.jsonl", [{"id": str(number), "text": text} for number, text in enumerate(texts)])
    dedup.clean(tmp_path / "a.jsonl", tmp_path / "out", settings)
    rules = [row["rule"] for row in read_jsonl(tmp_path / "out" / "provenance.jsonl")]
    assert rules == ["contained-article", "shared-paragraph", "duplicate-article"]
    assert not verify(tmp_path / "out").mismatches


def test_an_output_from_before_a_setting_and_a_rule_were_added_is_correct(plain):
    """The digest is that of the settings in ``run.json``, and a rule that the run did not know was off."""
    run = json.loads((plain / "run.json").read_text())
    del run["settings"]["date_field"], run["settings"]["rules"]["contained-article"]
    run["dedup"]["digest"] = settings_digest(run["settings"])
    write_sealed_run(plain, run)
    assert verify(plain).mismatches == []
    assert open_output(plain).settings.rules["contained-article"] == "off"
    run["settings"]["keep"] = "first"
    write_sealed_run(plain, run)
    assert [mismatch.what for mismatch in verify(plain).mismatches] == [
        "the digest is not that of the settings beside it"
    ]


def test_runs_of_equal_fixes_are_verified_and_explained(tmp_path):
    source = tmp_path / "in.jsonl"
    text = "\r\n".join(f"Line {number} of a poem that has some words" for number in range(30)) + "\r\n"
    source.write_text(json.dumps({"id": "a", "text": text}) + "\n")
    for layout in ("jsonl", "parquet"):
        out = tmp_path / layout
        report = dedup.clean(source, out, dedup.Settings(format=layout))
        assert report.rules()["encoding"] == {"fix": {"findings": 1, "characters": 30}}
        verified = verify(out)
        assert (verified.findings, verified.mismatches) == (1, [])
        [article] = open_output(out).articles()
        assert article.raw == text
        console = Console(width=100, record=True, file=StringIO())
        print_explanation(open_output(out), "a", console)
        shown = console.export_text()
        assert "30 times '\\r' -> '': fix_line_breaks" in shown
        assert len(shown) < 1_000
    [finding] = check(source)
    assert finding_line(finding).endswith(": encoding: fix: (30 times '\\r' -> '': fix_line_breaks)")
