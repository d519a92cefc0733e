"""The whole job with files: its outputs, and that they do not depend on how the job runs."""

from __future__ import annotations

import gzip
import hashlib
import json

import pytest
from conftest import read_jsonl, write_jsonl
from helpers.news import bytes_of, news, sentences
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup
from dedup import LocalEngine, OutputError, RecordError, Settings, SettingsError
from dedup.inspect.verify import verify

TABLES = ["articles.jsonl", "dropped.jsonl", "provenance.jsonl", "quarantine.jsonl", "site_text.jsonl", "run.json"]


def run(tmp_path, inputs, name="out", engine=None, **options):
    """Clean `inputs` into the folder `name`, and return the folder and the report."""
    out = tmp_path / name
    report = dedup.clean(inputs, out, Settings(**options), engine=engine or LocalEngine(jobs=1))
    return out, report


def test_the_first_sample_article_loses_its_second_body_and_nothing_else(tmp_path, corpus):
    out, report = run(tmp_path, corpus)
    rows = {row["id"]: row for row in read_jsonl(out / "articles.jsonl")}
    raw = (corpus / "000_47e8d8cd22c70bfd.txt").read_text(encoding="utf-8")
    paragraphs = [part for part in raw.split("\n") if part.strip()]
    assert paragraphs[4:22] == paragraphs[22:40]
    cleaned = [part for part in rows["000_47e8d8cd22c70bfd"]["text"].split("\n") if part.strip()]
    assert cleaned == [part.rstrip() for part in paragraphs[:22]]
    other = (corpus / "002_4cdbe91f233f5d7c.txt").read_text(encoding="utf-8")
    assert rows["002_4cdbe91f233f5d7c"]["text"].split() == other.split()
    drops = [row for row in read_jsonl(out / "provenance.jsonl") if row["action"] == "drop"]
    assert [(row["rule"], row["similarity"]) for row in drops] == [("repeated-block", 1.0)]
    assert (
        raw[drops[0]["start"] : drops[0]["stop"]].split() == raw[drops[0]["twin_start"] : drops[0]["twin_stop"]].split()
    )
    assert report.counts["kept"] == 2


