"""A run that is interrupted is continued: the same bytes, from what is undamaged and made for the same job."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys

import pytest
from conftest import write_jsonl
from helpers.forked import KilledAt, run_forked
from helpers.news import bytes_of, news

import dedup
from dedup import DedupError, LocalEngine, OutputError, RecordError, Settings
from dedup.match import own_text
from dedup.prepare import stored_batch
from dedup.prepare.store import read_origin
from dedup.runtime.progress import StageTimer
from dedup.write import destination, replacement
from dedup.write.run_folder import owned_run_folder, run_folder
from dedup.write.table_files import Writer

BATCH_BYTES = 12_000
ARTICLES = news(count=90)  # six batches

# Where a run is killed: before each stage, batch, chunk of lines, and step of the replacement.
BOUNDARIES = [
    (StageTimer, "stage"),
    (stored_batch, "store_batch"),
    (own_text, "store_changed_batch"),
    (Writer, "write"),
    (Writer, "finish"),
    *((replacement.FileOperations, name) for name in ("rename", "exchange", "remove")),
    (shutil, "rmtree"),
]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    """Let small corpora have several batches that are worth keeping."""
    monkeypatch.setattr(LocalEngine, "batch_bytes", BATCH_BYTES)
    monkeypatch.setattr(destination, "_LEAST_WORK", 1)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_jsonl(tmp_path_factory.mktemp("in") / "news.jsonl", ARTICLES)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, source):
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    dedup.clean(source, out)
    return bytes_of(out)


def clean(source, out, settings=None, **options):
    """Clean with `resume`, and return the lines that it says about that."""
    lines = []
    dedup.clean(source, out, settings, engine=LocalEngine(resume=True, **options), notice=lines.append)
    return [line.removeprefix("resume: ") for line in lines if line.startswith("resume: ")]


class InterruptedHereError(Exception):
    """An error that ends a run in the middle."""


def interrupt(source, out, settings=None, *, batches=4):
    """Run until so many batches are prepared, and end with an error; return the files of the batches."""
    made = []

    def store(*args):
        if len(made) == batches:
            raise InterruptedHereError
        made.append(store_batch(*args))
        return made[-1]

    store_batch = stored_batch.store_batch
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_batch, "store_batch", store)
        with pytest.raises(InterruptedHereError) as caught:
            dedup.clean(source, out, settings)
    assert caught.value.__notes__ == ["`resume=True` continues from what is finished"]
    assert sorted((run_folder(out) / "work").iterdir()) == made
    return made


@pytest.mark.fault(
    "`kill -9` before each stage, batch, chunk of lines and step of the replacement, then `--resume`",
    "the same bytes, from all batches that were finished",
)
@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_kill_at_every_boundary_is_continued_with_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(LocalEngine, "batch_bytes", 4_000)
    source, out = write_jsonl(tmp_path / "in" / "news.jsonl", ARTICLES[:18]), tmp_path / "place" / "out"
    dedup.clean(source, tmp_path / "undisturbed")
    undisturbed = bytes_of(tmp_path / "undisturbed")
    last, statuses, used = 0, [], []
    while 0 not in statuses:
        with KilledAt(last, BOUNDARIES):
            statuses.append(run_forked(lambda: dedup.clean(source, out)))
        assert statuses[-1] in {0, -9}
        if out.exists():  # it was killed when the output was in place
            assert bytes_of(out) == undisturbed
            shutil.rmtree(out)
        used += clean(source, out)[:1]
        assert bytes_of(out) == undisturbed, last
        assert [path.name for path in out.parent.iterdir()] == ["out"]
        shutil.rmtree(out)
        last += 1
    assert len(statuses) > 20
    assert {line.partition(" ")[0] for line in used} == {"no", "1", "2", "3", "4"}, "more and more batches are used"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_continued_run_that_is_killed_is_continued_itself(tmp_path, source, undisturbed):
    out, used = tmp_path / "out", []
    for batches in (1, 2, 2):
        with KilledAt(batches, [(stored_batch, "store_batch")]):
            assert run_forked(lambda: clean(source, out)) == -9
    used = clean(source, out)
    assert used == ["5 prepared batches of the interrupted run are there"]
    assert bytes_of(out) == undisturbed


def test_a_run_without_resume_deletes_what_an_earlier_one_left(tmp_path, source, undisturbed):
    interrupt(source, tmp_path / "out")
    dedup.clean(source, tmp_path / "out")
    assert bytes_of(tmp_path / "out") == undisturbed
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_resume_without_an_interrupted_run_starts_from_the_beginning(tmp_path, source, undisturbed):
    assert clean(source, tmp_path / "out") == [
        "no interrupted run has left batches for this output; starting from the beginning"
    ]
    assert bytes_of(tmp_path / "out") == undisturbed


def flip(path, place):
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= 1 << place % 8
    path.write_bytes(data)


def swap(first, second):
    first_data = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(first_data)


DAMAGES = [
    ("a flipped bit", lambda paths: flip(paths[1], random.Random(1).randrange(10_000)), "1 damaged"),
    ("a flipped bit at the beginning", lambda paths: flip(paths[0], 0), "1 damaged"),
    ("a flipped bit at the end", lambda paths: flip(paths[3], -1), "1 damaged"),
    ("an empty file", lambda paths: paths[2].write_bytes(b""), "1 damaged"),
    ("half a file", lambda paths: paths[2].write_bytes(paths[2].read_bytes()[:999]), "1 damaged"),
    ("a longer file", lambda paths: paths[2].write_bytes(paths[2].read_bytes() + b"\0"), "1 damaged"),
    ("files swapped", lambda paths: swap(paths[0], paths[1]), "2 damaged"),
    ("all files damaged", lambda paths: [flip(path, 5_000) for path in paths], "4 damaged"),
    ("no batch at all, with its checksum", lambda paths: (paths[0].parent / "00000009-00000000.arrow").touch(), "1 d"),
]


@pytest.mark.fault("a batch that is left is flipped or cut", "it is made again, a line says so; the same bytes")
@pytest.mark.parametrize(("damage", "said"), [row[1:] for row in DAMAGES], ids=[row[0] for row in DAMAGES])
def test_damaged_batches_are_made_again(tmp_path, source, undisturbed, damage, said):
    damage(interrupt(source, tmp_path / "out"))
    [line] = clean(source, tmp_path / "out")
    assert f"made again: {said}" in line
    assert bytes_of(tmp_path / "out") == undisturbed


def renumber(paths):
    """Give each file the number of the next one: whole, but not what its name says."""
    for path in reversed(paths):
        path.rename(path.with_name(f"{int(path.name[:8]) + 1:08d}{path.name[8:]}"))


def duplicate(paths):
    shutil.copy(paths[0], paths[0].with_name(f"{1:08d}{paths[0].name[8:]}"))


@pytest.mark.fault(
    "a batch that is left is renumbered or duplicated", "it is made again where it has to be; the same bytes"
)
@pytest.mark.parametrize(("change", "again"), [(renumber, 4), (duplicate, 0)])
def test_batches_in_the_wrong_place_are_made_again(tmp_path, source, undisturbed, change, again):
    change(interrupt(source, tmp_path / "out"))
    lines = clean(source, tmp_path / "out")
    assert len(lines) == (2 if again else 1)
    assert f"{again} of 4 batches were not used" in lines[-1] or not again
    assert bytes_of(tmp_path / "out") == undisturbed


@pytest.mark.fault("foreign files among the batches that are left", "they are deleted; the same bytes")
def test_files_that_are_no_batches_are_deleted(tmp_path, source, undisturbed):
    work = interrupt(source, tmp_path / "out")[0].parent
    (work / "folder").mkdir()
    (work / "folder" / "file").touch()
    (work / "00000001-12345678.partial").touch()
    (work / "link").symlink_to(source)
    (run_folder(tmp_path / "out") / "result").mkdir()
    (run_folder(tmp_path / "out") / "result" / "articles.jsonl").touch()
    assert clean(source, tmp_path / "out") == ["4 prepared batches of the interrupted run are there"]
    assert bytes_of(tmp_path / "out") == undisturbed
    assert source.exists()


@pytest.mark.fault(
    "`--resume` with other settings or another version", "all is made again, a line says so; the bytes of a new run"
)
def test_batches_of_other_settings_and_programs_are_made_again(tmp_path, source, monkeypatch):
    out, chosen = tmp_path / "out", Settings(keep="first")
    interrupt(source, out, Settings(paragraph_threshold=0.7))
    [line] = clean(source, out, chosen)
    assert line == "0 prepared batches of the interrupted run are there; made again: 4 of other settings"
    dedup.clean(source, tmp_path / "undisturbed", chosen)
    assert bytes_of(out) == bytes_of(tmp_path / "undisturbed")
    shutil.rmtree(out)
    interrupt(source, out, chosen)
    for module in ("preparation", "engines.preparation"):
        monkeypatch.setattr(f"dedup.{module}.program_version", lambda: "another")
    [line] = clean(source, out, chosen)
    assert line == "0 prepared batches of the interrupted run are there; made again: 4 of another version"
    assert bytes_of(out) == bytes_of(tmp_path / "undisturbed")


CHANGES = [
    ("an article was edited", lambda rows: rows[20].update(text="Another text.\n\nOf two paragraphs."), 4),
    ("a field was edited without a change of size", lambda rows: rows[20].update(n=99), 1),
    ("an article was added at the end", lambda rows: rows.append({"id": "new", "text": "A new article."}), 0),
    ("an article was added at the beginning", lambda rows: rows.insert(0, {"id": "new", "text": "New."}), 4),
    ("articles were removed", lambda rows: rows.__delitem__(slice(5, None)), 4),
]


@pytest.mark.fault(
    "`--resume` with an input that was changed, at the same size and time",
    "what is affected is made again, a line says so; the bytes of a new run",
)
@pytest.mark.parametrize(("change", "least"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_batches_of_a_changed_input_are_made_again(tmp_path, change, least):
    rows = [dict(row) for row in ARTICLES]
    source = write_jsonl(tmp_path / "news.jsonl", rows)
    interrupt(source, tmp_path / "out")
    stat = source.stat()
    change(rows)
    write_jsonl(source, rows)
    os.utime(source, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # the time tells nothing
    lines = clean(source, tmp_path / "out")
    assert (len(lines) == 2) == bool(least)
    assert not least or int(lines[1].split()[0]) in range(1, least + 1)
    dedup.clean(source, tmp_path / "undisturbed")
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "undisturbed")


@pytest.mark.fault("`--resume` with other `--jobs`, and less memory", "all batches are used; the same bytes")
def test_other_jobs_and_less_memory_use_the_same_batches(tmp_path, source, undisturbed, monkeypatch):
    interrupt(source, tmp_path / "out")
    monkeypatch.setattr(LocalEngine, "batch_bytes", 5_000)
    monkeypatch.setattr("dedup.engines.local.SMALL_BYTES", 0)
    monkeypatch.setattr("dedup.preparation.SMALL_BYTES", 0)
    sizes = []
    monkeypatch.setattr(
        "dedup.preparation.check_corpus",
        lambda corpus, *_: sizes.extend(read_origin(path).batch_bytes for path in corpus.prepared_batches),
    )
    assert clean(source, tmp_path / "out", jobs=2) == ["4 prepared batches of the interrupted run are there"]
    assert sizes[:4] == [BATCH_BYTES] * 4
    assert set(sizes[4:]) == {5_000}
    assert bytes_of(tmp_path / "out") == undisturbed


def test_a_missing_batch_is_made_as_large_as_it_was(tmp_path, source, undisturbed, monkeypatch):
    interrupt(source, tmp_path / "out")[1].unlink()
    monkeypatch.setattr(LocalEngine, "batch_bytes", 5_000)
    assert clean(source, tmp_path / "out") == ["3 prepared batches of the interrupted run are there"]
    assert bytes_of(tmp_path / "out") == undisturbed


def test_batches_that_are_moved_to_another_output_are_used_there(tmp_path, source, undisturbed):
    """A batch depends on records, settings and program alone, so it does not matter which run has made it."""
    interrupt(source, tmp_path / "out")
    run_folder(tmp_path / "out").rename(run_folder(tmp_path / "other"))
    assert clean(source, tmp_path / "other") == ["4 prepared batches of the interrupted run are there"]
    assert bytes_of(tmp_path / "other") == undisturbed


def test_python_objects_and_standard_input_are_continued_if_they_come_again(tmp_path, undisturbed):
    interrupt(iter(ARTICLES), tmp_path / "out")
    assert clean(iter(ARTICLES), tmp_path / "out") == ["4 prepared batches of the interrupted run are there"]
    assert bytes_of(tmp_path / "out")["articles.jsonl"] == undisturbed["articles.jsonl"].replace(b"news.jsonl", b"-")


def test_samples_are_continued(tmp_path, source):
    chosen = Settings(sample=60)
    interrupt(source, tmp_path / "out", chosen, batches=2)
    assert clean(source, tmp_path / "out", chosen) == ["2 prepared batches of the interrupted run are there"]
    dedup.clean(source, tmp_path / "undisturbed", chosen)
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "undisturbed")


def test_without_room_on_the_disk_batches_are_deleted_early(tmp_path, source, undisturbed, monkeypatch):
    left = []
    monkeypatch.setattr("dedup.preparation.free_bytes", lambda _: 100_000)

    def finish(writer):
        left.extend((writer.folder.parent / "work").iterdir())
        return finish_tables(writer)

    finish_tables = Writer.finish
    monkeypatch.setattr(Writer, "finish", finish)
    dedup.clean(source, tmp_path / "out")
    assert left == []
    assert bytes_of(tmp_path / "out") == undisturbed


def test_an_error_of_the_user_keeps_nothing_but_a_bad_record_does(tmp_path, source):
    with pytest.raises(DedupError):
        dedup.clean([{"title": "no text"}] * 3, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    rows = [*ARTICLES, {"id": "bad"}]
    bad = write_jsonl(tmp_path / "bad.jsonl", rows)
    chosen = Settings(on_error="fail")
    with pytest.raises(RecordError) as caught:
        dedup.clean(bad, tmp_path / "out", chosen)
    assert caught.value.__notes__
    rows[-1] = {"id": "good", "text": "It has a text now."}
    write_jsonl(bad, rows)
    assert clean(bad, tmp_path / "out", chosen)[0].startswith("5 prepared batches")
    assert source.exists()


def test_what_is_done_again_at_once_is_not_kept(tmp_path, source, monkeypatch):
    monkeypatch.setattr(destination, "_LEAST_WORK", 1 << 30)
    monkeypatch.setattr(Writer, "finish", lambda _: 1 // 0)
    with pytest.raises(ZeroDivisionError) as caught:
        dedup.clean(source, tmp_path / "out")
    assert not hasattr(caught.value, "__notes__")
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_is_there_is_said_before_anything_is_deleted(tmp_path, source):
    out = tmp_path / "out"
    left = interrupt(source, out)
    shutil.copytree(source.parent, out)
    for engine in (LocalEngine(), LocalEngine(resume=True)):
        with pytest.raises(OutputError, match="exists and is not an output"):
            dedup.clean(source, out, engine=engine)
        assert all(path.exists() for path in left)


def test_a_second_run_takes_nothing_from_a_live_one(tmp_path, source):
    out = tmp_path / "out"
    left = interrupt(source, out)
    with owned_run_folder(out, resume=True):
        for engine in (LocalEngine(), LocalEngine(resume=True)):
            with pytest.raises(OutputError, match=rf"being written by process {os.getpid()} on "):
                dedup.clean(source, out, engine=engine)
    assert all(path.exists() for path in left)


@pytest.mark.slow
def test_the_command_line_resumes(tmp_path, source):
    def run(*options):
        command = [sys.executable, "-m", "dedup", "clean", source, *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    interrupt(source, tmp_path / "out")
    status, errors = run("-o", tmp_path / "out", "--resume")
    assert (status, errors.splitlines()[0]) == (0, "dedup: resume: 4 prepared batches of the interrupted run are there")
    status, errors = run("-o", "-", "--resume")
    assert (status, errors) == (
        2,
        "dedup: error: --resume: standard output leaves nothing to resume; leave it out, or name a folder for --out\n",
    )
    assert json.loads((tmp_path / "out" / "run.json").read_text())["counts"]["records"] == len(ARTICLES)
