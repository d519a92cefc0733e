"""Outputs read back: by hand-made ones in every layout, forged ones, and what `dedup clean` itself wrote."""

from __future__ import annotations

import base64
import gzip
import io
import json
import shutil
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

import dedup
from dedup.engines.local import LocalEngine
from dedup.errors import DedupError, InputError, OutputError
from dedup.findings import Finding, apply, fix
from dedup.inspect.explain import diff, explain
from dedup.inspect.output import Article, is_text_file, open_output
from dedup.inspect.restore import restore
from dedup.inspect.verify import verify
from dedup.output_layout import table_file_name
from dedup.settings import Settings
from dedup.write.schema import FINDINGS_SCHEMA, QUARANTINE_SCHEMA

LAYOUTS = [("jsonl", "none"), ("jsonl", "gz"), ("jsonl", "zst"), ("parquet", "none")]
STORY = "The council of the town met on Monday evening to speak about the new bridge over the river."


class Given(NamedTuple):
    """One article as it came in, and what happened to it."""

    source: str
    record: int
    fields: dict[str, Any]
    findings: tuple[Finding, ...] = ()
    dropped: bool = False


BROKEN = "caf\u00c3\u00a9 \u00a0 au lait\n\n\n\nthe end "
CORPUS = [
    Given("a.jsonl", 0, {"id": "one", "text": STORY, "n": 1.0, "provenance": {"came": ["in"]}, "z": None}),
    Given(
        "a.jsonl",
        3,
        {"provenance": None, "url": "https://example.com/two", "text": BROKEN, "deep": {"b": [1, "x"]}},
        (
            fix("encoding", BROKEN, 3, 5, "\u00e9", "latin-1 as utf-8"),
            fix("whitespace", BROKEN, 17, 19, "", "blank lines"),
            fix("whitespace", BROKEN, len(BROKEN) - 1, len(BROKEN), ""),
        ),
    ),
    Given(
        "a.jsonl",
        5,
        {"id": 7, "text": STORY.upper(), "url": ""},
        (
            Finding(
                rule="duplicate-article",
                action="drop",
                start=0,
                stop=len(STORY),
                original=STORY.upper(),
                replacement="",
                twin="one",
                twin_start=0,
                twin_stop=len(STORY),
                similarity=1.0,
                twin_source="a.jsonl",
                twin_record=0,
            ),
        ),
        dropped=True,
    ),
    Given("b/taji.txt.gz", 0, {"id": "b/taji", "text": "\ufeffA text file.\r\nNo line end"}),
    Given("c.ndjson.zst", 0, {"text": "without an id", "flag": True}),
    Given("c.ndjson.zst", 1, {"id": "one", "text": "the same id once more"}),
]
QUARANTINED = [
    {"source": "a.jsonl", "record": 1, "error": "not JSON", "raw": '{"id": ', "encoding": "utf-8"},
    {
        "source": "bad.txt",
        "record": 0,
        "error": "not UTF-8",
        "raw": base64.b64encode(b"\xff\xfe\r\n").decode(),
        "encoding": "base64",
    },
]
INPUTS = ["a.jsonl", "b/taji.txt.gz", "bad.txt", "c.ndjson.zst", "empty.jsonl"]


def article_id(article: Given) -> str:
    for name in ("id", "url"):
        if name in article.fields:
            return str(article.fields[name])
    return f"{article.source}#{article.record}"


