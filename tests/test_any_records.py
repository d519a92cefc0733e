"""No record ends a run: what cannot be an article goes to quarantine, with the reason, and the others come out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup
from dedup import InputError, LocalEngine, OutputError, Settings
from dedup.prepare import batch as batch_module
from dedup.prepare import failing_records
from dedup.read.article_fields import field_names
from dedup.read.dates import parse_date
from dedup.read.fields import from_json, to_json_bytes

ONE = LocalEngine(jobs=1)
DIGITS = "9" * 5000
GOOD = json.dumps({"id": "good", "text": "A good one.", "date": "2024-01-01"})

RECORDS = {
    "a date of 5,000 digits": f'{{"text": "one", "date": {DIGITS}}}',
    "a date text of 5,000 digits": f'{{"text": "one", "date": "{DIGITS}"}}',
    "an id of 5,000 digits": f'{{"text": "one", "id": {DIGITS}}}',
    "an id with a surrogate": '{"text": "one", "id": "\\ud800"}',
    "a host with a surrogate": '{"text": "one", "url": "http://\\ud800.example/"}',
    "an address that is none": '{"text": "one", "url": "http://[::1"}',
    "a time zone of ten digits": '{"text": "one", "date": "Mon, 01 Jan 2024 10:00:00 +9999999999"}',
    "another time zone of ten digits": '{"text": "one", "date": "Jan 1 2024 10:00 +9999999999"}',
    "the first moment before UTC": '{"text": "one", "date": "0001-01-01T00:00:00+23:59"}',
    "the last moment after UTC": '{"text": "one", "date": "9999-12-31T23:59:59-23:59"}',
    "a provenance of digits": f'{{"text": "one", "provenance": {DIGITS}}}',
    "a provenance of digits and a surrogate": f'{{"text": "one", "id": "\\ud800", "provenance": [{DIGITS}, NaN]}}',
    "digits beside the text": f'{{"article": {{"body": ["a", {DIGITS}]}}}}',
    "digits in the text": f'{{"text": ["a", {DIGITS}]}}',
    "infinite dates": '{"text": "one", "date": -1e400}',
    "a text of surrogates": '{"text": "\\udfff\\ud800\\udfff"}',
    "many brackets": '{"text": "one", "id": ' + "[" * 600 + "]" * 600 + "}",
}


@pytest.mark.fault(
    "numbers of 5,000 digits, impossible dates and time zones, surrogates",
    "each record comes out or goes to quarantine",
)
@pytest.mark.parametrize("format_name", ["jsonl", "parquet", "csv"])
@pytest.mark.parametrize("name", RECORDS)
def test_a_strange_record_comes_out_somewhere(tmp_path, name, format_name):
    (tmp_path / "a.jsonl").write_text(f"{RECORDS[name]}\n{GOOD}\n")
    for keep in ("longest", "earliest"):
        out = tmp_path / keep
        report = dedup.clean(tmp_path / "a.jsonl", out, Settings(max_bad=1, format=format_name, keep=keep), engine=ONE)
        assert report.counts["kept"] + report.counts["quarantined"] == 2
        assert not any("fails on this record" in reason for reason in report.tally.errors)
        assert dedup.verify(out).mismatches == []


NAMES = sorted({name for names in field_names().values() for name in (*names.first, *names.names)})
NUMBERS = st.one_of(
    st.integers(), st.floats(), st.sampled_from([int("9" * 400), 1e308, -0.0, 253402300800, -62135596801, 2**63, 2**64])
)
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=())),  # surrogates, too
    st.datetimes().map(str),
    st.sampled_from(
        ["2024-13-45", "+9999999999", "Feb 30", "12/12/12 25:61 EST", "http://[", "\0", "", " ", "\x1b[2J"]
    ),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.one_of(st.sampled_from([*NAMES, "provenance", "text"]), TEXTS), VALUES, max_size=6)


@pytest.mark.fault("any JSON in any field", "each record comes out or goes to quarantine")
@settings(max_examples=60)
@given(
    st.lists(st.one_of(OBJECTS, VALUES), min_size=1, max_size=6),
    st.sampled_from(["jsonl", "parquet", "csv"]),
    st.sampled_from(["longest", "earliest"]),
)
def test_any_json_comes_out_somewhere(tmp_path_factory, values, format_name, keep):
    folder = tmp_path_factory.mktemp("any")
    (folder / "a.jsonl").write_bytes(b"\n".join([GOOD.encode(), *map(to_json_bytes, values)]))
    report = dedup.clean(
        folder / "a.jsonl", folder / "out", Settings(max_bad=1, format=format_name, keep=keep), engine=ONE
    )
    counts = report.counts
    assert counts["kept"] + counts["dropped"] + counts["quarantined"] == 1 + len(values)
    assert not any("fails on this record" in reason for reason in report.tally.errors), report.tally.errors
    assert dedup.verify(folder / "out").mismatches == []


@given(st.one_of(VALUES, st.text(), st.from_regex(r"\A[0-9A-Za-z:+/., -]{1,40}\Z")), st.booleans())
def test_any_value_is_a_date_or_none(value, day_first):
    parsed = parse_date(value, day_first=day_first)
    assert parsed is None or isinstance(parsed, int)


@given(VALUES)
def test_the_slow_encoder_writes_what_can_be_read(value):
    assert from_json(to_json_bytes({"a": value, "\ud800": 1}))["\ud800"] == 1


@pytest.mark.fault("the program fails on one record", "that record goes to quarantine with the reason")
def test_a_record_on_which_the_program_fails_goes_to_quarantine(tmp_path, monkeypatch):
    repaired = batch_module.repair_texts

    def failing(texts, *rest):
        if any("cursed" in text for text in texts):
            raise ZeroDivisionError("of all things")
        return repaired(texts, *rest)

    lines = [json.dumps({"id": n, "text": f"Number {n}" + " cursed" * (n in {7, 31})}) for n in range(50)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    monkeypatch.setattr(batch_module, "repair_texts", failing)
    report = dedup.clean(tmp_path / "a.jsonl", tmp_path / "out", engine=ONE)
    assert (report.counts["kept"], report.counts["quarantined"]) == (48, 2)
    [row, other] = map(json.loads, (tmp_path / "out" / "quarantine.jsonl").read_text().splitlines())
    assert (row["record"], other["record"], row["raw"]) == (7, 31, lines[7])
    assert row["error"].startswith("dedup fails on this record: ZeroDivisionError: of all things; ")
    assert failing_records.prepare is batch_module.prepare


def test_a_link_to_itself_is_skipped(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_text(GOOD)
    for name in ("loop", "loop.jsonl"):
        (folder / name).symlink_to(name)
    report = dedup.clean(folder, tmp_path / "out", engine=ONE)
    assert sorted(Path(path).name for path in report.skipped) == ["loop", "loop.jsonl"]
    (tmp_path / "out2").symlink_to("out2")
    with pytest.raises(OutputError):
        dedup.clean(folder, tmp_path / "out2", engine=ONE)


def test_an_output_whose_name_is_not_utf8_is_refused_before_the_work(tmp_path):
    def articles():
        pytest.fail("the input is read")
        yield {}

    for name in (os.fsdecode(bytes(tmp_path) + b"/o\xff"), str(tmp_path / "\ud800")):
        with pytest.raises(OutputError, match="this name is not UTF-8"):
            dedup.clean(articles(), name)


def test_an_output_is_not_blamed_for_the_locale(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b'{"text": "One."}\n')
    command = [sys.executable, "-m", "dedup", "clean", "a.jsonl", "-o", "\u00fc".encode()]
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | locale, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "set LC_ALL=C.UTF-8" in done.stderr
    assert "\\udc" not in done.stderr


@pytest.mark.parametrize("text", ["a long string " * 100, "two\nlines", "a\0b"])
def test_texts_among_paths_are_an_error_of_one_line(tmp_path, text):
    with pytest.raises(InputError, match=r"strings of a list are paths, .* for a text give \{'text': text\}"):
        dedup.clean([text, "another"], tmp_path / "out")
