"""Inputs: finding and naming files, splitting them into records, and the errors of broken records."""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
import pytest
from conftest import read_jsonl
from hypothesis import example, given
from hypothesis import strategies as st

import dedup
from dedup import InputError, LocalEngine
from dedup.read.hosts import normalize_host
from dedup.read.inputs import find_inputs
from dedup.read.records import RecordReader

GOOD = '{"id": "g", "text": "A good line."}'


def records(paths, **options):
    reader = RecordReader(find_inputs(paths), **options)
    return [tuple(row.values()) for batch in reader for row in batch.to_pylist()], reader


def zstd(data):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("batch_bytes", [1, 10, 1 << 20])
@pytest.mark.parametrize(
    ("label", "data", "expected"),
    [
        ("plain", b"a\nb\n", [(0, b"a"), (1, b"b")]),
        ("no last line end", b"a\nb", [(0, b"a"), (1, b"b")]),
        ("blank lines count but are no records", b"\na\n \nb\n", [(1, b"a"), (3, b"b")]),
        ("Windows line ends", b"a\r\nb\r\n", [(0, b"a"), (1, b"b")]),
        ("byte order mark", b"\xef\xbb\xbfa\n", [(0, b"a")]),
        ("other line separators stay", "a\u2028b\x0bc\n".encode(), [(0, "a\u2028b\x0bc".encode())]),
        ("nothing", b"", []),
    ],
)
def test_a_file_is_split_into_its_lines(tmp_path, label, data, expected, batch_bytes):
    for name, packed in [("x.jsonl", data), ("y.jsonl.gz", gzip.compress(data)), ("z.ndjson.zst", zstd(data))]:
        (tmp_path / name).write_bytes(packed)
        rows, reader = records([tmp_path / name], batch_bytes=batch_bytes)
        assert [(row[2], row[3]) for row in rows] == expected, (label, name)
        assert reader.inputs == [{"source": name, "bytes": len(packed), "sha256": hashlib.sha256(packed).hexdigest()}]


def test_concatenated_gzip_members_and_zstandard_frames_are_one_file(tmp_path):
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b"a\n") + gzip.compress(b"b\n"))
    (tmp_path / "b.jsonl.zst").write_bytes(zstd(b"a\n") + zstd(b"b\n"))
    for name in ("a.jsonl.gz", "b.jsonl.zst"):
        assert [row[3] for row in records([tmp_path / name])[0]] == [b"a", b"b"]


def test_a_damaged_file_yields_what_can_be_read_and_then_an_error(tmp_path):
    lines = b"".join(b'{"id": "%d", "text": "line %d"}\n' % (n, n * n) for n in range(5000))
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(gzip.compress(lines)[:-9000])
    out = tmp_path / "out"
    report = dedup.clean(path, out, engine=LocalEngine(jobs=1))
    quarantine = read_jsonl(out / "quarantine.jsonl")
    assert report.counts["articles"] > 1000
    assert len(quarantine) == 1
    assert "fetch it again" in quarantine[0]["error"]
    assert quarantine[0]["record"] == report.counts["articles"]