def store(
    folder: Path,
    articles: list[Given],
    quarantined: list[dict[str, Any]] | None = None,
    inputs: list[str] | None = None,
    layout: tuple[str, str] = ("jsonl", "none"),
) -> Path:
    """An output folder, written independently of the program's own writer."""
    chosen = Settings(format=layout[0], compress=layout[1])
    tables: dict[str, list[dict[str, Any]]] = {"articles": [], "dropped": [], "provenance": []}
    for article in articles:
        raw = article.fields["text"]
        ours: dict[str, Any] = {
            "source": article.source,
            "record": article.record,
            "sha256": sha256(raw.encode("utf-8", "surrogatepass")).hexdigest(),
            "findings": len(article.findings),
        }
        if article.dropped:
            ours |= {name: getattr(article.findings[0], name) for name in ("rule", "twin", "similarity")}
        if "provenance" in article.fields:
            ours["previous"] = article.fields["provenance"]
        line = {**article.fields, "provenance": ours}
        if not article.dropped:
            line["text"] = apply(raw, article.findings)
        tables["dropped" if article.dropped else "articles"].append(line)
        keys = {"article": article_id(article), "source": article.source, "record": article.record}
        tables["provenance"] += [{**finding._asdict(), **keys} for finding in article.findings]
    tables["quarantine"] = quarantined or []
    folder.mkdir(parents=True)
    for name, rows in tables.items():
        _write(folder / table_file_name(name, *layout), rows, name)
    counts = {
        "records": len(articles) + len(tables["quarantine"]),
        "articles": len(articles),
        "kept": len(tables["articles"]),
        "dropped": len(tables["dropped"]),
        "quarantined": len(tables["quarantine"]),
        "findings": len(tables["provenance"]),
    }
    run = {
        "dedup": {"format": 1, "digest": chosen.digest},
        "settings": chosen.as_dict(),
        "inputs": [
            {"source": source, "bytes": 0, "sha256": ""}
            for source in inputs or list(dict.fromkeys(article.source for article in articles))
        ],
        "counts": counts,
    }
    (folder / "run.json").write_text(json.dumps(run))
    return folder


def _write(path: Path, rows: list[dict[str, Any]], name: str) -> None:
    if path.suffix == ".parquet":
        if name in {"provenance", "quarantine"}:
            pq.write_table(
                pa.Table.from_pylist(rows, FINDINGS_SCHEMA if name == "provenance" else QUARANTINE_SCHEMA), path
            )
        else:
            pq.write_table(_folded(rows), path)
        return
    data = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    if path.suffix == ".gz":
        data = gzip.compress(data)
    if path.suffix == ".zst":
        data = pa.compress(data, "zstd", asbytes=True)
    path.write_bytes(data)


def _folded(rows: list[dict[str, Any]]) -> pa.Table:
    """Articles as columns: texts as they are, everything else as JSON."""
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name != "provenance"]
    columns = []
    schema = []
    for name in names:
        plain = all(isinstance(row.get(name, ""), str) for row in rows)
        values = [None if name not in row else row[name] if plain else json.dumps(row[name]) for row in rows]
        columns.append(pa.array(values, pa.string()))
        schema.append(pa.field(name, pa.string(), metadata=None if plain else {b"json": b"1"}))
    ours = []
    for row in rows:
        made = dict(row["provenance"])
        came = "previous" in made
        made["previous"] = json.dumps(made["previous"]) if came else None
        made["fields"] = [name for name in row if name != "provenance" or came]
        ours.append(made)
    kind = pa.struct(
        [
            ("source", pa.string()),
            ("record", pa.int64()),
            ("sha256", pa.string()),
            ("findings", pa.int64()),
            *(
                [("rule", pa.string()), ("twin", pa.string()), ("similarity", pa.float64())]
                if any("rule" in made for made in ours)
                else []
            ),
            ("fields", pa.list_(pa.string())),
            ("previous", pa.string()),
        ]
    )
    columns.append(pa.array(ours, kind))
    schema.append(pa.field("provenance", kind))
    return pa.Table.from_arrays(columns, schema=pa.schema(schema))


