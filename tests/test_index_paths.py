"""An index and its outputs are found again through links to folders, and where a run was killed meanwhile."""

from __future__ import annotations

import json
import os

import pytest

import dedup
from dedup.errors import IndexFolderError
from dedup.index.session import IndexSession
from dedup.index.upkeep import index_stats
from dedup.inspect.verify import verify
from dedup.runtime.paths import path_below, path_from


def write(path, numbers):
    rows = [{"id": f"a{number}", "text": " ".join(f"w{number}x{place}" for place in range(40))} for number in numbers]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def linked(tmp_path, monkeypatch):
    """A folder with `link`, which stands for the folder `store/deep/x`."""
    (tmp_path / "store" / "deep" / "x").mkdir(parents=True)
    (tmp_path / "link").symlink_to("store/deep/x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


class KilledError(Exception):
    """Stands for the end of a process between the replacement of the output and that of the manifest."""


def killed(_session):
    raise KilledError


@pytest.mark.parametrize(("out", "index"), [("out", "link/seen"), ("link/out", "seen"), ("link/out", "link/seen")])
def test_a_killed_run_counts_by_any_path(linked, monkeypatch, out, index):
    write(linked / "m.jsonl", range(3))
    with monkeypatch.context() as patch:
        patch.setattr(IndexSession, "commit", killed)
        with pytest.raises(KilledError):
            dedup.clean("m.jsonl", out, index=index)
    paths = {index, index.replace("link", "store/deep/x"), str(linked / index), os.path.realpath(index)}
    assert {index_stats(path)["articles"] for path in paths} == {3}
    with pytest.raises(IndexFolderError, match="its articles, of"):
        dedup.clean("m.jsonl", out, index=os.path.realpath(index), force=True)


def test_twins_are_found_from_an_output_in_a_linked_folder(linked):
    write(linked / "old.jsonl", range(3))
    write(linked / "more.jsonl", [5])
    dedup.clean("old.jsonl", "first", index="seen")
    (linked / "named.jsonl").symlink_to("more.jsonl")
    dedup.clean(write(linked / "new.jsonl", [2, 3, 5]), "link/out", index="seen", against="named.jsonl")
    run = json.loads((linked / "link" / "out" / "run.json").read_bytes())
    assert (run["index"]["given"], run["against"]["given"]) == ("../../../../seen", ["../../../../named.jsonl"])
    for out in ("link/out", "store/deep/x/out"):
        assert verify(out).mismatches == []


def test_a_path_leads_back_to_where_it_comes_from(linked):
    (linked / "store" / "there").symlink_to("deep")
    for folder in ("link", "store/there/none", "store/deep", "."):
        for path in ("seen", "link/seen", "store/there/x/seen", "store/none/seen", ".."):
            assert os.path.realpath(path_below(folder, path_from(folder, path))) == os.path.realpath(path)
    assert path_from("link", "store/there") == "../../there"
