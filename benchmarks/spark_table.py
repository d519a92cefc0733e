"""The figures of ``results/spark.json`` as tables, and what follows from them, in docs/scaling.md.

    python benchmarks/spark_table.py [--write]

What is extrapolated is a straight line through the runs on `LINE`, of growing size; equal figures give equal bytes.
"""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

import machine
import numpy as np
from contenders import ROOT
from table import markdown

PAGE = ROOT / "docs" / "scaling.md"
LINE = "hard"
SKEWED = ("bucket", "copies", "source")
HOURS = 10  # that a large job may take
PARTS = ("records", "texts", "keys", "numbers")
Run = dict[str, Any]


def main() -> None:
    """Prints the tables, or writes them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--write", action="store_true", help="between the lines of docs/scaling.md that say so")
    given = parser.parse_args()
    kept = machine.kept("spark")
    assert kept, "nothing is measured"
    page = PAGE.read_text(encoding="utf-8")
    for name, told in sections(kept).items():
        print(f"{name}\n\n{told}\n")
        begin, end = f"<!-- {name}: made by benchmarks/spark_table.py -->", f"<!-- end of {name} -->"
        before, found, rest = page.partition(begin)
        assert found, f"{PAGE.name} has no place for {name}"
        assert end in rest, f"{PAGE.name}: {name} does not end"
        page = f"{before}{begin}\n{told}\n{end}{rest.partition(end)[2]}"
    if given.write:
        PAGE.write_text(page, encoding="utf-8")


def sections(kept: dict[str, Any]) -> dict[str, str]:
    """The parts of the page that are made, by name."""
    runs: list[Run] = kept["figures"]["runs"]
    told, figures = kept["machine"], kept["figures"]
    where = (
        f"{told['processor']}, {told['cores']} cores, {told['memory GB']} GB; Python {told['python']}, PySpark "
        f"{figures['pyspark']}, Java {figures['java']}; executors of {figures['executor']}."
    )
    return {
        "machine": f"{where} {states(runs)}",
        "growth": growth([run for run in runs if not run["input"].startswith(SKEWED)]),
        "workers": workers([run for run in runs if not run["input"].startswith(SKEWED)]),
        "traffic": traffic([run for run in runs if run["engine"] != "local-2"]),
        "skew": skew([run for run in runs if run["input"].startswith(SKEWED)]),
        "line": line([run for run in runs if run["input"].startswith(LINE)]),
    }


def states(runs: list[Run]) -> str:
    """Which rows are of an earlier state of the package than the others."""
    now = Counter(run.get("code") for run in runs if run.get("code")).most_common(1)
    earlier = [run for run in runs if not now or run.get("code") != now[0][0]]
    told = ", ".join(f"`{_short(name)}` of {_size(earlier, name)} MB" for name in _inputs(earlier))
    return (
        f"All rows are of one state of the code, but for {told}."
        if earlier
        else "All rows are of one state of the code."
    )


def _size(runs: list[Run], name: str) -> float:
    return next(float(run["megabytes"]) for run in runs if run["input"] == name)


def workers(runs: list[Run]) -> str:
    """What a second worker gains, and what it costs."""
    rows = []
    for name in _inputs(runs):
        mine = {run["engine"]: run for run in runs if run["input"] == name}
        if not {"spark-1", "spark-2"} <= mine.keys():
            continue
        one, two = mine["spark-1"], mine["spark-2"]
        rows.append(
            [
                _short(name),
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
    head = ("", "MB", "1 worker: s", "2 workers: s", "faster, times", "1 worker: core-s", "2 workers: core-s")
    more = ("of 1: driver's Java", "of 1: executor's Java", "others meanwhile, 1 worker: core-s", "2 workers: core-s")
    return markdown((*head, *more), rows)


def growth(runs: list[Run]) -> str:
    """Seconds and core-seconds of each engine on each input."""
    rows = []
    for name in _inputs(runs):
        mine = {run["engine"]: run for run in runs if run["input"] == name}
        one = next(iter(mine.values()))
        seconds = [mine.get(engine, {}).get("seconds") for engine in ("local-2", "spark-1", "spark-2")]
        cores = [mine[engine]["core_seconds"] for engine in ("local-2", "spark-2") if engine in mine]
        times = round(cores[1] / cores[0], 1) if len(cores) == 2 else None
        rows.append(
            [_short(name), one["megabytes"], one["articles"], *seconds, *cores, *[None] * (2 - len(cores)), times]
        )
    head = ("", "MB", "articles", "local, 2 cores: s", "Spark, 1 worker: s", "Spark, 2 workers: s")
    return markdown((*head, "local: core-s", "Spark: core-s", "times"), rows)


def traffic(runs: list[Run]) -> str:
    """What is shuffled, written and read for each byte of text, and in how many rounds."""
    rows = []
    for run in sorted(runs, key=lambda run: (_inputs(runs).index(run["input"]), run["engine"])):
        size = run["megabytes"] * 1e6
        ratios = [round(run[f"{what}_bytes"] / size, 2) for what in ("shuffled", "table")]
        ratios += [run.get(f"scans_{what}") for what in ("data", "text", "key", "numbers")]
        rounds = f"{run['rounds_articles']}, {run['rounds_paragraphs']}"
        rows.append(
            [
                _short(run["input"]),
                run["megabytes"],
                run["engine"].removeprefix("spark-"),
                *ratios,
                rounds,
                run["jobs"],
                run["tasks"],
            ]
        )
    head = ("", "MB", "workers", "shuffled / text", "tables / text", *(f"passes over {what}" for what in PARTS))
    return markdown((*head, "rounds: articles, paragraphs", "jobs", "tasks"), rows)


def skew(runs: list[Run]) -> str:
    """Memory and time of corpora as uneven as can be."""
    rows = []
    for name in _inputs(runs):
        mine = {run["engine"]: run for run in runs if run["input"] == name}
        run = mine.get("spark-2")
        if run is None:
            continue
        memory = [run.get(f"peak_{kind}_mb") for kind in ("python_worker", "executor")]
        spilled = round(run["spilled_bytes"] / 1e6)
        about = [_short(name), run["articles"], run["megabytes"]]
        seconds = [mine.get("local-2", {}).get("seconds"), run["seconds"]]
        rows.append([*about, *seconds, *memory, run["most_task_memory_mb"], spilled, run["most_task_seconds"]])
    head = ("", "articles", "MB", "local: s", "Spark, 2 workers: s", "Python worker: MB", "executor's Java: MB")
    return markdown((*head, "one task of Spark's own: MB", "spilled: MB", "longest task: s"), rows)


def line(runs: list[Run]) -> str:
    """What a straight line says of larger inputs."""
    if len(_inputs([run for run in runs if run["engine"] == "spark-2"])) < 2:
        return "Not measured yet: it takes runs of two sizes at least."
    fits = {engine: _fit([run for run in runs if run["engine"] == engine]) for engine in ("local-2", "spark-2")}
    largest = max((run for run in runs if run["engine"] == "spark-2"), key=lambda run: run["megabytes"])
    size = largest["megabytes"] * 1e6
    (here, each), (there, more) = fits["local-2"], fits["spark-2"]
    told = (
        f"Core-seconds, by least squares: local {here:.0f} + {each:.2f} for each MB, Spark {there:.0f} + {more:.2f}; "
        f"so {more / each:.1f} times as many for each MB, once what is fixed no longer counts."
    )
    rows = []
    for terabytes in (1, 10, 100):
        cores = [rate * terabytes * 1e6 / 3600 for rate in (each, more)]
        volumes = [largest[f"{what}_bytes"] / size * terabytes for what in ("shuffled", "table")]
        needed = [int(-(-one // HOURS)) for one in cores]
        rows.append([f"{terabytes} TB", *(round(one) for one in (*cores,)), *needed, *(round(v, 1) for v in volumes)])
    head = (
        "text",
        "local: core-hours",
        "Spark: core-hours",
        f"local: cores for {HOURS} h",
        f"Spark: cores for {HOURS} h",
    )
    return f"{told}\n\n{markdown((*head, 'shuffled: TB', 'tables: TB'), rows)}"


def _fit(runs: list[Run]) -> tuple[float, float]:
    sizes, spent = [run["megabytes"] for run in runs], [run["core_seconds"] for run in runs]
    slope, fixed = np.polyfit(sizes, spent, 1)
    return float(fixed), float(slope)


def _inputs(runs: list[Run]) -> list[str]:
    sizes = {run["input"]: run["megabytes"] for run in runs}
    return sorted(sizes, key=lambda name: (name.split("-")[0].split(".")[0], sizes[name]))


def _short(name: str) -> str:
    return name.split("-", maxsplit=1)[0].split(".", maxsplit=1)[0]


if __name__ == "__main__":
    main()
