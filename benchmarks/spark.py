"""What the Spark engine takes: seconds, core-seconds, bytes shuffled and bytes of tables, against the local engine.

    python benchmarks/spark.py INPUT --workers 1 2           the same input on so many cores
    python benchmarks/spark.py --make copies 200000 FILE     a generated corpus: `copies`, `bucket`, or `source`

Numbers come from Spark's own event log, so they are those of tasks and not of a stopwatch around them. Every output is
compared with the local engine's, byte for byte; a difference ends the run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

KINDS = ("copies", "bucket", "source")


def main() -> None:
    """Measures, and prints one line of JSON for each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", nargs="?", type=Path)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--make", nargs=3, metavar=("KIND", "ARTICLES", "FILE"))
    parser.add_argument("--run", nargs=2, metavar=("ENGINE", "OUT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.make:
        make(given.make[0], int(given.make[1]), Path(given.make[2]))
    elif given.run:
        run(given.input, given.run[0], Path(given.run[1]))
    else:
        compare(given.input, given.workers)


def make(kind: str, count: int, path: Path) -> None:
    """Writes a corpus that is as uneven as can be."""
    source = random.Random(kind)
    words = [
        "".join(source.choice("bcdfghjklmnprstvwz") + source.choice("aeiou") for _ in range(3)) for _ in range(5000)
    ]

    def text(size: int) -> list[str]:
        return [source.choice(words) for _ in range(size)]

    template = text(200)
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            if kind == "copies":  # one article, over and over
                body = template
            elif kind == "bucket":  # one article with one word changed: all in the same buckets, all match the first
                body = [*template[:100], f"w{number}", *template[101:]]
            else:  # one host has nine articles of ten, each with its line at the end
                body = text(200)
            host = "big" if kind != "source" or number % 10 else f"h{number % 97}"
            lines = [" ".join(body[at : at + 40]).capitalize() + "." for at in range(0, len(body), 40)]
            if kind == "source":
                lines.append("Sign up for our newsletter to read more stories like this.")
            row = {"id": number, "text": "\n\n".join(lines), "url": f"http://{host}.example/{number}"}
            file.write(json.dumps(row) + "\n")


def compare(source: Path, workers: list[int]) -> None:
    """The local engine, then Spark on so many cores."""
    with tempfile.TemporaryDirectory() as folder:
        first = None
        for engine in [*(f"local-{cores}" for cores in workers), *(f"spark-{cores}" for cores in workers)]:
            out = Path(folder) / engine
            command = [sys.executable, "-W", "ignore", __file__, str(source), "--run", engine, str(out)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(done.stderr[-2000:])
            print(done.stdout.strip().splitlines()[-1], flush=True)
            made = {path.name: path.read_bytes() for path in out.iterdir() if path.name != "run.log.json"}
            first = first or made
            assert made == first, f"{engine}: other bytes than the first"


def run(source: Path, engine: str, out: Path) -> None:
    """One run in this process."""
    import dedup  # noqa: PLC0415 - only where it runs

    kind, cores = engine.split("-")
    told: dict[str, Any] = {"input": source.name, "engine": kind, "cores": int(cores)}
    if kind == "local":
        began = time.perf_counter()
        report = dedup.clean(source, out, engine=dedup.LocalEngine(jobs=int(cores)))
        spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        told["seconds"] = round(time.perf_counter() - began, 1)
        told["core_seconds"] = round(sum(one.ru_utime + one.ru_stime for one in spent), 1)
        told["peak_mb"] = round(max(one.ru_maxrss for one in spent) / 1024)
    else:
        with tempfile.TemporaryDirectory() as log:
            report, measured = _spark(source, out, int(cores), log)
        told |= measured
    told["characters"] = report.summary()["characters"]["read"]
    told["stages"] = {name: round(spent, 1) for name, spent in report.seconds.items()}
    print(json.dumps(told))


def _spark(source: Path, out: Path, cores: int, log: str) -> tuple[Any, dict[str, Any]]:
    import dedup  # noqa: PLC0415
    from dedup.engines.spark.session import started  # noqa: PLC0415 - needs an extra

    options = {
        "spark.ui.enabled": "false",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": f"file://{log}",
        "spark.eventLog.rolling.enabled": "false",
        "spark.eventLog.compress": "false",
        "spark.executor.processTreeMetrics.enabled": "true",
        "spark.eventLog.logStageExecutorMetrics": "true",
        "spark.driver.memory": "4g",
    }
    began = time.perf_counter()
    session = started(f"local[{cores}]", options)
    up = time.perf_counter() - began
    before = time.perf_counter()
    report = dedup.clean(source, out, engine=dedup.SparkEngine(session=session))
    seconds = time.perf_counter() - before
    spent = _core_seconds()
    session.stop()
    [path] = [one for one in Path(log).rglob("*") if one.is_file() and not one.name.startswith(".")]
    return report, {
        "start": round(up, 1),
        "seconds": round(seconds, 1),
        "core_seconds": round(spent, 1),
        **_events(path),
    }


def _core_seconds() -> float:
    """What this process and all that it has started, Java and Python, have computed; of Linux."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            told = path.read_text().rpartition(")")[2].split()
            number = int(path.parent.name)
            parents[number] = int(told[1])
            ticks[number] = sum(map(int, told[11:15]))  # its own, and that of children that have ended
    mine = {os.getpid()}
    while more := {number for number, parent in parents.items() if parent in mine} - mine:
        mine |= more
    return sum(ticks[number] for number in mine) / os.sysconf("SC_CLK_TCK")


def _events(path: Path) -> dict[str, Any]:
    """What all tasks together read, shuffled and wrote; the most that one of them took."""
    total: Counter[str] = Counter()
    most: Counter[str] = Counter()
    rounds: dict[str, set[str]] = {"articles": set(), "paragraphs": set()}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            metrics = event.get("Task Metrics")
            if event["Event"] == "SparkListenerJobStart":
                total["jobs"] += 1
                stage, found, _ = event["Properties"].get("spark.job.description", "").partition("-survivors-")
                if found:
                    rounds[stage.removeprefix("dedup: ")].add(event["Properties"]["spark.job.description"])
            if event["Event"] != "SparkListenerTaskEnd" or not metrics:
                continue
            shuffled = metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
            total["tasks"] += 1
            total["shuffled_bytes"] += shuffled
            total["read_bytes"] += metrics["Input Metrics"]["Bytes Read"]
            total["table_bytes"] += metrics["Output Metrics"]["Bytes Written"]
            total["spilled_bytes"] += metrics["Disk Bytes Spilled"]
            for name, value in (
                ("task_seconds", metrics["Executor Run Time"] / 1000),
                ("task_memory_mb", metrics["Peak Execution Memory"] / (1 << 20)),
            ):
                most[name] = max(most[name], round(value))
    told = {f"rounds_{name}": len(found) for name, found in rounds.items()}
    return {**total, **told, **{f"most_{name}": value for name, value in most.items()}}


if __name__ == "__main__":
    main()
