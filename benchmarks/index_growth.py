"""Measure the cost of an index, and the findings of batches beside those of one run over the whole.

    python benchmarks/index_growth.py CORPUS WORK [ARTICLES]

CORPUS is a gzipped file of JSON Lines. Three things are done with its first ARTICLES, with ``keep="first"``: one run
over all without an index; ten runs over a tenth each with one; and a run over 99 % with an index, then over the last
1 %. Prints seconds, sizes, and for each rule how many findings both ways have in common.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import dedup
from dedup.index.manifest import read_manifest
from dedup.index.upkeep import index_stats
from dedup.index_layout import POSTINGS_FILE

BATCHES = 10
KEEP_FIRST = dedup.Settings(keep="first")


def findings_of(folder: Path) -> Counter[tuple[Any, ...]]:
    """Return the findings of an output by rule, and what else they say."""
    rows = (json.loads(line) for line in (folder / "provenance.jsonl").open())
    names = ("rule", "article", "action", "start", "stop")
    return Counter(
        (*(row[name] for name in names), None if row["rule"] == "boilerplate" else row["twin"]) for row in rows
    )


def main(corpus: Path, work: Path, count: int) -> None:
    """Run, and print."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    with gzip.open(corpus, "rb") as file:
        lines = [line for line, _ in zip(file, range(count), strict=False)]
    (work / "all.jsonl").write_bytes(b"".join(lines))
    start = time.perf_counter()
    dedup.clean(work / "all.jsonl", work / "whole", KEEP_FIRST)
    print(f"{len(lines):,} articles, {(work / 'all.jsonl').stat().st_size / 1e6:.0f} MB")
    print(f"one run without an index: {time.perf_counter() - start:.1f} s")
    found: Counter[tuple[Any, ...]] = Counter()
    for batch in range(BATCHES):
        part = lines[len(lines) * batch // BATCHES : len(lines) * (batch + 1) // BATCHES]
        (work / "batch.jsonl").write_bytes(b"".join(part))
        dedup.clean(work / "batch.jsonl", work / "part", KEEP_FIRST, index=work / "seen", force=True)
        found += findings_of(work / "part")
    whole = findings_of(work / "whole")
    print("| rule | one run | ten runs | in both |\n|---|---|---|---|")
    for rule in sorted({key[0] for key in whole | found}):
        one, ten = (Counter({key: number for key, number in of.items() if key[0] == rule}) for of in (whole, found))
        print(f"| `{rule}` | {one.total():,} | {ten.total():,} | {(one & ten).total():,} |")
    border = len(lines) * 99 // 100
    for name, part, run in (("99 %", lines[:border], "big"), ("the last 1 %", lines[border:], "small")):
        (work / "batch.jsonl").write_bytes(b"".join(part))
        start = time.process_time()
        engine = dedup.LocalEngine(jobs=1)  # so that all work is that of this process, whatever else the machine does
        report = dedup.clean(work / "batch.jsonl", work / run, KEEP_FIRST, index=work / "index", engine=engine)
        read = report.stages["ask index"]["articles"]
        print(f"{name}: {time.process_time() - start:.1f} s of one core; {read:,} articles of the index were read")
    start = time.perf_counter()
    for segment in read_manifest(work / "index").segments:
        pq.ParquetFile(work / "index" / segment.name / POSTINGS_FILE)
    print(f"opened in {time.perf_counter() - start:.3f} s")
    print({name: value for name, value in index_stats(work / "index").items() if name != "settings"})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 24_000)
