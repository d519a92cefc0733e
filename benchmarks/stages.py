"""How fast each stage is alone, in megabytes of text per second.

    python benchmarks/stages.py [--size 5MB] [--runs 3] [--kinds english hard multilingual] [--write]

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

import contenders
import environments
import machine
import msgspec
from generate import cached, size
from processes import measured

import dedup

CORPORA = environments.BUILD / "bench-corpora"
WORK = environments.BUILD / "bench-stages"


def stages_in_process(corpus: Path, runs: int) -> dict[str, float]:
    """Megabytes per second of the public functions on one core."""
    with corpus.open("rb") as lines:
        texts = [msgspec.json.decode(line)["text"] for line in lines]
    megabytes = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) / 1e6
    few = texts[:50]

    def repair(given: list[str]) -> None:
        for text in given:
            dedup.repair(text)

    def signatures(given: list[str]) -> None:
        dedup.signatures(given, 5)

    called: dict[str, Callable[[list[str]], None]] = {"dedup.repair": repair, "dedup.signatures": signatures}
    told = {}
    for name, function in called.items():
        function(few)  # imports and compiled kernels
        told[name] = round(megabytes / statistics.median(_seconds(function, texts) for _ in range(runs)), 2)
    return told


def _seconds(function: Callable[[list[str]], None], texts: list[str]) -> float:
    began = time.perf_counter()
    function(texts)
    return time.perf_counter() - began


def whole(corpus: Path, runs: int, options: list[str]) -> dict[str, float]:
    """Megabytes of the file per second of each stage of ``dedup clean``, and of reading its output back."""
    megabytes = corpus.stat().st_size / 1e6
    seconds: dict[str, list[float]] = {}
    out, back = WORK / "out", WORK / "back"
    for _ in range(runs):
        shutil.rmtree(WORK, ignore_errors=True)
        WORK.mkdir(parents=True)
        for name, command in {
            "clean": contenders.clean(corpus, out, options),
            "verify": [sys.executable, "-m", "dedup", "verify", str(out), *options],
            "restore": [sys.executable, "-m", "dedup", "restore", str(out), "-o", str(back)],
        }.items():
            done = measured(command, WORK, contenders.ENVIRONMENT)
            if contenders.failed(name, done):
                sys.exit(1)
            seconds.setdefault(name, []).append(done.seconds)
        log = json.loads((out / "run.log.json").read_text(encoding="utf-8"))
        for name, value in log["seconds"].items():
            seconds.setdefault(f"clean: {name}", []).append(value)
    shutil.rmtree(WORK)
    return {name: round(megabytes / max(statistics.median(each), 1e-3), 2) for name, each in sorted(seconds.items())}


def main() -> None:
    """Prints the figures, and with ``--write`` keeps them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--size", type=size, default=size("5MB"))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--kinds", nargs="*", default=["english", "hard", "multilingual"])
    parser.add_argument("--write", action="store_true", help="keep the figures in results/stages.json")
    given = parser.parse_args()
    figures: dict[str, Any] = {}
    for kind in given.kinds:
        corpus = cached(kind, given.size, 1, CORPORA)
        figures[kind] = {
            "megabytes": round(corpus.stat().st_size / 1e6, 1),
            "function, one core": stages_in_process(corpus, given.runs),
            "one process": whole(corpus, given.runs, ["--jobs", "1"]),
            "all cores": whole(corpus, given.runs, []),
        }
        print(kind, json.dumps(figures[kind], indent=1))
    if given.write:
        print(machine.keep("stages", figures).name, file=sys.stderr)


if __name__ == "__main__":
    main()
