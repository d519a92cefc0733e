"""Restoring the original files from outputs."""

from __future__ import annotations

import base64
import bz2
import gzip
import json
import lzma
import os
import shutil
import subprocess
import sys
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

from dedup.errors import DedupError, FindingError, OutputError
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


TEXT = "A line.\r\nAnother, naïve one"
READERS = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}
READERS |= {".zst": lambda data: arrow_decompress(data, "zstd"), ".lz4": lambda data: arrow_decompress(data, "lz4")}


def arrow_decompress(data: bytes, codec: str) -> bytes:
    with pa.CompressedInputStream(pa.BufferReader(data), codec) as stream:
        return bytes(stream.read())


@pytest.mark.parametrize("suffix", READERS)
def test_every_compression_is_restored(suffix: str, tmp_path: Path) -> None:
    articles = [
        InputArticle(f"a.JL{suffix}", 2, {"id": "one", "text": TEXT}),
        InputArticle(f"crawl.zip/deep/a.txt{suffix}", 0, {"id": "crawl.zip/deep/a", "text": TEXT}),
    ]
    out = write_output(tmp_path / "out", articles)
    restore(out, tmp_path / "again")
    unpack = READERS[suffix]
    lines = unpack((tmp_path / "again" / f"a.JL{suffix}").read_bytes()).split(b"\n")
    assert [lines[:2], json.loads(lines[2]), lines[3:]] == [[b"", b""], articles[0].fields, [b""]]
    assert unpack((tmp_path / "again" / "crawl.zip" / "deep" / f"a.txt{suffix}").read_bytes()) == TEXT.encode()


def test_sources_of_other_kinds_come_back_as_json_lines(tmp_path: Path) -> None:
    kinds = ["a.csv", "b.json.gz", "c.tar/x.parquet", "news.db#articles", "https://host/a.csv?page=1", "plain", "t.log"]
    articles = [InputArticle(name, 0, {"id": name, "text": TEXT}) for name in kinds]
    quarantined = [
        {"source": "a.csv", "record": 1, "error": "torn", "raw": 'x,"\ny', "encoding": "utf-8"},
        {
            "source": "a.csv",
            "record": 2,
            "error": "bad",
            "raw": base64.b64encode(b"\xff").decode(),
            "encoding": "base64",
        },
    ]
    out = write_output(
        tmp_path / "out", articles, quarantined, keys={"t.log": {"format": "txt"}, "plain": {"format": "csv"}}
    )
    restore(out, tmp_path / "again")
    folder = tmp_path / "again"
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    targets = {name: "t.log" if name == "t.log" else str(Path(f"{name}.jsonl")) for name in kinds}
    assert names == sorted(targets.values())
    for article in articles:
        data = (folder / targets[article.source]).read_bytes()
        if article.source == "t.log":
            assert data == TEXT.encode()
        else:
            assert json.loads(data.split(b"\n")[0]) == article.fields
    lines = (folder / "a.csv.jsonl").read_bytes().split(b"\n")
    assert [json.loads(lines[1]), *lines[2:]] == ['x,"\ny', b"\xff", b""]  # one line for each record


def test_a_text_file_comes_back_in_its_charset(tmp_path: Path) -> None:
    articles = [
        InputArticle("a.txt", 0, {"id": "a", "text": TEXT}),
        InputArticle("-", 0, {"id": "-", "text": "\ufeffx"}),
    ]
    keys = {"a.txt": {"charset": "cp1252"}, "-": {"format": "txt", "charset": "utf-16-le"}}
    restore(write_output(tmp_path / "out", articles, keys=keys), tmp_path / "again")
    assert (tmp_path / "again" / "a.txt").read_bytes() == TEXT.encode("cp1252")
    assert (tmp_path / "again" / "stdin.txt").read_bytes() == b"\xff\xfex\0"


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (["a.csv", "a.csv.jsonl"], r"'a\.csv' and 'a\.csv\.jsonl' would be one file a\.csv\.jsonl"),
        (["-", "stdin.jsonl"], r"'-' and 'stdin\.jsonl' would be one file"),
        (["a.jsonl", "a.jsonl/b.txt"], r"'a\.jsonl' would be a file where 'a\.jsonl/b\.txt' needs a folder"),
    ],
)
def test_sources_whose_files_would_clash_are_named(sources: list[str], message: str, tmp_path: Path) -> None:
    out = write_output(tmp_path / "out", [InputArticle(source, 0, {"id": source, "text": "x"}) for source in sources])
    with pytest.raises(OutputError, match=message):
        restore(out, tmp_path / "again")
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("number", [0, 2])
def test_a_text_with_another_hash_is_not_restored(number: int, plain: Path, tmp_path: Path) -> None:
    table, row = ("articles", 0) if number == 0 else ("dropped", 0)
    change_row(table, row, text="forged")(plain)
    with pytest.raises(FindingError, match=r"a\.jsonl#\d: its text is not that of the input: another sha256"):
        restore(plain, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_restore_errors_are_one_line(plain: Path) -> None:
    change_row("articles", 0, text="edited\nsince")(plain)
    change_row("provenance", 0, record=2)(plain)
    with pytest.raises(DedupError) as caught:
        restore(plain, plain.parent / "again")
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.name != "posix", reason="asks the system about a process")
def test_what_a_killed_restore_has_left_is_deleted_by_the_next(plain: Path, tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for name in (f".again.{ended.pid}.partial", f".again.{os.getppid()}.partial", ".again.x.partial"):
        (tmp_path / name / "part").mkdir(parents=True)
    restore(plain, tmp_path / "again")
    left = {path.name for path in tmp_path.iterdir()} - {"out"}
    assert left == {"again", f".again.{os.getppid()}.partial", ".again.x.partial"}