def test_the_tables_of_an_output_agree_with_the_input_and_with_each_other(tmp_path):
    rows = news()
    source = write_jsonl(tmp_path / "in" / "news.jsonl", [*rows, {"id": "bad", "text": 5}])
    out, report = run(tmp_path, source)
    assert sorted(path.name for path in out.iterdir()) == sorted([*TABLES, "run.log.json"])
    articles, dropped = read_jsonl(out / "articles.jsonl"), read_jsonl(out / "dropped.jsonl")
    findings, quarantine = read_jsonl(out / "provenance.jsonl"), read_jsonl(out / "quarantine.jsonl")
    given = {row["id"]: row for row in rows}
    assert {row["id"] for row in articles} | {row["id"] for row in dropped} == set(given)
    assert articles
    assert dropped
    for row in articles + dropped:
        provenance = row["provenance"]
        raw = given[row["id"]]["text"]
        of_article = [finding for finding in findings if finding["record"] == provenance["record"]]
        assert list(row) == ["id", "n", "text", "url", "provenance"]
        assert provenance["source"] == "news.jsonl"
        assert provenance["sha256"] == hashlib.sha256(raw.encode()).hexdigest()
        assert provenance["findings"] == len(of_article)
        if "twin" in provenance:
            assert row["text"] == raw
            assert [finding["action"] for finding in of_article] == ["drop"]
            [drop] = of_article
            assert (drop["start"], drop["stop"], drop["original"]) == (0, len(raw), raw)
            assert all(provenance[name] == drop[name] for name in ("rule", "twin", "similarity"))
        else:
            assert dedup.apply(raw, of_article) == row["text"]
            assert dedup.revert(row["text"], of_article) == raw
    keys = [(finding["record"], finding["start"]) for finding in findings]
    assert keys == sorted(keys)
    assert [(row["source"], row["record"], row["encoding"]) for row in quarantine] == [("news.jsonl", 60, "utf-8")]
    assert json.loads(quarantine[0]["raw"]) == {"id": "bad", "text": 5}
    run_file = json.loads((out / "run.json").read_text())
    assert run_file["counts"] == report.counts
    assert run_file["inputs"][0]["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert run_file["fields"]["text"] == {"text": 60}
    assert str(tmp_path) not in (out / "run.json").read_text()
    rules = {(finding["rule"], finding["action"]) for finding in findings}
    assert {
        ("encoding", "fix"),
        ("whitespace", "fix"),
        ("repeated-block", "drop"),
        ("near-duplicate-article", "drop"),
        ("boilerplate", "drop"),
        ("shared-paragraph", "flag"),
    } <= rules


def test_every_drop_is_justified_by_text_that_stays(tmp_path):
    source = write_jsonl(tmp_path / "news.jsonl", news())
    out, _ = run(tmp_path, source, profile="corpus")
    kept = {row["provenance"]["record"]: row for row in read_jsonl(out / "articles.jsonl")}
    raws = {n: row["text"] for n, row in enumerate(news())}
    findings = read_jsonl(out / "provenance.jsonl")
    drops = [finding for finding in findings if finding["action"] == "drop" and finding["twin"] is not None]
    assert len(drops) > 20
    site_text = read_jsonl(out / "site_text.jsonl")
    for drop in drops:
        if drop["rule"] == "boilerplate":
            row = site_text[drop["twin_record"]]
            assert drop["original"].strip() == row["text"]
            assert raws[row["record"]][row["start"] : row["stop"]] == row["text"]
            continue
        assert drop["twin_record"] in kept
        assert drop["similarity"] >= 0.8
        raw = raws[drop["twin_record"]]
        twin_start, twin_stop = drop["twin_start"], drop["twin_stop"]
        assert raw[twin_start:twin_stop]
        for other in findings:
            if other["record"] == drop["twin_record"] and other["action"] == "drop":
                is_apart = other["stop"] <= twin_start or other["start"] >= twin_stop
                assert is_apart or (twin_start, twin_stop) == (0, len(raw))


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2, 3])
@pytest.mark.parametrize("batch_bytes", [300, 5_000, 1 << 22])
def test_jobs_and_batch_size_change_no_byte(tmp_path, monkeypatch, jobs, batch_bytes):
    source = write_jsonl(tmp_path / "news.jsonl", news())
    expected, _ = run(tmp_path, source, "one")
    monkeypatch.setattr(LocalEngine, "batch_bytes", batch_bytes)
    monkeypatch.setattr("dedup.engines.local.SMALL_BYTES", 0 if jobs > 1 else 1 << 30)
    out, _ = run(tmp_path, source, "two", LocalEngine(jobs=jobs))
    assert bytes_of(out) == bytes_of(expected)


@pytest.mark.parametrize(
    "options",
    [
        {"keep": "earliest", "date_field": "seen"},
        {"keep": "latest", "text_field": "url", "source_field": "url", "on_error": "fail"},
        {"profile": "lossless"},
        {"rules": dict.fromkeys(("near-duplicate-article", "shared-paragraph", "contained-article"), "off")},
    ],
)
def test_several_processes_need_no_more_of_the_records_than_one(tmp_path, monkeypatch, options):
    write_jsonl(tmp_path / "news.jsonl", [{**row, "seen": row["n"], "date": row["n"]} for row in news()])
    outputs = []
    for jobs, small in ((1, 1 << 30), (2, 0)):
        monkeypatch.setattr("dedup.engines.local.SMALL_BYTES", small)
        dedup.clean(tmp_path / "news.jsonl", tmp_path / str(jobs), Settings(**options), engine=LocalEngine(jobs=jobs))
        outputs.append([(tmp_path / str(jobs) / name).read_bytes() for name in TABLES])
    assert outputs[0] == outputs[1]


def test_stages_over_the_whole_corpus_report_their_progress(tmp_path, monkeypatch):
    monkeypatch.setattr("dedup.engines.local.SMALL_BYTES", 0)
    write_jsonl(tmp_path / "news.jsonl", news())
    reports = {}
    dedup.clean(
        tmp_path / "news.jsonl",
        tmp_path / "out",
        engine=LocalEngine(jobs=2),
        progress=lambda stage, *at: reports.setdefault(stage, []).append(at),
    )
    size = (tmp_path / "news.jsonl").stat().st_size
    for stage in ("match articles", "match paragraphs"):
        steps = [done for done, total in reports[stage] if total]
        assert steps == sorted(steps)
        assert steps[-1] == size
        assert len(set(steps)) > 5


