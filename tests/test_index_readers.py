"""Readers of an index see it as it was at one moment, while another process removes articles and compacts."""

from __future__ import annotations

import shutil
import subprocess
import sys

import numpy as np
import pytest

import dedup
from dedup.errors import IndexFolderError
from dedup.index import readers
from dedup.index.manifest import read_manifest
from dedup.index.readers import open_index
from dedup.index.session import find_indexed
from dedup.index.upkeep import compact_index, index_stats, merge_index, remove_articles, verify_index


def articles(*numbers):
    return [{"id": f"a{number}", "text": " ".join(f"w{number}x{place}" for place in range(40))} for number in numbers]


@pytest.fixture
def seen(tmp_path):
    for run in range(3):
        dedup.clean(articles(*range(10 * run, 10 * run + 4)), tmp_path / f"out-{run}", index=tmp_path / "seen")
    return tmp_path / "seen"


def change_after(monkeypatch, *changes):
    """Let each of the first manifests that `open_index` reads be followed by the next of `changes`."""
    waiting = list(changes)

    def read_and_change(folder):
        manifest = read_manifest(folder)
        if waiting:
            waiting.pop(0)(folder)
        return manifest

    monkeypatch.setattr(readers, "read_manifest", read_and_change)


def remove(*names):
    return lambda folder: remove_articles(folder, names)


@pytest.mark.parametrize("changes", [[compact_index], [remove("a0"), compact_index, remove("a10", "a20")]])
@pytest.mark.parametrize(
    "act",
    [
        lambda folder: index_stats(folder)["segments"],
        lambda folder: verify_index(folder) == [],
        lambda folder: merge_index(folder.parent / "other", folder) > 8,
        lambda folder: len(list(find_indexed(folder, {("index/2/input.jsonl", 1), ("index/2/articles", 1)}))) < 2,
        lambda folder: dedup.Index(folder.parent / "online").load(folder) > 8,
    ],
)
def test_a_reader_meets_a_writer(seen, monkeypatch, act, changes):
    dedup.clean(articles(50), seen.parent / "out-other", index=seen.parent / "other")
    change_after(monkeypatch, *changes)
    assert act(seen)


def test_an_open_index_can_be_read_when_its_files_are_deleted(seen):
    opened = open_index(seen)
    compact_index(seen)
    remove_articles(seen, ["index/1", "index/2", "index/3"])
    shutil.rmtree(seen)
    assert [list(reader.problems()) for reader in opened.readers] == [[], [], []]
    assert [sum(batch.num_rows for batch in reader.read_all()) for reader in opened.readers] == [4, 4, 4]
    assert all(len(list(reader.read(np.array([1], np.int64)))) == 1 for reader in opened.readers)


def test_a_name_of_a_segment_that_was_used_again_is_read_again(seen, monkeypatch):
    """Two rewritings can give a segment the name, and the sizes, that an earlier one has had."""
    compact_index(seen)
    change_after(monkeypatch, remove("a0"), remove("a1"))
    opened = open_index(seen)
    assert opened.manifest == read_manifest(seen)
    assert sum(batch.num_rows for batch in opened.readers[0].read_all()) == opened.manifest.segments[0].articles == 10


def test_a_missing_file_is_no_endless_search(seen):
    (seen / "run-000002" / "articles.parquet").unlink()
    assert verify_index(seen) == ["run-000002/articles.parquet: is not there"]
    with pytest.raises(IndexFolderError, match=r"run-000002/articles\.parquet: cannot be read"):
        list(find_indexed(seen, {("x", 1)}))


WRITER = """
import sys
from dedup.index.upkeep import compact_index, remove_articles
for run in (0, 1, 2):
    for number in range(3):
        remove_articles(sys.argv[1], [f"a{10 * run + number}"])
        compact_index(sys.argv[1])
"""


def test_readers_work_while_another_process_writes(seen):
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(seen)])
    seen_counts = []
    while writer.poll() is None:
        seen_counts.append(index_stats(seen)["articles"])
        assert verify_index(seen) == []
    assert writer.returncode == 0
    assert seen_counts == sorted(seen_counts, reverse=True)
    assert index_stats(seen)["articles"] == 3
