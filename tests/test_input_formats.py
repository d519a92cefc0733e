"""Input formats: the same articles in any format and compression are the same records, and bad files are one record."""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
import sys
import threading

import pytest
from conftest import read_jsonl
from helpers.input_files import COMPRESSIONS, every_file, jsonl, parquet, read_files, sqlite, tarred, values, zipped
from helpers.news import news

import dedup
from dedup import InputError, LocalEngine, Settings, SettingsError
from dedup.read import formats
from dedup.read.inputs import find_inputs
from dedup.settings import INPUT_FORMAT_NAMES

ODD = 'He said: "no", and left;\n\n\tthen | “Zoë” came\r\nback \\ \U0001f600 \u2028 '
ROWS = [
    *({name: str(value) for name, value in row.items()} for row in news(1, 24)),
    {"id": "odd", "n": "007", "text": ODD * 3, "url": ""},
]


@pytest.fixture(scope="module")
def every(tmp_path_factory):
    folder = tmp_path_factory.mktemp("every")
    files = every_file(ROWS, folder)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder, files


def test_the_formats_that_settings_name_are_those_that_are_read():
    assert set(INPUT_FORMAT_NAMES) == set(formats.INPUT_FORMATS) - formats.ARCHIVES


def test_the_same_articles_in_every_format_are_the_same_records(every):
    folder, files = every
    for name, data in files.items():
        records, reader = read_files(folder / name)
        assert [row["error"] for row in records] == [None] * len(ROWS), name
        assert values(records) == ROWS, name
        assert all(list(value) == list(ROWS[0]) for value in values(records)), name
        assert [row["record"] for row in records] == list(range(len(ROWS))), name
        [entry] = reader.inputs
        assert entry["source"] == records[0]["source"], name
        assert entry["bytes"] == len(data) or "/" in entry["source"], name
        assert {row["charset"] for row in records} == {entry.get("charset")}, name


def test_progress_counts_the_bytes_of_the_file(every):
    folder, files = every
    for name in ("comma.csv.gz", "table.parquet", "news.sqlite.xz", "lines.tgz", "comma.csv.zip", "array.json"):
        assert read_files(folder / name)[1].fresh_bytes() == len(files[name]), name


def test_the_same_articles_in_many_formats_give_the_same_output(every, tmp_path):
    folder, _ = every
    expected = None
    for name in ("lines.jsonl", "pretty.json", "unicode.tsv", "table.parquet", "news.db", "comma.csv.zip"):
        out = tmp_path / name
        dedup.clean(folder / name, out, engine=LocalEngine(jobs=1))
        tables = [read_jsonl(out / f"{table}.jsonl") for table in ("articles", "dropped", "provenance")]
        for row in (row for table in tables for row in table):
            place = row.get("provenance", row)
            place.pop("source")
            place.pop("twin_source", None)
        expected = expected or tables
        assert tables == expected, name
    assert expected
    assert len(expected[2]) > 20


def test_a_folder_may_mix_all_formats(every):
    folder, files = every
    records, reader = read_files(folder)
    assert len(records) == (len(files) + 1) * len(ROWS)  # and the database that the helper made
    assert {json.dumps(value) for value in values(records)} == {json.dumps(row) for row in ROWS}
    assert reader.skipped == []


@pytest.mark.slow
@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_a_cut_file_yields_what_can_be_read_and_then_an_error(tmp_path, suffix):
    lines = b"".join(b'{"id": "%d", "text": "line %s"}\n' % (n, os.urandom(20).hex().encode()) for n in range(40_000))
    path = tmp_path / f"x.jsonl{suffix}"
    path.write_bytes(COMPRESSIONS[suffix](lines)[:-20_000])
    records, _ = read_files(path)
    *good, last = records
    assert len(good) > 1_000
    assert [row["data"] for row in good] == lines.split(b"\n")[: len(good)]
    assert "the file cannot be read on from here" in last["error"]
    assert "fetch it again" in last["error"]
    assert last["record"] == len(good)


