"""What an output holds, whatever its format, compression and number of files: CSV, Parquet, JSON lines, and shards."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from helpers.outputs import write_empty_tables
from hypothesis import example, given, settings
from hypothesis import strategies as st

import dedup
from dedup.errors import OutputError, SettingsError
from dedup.inspect.explain import diff
from dedup.inspect.output import open_output
from dedup.inspect.restore import restore
from dedup.inspect.verify import verify
from dedup.output_layout import TABLES, article_files
from dedup.read.article_tables import escape_cell, unescape_cell
from dedup.write.report import Tally
from dedup.write.table_files import Writer
from dedup.write.tables import OutputChunk

FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"  # of the page about CSV injection of OWASP
CODECS = {"none": None, "gz": "gzip", "zst": "zstd"}
LAYOUTS = [
    {"format": "jsonl", "shard_size": 300},
    {"format": "csv"},
    {"format": "csv", "compress": "gz", "shard_size": 300},
    {"format": "csv", "compress": "zst"},
    {"format": "parquet", "shard_size": 300},
]
SENTENCE = "The council of the town met on Monday evening to speak about the new bridge over the river"
ROWS: list[dict[str, Any]] = [
    {"id": "one", "text": f"{SENTENCE}.", "n": 1, "title": "=HYPERLINK(1)"},
    {"text": f"=1+1, {SENTENCE.upper()} CafÃ©", "n": "1", "id": "two", "=cmd": -1, "empty": "", "none": None},
    {"id": "three", "n": 1.0, "text": f"{SENTENCE}!", "provenance": {"mine": ["kept"]}, "big": 10**30},
    {
        "id": "four",
        "text": "'=quoted, ' \r\nsecond \"line\"",
        "title": "'=x",
        "deep": {"a": [1, "x", None]},
        "yes": True,
    },
    {"id": "five", "text": "", "title": "'", "n": None, "provenance": None, "": "a field without a name"},
    {"id": "six", "text": "the text of the sixth", "title": "NA", "n": "null", "surrogate": "\udc80", "neg": -1.5},
]


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def originals(out: Path) -> list[dict[str, Any]]:
    """Return the fields of the input as the output gives them back, order of fields included."""
    return [
        {name: json.loads(bytes(value)) for name, value in article.original().items()}
        for article in open_output(out).articles()
    ]


def same(left: list[dict[str, Any]], right: list[dict[str, Any]], layout: dict[str, Any] | None = None) -> bool:
    """Return True if rows are equal in values, kinds of values, and order of fields: 1, 1.0 and True are different.

    Not so for Parquet, where a column of whole numbers and floats holds floats.
    """
    if layout and layout["format"] == "parquet":
        left, right = (json.loads(json.dumps(rows), parse_int=float, parse_constant=str) for rows in (left, right))
    return json.dumps(left) == json.dumps(right)


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read a CSV file without any help of `dedup`."""
    codec = "gzip" if path.suffix == ".gz" else "zstd" if path.suffix == ".zst" else None
    with pa.input_stream(str(path), compression=codec) as stream:
        text = stream.read().decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline=""), strict=True))


@given(st.text(st.sampled_from(f"'{FORMULA_STARTS}ax,\" "), max_size=6))
@example("'" * 5 + "=")
def test_a_cell_is_never_a_formula_and_comes_back(text):
    cell = escape_cell(text)
    assert unescape_cell(cell) == text
    assert not cell or cell[0] not in FORMULA_STARTS
    if not text.lstrip("'").startswith(tuple(FORMULA_STARTS)):
        assert cell == text


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: "-".join(map(str, layout.values())))
def test_every_layout_gives_back_every_value(layout, tmp_path):
    source = write_rows(tmp_path / "a.jsonl", ROWS)
    report = dedup.clean(source, tmp_path / "out", dedup.Settings(**layout))
    assert report.counts["dropped"] == 2
    assert verify(tmp_path / "out").mismatches == []
    assert same(originals(tmp_path / "out"), ROWS, layout)
    restore(tmp_path / "out", tmp_path / "again")
    lines = (tmp_path / "again" / "a.jsonl").read_text().splitlines()
    assert same([json.loads(line) for line in lines], ROWS, layout)
    dedup.clean(source, tmp_path / "plain")
    assert list(diff(open_output(tmp_path / "out"))) == list(diff(open_output(tmp_path / "plain")))


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.sampled_from("'=-+@\t\r\n,\"aé 1\ufeff\x00"), max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab="), inner, max_size=2),
    max_leaves=4,
)
NAMES = st.sampled_from(["n", "=n", "'=n", "provenance", "json", "fields", "", "a,b", "text "])


