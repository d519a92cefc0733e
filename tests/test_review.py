"""A review: rejected findings keep their texts, in every later run and when the output is written anew."""

from __future__ import annotations

import json
import multiprocessing
import random
import threading

import pytest
from helpers.command import run_dedup
from helpers.crawls import clean_crawl, crawl_rows, hostile_rows, write_crawl
from helpers.news import sentences
from helpers.outputs import write_sealed_run
from helpers.reviews import articles_of, decide, decide_on_finding, files_of

import dedup
from dedup.engines.local import LocalEngine
from dedup.findings import REVIEWED, first_evidence
from dedup.inspect.decision_targets import about_group, about_line, about_rule, about_survivor, text_of_article
from dedup.inspect.output import open_output
from dedup.review.decision_file import append_decisions, locked_decisions, read_decisions
from dedup.review.decisions import Decision, decisions_digest, in_force, make_decision
from dedup.write.replacement import FileOperations

CORPUS = {"profile": "corpus", "rules": {"page-furniture": "drop", "markup": "fix", "contained-article": "drop"}}


def rows_of_every_rule():
    """The articles of a crawl, and some that give findings of the rules that a crawl has none of."""
    rows = crawl_rows()
    shared = "\n\n".join(sentences(5000, 3))
    for number in range(3):
        own = sentences(5100 + number, 6)
        text = "\n\n".join([own[0], "Share on Facebook", *own[1:3], shared, *own[3:], own[2], f"<b>bold</b> {own[5]}"])
        rows.append({"id": f"own-{number}", "url": f"https://own.example/{number}", "text": text})
    long = "\n\n".join(sentences(5200, 12))
    rows.append(
        {"id": "long", "url": "https://long.example/1", "text": long + "\n\n" + "\n\n".join(sentences(5300, 30))}
    )
    rows.append({"id": "within", "url": "https://within.example/1", "text": long})
    rows.append({"id": "thin", "url": "https://long.example/2", "text": "Page not found"})
    return rows


@pytest.fixture(scope="module")
def crawl(tmp_path_factory):
    """A file of articles, the output of it, and its articles."""
    folder = tmp_path_factory.mktemp("review")
    out = clean_crawl(folder, rows_of_every_rule(), **CORPUS)
    return folder / "crawl.jsonl", out, articles_of(out)


def cleaned_again(crawl, tmp_path, settings=None):
    """The output of the crawl with the review in `tmp_path`, after it was verified."""
    source, _, _ = crawl
    dedup.clean(source, tmp_path / "again", dedup.Settings(**(settings or CORPUS)), review=tmp_path / "review.jsonl")
    assert dedup.verify(tmp_path / "again").mismatches == []
    return articles_of(tmp_path / "again")


def reviewed_copy(out, tmp_path):
    """A copy of an output, in which a review is made."""
    copy = tmp_path / "out"
    copy.mkdir()
    for path in out.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    return copy


def examples(articles):
    """One finding of each rule and action, with its article."""
    chosen = {}
    for article in articles.values():
        for finding in article.findings:
            chosen.setdefault((finding.rule, finding.action), (article, finding))
    return chosen


# what a decision does


def test_the_crawl_has_findings_of_all_rules(crawl):
    rules = {rule for rule, _ in examples(crawl[2])}
    assert rules == set(dedup.Settings().rules) - {"typography", "known-passage"}


def test_a_rejected_finding_only_flags_and_its_text_stays(crawl, tmp_path):
    _, out, articles = crawl
    copy = reviewed_copy(out, tmp_path)
    for article, finding in examples(articles).values():
        decide_on_finding(copy, article, finding)
    (tmp_path / "review.jsonl").write_bytes((copy / "review.jsonl").read_bytes())
    again = cleaned_again(crawl, tmp_path)
    for article, finding in examples(articles).values():
        after = again[article.key]
        found = [
            other
            for other in after.findings
            if other.rule == finding.rule
            and first_evidence(other) == finding.evidence
            and other.evidence != finding.evidence
            and finding.start <= other.start
            and other.stop <= finding.stop
        ]
        assert found, finding
        assert found[0].action == "flag"
        assert found[0].evidence.startswith(REVIEWED)
        assert after.kept
        if finding.action == "drop":
            inside = [
                edit
                for edit in after.findings
                if edit.action != "flag" and edit.start < finding.stop and finding.start < edit.stop
            ]
            assert finding.original == article.raw[finding.start : finding.stop]
            if not inside:
                assert finding.original.strip() in after.cleaned


