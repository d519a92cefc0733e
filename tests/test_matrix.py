"""The same bytes, however a job runs: processes and how they start, memory, files, compression, compiled or not."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
import subprocess
import sys

import pytest
from conftest import read_jsonl, write_jsonl
from helpers.news import bytes_of, news

from dedup.engines.local import START_VARIABLE, start_method
from dedup.errors import SettingsError

ARTICLES = 3500
OPTIONS = {
    "one process": ["--jobs", "1"],
    "three processes": ["--jobs", "3"],
    "little memory": ["--jobs", "2", "--memory", "64M"],
    "little memory in one process": ["--jobs", "1", "--memory", "64M"],
    "much memory": ["--jobs", "2", "--memory", "8G"],
}


def clean(source, out, *options):
    command = [sys.executable, "-m", "dedup", "clean", source, "-o", out, "--quiet", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"})
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def rows():
    """Enough articles for compiled functions and several processes."""
    articles = news(count=ARTICLES)
    assert sum(len(row["text"]) for row in articles) > 2 << 20
    return articles


@pytest.fixture(scope="module")
def expected(rows, tmp_path_factory):
    """A corpus in one file, and the output of a job with every default."""
    folder = tmp_path_factory.mktemp("matrix")
    source = write_jsonl(folder / "news.jsonl", rows)
    return source, clean(source, folder / "out")


@pytest.mark.slow
@pytest.mark.parametrize("label", OPTIONS)
def test_processes_and_memory_change_no_byte(expected, tmp_path, label):
    source, out = expected
    assert bytes_of(clean(source, tmp_path / "out", *OPTIONS[label])) == bytes_of(out)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_the_way_processes_start_changes_no_byte(expected, tmp_path, monkeypatch, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {method}")
    monkeypatch.setenv(START_VARIABLE, method)
    source, out = expected
    assert bytes_of(clean(source, tmp_path / "out", "--jobs", "2")) == bytes_of(out)


def test_an_unknown_way_to_start_processes_is_an_error(monkeypatch):
    monkeypatch.setenv(START_VARIABLE, "threads")
    with pytest.raises(SettingsError, match=r"DEDUP_START: 'threads' is not known; choose from .*spawn"):
        start_method()


@pytest.mark.slow
def test_plain_functions_change_no_byte(expected, tmp_path):
    source, out = expected
    code = "import dedup.engines.local as local, sys; local.SMALL_BYTES = 1 << 30; dedup.clean(*sys.argv[1:])"
    subprocess.run([sys.executable, "-c", f"import dedup; {code}", source, tmp_path / "out"], check=True)
    assert bytes_of(tmp_path / "out") == bytes_of(out)


@pytest.mark.slow
def test_other_files_and_compression_change_only_sources_and_records(rows, expected, tmp_path):
    for start in range(0, len(rows), 400):
        data = "".join(json.dumps(row) + "\n" for row in rows[start : start + 400]).encode()
        packed = start % 800 == 0
        (tmp_path / "cut").mkdir(exist_ok=True)
        path = tmp_path / "cut" / f"{start:05d}.jsonl{'.gz' if packed else ''}"
        path.write_bytes(gzip.compress(data) if packed else data)
    out = clean(tmp_path / "cut", tmp_path / "out")
    for table in ("articles", "dropped", "provenance"):
        assert [without_places(row) for row in read_jsonl(out / f"{table}.jsonl")] == [
            without_places(row) for row in read_jsonl(expected[1] / f"{table}.jsonl")
        ]


def without_places(row):
    """Return a row without the names and numbers of files and records."""
    places = {"source", "record", "twin_source", "twin_record"}
    row = {name: value for name, value in row.items() if name not in places}
    if "provenance" in row:
        row["provenance"] = {name: value for name, value in row["provenance"].items() if name not in places}
    return row
