"""Write outputs in every layout, independently of the writer of `dedup`, for tests that read outputs."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from dedup.findings import Finding, apply, fix
from dedup.output_layout import table_file_name
from dedup.settings import Settings
from dedup.write.report import Report, Tally, write_run_files
from dedup.write.schema import FINDINGS_SCHEMA, QUARANTINE_SCHEMA, SITE_TEXT_SCHEMA
from dedup.write.table_files import Writer

LAYOUTS = [  # format and compression
    ("jsonl", "none"),
    ("jsonl", "gz"),
    ("jsonl", "zst"),
    ("parquet", "none"),
    ("csv", "none"),
    ("csv", "zst"),
]
STORY = "The council of the town met on Monday evening to speak about the new bridge over the river."


SCHEMAS = {"provenance": FINDINGS_SCHEMA, "quarantine": QUARANTINE_SCHEMA, "site_text": SITE_TEXT_SCHEMA}


class InputArticle(NamedTuple):
    """An article of the input, its findings, and whether it was dropped."""

    source: str
    record: int
    fields: dict[str, Any]
    findings: tuple[Finding, ...] = ()
    dropped: bool = False


BROKEN = "caf\u00c3\u00a9 \u00a0 au lait\n\n\n\nthe end "

CORPUS = [
    InputArticle("a.jsonl", 0, {"id": "one", "text": STORY, "n": 1.0, "provenance": {"came": ["in"]}, "z": None}),
    InputArticle(
        "a.jsonl",
        3,
        {"provenance": None, "url": "https://example.com/two", "text": BROKEN, "deep": {"b": [1, "x"]}},
        (
            fix("encoding", BROKEN, 3, 5, "\u00e9", "latin-1 as utf-8"),
            fix("whitespace", BROKEN, 17, 19, "", "blank lines"),
            fix("whitespace", BROKEN, len(BROKEN) - 1, len(BROKEN), ""),
        ),
    ),
    InputArticle(
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
    InputArticle("b/taji.txt.gz", 0, {"id": "b/taji", "text": "\ufeffA text file.\r\nNo line end"}),
    InputArticle("c.ndjson.zst", 0, {"text": "without an id", "flag": True}),
    InputArticle("c.ndjson.zst", 1, {"id": "one", "text": "the same id once more"}),
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


def article_id(article: InputArticle) -> str:
    """Return the id that `dedup` gives an article."""
    for name in ("id", "url"):
        if name in article.fields:
            return str(article.fields[name])
    return f"{article.source}#{article.record}"


def write_output(
    folder: Path,
    articles: list[InputArticle],
    quarantined: list[dict[str, Any]] | None = None,
    inputs: list[str] | None = None,
    layout: tuple[str, str] = ("jsonl", "none"),
    keys: dict[str, dict[str, str]] | None = None,
) -> Path:
    """Write the output of `articles` to `folder`, and return the folder.

    `inputs` are the sources of the run, by default those of the articles. `layout` is format and compression.
    `keys` are further keys of the entry of a source in ``run.json``.
    """
    settings = Settings(format=layout[0], compress=layout[1])
    tables: dict[str, list[dict[str, Any]]] = {"articles": [], "dropped": [], "provenance": []}
    for article in articles:
        raw = article.fields["text"]
        provenance: dict[str, Any] = {
            "source": article.source,
            "record": article.record,
            "sha256": sha256(raw.encode("utf-8", "surrogatepass")).hexdigest(),
            "findings": len(article.findings),
        }
        if article.dropped:
            provenance |= {name: getattr(article.findings[0], name) for name in ("rule", "twin", "similarity")}
        if "provenance" in article.fields:
            provenance["previous"] = article.fields["provenance"]
        line = {**article.fields, "provenance": provenance}
        if not article.dropped:
            line["text"] = apply(raw, article.findings)
        tables["dropped" if article.dropped else "articles"].append(line)
        place = {"article": article_id(article), "source": article.source, "record": article.record}
        tables["provenance"] += [{**finding._asdict(), **place} for finding in article.findings]
    tables["quarantine"] = quarantined or []
    tables["site_text"] = []
    folder.mkdir(parents=True)
    for name, rows in tables.items():
        _write_table(folder / table_file_name(name, *layout), rows, name)
    counts = {
        "records": len(articles) + len(tables["quarantine"]),
        "articles": len(articles),
        "kept": len(tables["articles"]),
        "dropped": len(tables["dropped"]),
        "quarantined": len(tables["quarantine"]),
        "findings": len(tables["provenance"]),
    }
    run = {
        "dedup": {"format": 2, "digest": settings.digest},
        "settings": settings.as_dict(),
        "inputs": [
            {"source": source, "bytes": 0, "sha256": "", **(keys or {}).get(source, {})}
            for source in inputs or list(dict.fromkeys(article.source for article in articles))
        ],
        "counts": counts,
        "characters": {
            "read": sum(len(article.fields["text"]) for article in articles),
            "written": sum(len(line["text"]) for line in tables["articles"]),
        },
        "rules": count_rules([finding for article in articles for finding in article.findings]),
        "errors": dict(Counter(row["error"] for row in tables["quarantine"])),
        "stages": {},
        "fields": {},
    }
    write_sealed_run(folder, run)
    return folder


def count_rules(findings: list[Finding]) -> dict[str, dict[str, dict[str, int]]]:
    """Return findings and characters by rule and action, as ``run.json`` has them."""
    rules: dict[str, dict[str, dict[str, int]]] = {}
    for finding in findings:
        numbers = rules.setdefault(finding.rule, {}).setdefault(finding.action, {"findings": 0, "characters": 0})
        numbers["findings"] += 1
        numbers["characters"] += finding.stop - finding.start
    return rules


def write_sealed_run(folder: Path, run: dict[str, Any]) -> None:
    """Write ``run.json`` with the digests of the tables that are in `folder` now, and its own."""
    others = {"run.json", "run.log.json", "report.html", "review.jsonl"}
    tables = sorted(path for path in folder.iterdir() if path.name not in others)
    run = {name: value for name, value in run.items() if name != "sha256"}
    run["files"] = {path.name: {"bytes": path.stat().st_size, "sha256": _sha256(path.read_bytes())} for path in tables}
    text = json.dumps({**run, "sha256": "0" * 64}, indent=2) + "\n"
    head, _, tail = text.rpartition("0" * 64)
    (folder / "run.json").write_text(f"{head}{_sha256(text.encode())}{tail}")


def _sha256(data: bytes) -> str:
    return sha256(data).hexdigest()


def write_empty_tables(folder: Path, settings: Settings, source: str = "empty.jsonl") -> None:
    """Write the output of a source without records into `folder`."""
    with Writer(folder, settings) as writer:
        files = writer.finish()
    inputs = ({"source": source, "bytes": 0, "sha256": sha256().hexdigest()},)
    report = Report(tally=Tally(), settings=settings, inputs=inputs, shards=files.shards)
    write_run_files(folder, report)


def _write_table(path: Path, rows: list[dict[str, Any]], name: str) -> None:
    if path.suffix == ".parquet":
        schema = SCHEMAS.get(name)
        pq.write_table(pa.Table.from_pylist(rows, schema) if schema else _article_table(rows), path)
        return
    data = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    if ".csv" in path.suffixes:
        data = _csv_of_articles(rows)
    if path.suffix == ".gz":
        data = gzip.compress(data)
    if path.suffix == ".zst":
        data = pa.compress(data, "zstd", asbytes=True)
    path.write_bytes(data)


def _article_table(rows: list[dict[str, Any]]) -> pa.Table:
    """Return articles as columns: texts as they are, all other values as JSON."""
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name != "provenance"]
    columns = []
    schema = []
    for name in names:
        plain = all(isinstance(row.get(name, ""), str) for row in rows)
        values = [None if name not in row else row[name] if plain else json.dumps(row[name]) for row in rows]
        columns.append(pa.array(values, pa.string()))
        schema.append(pa.field(name, pa.string(), metadata=None if plain else {b"json": b"1"}))
    structs = []
    for row in rows:
        members = dict(row["provenance"])
        has_previous = "previous" in members
        members["previous"] = json.dumps(members["previous"]) if has_previous else None
        members["fields"] = [name for name in row if name != "provenance" or has_previous]
        structs.append(members)
    kind = pa.struct(
        [
            ("source", pa.string()),
            ("record", pa.int64()),
            ("sha256", pa.string()),
            ("findings", pa.int64()),
            *(
                [("rule", pa.string()), ("twin", pa.string()), ("similarity", pa.float64())]
                if any("rule" in members for members in structs)
                else []
            ),
            ("fields", pa.list_(pa.string())),
            ("previous", pa.string()),
        ]
    )
    columns.append(pa.array(structs, kind))
    schema.append(pa.field("provenance", kind))
    return pa.Table.from_arrays(columns, schema=pa.schema(schema))


def _csv_of_articles(rows: list[dict[str, Any]]) -> bytes:
    """Return articles as CSV: texts as cells, with an apostrophe before formulas, and all other values as JSON."""
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name != "provenance"]
    text = io.StringIO(newline="")
    writer = csv.writer(text)

    def cell(value: str) -> str:
        return f"'{value}" if value.lstrip("'")[:1] in set("=+-@\t\r\n＝＋－＠") else value

    writer.writerow([*map(cell, names), "provenance"])
    for row in rows:
        cells, in_json = [], []
        for name in names:
            value = row.get(name, "")
            is_json = not isinstance(value, str) or any("\ud800" <= character <= "\udfff" for character in value)
            in_json += [name] * is_json
            cells.append("" if value is None else json.dumps(value) if is_json else cell(value))
        members = {**row["provenance"], "json": in_json}
        members["fields"] = [name for name in row if name != "provenance" or "previous" in members]
        writer.writerow([*cells, json.dumps(members)])
    return text.getvalue().encode("utf-8-sig")


def _read_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def change_row(table: str, number: int, **values: Any) -> Callable[[Path], None]:
    """Return a function that sets values in a row of an output of plain JSON lines.

    The value of ``provenance__x`` becomes member ``x`` of the row's provenance.
    """

    def change(out: Path) -> None:
        path = out / f"{table}.jsonl"
        rows = _read_rows(path)
        for name, value in values.items():
            row, _, inner = name.partition("__")
            if inner:
                rows[number][row][inner] = value
            else:
                rows[number][name] = value
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    return change
