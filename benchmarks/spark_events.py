"""The cost of a Spark job: per task, from its event log; per process, from ``/proc``."""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SAMPLE_EVERY = 0.25  # seconds


def summarize_events(path: Path) -> dict[str, Any]:
    """Return the totals over all tasks of an event log, and the maximum of one task.

    Totals are jobs, tasks, bytes shuffled, bytes of tables written, bytes spilled, scans of prepared articles, and
    rounds of the search for survivors. Maxima are seconds, memory and shuffled megabytes read.
    """
    total: Counter[str] = Counter()
    most: Counter[str] = Counter()
    rounds: dict[str, set[str]] = {"articles": set(), "paragraphs": set()}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            metrics = event.get("Task Metrics")
            if event["Event"] == "SparkListenerJobStart":
                total["jobs"] += 1
                description = event["Properties"].get("spark.job.description", "")
                stage, is_round, _ = description.partition("-survivors-")
                if is_round:
                    rounds[stage.removeprefix("dedup: ")].add(description)
            if event["Event"].endswith("SparkListenerSQLExecutionStart"):
                total.update(_count_scans(event["physicalPlanDescription"]))
            if event["Event"] == "SparkListenerTaskEnd" and metrics:
                _add_task(metrics, total, most)
    round_counts = {f"rounds_{name}": len(descriptions) for name, descriptions in rounds.items()}
    return {**total, **round_counts, **{f"most_{name}": value for name, value in most.items()}}


def _add_task(metrics: dict[str, Any], total: Counter[str], most: Counter[str]) -> None:
    """Add the metrics of one task to the totals and to the maxima."""
    total["tasks"] += 1
    total["shuffled_bytes"] += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
    total["table_bytes"] += metrics["Output Metrics"]["Bytes Written"]
    total["spilled_bytes"] += metrics["Disk Bytes Spilled"]
    shuffle_read = sum(metrics["Shuffle Read Metrics"][f"{kind} Bytes Read"] for kind in ("Local", "Remote"))
    for name, value in (
        ("task_seconds", metrics["Executor Run Time"] / 1000),
        ("task_memory_mb", metrics["Peak Execution Memory"] / (1 << 20)),
        ("task_shuffle_read_mb", shuffle_read / (1 << 20)),
    ):
        most[name] = max(most[name], round(value))


def _count_scans(plan: str) -> Counter[str]:
    """Count the scans of prepared articles in a plan, by the largest column read.

    The columns, from large to small, are whole records (`data`), texts, comparison keys, and numbers alone.
    """
    scans: Counter[str] = Counter()
    for scan in re.split(r"\n\n+", plan):
        if re.search(r"Location: .*/prepared\]", scan) and (schema := re.search(r"ReadSchema: struct<(.*)>", scan)):
            names = set(re.findall(r"(?:^|,)(\w+):", schema[1]))
            kind = next((name for name in ("data", "text", "key") if name in names), "numbers")
            scans[f"scans_{kind}"] += 1
    return scans


@contextmanager
def sample_processes() -> Iterator[dict[str, Any]]:
    """Fill the dictionary with the peak memory of one process of each kind, in MB, while the block runs.

    At the end it also gets the core-seconds of all processes below this one, Java and Python, by kind and together,
    and those of all other processes on this machine. Linux only.
    """
    figures: dict[str, Any] = {}
    ended = threading.Event()
    before, machine_before = _core_seconds(), _machine_core_seconds()

    def sample() -> None:
        while not ended.wait(_SAMPLE_EVERY):
            for kind, _, rss in _processes().values():
                name = f"peak_{kind}_mb"
                figures[name] = max(figures.get(name, 0), round(rss / (1 << 20)))

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield figures
    finally:
        spent = _core_seconds() - before
        figures |= {f"core_seconds_{kind}": round(each, 1) for kind, each in sorted(spent.items())}
        figures["core_seconds"] = round(spent.total(), 1)
        others = _machine_core_seconds() - machine_before - spent.total()
        figures["core_seconds_of_others"] = round(max(others, 0), 1)
        ended.set()
        thread.join()


def _core_seconds() -> Counter[str]:
    """Return the core-seconds spent so far, by kind of process."""
    spent: Counter[str] = Counter()
    for kind, ticks, _ in _processes().values():
        spent[kind] += ticks / os.sysconf("SC_CLK_TCK")  # type: ignore[assignment]  # a sum of seconds
    return spent


def _machine_core_seconds() -> float:
    """Return the core-seconds that all processes of this machine have spent since it started."""
    user, nice, system, _, _, interrupts, soft, *_ = Path("/proc/stat").read_text(encoding="ascii").split()[1:9]
    return sum(map(int, (user, nice, system, interrupts, soft))) / os.sysconf("SC_CLK_TCK")


def _processes() -> dict[int, tuple[str, int, int]]:
    """Return this process and all below it: kind, clock ticks with those of ended children, resident bytes."""
    parents: dict[int, int] = {}
    processes: dict[int, tuple[str, int, int]] = {}
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            stat = (path / "stat").read_text().rpartition(")")[2].split()
            command = (path / "cmdline").read_bytes().split(b"\0")
            number = int(path.name)
            parents[number] = int(stat[1])
            rss = int((path / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            processes[number] = (_process_kind(command), sum(map(int, stat[11:15])), rss)
    family = {os.getpid()}
    while children := {number for number, parent in parents.items() if parent in family} - family:
        family |= children
    return {number: process for number, process in processes.items() if number in family}


def _process_kind(command: list[bytes]) -> str:
    if command[0].endswith(b"java"):
        return "executor" if any(part.endswith(b"ExecutorBackend") for part in command) else "driver_java"
    return "python_worker" if b"pyspark.daemon" in command else "driver_python"
