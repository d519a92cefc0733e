"""The Python API: what it takes, what it gives back, what it refuses, and how its results show themselves."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import io
import json
import math
import subprocess
import sys
import uuid
import weakref
from collections import namedtuple
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from helpers.news import bytes_of, news
from helpers.sources import KINDS, TABLES, Capsule, columns_of, library, to_rows

import dedup
from dedup import InputError, LocalEngine, Settings, SettingsError

ROWS = news(count=24)
ONE = LocalEngine(jobs=1)


@pytest.fixture(scope="module")
def expected():
    return dedup.clean_articles(ROWS)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The output of the articles, given as a list."""
    out = tmp_path_factory.mktemp("written") / "out"
    dedup.clean(ROWS, out, engine=ONE)
    return out


def read_jsonl(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_sample_has_drops_and_fixes(expected):
    assert len(expected.dropped) >= 2
    assert {finding.action for finding in expected.findings} == {"fix", "drop", "flag"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_same_articles_and_findings(kind, expected):
    result = dedup.clean_articles(KINDS[kind](ROWS))
    assert result.articles == expected.articles
    assert result.dropped == expected.dropped
    assert result.findings == expected.findings
    assert result.quarantine == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_same_bytes(kind, written, tmp_path):
    dedup.clean(KINDS[kind](ROWS), tmp_path / "out", engine=ONE)
    assert bytes_of(tmp_path / "out") == bytes_of(written)


@pytest.mark.parametrize("kind", ["generator", "pandas", "arrow reader"])
def test_every_kind_can_be_checked_and_streamed(kind, expected):
    assert list(dedup.check(KINDS[kind](ROWS), engine=ONE)) == expected.findings
    streamed = list(dedup.iter_clean(KINDS[kind](ROWS)))
    assert [cleaned.article["id"] for cleaned in streamed] == [row["id"] for row in ROWS]


def without_nulls(rows):
    """Return rows whose provenance has no nulls: a column has all members that the provenance of some row has."""
    return [
        {**row, "provenance": {name: value for name, value in row["provenance"].items() if value is not None}}
        for row in rows
    ]


@pytest.mark.parametrize("kind", TABLES)
def test_the_same_kind_comes_back(kind, expected):
    given = TABLES[kind](ROWS)
    result = dedup.clean_articles(given, returns="same")
    for table in (result.articles, result.dropped, result.findings, result.quarantine):
        assert type(table) is type(given)
    assert to_rows(result.articles) == expected.articles
    assert without_nulls(to_rows(result.dropped)) == without_nulls(expected.dropped)
    assert to_rows(result.site_text) == expected.site_text
    assert [dedup.Finding(**row) for row in to_rows(result.findings)] == expected.findings
    assert to_rows(result.quarantine) == []
    assert "same" not in repr(result)


@pytest.mark.parametrize("kind", TABLES)
def test_empty_tables_keep_their_columns(kind):
    rows = [{"id": "a", "text": "One text."}, {"id": "b", "text": "Another one."}]
    result = dedup.clean_articles(TABLES[kind](rows), returns="same")
    assert columns_of(result.dropped) == columns_of(result.articles) == ["id", "text", "provenance"]
    assert columns_of(result.findings) == list(dedup.Finding._fields)
    assert columns_of(result.quarantine) == ["source", "record", "error", "raw", "encoding"]


def test_lists_come_back_as_lists(expected):
    result = dedup.clean_articles(iter(ROWS), returns="same")
    assert (result.articles, result.findings) == (expected.articles, expected.findings)
    texts = [row["text"] for row in ROWS]
    result = dedup.clean_articles(texts, returns="same")
    assert all(isinstance(text, str) for text in result.articles)
    assert len(result.articles) + len(result.dropped) == len(texts)
    assert set(result.dropped) < set(texts)


def test_strings_in_a_list_are_articles_and_a_single_string_is_a_path(tmp_path, expected):
    result = dedup.clean_articles([row["text"] for row in ROWS], Settings(text_field="body"))
    assert len(result.articles) + len(result.dropped) == len(ROWS)
    assert list(result.articles[0]) == ["body", "provenance"]
    path = tmp_path / "news.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    for given in (str(path), path, [path]):
        result = dedup.clean_articles(given)
        assert [row["text"] for row in result.articles] == [row["text"] for row in expected.articles]
        assert {finding.source for finding in result.findings} == {"news.jsonl"}
    assert [cleaned.article["id"] for cleaned in dedup.iter_clean(path)] == [row["id"] for row in ROWS]
    with pytest.raises(SettingsError, match="those of files"):
        dedup.clean_articles(path, returns="same")


def test_series_of_texts_are_articles():
    texts = ["caf\u00c3\u00a9", "Another text."]
    for given in (
        library("pandas").Series(texts),
        library("pandas").Series(texts, dtype="category"),
        library("polars").Series(texts),
        pa.array(texts),
        pa.chunked_array([texts]),
        np.array(texts),
    ):
        assert [row["text"] for row in dedup.clean_articles(given).articles] == ["café", "Another text."], type(given)


# Values of other fields.

MOMENT = dt.datetime(2026, 3, 11, 12, 30, 0, 123456, tzinfo=dt.UTC)
VALUES = {
    "moment": MOMENT,
    "day": MOMENT.date(),
    "price": decimal.Decimal("1.10"),
    "tags": ["a", None, "b"],
    "nested": {"deep": [{"x": 1.5, "y": None}]},
    "blob": b"\x00\xff",
    "truth": True,
    "big": 2**53 + 1,
}


@pytest.mark.parametrize("kind", [kind for kind in TABLES if kind != "pandas"])
def test_columns_that_are_not_written_keep_their_types_and_values(kind):
    rows = [{"id": number, "text": f"caf\u00c3\u00a9 {number}", **VALUES} for number in range(4)]
    given = TABLES[kind](rows)
    result = dedup.clean_articles(TABLES[kind](rows), returns="same").articles
    for row in to_rows(result):
        assert {name: row[name] for name in VALUES} == VALUES
        assert row["text"].startswith("café")
    if kind.startswith("polars"):
        given, result = given.lazy().collect_schema(), result.lazy().collect_schema()
        assert [result[name] for name in given] == list(given.values())
    elif kind.startswith("arrow"):
        assert [result.schema.field(name) for name in given.schema.names] == list(given.schema)
    elif hasattr(given, "features"):
        assert {name: result.features[name] for name in given.features} == given.features


def test_rows_of_pandas_keep_their_index_and_their_types():
    pandas = library("pandas")
    given = pandas.DataFrame(
        {
            "text": ["caf\u00c3\u00a9 one", None, "caf\u00c3\u00a9 two"],
            "label": pandas.Categorical(["x", "y", "x"]),
            "moment": pandas.to_datetime(["2026-03-11", None, "2026-03-12"]),
            "count": pandas.array([1, None, 3], dtype="Int64"),
            "object": [{"a": 1}, [1], {2, 3}],
        },
        index=["k", "l", "k"],
    )
    before = given.copy(deep=True)
    result = dedup.clean_articles(given, returns="same")
    pandas.testing.assert_frame_equal(given, before)
    assert list(result.articles.index) == ["k", "k"]
    others = ["label", "moment", "count", "object"]
    pandas.testing.assert_frame_equal(result.articles[others], given.iloc[[0, 2]][others])
    assert result.articles["text"].dtype == given["text"].dtype
    assert list(result.articles["text"]) == ["café one", "café two"]
    [quarantined] = to_rows(result.quarantine)
    assert quarantined["record"] == 1
    assert "null" in quarantined["error"]
    assert json.loads(quarantined["raw"]) == {"text": None, "label": "y", "moment": None, "count": None, "object": [1]}


def test_a_text_column_of_categories_becomes_one_of_texts():
    pandas = library("pandas")
    given = pandas.DataFrame({"text": pandas.Categorical(["caf\u00c3\u00a9", "b", "b"])})
    assert list(dedup.clean_articles(given, returns="same").articles["text"]) == ["café", "b"]
    table = pa.table({"text": pa.array(["caf\u00c3\u00a9", "b", "b"]).dictionary_encode()})
    result = dedup.clean_articles(table, returns="same")
    assert result.articles.column("text").to_pylist() == ["café", "b"]
    assert result.dropped.schema.field("text") == table.schema.field("text")


def test_column_names_of_pandas_may_be_numbers():
    pandas = library("pandas")
    result = dedup.clean_articles(pandas.DataFrame([["caf\u00c3\u00a9", 1]]), Settings(text_field="0"), returns="same")
    assert list(result.articles.columns) == [0, 1, "provenance"]
    assert result.articles.iloc[0, 0] == "café"


def test_a_provenance_that_comes_in_is_kept_inside():
    rows = [{"text": "One two three.", "provenance": {"from": 5}}, {"text": "Four five.", "provenance": None}]
    for kind in TABLES:
        articles = to_rows(dedup.clean_articles(TABLES[kind](rows), returns="same").articles)
        assert [row["provenance"]["previous"] for row in articles] == [{"from": 5}, None], kind


def test_texts_may_stand_in_several_columns():
    table = pa.table({"body": [None, "caf\u00c3\u00a9 body"], "text": ["caf\u00c3\u00a9 text", None]})
    result = dedup.clean_articles(table, returns="same")
    assert result.articles.column("body").to_pylist() == [None, "café body"]
    assert result.articles.column("text").to_pylist() == ["café text", None]


def test_values_that_json_lacks_are_written_as_text_or_lists(tmp_path):
    given = {
        **VALUES,
        "text": "A text.",
        "array": np.arange(3),
        "number": np.int64(7),
        "name": np.str_("n"),
        "set": {"b", "a"},
        "uuid": uuid.UUID(int=1),
        "path": Path("a/b"),
        "id": "x",
    }
    dedup.clean([given], tmp_path / "out", engine=ONE)
    [row] = read_jsonl(tmp_path / "out" / "articles.jsonl")
    del row["provenance"]
    assert row == {
        **VALUES,
        "moment": "2026-03-11T12:30:00.123456+00:00",
        "day": "2026-03-11",
        "price": "1.10",
        "blob": "AP8=",
        "text": "A text.",
        "array": [0, 1, 2],
        "number": 7,
        "name": "n",
        "set": ["a", "b"],
        "uuid": str(uuid.UUID(int=1)),
        "path": "a/b",
        "id": "x",
    }


def test_nanoseconds_are_written_alike_with_and_without_pandas(tmp_path):
    column = pa.array([1_700_000_000_000_000_001, 1_700_000_000_000_001_000], pa.timestamp("ns"))
    dedup.clean(pa.table({"text": ["One text.", "Two texts."], "at": column}), tmp_path / "out", engine=ONE)
    moments = [row["at"] for row in read_jsonl(tmp_path / "out" / "articles.jsonl")]
    assert moments == ["2023-11-14T22:13:20.000000001", "2023-11-14T22:13:20.000001"]


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (math.nan, "no text: the value of 'text' is NaN; give a string"),
        (b"bytes", "no text: the value of 'text' is a bytes; give a string"),
        (MOMENT, "no text: the value of 'text' is a datetime; give a string"),
        (None, "field 'text' is null, not a text; convert it to a string"),
        (5, "field 'text' is a number, not a text; convert it to a string"),
        ({"a": 1}, "field 'text' is an object, not a text; "),
    ],
)
def test_quarantine_keeps_all_fields_and_says_what_the_text_is(value, error, tmp_path):
    given = {"id": 1, "text": value, "extra": [1, {"a": None}], "title": "A title"}
    [row] = dedup.clean_articles([given, {"text": "A text."}]).quarantine
    assert row["error"].startswith(error)
    raw = json.loads(row["raw"])
    assert list(raw) == ["id", "text", "extra", "title"]
    assert (raw["id"], raw["extra"], raw["title"]) == (1, [1, {"a": None}], "A title")
    if isinstance(value, float):
        assert math.isnan(raw["text"])
    dedup.clean([given, {"text": "A text."}], tmp_path / "out", engine=ONE)
    assert read_jsonl(tmp_path / "out" / "quarantine.jsonl")[0]["error"] == row["error"]


