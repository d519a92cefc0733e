"""What the Spark engine takes, against the local engine: seconds, core-seconds, bytes shuffled, memory.

    python benchmarks/spark.py run INPUT... [--engines local-2 spark-1 spark-2]
    python benchmarks/spark.py cut INPUT MEGABYTES OUT        the first articles of a corpus
    python benchmarks/spark.py make copies|bucket|source ARTICLES OUT     as uneven a corpus as can be

``spark-2`` is a cluster of two workers of one core each, in processes of their own. Every output is compared, byte for
byte, with that of the first engine; a difference ends the run. Each run goes into ``results/spark.json``, in place
of an earlier one of the same input and engine.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import machine
from spark_events import taken, watched

KINDS = ("copies", "bucket", "source")
MEMORY = "2g"  # of an executor's Java; tasks of skewed corpora must do with it
_WORKER = 3072  # MB, what a worker has to give
_WORDS = 60  # of an article of a corpus that is made


def main() -> None:
    """Measures, and prints one line of JSON for each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    made = commands.add_parser("make")
    made.add_argument("kind", choices=KINDS)
    made.add_argument("articles", type=int)
    made.add_argument("out", type=Path)
    short = commands.add_parser("cut")
    short.add_argument("input", type=Path)
    short.add_argument("megabytes", type=float)
    short.add_argument("out", type=Path)
    measured = commands.add_parser("run")
    measured.add_argument("input", nargs="+", type=Path)
    measured.add_argument("--engines", nargs="+", default=["local-2", "spark-1", "spark-2"])
    one = commands.add_parser("one")  # a run in a process of its own
    one.add_argument("input", type=Path)
    one.add_argument("engine")
    one.add_argument("out", type=Path)
    given = parser.parse_args()
    if given.command == "make":
        make(given.kind, given.articles, given.out)
    elif given.command == "cut":
        cut(given.input, int(given.megabytes * 1e6), given.out)
    elif given.command == "one":
        run(given.input, given.engine, given.out)
    else:
        for source in given.input:
            compare(source, given.engines)


def make(kind: str, count: int, path: Path) -> None:
    """Writes a corpus that is as uneven as can be."""
    source = random.Random(kind)
    words = [
        "".join(source.choice("bcdfghjklmnprstvwz") + source.choice("aeiou") for _ in range(3)) for _ in range(5000)
    ]

    def text() -> list[str]:
        return [source.choice(words) for _ in range(_WORDS)]

    template, middle = text(), _WORDS // 2
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            if kind == "copies":  # one article, over and over
                body = template
            elif kind == "bucket":  # one article with one word changed: all in the same buckets, all match the first
                body = [*template[:middle], f"w{number}", *template[middle + 1 :]]
            else:  # one host has nine articles of ten, each with its line at the end
                body = text()
            host = "big" if kind != "source" or number % 10 else f"h{number % 97}"
            lines = [" ".join(body[at : at + 20]).capitalize() + "." for at in range(0, len(body), 20)]
            if kind == "source":
                lines.append("Sign up for our newsletter to read more stories like this.")
            row = {"id": number, "text": "\n\n".join(lines), "url": f"http://{host}.example/{number}"}
            file.write(json.dumps(row) + "\n")


def cut(source: Path, size: int, path: Path) -> None:
    """Writes the first articles of a corpus of JSON lines, so many bytes of them."""
    with _lines(source) as lines, path.open("wb") as file:
        for line in lines:
            file.write(line)
            if file.tell() >= size:
                break


def _lines(source: Path) -> Any:
    return gzip.open(source) if source.suffix == ".gz" else source.open("rb")


