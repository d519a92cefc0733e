"""Full disks and closed streams: one line, no traceback, status 0 only where the output is written."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.news import news

DEDUP = [sys.executable, "-m", "dedup"]
FULL = Path("/dev/full")


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in news(count=60)))
    return path


def run_in_shell(command, folder):
    """Run a command of the shell in which `dedup` is this one; return its status and what it wrote to stderr."""
    program = f'dedup() {{ "{sys.executable}" -m dedup "$@"; }}; {command}'
    done = subprocess.run(["bash", "-c", program], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def is_one_line(errors):
    return errors.startswith("dedup: error: ") and errors.count("\n") == 1


@pytest.mark.fault(
    "closed or full standard streams", "one line; status 0 only where the output is written and all is said"
)
@pytest.mark.slow
@pytest.mark.usefixtures("source")
@pytest.mark.parametrize(
    ("command", "status", "message"),
    [
        ("dedup clean - -o out <&-", 2, "standard input is closed"),
        ("dedup clean a.jsonl -o out -q <&-", 0, ""),
        ("dedup clean a.jsonl -o - -q >&-", 2, "standard output is closed"),
        ("dedup check a.jsonl -q >&-", 2, "standard output is closed"),
        ("dedup clean a.jsonl -o out -q --json >&-", 2, "standard output is closed"),
        ("dedup clean a.jsonl -o out -q >&-", 0, ""),
        ("dedup clean a.jsonl -o out 2>&-", 0, ""),
        ("dedup clean missing -o out 2>&-", 2, ""),
        ("dedup clean a.jsonl -o out <&- >&- 2>&-", 0, ""),
        ("dedup clean a.jsonl -o - -q >/dev/full", 2, "No space left"),
        ("dedup check a.jsonl -q >/dev/full", 2, "No space left"),
        ("dedup --help >/dev/full", 2, "No space left"),
        ("dedup clean a.jsonl -o out 2>/dev/full", 2, ""),
    ],
)
def test_closed_and_full_streams_are_one_line(tmp_path, command, status, message):
    if "/dev/full" in command and not FULL.exists():
        pytest.skip("there is no /dev/full")
    got, errors = run_in_shell(command, tmp_path)
    assert got == status, errors
    assert (is_one_line(errors) and message in errors) if message else errors == ""
    if status == 0:
        assert {path.name for path in (tmp_path / "out").iterdir()} >= {"run.json", "articles.jsonl"}
        if "<&- >&-" not in command:
            assert run_in_shell("dedup verify out -q", tmp_path) == (0, ""), "no message went into a file of the output"
    assert not (tmp_path / ".out.dedup").exists()


def clean_with(source, folder, *options, limit=None, **env):
    return subprocess.run(
        [*DEDUP, "clean", source, "-o", folder / "out", "-q", *options],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **env},
        preexec_fn=(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) if limit else None,
    )


@pytest.mark.fault("files that must not grow", "one line, no output")
@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--format", "parquet"), ("--format", "csv"), ("--compress", "zst")])
def test_a_file_that_must_not_grow_is_one_line(tmp_path, source, options):
    statuses = []
    for limit in (1000, 20_000, 10_000_000):
        done = clean_with(source, tmp_path, *options, limit=limit)
        statuses.append(done.returncode)
        assert (tmp_path / "out").exists() == (done.returncode == 0)
        assert done.stderr == "" if done.returncode == 0 else is_one_line(done.stderr), done.stderr
        assert not (tmp_path / ".out.dedup").exists()
        if done.returncode == 0:
            break
    assert statuses[0] == 2
    assert statuses[-1] == 0


@pytest.mark.fault("a full disk", "one line, no output, the earlier one stays; a larger job can be resumed")
@pytest.mark.slow
def test_a_full_disk_is_one_line_and_leaves_the_earlier_output(tmp_path, source):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "none", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted")
    try:
        assert clean_with(source, disk, "--compress", "zst").returncode == 0
        before = {path.name: path.read_bytes() for path in (disk / "out").iterdir()}
        (disk / "filler").write_bytes(b"x" * (120 << 10))
        for options in ((), ("--format", "parquet"), ("--format", "csv"), ("--jobs", "2")):
            done = clean_with(source, disk, "--force", *options)
            assert done.returncode == 2
            assert is_one_line(done.stderr), done.stderr
            assert {path.name: path.read_bytes() for path in (disk / "out").iterdir()} == before
            assert sorted(path.name for path in disk.iterdir()) == ["filler", "out"]
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.slow
def test_a_folder_without_a_home_gets_none(tmp_path, source):
    done = subprocess.run(
        [*DEDUP, "clean", source, "-o", "out", "-q"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        env={**os.environ, "HOME": "/nonexistent"},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "out"]