def test_folders_are_listed_in_sorted_order_and_other_files_skipped(tmp_path):
    for name in ("b/2.txt", "b/10.txt", "a.jsonl", "README.md", ".hidden/x.txt", "b/.x.txt", "c.TXT"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(GOOD, encoding="utf-8")
    files = find_inputs([tmp_path])
    assert [file.name for file in files.sources] == ["a.jsonl", "b/10.txt", "b/2.txt", "c.TXT"]
    assert [path.rsplit("/", 1)[-1] for path in files.skipped] == ["README.md"]


def test_a_file_reached_twice_counts_once_and_every_name_is_unique(tmp_path):
    for name in ("one/x.jsonl", "two/x.jsonl"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(GOOD, encoding="utf-8")
    inputs = [tmp_path / "one", tmp_path / "one" / "x.jsonl", str(tmp_path / "t*" / "*.jsonl")]
    assert [source.name for source in find_inputs(inputs).sources] == ["one/x.jsonl", "two/x.jsonl"]
    assert [source.name for source in find_inputs([tmp_path / "one"]).sources] == ["x.jsonl"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.jsonl", "no such file or folder"),
        ("*.nothing", "matches nothing"),
        ("empty", "no articles in this folder"),
        ("picture.png", "unknown kind of file"),
    ],
)
def test_an_unusable_input_is_an_error_of_one_line(tmp_path, name, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "picture.png").write_bytes(b"x")
    with pytest.raises(InputError, match=message) as caught:
        find_inputs([tmp_path / name])
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("label", "line", "error"),
    [
        ("no text", b'{"id": 1}', "no text: there is no field 'text' or 'body'"),
        ("null as text", b'{"text": null}', "field 'text' is null, not a text"),
        ("a number as text", b'{"text": 12.5}', "field 'text' is a number, not a text"),
        ("a list of numbers as text", b'{"text": [1]}', "field 'text' is a list, not a text"),
        (
            "an object as text",
            b'{"text": {"x": "a"}}',
            "field 'text' is an object, not a text; name the text inside it",
        ),
        ("not JSON", b"<html>", "not JSON: invalid character"),
        ("cut off", b'{"text": "a', "not JSON: Input data was truncated"),
        ("a key twice", b'{"id": 1, "text": "a", "id": 2}', 'duplicate key "id": only one value can stay'),
        ("a comment", b'{"text": "a" // b', "not JSON: a comment at 13; remove it"),
        ("a trailing comma", b'{"text": "a",}', "not JSON: a trailing comma at 12; remove it"),
        ("single quotes", b"{'text': 'a'}", "not JSON: single quotes at 1; JSON takes double quotes"),
        ("two objects", b'{"text": "a"} {"text": "b"}', "not JSON: trailing characters"),
        ("a list", b'["a"]', "not a JSON object but a list"),
        ("a text", b'"a"', "not a JSON object but a string"),
        (
            "nested too deeply",
            b'{"text": "a", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            "not JSON: nested too deeply",
        ),
        (
            "broken UTF-8",
            b'{"text": "na\xc3\xafve caf\xe9"}',
            "not UTF-8: byte 0xe9 at 20; re-encode it; the rest is UTF-8",
        ),
    ],
)
def test_a_bad_record_is_quarantined_and_the_next_is_read(tmp_path, label, line, error):
    path = tmp_path / "x.jsonl"
    path.write_bytes(line.replace(b"\n", b"") + b"\n" + GOOD.encode() + b"\n")
    out = tmp_path / "out"
    report = dedup.clean(path, out, engine=LocalEngine(jobs=1))
    assert report.counts["kept"] == 1, label
    [row] = read_jsonl(out / "quarantine.jsonl")
    assert row["error"].startswith(error), label
    assert (row["source"], row["record"]) == ("x.jsonl", 0)
    raw = row["raw"].encode() if row["encoding"] == "utf-8" else base64.b64decode(row["raw"])
    assert raw == line


def test_equal_names_of_different_files_are_numbered(tmp_path):
    (tmp_path / "raw\\xff.txt").write_text("One.", encoding="utf-8")
    try:
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/raw\xff.txt"))).write_text("Two.", encoding="utf-8")
    except OSError:
        pytest.skip("this file system takes no such name")
    assert sorted(source.name[-11:] for source in find_inputs([tmp_path]).sources) == ["raw\\xff.txt", "w\\xff.txt~2"]


def test_links_that_are_not_followed_are_listed_as_skipped(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "real").mkdir()
    (tmp_path / "in" / "a.txt").write_text("One.", encoding="utf-8")
    (tmp_path / "in" / "sub").symlink_to(tmp_path / "real")
    (tmp_path / "in" / "broken.txt").symlink_to(tmp_path / "nothing")
    files = find_inputs([tmp_path / "in"])
    assert [file.name for file in files.sources] == ["a.txt"]
    assert [Path(path).name for path in files.skipped] == ["broken.txt", "sub"]


def test_a_glob_skips_other_kinds_and_the_output(tmp_path):
    for name in ("a.txt", "b.png", "-"):
        (tmp_path / name).write_text("One.", encoding="utf-8")
    (tmp_path / "out").mkdir()
    files = find_inputs([str(tmp_path / "*")], ignore=tmp_path / "out")
    assert [file.name for file in files.sources] == ["a.txt"]
    with pytest.raises(InputError, match="is the output itself; leave it out, or choose another folder for `out`"):
        find_inputs([tmp_path / "a.txt", tmp_path / "out"], ignore=tmp_path / "out")


