"""Restoring the original files from outputs."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from helpers.outputs import (
    CORPUS,
    INPUTS,
    LAYOUTS,
    QUARANTINED,
    InputArticle,
    change_row,
    write_output,
)

from dedup.errors import DedupError, OutputError
from dedup.inspect.restore import restore
from dedup.inspect.verify import verify


@pytest.fixture(params=LAYOUTS, ids="-".join)
def out(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write_output(tmp_path / "out", CORPUS, QUARANTINED, INPUTS, request.param)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return write_output(tmp_path / "out", CORPUS, QUARANTINED, INPUTS)


def test_restore_writes_the_original_files_in_every_layout(out: Path, tmp_path: Path) -> None:
    counts = restore(out, tmp_path / "again")
    assert counts == {"files": 5, "articles": 6, "quarantined": 2}
    folder = tmp_path / "again"
    again = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    assert sorted(again) == sorted(INPUTS)
    lines = again["a.jsonl"].read_text().split("\n")
    assert [lines[1], lines[2], lines[4], lines[6:]] == ['{"id": ', "", "", [""]]
    for article in CORPUS[:3]:
        assert list(json.loads(lines[article.record]).items()) == list(article.fields.items())
    assert gzip.decompress(again["b/taji.txt.gz"].read_bytes()).decode() == CORPUS[3].fields["text"]
    assert again["bad.txt"].read_bytes() == b"\xff\xfe\r\n"
    assert again["empty.jsonl"].read_bytes() == b""
    with pa.input_stream(str(again["c.ndjson.zst"]), compression="zstd") as stream:
        assert [json.loads(line) for line in stream.read().splitlines()] == [article.fields for article in CORPUS[4:]]


@pytest.mark.parametrize(
    "source", ["/tmp/evil.jsonl", "../evil.jsonl", "a/../../evil.jsonl", "", "nul\0.jsonl"], ids=ascii
)
def test_restore_never_writes_outside_its_folder(tmp_path: Path, source: str) -> None:
    out = write_output(tmp_path / "out", [InputArticle(source, 0, {"text": "x"})])
    with pytest.raises(OutputError, match="leads out of the folder"):
        restore(out, tmp_path / "again")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_restore_needs_a_new_or_empty_folder_or_force(plain: Path, tmp_path: Path) -> None:
    folder = tmp_path / "again"
    folder.mkdir()
    (folder / "mine.md").write_text("mine")
    (folder / "a.jsonl").write_text("old")
    with pytest.raises(OutputError, match="`force=True`"):
        restore(plain, folder)
    restore(plain, folder, force=True)
    assert (folder / "mine.md").read_text() == "mine"
    assert (folder / "a.jsonl").read_text() != "old"
    shutil.rmtree(folder)
    folder.mkdir()
    restore(plain, folder)
    with pytest.raises(OutputError, match="inside the output"):
        restore(plain, plain / "again")


def test_restore_with_force_does_not_follow_links_out_of_its_folder(tmp_path: Path) -> None:
    out = write_output(tmp_path / "out", [InputArticle("sub/a.jsonl", 0, {"text": "x"})])
    (tmp_path / "outside").mkdir()
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "sub").symlink_to(tmp_path / "outside")
    with pytest.raises(OutputError, match="link"):
        restore(out, tmp_path / "again", force=True)
    assert list((tmp_path / "outside").iterdir()) == []


def test_standard_input_is_restored_to_a_named_file(tmp_path: Path) -> None:
    out = write_output(tmp_path / "out", [InputArticle("-", 0, {"text": "piped"})])
    restore(out, tmp_path / "again")
    assert (tmp_path / "again" / "stdin.jsonl").read_text() == '{"text":"piped"}\n'


def test_lone_surrogates_are_restored(tmp_path: Path) -> None:
    fields = {"id": "s", "text": "lone \ud800 here", "k\udfff": "\udc00"}
    out = write_output(tmp_path / "out", [InputArticle("caf\udce9.jsonl", 0, fields)])
    assert verify(out).mismatches == []
    restore(out, tmp_path / "again")
    (path,) = (tmp_path / "again").iterdir()
    assert path.name == "caf\udce9.jsonl"
    assert json.loads(path.read_bytes()) == fields


def test_restore_errors_are_one_line(plain: Path) -> None:
    change_row("articles", 0, text="edited\nsince")(plain)
    change_row("provenance", 0, record=2)(plain)
    with pytest.raises(DedupError) as caught:
        restore(plain, plain.parent / "again")
    assert "\n" not in str(caught.value)
