"""The report says what a run did: the numbers of the run, the groups and flows of its articles, and what is unusual."""

from __future__ import annotations

import json
import os
import re
from html.parser import HTMLParser

import pytest
from helpers.command import run_dedup
from helpers.crawls import HOSTILE, clean_crawl, crawl_rows, hostile_rows, write_long_articles
from helpers.extras import HAS_REPORT, NO_REPORT
from helpers.outputs import LAYOUTS, write_empty_tables

from dedup.inspect.output import open_output
from dedup.inspect.visible import visible
from dedup.report import compare
from dedup.report import html as html_module
from dedup.report.build import report_on_run
from dedup.report.compare import compare_runs
from dedup.report.flows import flows_between, periods_of
from dedup.report.gather import Known
from dedup.report.markdown import escaped, markdown_of
from dedup.settings import Settings

needs_libraries = pytest.mark.skipif(not HAS_REPORT, reason=NO_REPORT)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return clean_crawl(tmp_path_factory.mktemp("crawl"), crawl_rows())


@pytest.fixture(scope="module")
def page(out):
    return report_on_run(out)


# numbers


def test_the_counts_are_those_of_the_run(out, page):
    run = json.loads((out / "run.json").read_text())
    assert page.counts == run["counts"]
    assert page.part.read == page.part.articles == run["counts"]["articles"]
    assert {(row.rule, row.action, row.findings, row.characters) for row in page.rules} == {
        (rule, action, numbers["findings"], numbers["characters"])
        for rule, actions in run["rules"].items()
        for action, numbers in actions.items()
    }


def test_sources_and_periods_add_up_to_the_run(out, page):
    articles = list(open_output(out).articles())
    assert sum(row.articles for row in page.sources) == len(articles)
    assert sum(row.dropped for row in page.sources) == page.counts["dropped"]
    assert sum(row.characters for row in page.sources) == sum(len(article.raw) for article in articles)
    assert sum(row.removed for row in page.sources) == sum(len(a.raw) - len(a.cleaned) for a in articles)
    assert sum(period.kept for period in page.periods) + page.undated == page.counts["kept"]
    assert sum(period.dropped for period in page.periods) == page.counts["dropped"]


def test_a_group_is_a_survivor_and_what_repeats_it(page):
    largest = page.groups[0]
    assert largest.size == 12
    assert largest.survivor.source == "lens.example"
    assert largest.sources == {"lens.example": 11}
    assert largest.first.day == "2026-03-01"
    assert page.group_count == 13
    assert all(group.size == 2 for group in page.groups[1:])


def test_texts_flow_from_the_source_that_was_first(page):
    [flow] = page.flows
    assert (flow.origin, flow.printed_by, flow.articles, flow.dated) == ("wire.example", "courier.example", 12, 12)
    assert page.within_source == 11


def test_flows_without_dates_follow_those_with_dates():
    known = {
        ("x", number): Known(str(number), source, day)
        for number, (source, day) in enumerate([("wire", 1), ("post", 2), ("wire", None), ("post", 3), ("lens", None)])
    }
    drops = [(("x", 0), ("x", 1)), (("x", 2), ("x", 3)), (("x", 4), ("x", 3)), (("x", 9), ("x", 3))]
    flows, within = flows_between(drops, known)
    assert [(flow.origin, flow.printed_by, flow.articles, flow.dated) for flow in flows] == [
        ("wire", "post", 2, 1),
        ("post", "lens", 1, 0),
    ]
    assert within == 0


@pytest.mark.parametrize(("days", "name"), [(range(50), "1970-01-01"), (range(500), "1970-01"), (range(5000), "1970")])
def test_periods_are_days_months_or_years(days, name):
    periods = periods_of({day: [1, 2] for day in days})
    assert periods[0].name == name
    assert len(periods) <= 62
    assert sum(period.dropped for period in periods) == 2 * len(days)


def test_the_unusual_is_named(page):
    titles = [alarm.title for alarm in page.alarms]
    assert "lens.example lost most of its articles" in titles
    assert "12 articles are taken for copies of one" in titles
    assert any(title.startswith("repeated-block cuts far more from post.example") for title in titles)
    assert "1 record could not be read" in titles


def test_dropped_articles_with_other_numbers_are_counted(tmp_path):
    body = crawl_rows()[0]["text"]
    rows = [{"id": "a", "text": f"{body}\n\nThe price rose to 120 euros in a week, said the mayor of the town."}]
    rows += [
        {"id": "b", "text": f"Tarn. {body}\n\nThe price rose to 150 euros in a week, said the mayor of the town. Now."}
    ]
    out = clean_crawl(tmp_path, rows, threshold=0.7)
    if report_on_run(out).counts["dropped"]:  # a form with other facts is not dropped
        [alarm] = [alarm for alarm in report_on_run(out).alarms if "other numbers" in alarm.title]
        assert "120" in alarm.text
        assert "150" in alarm.text


