"""CSV, Parquet, Arrow and databases: every value stays what it was, and a bad row takes no other with it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import sqlite3
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.input_files import delimited, read_files, sqlite, stream_of, tarred, values, zipped
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup import InputError
from dedup.read.arrow_rows import json_rows
from dedup.read.delimited import read_rows
from dedup.read.inputs import find_inputs

CELLS = st.text(
    alphabet=st.sampled_from(["a", '"', ",", ";", "\t", "|", "\n", "\r", " ", "é", "'", "\\", "=", "\u2028", "0", "."]),
    max_size=8,
)
NAMES = ("id", "text", "n")


def rows_of(data, kind="csv", block=1 << 20, **options):
    return list(read_rows(stream_of(data, block), kind, **options))


@settings(max_examples=80)
@given(
    st.lists(st.tuples(*[CELLS] * 3), max_size=6),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["\r\n", "\n"]),
    st.sampled_from(["utf-8", "utf-8-sig"]),
)
def test_values_are_those_that_were_written(cells, separator, quoting, line_end, charset):
    rows = [dict(zip(NAMES, values_of_row, strict=True)) for values_of_row in [("1", "x, y; z", ""), *cells]]
    quoting = csv.QUOTE_ALL if line_end == "\n" else quoting  # the csv module would leave a lone \r unquoted
    text = delimited(rows, delimiter=separator, quoting=quoting, lineterminator=line_end)
    found = rows_of(text.encode(charset), block=5)
    assert [row[2] for row in found] == [None] * len(rows)
    assert values(found) == rows
    assert [row[0] for row in found] == list(range(len(rows)))


BAD_ROWS = [
    ("too few values", b"1", "1 values for 2 columns"),
    ("too many values", b"1,2,3", "3 values for 2 columns"),
    ("text after a quote", b'1,"a "b" c"', "not CSV"),
    ("a quote that is not closed", b'1,"a', "not CSV"),
]


@pytest.mark.parametrize(("label", "row", "error"), BAD_ROWS)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_bad_row_is_recorded_as_it_is_and_the_others_are_read(label, row, error, line_end):
    lines = [b"a,b", b"0,x", row, b"2,y", b'3,"z\nz"', b""]
    found = rows_of(line_end.join(lines))
    assert [bad[:2] for bad in found if bad[2]] == [(1, row)], label
    assert error in found[1][2]
    assert values([good for good in found if not good[2]]) == [
        {"a": "0", "b": "x"},
        {"a": "2", "b": "y"},
        {"a": "3", "b": "z\nz"},
    ]


@pytest.mark.parametrize(
    ("label", "data", "expected"),
    [
        ("empty values beyond the header", b"a,b,,\n1,2,,\n3,4,,,\n", [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
        ("the index of pandas", b",a\n0,x\n", [{"": "0", "a": "x"}]),
        ("blank lines", b"a,b\n\n1,2\n\r\n3,4\n", [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
        ("line ends of old Macs", b"a,b\r1,2\r3,4\r", [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
        ("one column of prose", b"text\nYes, no; maybe\nNo, yes\n", [{"text": "Yes, no; maybe"}, {"text": "No, yes"}]),
        ("zeros and blanks stay", b"a,b\n007, x \n", [{"a": "007", "b": " x "}]),
        ("a quoted name behind a byte order mark", b'\xef\xbb\xbf"a";b\n1;2\n', [{"a": "1", "b": "2"}]),
        ("NUL", b"a,b\n1,\x00\n", [{"a": "1", "b": "\x00"}]),
        ("no line end at the end", b"a,b\n1,2", [{"a": "1", "b": "2"}]),
    ],
)
def test_odd_files_of_csv_are_read(label, data, expected):
    found = rows_of(data)
    assert [row[2] for row in found] == [None] * len(expected), label
    assert values(found) == expected, label


def test_repeated_names_of_columns_spoil_every_row():
    assert [(row[1], row[2]) for row in rows_of(b"a,b,a\n1,2,3\n4,5,6\n")] == [
        (b"1,2,3", "2 columns are called 'a'; give each its own name"),
        (b"4,5,6", "2 columns are called 'a'; give each its own name"),
    ]


def test_a_long_article_and_ten_thousand_rows_with_lone_quotes_are_read_in_time():
    long = "x, " * 200_000
    assert values(rows_of(delimited([{"id": "1", "text": long}]).encode())) == [{"id": "1", "text": long}]
    found = rows_of(b"a,b\n" + b'1,"x\n' * 10_001)
    assert sum(bool(row[2]) for row in found) >= 5_000
    assert b"".join(row[1] for row in found if row[2]).count(b'1,"x') == sum(bool(row[2]) for row in found)


def test_rows_that_are_not_utf8_are_guessed_one_by_one():
    french = "Le maire a été réélu dimanche à l'issue d'une soirée très serrée, où chaque voix a compté."
    russian = "Правительство объявило вчера о новом плане развития транспорта в крупных городах страны."
    chinese = "政府昨天宣布了一项改善大城市公共交通的新计划，预计明年开始实施。"
    data = b"id|text\n" + b"\n".join(
        [
            b"1|plain",
            b"2|" + french.encode(),
            b"3|" + french.encode("cp1252"),
            b"4|" + russian.encode("cp1251"),
            b"5|" + chinese.encode("gb18030"),
            b"6|\xc3\xa9 \xff\xfe\x00\xff",
        ]
    )
    found = rows_of(data)
    assert [row[3] for row in found] == [None, None, found[2][3], "cp1251", "gb18030", None]
    assert found[2][3] in {"cp1252", "iso8859-15"}  # in which these bytes are the same text
    assert [value["text"] for value in values(found[:5])] == ["plain", french, french, russian, chinese]
    assert found[5][1] == b"6|\xc3\xa9 \xff\xfe\x00\xff"
    assert "not UTF-8" in found[5][2]


def test_our_own_csv_reads_as_our_json_lines_do(tmp_path):
    members = {
        "source": "x.jsonl",
        "record": 0,
        "sha256": "0",
        "findings": 0,
        "fields": ["id", "n", "text"],
        "json": ["n"],
    }
    row = {"id": "a", "n": "1.50", "other": "", "text": "'=1+1", "provenance": json.dumps(members)}
    (tmp_path / "articles.csv").write_bytes(delimited([row]).encode("utf-8-sig"))
    [record], _ = read_files(tmp_path / "articles.csv")
    assert record["data"] == (
        b'{"id":"a","n":1.50,"text":"=1+1","provenance":{"source": "x.jsonl","record":0,"sha256":"0","findings":0}}'
    ).replace(b': "x', b':"x')


COLUMNS = [
    ("text", pa.array(["a", None]), ['"a"', "null"]),
    ("views", pa.array(["a"], pa.string_view()), ['"a"']),
    ("numbers", pa.array([1, 2**63 - 1]), ["1", "9223372036854775807"]),
    ("unsigned", pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"]),
    ("floats", pa.array([0.1, float("nan"), float("inf"), float("-inf")]), ["0.1", "null", "1e999", "-1e999"]),
    ("short floats", pa.array([0.1, 1e20], pa.float32()), ["0.1", "1e20"]),
    ("decimals", pa.array([Decimal("1.50"), None]), ["1.50", "null"]),
    ("dates", pa.array([dt.date(2024, 1, 2)]), ['"2024-01-02"']),
    (
        "times",
        pa.array([1, 1_200_000_000_000], pa.timestamp("ns")),
        ['"1970-01-01T00:00:00.000000001"', '"1970-01-01T00:20:00"'],
    ),
    ("zones", pa.array([0], pa.timestamp("s", "Europe/Paris")), ['"1970-01-01T00:00:00Z"']),
    ("hours", pa.array([dt.time(1, 2, 3, 40_000)]), ['"01:02:03.04"']),
    ("bytes", pa.array([b"ok", b"\xff"]), ['"ok"', '"/w=="']),
    ("structs", pa.array([{"a": [1]}, None, {"a": None}]), ['{"a":[1]}', "null", '{"a":null}']),
    ("lists", pa.array([[1], None, [], [2, 3]]).slice(1), ["null", "[]", "[2,3]"]),
    ("fixed lists", pa.array([[1, 2], None], pa.list_(pa.int8(), 2)), ["[1,2]", "null"]),
    (
        "maps",
        pa.array([[("a", 1)], None, [("a", 1), ("a", 2)]], pa.map_(pa.string(), pa.int8())),
        ['{"a":1}', "null", '[["a",1],["a",2]]'],
    ),
    ("dictionaries", pa.array(["x", None, "x"]).dictionary_encode(), ['"x"', "null", '"x"']),
    ("nothing", pa.nulls(1), ["null"]),
    ("durations", pa.array([dt.timedelta(seconds=1)]), ["1000000"]),
    ("times in lists", pa.array([[{"t": dt.datetime(2024, 1, 1, tzinfo=dt.UTC)}]]), ['[{"t":"2024-01-01T00:00:00Z"}]']),
]


@pytest.mark.parametrize(("label", "column", "expected"), COLUMNS)
def test_every_type_of_arrow_becomes_json_that_says_the_same(label, column, expected):
    assert [data.decode() for data in json_rows(pa.record_batch({"c": column}))] == [
        f'{{"c":{value}}}' for value in expected
    ], label


def test_a_parquet_file_of_any_schema_and_many_groups_is_read_in_order(tmp_path):
    rows = [{"text": f"t{n}", "deep": {"tags": [{"n": n}], "at": None}} for n in range(1000)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet", row_group_size=300)
    records, _ = read_files(tmp_path / "x.parquet")
    assert values(records) == rows
    data = (tmp_path / "x.parquet").read_bytes()
    middle = data.index(b"t999") if b"t999" in data else len(data) // 2
    (tmp_path / "y.parquet").write_bytes(data[: middle - 500] + b"\xff" * 400 + data[middle - 100 :])
    *_, last = read_files(tmp_path / "y.parquet")[0]
    assert last["error"]


def test_two_columns_of_one_name_are_an_error(tmp_path):
    pq.write_table(pa.table([pa.array(["a"]), pa.array(["b"])], ["text", "text"]), tmp_path / "x.parquet")
    [record], _ = read_files(tmp_path / "x.parquet")
    assert record["error"] == "2 columns are called 'text'; give each its own name"


def test_a_database_gives_the_table_that_is_named_and_names_those_it_has(tmp_path):
    path = tmp_path / "news.db"
    sqlite([{"text": "a"}], path, "articles")
    sqlite([{"text": "b"}], path, 'odd "name"')
    with sqlite3.connect(path) as connection:
        connection.execute("create view shouted as select upper(text) as text from articles")
    connection.close()
    both, reader = read_files(f"{path}#articles", f"{path}#shouted", f'{path}#odd "name"')
    assert values(both) == [{"text": "a"}, {"text": "A"}, {"text": "b"}]
    assert [entry["source"] for entry in reader.inputs] == ["news.db#articles", "news.db#shouted", 'news.db#odd "name"']
    for unclear, message in {
        path: 'has 3 tables (articles, odd "name", shouted); name the one to read, as',
        f"{path}#none": "has no table 'none'",
        tmp_path: "has 3 tables",
    }.items():
        with pytest.raises(InputError) as caught:
            find_inputs([unclear])
        assert message in str(caught.value)
    (tmp_path / "in.zip").write_bytes(zipped({"news.db": path.read_bytes(), "a.jsonl": b'{"text": "c"}'}))
    good, bad = read_files(tmp_path / "in.zip")[0]
    assert good["source"] == "in.zip/a.jsonl"
    assert "has 3 tables" in bad["error"]
    (tmp_path / "plain.jsonl").write_bytes(b"{}")
    with pytest.raises(InputError, match="is no database"):
        find_inputs([f"{tmp_path / 'plain.jsonl'}#articles"])


def test_a_database_keeps_types_and_reads_the_log_beside_it(tmp_path):
    connection = sqlite3.connect(tmp_path / "x.db")
    connection.execute("pragma journal_mode = wal")
    connection.execute("create table t (id integer primary key, text text, x, y)")
    connection.execute(
        "insert into t values (3, 'é', 1.5, null), (1, cast(x'e974e9' as text), x'ff', 9223372036854775807)"
    )
    connection.commit()
    records, _ = read_files(tmp_path / "x.db")  # while the rows are in the log only
    connection.close()
    assert values(records) == [
        {"id": 1, "text": "été", "x": "/w==", "y": 2**63 - 1},
        {"id": 3, "text": "é", "x": 1.5, "y": None},
    ]


def test_a_duckdb_database_is_read_with_all_its_types(tmp_path):
    duckdb = pytest.importorskip("duckdb", reason="needs the extra `duckdb`")
    with duckdb.connect(str(tmp_path / "x.db")) as connection:
        connection.execute(
            "create table t as select 'a' as text, 1.50::decimal(4, 2) as d, {'n': [1]} as s, map {'k': 1} as m,"
            " uuid '00000000-0000-0000-0000-000000000001' as u, timestamptz '2024-01-01 00:00:00+02' as t"
        )
        connection.execute("create view v as select text from t")
    records, reader = read_files(f"{tmp_path / 'x.db'}#t", f"{tmp_path / 'x.db'}#v")
    assert [row["data"].decode() for row in records] == [
        '{"text":"a","d":1.50,"s":{"n":[1]},"m":{"k":1},"u":"00000000-0000-0000-0000-000000000001","t":"2023-12-31T22:00:00Z"}',
        '{"text":"a"}',
    ]
    assert [entry["format"] for entry in reader.inputs] == ["duckdb", "duckdb"]


def test_without_the_extra_one_line_says_how_to_read_duckdb(tmp_path, monkeypatch):
    (tmp_path / "x.duckdb").write_bytes(b"12345678DUCK" + bytes(100))
    monkeypatch.setattr("dedup.read.databases.find_spec", lambda _name: None)
    with pytest.raises(
        InputError, match=r"x.duckdb: duckdb is not installed; install the extra `duckdb`: run pip install"
    ):
        find_inputs([tmp_path / "x.duckdb"])


# Archives


def test_members_are_sources_and_what_is_no_article_is_listed(tmp_path):
    members = {
        "b/2.txt": b"Two.",
        "b/10.txt": b"Ten.",
        "../../etc/x.txt": b"Out.",
        "/abs.txt": b"Abs.",
        "a.xml": b"<a/>",
        "__MACOSX/b/._2.txt": b"x",
        ".git/x.txt": b"x",
        "README": b"A text.",
        "data": b'{"text": "d"}',
        "in.zip": b"PK",
    }
    (tmp_path / "z.zip").write_bytes(zipped(members))
    (tmp_path / "t.tar").write_bytes(tarred(members))
    names = ["etc/x.txt", "abs.txt", "b/10.txt", "b/2.txt", "data"]
    for archive, order in (("z.zip", names), ("t.tar", ["b/2.txt", "b/10.txt", "etc/x.txt", "abs.txt", "data"])):
        records, reader = read_files(tmp_path / archive)
        assert [row["source"] for row in records] == [f"{archive}/{name}" for name in order]
        assert [row["record"] for row in records] == [0] * 5
        assert sorted(reader.skipped) == [
            f"{archive}/{n}" for n in (".git/x.txt", "README", "__MACOSX/b/._2.txt", "a.xml", "in.zip")
        ]
        assert [entry["source"] for entry in reader.inputs] == [row["source"] for row in records]


def test_members_of_one_name_are_numbered(tmp_path):
    sink = io.BytesIO(tarred({"a.txt": b"1"})[:1024] + tarred({"a.txt": b"2"}))
    (tmp_path / "t.tar").write_bytes(sink.getvalue())
    records, reader = read_files(tmp_path / "t.tar")
    assert [(row["source"], row["data"]) for row in records] == [("t.tar/a.txt", b"1"), ("t.tar/a.txt~2", b"2")]
    assert all("format" not in entry for entry in reader.inputs)  # their names say it


def test_a_damaged_member_is_one_error_and_the_others_are_read(tmp_path):
    data = bytearray(zipped({"a.txt": b"One. " * 99, "b.txt": b"Two. " * 99, "c.jsonl": b'{"text": "x"}\n'}))
    at = data.index(b"b.txt") + len("b.txt")
    data[at + 2 : at + 8] = b"\xff" * 6
    (tmp_path / "z.zip").write_bytes(data)
    records, _ = read_files(tmp_path / "z.zip")
    assert [bool(row["error"]) for row in records] == [False, True, False]
    assert "cannot be read on from here" in records[1]["error"]


@pytest.mark.parametrize("cut", [100, 700, 1100])
def test_an_archive_that_breaks_off_is_one_error(tmp_path, cut):
    (tmp_path / "t.tar").write_bytes(tarred({"a.txt": b"One.", "b.txt": b"Two." * 100})[:cut])
    records, reader = read_files(tmp_path / "t.tar")
    assert [bool(row["error"]) for row in records] == [False] * (len(records) - 1) + [True]
    assert len(reader.inputs) == len(records)
    (tmp_path / "z.zip").write_bytes(zipped({"a.txt": b"One."})[:-10])
    [member, record], reader = read_files(tmp_path / "z.zip")  # the member is whole, and only the list is not
    assert (member["source"], member["data"], member["error"]) == ("z.zip/a.txt", b"One.", None)
    assert (record["source"], record["kind"], bool(record["error"])) == ("z.zip", "zip", True)
    assert [entry["source"] for entry in reader.inputs] == ["z.zip/a.txt", "z.zip"]


def test_an_archive_without_articles_is_an_error_that_names_what_is_in_it(tmp_path):
    (tmp_path / "z.zip").write_bytes(zipped({"a.xml": b"<a/>"}))
    with pytest.raises(
        InputError, match=r"z\.zip: no articles in this archive \(skipped 1 such as z\.zip/a\.xml\); give "
    ):
        read_files(tmp_path / "z.zip")
    (tmp_path / "a.txt").write_bytes(b"One.")
    records, reader = read_files(tmp_path)
    assert [row["source"] for row in records] == ["a.txt"]
    assert reader.skipped == ["z.zip/a.xml"]
