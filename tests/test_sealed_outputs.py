"""Every byte of an output is proved: whatever is changed in any of its files, `verify` says so and never fails."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from functools import partial

import pytest
from conftest import read_jsonl, write_jsonl
from helpers.command import run_dedup
from helpers.news import news
from helpers.outputs import write_sealed_run

import dedup
from dedup import OutputError, Settings
from dedup.inspect.restore import restore
from dedup.inspect.verify import verify
from dedup.output_layout import LOG_FILE, RUN_FILE
from dedup.write.seal import seal_problem

pytestmark = pytest.mark.slow

LAYOUTS = {
    "jsonl": Settings(),
    "jsonl in shards": Settings(shard_size=4_000),
    "jsonl.gz": Settings(compress="gz"),
    "jsonl.zst": Settings(compress="zst"),
    "csv": Settings(format="csv"),
    "csv.gz": Settings(format="csv", compress="gz"),
    "parquet": Settings(format="parquet"),
    "parquet in shards": Settings(format="parquet", shard_size=4_000),
}
FAULTS_PER_LAYOUT = 125  # 1,000 in all


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = write_jsonl(tmp_path_factory.mktemp("in") / "news.jsonl", news(count=9))
    lines = path.read_text().splitlines()
    lines[3:3] = ['{"id": 1, "text": ', "", "not json"]
    lines += ["not json", '{"id": "no text"}']
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module", params=LAYOUTS)
def contents(request, tmp_path_factory, source):
    """The content of each file of an output, by name."""
    out = tmp_path_factory.mktemp("made") / "out"
    dedup.clean(source, out, LAYOUTS[request.param])
    assert verify(out).mismatches == []
    return {path.name: path.read_bytes() for path in out.iterdir()}


def flip_bit(chance, data):
    place = chance.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :]


def delete_part(chance, data):
    start, size = chance.randrange(len(data)), chance.choice([1, 1, 2, 10, 1000])
    return data[:start] + data[start + size :]


def duplicate_part(chance, data):
    start, size = chance.randrange(len(data)), chance.choice([1, 1, 2, 10, 1000])
    return data[: start + size] + data[start : start + size] + data[start + size :]


def change_lines(change, chance, data):
    lines = data.split(b"\n")
    first, second = chance.randrange(len(lines)), chance.randrange(len(lines))
    change(lines, first, second)
    return b"\n".join(lines)


def swap(lines, first, second):
    lines[first], lines[second] = lines[second], lines[first]


def insert_copy(lines, first, second):
    lines.insert(second, lines[first])


def delete_line(lines, first, _):
    del lines[first]


CHANGES = [
    flip_bit,
    delete_part,
    duplicate_part,
    *(partial(change_lines, change) for change in (swap, insert_copy, delete_line)),
]


def what_verify_says(out):
    """Return the places that `verify` finds fault with, or its error, which must be one line about ``run.json``."""
    try:
        return " ".join(mismatch.where for mismatch in verify(out).mismatches)
    except OutputError as error:
        return RUN_FILE if RUN_FILE in str(error) and "\n" not in str(error) else str(error)


@pytest.mark.fault(
    "1,000 flipped bits, deleted, doubled and swapped bytes and lines in all files of an output, in eight layouts",
    "`verify` names the file, each time, and never fails",
)
@pytest.mark.slow
def test_every_change_of_any_byte_is_noticed(tmp_path, contents):
    """Files are chosen alike, whatever their size, and most often changed in lines, which leaves them readable."""
    chance, out = random.Random(1), tmp_path / "out"
    out.mkdir()
    for name, data in contents.items():
        (out / name).write_bytes(data)
    names = sorted(name for name, data in contents.items() if data)
    for number in range(FAULTS_PER_LAYOUT):
        name = names[number % len(names)]
        change, changed = None, contents[name]
        while changed == contents[name]:
            change = chance.choice(CHANGES)
            changed = change(chance, contents[name])
        (out / name).write_bytes(changed)
        assert name in what_verify_says(out), (name, change)
        (out / name).write_bytes(contents[name])
    assert verify(out).mismatches == []


def test_a_file_that_is_missing_added_or_a_folder_is_noticed(tmp_path, contents):
    for name in contents:
        out = tmp_path / name
        out.mkdir()
        for other, data in contents.items():
            (out / other).write_bytes(data)
        (out / name).unlink()
        if name == RUN_FILE:
            with pytest.raises(OutputError, match=r"no run\.json"):
                verify(out)
            continue
        assert (verify(out).mismatches == []) == (name == LOG_FILE), "the log may be deleted"
        (out / name).mkdir()
        assert any(name in mismatch.where for mismatch in verify(out).mismatches)


@pytest.fixture
def out(tmp_path, source):
    dedup.clean(source, tmp_path / "out")
    return tmp_path / "out"


def test_the_digests_are_those_that_common_tools_compute(out):
    data = (out / RUN_FILE).read_bytes()
    run_values = json.loads(data)
    for name, entry in run_values["files"].items():
        content = (out / name).read_bytes()
        assert entry == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert sorted(run_values["files"]) == sorted({path.name for path in out.iterdir()} - {RUN_FILE, LOG_FILE})
    own = run_values["sha256"].encode()
    assert hashlib.sha256(data.replace(own, b"0" * 64)).hexdigest().encode() == own
    assert seal_problem((out / LOG_FILE).read_bytes()) is None


def set_value(*path):
    *names, last, value = path

    def change(values):
        for name in names:
            values = values[name]
        values[last] = value

    return change


def delete_value(name):
    return lambda values: values.pop(name)


RUN_CHANGES = [
    ("a count is missing", delete_value("counts"), "has no `counts`"),
    ("one count is missing", lambda run: run["counts"].pop("kept"), "does not count kept"),
    ("a count is invented", set_value("counts", "lost", 0), "`counts` has 'lost', which is not a count of a run"),
    ("a part is invented", set_value("more", {}), "`more` is not a part of this file"),
    ("an input appears twice", lambda run: run["inputs"].append(run["inputs"][0]), "appears twice"),
    ("counts are a list", set_value("counts", [1, 2]), "`counts` is not what dedup writes"),
    ("a count is a text", set_value("counts", "kept", "5"), "`counts` is not what dedup writes"),
    ("rules are missing", delete_value("rules"), "has no `rules`"),
    ("rules are a list", set_value("rules", ["encoding"]), "`rules` is not what dedup writes"),
    ("actions are a list", set_value("rules", "encoding", ["fix"]), "`rules` is not what dedup writes"),
    ("numbers are null", set_value("rules", "encoding", "fix", None), "`rules` is not what dedup writes"),
    ("a rule has another name", lambda run: run["rules"].update(magic=run["rules"].pop("encoding")), "no rule 'magic'"),
    ("a rule is left out", lambda run: run["rules"].pop("encoding"), "counts 0 of encoding: fix"),
    ("characters are missing", delete_value("characters"), "has no `characters`"),
    ("characters are others", set_value("characters", "read", 1), "counts 1 characters read"),
    ("errors are missing", delete_value("errors"), "has no `errors`"),
    ("errors are others", set_value("errors", {"not JSON": 1}), "counts other errors"),
    ("errors are a list", set_value("errors", []), "`errors` is not what dedup writes"),
    ("stages are a list", set_value("stages", []), "`stages` is not what dedup writes"),
    ("fields are missing", delete_value("fields"), "has no `fields`"),
]


@pytest.mark.fault(
    "a wrong, missing or renamed part of `run.json`, also with fitting digests", "`verify` names the part"
)
@pytest.mark.parametrize(("change", "message"), [row[1:] for row in RUN_CHANGES], ids=[row[0] for row in RUN_CHANGES])
def test_what_can_be_computed_again_is_even_if_all_digests_fit(out, change, message):
    values = json.loads((out / RUN_FILE).read_text())
    change(values)
    write_sealed_run(out, values)
    mismatches = verify(out).mismatches
    assert all(mismatch.where == RUN_FILE for mismatch in mismatches)
    assert any(message in mismatch.what for mismatch in mismatches), mismatches


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_value("files", ["articles.jsonl"]), "`files` is not what dedup writes"),
        (lambda run: run["files"].pop("dropped.jsonl"), "`files` has no digest of dropped.jsonl"),
        (lambda run: run["files"].update({"x": run["files"]["dropped.jsonl"]}), "`files` names x"),
        (set_value("files", "dropped.jsonl", "bytes", 1), "bytes, 1 were written"),
        (delete_value("sha256"), "has no sha256 at its end"),
    ],
)
def test_a_wrong_entry_of_a_file_is_noticed(out, change, message):
    values = json.loads((out / RUN_FILE).read_text())
    change(values)
    (out / RUN_FILE).write_text(json.dumps(values, indent=2) + "\n")
    assert any(message in mismatch.what for mismatch in verify(out).mismatches)


def reseal(out):
    write_sealed_run(out, json.loads((out / RUN_FILE).read_text()))


@pytest.mark.fault("rows of an output in another order", "`verify` says so, `restore` stops")
def test_rows_of_quarantine_in_another_order_are_noticed_and_not_restored(out, tmp_path):
    path = out / "quarantine.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[1], lines[0], *lines[2:]]))
    reseal(out)
    assert any("is out of input order" in mismatch.what for mismatch in verify(out).mismatches)
    with pytest.raises(OutputError, match="is out of input order"):
        restore(out, tmp_path / "again")


def test_lines_of_quarantine_are_restored_where_they_were(out, source, tmp_path):
    restore(out, tmp_path / "again")
    before, after = source.read_text().splitlines(), (tmp_path / "again" / "news.jsonl").read_text().splitlines()
    assert len(before) == len(after)
    bad = {row["record"] for row in read_jsonl(out / "quarantine.jsonl")}
    assert len(bad) == 4
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        assert new == old if number in bad or not old else json.loads(new) == json.loads(old)


def test_pages_that_are_written_later_are_accepted(out):
    assert run_dedup(f"dedup report {out}").status == 0
    assert (out / "report.html").exists()
    assert run_dedup(f"dedup verify {out} -q") == (0, "", "")


@pytest.mark.fault("a byte of an input that was changed after the run", "`verify --inputs` names the file")
def test_verify_reads_the_inputs_again(out, source, tmp_path):
    assert verify(out, inputs=[source]).mismatches == []
    copy = tmp_path / "copy" / "news.jsonl"
    copy.parent.mkdir()
    shutil.copy(source, copy)
    assert verify(out, inputs=[copy]).mismatches == []
    copy.write_bytes(flip_bit(random.Random(2), copy.read_bytes()))
    assert [mismatch.where for mismatch in verify(out, inputs=[copy]).mismatches] == ["news.jsonl"]
    (copy.parent / "more.txt").write_text("More.")
    found = verify(out, inputs=[copy.parent]).mismatches
    assert ("more.txt", "was no input of the run") in found
    copy.unlink()
    assert ("news.jsonl", "is not among these inputs") in verify(out, inputs=[copy.parent]).mismatches
    with pytest.raises(dedup.InputError):
        verify(out, inputs=[tmp_path / "nowhere"])


@pytest.mark.parametrize("settings", [Settings(limit=5), Settings(sample=5), Settings(max_record=50_000)])
def test_inputs_of_a_part_are_compared_as_far_as_they_were_read(tmp_path, source, settings):
    dedup.clean(source, tmp_path / "out", settings)
    assert verify(tmp_path / "out", inputs=[source]).mismatches == []


def test_the_command_line_compares_inputs(out, source, tmp_path):
    assert run_dedup(f"dedup verify {out} -q --inputs {source}") == (0, "", "")
    write_jsonl(tmp_path / "copy" / "news.jsonl", [{"text": "x"}])
    done = run_dedup(f"dedup verify {out} --inputs {tmp_path / 'copy'}")
    assert done.status == 1
    assert "news.jsonl: its sha256 was " in done.stdout


def test_a_fault_of_the_program_is_no_finding_about_an_unchanged_output(out, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("dedup.inspect.verify.check_numbers", fail)
    with pytest.raises(ZeroDivisionError):
        verify(out)