@pytest.mark.parametrize("inputs", [[], [""], ["corpus", " "]])
def test_an_empty_name_is_an_error(inputs):
    with pytest.raises(InputError, match="give files, folders, globs"):
        find_inputs(inputs)


def test_values_beside_a_lone_surrogate_keep_their_bytes(tmp_path):
    line = '{"text":"a \\ud83d b","n":1e400,"k\\ud800":0.12345678901234567890,"o":{"x":  [1]}}'
    (tmp_path / "x.jsonl").write_text(line, encoding="utf-8")
    dedup.clean(tmp_path / "x.jsonl", tmp_path / "out", engine=LocalEngine(jobs=1))
    written = (tmp_path / "out" / "articles.jsonl").read_text(encoding="utf-8")
    assert '"n":1e400,"k\\ud800":0.12345678901234567890,"o":{"x":  [1]}' in written


def test_parquet_quarantines_lone_surrogates(tmp_path):
    lines = ['{"text":"a \\ud83d b"}', '{"text":"a","k\\ud800":1}', GOOD]
    (tmp_path / "x.jsonl").write_text("\n".join(lines), encoding="utf-8")
    report = dedup.clean(tmp_path / "x.jsonl", tmp_path / "out", dedup.Settings(format="parquet", max_bad=1))
    assert (report.counts["kept"], report.counts["quarantined"]) == (1, 2)


def test_a_text_file_of_broken_utf8_is_quarantined_as_a_whole(tmp_path):
    broken = "Tarif réduit".encode() + b"\xe9"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "broken.txt").write_bytes(broken)
    (tmp_path / "in" / "good.txt").write_text("Réduit", encoding="utf-8")
    dedup.clean(tmp_path / "in", tmp_path / "out", engine=LocalEngine(jobs=1))
    [row] = read_jsonl(tmp_path / "out" / "quarantine.jsonl")
    assert base64.b64decode(row["raw"]) == broken
    assert [row["id"] for row in read_jsonl(tmp_path / "out" / "articles.jsonl")] == ["good"]


def test_fields_are_guessed_record_by_record_and_pass_through_untouched(tmp_path):
    lines = [
        '{"z": 1.00, "body": "One.", "url": "http://u/1", "big": 123456789012345678901234567890, "a": {"x":  [1, 2]}}',
        '{"content": "Two.", "id": 12}',
        '{"articleBody": "Three.", "text": null, "id": null}',
        '{"text": "lone \\ud83d surrogate", "id": "s", "k": "\\udc00"}',
    ]
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    report = dedup.clean(path, tmp_path / "out", engine=LocalEngine(jobs=1))
    lines = (tmp_path / "out" / "articles.jsonl").read_text(encoding="utf-8").splitlines()
    untouched = '"big":123456789012345678901234567890,"a":{"x":  [1, 2]}'
    assert lines[0].startswith('{"z":1.00,"body":"One.","url":"http://u/1",' + untouched + ',"provenance":')
    assert report.fields["text"] == {"articleBody": 1, "body": 1, "content": 1, "text": 1}
    assert report.fields["id"] == {"id": 2, "url": 1}
    assert '"text":"lone \ufffd surrogate","id":"s","k":"\\udc00"' in lines[3]


def test_an_article_without_id_is_named_by_source_and_record(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"text": "One word behind the other.  "}\n', encoding="utf-8")
    [finding] = dedup.check(path, engine=LocalEngine(jobs=1))
    assert finding.article == "x.jsonl#0"


HOSTS = st.one_of(
    st.from_regex(
        r"[a-z:/]{0,3}(https?|[a-z.+]{0,3}):{1,2}//(www\.)?[A-Z0-9.\[\]@:%-]{0,6}[/?#]{0,2}.{0,8}", fullmatch=True
    ),
    st.text(max_size=20),
)


@given(HOSTS)
@example("https://www.Example.com/a")
@example("https://www.Example.com?a=http://b/c")
@example("HTTP://user:pw@[::1]:80/x")
@example("http://[/a")
@example("a:b://c/d")
@example("http:///path")
def test_the_host_of_an_address_is_that_of_the_standard_library(value):
    def host_by_urlsplit(value):
        if "://" in value:
            try:
                value = urlsplit(value).hostname or value
            except ValueError:
                return value
        return value.lower().removeprefix("www.")

    assert normalize_host(value) == host_by_urlsplit(value)