@pytest.fixture(params=LAYOUTS, ids="-".join)
def out(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return store(tmp_path / "out", CORPUS, QUARANTINED, INPUTS, request.param)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return store(tmp_path / "out", CORPUS, QUARANTINED, INPUTS)


def test_articles_come_back_as_they_came_in_whatever_the_layout(out: Path) -> None:
    read = list(open_output(out).articles())
    assert [(article.source, article.record) for article in read] == [given[:2] for given in CORPUS]
    for article, came in zip(read, CORPUS, strict=True):
        original = {name: json.loads(bytes(value)) for name, value in article.original().items()}
        assert list(original.items()) == list(came.fields.items())
        assert article.id == article_id(came)
        assert article.kept is not came.dropped
        assert article.raw == came.fields["text"]
        assert [finding._replace(article="", source="-", record=0) for finding in article.findings] == list(
            came.findings
        )


def test_numbers_keep_their_spelling(plain: Path) -> None:
    article = next(open_output(plain).articles())
    assert bytes(article.fields["n"]) == b"1.0"


def test_a_verified_output_is_the_one_that_was_written(out: Path) -> None:
    found = verify(out)
    assert found.mismatches == []
    assert (found.articles, found.findings) == (6, 4)


def test_restore_gives_the_original_files_again_whatever_the_layout(out: Path, tmp_path: Path) -> None:
    counts = restore(out, tmp_path / "again")
    assert counts == {"files": 5, "articles": 6, "quarantined": 2}
    again = {
        str(path.relative_to(tmp_path / "again")): path for path in (tmp_path / "again").rglob("*") if path.is_file()
    }
    assert sorted(again) == sorted(INPUTS)
    lines = again["a.jsonl"].read_text().split("\n")
    assert [lines[1], lines[2], lines[4], lines[6:]] == ['{"id": ', "", "", [""]]
    for came in CORPUS[:3]:
        assert list(json.loads(lines[came.record]).items()) == list(came.fields.items())
    assert gzip.decompress(again["b/taji.txt.gz"].read_bytes()).decode() == CORPUS[3].fields["text"]
    assert again["bad.txt"].read_bytes() == b"\xff\xfe\r\n"
    assert again["empty.jsonl"].read_bytes() == b""
    with pa.input_stream(str(again["c.ndjson.zst"]), compression="zstd") as stream:
        assert [json.loads(line) for line in stream.read().splitlines()] == [given.fields for given in CORPUS[4:]]


def test_standard_input_is_restored_under_a_name(tmp_path: Path) -> None:
    out = store(tmp_path / "out", [Given("-", 0, {"text": "piped"})])
    restore(out, tmp_path / "again")
    assert (tmp_path / "again" / "stdin.jsonl").read_text() == '{"text":"piped"}\n'


def test_lone_surrogates_come_back(tmp_path: Path) -> None:
    fields = {"id": "s", "text": "lone \ud800 here", "k\udfff": "\udc00"}
    out = store(tmp_path / "out", [Given("caf\udce9.jsonl", 0, fields)])
    assert verify(out).mismatches == []
    restore(out, tmp_path / "again")
    (path,) = (tmp_path / "again").iterdir()
    assert path.name == "caf\udce9.jsonl"
    assert json.loads(path.read_bytes()) == fields


@pytest.mark.parametrize(
    "source", ["/tmp/evil.jsonl", "../evil.jsonl", "a/../../evil.jsonl", "", "nul\0.jsonl"], ids=ascii
)
def test_restore_never_leaves_its_folder(tmp_path: Path, source: str) -> None:
    out = store(tmp_path / "out", [Given(source, 0, {"text": "x"})])
    with pytest.raises(OutputError, match="leads out of the folder"):
        restore(out, tmp_path / "again")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_restore_needs_a_new_or_an_empty_folder(plain: Path, tmp_path: Path) -> None:
    folder = tmp_path / "again"
    folder.mkdir()
    (folder / "mine.md").write_text("mine")
    (folder / "a.jsonl").write_text("old")
    with pytest.raises(OutputError, match="--force"):
        restore(plain, folder)
    restore(plain, folder, force=True)
    assert (folder / "mine.md").read_text() == "mine"
    assert (folder / "a.jsonl").read_text() != "old"
    shutil.rmtree(folder)
    folder.mkdir()
    restore(plain, folder)
    with pytest.raises(OutputError, match="inside the output"):
        restore(plain, plain / "again")


def test_restore_by_force_does_not_follow_links_out(tmp_path: Path) -> None:
    out = store(tmp_path / "out", [Given("sub/a.jsonl", 0, {"text": "x"})])
    (tmp_path / "outside").mkdir()
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "sub").symlink_to(tmp_path / "outside")
    with pytest.raises(OutputError, match="link"):
        restore(out, tmp_path / "again", force=True)
    assert list((tmp_path / "outside").iterdir()) == []


