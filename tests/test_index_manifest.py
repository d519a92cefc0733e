"""The two JSON files of an index are what dedup has written, or one line says which is not, and what to do."""

from __future__ import annotations

import copy
import json
import shutil
import tempfile
from pathlib import Path

import pytest
from helpers.command import run_dedup
from hypothesis import example, given, settings
from hypothesis import strategies as st

import dedup
from dedup.errors import IndexFolderError
from dedup.index.session import IndexSession, index_session
from dedup.index.upkeep import compact_index, index_stats, verify_index
from dedup.settings import Settings
from dedup.write.seal import sealed_json

DIGEST = "0" * 64


class KilledError(Exception):
    """Stands for the end of a process."""


def killed(_session):
    raise KilledError


def articles(*numbers):
    return [{"id": f"a{number}", "text": " ".join(f"w{number}x{place}" for place in range(40))} for number in numbers]


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """A folder with an index of two runs, of which the second was killed when its output was in its place."""
    folder = tmp_path_factory.mktemp("interrupted")
    dedup.clean(articles(0, 1), folder / "one", index=folder / "seen")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(IndexSession, "commit", killed)
        with pytest.raises(KilledError):
            dedup.clean(articles(1, 2), folder / "two", index=folder / "seen")
    return folder


def contents_of(path):
    contents = json.loads(path.read_bytes())
    del contents["sha256"]
    return contents


def use(folder):
    """Do all that reads the manifest of an index."""
    index_stats(folder)
    problems = verify_index(folder)
    with index_session(folder, Settings()) as session:
        session.known_lines()
    compact_index(folder)
    return problems


def places(value, path=()):
    """Every place in a JSON value, as the keys that lead there."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(-2, 2) | st.floats() | st.text(max_size=5)
    | st.sampled_from(["drop", "0.8", DIGEST, "run-000001", "run-000002", "../one", "a\nb", "\ud800", "\0", 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@st.composite
def changes(draw):
    """A change of a JSON value."""
    number, kind, new = draw(st.integers(0, 10**6)), draw(st.sampled_from(["replace", "delete", "add", "twice"])), JSON
    value, key = draw(new), draw(st.sampled_from(["name", "runs", "x", "a\nb"]))

    def change(contents):
        contents = copy.deepcopy(contents)
        found = list(places(contents))
        *path, last = found[1 + number % (len(found) - 1)]
        owner = contents
        for part in path:
            owner = owner[part]
        if kind == "replace":
            owner[last] = value
        elif kind == "delete":
            del owner[last]
        elif kind == "twice" and isinstance(owner, list):
            owner.append(owner[last])
        elif isinstance(owner, dict):
            owner[key] = value
        return contents

    return change


@pytest.mark.parametrize("name", ["index.json", "pending.json"])
@given(changed=changes())
@settings(max_examples=40, deadline=None)
def test_a_changed_manifest_is_used_or_refused(interrupted, name, changed):
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent, "work")
        shutil.copytree(interrupted, folder)
        path = folder / "seen" / name
        contents = changed(contents_of(path))
        path.write_bytes(sealed_json(contents, ascii_only=True))
        problem = None
        try:
            use(folder / "seen")
        except IndexFolderError as error:
            problem = str(error)
        assert problem is None or len(problem.splitlines()) == 1
        assert (folder / "one" / "run.json").exists()


@given(st.binary(max_size=20) | JSON.map(lambda value: json.dumps(value).encode()))
@example(b"[" * 100_000)
@example(b"\xff\xfe")
@settings(max_examples=50, deadline=None)
def test_another_json_value_is_refused(data):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "lock").touch()
        Path(folder, "index.json").write_bytes(data)
        for act in (index_stats, verify_index, compact_index):
            with pytest.raises(IndexFolderError) as caught:
                act(folder)
            assert len(str(caught.value).splitlines()) == 1


def test_every_changed_byte_is_noticed(interrupted, tmp_path):
    shutil.copytree(interrupted, tmp_path / "work")
    seen = tmp_path / "work" / "seen"
    for name in ("pending.json", "index.json"):
        data = (seen / name).read_bytes()
        for place in range(len(data)):
            (seen / name).write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            with pytest.raises(IndexFolderError, match=f"{name}: "):
                index_stats(seen)
        (seen / name).unlink() if name == "pending.json" else (seen / name).write_bytes(data)
    assert index_stats(seen)["runs"] == 1


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"runs": -1}, "index.json: is not what dedup writes: Expected `int` >= 0 - at `$.runs`; "),
        ({"segments": {}}, "index.json: is not what dedup writes: Expected `array`, got `object` - at `$.segments`; "),
        ({"settings": None}, "index.json: is not what dedup writes: Expected `object`, got `null` - at `$.settings`; "),
        ({"scheme": {"a\nb": 1}}, "this index was made with signature None, not affine32; use that, or another"),
        ({"scheme": {"signature": "a\nb"}}, "made with signature a b, not affine32"),
        ({"scheme": {}}, "this index was made with signature None, not affine32; use that, or another"),
        ({"runs": 0}, "index.json: names a segment of a run that has not been; restore it from a copy, or build "),
        ({"dedup_index": 7}, "written in format 7, this is 1; use the version that wrote it"),
    ],
)  # fmt: skip
def test_a_wrong_part_is_named(interrupted, tmp_path, change, problem):
    shutil.copytree(interrupted / "seen", tmp_path / "seen")
    (tmp_path / "seen" / "pending.json").unlink()
    path = tmp_path / "seen" / "index.json"
    path.write_bytes(sealed_json({**contents_of(path), **change}))
    (tmp_path / "new.jsonl").write_text('{"text": "A text."}\n')
    finished = run_dedup(f"dedup clean {tmp_path}/new.jsonl --index {tmp_path}/seen -o {tmp_path}/out -q")
    assert (finished.status, len(finished.stderr.splitlines())) == (2, 1)
    assert problem in finished.stderr
    assert not (tmp_path / "out").exists()


def test_a_damaged_pending_file_says_what_to_do(interrupted, tmp_path):
    shutil.copytree(interrupted, tmp_path / "work")
    seen = tmp_path / "work" / "seen"
    (seen / "pending.json").write_text("{")
    with pytest.raises(IndexFolderError, match=r"or delete it and repeat the run that was interrupted"):
        index_stats(seen)
    (seen / "pending.json").unlink()
    report = dedup.clean(articles(1, 2), tmp_path / "work" / "two", index=seen, force=True)
    assert (report.counts["kept"], index_stats(seen)["runs"], verify_index(seen)) == (1, 2, [])
