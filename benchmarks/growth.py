"""How time, memory and disk grow with the corpus.

    python benchmarks/growth.py [--kind hard] [--sizes 10MB 20MB 40MB] [--runs 1] [--memory SIZE] [--keep] [--write]

Each size is a corpus of its own, made by `generate` and removed afterwards unless ``--keep``. ``disk`` is the most that
the output and all temporary files took together at any time, as sampled; ``output`` is what stays.
"""

from __future__ import annotations

import argparse
import math
import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

import contenders
import environments
import machine
from generate import UNITS, cached, size, truth_path
from processes import Measured, measured

CORPORA = environments.BUILD / "bench-corpora"
WORK = environments.BUILD / "bench-growth"
WARM_UP = 3 * UNITS["MB"]


def cleaned(corpus: Path, options: list[str]) -> tuple[Measured, float]:
    """One run with all its files in one folder, and the megabytes of its output."""
    shutil.rmtree(WORK, ignore_errors=True)
    (WORK / "temporary").mkdir(parents=True)
    here = contenders.ENVIRONMENT | {"TMPDIR": str(WORK / "temporary")}
    done = measured(contenders.clean(corpus, WORK / "out", options), WORK, here)
    if contenders.failed(corpus.stem, done):
        sys.exit(1)
    output = sum(path.stat().st_size for path in (WORK / "out").iterdir()) / 1e6
    shutil.rmtree(WORK)
    return done, output


def measure(corpus: Path, runs: int, options: list[str]) -> dict[str, Any]:
    """The figures of one size."""
    megabytes = corpus.stat().st_size / 1e6
    done, outputs = zip(*(cleaned(corpus, options) for _ in range(runs)), strict=True)
    seconds = statistics.median(each.seconds for each in done)
    return {
        "megabytes": round(megabytes, 1),
        "seconds": round(seconds, 2),
        "MB/s": round(megabytes / seconds, 2),
        "largest process MB": round(statistics.median(each.largest for each in done)),
        "all processes MB": round(statistics.median(each.together for each in done)),
        "disk / input": round(statistics.median(each.disk for each in done) / megabytes, 2),
        "output / input": round(outputs[0] / megabytes, 2),
    }


def exponent(rows: list[dict[str, Any]], name: str) -> float:
    """The b of ``name = a * megabytes ** b``, by least squares on logarithms: 1 is linear growth."""
    across = [math.log(row["megabytes"]) for row in rows]
    return round(statistics.linear_regression(across, [math.log(row[name]) for row in rows]).slope, 3)


def main() -> None:
    """Prints a line for each size, and with ``--write`` keeps them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--kind", default="hard")
    parser.add_argument("--sizes", nargs="+", type=size, default=[size(each) for each in ("10MB", "20MB", "40MB")])
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--memory", help="given to dedup clean")
    parser.add_argument("--keep", action="store_true", help="leave the corpora for the next time")
    parser.add_argument("--write", action="store_true", help="keep the figures in results/growth.json")
    given = parser.parse_args()
    options = ["--memory", given.memory] if given.memory else []
    cleaned(cached(given.kind, WARM_UP, 1, CORPORA), options)
    rows = []
    for count in sorted(given.sizes):
        there = {path.name for path in CORPORA.iterdir()}
        corpus = cached(given.kind, count, 1, CORPORA)
        rows.append(measure(corpus, given.runs, options))
        print(rows[-1])
        if not given.keep and corpus.name not in there:
            corpus.unlink()
            truth_path(corpus).unlink()
    growth = {name: exponent(rows, name) for name in ("seconds", "all processes MB")} if len(rows) > 1 else {}
    print("exponents", growth)
    if given.write:
        figures = {"kind": given.kind, "runs": given.runs, "options": options, "sizes": rows, "exponents": growth}
        print(machine.keep("growth", figures).name, file=sys.stderr)


if __name__ == "__main__":
    main()