def test_what_is_no_output_says_so(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(OutputError, match=r"is not an output of dedup: no run\.json"):
            open_output(path)
    (tmp_path / "run.json").write_text('{"dedup": {"format": 99}}')
    with pytest.raises(OutputError, match="format 99"):
        open_output(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(OutputError, match="cannot be read"):
        open_output(tmp_path)


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _change(table: str, number: int, **values: Any) -> Callable[[Path], None]:
    """Sets values of one row; a value named ``provenance__x`` goes into its provenance."""

    def change(out: Path) -> None:
        path = out / f"{table}.jsonl"
        rows = _rows(path)
        for name, value in values.items():
            row, _, inner = name.partition("__")
            if inner:
                rows[number][row][inner] = value
            else:
                rows[number][name] = value
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    return change


def _remove(table: str, number: int) -> Callable[[Path], None]:
    def change(out: Path) -> None:
        lines = (out / f"{table}.jsonl").read_text().splitlines(keepends=True)
        del lines[number]
        (out / f"{table}.jsonl").write_text("".join(lines))

    return change


def _swap(table: str) -> Callable[[Path], None]:
    def change(out: Path) -> None:
        first, second, *rest = (out / f"{table}.jsonl").read_text().splitlines(keepends=True)
        (out / f"{table}.jsonl").write_text("".join([second, first, *rest]))

    return change


def _run(path: list[str], value: Any) -> Callable[[Path], None]:
    def change(out: Path) -> None:
        run = json.loads((out / "run.json").read_text())
        place = run
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value
        (out / "run.json").write_text(json.dumps(run))

    return change


FORGERIES = [
    ("a kept text was edited", _change("articles", 0, text=STORY + " More."), "another sha256"),
    ("a dropped text was edited", _change("dropped", 0, text=STORY), "not the finding's original"),
    ("a replacement is another", _change("provenance", 0, replacement="e"), "its replacement is not in the cleaned"),
    ("an original is another", _change("provenance", 0, original="xx"), "another sha256"),
    ("a span is longer than its text", _change("provenance", 0, stop=9), "does not measure its original"),
    ("spans overlap", _change("provenance", 1, start=4, stop=6), "overlaps"),
    ("a finding is gone", _remove("provenance", 0), "has 2 findings, its provenance says 3"),
    ("a finding is of no article", _change("provenance", 0, record=2), "of an article that is not there"),
    ("a finding is of no input", _change("provenance", 0, source="x"), "not among the inputs"),
    ("a finding names another article", _change("provenance", 0, article="x"), "names the article 'x'"),
    ("a rule is unknown", _change("provenance", 0, rule="magic"), "no such rule"),
    ("an action is another", _change("provenance", 0, action="drop"), "the action of this rule was fix"),
    ("findings are out of order", _swap("provenance"), "out of order"),
    ("articles are out of order", _swap("articles"), "out of input order"),
    ("an article is gone", _remove("articles", 2), "counts 5 kept, the tables hold 4"),
    ("a twin is not there", _change("provenance", 3, twin_record=9), "is not there"),
    ("a twin is dropped itself", _change("provenance", 3, twin_source="a.jsonl", twin_record=5), "is dropped"),
    ("a twin's span is too long", _change("provenance", 3, twin_stop=999), "its span is 0-999"),
    (
        "a twin is another article",
        _change("provenance", 3, twin_record=3, twin_stop=5),
        "similarity to 'one' is 0.0, not 1.0",
    ),
    ("a similarity is another", _change("dropped", 0, provenance__similarity=0.9), "another similarity"),
    ("a drop covers a part", _change("provenance", 3, stop=9, original=STORY.upper()[:9]), "not by one finding"),
    ("a drop has no twin", _change("provenance", 3, twin_source=None), "a drop without a twin"),
    ("a count is wrong", _run(["counts", "kept"], 3), "counts 3 kept, the tables hold 5"),
    ("a rule's count is wrong", _run(["rules"], {"encoding": {"fix": {"findings": 2}}}), "counts 2 of encoding: fix"),
    ("a setting is another", _run(["settings", "threshold"], 0.5), "digest"),
    ("a file is gone", lambda out: (out / "quarantine.jsonl").unlink(), "is not there"),
    ("a file is added", lambda out: (out / "notes.md").write_text("x"), "does not belong"),
    ("a line is cut", lambda out: (out / "articles.jsonl").write_text('{"id": 1'), "not JSON"),
    ("a line is no article", lambda out: (out / "articles.jsonl").write_text("{}\n"), "not an article of dedup"),
    ("a row is no finding", _change("provenance", 0, start="three"), "not a finding"),
]


@pytest.mark.parametrize(("forge", "told"), [row[1:] for row in FORGERIES], ids=[row[0] for row in FORGERIES])
def test_verify_finds_every_forgery(
    plain: Path, monkeypatch: pytest.MonkeyPatch, forge: Callable[[Path], object], told: str
) -> None:
    forge(plain)
    found = verify(plain)
    assert any(told in f"{one.where}: {one.what}" for one in found.mismatches), found
    monkeypatch.setattr("dedup.engines.local.SMALL_BYTES", 0)
    monkeypatch.setattr("dedup.inspect.verify_twins._BATCH_CHARACTERS", 1)
    assert verify(plain, LocalEngine(jobs=2)) == found


def test_reading_stops_at_tables_that_do_not_fit(plain: Path) -> None:
    _change("provenance", 0, record=2)(plain)
    with pytest.raises(OutputError, match="see dedup verify"):
        list(open_output(plain).articles())


def test_a_damaged_table_is_told_of_in_one_line(tmp_path: Path) -> None:
    out = store(tmp_path / "out", CORPUS, QUARANTINED, INPUTS, ("jsonl", "gz"))
    path = out / "articles.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(OutputError, match=r"articles\.jsonl\.gz: cannot be read"):
        list(open_output(out).articles())


def _shown(out: Path, name: str, **options: Any) -> str:
    file = io.StringIO()
    explain(open_output(out), name, Console(file=file, **{"width": 120, "highlight": False, **options}))
    return file.getvalue()


def test_explain_shows_what_was_there_and_what_is_there_now(plain: Path) -> None:
    shown = _shown(plain, "https://example.com/two")
    assert "a.jsonl#3  kept, 3 changes" in shown
    assert "encoding: fix  3-5  (latin-1 as utf-8)" in shown
    assert "caf[-\u00c3\u00a9-]{+\u00e9+}" in shown
    assert "[-↵↵-]" in shown
    assert "⍽" in shown


def test_explain_shows_the_twin_of_a_dropped_article(plain: Path) -> None:
    for options in ({}, {"force_terminal": True}, {"force_terminal": True, "width": 60, "no_color": True}):
        shown = " ".join(_shown(plain, "7", **options).split())
        assert "by duplicate-article: repeats one" in shown or "\x1b" in shown
        assert "its twin in one" in shown
    assert f"[-{STORY.upper()}-]" in _shown(plain, "7")
    assert STORY in _shown(plain, "7")


def test_explain_shows_every_article_of_an_id_that_repeats(plain: Path) -> None:
    shown = _shown(plain, "one")
    assert "a.jsonl#0" in shown
    assert "c.ndjson.zst#1" in shown
    assert "c.ndjson.zst#1" not in _shown(plain, "a.jsonl#0")


def test_explain_offers_close_matches(plain: Path) -> None:
    with pytest.raises(InputError, match="no article 'b/taij'; did you mean 'b/taji'"):
        _shown(plain, "b/taij")


def test_control_characters_never_reach_the_terminal(tmp_path: Path) -> None:
    raw = "a\x1b[31mb\x9b\u202e"
    out = store(
        tmp_path / "out", [Given("a.jsonl", 0, {"id": "\x1bid", "text": raw}, (fix("encoding", raw, 1, 6, ""),))]
    )
    shown = _shown(out, "\x1bid")
    assert not set(shown) & set("\x1b\x9b\u202e")
    assert "␛id" in shown


def test_long_spans_are_shown_by_their_ends(tmp_path: Path) -> None:
    raw = "x" * 5000
    finding = fix("encoding", raw, 0, 5000, "y" * 5000)
    out = store(tmp_path / "out", [Given("a.jsonl", 0, {"id": "long", "text": raw}, (finding,))])
    assert "[…4400 characters…]" in _shown(out, "long")


def test_a_diff_leads_from_the_raw_to_the_cleaned_text(plain: Path, tmp_path: Path) -> None:
    lines = list(diff(open_output(plain)))
    assert [line for line in lines if line.startswith(("---", "+++"))] == [
        "--- a/https://example.com/two",
        "+++ b/https://example.com/two",
        "--- a/7",
        "+++ /dev/null",
    ]
    if shutil.which("patch"):
        (tmp_path / "text").write_text(BROKEN)
        patch = "\n".join(diff(open_output(plain), "https://example.com/two")) + "\n"
        subprocess.run(["patch", "-s", tmp_path / "text"], input=patch, text=True, check=True)
        assert (tmp_path / "text").read_text() == apply(BROKEN, CORPUS[1].findings)


@pytest.mark.parametrize(
    ("source", "text"),
    [("a.txt", True), ("A.TXT.GZ", True), ("a/b.txt.zst", True), ("-", False), ("a.txt.jsonl", False), (".txt", True)],
)
def test_a_text_file_is_known_by_its_name(source: str, text: bool) -> None:
    assert is_text_file(source) is text


@st.composite
def edited(draw: st.DrawFn) -> Given:
    raw = draw(st.text(max_size=60))
    places = sorted(draw(st.sets(st.integers(0, len(raw)), max_size=6)))
    findings = tuple(
        fix("encoding", raw, start, stop, draw(st.text(max_size=4)))
        for start, stop in zip(places[::2], places[1::2], strict=False)
    )
    extra = draw(st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=5), max_size=3))
    return Given("a.jsonl", 0, {**extra, "id": draw(st.text(max_size=5)), "text": raw}, findings)


