"""Cost of the Spark engine against the local engine: seconds, core-seconds, bytes shuffled, memory.

    python -m benchmarks.spark run INPUT... [--engines local-2 spark-1 spark-2]
    python -m benchmarks.spark cut INPUT MEGABYTES OUT        the first articles of a corpus
    python -m benchmarks.spark make copies|bucket|source ARTICLES OUT     a corpus as skewed as possible

``spark-2`` is a cluster of two workers of one core each, in processes of their own. Every output is compared, byte for
byte, with that of the first engine; a difference ends the run. Each run goes into ``results/spark.json``, in place
of an earlier one of the same input and engine.
"""

from __future__ import annotations

import argparse
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
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.json_lines import copy_first_lines
from benchmarks.spark_events import sample_processes, summarize_events
from benchmarks.stored_results import load_results, save_results

KINDS = ("copies", "bucket", "source")
MEMORY = "2g"  # Java memory of an executor; tasks of skewed corpora have to fit into it
_WORKER_MB = 3072  # memory that a worker offers
_ARTICLE_WORDS = 60  # words of each article of a made corpus


def main() -> None:
    """Measure, and print one line of JSON for each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("make")
    make.add_argument("kind", choices=KINDS)
    make.add_argument("articles", type=int)
    make.add_argument("out", type=Path)
    cut = commands.add_parser("cut")
    cut.add_argument("input", type=Path)
    cut.add_argument("megabytes", type=float)
    cut.add_argument("out", type=Path)
    run = commands.add_parser("run")
    run.add_argument("input", nargs="+", type=Path)
    run.add_argument("--engines", nargs="+", default=["local-2", "spark-1", "spark-2"])
    one = commands.add_parser("one")  # one run, which `compare` starts in a process of its own
    one.add_argument("input", type=Path)
    one.add_argument("engine")
    one.add_argument("out", type=Path)
    options = parser.parse_args()
    if options.command == "make":
        make_skewed_corpus(options.kind, options.articles, options.out)
    elif options.command == "cut":
        copy_first_lines(options.input, int(options.megabytes * 1e6), options.out)
    elif options.command == "one":
        measure_engine(options.input, options.engine, options.out)
    else:
        for source in options.input:
            compare_engines(source, options.engines)


def make_skewed_corpus(kind: str, count: int, path: Path) -> None:
    """Write a corpus of `count` articles that is as skewed as possible.

    ``copies`` repeats one article. ``bucket`` is one article with one word changed, so all share the same buckets and
    all match the first. In ``source``, nine articles of ten are from one host, each with the same last line.
    """
    source = random.Random(kind)
    words = [
        "".join(source.choice("bcdfghjklmnprstvwz") + source.choice("aeiou") for _ in range(3)) for _ in range(5000)
    ]

    def random_words() -> list[str]:
        return [source.choice(words) for _ in range(_ARTICLE_WORDS)]

    template, middle = random_words(), _ARTICLE_WORDS // 2
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            if kind == "copies":
                body = template
            elif kind == "bucket":
                body = [*template[:middle], f"w{number}", *template[middle + 1 :]]
            else:
                body = random_words()
            host = "big" if kind != "source" or number % 10 else f"h{number % 97}"
            lines = [" ".join(body[at : at + 20]).capitalize() + "." for at in range(0, len(body), 20)]
            if kind == "source":
                lines.append("Sign up for our newsletter to read more stories like this.")
            row = {"id": number, "text": "\n\n".join(lines), "url": f"http://{host}.example/{number}"}
            file.write(json.dumps(row) + "\n")


def compare_engines(source: Path, engines: list[str]) -> None:
    """Run the same input through several engines, each in a process of its own, and save the figures.

    Raises AssertionError if an engine writes other bytes than the first.
    """
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        expected: dict[str, bytes] | None = None
        for engine in engines:
            out = Path(folder) / engine
            command = [sys.executable, "-W", "ignore", "-m", "benchmarks.spark", "one", str(source), engine, str(out)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(done.stderr[-3000:])
            figures = json.loads(done.stdout.strip().splitlines()[-1])
            digests = dict(_output_digests(out))
            expected = expected or digests
            assert digests == expected, f"{engine}: other bytes than {engines[0]}"
            print(json.dumps(figures), flush=True)
            _save_run(figures)


def _output_digests(out: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and digest of each file of an output, except the log, which holds times."""
    for path in out.iterdir():
        if path.name != "run.log.json":
            with path.open("rb") as file:
                yield path.name, hashlib.file_digest(file, "sha256").digest()