@pytest.mark.slow
@given(
    st.lists(st.dictionaries(NAMES, JSON_VALUES, max_size=4), min_size=1, max_size=4),
    st.sampled_from([{"format": "csv"}, {"format": "csv", "shard_size": 90}, {"format": "parquet", "shard_size": 90}]),
)
@settings(max_examples=40, deadline=None)
def test_any_value_survives(tmp_path_factory, drawn, layout):
    folder = tmp_path_factory.mktemp("any")
    rows = [{**row, "text": f"={number} {SENTENCE * number}"} for number, row in enumerate(drawn)]
    source = write_rows(folder / "a.jsonl", rows)
    dedup.clean(source, folder / "out", dedup.Settings(**layout))
    assert verify(folder / "out").mismatches == []
    assert same(originals(folder / "out"), rows, layout)


def test_a_spreadsheet_reads_the_cells_as_they_should_be_seen(tmp_path):
    out = tmp_path / "out"
    dedup.clean(write_rows(tmp_path / "a.jsonl", ROWS), out, dedup.Settings(format="csv"))
    rows = read_csv(out / "articles.csv")
    names = "text,n,id,'=cmd,empty,none,title,deep,yes,,surrogate,neg,provenance"
    assert list(rows[0]) == names.split(",")  # in order of first appearance among the articles that stay
    by_id = {row["id"]: row for row in rows}
    assert by_id["two"]["n"] == "1"
    assert by_id["two"]["'=cmd"] == "-1"  # a number stays one
    assert by_id["two"]["text"] == f"'=1+1, {SENTENCE.upper()} Café"
    assert by_id["four"]["text"].startswith("''=quoted")
    assert by_id["four"]["yes"] == "true"
    assert json.loads(by_id["four"]["deep"]) == ROWS[3]["deep"]
    assert by_id["six"]["empty"] == by_id["two"]["empty"] == by_id["two"]["none"] == ""
    assert by_id["six"]["surrogate"] == '"\\udc80"'
    assert by_id["six"]["neg"] == "-1.5"
    for row in rows:
        for name, cell in row.items():
            assert name[:1] not in FORMULA_STARTS or not name
            assert cell[:1] not in FORMULA_STARTS or not cell or float(cell) < 0
    data = (out / "articles.csv").read_bytes()
    assert data.endswith(b"\r\n")  # RFC 4180
    assert {path.name for path in out.iterdir()} == {
        "articles.csv",
        "dropped.jsonl",
        "provenance.jsonl",
        "quarantine.jsonl",
        "site_text.jsonl",
        "run.json",
        "run.log.json",
    }


@pytest.mark.parametrize("library", ["pandas", "polars", "duckdb", "pyarrow", "datasets"])
def test_the_byte_order_mark_is_part_of_no_name(library, tmp_path, monkeypatch):
    reader = pytest.importorskip(library, reason="this library is not installed; the extra `recipes` has it")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    path = tmp_path / "out" / "articles.csv"
    dedup.clean(write_rows(tmp_path / "a.jsonl", ROWS), path.parent, dedup.Settings(format="csv"))
    read = {
        "pandas": lambda: list(reader.read_csv(path).columns),
        "polars": lambda: reader.read_csv(path).columns,
        "duckdb": lambda: reader.sql(f"from '{path}'").columns,
        "pyarrow": lambda: pyarrow_csv(path).column_names,
        "datasets": lambda: (
            reader.load_dataset("csv", data_files=str(path), split="train", cache_dir=str(tmp_path)).column_names
        ),
    }[library]
    assert read()[0] == "text"


def pyarrow_csv(path: Path) -> pa.Table:
    return pa_csv.read_csv(path, parse_options=pa_csv.ParseOptions(newlines_in_values=True))


