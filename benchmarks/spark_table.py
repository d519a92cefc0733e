"""The figures of ``results/spark.json`` as tables in docs/scaling.md, with an extrapolation to terabytes.

    python -m benchmarks.spark_table [--write]

The extrapolation is a straight line through the runs on `FITTED_CORPUS`, at growing sizes. Equal figures give equal
bytes.
"""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

import numpy as np

from benchmarks.contenders import ROOT
from benchmarks.markdown_tables import replace_section
from benchmarks.stored_results import load_results
from benchmarks.table import format_table

PAGE = ROOT / "docs" / "scaling.md"
FITTED_CORPUS = "hard"
SKEWED = ("bucket", "copies", "source")
HOURS = 10  # time that a large job may take
SCANS = {"data": "records", "text": "texts", "key": "keys", "numbers": "numbers"}  # key of the results -> heading
Run = dict[str, Any]


def main() -> None:
    """Print the tables, and write them with ``--write``."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--write", action="store_true", help="fill the marked sections of docs/scaling.md")
    options = parser.parse_args()
    results = load_results("spark")
    assert results, "nothing is measured"
    page = PAGE.read_text(encoding="utf-8")
    for name, content in sections(results).items():
        print(f"{name}\n\n{content}\n")
        page = replace_section(page, name, "benchmarks/spark_table.py", content)
    if options.write:
        PAGE.write_text(page, encoding="utf-8")


def sections(results: dict[str, Any]) -> dict[str, str]:
    """Return the generated sections of the page, by name."""
    runs: list[Run] = results["figures"]["runs"]
    machine, figures = results["machine"], results["figures"]
    description = (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory GB']} GB; Python {machine['python']}, "
        f"PySpark {figures['pyspark']}, Java {figures['java']}; executors of {figures['executor']}."
    )
    return {
        "machine": f"{description} {code_states(runs)}",
        "growth": growth([run for run in runs if not run["input"].startswith(SKEWED)]),
        "workers": workers([run for run in runs if not run["input"].startswith(SKEWED)]),
        "traffic": traffic([run for run in runs if run["engine"] != "local-2"]),
        "skew": skew([run for run in runs if run["input"].startswith(SKEWED)]),
        "line": line([run for run in runs if run["input"].startswith(FITTED_CORPUS)]),
    }


def code_states(runs: list[Run]) -> str:
    """Return a sentence that names the runs of an earlier version of the package than most."""
    latest = Counter(run.get("code") for run in runs if run.get("code")).most_common(1)
    earlier = [run for run in runs if not latest or run.get("code") != latest[0][0]]
    if not earlier:
        return "All rows are of one state of the code."
    sizes = {run["input"]: float(run["megabytes"]) for run in reversed(earlier)}
    exceptions = ", ".join(f"`{_corpus_name(name)}` of {sizes[name]} MB" for name in _inputs(earlier))
    return f"All rows are of one state of the code, but for {exceptions}."


def workers(runs: list[Run]) -> str:
    """Return a table of what a second worker gains, and of what it costs."""
    rows = []
    for name, engines in _by_input(runs).items():
        if not {"spark-1", "spark-2"} <= engines.keys():
            continue
        one, two = engines["spark-1"], engines["spark-2"]
        rows.append(
            [
                _corpus_name(name),
                one["megabytes"],
                one["seconds"],
                two["seconds"],
                round(one["seconds"] / two["seconds"], 2),
                one["core_seconds"],
                two["core_seconds"],
                *(one[f"core_seconds_{kind}"] for kind in ("driver_java", "executor")),
                *(run.get("core_seconds_of_others") for run in (one, two)),
            ]
        )
    header = (
        "",
        "MB",
        "1 worker: s",
        "2 workers: s",
        "faster, times",
        "1 worker: core-s",
        "2 workers: core-s",
        "of 1: driver's Java",
        "of 1: executor's Java",
        "others meanwhile, 1 worker: core-s",
        "2 workers: core-s",
    )
    return format_table(header, rows)


def growth(runs: list[Run]) -> str:
    """Return a table of the seconds and core-seconds of each engine on each input."""
    rows = []
    for name, engines in _by_input(runs).items():
        first = next(iter(engines.values()))
        seconds = [engines.get(engine, {}).get("seconds") for engine in ("local-2", "spark-1", "spark-2")]
        cores = [engines[engine]["core_seconds"] for engine in ("local-2", "spark-2") if engine in engines]
        ratio = round(cores[1] / cores[0], 1) if len(cores) == 2 else None
        rows.append(
            [
                _corpus_name(name),
                first["megabytes"],
                first["articles"],
                *seconds,
                *cores,
                *[None] * (2 - len(cores)),
                ratio,
            ]
        )
    header = (
        "",
        "MB",
        "articles",
        "local, 2 cores: s",
        "Spark, 1 worker: s",
        "Spark, 2 workers: s",
        "local: core-s",
        "Spark: core-s",
        "times",
    )
    return format_table(header, rows)


def traffic(runs: list[Run]) -> str:
    """Return a table of bytes shuffled, written and read for each byte of text, and of the rounds."""
    rows = []
    for run in sorted(runs, key=lambda run: (_inputs(runs).index(run["input"]), run["engine"])):
        size = run["megabytes"] * 1e6
        rows.append(
            [
                _corpus_name(run["input"]),
                run["megabytes"],
                run["engine"].removeprefix("spark-"),
                *(round(run[f"{kind}_bytes"] / size, 2) for kind in ("shuffled", "table")),
                *(run.get(f"scans_{kind}") for kind in SCANS),
                f"{run['rounds_articles']}, {run['rounds_paragraphs']}",
                run["jobs"],
                run["tasks"],
            ]
        )
    header = (
        "",
        "MB",
        "workers",
        "shuffled / text",
        "tables / text",
        *(f"passes over {kind}" for kind in SCANS.values()),
        "rounds: articles, paragraphs",
        "jobs",
        "tasks",
    )
    return format_table(header, rows)


def skew(runs: list[Run]) -> str:
    """Return a table of memory and time on corpora that are as skewed as possible."""
    rows = []
    for name, engines in _by_input(runs).items():
        run = engines.get("spark-2")
        if run is None:
            continue
        rows.append(
            [
                _corpus_name(name),
                run["articles"],
                run["megabytes"],
                engines.get("local-2", {}).get("seconds"),
                run["seconds"],
                *(run.get(f"peak_{kind}_mb") for kind in ("python_worker", "executor")),
                run["most_task_memory_mb"],
                round(run["spilled_bytes"] / 1e6),
                run["most_task_seconds"],
            ]
        )
    header = (
        "",
        "articles",
        "MB",
        "local: s",
        "Spark, 2 workers: s",
        "Python worker: MB",
        "executor's Java: MB",
        "one task of Spark's own: MB",
        "spilled: MB",
        "longest task: s",
    )
    return format_table(header, rows)


def line(runs: list[Run]) -> str:
    """Return what a straight line through the runs predicts for larger inputs: a sentence and a table."""
    if len(_inputs([run for run in runs if run["engine"] == "spark-2"])) < 2:
        return "Not measured yet: it takes runs of two sizes at least."
    fits = {engine: _fit([run for run in runs if run["engine"] == engine]) for engine in ("local-2", "spark-2")}
    largest = max((run for run in runs if run["engine"] == "spark-2"), key=lambda run: run["megabytes"])
    size = largest["megabytes"] * 1e6
    (local_fixed, local_rate), (spark_fixed, spark_rate) = fits["local-2"], fits["spark-2"]
    sentence = (
        f"Core-seconds, by least squares: local {local_fixed:.0f} + {local_rate:.2f} for each MB, Spark "
        f"{spark_fixed:.0f} + {spark_rate:.2f}; so {spark_rate / local_rate:.1f} times as many for each MB, once what "
        "is fixed no longer counts."
    )
    rows = []
    for terabytes in (1, 10, 100):
        core_hours = [rate * terabytes * 1e6 / 3600 for rate in (local_rate, spark_rate)]
        volumes = [largest[f"{kind}_bytes"] / size * terabytes for kind in ("shuffled", "table")]
        cores = [int(-(-hours // HOURS)) for hours in core_hours]
        rows.append([f"{terabytes} TB", *map(round, core_hours), *cores, *(round(volume, 1) for volume in volumes)])
    header = (
        "text",
        "local: core-hours",
        "Spark: core-hours",
        f"local: cores for {HOURS} h",
        f"Spark: cores for {HOURS} h",
        "shuffled: TB",
        "tables: TB",
    )
    return f"{sentence}\n\n{format_table(header, rows)}"


def _fit(runs: list[Run]) -> tuple[float, float]:
    """Return the fixed core-seconds, and those for each megabyte, by least squares."""
    sizes, spent = [run["megabytes"] for run in runs], [run["core_seconds"] for run in runs]
    slope, fixed = np.polyfit(sizes, spent, 1)
    return float(fixed), float(slope)


def _by_input(runs: list[Run]) -> dict[str, dict[str, Run]]:
    """Return the runs by input and engine, inputs in the order of the tables."""
    return {name: {run["engine"]: run for run in runs if run["input"] == name} for name in _inputs(runs)}


def _inputs(runs: list[Run]) -> list[str]:
    """Return the names of the inputs, by corpus and then by size."""
    sizes = {run["input"]: run["megabytes"] for run in runs}
    return sorted(sizes, key=lambda name: (name.split("-")[0].split(".")[0], sizes[name]))


def _corpus_name(name: str) -> str:
    return name.split("-", maxsplit=1)[0].split(".", maxsplit=1)[0]


if __name__ == "__main__":
    main()
