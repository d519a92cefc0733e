"""Time the pages of ``dedup view``, first paint and search, on a generated output of any size.

The output has 100,000 articles of a few hundred made-up words and ten findings for each: fixes, flagged paragraphs, and
dropped copies. It is written by the writer of `dedup` itself, without cleaning anything. Times are those of chromium:
from the start of a navigation to the first contentful paint. On a busy machine, compare the CPU seconds of the server.

python -m benchmarks.view [--articles 100000] [--runs 5] [--write]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.stored_results import save_results
from dedup.decide.outcomes import Outcome
from dedup.decide.verdicts import Twin, Verdict
from dedup.findings import DROP, FLAG, Finding, apply, fix
from dedup.read.fields import to_json_bytes
from dedup.settings import Settings
from dedup.write.report import Report, Tally, write_run_files
from dedup.write.table_files import Writer
from dedup.write.tables import encode_tables

SOURCE = "made.jsonl"
WORDS, COMMON = 40_000, 300  # different words, and words of an article
FIXES, FLAGS = 8, 2  # findings of an article that stays
COPY_SHARE = 10  # one article in so many is a dropped copy of the one before
HOSTS = 60
_CHUNK = 2_000  # articles


def made_outcomes(count: int, seed: int = 1) -> Iterator[Outcome]:
    """Yield the outcomes of `count` articles, each with ten findings; a dropped one has one."""
    draw = np.random.default_rng(seed)
    letters = np.array(list("abcdefghijklmnoprstuvwz"))
    words = ["".join(draw.choice(letters, size)) for size in draw.integers(3, 11, WORDS).tolist()]
    before: Outcome | None = None
    for record in range(count):
        place = Finding(f"made-{record}", SOURCE, record)
        fields = to_json_bytes(
            {
                "id": place.article,
                "url": f"https://{record % HOSTS}.example/{record}",
                "date": _day(record),
                "text": None,
            }
        )
        if record % COPY_SHARE == COPY_SHARE - 1 and before is not None:
            raw = f"{before.raw} Printed again."
            twin = Twin(before.id, SOURCE, before.record, 0, len(before.raw))
            verdict = Verdict("near-duplicate-article", -1, 0.9, twin, None, only_flags=False)
            drop = place._replace(
                rule=verdict.rule, action=DROP, stop=len(raw), original=raw, replacement="", similarity=0.9,
                twin=twin.article, twin_start=0, twin_stop=twin.stop, twin_source=SOURCE, twin_record=before.record,
            )  # fmt: skip
            yield Outcome(
                SOURCE, record, fields=fields, text_field="text", id=place.article, raw=raw, findings=(drop,),
                single_findings=(drop,), dropped=verdict, paragraphs=1,
            )  # fmt: skip
            continue
        chosen = [words[number] for number in (WORDS * draw.random(COMMON) ** 3).astype(np.int64).tolist()]
        raw = "\n\n".join(
            ". ".join([f"{' '.join(chosen[start : start + 19])}  {chosen[start + 19]}"])
            for start in range(0, COMMON, 20)
        )
        findings = list(islice(_findings_in(raw, place, before), FIXES + FLAGS + 1))
        before = Outcome(
            SOURCE, record, fields=fields, text_field="text", id=place.article, raw=raw, cleaned=apply(raw, findings),
            findings=tuple(findings), single_findings=tuple(findings), paragraphs=COMMON // 20,
        )  # fmt: skip
        yield before


def _findings_in(raw: str, place: Finding, before: Outcome | None) -> Iterator[Finding]:
    """Yield the findings of an article that stays, in the order of their starts."""
    at = 0
    for number in range(FIXES):
        at = raw.index("  ", at + 1)
        yield fix("whitespace", raw, at, at + 2, " ")._replace(
            article=place.article, source=place.source, record=place.record
        )
        if before is not None and number < FLAGS + 1:
            stop = raw.find("\n\n", at + 2)
            yield place._replace(
                rule="shared-paragraph", action=FLAG, start=at + 2, stop=stop, similarity=0.8 + number / 20,
                twin=before.id, twin_start=0, twin_stop=100, twin_source=SOURCE, twin_record=before.record,
            )  # fmt: skip


def _day(record: int) -> str:
    return f"20{10 + record % 15}-{1 + record % 12:02d}-{1 + record % 28:02d}"


def write_made_output(folder: Path, count: int) -> Report:
    """Write the output of `count` made articles into `folder`, and return its report."""
    folder.mkdir(parents=True)
    settings, tally = Settings(), Tally()
    rows = made_outcomes(count)
    with Writer(folder, settings) as writer:
        while part := list(islice(rows, _CHUNK)):
            chunk = encode_tables(part)
            writer.write(chunk)
            tally.update(chunk.tally)
        files = writer.finish()
    inputs = ({"source": SOURCE, "bytes": 0, "sha256": ""},)
    report = Report(tally=tally, settings=settings, inputs=inputs, shards=files.shards)
    write_run_files(folder, report)
    return report


@contextmanager
def serving(out: Path) -> Iterator[tuple[str, int]]:
    """Yield the address, with its token, of a server of `out`, and the number of its process."""
    command = [sys.executable, "-m", "dedup", "view", str(out), "--port", "0", "-q"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip(), process.pid
        finally:
            process.terminate()


PATHS = {  # what a person does
    "overview": "/",
    "findings": "/findings",
    "findings of a rule and a source": "/findings?rule=shared-paragraph&host=7.example",
    "findings by similarity": "/findings?low=0.85&high=0.95",
    "search of articles: a word": "/articles?q={word}",
    "search of articles: two words and a phrase": '/articles?q={word}+{other}+"{phrase}"',
    "search of findings": "/findings?q={word}&rule=whitespace",
    "last page of the articles": "/articles?page={last}",
    "an article beside its twin": "/article/{dropped}",
    "groups": "/groups",
}


def cpu_seconds(process: int) -> float:
    """Return the CPU seconds that a process has used so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def paths_of(out: Path, count: int) -> dict[str, str]:
    """Return the addresses of pages of the output `out` of `count` articles, by what a person does there."""
    with (out / "articles.jsonl").open() as file:
        text = file.readline().partition('"text":"')[2].split()
    phrase = " ".join(text[10:13])
    values = {"word": text[3], "other": text[7], "phrase": phrase, "last": count // 50, "dropped": COPY_SHARE - 1}
    return {name: path.format(**values) for name, path in PATHS.items()}


def first_paints(
    address: str, process: int, paths: Mapping[str, str], runs: int
) -> tuple[float, float, dict[str, tuple[float, float]]]:
    """Return the seconds until all tables have been read, by the clock and of CPU, and two medians for each page.

    These are the seconds to the first paint, and the CPU seconds of the server.
    """
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - an extra

    start = time.perf_counter()
    base = address.partition("/?")[0]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        page.wait_for_selector("html[data-ready=yes]", timeout=600_000)
        ready, read = time.perf_counter() - start, cpu_seconds(process)
        medians = {}
        for name, path in paths.items():
            paints, spent = [], []
            for _ in range(runs):
                before = cpu_seconds(process)
                page.goto(base + path)
                paints.append(_first_paint(page))
                spent.append(cpu_seconds(process) - before)
            medians[name] = statistics.median(paints), max(spent)  # of a search, the first one takes longest
        browser.close()
    return ready, read, medians


def _first_paint(page: Any) -> float:
    """Return the seconds from the start of the navigation to the first contentful paint."""
    script = """() => new Promise(done => new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime))
        .observe({type: 'paint', buffered: true}))"""
    return float(page.evaluate(script)) / 1000


def main() -> None:
    """Print the times, and save them with ``--write``."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="save the figures in results/view.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        report = write_made_output(out, options.articles)
        size = sum(path.stat().st_size for path in out.iterdir()) / 1e6
        print(f"{report.counts['articles']:,} articles, {report.counts['findings']:,} findings, {size:,.0f} MB")
        started = time.perf_counter()
        with serving(out) as (address, process):
            seconds = time.perf_counter() - started
            ready, read, pages = first_paints(address, process, paths_of(out, options.articles), options.runs)
        print(f"{seconds:8.2f} s until the address is printed")
        print(f"{ready:8.2f} s until all tables have been read, {read:.1f} s of CPU")
        for name, (paint, spent) in pages.items():
            print(f"{paint:8.3f} s, at most {spent:.2f} s of CPU: {name}")
        if options.write:
            counts = {name: report.counts[name] for name in ("articles", "findings")}
            figures = {
                "MB": round(size),
                "address": round(seconds, 2),
                "read": round(ready, 1),
                "read CPU": round(read, 1),
            }
            shown = {name: {"paint": round(paint, 3), "CPU": round(spent, 2)} for name, (paint, spent) in pages.items()}
            save_results("view", {**counts, **figures, "pages": shown})


if __name__ == "__main__":
    main()