def test_a_rejected_drop_brings_back_its_article_and_changes_nothing_else(crawl, tmp_path):
    _, out, articles = crawl
    copy = reviewed_copy(out, tmp_path)
    dropped = [article for article in articles.values() if not article.kept]
    back = dropped[:: len(dropped) // 5]
    for article in back:
        decide_on_finding(copy, article, article.dropped_by)
    report = dedup.apply_review(copy)
    again = articles_of(copy)
    assert dedup.verify(copy).mismatches == []
    assert report.counts["kept"] == sum(article.kept for article in articles.values()) + len(back)
    for key, article in articles.items():
        if article not in back:
            assert again[key].findings == article.findings
            assert again[key].cleaned == article.cleaned
    for article in back:
        after = again[article.key]
        assert after.kept
        assert after.raw == article.raw
        changes = [finding for finding in after.findings if finding.action != "flag"]
        assert changes or after.cleaned == article.raw  # byte for byte, but for what other rules change


def test_a_rejected_block_comes_back_with_the_repairs_that_it_had_covered(tmp_path):
    body = [f"{text} caf\u00c3\u00a9 " for text in sentences(1, 8)]
    out = clean_crawl(tmp_path, [{"id": "twice", "text": "\n\n".join(body + body)}])
    (article,) = articles_of(out).values()
    (block,) = [finding for finding in article.findings if finding.rule == "repeated-block"]
    decide_on_finding(out, article, block)
    dedup.apply_review(out)
    (after,) = articles_of(out).values()
    once = dedup.repair(article.raw)[0]
    assert after.cleaned == once
    assert dedup.verify(out).mismatches == []
    flag = next(finding for finding in after.findings if finding.rule == "repeated-block")
    assert (flag.action, flag.twin_start) == ("flag", block.twin_start)


@pytest.mark.parametrize("rule", ["encoding", "whitespace", "page-furniture", "markup"])
def test_a_rejected_change_of_the_text_leaves_it_byte_for_byte(crawl, tmp_path, rule):
    _, out, articles = crawl
    copy = reviewed_copy(out, tmp_path)
    changes = {name: value for (name, action), value in examples(articles).items() if action != "flag"}
    article, finding = changes[rule]
    decide_on_finding(copy, article, finding)
    dedup.apply_review(copy)
    after = articles_of(copy)[article.key]
    assert after.cleaned == dedup.apply(article.raw, [each for each in article.findings if each != finding])
    assert article.raw[finding.start : finding.stop] in after.cleaned


def test_a_line_of_site_text_stays_in_one_article_or_in_all(crawl, tmp_path):
    _, out, articles = crawl
    output = open_output(out)
    rows = list(output.site_text())
    number, row = next((number, row) for number, row in enumerate(rows) if row.dropped > 3)
    holders = [
        article
        for article in articles.values()
        if any(f.rule == "boilerplate" and f.action == "drop" and f.twin_record == number for f in article.findings)
    ]
    alone = reviewed_copy(out, tmp_path)
    finding = next(finding for finding in holders[0].findings if finding.rule == "boilerplate")
    decide_on_finding(alone, holders[0], finding)
    dedup.apply_review(alone)
    after = articles_of(alone)
    assert row.text in after[holders[0].key].cleaned
    assert all(row.text not in after[article.key].cleaned for article in holders[1:] if after[article.key].kept)
    assert dedup.verify(alone).mismatches == []
    decide(alone / "review.jsonl", "reject", **about_line(row))
    dedup.apply_review(alone)
    after = articles_of(alone)
    assert all(row.text in after[article.key].cleaned for article in holders if after[article.key].kept)
    assert dedup.verify(alone).mismatches == []
    decide_on_finding(
        alone, holders[1], next(f for f in after[holders[1].key].findings if f.rule == "boilerplate"), "accept"
    )
    dedup.apply_review(alone)
    after = articles_of(alone)
    assert row.text not in after[holders[1].key].cleaned
    assert dedup.verify(alone).mismatches == []


def test_a_rule_can_be_rejected_for_one_host(crawl, tmp_path):
    _, out, articles = crawl
    copy = reviewed_copy(out, tmp_path)
    for rule in ("repeated-block", "near-duplicate-article", "boilerplate"):
        for host in ("post.example", "courier.example"):
            decide(copy / "review.jsonl", "reject", **about_rule(rule, host))
    dedup.apply_review(copy)
    assert dedup.verify(copy).mismatches == []
    rejected, others = 0, 0
    for article in articles_of(copy).values():
        of_host = article.id.startswith(("post", "courier"))
        for finding in article.findings:
            if finding.rule in {"repeated-block", "near-duplicate-article", "boilerplate"}:
                rejected += of_host
                assert not of_host or (finding.action, finding.evidence.startswith(REVIEWED)) == ("flag", True)
            others += finding.action == "drop" and not of_host
    assert rejected > 20
    assert others
    before = sum(finding.rule == "repeated-block" for article in articles.values() for finding in article.findings)
    assert before


def test_a_group_comes_back_as_a_whole(crawl, tmp_path):
    _, out, articles = crawl
    copy = reviewed_copy(out, tmp_path)
    members = [
        article for article in articles.values() if not article.kept and article.dropped_by.twin == "lens.example-3"
    ]
    survivor = next(article for article in articles.values() if article.id == "lens.example-3")
    assert len(members) > 3
    decide(copy / "review.jsonl", "reject", **about_group(survivor, map(text_of_article, members)))
    decide_on_finding(copy, members[0], members[0].dropped_by, "accept")
    dedup.apply_review(copy)
    after = articles_of(copy)
    assert [after[article.key].kept for article in members] == [False] + [True] * (len(members) - 1)
    assert dedup.verify(copy).mismatches == []


def test_another_article_survives_its_group(crawl, tmp_path):
    _, out, articles = crawl
    copy = reviewed_copy(out, tmp_path)
    dropped = next(
        article for article in articles.values() if not article.kept and article.dropped_by.rule.startswith("near")
    )
    survivor = next(article for article in articles.values() if article.id == dropped.dropped_by.twin)
    decide(copy / "review.jsonl", "prefer", **about_survivor(dropped, survivor))
    dedup.apply_review(copy)
    after = articles_of(copy)
    assert after[dropped.key].kept
    assert not after[survivor.key].kept
    assert after[survivor.key].dropped_by.twin == dropped.id
    assert dedup.verify(copy).mismatches == []


# found again


def test_decisions_are_found_in_other_files_orders_and_under_other_ids(crawl, tmp_path):
    _, out, articles = crawl
    copy = reviewed_copy(out, tmp_path)
    dropped = next(article for article in articles.values() if not article.kept and article.id.startswith("courier"))
    fixed = next(article for article in articles.values() for f in article.findings if f.rule == "encoding")
    decide_on_finding(copy, dropped, dropped.dropped_by)
    decide_on_finding(copy, fixed, next(f for f in fixed.findings if f.rule == "encoding"))
    rows = [{**row, "id": f"new-{row['id']}"} for row in rows_of_every_rule()]
    random.Random(5).shuffle(rows)
    for number, row in enumerate(rows):
        row["date"] = f"2026-04-{1 + number % 28:02d}"
    source = write_crawl(tmp_path / "other.jsonl", rows)
    dedup.clean(source, tmp_path / "new", dedup.Settings(**CORPUS), review=copy / "review.jsonl")
    after = {article.id: article for article in articles_of(tmp_path / "new").values()}
    assert after[f"new-{dropped.id}"].kept
    assert fixed.raw in {article.raw for article in after.values()}
    assert "caf\u00c3\u00a9" in after[f"new-{fixed.id}"].cleaned
    run = json.loads((tmp_path / "new" / "run.json").read_text())
    assert run["stages"]["find reviewed texts"] == {"articles": 2, "articles_found": 2}


def test_a_finding_is_found_under_its_id_where_the_article_has_changed(tmp_path):
    text = "\n\n".join(["The cafÃ© is open.", *sentences(1, 4)])
    out = clean_crawl(tmp_path, [{"id": "a", "text": text}])
    (article,) = articles_of(out).values()
    decide_on_finding(out, article, article.findings[0])
    rows = [{"id": "a", "text": f"Updated.\n\n{text}"}, {"id": "b", "text": f"{text[:15]}\n\n{sentences(9, 1)[0]}"}]
    dedup.clean(write_crawl(tmp_path / "new.jsonl", rows), tmp_path / "new", review=out / "review.jsonl")
    after = {article.id: article for article in articles_of(tmp_path / "new").values()}
    assert "cafÃ©" in after["a"].cleaned
    assert "café" in after["b"].cleaned


def test_equal_texts_are_told_apart_by_their_ids(tmp_path):
    text = "\n\n".join(sentences(1, 6))
    out = clean_crawl(tmp_path, [{"id": name, "text": text} for name in "abc"])
    articles = articles_of(out)
    dropped = next(article for article in articles.values() if article.id == "c")
    decide_on_finding(out, dropped, dropped.dropped_by)
    dedup.apply_review(out)
    assert {article.id: article.kept for article in articles_of(out).values()} == {"a": True, "b": False, "c": True}


@pytest.mark.slow
@pytest.mark.parametrize(
    "layout", [{"format": "parquet"}, {"compress": "zst"}, {"format": "csv"}, {"shard_size": 20_000}]
)
def test_an_output_written_anew_is_the_one_that_clean_writes_from_the_input(crawl, tmp_path, layout):
    source = crawl[0]
    settings = {**CORPUS, **layout, "keep": "earliest"}
    dedup.clean(source, tmp_path / "out", dedup.Settings(**settings))
    for article, finding in examples(articles_of(tmp_path / "out")).values():
        decide_on_finding(tmp_path / "out", article, finding)
    review = (tmp_path / "out" / "review.jsonl").read_bytes()
    (tmp_path / "review.jsonl").write_bytes(review)
    dedup.apply_review(tmp_path / "out")
    cleaned_again(crawl, tmp_path, settings)
    assert files_of(tmp_path / "out") == files_of(tmp_path / "again")
    assert (tmp_path / "out" / "review.jsonl").read_bytes() == review
    dedup.apply_review(tmp_path / "out")  # once more changes nothing
    assert files_of(tmp_path / "out") == files_of(tmp_path / "again")


def test_inputs_of_all_kinds_are_read_back_from_an_output(tmp_path):
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_bytes("One caf\u00e9.\r\n\r\nTwo.  ".encode("cp1252"))
    (folder / "sub" / "b.txt").write_bytes("\ufeffStarts with a mark.\n\nEnds \u2028 so.".encode())
    rows = [
        {"id": 1, "body": ["A list of", "paragraphs  here."], "provenance": {"from": "elsewhere"}},
        {"n": 1.50, "text": "  ", "x": None},
        {"id": "s", "text": "a lone \ud800 surrogate"},
        {"content": {"text": "no such path"}, "title": "T", "text": "<p>some markup</p> here"},
    ]
    (folder / "c.jsonl").write_text("\n".join([*map(json.dumps, rows), "", "{broken", "[1]"]))
    (folder / "d.csv").write_bytes("id,text\n7,caf\u00e9 au lait\n8,\n".encode("cp1252"))
    (folder / "e.jsonl").write_bytes(b'{"id": "l", "text": "caf\xe9"}\n\xff\xfe\x00\n')
    dedup.clean(folder, tmp_path / "out", dedup.Settings(max_bad=1))
    before = files_of(tmp_path / "out")
    (tmp_path / "out" / "review.jsonl").write_text("")
    dedup.apply_review(tmp_path / "out")
    after = files_of(tmp_path / "out")
    run = json.loads(after["run.json"])
    assert run.pop("review") == {"decisions": 0, "sha256": decisions_digest([])}
    assert run["stages"].pop("find reviewed texts") == {"articles": 0, "articles_found": 0}
    earlier = json.loads(before["run.json"])
    assert run.pop("sha256") != earlier.pop("sha256")
    assert {**after, "run.json": run} == {**before, "run.json": earlier}


def test_pages_are_read_back_from_an_output(tmp_path):
    pytest.importorskip("trafilatura")
    (tmp_path / "in").mkdir()
    for number in range(2):
        body = "".join(f"<p>{text}</p>" for text in sentences(number, 12))
        head = f"<!DOCTYPE html><html><head><title>Title {number}</title></head>"
        page = f"{head}<body><article>{body}</article></body></html>"
        (tmp_path / "in" / f"page{number}.html").write_text(page)
        with (tmp_path / "in" / "pages.jsonl").open("a") as file:
            file.write(json.dumps({"url": f"https://a.example/{number}", "text": page}) + "\n")
    dedup.clean(tmp_path / "in", tmp_path / "out")
    before = files_of(tmp_path / "out")
    (tmp_path / "out" / "review.jsonl").write_text("")
    dedup.apply_review(tmp_path / "out")
    after = files_of(tmp_path / "out")
    assert b"extracted_from" in after["articles.jsonl"]
    assert {name: data for name, data in after.items() if name != "run.json"} == {
        name: data for name, data in before.items() if name != "run.json"
    }


def test_neither_processes_nor_batches_change_a_reviewed_output(crawl, tmp_path, monkeypatch):
    source, out, articles = crawl
    copy = reviewed_copy(out, tmp_path)
    for article, finding in examples(articles).values():
        decide_on_finding(copy, article, finding)
    settings, review = dedup.Settings(**CORPUS), copy / "review.jsonl"
    dedup.clean(source, tmp_path / "one", settings, engine=LocalEngine(jobs=1), review=review)
    monkeypatch.setattr(LocalEngine, "batch_bytes", 20_000)
    monkeypatch.setattr("dedup.engines.local.SMALL_BYTES", 1)
    dedup.clean(source, tmp_path / "two", settings, engine=LocalEngine(jobs=2), review=review)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")


# the file


def test_undo_takes_back_a_decision_and_may_be_undone():
    one = make_decision("reject", **about_rule("boilerplate", "a.example"))
    two = make_decision("accept", **about_rule("boilerplate", "a.example"))
    undo = make_decision("undo", about="decision", undoes=two.id)
    redo = make_decision("undo", about="decision", undoes=undo.id)
    assert in_force([one, two]) == [two]
    assert in_force([one, two, undo]) == [one]
    assert in_force([one, two, undo, redo]) == [two]


def test_an_undone_rejection_drops_the_article_again(crawl, tmp_path):
    _, out, articles = crawl
    copy = reviewed_copy(out, tmp_path)
    dropped = next(article for article in articles.values() if not article.kept)
    made = decide_on_finding(copy, dropped, dropped.dropped_by)
    dedup.apply_review(copy)
    assert articles_of(copy)[dropped.key].kept
    decide(copy / "review.jsonl", "undo", about="decision", undoes=made.id)
    dedup.apply_review(copy)
    assert not articles_of(copy)[dropped.key].kept
    tables = [name for name in files_of(out) if name != "run.json"]
    assert {name: files_of(copy)[name] for name in tables} == {name: files_of(out)[name] for name in tables}


def _append_many(path, name):
    for number in range(40):
        append_decisions(
            path, lambda _, number=number: [make_decision("accept", **about_rule("boilerplate", f"{name}-{number}"))]
        )


@pytest.mark.slow
def test_writers_lose_none_of_each_others_decisions(tmp_path):
    path = tmp_path / "review.jsonl"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_append_many, args=(path, name)) for name in "ab"]
    writers.append(threading.Thread(target=_append_many, args=(path, "c")))
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    rows = read_decisions(path).rows
    assert sorted(row.host for row in rows) == sorted(f"{name}-{number}" for name in "abc" for number in range(40))


