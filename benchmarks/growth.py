"""Growth of time, memory and disk with the size of the corpus.

    python -m benchmarks.growth [--kind hard] [--sizes 10MB 20MB 40MB] [--runs 1] [--memory SIZE] [--keep] [--write]

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

from benchmarks.contenders import ENVIRONMENT, clean_command, report_failure
from benchmarks.environments import BUILD
from benchmarks.generate import CORPORA, UNITS, cached_corpus, parse_size, truth_path
from benchmarks.processes import Measurement, measure_command
from benchmarks.stored_results import save_results

WORK = BUILD / "bench-growth"
WARM_UP = 3 * UNITS["MB"]


def run_clean(corpus: Path, options: list[str]) -> tuple[Measurement, float]:
    """Clean `corpus` with all files in one folder; return the measurement and the megabytes of the output."""
    shutil.rmtree(WORK, ignore_errors=True)
    (WORK / "temporary").mkdir(parents=True)
    environment = ENVIRONMENT | {"TMPDIR": str(WORK / "temporary")}
    measurement = measure_command(clean_command(corpus, WORK / "out", options), WORK, environment)
    if report_failure(corpus.stem, measurement):
        sys.exit(1)
    output = sum(path.stat().st_size for path in (WORK / "out").iterdir()) / 1e6
    shutil.rmtree(WORK)
    return measurement, output


def measure_size(corpus: Path, runs: int, options: list[str]) -> dict[str, Any]:
    """Return the figures of one size: medians over `runs` runs."""
    megabytes = corpus.stat().st_size / 1e6
    measurements, outputs = zip(*(run_clean(corpus, options) for _ in range(runs)), strict=True)
    seconds = statistics.median(each.seconds for each in measurements)
    return {
        "megabytes": round(megabytes, 1),
        "seconds": round(seconds, 2),
        "MB/s": round(megabytes / seconds, 2),
        "largest process MB": round(statistics.median(each.largest for each in measurements)),
        "all processes MB": round(statistics.median(each.together for each in measurements)),
        "disk / input": round(statistics.median(each.disk for each in measurements) / megabytes, 2),
        "output / input": round(outputs[0] / megabytes, 2),
    }


def growth_exponent(rows: list[dict[str, Any]], name: str) -> float:
    """Return the b of ``name = a * megabytes ** b``, by least squares on logarithms; linear growth has b = 1."""
    sizes = [math.log(row["megabytes"]) for row in rows]
    return round(statistics.linear_regression(sizes, [math.log(row[name]) for row in rows]).slope, 3)


def main() -> None:
    """Print a line for each size, and save the figures with ``--write``."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--kind", default="hard")
    sizes = [parse_size(size) for size in ("10MB", "20MB", "40MB")]
    parser.add_argument("--sizes", nargs="+", type=parse_size, default=sizes)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--memory", help="passed to dedup clean")
    parser.add_argument("--keep", action="store_true", help="leave the corpora for the next run")
    parser.add_argument("--write", action="store_true", help="save the figures in results/growth.json")
    arguments = parser.parse_args()
    options = ["--memory", arguments.memory] if arguments.memory else []
    run_clean(cached_corpus(arguments.kind, WARM_UP, 1, CORPORA), options)
    rows = []
    for size in sorted(arguments.sizes):
        present = {path.name for path in CORPORA.iterdir()}
        corpus = cached_corpus(arguments.kind, size, 1, CORPORA)
        rows.append(measure_size(corpus, arguments.runs, options))
        print(rows[-1])
        if not arguments.keep and corpus.name not in present:
            corpus.unlink()
            truth_path(corpus).unlink()
    exponents = {name: growth_exponent(rows, name) for name in ("seconds", "all processes MB")} if rows[1:] else {}
    print("exponents", exponents)
    if arguments.write:
        figures = {
            "kind": arguments.kind,
            "runs": arguments.runs,
            "options": options,
            "sizes": rows,
            "exponents": exponents,
        }
        print(save_results("growth", figures).name, file=sys.stderr)


if __name__ == "__main__":
    main()
