"""The same bytes, however a job is carried out: processes, memory, files, compression, compiled or not."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys

import pytest
from conftest import read_jsonl, write_jsonl
from test_pipeline import bytes_of, news

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
    """Articles enough for compiled functions and several processes."""
    made = news(count=ARTICLES)
    assert sum(len(row["text"]) for row in made) > 2 << 20
    return made


@pytest.fixture(scope="module")
def expected(rows, tmp_path_factory):
    """A corpus in one file, and the output of a job with every default."""
    folder = tmp_path_factory.mktemp("matrix")
    source = write_jsonl(folder / "news.jsonl", rows)
    return source, clean(source, folder / "out")


@pytest.mark.parametrize("label", OPTIONS)
def test_processes_and_memory_change_no_byte(expected, tmp_path, label):
    source, out = expected
    assert bytes_of(clean(source, tmp_path / "out", *OPTIONS[label])) == bytes_of(out)


def test_without_compiled_functions_not_a_byte_changes(expected, tmp_path):
    source, out = expected
    code = "import dedup.engines.local as local, sys; local.SMALL_BYTES = 1 << 30; dedup.clean(*sys.argv[1:])"
    subprocess.run([sys.executable, "-c", f"import dedup; {code}", source, tmp_path / "out"], check=True)
    assert bytes_of(tmp_path / "out") == bytes_of(out)


def test_other_files_and_compression_change_the_places_and_nothing_else(rows, expected, tmp_path):
    for start in range(0, len(rows), 400):
        data = "".join(json.dumps(row) + "\n" for row in rows[start : start + 400]).encode()
        packed = start % 800 == 0
        (tmp_path / "cut").mkdir(exist_ok=True)
        path = tmp_path / "cut" / f"{start:05d}.jsonl{'.gz' if packed else ''}"
        path.write_bytes(gzip.compress(data) if packed else data)
    out = clean(tmp_path / "cut", tmp_path / "out")
    for table in ("articles", "dropped", "provenance"):
        assert [placeless(row) for row in read_jsonl(out / f"{table}.jsonl")] == [
            placeless(row) for row in read_jsonl(expected[1] / f"{table}.jsonl")
        ]


def placeless(row):
    """A row without the names and numbers of files and records."""
    places = {"source", "record", "twin_source", "twin_record"}
    row = {name: value for name, value in row.items() if name not in places}
    if "provenance" in row:
        row["provenance"] = {name: value for name, value in row["provenance"].items() if name not in places}
    return row