def test_a_csv_cell_that_was_edited_is_found(tmp_path):
    out = tmp_path / "out"
    dedup.clean(write_rows(tmp_path / "a.jsonl", ROWS), out, dedup.Settings(format="csv"))
    path = out / "articles.csv"
    good = path.read_text("utf-8")
    path.write_text(good.replace("the text of the sixth", "my text"), "utf-8")
    assert any("another sha256" in mismatch.what for mismatch in verify(out).mismatches)
    with pytest.raises(dedup.DedupError, match=r"a\.jsonl#5: its text is not that of the input: another sha256"):
        restore(out, tmp_path / "again")
    for bad in (good[: len(good) // 2], "id;text\r\n1;2\r\n", "", good.replace('""json""', '""jsn""')):
        path.write_text(bad, "utf-8", newline="")
        assert any("not the CSV that dedup wrote" in mismatch.what for mismatch in verify(out).mismatches), bad[:30]


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_a_lone_surrogate_is_quarantined_where_the_format_cannot_hold_it(name, tmp_path):
    rows = [
        {"id": "a", "text": "bad \udc80"},
        {"\udc80": 1, "text": "a field"},
        {"id": "\udc80", "text": "x"},
        {"text": "y"},
    ]
    settings = dedup.Settings(format=name, max_bad=1)
    report = dedup.clean(write_rows(tmp_path / "a.jsonl", rows), tmp_path / "out", settings)
    assert report.counts["quarantined"] == (3 if name == "parquet" else 2)  # ids are in the table of findings, too
    assert all("lone surrogate" in error for error in report.tally.errors)
    restore(tmp_path / "out", tmp_path / "again")
    assert same([json.loads(line) for line in (tmp_path / "again" / "a.jsonl").read_text().splitlines()], rows)


def greedy_shards(lines: list[bytes], size: int) -> list[bytes]:
    """Return the shards of lines by the plainest loop: the definition."""
    shards = [b""]
    for line in lines:
        if shards[-1] and len(shards[-1]) + len(line) > size:
            shards.append(b"")
        shards[-1] += line
    return shards


@given(
    st.lists(st.lists(st.integers(0, 12), max_size=6), max_size=6),
    st.integers(1, 30),
    st.sampled_from(["none", "gz", "zst"]),
)
def test_shards_are_those_of_the_plainest_loop_however_chunks_are_cut(tmp_path_factory, chunks, size, compress):
    folder = tmp_path_factory.mktemp("shards")
    with Writer(folder, dedup.Settings(shard_size=size, compress=compress)) as writer:
        for sizes in chunks:
            data = b"".join(b"x" * length + b"\n" for length in sizes)
            writer.write(OutputChunk(data, b"", data, b"", b"", Tally()))
        files = writer.finish()
    expected = greedy_shards([b"x" * length + b"\n" for sizes in chunks for length in sizes], size)

    def read(name: str) -> bytes:
        with pa.input_stream(str(folder / name), compression=CODECS[compress]) as stream:
            return bytes(stream.read())

    assert [read(name) for name in files.names("articles")] == expected
    assert [read(name) for name in files.names("provenance")] == expected
    assert files.names("quarantine") == [
        f"quarantine-00000.jsonl{'' if compress == 'none' else '.' + compress}"
    ]  # one file even if empty


@pytest.mark.parametrize("name", ["jsonl", "csv", "parquet"])
def test_shards_hold_the_rows_of_the_whole_and_are_read_in_order(name, tmp_path):
    rows = [{"id": f"{number}", "text": f"{number} {SENTENCE}", "n": number or None} for number in range(30)]
    source = write_rows(tmp_path / "a.jsonl", rows)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    settings = {"format": name, "rules": {"near-duplicate-article": "flag"}}
    dedup.clean(source, whole, dedup.Settings(**settings))
    report = dedup.clean(source, parts, dedup.Settings(**settings, shard_size=1000))
    shards = article_files(parts)
    assert len(shards) == report.shards["articles"] > 5
    assert [path.name[:14] for path in shards] == [f"articles-{number:05d}" for number in range(len(shards))]
    if name == "parquet":
        tables = [pq.read_table(path) for path in shards]
        assert pa.concat_tables(tables).equals(pq.read_table(whole / "articles.parquet"))
    elif name == "csv":
        assert [row for path in shards for row in read_csv(path)] == read_csv(whole / "articles.csv")
    else:
        assert b"".join(path.read_bytes() for path in shards) == (whole / "articles.jsonl").read_bytes()
        assert all(path.stat().st_size <= 1000 for path in shards)
    assert verify(parts).mismatches == []
    assert [article.id for article in open_output(parts).articles()] == [row["id"] for row in rows]
    shards[2].unlink()
    assert (shards[2].name, "is not there") in verify(parts).mismatches
    with pytest.raises(OutputError, match="no such file"):
        restore(parts, tmp_path / "again")


def test_a_sharded_output_is_read_again_in_order(tmp_path):
    rows = [{"id": str(number), "text": f"{number} {SENTENCE}"} for number in range(20)]
    source = write_rows(tmp_path / "a.jsonl", rows)
    settings = dedup.Settings(shard_size="1K", rules={"near-duplicate-article": "off"})
    dedup.clean(source, tmp_path / "out", settings)
    (tmp_path / "out" / "articles-99999.jsonl").write_text('{"text": "a file of somebody else"}\n')
    report = dedup.clean(tmp_path / "out", tmp_path / "two", settings)
    assert report.counts["articles"] == 20
    assert [article.id for article in open_output(tmp_path / "two").articles()] == [row["id"] for row in rows]


@pytest.mark.parametrize("name", ["parquet", "csv"])
def test_tables_without_rows_have_their_columns(name, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    write_empty_tables(out, dedup.Settings(format=name, text_field="body"))
    if name == "csv":
        assert (out / "articles.csv").read_bytes() == b"\xef\xbb\xbfbody,provenance\r\n"
    else:
        for table in TABLES:
            assert pq.read_metadata(out / f"{table}.parquet").num_rows == 0
        assert pq.read_schema(out / "articles.parquet").names == ["body", "provenance"]
        assert pq.read_schema(out / "articles.parquet").field("body").type == pa.string()
        assert pq.read_schema(out / "dropped.parquet").names == ["body", "provenance"]
        assert "error" in pq.read_schema(out / "quarantine.parquet").names
    assert verify(out).mismatches == []
    restore(out, tmp_path / "again")
    assert (tmp_path / "again" / "empty.jsonl").read_bytes() == b""


@pytest.mark.parametrize("name", ["jsonl", "csv", "parquet"])
def test_only_the_chosen_fields_are_kept_and_everything_else_still_works(name, tmp_path):
    (tmp_path / "in" / "x").mkdir(parents=True)
    write_rows(tmp_path / "in" / "a.jsonl", [*ROWS, {"text": "no id", "n": 2}])
    (tmp_path / "in" / "x" / "t.txt").write_text("A text file, cafÃ©.\n", encoding="utf-8")
    out = tmp_path / "out"
    settings = dedup.Settings(format=name, output_fields=["title", "n", "nothing", "n"])
    report = dedup.clean(tmp_path / "in", out, settings)
    assert settings.output_fields == ("title", "n", "nothing")
    assert report.absent_output_fields() == ["nothing"]
    assert verify(out).mismatches == []
    articles = {article.id: article for article in open_output(out).articles()}
    assert list(articles) == ["one", "two", "three", "four", "five", "six", "a.jsonl#6", "x/t"]
    assert list(articles["two"].fields) == ["text", "n"]  # in their own order
    assert list(articles["x/t"].fields) == ["text"]
    for article in articles.values():
        if not article.kept:
            assert article.fields.keys() == {row["id"]: row for row in ROWS}[article.id].keys()
    assert list(open_output(out).find_articles("four"))
    with pytest.raises(OutputError, match=r"`output_fields`, which left fields out for good; add `force=True`"):
        restore(out, tmp_path / "again")
    assert restore(out, tmp_path / "again", force=True)["without all fields"] == 5
    assert (tmp_path / "again" / "x" / "t.txt").read_text(encoding="utf-8") == "A text file, cafÃ©.\n"
    line = json.loads((tmp_path / "again" / "a.jsonl").read_text().splitlines()[1])
    assert line == {"text": ROWS[1]["text"], "n": "1"}


def test_text_files_lose_no_field_and_are_restored(tmp_path):
    (tmp_path / "t.txt").write_bytes(b"A text file,\r\n caf\xc3\x83\xc2\xa9.")
    dedup.clean(tmp_path / "t.txt", tmp_path / "out", dedup.Settings(output_fields=["title"]))
    restore(tmp_path / "out", tmp_path / "again")
    assert (tmp_path / "again" / "t.txt").read_bytes() == (tmp_path / "t.txt").read_bytes()


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: "-".join(map(str, layout.values())))
@pytest.mark.parametrize("chosen", [None, ["id"]], ids=["all fields", "the id only"])
def test_nested_texts_lists_and_charsets_survive(layout, chosen, tmp_path):
    rows: list[dict[str, Any]] = [
        {"id": "nested", "article": {"body": f"=1 {SENTENCE}  cafÃ©", "x": [1.0]}, "text": ""},
        {"id": "list", "text": [SENTENCE, "", "=second  ", "cafÃ©"]},
        {"id": "plain", "text": "nothing to do", "high": [float("nan")], "low": -float("inf"), "": float("nan")},
    ]
    source = write_rows(tmp_path / "a.jsonl", rows)
    latin = '{"id":"latin","text":"Un café crème, s’il vous plaît: déjà l’été"}\n'
    with source.open("ab") as file:
        file.write(latin.encode("cp1252"))
    out = tmp_path / "out"
    report = dedup.clean(source, out, dedup.Settings(**layout, output_fields=chosen))
    assert report.counts["kept"] == 4
    assert verify(out).mismatches == []
    articles = {article.id: article for article in open_output(out).articles()}
    assert list(articles) == ["nested", "list", "plain", "latin"]
    assert articles["latin"].provenance["charset"] == "cp1252"
    assert articles["nested"].text == f"=1 {SENTENCE}  café"
    again = originals(out)
    expected = [*rows, json.loads(latin)]
    if chosen:
        names = ({"id", "article"}, {"id", "text"}, {"id", "text"}, {"id", "text"})
        expected = [
            {name: row[name] for name in row if name in kept} for row, kept in zip(expected, names, strict=True)
        ]
    assert same(again, expected, layout)


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("output_fields", "id,url", "`output_fields='id,url'`: not a list of field names"),
        ("output_fields", [], "`output_fields=.*name at least one"),
        ("output_fields", ["a", ""], "`output_fields="),
        ("output_fields", 3, "`output_fields=3`: not a list"),
        ("shard_size", 0, "`shard_size=0`: not a size"),
        ("shard_size", -5, "`shard_size=-5`: not a size"),
        ("shard_size", True, "`shard_size=True`: not a size"),
        ("shard_size", "many", "`shard_size='many'`: not a size"),
        ("shard_size", 1.5, "`shard_size=1.5`: not a size"),
        ("format", "excel", "`format='excel'`: not known"),
    ],
)
def test_wrong_settings_are_refused_in_one_line(setting, value, message):
    with pytest.raises(SettingsError, match=message):
        dedup.Settings(**{setting: value})


def test_an_output_with_files_of_others_is_not_replaced(tmp_path):
    source = write_rows(tmp_path / "a.jsonl", ROWS)
    out = tmp_path / "out"
    dedup.clean(source, out, dedup.Settings(shard_size=500))
    dedup.clean(source, out, force=True)
    assert (out / "articles.jsonl").exists()
    assert not (out / "articles-00000.jsonl").exists()
    (out / "report.html").touch()
    dedup.clean(source, out, force=True)
    for name in ("articles.csv", "notes.txt", ".hidden"):  # also a name that another format would have
        (out / name).write_text("mine")
        with pytest.raises(OutputError, match=rf"dedup did not write {name}; move that away") as caught:
            dedup.clean(source, out, force=True)
        assert "\n" not in str(caught.value)
        assert (out / name).read_text() == "mine"
        (out / name).unlink()
    (out / "folder").mkdir()
    with pytest.raises(OutputError, match="did not write folder"):
        dedup.clean(source, out, force=True)


def test_a_folder_called_like_standard_output_is_never_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match="-: stands for standard output on the command line only"):
        dedup.clean(write_rows(tmp_path / "a.jsonl", ROWS), "-")
    assert not (tmp_path / "-").exists()
