"""Names in an index: ids that look like runs, and folders that are called as the sources of known articles are."""

from __future__ import annotations

import json

import pytest
from helpers.command import run_dedup

import dedup
from dedup.errors import IndexFolderError
from dedup.index.upkeep import compact_index, index_stats, remove_articles, verify_index
from dedup.inspect.verify import verify


def story(number):
    return " ".join(f"word{number}x{place}" for place in range(40))


def write(path, numbers, ids=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"id": (ids or {}).get(number, f"a{number}"), "text": story(number)} for number in numbers]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_an_id_that_looks_like_a_run_is_ambiguous(tmp_path):
    seen = tmp_path / "seen"
    dedup.clean(write(tmp_path / "m.jsonl", [0, 1], {1: "index/2"}), tmp_path / "one", index=seen)
    dedup.clean(write(tmp_path / "n.jsonl", [2, 3, 4]), tmp_path / "two", index=seen)
    finished = run_dedup(f"dedup index remove {seen} a0 index/2")
    assert finished.status == 2
    assert finished.stderr == (
        f"dedup: error: {seen}: index/2 is a run and also the id of an article; remove index/1/m.jsonl#1 for the "
        "article, or index/2/ for the run\n"
    )
    assert index_stats(seen)["articles"] == 5
    assert remove_articles(seen, ["index/2/"]) == 3
    assert remove_articles(seen, ["index/1/m.jsonl#1"]) == 1
    assert remove_articles(seen, ["index/1"]) == 1


@pytest.mark.parametrize("is_compact", [False, True])
def test_an_input_folder_may_be_called_index(tmp_path, is_compact):
    seen, folder = tmp_path / "seen", tmp_path / "d"
    write(folder / "index" / "1" / "a.jsonl", [10, 11, 11])
    dedup.clean(write(tmp_path / "first.jsonl", [0]), tmp_path / "one", index=seen)
    dedup.clean(folder, tmp_path / "two", index=seen)
    if is_compact:
        compact_index(seen)
    dedup.clean(write(tmp_path / "c.jsonl", [10, 12]), tmp_path / "three", index=seen)
    assert [verify(tmp_path / name).mismatches for name in ("one", "two", "three")] == [[], [], []]
    (dropped,) = map(json.loads, (tmp_path / "three" / "dropped.jsonl").read_text().splitlines())
    assert dropped["provenance"]["twin"] == "a10"
    assert verify_index(seen) == []
    assert [remove_articles(seen, [name]) for name in ("index/1", "index/2")] == [1, 2]


def test_an_input_with_the_source_of_an_indexed_article_is_refused(tmp_path):
    seen, folder = tmp_path / "seen", tmp_path / "d"
    dedup.clean(write(tmp_path / "a.jsonl", [0, 1]), tmp_path / "one", index=seen)
    write(folder / "index" / "1" / "a.jsonl", [1, 2])
    with pytest.raises(IndexFolderError, match=r"an input and a source in this index have the name index/1/a\.jsonl; "):
        dedup.clean(folder, tmp_path / "two", index=seen)
    assert not (tmp_path / "two").exists()


def test_an_input_folder_may_be_called_against(tmp_path):
    folder = tmp_path / "d"
    write(folder / "against" / "b.jsonl", [1, 2, 2])
    dedup.clean(folder, tmp_path / "out", against=write(tmp_path / "a.jsonl", [0, 1]), index=tmp_path / "seen")
    assert verify(tmp_path / "out").mismatches == []
