"""The log of a run says what happens, as it happens, and a warning comes before the disk runs out."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from conftest import write_jsonl
from helpers.command import run_dedup
from helpers.news import bytes_of, news

import dedup
from dedup import LocalEngine, OutputError, Settings
from dedup.engines.local import Workers
from dedup.prepare import stored_batch
from dedup.runtime import disk_space
from dedup.runtime.interruption import InterruptedRun
from dedup.runtime.run_log import RunLog, open_log

STAGES = ["prepare", "find site text", "match articles", "match paragraphs", "write"]


@pytest.fixture
def source(tmp_path):
    path = write_jsonl(tmp_path / "news.jsonl", news(count=12))
    path.write_text(path.read_text() + "not json\n")
    return path


def events_of(path):
    """The lines of a log; each has a time that is not before that of the line above."""
    events = [json.loads(line) for line in path.read_text().splitlines()]
    times = [datetime.fromisoformat(event.pop("time")) for event in events]
    assert times == sorted(times)
    return events


def test_the_log_has_start_stages_counts_and_end(tmp_path, source):
    report = dedup.clean(source, tmp_path / "out", log=tmp_path / "log.jsonl")
    events = events_of(tmp_path / "log.jsonl")
    assert [event["event"] for event in events if not event["event"].startswith("stage")] == [
        *("start", "notice", "prepared", "counts", "end")
    ]
    assert events[0]["settings"] == Settings().digest
    assert events[0]["process"] == os.getpid()
    for what in ("stage begin", "stage end"):
        assert [event["stage"] for event in events if event["event"] == what] == STAGES
    for event in events:
        if event["event"] == "stage end":
            assert event["seconds"] >= 0
            assert event["peak_memory"] > 1 << 20
    counts = next(event for event in events if event["event"] == "counts")
    assert {name: counts[name] for name in report.counts} == report.counts
    assert counts["quarantine"] == report.summary()["errors"]
    assert counts["quarantine"]
    assert events[-1]["state"] == "done"


def test_the_log_changes_no_byte_of_the_output_and_is_appended_to(tmp_path, source):
    log = tmp_path / "log.jsonl"
    dedup.clean(source, tmp_path / "out", log=log)
    dedup.clean(source, tmp_path / "other")
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "other")
    dedup.clean(source, tmp_path / "out", force=True, log=str(log))
    assert Counter(event["event"] for event in events_of(log))["end"] == 2


@pytest.mark.fault(
    "an interrupt, a full disk, a killed worker, with `--log`",
    "the last line says how the run ended, and whether it can be resumed",
)
@pytest.mark.parametrize(
    ("error", "state"),
    [(KeyboardInterrupt(), "interrupted"), (InterruptedRun(15), "interrupted"), (OSError(28), "failed")],
)
def test_the_last_line_says_how_a_run_ended_and_whether_it_can_be_resumed(tmp_path, source, monkeypatch, error, state):
    def fail(_):
        raise error

    monkeypatch.setattr("dedup.write.destination._LEAST_WORK", 1)
    with monkeypatch.context() as patch:
        patch.setattr("dedup.write.table_files.Writer.finish", fail)
        with pytest.raises(type(error)):
            dedup.clean(source, tmp_path / "out", log=tmp_path / "log.jsonl")
    events = events_of(tmp_path / "log.jsonl")
    assert {name: events[-1][name] for name in ("event", "state", "error", "can_resume")} == {
        "event": "end",
        "state": state,
        "error": type(error).__name__,
        "can_resume": True,
    }
    dedup.clean(source, tmp_path / "out", engine=LocalEngine(resume=True), log=tmp_path / "log.jsonl")
    events = events_of(tmp_path / "log.jsonl")
    assert next(event["reused"] for event in reversed(events) if event["event"] == "prepared") == 1
    assert [event["message"] for event in events if event.get("message", "").startswith("resume: 1 ")]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the processes of Linux")
def test_a_worker_that_is_killed_is_a_line_of_the_log(tmp_path, monkeypatch):
    source = write_jsonl(tmp_path / "news.jsonl", news(count=40))
    monkeypatch.setattr(LocalEngine, "batch_bytes", 8_000)
    monkeypatch.setattr(
        LocalEngine, "workers", lambda self, _, timer: Workers(compiled=False, processes=self.processes, log=timer.log)
    )
    store = stored_batch.store_batch

    def killed_once(batch, path, origin):
        if not (tmp_path / "killed").exists():
            (tmp_path / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return store(batch, path, origin)

    monkeypatch.setattr(stored_batch, "store_batch", killed_once)
    dedup.clean(source, tmp_path / "out", engine=LocalEngine(jobs=2), log=tmp_path / "log.jsonl")
    events = events_of(tmp_path / "log.jsonl")
    assert "a worker process was killed" in next(event["message"] for event in events if event["event"] == "retry")
    assert events[-1]["largest_worker"] > 1 << 20


def test_peak_memory_is_that_of_the_stage(tmp_path):
    if not os.access("/proc/self/clear_refs", os.W_OK):
        pytest.skip("the peak of this process cannot be reset")
    with open_log(tmp_path / "log.jsonl") as log:
        with log.stage("large"):
            bytearray(b"x") * (200 << 20)
        with log.stage("small"):
            pass
    peaks = {
        event["stage"]: event["peak_memory"]
        for event in events_of(tmp_path / "log.jsonl")
        if "peak_memory" in event and "stage" in event
    }
    assert peaks["large"] - peaks["small"] > 150 << 20


@pytest.mark.fault("a log that cannot be opened", "one line before the work")
def test_a_log_that_cannot_be_opened_ends_the_run_before_the_work(tmp_path, source):
    with pytest.raises(OutputError, match="name a file for `log` that you can write"):
        dedup.clean(source, tmp_path / "out", log=tmp_path / "nowhere" / "log.jsonl")
    assert not (tmp_path / "out").exists()
    done = run_dedup(f"dedup clean {source} -o {tmp_path / 'out'} --log {tmp_path}")
    assert (done.status, done.stderr) == (
        2,
        f"dedup: error: {tmp_path}: Is a directory; name a file for --log that you can write\n",
    )
    assert "--log: works with an output only" in run_dedup(f"dedup clean {source} --dry-run --log x").stderr


@pytest.mark.parametrize("log", ["news.jsonl", "in/log.jsonl", "out/log.jsonl", "seen/log.jsonl", "o1/log", "g-1.log"])
def test_a_log_among_what_a_run_reads_or_writes_is_refused_before_the_work(tmp_path, source, log):
    (tmp_path / "in").mkdir()
    (tmp_path / "o1").mkdir()
    before = source.read_bytes()
    inputs = [source, tmp_path / "in", str(tmp_path / "g-*.log")]
    with pytest.raises(OutputError, match="which this run reads or writes"):
        dedup.clean(inputs, tmp_path / "out", index=tmp_path / "seen", against=tmp_path / "o1", log=tmp_path / log)
    assert source.read_bytes() == before
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["in", "news.jsonl", "o1"]


def test_a_file_that_is_no_log_is_left_as_it_is(tmp_path, source):
    for name, content in {"a.jsonl": b'{"id": 1}\n', "b.txt": b"text", "c.json": b"[1]\n"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(OutputError, match="is not a log"):
            dedup.clean(source, tmp_path / "out", log=tmp_path / name)
        assert (tmp_path / name).read_bytes() == content
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_that_nobody_reads_is_an_error_and_no_wait(tmp_path, source):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="pipe: "):
        dedup.clean(source, tmp_path / "out", log=tmp_path / "pipe")


@pytest.mark.fault("a log on a full disk", "the run goes on")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_log_on_a_full_disk_ends_no_run(tmp_path, source):
    dedup.clean(source, tmp_path / "out", log="/dev/full")
    assert (tmp_path / "out" / "run.json").exists()


def test_lines_are_ascii_whatever_is_in_them(tmp_path):
    with open_log(tmp_path / "log.jsonl") as log:
        log.copying(None)("caf\u00e9 \x1b[31m\n\ud800")
    data = (tmp_path / "log.jsonl").read_bytes()
    assert data.isascii()
    assert b"\x1b" not in data
    assert data.count(b"\n") == 3
    RunLog().write("nothing")


# the disk


@pytest.mark.fault(
    "a disk with less room than the job needs", "a warning before the work, on standard error and in the log"
)
def test_a_warning_comes_before_the_work_if_the_disk_may_run_out(tmp_path, source, monkeypatch):
    size = source.stat().st_size
    for free, is_said in [(size, True), (10 * size, False)]:
        lines = []
        monkeypatch.setattr(disk_space, "free_bytes", lambda _, free=free: free)
        dedup.clean(source, tmp_path / "out", force=True, notice=lines.append, log=tmp_path / "log.jsonl")
        warnings = [line for line in lines if line.startswith("warning: ")]
        assert len(warnings) == is_said
        assert lines[:1] == warnings or not is_said, "the first of all lines"
    assert (
        "the job needs about 0.0 MB on the disk of the output, and 0.0 MB are free" in warnings[0] if warnings else True
    )
    logged = [event["message"] for event in events_of(tmp_path / "log.jsonl") if event["event"] == "warning"]
    assert len(logged) == 1
    assert logged[0].endswith("free some, or name a folder on another disk")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "ratio"),
    [
        (Settings(), 2.1),
        (Settings(compress="gz"), 1.4),
        (Settings(format="parquet", compress="zst"), 2.5),
        (Settings(format="csv"), 2.5),
    ],
)
def test_no_job_needs_much_more_than_is_estimated(tmp_path, monkeypatch, settings, ratio):
    """On texts as long as those of articles; a hundredth of the size of a real job, with batches to match."""
    rows = [{**row, "text": row["text"] * 3} for row in news(count=60)]
    source = write_jsonl(tmp_path / "in" / "news.jsonl", rows)
    monkeypatch.setattr(LocalEngine, "batch_bytes", 40_000)
    monkeypatch.setattr("dedup.preparation.has_room_to_keep", lambda *_: False)
    most = 0

    def progress(*_):
        nonlocal most
        files = (path for path in (tmp_path / "place").rglob("*") if path.is_file())
        most = max(most, sum(path.stat().st_size for path in files))

    (tmp_path / "place").mkdir()
    dedup.clean(source, tmp_path / "place" / "out", settings, progress=progress)
    needed = disk_space.needed_bytes(source.stat().st_size, settings)
    assert needed == int(source.stat().st_size * ratio)
    assert 0.2 * needed < most < 2 * needed


def test_the_size_of_compressed_inputs_is_estimated(tmp_path):
    import gzip  # noqa: PLC0415

    from dedup.read.other_corpora import open_records  # noqa: PLC0415

    data = b'{"text": "x"}\n' * 100
    (tmp_path / "a.jsonl").write_bytes(data)
    packed = gzip.compress(data)
    (tmp_path / "b.jsonl.gz").write_bytes(packed)
    reader, _ = open_records([tmp_path], None, Settings(), 1 << 20, (), None)
    assert reader.estimated_bytes == len(data) + 3 * len(packed)
