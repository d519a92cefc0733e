"""A damaged file of an index is found by `verify`, and never changes what a run gives: it fails with one line."""

from __future__ import annotations

import random
import shutil

import pytest
from helpers.command import run_dedup

import dedup
from dedup.errors import IndexFolderError
from dedup.index.upkeep import index_stats, verify_index

PARQUET = ("articles.parquet", "postings.parquet", "site_text.parquet")
MENU = "Home of the daily news"


def pages(*numbers, lines=(MENU,)):
    return [
        {
            "id": f"p{number}",
            "url": f"https://a.test/{number}",
            "text": "\n\n".join([*lines, " ".join(f"word{number}x{place}" for place in range(40))]),
        }
        for number in numbers
    ]


def files_of(folder):
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in ("run.log.json", "lock"))
    return {path.relative_to(folder): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder with an index of two runs, `seen`, and the output of a third on a copy of it, `out`."""
    folder = tmp_path_factory.mktemp("whole")
    dedup.clean(pages(*range(6)), folder / "one", index=folder / "seen")
    dedup.clean(pages(*range(4, 9)), folder / "two", index=folder / "seen")
    shutil.copytree(folder / "seen", folder / "again" / "seen")
    dedup.clean(pages(3, 8, 20), folder / "again" / "out", index=folder / "again" / "seen")
    return folder


def flipped(data, chance):
    place, bits = chance.randrange(len(data)), chance.randrange(1, 256)
    return data[:place] + bytes([data[place] ^ bits]) + data[place + 1 :]


def result_of(work, folder):
    """The files that the third run gives on the index in `folder`; None if it refuses, in one line."""
    try:
        dedup.clean(pages(3, 8, 20), work / "out", index=folder, force=True)
    except IndexFolderError as error:
        problem = str(error)
    else:
        return files_of(work / "out")
    assert len(problem.splitlines()) == 1
    return None


@pytest.mark.parametrize("seed", range(4))
def test_flipped_bytes_are_found_and_change_no_result(whole, tmp_path, seed):
    chance = random.Random(seed)
    expected = files_of(whole / "again" / "out")
    names = sorted(files_of(whole / "seen"))
    refused = 0
    for number in range(50):
        folder = tmp_path / "seen"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(whole / "seen", folder)
        path = folder / names[number % len(names)]
        path.write_bytes(flipped(path.read_bytes(), chance))
        try:
            problems = verify_index(folder)
        except IndexFolderError as error:
            problems = [str(error)]
        assert [path.name in problem for problem in problems] == [True], path
        found = result_of(tmp_path, folder)
        assert found in (None, expected), path
        refused += found is None
    assert refused > 25


@pytest.mark.parametrize("name", PARQUET)
@pytest.mark.parametrize("damage", ["missing", "empty", "half", "longer", "zeros", "folder", "of another run"])
def test_a_damaged_file_is_one_line(whole, tmp_path, name, damage):
    folder = tmp_path / "seen"
    shutil.copytree(whole / "seen", folder)
    path = folder / "run-000001" / name
    data = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage == "of another run":
        shutil.copy(folder / "run-000002" / name, path)
    elif damage != "missing":
        path.write_bytes(
            {"empty": b"", "half": data[: len(data) // 2], "longer": data + b"x", "zeros": b"\0" * 99}[damage]
        )
    finished = run_dedup(f"dedup index verify {folder}")
    assert (finished.status, finished.stdout.count("\n"), f"run-000001/{name}: " in finished.stdout) == (1, 1, True)
    with pytest.raises(IndexFolderError, match=rf"{name}: cannot be read \(.*\); restore it, or build the index again"):
        dedup.clean(pages(3, 8, 20), tmp_path / "out", index=folder)
    assert not (tmp_path / "out").exists()
    if name == "site_text.parquet":
        with pytest.raises(IndexFolderError, match="cannot be read"):
            index_stats(folder)