def test_a_decision_that_waits_while_the_output_is_replaced_goes_into_the_new_one(crawl, tmp_path):
    copy = reviewed_copy(crawl[1], tmp_path)
    path = copy / "review.jsonl"
    decide(path, "accept", **about_rule("boilerplate", "a.example"))
    with locked_decisions(path):
        writer = threading.Thread(target=_append_many, args=(path, "w"))
        writer.start()
        (tmp_path / "new").mkdir()
        (tmp_path / "new" / "review.jsonl").write_bytes(path.read_bytes())
        if not FileOperations().exchange(copy, tmp_path / "new"):
            pytest.skip("this file system cannot exchange two folders")
    writer.join()
    assert len(read_decisions(path).rows) == 41
    assert len(read_decisions(tmp_path / "new" / "review.jsonl").rows) == 1


def test_a_file_without_its_last_line_end_is_continued(tmp_path):
    path = tmp_path / "review.jsonl"
    decide(path, "accept", **about_rule("boilerplate", "a.example"))
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    decide(path, "accept", **about_rule("boilerplate", "b.example"))
    assert [row.host for row in read_decisions(path).rows] == ["a.example", "b.example"]


def test_cleaning_again_by_force_keeps_the_review(crawl, tmp_path):
    copy = reviewed_copy(crawl[1], tmp_path)
    decide(copy / "review.jsonl", "accept", **about_rule("boilerplate", "a.example"))
    review = (copy / "review.jsonl").read_bytes()
    dedup.clean(crawl[0], copy, force=True)
    assert (copy / "review.jsonl").read_bytes() == review
    assert dedup.verify(copy).mismatches == []