def test_another_text_counts_where_the_first_is_missing():
    result = dedup.clean_articles([{"text": math.nan, "body": "caf\u00c3\u00a9"}])
    assert result.articles[0]["body"] == "café"
    assert math.isnan(result.articles[0]["text"])


def test_objects_of_other_libraries_pass_through():
    class Rude:
        def __str__(self):
            raise RuntimeError

    loop = []
    loop.append(loop)
    given = {"text": "A text.", "rude": Rude(), "loop": loop, "nan": math.nan, "type": int, 5: "five"}
    [article] = dedup.clean_articles([given]).articles
    assert all(article[name] is value for name, value in given.items() if name != "text")


# What is refused.

Pair = namedtuple("Pair", ["text", "n"])  # noqa: PYI024 - a class as users have it


@dataclasses.dataclass
class Story:
    text: str


def frame(columns):
    return library("pandas").DataFrame(columns)


async def asynchronous():
    yield {"text": "a"}


def data_sets():
    datasets = library("datasets")
    return datasets.DatasetDict({"train": datasets.Dataset.from_list([{"text": "a"}])})


WRONG = {
    "a number": (lambda: 5, "cannot read an int; give paths, dicts"),
    "None": (lambda: None, "cannot read None; give paths, dicts"),
    "bytes": (lambda: b"text", "decode them"),
    "a class": (lambda: Story, "cannot read a type"),
    "a dict": (lambda: {"text": "a"}, r"give a list of dicts: \[article\]"),
    "numbers in a list": (lambda: [1, 2], "article 0: an int is no article"),
    "lists in a list": (lambda: [["a"]], "article 0: a list is no article"),
    "a number after an article": (lambda: [{"text": "a"}, 5], "article 1: an int is no article"),
    "None in a generator": (lambda: iter([None]), "article 0: None is no article"),
    "named tuples": (lambda: [Pair("a", 1)], r"give article\._asdict\(\)"),
    "dataclasses": (lambda: [Story("a")], r"give dataclasses\.asdict\(article\)"),
    "an array of numbers": (lambda: np.arange(3), "article 0: an int64 is no article"),
    "an Arrow array of numbers": (lambda: pa.array([1, 2]), "no article"),
    "a data frame without rows": (lambda: frame({"text": []}), "a pandas DataFrame without rows"),
    "a data frame without texts": (
        lambda: frame({"titel": ["a"], "n": [1]}),
        r"without a text that can be guessed; of its columns \(titel, n\), name one with `text_field`",
    ),
    "a data frame with texts that are missing": (lambda: frame({"text": [None, None]}), "without a text"),
    "two columns of one name": (lambda: frame([["a", "b"]]).set_axis(["text", "text"], axis=1), "two columns"),
    "columns of several levels": (
        lambda: frame([["a", "b"]]).set_axis(library("pandas").MultiIndex.from_tuples([("a", 1), ("a", 2)]), axis=1),
        "several levels",
    ),
    "an Arrow table without rows": (lambda: pa.table({"text": pa.array([], pa.string())}), "Arrow table without rows"),
    "a stream without rows": (lambda: Capsule(pa.table({"text": pa.array([], pa.string())})), "without rows"),
    "an Arrow table without texts": (lambda: pa.table({"titel": ["a"]}), "of its columns"),
    "a text": (lambda: "First line.\nSecond line.", r"a single string is a path, .*give \[text\]"),
    "a long text": (lambda: "word " * 100, r"a single string is a path, .*give \[text\]"),
    "an open file": (lambda: io.StringIO('{"text": "a"}\n'), "an open file; give its path"),
    "an asynchronous iterable": (asynchronous, "aiter_clean"),
    "data sets": (data_sets, r"give one: source\['train'\]"),
}
FUNCTIONS = {
    "clean": lambda source, out: dedup.clean(source, out, engine=ONE),
    "check": lambda source, _: list(dedup.check(source, engine=ONE)),
    "clean_articles": lambda source, _: dedup.clean_articles(source),
    "iter_clean": lambda source, _: list(dedup.iter_clean(source)),
}


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_things_are_refused_in_one_line(wrong, function, tmp_path):
    make, message = WRONG[wrong]
    with pytest.raises(InputError, match=message) as caught:
        FUNCTIONS[function](make(), tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert "--" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("function", [dedup.check, dedup.iter_clean])
def test_wrong_things_are_refused_at_once(function):
    for wrong in (5, None, {"text": "a"}, b"bytes"):
        with pytest.raises(InputError):
            function(wrong)
    with pytest.raises(SettingsError):
        function(["a"], {"keep": "first"})


def test_values_that_json_cannot_hold_are_refused_by_clean_only(tmp_path):
    for value in (object(), [1j]):
        with pytest.raises(InputError, match=r"article 0: the field 'extra' holds an? "):
            dedup.clean([{"text": "a", "extra": value}], tmp_path / "out", engine=ONE)
    assert list(tmp_path.iterdir()) == []


def test_no_articles_at_all(tmp_path):
    assert dedup.clean_articles([]) == dedup.Result([], [], [], [], [])
    assert list(dedup.iter_clean([])) == []
    for nothing in ([], iter([]), ()):
        with pytest.raises(InputError, match=r"no articles|no input"):
            dedup.clean(nothing, tmp_path / "out", engine=ONE)


ERRORS = {
    "settings as a dict": (lambda out: dedup.clean(ROWS, out, {"keep": "first"}), r"dedup.Settings\(\*\*settings\)"),
    "settings as text": (lambda _: dedup.clean_articles(ROWS, "corpus"), "a str is not a Settings"),
    "unknown value": (lambda _: Settings(keep="longst"), "did you mean 'longest'"),
    "unknown rule": (lambda _: Settings(rules={"encodin": "off"}), "did you mean 'encoding'"),
    "unknown action": (lambda _: Settings(rules={"encoding": "drop"}), "encoding"),
    "threshold": (lambda _: Settings(threshold=2), "threshold"),
    "field name": (lambda _: Settings(text_field=""), "text_field"),
    "engine": (lambda out: dedup.clean(ROWS, out, engine="lokal"), "engine"),
    "engine object": (lambda out: dedup.clean(ROWS, out, engine=5), "engine"),
    "jobs": (lambda _: LocalEngine(jobs=0), "jobs"),
    "memory": (lambda _: LocalEngine(memory=1), "memory"),
    "out": (lambda _: dedup.clean(ROWS, None), "out"),
    "no such file": (lambda out: dedup.clean(out / "nothing.jsonl", out), "no such file"),
    "returns": (lambda _: dedup.clean_articles(ROWS, returns="pandas"), "returns"),
    "rules of the corpus": (lambda _: dedup.iter_clean(ROWS, Settings()), "duplicate-article, .*streaming"),
    "batch size": (lambda _: dedup.iter_clean(ROWS, batch_size=0), "batch_size"),
    "repeats of no text": (lambda _: dedup.find_repeats(None), "text"),
    "no output": (dedup.verify, "not an output"),
    "no output to restore": (lambda out: dedup.restore(out, out / "x"), "not an output"),
    "no output to explain": (lambda out: dedup.explain(out, "x"), "not an output"),
    "no date": (lambda _: dedup.clean_articles(ROWS, Settings(keep="latest")), "date"),
    "bad record": (lambda _: dedup.clean_articles([{"x": 1}], Settings(on_error="fail")), "on_error"),
    "Spark and objects": (lambda out: dedup.clean(iter(ROWS), out, engine="spark"), "not Python objects"),
    "existing output": (lambda out: [dedup.clean(ROWS[:1], out) for _ in range(2)], "force=True"),
    "mixed paths": (lambda out: dedup.clean(["a.jsonl", {"text": "a"}], out), "item 1 is a dict among paths"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_name_parameters_and_no_options(name, tmp_path):
    provoke, message = ERRORS[name]
    with pytest.raises(dedup.DedupError, match=message) as caught:
        provoke(tmp_path / "out")
    assert "--" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_quarantined_record_names_an_option(tmp_path):
    rows = [{"id": 1}, {"text": None}, {"text": 5}, {}, {"text": "\ud800"}, {"text": "fine"}]
    result = dedup.clean_articles(rows, Settings(format="parquet"))
    assert len(result.quarantine) == 5
    assert not [row for row in result.quarantine if "--" in row["error"]]
    dedup.clean(rows, tmp_path / "out", Settings(format="parquet", max_bad=1), engine=ONE)


# Outputs of articles in memory.


def test_an_output_of_objects_can_be_verified_restored_and_explained(written, tmp_path, expected):
    checked = dedup.verify(written)
    assert (checked.articles, checked.mismatches) == (len(ROWS), [])
    dedup.restore(written, tmp_path / "again")
    assert read_jsonl(tmp_path / "again" / "stdin.jsonl") == ROWS
    drop = next(finding for finding in expected.findings if finding.start == 0 and finding.rule.endswith("-article"))
    explained = dedup.explain(written, drop.article)
    assert (explained.kept, explained.dropped_by, explained.cleaned) == (False, drop, "")
    assert explained.fields == ROWS[drop.record]
    assert f"dropped by {drop.rule}" in repr(explained)
    assert "<pre>" in explained._repr_html_()
    assert dedup.explain(written, f"-#{drop.record}") == explained


def test_the_input_is_recorded_by_its_lines_of_json(tmp_path):
    report = dedup.clean(({"text": f"Text {n}."} for n in range(3)), tmp_path / "out", engine=ONE)
    data = b"".join(b'{"text":"Text %d."}\n' % number for number in range(3))
    piped = tmp_path / "stdin.jsonl"
    piped.write_bytes(data)
    [entry] = dedup.clean(piped, tmp_path / "piped", engine=ONE).inputs
    assert report.inputs == ({**entry, "source": "-"},)


def test_ids_that_repeat_must_be_named_by_place(tmp_path):
    rows = [{"id": 7, "text": "One text here."}, {"id": 7, "text": "Another one there."}]
    dedup.clean(rows, tmp_path / "out", engine=ONE)
    with pytest.raises(InputError, match="name one: -#0 or -#1"):
        dedup.explain(tmp_path / "out", 7)
    assert dedup.explain(tmp_path / "out", "-#1").raw == "Another one there."


@pytest.mark.slow
def test_articles_of_a_generator_are_not_kept(tmp_path):
    class Article(dict):
        __hash__ = object.__hash__

    alive, most = weakref.WeakSet(), 0

    def articles():
        nonlocal most
        for number in range(3000):
            article = Article(text=" ".join(f"word{number * place}" for place in range(40)), id=number)
            alive.add(article)
            most = max(most, len(alive))
            yield article
            del article

    settings = Settings(profile="streaming")
    report = dedup.clean(articles(), tmp_path / "out", settings, engine=LocalEngine(jobs=1, memory=64 << 20))
    assert report.counts["articles"] == 3000
    assert most <= 3


def test_an_error_of_the_callers_generator_passes_through(tmp_path):
    def articles():
        yield {"text": "One."}
        raise KeyError("theirs")

    with pytest.raises(KeyError, match="theirs"):
        dedup.clean(articles(), tmp_path / "out", engine=ONE)
    assert list(tmp_path.iterdir()) == []


def test_no_library_of_tables_is_imported():
    # Arrow itself imports pandas, where it is installed, to look for its values in lists.
    code = (
        "import sys, pyarrow as pa, dedup\n"
        "class Capsule:\n"
        "    def __init__(self, table): self.table = table\n"
        "    def __arrow_c_stream__(self, schema=None): return self.table.__arrow_c_stream__(schema)\n"
        "table = pa.table({'text': ['A text.', 'Another.']})\n"
        "result = dedup.clean_articles(Capsule(table), returns='same')\n"
        "assert type(result.articles) is pa.Table\n"
        "print([name for name in ('polars', 'datasets', 'duckdb') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# How results show themselves.

EVIL = "<script>alert(1)</script> caf\u00c3\u00a9"


def test_results_show_themselves_briefly_and_escaped(tmp_path):
    result = dedup.clean_articles([{"id": EVIL, "text": EVIL}, {"id": "b", "text": EVIL}, {}])
    assert repr(result) == "Result(articles=1, dropped=1, findings=3, quarantine=1, site_text=0)"
    assert "duplicate-article" in result._repr_html_()
    assert "&lt;script&gt;" in result._repr_html_()
    report = dedup.clean([{"id": EVIL, "text": EVIL}], tmp_path / "<b>", engine=ONE)
    assert repr(report).startswith("Report(kept=1, dropped=0, quarantined=0, findings=2, out=")
    assert "encoding" in report._repr_html_()
    explained = dedup.explain(tmp_path / "<b>", EVIL)
    for shown in (result, report, explained):
        html = shown._repr_html_()
        assert "<script>" not in html
        assert "<b>" not in html
        assert len(repr(shown)) < 1000
    assert "_repr_html_" in dir(dedup.TableResult)


def test_results_of_tables_show_their_articles():
    result = dedup.clean_articles(frame({"text": [EVIL]}), returns="same")
    assert repr(result) == "TableResult of DataFrame(articles=1, dropped=0, findings=2, quarantine=0, site_text=0)"
    assert "<table" in result._repr_html_()
    assert "<script>" not in result._repr_html_()
    assert "articles=?" in repr(dedup.clean_articles(pa.table({"text": ["a"]}).to_reader(), returns="same"))


# Repeats within one text.


def test_repeats_within_a_text_are_those_of_cleaning():
    rows = [row for row in ROWS if row["n"] % 7 == 3]
    assert rows
    for row in rows:
        repeats = dedup.find_repeats(row["text"])
        findings = dedup.clean_articles([row]).findings
        within = [finding for finding in findings if finding.rule.startswith("repeated-")]
        assert [(repeat.rule, repeat.action, repeat.start, repeat.stop) for repeat in repeats] == [
            (finding.rule, finding.action, finding.start, finding.stop) for finding in within
        ]
        [repeat] = repeats
        copy, twin = (
            row["text"][start:stop].strip()
            for start, stop in ((repeat.start, repeat.stop), (repeat.twin_start, repeat.twin_stop))
        )
        assert copy == twin
    assert dedup.find_repeats("Nothing here.") == []
    off = {"repeated-block": "off", "repeated-paragraph": "off"}
    assert dedup.find_repeats(rows[0]["text"], Settings(rules=off)) == []
    assert dedup.find_repeats(rows[0]["text"], Settings(text_field="body"))[0].action == "drop"