@given(st.lists(edited(), min_size=1, max_size=4), st.sampled_from(LAYOUTS))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_article_comes_back(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[Given], layout: tuple[str, str]
) -> None:
    articles = [article._replace(record=number) for number, article in enumerate(drawn)]
    out = store(tmp_path_factory.mktemp("any") / "out", articles, layout=layout)
    assert verify(out).mismatches == []

    def came_in(article: Article) -> dict[str, Any]:
        return {name: json.loads(bytes(value)) for name, value in article.original().items()}

    assert list(map(came_in, open_output(out).articles())) == [article.fields for article in articles]


def test_errors_are_one_line(plain: Path) -> None:
    _change("articles", 0, text="edited\nsince")(plain)
    _change("provenance", 0, record=2)(plain)
    with pytest.raises(DedupError) as caught:
        restore(plain, plain.parent / "again")
    assert "\n" not in str(caught.value)


def test_a_twin_inside_a_paragraph_is_compared(tmp_path: Path) -> None:
    first = "The council met on Monday to discuss the budget of the coming\u00a0year."
    body = [f"{first} Members said that schools would get more money than before, and parks less."]
    told = [
        "Nobody knows what the new bridge over the river will cost in the end.",
        "Opponents have announced a demonstration in front of the old town hall.",
        "The last debate about schools took nine hours and ended after midnight.",
    ]
    body += [f"There was news about this on day {number} too. {one}" for number, one in enumerate(told)]
    bullets = [first, *told]
    source = tmp_path / "a.jsonl"
    source.write_text(json.dumps({"id": "a", "text": "\n\n".join(body + bullets)}) + "\n")
    dedup.clean(source, tmp_path / "out")
    table = tmp_path / "out" / "provenance.jsonl"
    drops = [row for row in map(json.loads, table.read_text().splitlines()) if row["action"] == "drop"]
    raw = json.loads(source.read_text())["text"]
    assert raw[drops[0]["twin_start"] : drops[0]["twin_stop"]] == first
    assert not verify(tmp_path / "out").mismatches
    table.write_text(table.read_text().replace('"similarity":1.0', '"similarity":0.9'))
    assert any("similarity" in str(one) for one in verify(tmp_path / "out").mismatches)