@pytest.mark.parametrize("name", ["x.csv", "x.json", "x.tsv", "x.txt", "x.parquet", "x.db", "x.tar", "x.zip"])
def test_a_cut_compressed_file_of_any_format_ends_in_one_error(tmp_path, every, name):
    _, files = every
    samples = {
        "x.csv": files["comma.csv"] * 50,
        "x.json": b"[" + jsonl(ROWS).replace(b"\n", b",") * 50 + b"{}]",
        "x.tsv": files["table.tsv"] * 50,
        "x.txt": jsonl(ROWS) * 50,
        "x.parquet": files["table.parquet"],
        "x.db": files["news.db"],
        "x.tar": tarred({"a.jsonl": jsonl(ROWS) * 50}),
        "x.zip": files["comma.csv.zip"],
    }
    packed = gzip.compress(samples[name])
    (tmp_path / f"{name}.gz").write_bytes(packed[: len(packed) // 2])
    records, reader = read_files(tmp_path / f"{name}.gz")
    errors = 2 if name == "x.zip" else 1  # one of the member that is cut, and one of the archive, whose list is missing
    assert [row["error"] is not None for row in records] == [False] * (len(records) - errors) + [True] * errors
    assert "cannot be read on from here" in records[-1]["error"]
    assert len(reader.inputs) == errors


EMPTY = {"x.jsonl": 0, "x.json": 0, "x.csv": 0, "x.tsv": 0, "x.txt": 1, "x.jsonl.gz": 0, "bare": 1}


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_text_format_has_no_records(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    records, reader = read_files(tmp_path / name)
    assert len(records) == EMPTY[name]
    assert [entry["bytes"] for entry in reader.inputs] == [0]


@pytest.mark.parametrize("name", ["x.parquet", "x.arrow", "x.zip", "x.duckdb", "x.sqlite"])
@pytest.mark.parametrize(
    "data", [b"", b"<html>404</html>", b"PAR1 and no more", b"PK\x03\x04broken", b"SQLite format 3\0"]
)
def test_a_broken_file_of_a_binary_format_is_one_error_that_says_so(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    try:
        records, _ = read_files(tmp_path / name)
    except InputError as error:
        message = str(error)
        assert name in message
    else:
        [message] = [row["error"] for row in records]
    assert "\n" not in message
    assert len(message) < 300


def test_tables_without_rows_have_no_records(tmp_path):
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    pq.write_table(pa.table({"text": pa.array([], pa.string())}), tmp_path / "x.parquet")
    (tmp_path / "x.csv").write_bytes(b"id,text\r\n")
    (tmp_path / "x.json").write_bytes(b" [ ] ")
    (tmp_path / "y.json").write_bytes(b"{}")
    sqlite(ROWS[:1], tmp_path / "x.db")
    assert [row["source"] for row in read_files(tmp_path)[0]] == ["x.db", "y.json"]


def test_a_text_file_is_text_whatever_is_in_it(tmp_path):
    for number, data in enumerate((jsonl(ROWS[:2]), b'[{"text": "a"}]', parquet(ROWS), b"PK\x03\x04", b"a,b\n1,2\n")):
        (tmp_path / f"{number}.txt").write_bytes(data)
        [record], reader = read_files(tmp_path / f"{number}.txt")
        assert (record["kind"], record["data"], record["error"]) == ("txt", data, None)
        assert "format" not in reader.inputs[0]


@pytest.mark.parametrize(
    ("label", "name", "data", "kind", "count"),
    [
        ("one object", "x.json", b'{"text": "a"}', "jsonl", 1),
        ("one pretty object", "x.json", b'{\n "text": "a"\n}', "json", 1),
        ("a pretty object in lines", "x.jsonl", b'{\n "text": "a"\n}\n', "json", 1),
        ("junk before lines", "x.json", b'# export\n{"text": "a"}\n', "jsonl", 2),
        ("an array in one line", "x.jsonl", b'[{"text": "a"}, {"text": "b"}]', "json", 2),
        ("a list in the first line", "x.jsonl", b'["a"]\n{"text": "a"}\n', "jsonl", 2),
        ("lines that are lists", "x.jsonl", b'[{"text": "a"}]\n[{"text": "b"}]\n', "jsonl", 2),
        ("a line that broke off", "x.jsonl", b'{"text": "a\n{"text": "b"}\n', "jsonl", 2),
        ("an array of arrays", "x.json", b"[[1], [2]]", "json", 2),
        ("two objects in a line", "x.json", b'{"text": "a"} {"text": "b"}', "json", 2),
        ("lines without suffix", "bare", b'{"text": "a"}\n{"text": "b"}\n', "jsonl", 2),
        ("an array without suffix", "bare", b'[\n{"text": "a"}\n]', "json", 1),
        ("a text without suffix", "bare", b"[1] A footnote.", "txt", 1),
        ("markdown without suffix", "bare", b"[![Build](x.svg)](y)", "txt", 1),
        ("a text that begins with a brace", "bare", b"{sic} he wrote", "txt", 1),
        ("an abbreviation as suffix", "visit to St. Paul", b"A text.", "txt", 1),
        ("Excel's first line", "bare", b"sep=;\r\ntext;n\r\na;1\r\n", "csv", 1),
    ],
)
def test_content_decides_between_kinds_of_json_and_where_the_name_says_nothing(
    tmp_path, label, name, data, kind, count
):
    (tmp_path / name).write_bytes(data)
    records, reader = read_files(tmp_path / name)
    assert {row["kind"] for row in records} == {kind}, label
    assert len(records) == count, label
    entry = reader.inputs[0]
    assert entry.get("format", formats.format_of_source(name)) == kind, label


def test_in_a_folder_files_without_suffix_are_read_only_if_they_hold_data(tmp_path):
    for name, data in {
        "data": jsonl(ROWS[:1]),
        "NOTES": b"A text.",
        "Thumbs.db": b"\xd0\xcf\x11\xe0",
        "x.log": b"{}",
    }.items():
        (tmp_path / name).write_bytes(data)
    files = find_inputs([tmp_path])
    assert [file.name for file in files.sources] == ["data"]
    assert sorted(path.rsplit("/", 1)[1] for path in files.skipped) == ["NOTES", "Thumbs.db", "x.log"]
    (tmp_path / "data").unlink()
    with pytest.raises(InputError, match="or say `input_format='txt'` if these are texts"):
        find_inputs([tmp_path])
    chosen = find_inputs([tmp_path], input_format="txt")
    assert [(file.name, file.kind) for file in chosen.sources] == [(n, "txt") for n in ("NOTES", "Thumbs.db", "x.log")]


def test_a_format_that_is_named_is_that_of_all_files_but_archives(tmp_path):
    (tmp_path / "x.log").write_bytes(jsonl(ROWS))
    (tmp_path / "y.zip").write_bytes(zipped({"a.log": jsonl(ROWS), "b.dat.gz": gzip.compress(jsonl(ROWS))}))
    (tmp_path / "z.bin").write_bytes(tarred({"c": jsonl(ROWS)}))
    records, _ = read_files(tmp_path, input_format="jsonl")
    assert values(records) == ROWS * 4
    assert list(dict.fromkeys(row["source"] for row in records)) == [
        "x.log",
        "y.zip/a.log",
        "y.zip/b.dat.gz",
        "z.bin/c",
    ]
    [record] = read_files(tmp_path / "x.log", input_format="txt")[0]
    assert record["data"] == jsonl(ROWS)
    assert values(read_files(tmp_path / "x.log", input_format="json")[0]) == ROWS


@pytest.mark.parametrize("name", ["a.xlsx", "a.pdf", "a.epub", "a.png", "a.md"])
def test_a_kind_of_file_that_is_not_read_is_one_line_that_says_what_to_do(tmp_path, name):
    (tmp_path / name).write_bytes(zipped({"x.xml": b""}))
    with pytest.raises(InputError) as caught:
        find_inputs([tmp_path / name])
    assert str(caught.value).startswith(str(tmp_path / name))
    assert ("first" in str(caught.value)) == (name in {"a.xlsx", "a.pdf"})


@pytest.mark.parametrize(
    ("name", "value"), [("input_format", "cvs"), ("encoding", "latin-99"), ("encoding", "hex"), ("encoding", 5)]
)
def test_a_format_or_charset_that_does_not_exist_is_refused(name, value):
    with pytest.raises(SettingsError, match=name):
        Settings(**{name: value})


def test_other_names_of_a_charset_are_the_same_setting():
    assert Settings(encoding="Latin1").digest == Settings(encoding="iso-8859-1").digest


# Outputs among the inputs


def test_an_output_is_skipped_in_a_folder_and_by_a_glob_and_read_where_it_is_named(tmp_path):
    texts = tmp_path / "txt"
    texts.mkdir()
    (texts / "a.txt").write_text("One article.", encoding="utf-8")
    engine = LocalEngine(jobs=1)
    for _ in range(2):
        report = dedup.clean(texts, texts / "out", engine=engine, force=True)
        assert report.counts["records"] == 1
    dedup.clean(texts, tmp_path / "other", engine=engine)
    for inputs in (
        [texts],
        [str(tmp_path / "t*")],
        [str(texts / "*")],
        [str(texts / "**")],
        [str(tmp_path / "**" / "*.*")],
    ):
        files = find_inputs(inputs)
        assert [file.path.name for file in files.sources] == ["a.txt"], inputs
        assert str(texts / "out") in files.skipped, inputs
        assert len(files.skipped) == (2 if inputs == [str(tmp_path / "**" / "*.*")] else 1), inputs
    assert [file.path.name for file in find_inputs([texts / "out"]).sources] == ["articles.jsonl"]
    assert [file.path.name for file in find_inputs([texts / "out" / "dropped.jsonl"]).sources] == ["dropped.jsonl"]
    (texts / "a.txt").unlink()
    with pytest.raises(InputError, match="no articles in this folder"):
        find_inputs([texts])


def test_our_own_tables_of_articles_read_as_those_in_json_lines(tmp_path):
    lines = [
        '{"id": "a", "text": "One.  ", "n": 1.50, "deep": {"x": [1, null]}}',
        '{"text": "Two.", "mixed": 1, "provenance": {"old": true}}',
        '{"mixed": "x", "text": "Three.", "z": null}',
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    for name in ("jsonl", "parquet"):
        dedup.clean(tmp_path / "in.jsonl", tmp_path / name, Settings(format=name), engine=LocalEngine(jobs=1))
    from_lines, _ = read_files(tmp_path / "jsonl")
    from_parquet, _ = read_files(tmp_path / "parquet")
    assert [json.dumps(value) for value in values(from_parquet)] == [json.dumps(value) for value in values(from_lines)]


# Charsets


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-be", "utf-32", "utf-32-le"])
def test_a_byte_order_mark_names_the_charset_of_a_text_file(tmp_path, charset):
    text = "Ein Fuß 💥\r\n" * 40_000
    data = (text if charset in {"utf-16", "utf-32"} else "\ufeff" + text).encode(charset)
    (tmp_path / "x.txt").write_bytes(data)
    [record], reader = read_files(tmp_path / "x.txt")
    assert record["data"].decode("utf-8") == "\ufeff" + text
    assert record["charset"] == reader.inputs[0]["charset"]
    assert record["data"].decode("utf-8").encode(record["charset"]) == data


@pytest.mark.parametrize("name", ["x.jsonl", "x.csv", "x.json"])
def test_bytes_that_do_not_decode_spoil_one_record(tmp_path, name):
    rows = ['{"text": "eins"}', '{"text": "zw§ei"}', '{"text": "drei \u0105"}']
    layouts = {
        "x.jsonl": "\n".join(rows),
        "x.csv": "text\neins\nzw§ei\ndrei \u0105",
        "x.json": f"[{','.join(rows)}]",
    }
    half_a_pair = b"\x00\xdc"
    data = ("\ufeff" + layouts[name]).encode("utf-16-le").replace("§".encode("utf-16-le"), half_a_pair)
    (tmp_path / name).write_bytes(data)
    records, _ = read_files(tmp_path / name)
    assert [row["error"] is None for row in records] == [True, False, True]
    assert "utf-16-le" in records[1]["error"]
    assert b"z\0w\0" + half_a_pair + b"e\0i\0" in records[1]["data"]
    assert json.loads(records[2]["data"]) == {"text": "drei ą"}
    assert records[1]["charset"] is None


@pytest.mark.parametrize("charset", ["cp1252", "shift_jis", "gb18030", "koi8-r"])
def test_a_charset_that_is_named_decodes_every_text_format(tmp_path, charset):
    word = {"cp1252": "“Größe”", "shift_jis": "表示ソ", "gb18030": "新闻“报”", "koi8-r": "новости"}[charset]
    rows = [{"id": "1", "text": f'{word} "a", b\n' * 3}, {"id": "2", "text": word}]
    for name, text in (
        ("x.jsonl", "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)),
        ("y.json", json.dumps(rows, ensure_ascii=False)),
    ):
        (tmp_path / name).write_bytes(text.encode(charset))
        records, reader = read_files(tmp_path / name, encoding=charset)
        assert values(records) == rows
        assert {row["charset"] for row in records} == {charset}
        assert reader.inputs[0]["charset"] == charset
    (tmp_path / "z.txt").write_bytes(word.encode(charset))
    assert read_files(tmp_path / "z.txt", encoding=charset)[0][0]["data"] == word.encode()


def test_a_text_that_could_not_be_restored_in_its_charset_is_no_article(tmp_path):
    (tmp_path / "x.txt").write_bytes(b"\x87\x90 \x81\xe0")  # two bytes for one character of cp932
    [record], _ = read_files(tmp_path / "x.txt", encoding="cp932")
    assert "not cp932, or not to be restored" in record["error"]
    assert record["data"] == b"\x87\x90 \x81\xe0"


def test_a_byte_order_mark_is_stronger_than_the_setting(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(jsonl(ROWS).decode().encode("utf-16"))
    (tmp_path / "b.jsonl").write_bytes(b"\xef\xbb\xbf" + json.dumps(ROWS[-1], ensure_ascii=False).encode())
    assert values(read_files(tmp_path, encoding="cp1252")[0]) == [*ROWS, ROWS[-1]]


# Pipes


def pipe_with(tmp_path, name, data):
    """Return the path of a named pipe that gives `data` once."""
    path = tmp_path / name
    os.mkfifo(path)
    threading.Thread(target=path.write_bytes, args=(data,), daemon=True).start()
    return path


@pytest.mark.parametrize(
    "name", ["lines.jsonl", "array.json", "table.parquet", "news.db", "lines.tgz", "comma.csv.zip", "lines.jsonl.xz"]
)
def test_a_pipe_is_opened_once_whatever_is_in_it(every, tmp_path, name):
    _, files = every
    records, reader = read_files(pipe_with(tmp_path, "pipe", files[name]))
    assert values(records) == ROWS
    assert reader.total_bytes is None
    assert reader.fresh_bytes() == len(files[name])


def test_a_pipe_that_shows_no_format_needs_one(tmp_path):
    with pytest.raises(InputError, match="its first bytes do not show its format; name it, as `input_format='csv'`"):
        read_files(pipe_with(tmp_path, "one", b"id,text\n1,a\n"))
    assert values(read_files(pipe_with(tmp_path, "two", b"id,text\n1,a\n"), input_format="csv")[0]) == [
        {"id": "1", "text": "a"}
    ]
    assert values(read_files(pipe_with(tmp_path, "three.csv", b"id,text\n1,a\n"))[0]) == [{"id": "1", "text": "a"}]


def test_a_pipe_in_a_folder_is_never_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "a.jsonl").write_bytes(jsonl(ROWS))
    files = find_inputs([tmp_path])
    assert [file.name for file in files.sources] == ["a.jsonl"]
    assert files.skipped == [str(tmp_path / "pipe.jsonl")]


def run(data, *arguments, out):
    command = [sys.executable, "-m", "dedup", "clean", "-", "-o", str(out), "--quiet", "--jobs", "1", *arguments]
    return subprocess.run(command, input=data, capture_output=True, check=False)


def test_standard_input_may_be_any_format(every, tmp_path):
    _, files = every
    for number, (name, arguments) in enumerate(
        {"comma.csv": ("--input-format", "csv"), "table.parquet.zst": ()}.items()
    ):
        done = run(files[name], *arguments, out=tmp_path / str(number))
        assert done.returncode == 0, done.stderr
        entry = json.loads((tmp_path / str(number) / "run.json").read_bytes())["inputs"][0]
        assert entry["format"] == name.split(".")[1]
    done = run(files["comma.csv"], out=tmp_path / "none")
    assert done.returncode == 2
    assert done.stderr.decode() == (
        "dedup: error: standard input: its first bytes do not show its format; name it, as --input-format csv\n"
    )
    assert not (tmp_path / "none").exists()


def test_a_charset_on_the_command_line_decodes(tmp_path):
    done = run('{"text": "Größe"}'.encode("cp1252"), "--encoding", "cp1252", out=tmp_path / "out")
    assert done.returncode == 0, done.stderr
    [row] = read_jsonl(tmp_path / "out" / "articles.jsonl")
    assert row["text"] == "Größe"


def test_base64_in_quarantine_holds_the_bytes_that_did_not_decode(tmp_path):
    (tmp_path / "x.jsonl").write_bytes("\ufeff".encode("utf-16-le") + b'{\0"\0\x00\xdc')
    dedup.clean(tmp_path / "x.jsonl", tmp_path / "out", dedup.Settings(max_bad=1), engine=LocalEngine(jobs=1))
    [row] = read_jsonl(tmp_path / "out" / "quarantine.jsonl")
    raw = row["raw"].encode() if row["encoding"] == "utf-8" else base64.b64decode(row["raw"])
    assert raw.endswith(b'{\0"\0\x00\xdc')
