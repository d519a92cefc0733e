"""The output folder is the earlier one or the new one, whatever happens to the run that replaces it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from conftest import write_jsonl
from helpers.power_cut import RecordedOperations, after_power_cuts

import dedup
from dedup import OutputError
from dedup.output_layout import RUN_FILE
from dedup.write import replacement
from dedup.write.destination import check_destination, destination
from dedup.write.replacement import FileOperations, put_in_place, settle
from dedup.write.run_folder import LOCK_FILE, owned_run_folder, run_folder

RUN = json.dumps({"dedup": {"format": 1}, "settings": {"format": "jsonl", "compress": "none"}})


def write_output(folder, content):
    """Write a small output; nothing but its content tells it from another."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RUN_FILE).write_text(RUN)
    (folder / "articles.jsonl").write_text(content)


def content_of(out):
    """Return the content of an output, None if it is incomplete or missing."""
    if not out.is_dir() or {path.name for path in out.iterdir()} != {RUN_FILE, "articles.jsonl"}:
        return None
    return (out / "articles.jsonl").read_text() if (out / RUN_FILE).read_text() == RUN else None


def finished_run(root, *, earlier=True):
    """Make a folder with a run that has finished its result, and maybe an earlier output; return the run folder."""
    if earlier:
        write_output(root / "out", "earlier")
    write_output(run_folder(root / "out") / replacement.RESULT, "new")
    return run_folder(root / "out")


@pytest.mark.fault(
    "power cut after any operation of the replacement, unsynced data lost", "the earlier output or the new one"
)
@pytest.mark.parametrize("earlier", [True, False])
@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_power_cut_leaves_the_earlier_output_or_the_new_one(tmp_path, can_exchange, earlier):
    root, start, scratch = tmp_path / "root", tmp_path / "start", tmp_path / "scratch"
    folder = finished_run(root, earlier=earlier)
    shutil.copytree(root, start)
    operations = RecordedOperations(can_exchange=can_exchange)
    put_in_place(folder, root / "out", operations)
    allowed = {"earlier" if earlier else None, "new"}
    states = 0
    for stop, state in after_power_cuts(operations.log, start, root, scratch):
        if can_exchange:
            assert content_of(state / "out") in allowed, (stop, operations.log)
        settle(run_folder(state / "out"), state / "out")
        assert content_of(state / "out") in allowed, (stop, operations.log)
        assert earlier or content_of(state / "out") == "new" or not (state / "out").exists()
        states += 1
    assert states > len(operations.log)
    assert content_of(root / "out") == "new", "a cut after the last operation loses nothing"


@pytest.mark.parametrize("left_out", [RUN_FILE, replacement.RESULT])
def test_a_sync_that_is_left_out_is_noticed(tmp_path, left_out):
    root, start, scratch = tmp_path / "root", tmp_path / "start", tmp_path / "scratch"
    folder = finished_run(root)
    shutil.copytree(root, start)
    operations = RecordedOperations(can_exchange=True)
    put_in_place(folder, root / "out", operations)
    log = [entry for entry in operations.log if entry[0] != "sync" or Path(entry[1]).name != left_out]
    assert len(log) == len(operations.log) - 1
    assert None in {content_of(state / "out") for _, state in after_power_cuts(log, start, root, scratch)}


CLEAN_UNTIL_KILLED = """
    import os, signal, sys
    from pathlib import Path
    from dedup.write import replacement

    last, can_exchange = int(sys.argv[3]), sys.argv[4] == "True"
    done = 0

    class Killed(replacement.FileOperations):
        def step(self):
            global done
            if done == last:
                os.kill(os.getpid(), signal.SIGKILL)
            done += 1

        def sync(self, path):
            self.step()
            super().sync(path)

        def rename(self, source, target):
            self.step()
            super().rename(source, target)

        def exchange(self, first, second):
            self.step()
            return can_exchange and super().exchange(first, second)

        def remove(self, folder):
            self.step()
            super().remove(folder)

    replacement.FileOperations = Killed
    from dedup.write.destination import destination

    with destination(Path(sys.argv[1]), force=True) as (result, work):
        (result / "run.json").write_text(sys.argv[2])
        (result / "articles.jsonl").write_text("new")
        (work / "0.arrow").write_text("half")
    print(done)
"""


@pytest.mark.fault(
    "`kill -9` before any operation of the replacement",
    "the same; the next run on the output finishes or deletes what is left",
)
@pytest.mark.slow
@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_kill_at_any_step_loses_no_output_and_the_next_run_clears_up(tmp_path, can_exchange):
    out = tmp_path / "out"
    statuses, last = set(), 0
    while 0 not in statuses:
        shutil.rmtree(out, ignore_errors=True)
        write_output(out, "earlier")
        code = [sys.executable, "-c", textwrap.dedent(CLEAN_UNTIL_KILLED)]
        done = subprocess.run([*code, str(out), RUN, str(last), str(can_exchange)], capture_output=True, check=False)
        statuses.add(done.returncode)
        assert done.returncode in {0, -signal.SIGKILL}, done.stderr
        if can_exchange:
            assert content_of(out) in {"earlier", "new"}
        with owned_run_folder(out) as folder:
            assert content_of(out) in {"earlier", "new"}
            assert [path.name for path in folder.iterdir()] == [LOCK_FILE]
        assert content_of(out) in {"earlier", "new"}
        assert [path.name for path in tmp_path.iterdir()] == ["out"]
        last += 1
    assert content_of(out) == "new"
    assert last > 6


@pytest.mark.fault("interrupt between the two steps, on a file system that cannot exchange folders", "the new output")
def test_an_interrupt_between_the_two_steps_loses_no_output(tmp_path, monkeypatch):
    out, renamed = tmp_path / "out", []

    def interrupted(_self, source, target):
        if renamed:
            renamed.clear()
            raise KeyboardInterrupt
        renamed.append(source.rename(target))

    write_output(out, "earlier")
    monkeypatch.setattr(FileOperations, "exchange", lambda *_: False)
    monkeypatch.setattr(FileOperations, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt), destination(out, force=True) as (result, _):
        write_output(result, "new")
    assert content_of(out) == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.fault("a folder appears at the output meanwhile", "it stays, one line")
def test_a_folder_that_appears_meanwhile_is_left_alone(tmp_path):
    out = tmp_path / "out"

    def work(result):
        write_output(result, "new")
        out.mkdir()
        (out / "mine.txt").write_text("mine")

    with pytest.raises(OutputError, match="exists and is not an output"), destination(out, force=True) as (result, _):
        work(result)
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "mine.txt"]


@pytest.mark.fault("a second run on an output", "one line: which process writes it, where, since when")
def test_a_second_run_on_an_output_says_who_writes_it(tmp_path):
    out, articles = tmp_path / "out", write_jsonl(tmp_path / "a.jsonl", [{"text": "One."}])
    with destination(out, force=False):
        with pytest.raises(OutputError, match=rf"being written by process {os.getpid()} on \S+ since 20\d\d-"):
            dedup.clean(articles, out)
        assert run_folder(out).exists(), "what a live run owns stays"
    dedup.clean(articles, out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "out"]


def test_a_mount_point_is_refused_before_the_work():
    with pytest.raises(OutputError, match="is a mount point"):
        check_destination(Path("/proc"), force=True)


def test_the_working_folder_can_be_the_output(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    dedup.clean([{"text": "One."}], ".")
    assert (tmp_path / "here" / RUN_FILE).exists()