def test_the_division_into_files_does_not_change_the_result(tmp_path):
    rows = news()
    whole, _ = run(tmp_path, write_jsonl(tmp_path / "a" / "news.jsonl", rows), "one")
    for number in range(0, 60, 7):
        write_jsonl(tmp_path / "b" / f"{number:02d}.jsonl", rows[number : number + 7])
    parts, _ = run(tmp_path, tmp_path / "b", "two")
    texts = [[(row["id"], row["text"]) for row in read_jsonl(out / "articles.jsonl")] for out in (whole, parts)]
    assert texts[0] == texts[1]
    twins = [
        [(row["id"], row["provenance"]["twin"]) for row in read_jsonl(out / "dropped.jsonl")] for out in (whole, parts)
    ]
    assert twins[0] == twins[1]


def test_cleaning_an_output_again_changes_no_text(tmp_path):
    out, _ = run(tmp_path, write_jsonl(tmp_path / "news.jsonl", news()), "one")
    again, report = run(tmp_path, out, "two")
    assert report.counts["dropped"] == 0
    before, after = read_jsonl(out / "articles.jsonl"), read_jsonl(again / "articles.jsonl")
    assert [row["text"] for row in after] == [row["text"] for row in before]
    assert [row["provenance"]["previous"] for row in after] == [row["provenance"] for row in before]


def test_lossless_changes_no_text_and_drops_nothing(tmp_path):
    rows = news()
    out, report = run(tmp_path, write_jsonl(tmp_path / "news.jsonl", rows), profile="lossless")
    assert [row["text"] for row in read_jsonl(out / "articles.jsonl")] == [row["text"] for row in rows]
    assert {action for _, action in report.tally.findings} == {"flag"}
    assert report.changes == 0
    assert len({rule for rule, _ in report.tally.findings}) >= 6


def test_every_rule_can_be_off(tmp_path):
    source = write_jsonl(tmp_path / "news.jsonl", [*news(), {"id": "again", "text": news()[0]["text"]}])
    off = dict.fromkeys(Settings().rules, "off")
    out, report = run(tmp_path, source, rules=off)
    assert report.tally.findings == {}
    texts = [row["text"] for row in news()]
    assert [row["text"] for row in read_jsonl(out / "articles.jsonl")] == [*texts, texts[0]]


def test_equal_articles_are_duplicates_whatever_the_near_duplicate_rule_does(tmp_path):
    long = sentences(5, 12)
    near = [*long[:-1], "Another end."]
    rows = [{"id": name, "text": " ".join(text)} for name, text in [("e", long), ("a", near), ("d", near)]]
    source = write_jsonl(tmp_path / "news.jsonl", rows)
    for action, kept in [("drop", ["e"]), ("flag", ["e", "a"]), ("off", ["e", "a"])]:
        out, _ = run(tmp_path, source, action, rules={"near-duplicate-article": action})
        assert [row["id"] for row in read_jsonl(out / "articles.jsonl")] == kept, action
        dropped = {row["id"]: row["provenance"] for row in read_jsonl(out / "dropped.jsonl")}
        if action != "drop":
            assert (dropped["d"]["rule"], dropped["d"]["twin"]) == ("duplicate-article", "a")


def test_the_twin_of_a_paragraph_dropped_within_its_article_is_not_dropped_itself(tmp_path):
    words = sentences(8, 1, 40)[0].rstrip(".").split()
    one, two, three = words, [*words[:-1], "changed"], [*words[:-2], "twice", "changed"]
    fillers = sentences(9, 6, 30)
    rows = [
        {"id": "a", "text": "\n\n".join([fillers[0], " ".join(one), fillers[1]])},
        {
            "id": "b",
            "text": "\n\n".join([fillers[2], " ".join(two), fillers[3], fillers[4], " ".join(three), fillers[5]]),
        },
    ]
    out, _ = run(tmp_path, write_jsonl(tmp_path / "news.jsonl", rows), profile="corpus")
    drops = [row for row in read_jsonl(out / "provenance.jsonl") if row["action"] == "drop"]
    assert [row["rule"] for row in drops] == ["repeated-paragraph"]
    assert verify(out).mismatches == []