def compare(source: Path, engines: list[str]) -> None:
    """The same input through several engines, each in a process of its own."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        first: dict[str, bytes] | None = None
        for engine in engines:
            out = Path(folder) / engine
            command = [sys.executable, "-W", "ignore", __file__, "one", str(source), engine, str(out)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(done.stderr[-3000:])
            told = json.loads(done.stdout.strip().splitlines()[-1])
            made = dict(_digests(out))
            first = first or made
            assert made == first, f"{engine}: other bytes than {engines[0]}"
            print(json.dumps(told), flush=True)
            _keep(told)


def _digests(out: Path) -> Iterator[tuple[str, bytes]]:
    for path in out.iterdir():
        if path.name != "run.log.json":
            with path.open("rb") as file:
                yield path.name, hashlib.file_digest(file, "sha256").digest()


def _keep(told: dict[str, Any]) -> None:
    kept = (machine.kept("spark") or {}).get("figures", {})
    runs = {(one["input"], one["engine"]): one for one in kept.get("runs", [])}
    runs[told["input"], told["engine"]] = told
    java = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr.split('"')[1:2]
    machine.keep("spark", {**versions(), "java": (java or [""])[0], "runs": [runs[name] for name in sorted(runs)]})


def versions() -> dict[str, str]:
    """Of what is measured here alone."""
    from importlib.metadata import version  # noqa: PLC0415

    return {"pyspark": version("pyspark"), "executor": f"one core, {MEMORY} for Java"}


def code() -> str:
    """Which state of the package it is."""
    import dedup  # noqa: PLC0415 - only where it runs

    folder = Path(dedup.__file__).parent
    told = [path.read_bytes() for path in sorted(folder.rglob("*.py"))]
    return hashlib.sha256(b"".join(told)).hexdigest()[:12]


def run(source: Path, engine: str, out: Path) -> None:
    """One run in this process."""
    import dedup  # noqa: PLC0415 - only where it runs
    from dedup.kernels.backend import load_backend  # noqa: PLC0415

    kind, cores = engine.split("-")
    told: dict[str, Any] = {"input": source.name, "engine": engine, "code": code()}
    if kind == "local":
        load_backend(compiled=True)  # compiled once and kept: no part of a job
        spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        before, began = sum(one.ru_utime + one.ru_stime for one in spent), time.perf_counter()
        report = dedup.clean(source, out, engine=dedup.LocalEngine(jobs=int(cores)))
        spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        told["seconds"] = round(time.perf_counter() - began, 1)
        told["core_seconds"] = round(sum(one.ru_utime + one.ru_stime for one in spent) - before, 1)
        told["peak_mb"] = round(max(one.ru_maxrss for one in spent) / 1024)
    else:
        with tempfile.TemporaryDirectory() as log:
            report, measured = _spark(source, out, int(cores), log)
        told |= measured
    summary = report.summary()
    told["megabytes"] = round(summary["characters"]["read"] / 1e6, 1)  # millions of characters; nearly so of bytes
    told["input_bytes"] = sum(one["bytes"] for one in report.inputs)
    told["articles"] = report.counts["records"]
    told["stages"] = {name: round(spent, 1) for name, spent in report.seconds.items()}
    print(json.dumps(told))


def _spark(source: Path, out: Path, workers: int, log: str) -> tuple[Any, dict[str, Any]]:
    import pyspark  # noqa: PLC0415 - needs an extra

    import dedup  # noqa: PLC0415
    from dedup.spark.session import started  # noqa: PLC0415

    os.environ.setdefault("SPARK_HOME", str(Path(pyspark.__file__).parent))
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    options = {
        "spark.ui.enabled": "false",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": f"file://{log}",
        "spark.eventLog.rolling.enabled": "false",
        "spark.eventLog.compress": "false",
        "spark.driver.memory": "2g",
        "spark.executor.memory": MEMORY,
    }
    began = time.perf_counter()
    with watched() as took:
        session = started(f"local-cluster[{workers},1,{_WORKER}]", options, source.stat().st_size)
        up, before = time.perf_counter() - began, time.perf_counter()
        report = dedup.clean(source, out, engine=dedup.SparkEngine(session=session))
        seconds = time.perf_counter() - before
    session.stop()
    [path] = [one for one in Path(log).rglob("*") if one.is_file() and not one.name.startswith(".")]
    return report, {"start": round(up, 1), "seconds": round(seconds, 1), **took, **taken(path)}


if __name__ == "__main__":
    main()