GOOD = {"id": "1", "time": "", "decision": "reject", "about": "rule", "rule": "boilerplate", "host": "a"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "review.jsonl:2: not JSON"),
        ("[]", "review.jsonl:2: not a decision"),
        (json.dumps({**GOOD, "decision": "maybe"}), "review.jsonl:2: not a decision"),
        (json.dumps({**GOOD, "decision": "undo"}), "undo of a rule: there is no such decision"),
        (json.dumps({**GOOD, "host": None}), "a decision about a rule needs host"),
        (json.dumps({**GOOD, "rule": "boilerplat"}), "there is no rule 'boilerplat'; did you mean 'boilerplate'?"),
    ],
)
def test_a_line_that_is_no_decision_is_an_error_of_one_line(crawl, tmp_path, line, message):
    (tmp_path / "review.jsonl").write_text(json.dumps(GOOD) + "\n" + line + "\n")
    done = run_dedup(f"dedup clean {crawl[0]} -o {tmp_path}/new --review {tmp_path}/review.jsonl -q")
    assert done.status == 2
    assert done.stderr.count("\n") == 1
    assert message in done.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("clean {source} -o {folder}/new --review {folder}/none.jsonl", "none.jsonl: there is no such file"),
        (
            "clean {source} -o {folder}/new --review {folder}/r.jsonl --engine spark",
            "--review: works with the local engine only",
        ),
        ("apply-review {folder}", "is not an output of dedup"),
        ("apply-review {out}", "review.jsonl: there is no such file; review an output first"),
    ],
)
def test_what_cannot_be_honoured_is_an_error_of_one_line(crawl, tmp_path, command, message):
    if "spark" in command:
        pytest.importorskip("pyspark")
    (tmp_path / "r.jsonl").write_text("")
    done = run_dedup("dedup " + command.format(source=crawl[0], folder=tmp_path, out=crawl[1]))
    assert (done.status, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr


def test_an_output_without_all_fields_is_not_written_anew(crawl, tmp_path):
    dedup.clean(crawl[0], tmp_path / "out", dedup.Settings(output_fields=("id",)))
    (tmp_path / "out" / "review.jsonl").write_text("")
    done = run_dedup(f"dedup apply-review {tmp_path}/out")
    assert done.status == 2
    assert "--output-fields" in done.stderr


def test_a_turned_down_finding_needs_a_review_in_the_run(crawl, tmp_path):
    _, out, articles = crawl
    copy = reviewed_copy(out, tmp_path)
    dropped = next(article for article in articles.values() if not article.kept)
    decide_on_finding(copy, dropped, dropped.dropped_by)
    dedup.apply_review(copy)
    run = json.loads((copy / "run.json").read_text())
    assert run["review"]["decisions"] == 1
    del run["review"]
    write_sealed_run(copy, run)
    assert "names no review" in dedup.verify(copy).mismatches[0].what


def test_hostile_texts_can_be_decided_about(tmp_path):
    out = clean_crawl(tmp_path, hostile_rows())
    articles = articles_of(out)
    for article in articles.values():
        for finding in article.findings:
            decide_on_finding(out, article, finding)
    dedup.apply_review(out)
    after = articles_of(out)
    assert all(article.kept for article in after.values())
    for article in articles.values():
        turned_down = sum((f.evidence or "").startswith(REVIEWED) for f in after[article.key].findings)
        assert turned_down == len(article.findings)
    assert dedup.verify(out).mismatches == []


def test_rows_can_be_read_by_any_program(tmp_path):
    made = decide(tmp_path / "review.jsonl", "reject", **about_rule("boilerplate", "a.example"))
    (row,) = map(json.loads, (tmp_path / "review.jsonl").read_text().splitlines())
    assert row == {
        "id": made.id,
        "time": made.time,
        "by": "ana",
        "why": "seen",
        "decision": "reject",
        "about": "rule",
        "rule": "boilerplate",
        "host": "a.example",
    }
    assert isinstance(made, Decision)


def test_decisions_are_answers_for_tune(crawl, tmp_path):
    source, out, articles = crawl
    copy = reviewed_copy(out, tmp_path)
    near = [article for article in articles.values() if not article.kept and article.dropped_by.rule.startswith("near")]
    assert len(near) > 5
    for number, article in enumerate(near):
        decide_on_finding(copy, article, article.dropped_by, "reject" if number == 0 else "accept")
    labels = tmp_path / "labels.jsonl"
    done = run_dedup(f"dedup tune {source} --report --json -q --to 1 --labels {labels} --review {copy}/review.jsonl")
    assert done.status == 0, done
    result = json.loads(done.stdout)
    assert result["labels"] == len(near)
    assert sum(each["same"] for each in result["bins"]) == len(near) - 1
    assert not labels.exists()
    assert run_dedup(f"dedup tune {source} --report -q --labels {labels}").status == 2  # nothing is answered without it


def test_an_output_that_was_compared_with_another_corpus_is_not_written_anew(tmp_path):
    known, new = tmp_path / "known.jsonl", tmp_path / "new.jsonl"
    known.write_text(json.dumps({"text": "A story that is known already, word by word."}) + "\n")
    new.write_text(known.read_text())
    dedup.clean(new, tmp_path / "out", against=known)
    with pytest.raises(dedup.OutputError, match="`against`"):
        dedup.apply_review(tmp_path / "out")
    dedup.clean(new, tmp_path / "other", index=tmp_path / "index")
    with pytest.raises(dedup.OutputError, match="`index`"):
        dedup.apply_review(tmp_path / "other")


def test_an_article_with_a_known_passage_can_be_turned_down(tmp_path):
    known, new, again = tmp_path / "known.jsonl", tmp_path / "new.jsonl", tmp_path / "again"
    passage = " ".join(sentences(1, 3))
    known.write_text(json.dumps({"text": passage}) + "\n")
    new.write_text("".join(json.dumps({"text": f"{' '.join(sentences(seed, 9))} {passage}"}) + "\n" for seed in (2, 3)))
    settings = dedup.Settings(rules={"known-passage": "drop"})
    dedup.clean(new, tmp_path / "out", settings, against=known)
    first, second = articles_of(tmp_path / "out").values()
    assert {first.dropped_by.rule, second.dropped_by.rule} == {"known-passage"}
    decide_on_finding(tmp_path / "out", first, first.dropped_by)
    dedup.clean(new, again, settings, against=known, review=tmp_path / "out" / "review.jsonl")
    first, second = articles_of(again).values()
    assert (first.kept, second.kept) == (True, False)
    assert first.cleaned == first.raw
    assert dedup.verify(again).mismatches == []