def test_boilerplate_loses_every_copy_and_is_kept_once_as_site_text(tmp_path):
    line = "Sign up for our newsletter to read more stories like this."
    out, _ = run(tmp_path, write_jsonl(tmp_path / "news.jsonl", news()))
    assert not [row["id"] for row in read_jsonl(out / "articles.jsonl") if line in row["text"]]
    findings = [row for row in read_jsonl(out / "provenance.jsonl") if row["rule"] == "boilerplate"]
    rows = read_jsonl(out / "site_text.jsonl")
    assert {(finding["twin"], rows[finding["twin_record"]]["text"]) for finding in findings} >= {
        (row["host"] or "", line) for row in rows if row["text"] == line
    }
    assert all("articles of a" in finding["evidence"] for finding in findings)


@pytest.mark.parametrize("compress", ["none", "gz", "zst"])
def test_compressed_inputs_and_outputs_hold_the_same(tmp_path, compress):
    rows = news(count=20)
    plain = write_jsonl(tmp_path / "plain" / "news.jsonl", rows)
    packed = tmp_path / "packed" / "news.jsonl.gz"
    packed.parent.mkdir()
    half = len(plain.read_bytes()) // 2
    members = (plain.read_bytes()[:half], plain.read_bytes()[half:])
    packed.write_bytes(b"".join(gzip.compress(member) for member in members))
    expected, _ = run(tmp_path, plain, "one")
    out, _ = run(tmp_path, packed, "two", compress=compress)
    ending = {"none": "", "gz": ".gz", "zst": ".zst"}[compress]
    import pyarrow as pa  # noqa: PLC0415

    for name in ("articles.jsonl", "provenance.jsonl"):
        codec = {"none": None, "gz": "gzip", "zst": "zstd"}[compress]
        with pa.input_stream(str(out / (name + ending)), compression=codec) as stream:
            text = stream.read().decode()
        assert text.replace("news.jsonl.gz", "news.jsonl") == (expected / name).read_text(encoding="utf-8")


def test_cleaning_in_memory_equals_cleaning_files(tmp_path):
    rows = news()
    out, _ = run(tmp_path, write_jsonl(tmp_path / "news.jsonl", rows))
    result = dedup.clean_articles(rows)
    assert [row["text"] for row in result.articles] == [row["text"] for row in read_jsonl(out / "articles.jsonl")]
    assert [row["id"] for row in result.dropped] == [row["id"] for row in read_jsonl(out / "dropped.jsonl")]
    stored = [dict(row, source="-") for row in read_jsonl(out / "provenance.jsonl")]
    in_memory = [finding._asdict() for finding in result.findings]
    assert [{**row, "twin_source": None} for row in in_memory] == [{**row, "twin_source": None} for row in stored]
    assert "provenance" not in rows[0]


def test_cleaning_in_memory_passes_objects_through_and_quarantines_articles_without_text():
    marker = object()
    result = dedup.clean_articles([{"id": 7, "text": "One two three.", "extra": marker}, {"id": 8}, {"text": None}])
    assert result.articles[0]["extra"] is marker
    assert result.articles[0]["id"] == 7
    assert [row["record"] for row in result.quarantine] == [1, 2]


@pytest.mark.parametrize("value", [b"bytes", 5, None, ["a", 1], {"a": 1}, object()])
def test_cleaning_in_memory_quarantines_an_article_whose_text_is_no_string(value):
    result = dedup.clean_articles([{"text": value}, {"text": "A text."}])
    assert [row["record"] for row in result.quarantine] == [0]
    assert [row["text"] for row in result.articles] == ["A text."]


def test_cleaning_in_memory_accepts_subclasses_of_str():
    class Text(str):
        __slots__ = ()

    result = dedup.clean_articles([{"id": Text("x"), "text": Text("cafÃ© au lait")}])
    assert result.articles[0]["text"] == "café au lait"
    assert result.findings[0].article == "x"