def test_site_text_comes_from_its_own_table_where_there_is_one(page, tmp_path):
    [line] = page.site_text
    assert (line.host, line.line) == ("courier.example", "Sign up for the morning letter of the Courier.")
    assert line.articles > 20
    copy = clean_crawl(tmp_path, crawl_rows())
    rows = [{"host": "a.example", "text": "Follow us", "articles": 9, "share": 0.5}, {"host": None, "text": 3}]
    (copy / "site_text.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    [line] = report_on_run(copy).site_text
    assert (line.host, line.line, line.articles, line.share) == ("a.example", "Follow us", 9, 0.5)


def test_examples_have_the_removed_text_and_its_twin(out, page):
    articles = {article.id: article for article in open_output(out).articles()}
    rules = [group.rule for group in page.examples]
    assert {"near-duplicate-article", "duplicate-article", "repeated-block", "boilerplate"} <= set(rules)
    for group in page.examples:
        assert 1 <= len(group.examples) <= 6
        for example in group.examples:
            assert example.rule == group.rule
            words = "".join(piece.text for piece in example.text if piece.kind in {"equal", "differs"}).split()
            assert " ".join(words[:5]) in " ".join(articles[example.article.name].raw.split())
            assert example.twin is None or example.twin_text
    similarities = {
        example.choice: example.similarity
        for group in page.examples
        if group.rule == "near-duplicate-article"
        for example in reversed(group.examples)
    }
    assert similarities["most borderline"] < similarities["surest"]


def test_repairs_are_shown_by_kind(page):
    kinds = {(repair.rule, repair.kind): repair for repair in page.repairs}
    mojibake = kinds["encoding", "mojibake"]
    assert mojibake.count == mojibake.articles == 12
    assert "Ã©" in "".join(piece.text for piece in mojibake.before)
    assert "caf\u00e9" in "".join(piece.text for piece in mojibake.after)
    assert ("whitespace", "trailing space") in kinds


def test_the_curve_is_that_of_the_bands(page):
    curve = page.similarities
    assert (curve.bands, curve.rows) == (25, 5)
    assert curve.curve[80] == pytest.approx(curve.at_threshold) == pytest.approx(1 - (1 - 0.8**5) ** 25)
    assert curve.near == sum(curve.counts) == 12


# forms


@needs_libraries
def test_equal_outputs_give_equal_pages_that_verify_and_force_allow(tmp_path, out):
    other = clean_crawl(tmp_path, crawl_rows())
    for folder in (out, other):
        done = run_dedup(f"dedup report {folder}")
        assert (done.status, done.stdout) == (0, "")
        assert f"written to {folder}/report.html" in done.stderr
    assert (out / "report.html").read_bytes() == (other / "report.html").read_bytes()
    assert len((out / "report.html").read_bytes()) < 5_000_000
    assert run_dedup(f"dedup report {out} {other} -q") == (0, "", "")
    assert (other / "comparison.html").exists()
    assert run_dedup(f"dedup verify {other}").status == 0
    assert run_dedup(f"dedup clean {tmp_path / 'crawl.jsonl'} -o {other} --force -q").status == 0
    assert not (other / "report.html").exists()


def test_markdown_and_json_say_the_same_without_any_library(out, page, monkeypatch):
    monkeypatch.setattr(html_module, "find_spec", lambda _: None)
    shown = json.loads(run_dedup(f"dedup report {out} --json").stdout)
    assert shown["counts"] == page.counts
    assert [alarm["title"] for alarm in shown["alarms"]] == [alarm.title for alarm in page.alarms]
    markdown = run_dedup(f"dedup report {out} --md").stdout
    assert markdown == markdown_of(page)
    for alarm in page.alarms:
        assert escaped(alarm.title) in markdown
    done = run_dedup(f"dedup report {out}")
    assert done.status == 2
    assert done.stderr == (
        "dedup: error: a report as HTML needs jinja2; install the extra report: run pip install '.[report]' in a "
        "checkout of this project\n"
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_acts_as_markup_in_markdown(text):
    shown = escaped(text)
    assert "\n" not in shown
    assert visible(shown) == shown
    assert not re.search(r"(?<!\\)[<>|`*\[\]!]|\w://", shown)


class Elements(HTMLParser):
    """The names of the elements of a page, and of their attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = set()
        self.attributes = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}


@needs_libraries
def test_hostile_texts_stay_texts(tmp_path):
    out = clean_crawl(tmp_path, hostile_rows())
    page = report_on_run(out)
    assert run_dedup(f"dedup report {out} -q") == (0, "", "")
    text = (out / "report.html").read_text()
    assert len(text) < 5_000_000
    elements = Elements(text)
    assert elements.found.isdisjoint({"script", "img", "iframe", "link", "object", "form", "base"})
    assert not {name for name in elements.attributes if name.startswith("on")}
    assert not set(text) & set("\x00\x07\x1b\u202e\u202c\u2066\ud800")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "{{ 7 * 7 }}" in text
    assert not set(markdown_of(page)) & set("\x00\x07\x1b\u202e\u2066\ud800")
    assert run_dedup(f"dedup report {out} --json").status == 0


@needs_libraries
def test_articles_of_10_mb_make_a_small_page(tmp_path):
    out = write_long_articles(tmp_path / "out")
    assert run_dedup(f"dedup report {out} -q") == (0, "", "")
    text = (out / "report.html").read_text()
    assert len(text) < 1_000_000
    assert "Another beginning" in text
    assert len(markdown_of(report_on_run(out))) < 20_000


def test_an_output_without_findings_has_a_report(tmp_path):
    out = clean_crawl(tmp_path, [{"text": "One article with no finding at all."}])
    page = report_on_run(out)
    assert page.groups == page.flows == page.examples == page.repairs == page.periods == ()
    if HAS_REPORT:
        assert "No rule found anything" in html_module.html_of(page)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_output_without_articles_has_a_report(tmp_path, layout):
    (tmp_path / "out").mkdir()
    write_empty_tables(tmp_path / "out", Settings(format=layout[0], compress=layout[1]))
    page = report_on_run(tmp_path / "out")
    assert page.sources == page.alarms == ()
    assert "0 articles came in, 0 stay" in markdown_of(page)
    assert compare_runs(tmp_path / "out", tmp_path / "out").unchanged == 0
    if HAS_REPORT:
        assert html_module.html_of(page).count("<section") == 12


def test_a_page_is_not_written_over_a_table(out):
    for target, message in ((out / "articles.jsonl", "among the tables"), (out, "is a folder")):
        done = run_dedup(f"dedup report {out} -o {target}")
        if "needs jinja2" not in done.stderr:
            assert done.status == 2
            assert message in done.stderr
    assert (out / "articles.jsonl").stat().st_size > 1000


@needs_libraries
def test_a_page_takes_the_place_of_no_pipe_and_of_no_link(out, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link.html").symlink_to(tmp_path / "page.html")
    done = run_dedup(f"dedup report {out} -o {tmp_path / 'pipe'}")
    assert (done.status, "is no regular file" in done.stderr, (tmp_path / "pipe").is_fifo()) == (2, True, True)
    assert run_dedup(f"dedup report {out} -o {tmp_path / 'link.html'}").status == 0
    assert (tmp_path / "link.html").is_symlink()
    assert "<section" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_mistakes_are_one_line(out, tmp_path):
    assert "not an output of dedup" in run_dedup(f"dedup report {tmp_path} --md").stderr
    assert "choose one of them" in run_dedup(f"dedup report {out} --md --json").stderr


# two runs


def test_two_runs_are_compared(tmp_path):
    old = clean_crawl(tmp_path / "old", crawl_rows())
    new = clean_crawl(tmp_path / "new", crawl_rows(), threshold=0.97, rules={"boilerplate": "flag"})
    page = compare_runs(old, new)
    assert {change.name: (change.old, change.new) for change in page.settings} == {
        "threshold": ("0.8", "0.97"),
        "rules.boilerplate": ("drop", "flag"),
    }
    transitions = {(row.old, row.new): row.articles for row in page.transitions}
    assert transitions["dropped by near-duplicate-article", "kept"] == 12
    assert transitions["kept", "kept, with another text"] > 5
    counted = sum(transitions.values()) + page.unchanged
    assert counted == page.part.read == page.part.articles
    assert (page.only_old, page.only_new, page.other_text, page.inputs) == (0, 0, 0, ())
    edited = next(row for row in page.transitions if row.new == "kept, with another text").examples[0]
    assert "Sign up" in "".join(piece.text for piece in edited.new_text)
    assert compare_runs(old, old).transitions == ()
    if HAS_REPORT:
        shown = html_module.html_of(page)
        assert "rules.boilerplate" in shown
        assert Elements(shown).found.isdisjoint({"script"})
    assert "0.97" in markdown_of(page)


def test_articles_of_other_inputs_are_counted(tmp_path):
    rows = crawl_rows()
    old = clean_crawl(tmp_path / "old", rows)
    changed = [{**rows[0], "text": rows[0]["text"] + " More."}, *rows[1:-2]]
    new = clean_crawl(tmp_path / "new", changed)
    page = compare_runs(old, new)
    assert page.only_old == 2
    assert page.other_text == 1
    assert page.only_new == 0
    assert [change.name for change in page.inputs] == ["crawl.jsonl"]


def test_a_part_of_a_large_run_is_compared(tmp_path, monkeypatch):
    old = clean_crawl(tmp_path / "old", crawl_rows() * 5)
    new = clean_crawl(tmp_path / "new", crawl_rows() * 5, format="parquet")
    monkeypatch.setattr(compare, "READING_COST", 2_000_000)
    page = compare_runs(old, new)
    assert not page.part.is_whole
    assert 0 < page.part.read < page.part.articles
    assert page.unchanged == page.part.read
    assert page.only_new is None
    assert "Sampled" in markdown_of(page)
