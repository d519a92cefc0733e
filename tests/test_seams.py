"""Parts that only meet in a whole run: headers in other charsets, outputs that somebody edited, missing files."""

from __future__ import annotations

import csv
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import read_jsonl, write_jsonl

import dedup
from dedup.cli.layers import resolve
from dedup.cli.options import CONFIGURABLE

ROWS = [
    {"id": "a", "page": 3, "text": "The ferry to the island leaves at nine and comes back at noon."},
    {"id": "b", "page": 4, "text": "Nobody has seen the lighthouse keeper since the storm of last week."},
]
ONE = dedup.LocalEngine(jobs=1)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "a.jsonl"
    write_jsonl(path, ROWS)
    return path


@pytest.mark.parametrize("row", ["1;5;Der Käse ist schön und kostet fünf Euro.", "1;5;Only ASCII in this row."])
def test_names_of_columns_may_be_in_another_charset(tmp_path, row):
    (tmp_path / "excel.csv").write_bytes(f"id;Größe;text\r\n{row}\r\n".encode("cp1252"))
    dedup.clean(tmp_path / "excel.csv", tmp_path / "out", engine=ONE)
    [article] = read_jsonl(tmp_path / "out" / "articles.jsonl")
    assert article["text"] == row.split(";")[2]
    assert article["Größe"] == "5"


def test_names_of_columns_in_no_charset_condemn_the_rows_and_not_the_run(tmp_path):
    (tmp_path / "bad.csv").write_bytes(b"id,n\x81\xff\x00\xfeame,text\n1,2,A text.\n")
    dedup.clean(tmp_path / "bad.csv", tmp_path / "out", dedup.Settings(max_bad=1), engine=ONE)
    tables = [read_jsonl(tmp_path / "out" / f"{name}.jsonl") for name in ("articles", "quarantine")]
    assert sum(map(len, tables)) == 1


@pytest.mark.parametrize("layout", ["csv", "parquet"])
def test_a_column_added_to_an_output_is_kept_when_it_is_cleaned_again(source, tmp_path, layout):
    dedup.clean(source, tmp_path / "out", dedup.Settings(format=layout), engine=ONE)
    edited = tmp_path / f"edited.{layout}"
    if layout == "csv":
        [header, *rows] = csv.reader(
            io.StringIO((tmp_path / "out" / "articles.csv").read_text("utf-8-sig"), newline="")
        )
        with edited.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([[*header, "label"], *([*row, "sport"] for row in rows)])
    else:
        table = pq.read_table(tmp_path / "out" / "articles.parquet")
        pq.write_table(table.append_column("label", pa.array(["sport"] * len(ROWS))), edited)
    dedup.clean(edited, tmp_path / "again", engine=ONE)
    articles = read_jsonl(tmp_path / "again" / "articles.jsonl")
    assert [(row["id"], row["page"], row["label"]) for row in articles] == [("a", 3, "sport"), ("b", 4, "sport")]


def test_a_cell_of_our_csv_that_is_no_json_any_more_is_a_text(source, tmp_path):
    dedup.clean(source, tmp_path / "out", dedup.Settings(format="csv"), engine=ONE)
    edited = tmp_path / "edited.csv"
    text = (tmp_path / "out" / "articles.csv").read_text("utf-8-sig")
    edited.write_text(text.replace("a,3,", "a,three,"), encoding="utf-8")
    dedup.clean(edited, tmp_path / "again", engine=ONE)
    assert [row["page"] for row in read_jsonl(tmp_path / "again" / "articles.jsonl")] == ["three", 4]


def test_a_missing_shard_is_an_error_when_an_output_is_read_again(source, tmp_path):
    dedup.clean(source, tmp_path / "out", dedup.Settings(shard_size=100), engine=ONE)
    (tmp_path / "out" / "articles-00001.jsonl").unlink()
    with pytest.raises(dedup.InputError, match=r"articles-00001\.jsonl: this file of the output is missing"):
        dedup.clean(tmp_path / "out", tmp_path / "again", engine=ONE)


def test_streaming_reads_files_as_the_settings_say(tmp_path):
    (tmp_path / "x.dat").write_text("id,text\n1,hello there\n", encoding="utf-8")
    settings = dedup.Settings(profile="streaming", input_format="csv")
    assert [article.article["text"] for article in dedup.iter_clean(str(tmp_path / "x.dat"), settings)] == [
        "hello there"
    ]
    with pytest.raises(dedup.SettingsError, match="stop iterating instead"):
        dedup.iter_clean(str(tmp_path / "x.dat"), dedup.Settings(profile="streaming", limit=1))


def test_digits_that_no_float_holds_stay_in_parquet(tmp_path):
    (tmp_path / "n.jsonl").write_text('{"text":"one","x":0.12345678901234567890123}\n{"text":"two","x":2.5}\n')
    dedup.clean(tmp_path / "n.jsonl", tmp_path / "out", dedup.Settings(format="parquet"), engine=ONE)
    dedup.restore(tmp_path / "out", tmp_path / "again")
    assert b'"x":0.12345678901234567890123}' in (tmp_path / "again" / "n.jsonl").read_bytes()


def test_a_share_in_a_file_may_be_written_in_percent(tmp_path):
    (tmp_path / "dedup.toml").write_text('max_bad = "20%"\n', encoding="utf-8")
    assert resolve(CONFIGURABLE, {}, tmp_path / "dedup.toml", {}).settings.max_bad == 0.2