def _save_run(figures: dict[str, Any]) -> None:
    """Save the figures of one run, in place of an earlier one of the same input and engine."""
    stored = (load_results("spark") or {}).get("figures", {})
    runs = {(run["input"], run["engine"]): run for run in stored.get("runs", [])}
    runs[figures["input"], figures["engine"]] = figures
    java = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr.split('"')[1:2]
    save_results(
        "spark",
        {
            "pyspark": version("pyspark"),
            "executor": f"one core, {MEMORY} for Java",
            "java": (java or [""])[0],
            "runs": [runs[name] for name in sorted(runs)],
        },
    )


def package_digest() -> str:
    """Return a digest of the sources of the package, to tell runs of different versions apart."""
    import dedup  # noqa: PLC0415 - only where it runs

    folder = Path(dedup.__file__).parent
    sources = [path.read_bytes() for path in sorted(folder.rglob("*.py"))]
    return hashlib.sha256(b"".join(sources)).hexdigest()[:12]


def measure_engine(source: Path, engine: str, out: Path) -> None:
    """Clean `source` in this process with `engine` (``local-CORES`` or ``spark-WORKERS``), and print the figures."""
    kind, cores = engine.split("-")
    if kind == "local":
        report, measured = _run_local(source, out, int(cores))
    else:
        with tempfile.TemporaryDirectory() as log:
            report, measured = _run_spark(source, out, int(cores), log)
    summary = report.summary()
    figures: dict[str, Any] = {"input": source.name, "engine": engine, "code": package_digest(), **measured}
    figures["megabytes"] = round(summary["characters"]["read"] / 1e6, 1)  # millions of characters; nearly bytes
    figures["input_bytes"] = sum(file["bytes"] for file in report.inputs)
    figures["articles"] = report.counts["records"]
    figures["stages"] = {name: round(spent, 1) for name, spent in report.seconds.items()}
    print(json.dumps(figures))


def _run_local(source: Path, out: Path, cores: int) -> tuple[Any, dict[str, Any]]:
    """Clean with the local engine; return its report and what it took."""
    import dedup  # noqa: PLC0415 - only where it runs
    from dedup.kernels.backend import load_backend  # noqa: PLC0415

    load_backend(compiled=True)  # compiled once and cached: not part of a job
    before, began = sum(usage.ru_utime + usage.ru_stime for usage in _resource_usage()), time.perf_counter()
    report = dedup.clean(source, out, engine=dedup.LocalEngine(jobs=cores))
    usages = _resource_usage()
    return report, {
        "seconds": round(time.perf_counter() - began, 1),
        "core_seconds": round(sum(usage.ru_utime + usage.ru_stime for usage in usages) - before, 1),
        "peak_mb": round(max(usage.ru_maxrss for usage in usages) / 1024),
    }


def _resource_usage() -> list[resource.struct_rusage]:
    """Return the resources used so far by this process, and by its children."""
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def _run_spark(source: Path, out: Path, workers: int, log: str) -> tuple[Any, dict[str, Any]]:
    """Clean on a cluster of `workers` workers; return its report and what it took."""
    import pyspark  # noqa: PLC0415 - needs an extra

    import dedup  # noqa: PLC0415
    from dedup.spark.session import start_session  # noqa: PLC0415

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
    with sample_processes() as processes:
        session = start_session(f"local-cluster[{workers},1,{_WORKER_MB}]", options, source.stat().st_size)
        start, before = time.perf_counter() - began, time.perf_counter()
        report = dedup.clean(source, out, engine=dedup.SparkEngine(session=session))
        seconds = time.perf_counter() - before
    session.stop()
    [path] = [path for path in Path(log).rglob("*") if path.is_file() and not path.name.startswith(".")]
    return report, {"start": round(start, 1), "seconds": round(seconds, 1), **processes, **summarize_events(path)}


if __name__ == "__main__":
    main()
