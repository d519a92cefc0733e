"""Speed of each stage alone, in megabytes of text per second.

    python -m benchmarks.stages [--size 5MB] [--runs 3] [--kinds english hard multilingual] [--write]

``repair`` and ``signatures`` are called as a user of the package calls them, on one core. The stages of the whole job
are those of ``run.log.json``, with one process and with all. ``verify`` and ``restore`` read the output back.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

import dedup
from benchmarks.contenders import ENVIRONMENT, clean_command, report_failure
from benchmarks.environments import BUILD
from benchmarks.generate import CORPORA, cached_corpus, parse_size
from benchmarks.processes import measure_command
from benchmarks.stored_results import save_results

WORK = BUILD / "bench-stages"


def measure_functions(corpus: Path, runs: int) -> dict[str, float]:
    """Return the megabytes of text per second of the public functions, on one core."""
    with corpus.open("rb") as lines:
        texts = [msgspec.json.decode(line)["text"] for line in lines]
    megabytes = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) / 1e6

    def repair(batch: list[str]) -> None:
        for text in batch:
            dedup.repair(text)

    def signatures(batch: list[str]) -> None:
        dedup.signatures(batch, 5)

    functions: dict[str, Callable[[list[str]], None]] = {"dedup.repair": repair, "dedup.signatures": signatures}
    speeds = {}
    for name, function in functions.items():
        function(texts[:50])  # imports modules and compiles kernels
        speeds[name] = round(megabytes / statistics.median(_time(function, texts) for _ in range(runs)), 2)
    return speeds


def _time(function: Callable[[list[str]], None], texts: list[str]) -> float:
    began = time.perf_counter()
    function(texts)
    return time.perf_counter() - began


def measure_commands(corpus: Path, runs: int, options: list[str]) -> dict[str, float]:
    """Return the speed of ``clean``, of each of its stages, of ``verify`` and of ``restore``, in MB per second."""
    megabytes = corpus.stat().st_size / 1e6
    seconds: dict[str, list[float]] = {}
    out, restored = WORK / "out", WORK / "back"
    for _ in range(runs):
        shutil.rmtree(WORK, ignore_errors=True)
        WORK.mkdir(parents=True)
        for name, command in {
            "clean": clean_command(corpus, out, options),
            "verify": [sys.executable, "-m", "dedup", "verify", str(out), *options],
            "restore": [sys.executable, "-m", "dedup", "restore", str(out), "-o", str(restored)],
        }.items():
            measurement = measure_command(command, WORK, ENVIRONMENT)
            if report_failure(name, measurement):
                sys.exit(1)
            seconds.setdefault(name, []).append(measurement.seconds)
        log = json.loads((out / "run.log.json").read_text(encoding="utf-8"))
        for name, value in log["seconds"].items():
            seconds.setdefault(f"clean: {name}", []).append(value)
    shutil.rmtree(WORK)
    return {name: round(megabytes / max(statistics.median(each), 1e-3), 2) for name, each in sorted(seconds.items())}


def main() -> None:
    """Print the figures, and save them with ``--write``."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--size", type=parse_size, default=parse_size("5MB"))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--kinds", nargs="*", default=["english", "hard", "multilingual"])
    parser.add_argument("--write", action="store_true", help="save the figures in results/stages.json")
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    for kind in options.kinds:
        corpus = cached_corpus(kind, options.size, 1, CORPORA)
        figures[kind] = {
            "megabytes": round(corpus.stat().st_size / 1e6, 1),
            "function, one core": measure_functions(corpus, options.runs),
            "one process": measure_commands(corpus, options.runs, ["--jobs", "1"]),
            "all cores": measure_commands(corpus, options.runs, []),
        }
        print(kind, json.dumps(figures[kind], indent=1))
    if options.write:
        print(save_results("stages", figures).name, file=sys.stderr)


if __name__ == "__main__":
    main()