def test_check_finds_what_clean_records(tmp_path):
    source = write_jsonl(tmp_path / "news.jsonl", news())
    out, _ = run(tmp_path, source)
    findings = [finding._asdict() for finding in dedup.check(source, engine=LocalEngine(jobs=1))]
    assert findings == read_jsonl(out / "provenance.jsonl")


def test_articles_are_kept_by_date(tmp_path):
    text = " ".join(sentences(3, 5))
    rows = [
        {"id": day, "text": text, "date": date} for day, date in [("b", "2020-02-01"), ("a", "2020-01-01"), ("c", None)]
    ]
    source = write_jsonl(tmp_path / "news.jsonl", rows)
    for keep, survivor in [("earliest", "a"), ("latest", "b"), ("first", "b"), ("longest", "b")]:
        out, _ = run(tmp_path, source, keep, keep=keep)
        assert [row["id"] for row in read_jsonl(out / "articles.jsonl")] == [survivor], keep
    undated = write_jsonl(tmp_path / "undated.jsonl", [{"id": "a", "text": text}])
    with pytest.raises(SettingsError, match="`date_field`"):
        run(tmp_path, undated, "none", keep="earliest")


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("Chinese", "点击关注我们的公众号,每天获取最新新闻资讯和深度报道"),
        ("Japanese", "最新のニュースをお届けするメールマガジンに今すぐご登録ください"),
        ("Thai", "สมัครรับจดหมายข่าวของเราเพื่อรับข่าวสารล่าสุดทุกวัน"),
        ("Russian", "Подпишитесь на нашу рассылку, чтобы получать свежие новости"),
        ("Arabic", "اشترك في نشرتنا الإخبارية لتصلك آخر الأخبار كل صباح"),
    ],
)
def test_boilerplate_is_found_in_every_script(language, line):
    rows = [{"text": "\n\n".join([*sentences(number, 4), line]), "url": "https://x.example/"} for number in range(8)]
    result = dedup.clean_articles(rows)
    assert [line in row["text"] for row in result.articles] == [False] * 8, language
    assert [row["text"] for row in result.site_text] == [line], language


def test_check_reports_records_that_it_cannot_read(tmp_path):
    source = write_jsonl(tmp_path / "news.jsonl", [{"id": "a"}, {"id": "b", "text": "All of this is fine."}])
    bad = []
    assert list(dedup.check(source, unreadable=bad.append)) == []
    assert [outcome.record for outcome in bad] == [0]


def test_an_output_that_is_a_link_is_written_to_its_target(tmp_path, corpus):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    dedup.clean(corpus, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "articles.jsonl").exists()


def test_an_output_is_replaced_only_by_force_and_only_if_dedup_wrote_it(tmp_path, corpus):
    out, _ = run(tmp_path, corpus)
    with pytest.raises(OutputError, match="`force=True`"):
        dedup.clean(corpus, out)
    dedup.clean(corpus, out, force=True)
    other = tmp_path / "photos"
    other.mkdir()
    (other / "me.jpg").write_bytes(b"x")
    with pytest.raises(OutputError, match="not an output of dedup"):
        dedup.clean(corpus, other, force=True)
    assert (other / "me.jpg").exists()


def test_a_run_that_fails_leaves_nothing_behind(tmp_path):
    source = write_jsonl(tmp_path / "in" / "news.jsonl", [{"id": "a"}])
    with pytest.raises(RecordError, match=r"news\.jsonl#0: no text"):
        run(tmp_path, source, on_error="fail")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@settings(max_examples=40)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["id", "text", "body", "n", "provenance", "url", "date"]),
            st.text(max_size=30) | st.integers() | st.none() | st.lists(st.integers(), max_size=2),
        ),
        max_size=8,
    )
)
def test_no_record_is_ever_lost(tmp_path_factory, rows):
    tmp_path = tmp_path_factory.mktemp("any")
    source = write_jsonl(tmp_path / "rows.jsonl", rows)
    out, report = run(tmp_path, source, max_bad=1)
    seen = [
        row["provenance"]["record"] for name in ("articles", "dropped") for row in read_jsonl(out / f"{name}.jsonl")
    ]
    seen += [row["record"] for row in read_jsonl(out / "quarantine.jsonl")]
    assert sorted(seen) == list(range(len(rows)))
    assert report.counts["records"] == len(rows)
