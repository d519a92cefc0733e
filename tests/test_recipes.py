"""The recipes of the documents: every block runs and gives the right rows, and every table opens in every library."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pyarrow as pa
import pyarrow.json as pa_json
import pyarrow.parquet as pq
import pytest
from conftest import ROOT
from helpers.outputs import write_empty_tables

import dedup

pytestmark = pytest.mark.filterwarnings("ignore")  # of the other libraries about each other

SENTENCE = "The council of the town met on Monday evening to speak about the new bridge over the river"
ROWS: list[dict[str, Any]] = [  # ids like numbers, a date, a formula, and a field of several kinds
    {"id": "007", "text": f"{SENTENCE}, cafÃ©.", "date": "2026-01-02", "n": 1, "source": "one.example"},
    {"id": "NA", "text": "=1+1 is  a text\r\nof two lines", "date": "2026-01-03", "n": "two", "source": "b"},
    {"id": "1e5", "text": f"{SENTENCE}, café", "date": "2026-01-04", "n": 2.5, "source": ""},
    {"id": "x", "text": "Zero\u200bwidth, and 漢字 ", "date": "2026-01-05", "n": 3, "source": "c"},
]
LAYOUTS = {"out": {}, "out-parquet": {"format": "parquet"}, "out-csv": {"format": "csv"}}
MISSING = "this library is not installed; the extra `recipes` has it"
SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
PAGE = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
SECTIONS = dict(SECTION.findall(PAGE))
LIBRARIES = {"pyarrow": "pyarrow", "pandas": "pandas", "polars": "polars", "DuckDB": "duckdb"}
LIBRARIES |= {"Hugging Face datasets": "datasets", "Spreadsheets and CSV": "csv"}


def blocks(section: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the folder `crawl` and its outputs in each format."""
    folder = tmp_path_factory.mktemp("recipes")
    (folder / "crawl").mkdir()
    lines = [*map(json.dumps, ROWS), '{"broken"']
    (folder / "crawl" / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    for name, layout in LAYOUTS.items():
        dedup.clean(folder / "crawl", folder / name, dedup.Settings(**layout))
    return folder


def json_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def to_rows(table: Any) -> list[dict[str, Any]]:
    """Return the rows of a table of any library as dicts."""
    if isinstance(table, list):
        return table
    for method in ("to_pylist", "to_dicts", "to_list"):
        if hasattr(table, method):
            return getattr(table, method)()
    if hasattr(table, "to_arrow_table"):
        return table.to_arrow_table().to_pylist()
    return table.to_dict("records")


@pytest.fixture
def _no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the cache of `datasets` in a temporary folder; it reads its settings when it is imported."""
    if "datasets" in sys.modules:
        monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    for name, value in {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}.items():
        monkeypatch.setenv(name, value)


def test_every_section_with_code_is_run():
    with_code = {title for title, section in SECTIONS.items() if "```" in section}
    assert with_code == {*LIBRARIES, "Command line", "Scrapy"}
    assert PAGE.count("```python") == sum(len(blocks(section, "python")) for section in SECTIONS.values())


@pytest.mark.usefixtures("_no_network")
@pytest.mark.parametrize("title", LIBRARIES)
def test_the_blocks_of_a_section_give_articles_findings_and_cleaned_articles(title, outputs, tmp_path, monkeypatch):
    pytest.importorskip(LIBRARIES[title], reason=MISSING)
    shutil.copytree(outputs, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    names: dict[str, Any] = {}
    for block in blocks(SECTIONS[title], "python"):
        exec(compile(block, f"{title} of docs/recipes.md", "exec"), names)
    kept = json_rows(outputs / "out" / "articles.jsonl")
    texts = [(row["id"], row["text"]) for row in kept]
    assert [(row["id"], row["text"]) for row in to_rows(names["articles"])] == texts
    if "same_articles" in names:
        rows = to_rows(names["same_articles"])
        assert [(row["id"], row["text"], row["date"]) for row in rows] == [
            (*text, row["date"]) for text, row in zip(texts, kept, strict=True)
        ]
    if "quarantine" in names:
        assert [row["raw"] for row in to_rows(names["quarantine"])] == ['{"broken"']
    if title != "Spreadsheets and CSV":
        ids = {row["provenance"]["record"]: row["id"] for row in kept}
        findings = json_rows(outputs / "out" / "provenance.jsonl")
        expected = [(ids[row["record"]], row["rule"], row["start"]) for row in findings if row["record"] in ids]
        assert len(expected) > 3
        assert sorted((row["id"], row["rule"], row["start"]) for row in to_rows(names["joined"])) == sorted(expected)
        assert [(row["id"], row["text"]) for row in to_rows(names["again"])] == texts  # clean already


def test_the_page_makes_its_outputs_as_this_test_does():
    [block] = blocks(PAGE.split("\n## ")[0], "sh")
    options = {name: [f"--{key} {value}" for key, value in layout.items()] for name, layout in LAYOUTS.items()}
    assert block.splitlines() == [" ".join(["dedup clean crawl -o", name, *given]) for name, given in options.items()]


@pytest.mark.slow
def test_the_commands_run(outputs, tmp_path):
    if not shutil.which("jq"):
        pytest.skip("jq is not installed")
    shutil.copytree(outputs, tmp_path, dirs_exist_ok=True)
    command = tmp_path / "bin" / "dedup"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m dedup "$@"\n')
    command.chmod(0o755)
    script = "set -eu\n" + "".join(blocks(SECTIONS["Command line"], "sh"))
    environment = os.environ | {"PATH": f"{command.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    shown = done.stdout.decode().splitlines()
    kept = json_rows(outputs / "out" / "articles.jsonl")
    assert shown[-len(kept) :] == [row["id"] for row in kept]
    assert [
        json.loads(line)["id"] for line in pa.input_stream(str(tmp_path / "cleaned.jsonl.gz")).read().splitlines()
    ] == [row["id"] for row in kept]
    assert (tmp_path / "small" / "articles-00000.jsonl").exists()


# How each library reads a file; a number of rows, or None where the page says that it cannot.


def count_pyarrow(path: Path, _empty: bool) -> int | None:
    return pq.read_table(path).num_rows if path.suffix == ".parquet" else None


def count_pandas(path: Path, _empty: bool) -> int | None:
    pd = pytest.importorskip("pandas", reason=MISSING)
    if path.suffix == ".parquet":
        return len(pd.read_parquet(path))
    if path.suffix == ".csv":
        return len(pd.read_csv(path, dtype=str, keep_default_na=False))
    return len(pd.DataFrame(json_rows(path)))


def count_polars(path: Path, empty: bool) -> int | None:
    pl = pytest.importorskip("polars", reason=MISSING)
    if path.suffix == ".parquet":
        return pl.read_parquet(path).height
    if path.suffix == ".csv":
        return pl.read_csv(path, infer_schema=False).height
    return pl.read_ndjson(path, schema={"source": pl.String} if empty else None, infer_schema_length=None).height


def count_duckdb(path: Path, empty: bool) -> int | None:
    duckdb = pytest.importorskip("duckdb", reason=MISSING)
    read = {".parquet": "read_parquet", ".csv": "read_csv", ".jsonl": "read_json"}[path.suffix]
    columns = ", columns = {source: 'varchar'}" if empty and read == "read_json" else ""
    return len(duckdb.sql(f"from {read}('{path}'{columns})").fetchall())


def count_datasets(path: Path, empty: bool) -> int | None:
    datasets = pytest.importorskip("datasets", reason=MISSING)
    if path.suffix == ".parquet":
        return datasets.Dataset(pq.read_table(path)).num_rows
    if empty:
        return None
    kind = {".csv": "csv", ".jsonl": "json"}[path.suffix]
    return datasets.load_dataset(kind, data_files=str(path), split="train").num_rows


COUNTERS = {
    "pyarrow": count_pyarrow,
    "pandas": count_pandas,
    "polars": count_polars,
    "duckdb": count_duckdb,
    "datasets": count_datasets,
}
COUNTS = {"articles": "kept", "dropped": "dropped", "provenance": "findings", "quarantine": "quarantined"}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, int]]:
    """Return the path and number of rows of every table of outputs in every format, full and empty."""
    folder = tmp_path_factory.mktemp("tables")
    inputs = {"full": [*ROWS, {"no": "text"}], "clean": [{"id": "a", "text": "nothing to do"}]}
    files = []
    for kind, rows in inputs.items():
        source = folder / f"{kind}.jsonl"
        source.write_text("".join(json.dumps(row) + "\n" for row in rows))
        for name in ("jsonl", "parquet", "csv"):
            out = folder / f"{kind}-{name}"
            report = dedup.clean(source, out, dedup.Settings(format=name))
            files += [(path, report.counts[COUNTS[path.stem]]) for path in out.glob("*.*") if path.stem in COUNTS]
    for name in ("jsonl", "parquet", "csv"):
        out = folder / f"empty-{name}"
        out.mkdir()
        write_empty_tables(out, dedup.Settings(format=name))
        files += [(path, 0) for path in out.iterdir() if path.stem in COUNTS]
    assert len(files) == 3 * 3 * len(COUNTS)
    return files


@pytest.mark.usefixtures("_no_network")
@pytest.mark.parametrize("library", COUNTERS)
def test_every_table_opens_full_and_empty(library, tables):
    counts = {path: COUNTERS[library](path, not rows) for path, rows in tables}
    known = {path: count for path, count in counts.items() if count is not None}
    assert known == {path: rows for path, rows in tables if path in known}
    assert all(path in known for path, _ in tables if path.suffix == ".parquet")


def test_pyarrow_reads_json_lines_as_the_page_says(tables):
    for path, rows in tables:
        if path.suffix == ".jsonl" and not rows:
            with pytest.raises(pa.ArrowInvalid, match="Empty JSON file"):
                pa_json.read_json(path)
        elif path.suffix == ".jsonl" and "full" in path.parent.name and path.stem == "articles":
            with pytest.raises(pa.ArrowInvalid, match="changed from number to string"):
                pa_json.read_json(path)
        elif path.suffix == ".jsonl":
            assert pa_json.read_json(path).num_rows == rows


SPIDER = """
import sys
import scrapy
from scrapy.crawler import CrawlerProcess

class Articles(scrapy.Spider):
    name = "articles"
    start_urls = [sys.argv[1]]

    def parse(self, response):
        if response.css("article"):
            yield {"url": response.url, "text": "\\n\\n".join(response.css("article p::text").getall())}
        yield from response.follow_all(css="a")

settings = {
    "ITEM_PIPELINES": {"pipelines.DedupPipeline": 300},
    "DEDUP_INDEX": "seen",
    "FEEDS": {"articles.jsonl": {"format": "jsonlines"}},
    "TELNETCONSOLE_ENABLED": False,
}
process = CrawlerProcess(settings)
process.crawl(Articles)
process.start()
"""


class QuietHandler(SimpleHTTPRequestHandler):
    """A server of files that logs nothing."""

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """Yield the address of a site with six articles, each of them twice."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "index.html").write_text("".join(f'<a href="{number}.html">{number}</a>' for number in range(6)))
    for number in range(6):
        words = " ".join(f"w{number % 3}x{place}" for place in range(40))
        page = f"<article><p>{words}</p><p>caf\u00c3\u00a9 number {number % 3}</p></article>"
        (folder / f"{number}.html").write_text(f'<meta charset="utf-8">{page}', encoding="utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=folder)) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/index.html"
        server.shutdown()
        thread.join()


@pytest.mark.slow
def test_the_scrapy_pipeline_drops_what_a_crawl_has_seen(tmp_path: Path, site: str) -> None:
    pytest.importorskip("scrapy", reason=MISSING)
    (block,) = blocks(SECTIONS["Scrapy"], "python")
    (tmp_path / "pipelines.py").write_text(block, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SPIDER, site]
    crawled = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert crawled.returncode == 0, crawled.stderr
    texts = sorted(row["text"].split()[-3:] for row in json_rows(tmp_path / "articles.jsonl"))
    assert texts == [["café", "number", str(number)] for number in range(3)]
    assert crawled.stderr.count("Dropped: duplicate-article of http://127.0.0.1") == 3
    with dedup.Index(tmp_path / "seen") as index:
        assert len(index) == 3
