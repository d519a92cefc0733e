"""An index is no input, wherever it lies, and a folder that a failed first run has left is an absent index."""

from __future__ import annotations

import json
import shutil

import pytest
from helpers.command import run_dedup

import dedup
from dedup.errors import IndexFolderError, InputError
from dedup.index.session import IndexSession
from dedup.index.upkeep import index_stats


def write(path, *numbers):
    rows = [{"id": f"a{number}", "text": " ".join(f"w{number}x{place}" for place in range(40))} for number in numbers]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def failing(*_args):
    raise OSError(28, "No space left on device")


class KilledError(Exception):
    """Stands for the end of a process."""


def killed(*_args):
    raise KilledError


def skipped_in(out):
    return json.loads((out / "run.log.json").read_text())["skipped"]


@pytest.mark.parametrize("given", ["in", "in/**/*", "in/*", "file://{}/in"])
def test_an_index_inside_an_input_is_skipped(tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    if given.startswith("file:"):
        pytest.importorskip("fsspec")
    given = given.format(tmp_path)
    write(tmp_path / "in" / "b" / "old.jsonl", 0, 1)
    dedup.clean(given, "one", index="in/a/seen")
    write(tmp_path / "in" / "b" / "new.jsonl", 1, 2)
    report = dedup.clean(given, "two", index="in/a/seen")
    assert (report.counts["records"], report.counts["kept"]) == (4, 1)
    assert any(name.endswith("in/a/seen") for name in skipped_in(tmp_path / "two"))
    assert not any(".parquet" in name for name in skipped_in(tmp_path / "two"))
    assert dedup.clean(given, "three").counts["records"] == 4


def test_an_index_is_no_input_itself(tmp_path):
    dedup.clean(write(tmp_path / "old.jsonl", 0, 1), tmp_path / "one", index=tmp_path / "seen")
    with pytest.raises(InputError, match="seen: is an index of earlier runs, no input; give their outputs"):
        dedup.clean(tmp_path / "seen", tmp_path / "two")


@pytest.mark.parametrize("is_killed", [False, True])
def test_what_a_failed_first_run_leaves_is_an_absent_index(tmp_path, monkeypatch, is_killed):
    seen = tmp_path / "in" / "seen"
    write(tmp_path / "in" / "old.jsonl", 0, 1)
    with monkeypatch.context() as patch:
        if is_killed:
            patch.setattr(IndexSession, "stage", killed)
        else:
            patch.setattr("dedup.write.destination.put_in_place", failing)
        with pytest.raises((KilledError, dedup.OutputError)):
            dedup.clean(tmp_path / "in", tmp_path / "one", index=seen)
    assert (seen / "lock").exists()
    dedup.clean(write(tmp_path / "other.jsonl", 7), tmp_path / "two", index=tmp_path / "other")
    commands = "stats {0}", "verify {0}", "compact {0}", "remove {0} x", "merge {0} {1}/other"
    for command in commands:
        finished = run_dedup(f"dedup index {command.format(seen, tmp_path)}")
        line = f"dedup: error: {seen}: is no index of dedup; give the folder that a run has written as --index\n"
        assert (finished.status, finished.stderr) == (2, line)
    assert dedup.clean(tmp_path / "in", tmp_path / "alone").counts["records"] == 2
    assert dedup.clean(tmp_path / "in", tmp_path / "one", index=seen).counts["kept"] == 2
    assert index_stats(seen)["runs"] == 1


def test_a_folder_of_something_else_with_a_lock_is_left_alone(tmp_path):
    seen = tmp_path / "seen"
    write(seen / "run-1" / "weights.jsonl", 1)
    (seen / "lock").touch()
    with pytest.raises(IndexFolderError, match="exists and is no index of dedup, so it is left alone"):
        dedup.clean(write(tmp_path / "old.jsonl", 0), tmp_path / "one", index=seen)
    assert (seen / "run-1" / "weights.jsonl").exists()
    shutil.rmtree(seen / "run-1")
    assert dedup.clean(tmp_path / "old.jsonl", tmp_path / "one", index=seen).counts["kept"] == 1
