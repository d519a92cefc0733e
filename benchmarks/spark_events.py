"""What a Spark job took: from its event log, so of tasks and not of a stopwatch around them; and from ``/proc``."""

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

_LOOK_EVERY = 0.25  # seconds


def taken(path: Path) -> dict[str, Any]:
    """What all tasks in an event log read, shuffled and wrote together; the most that one of them took."""
    total: Counter[str] = Counter()
    most: Counter[str] = Counter()
    rounds: dict[str, set[str]] = {"articles": set(), "paragraphs": set()}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            metrics = event.get("Task Metrics")
            if event["Event"] == "SparkListenerJobStart":
                total["jobs"] += 1
                about = event["Properties"].get("spark.job.description", "")
                stage, found, _ = about.partition("-survivors-")
                if found:
                    rounds[stage.removeprefix("dedup: ")].add(about)
            if event["Event"].endswith("SparkListenerSQLExecutionStart"):
                total.update(_scans(event["physicalPlanDescription"]))
            if event["Event"] != "SparkListenerTaskEnd" or not metrics:
                continue
            total["tasks"] += 1
            total["shuffled_bytes"] += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
            total["table_bytes"] += metrics["Output Metrics"]["Bytes Written"]
            total["spilled_bytes"] += metrics["Disk Bytes Spilled"]
            for name, value in (
                ("task_seconds", metrics["Executor Run Time"] / 1000),
                ("task_memory_mb", metrics["Peak Execution Memory"] / (1 << 20)),
                (
                    "task_shuffle_read_mb",
                    sum(metrics["Shuffle Read Metrics"][f"{kind} Bytes Read"] for kind in ("Local", "Remote"))
                    / (1 << 20),
                ),
            ):
                most[name] = max(most[name], round(value))
    told = {f"rounds_{name}": len(found) for name, found in rounds.items()}
    return {**total, **told, **{f"most_{name}": value for name, value in most.items()}}


def _scans(plan: str) -> Counter[str]:
    """How often a plan reads the prepared articles: with their records, their texts, their keys, or numbers alone."""
    found: Counter[str] = Counter()
    for scan in re.split(r"\n\n+", plan):
        if re.search(r"Location: .*/prepared\]", scan) and (read := re.search(r"ReadSchema: struct<(.*)>", scan)):
            names = set(re.findall(r"(?:^|,)(\w+):", read[1]))
            kind = next((name for name in ("data", "text", "key") if name in names), "numbers")
            found[f"scans_{kind}"] += 1
    return found


@contextmanager
def watched() -> Iterator[dict[str, Any]]:
    """Fills in, while the block runs, the most memory that one process of each kind has held, in MB.

    At the end also the core-seconds of all processes below this one, Java and Python, by kind and together, and those
    of everybody else on this machine; Linux only.
    """
    told: dict[str, Any] = {}
    ended = threading.Event()
    before, before_all = _spent(), _busy()

    def look() -> None:
        while not ended.wait(_LOOK_EVERY):
            for kind, _, rss in _processes().values():
                name = f"peak_{kind}_mb"
                told[name] = max(told.get(name, 0), round(rss / (1 << 20)))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        spent = _spent() - before
        told |= {f"core_seconds_{kind}": round(each, 1) for kind, each in sorted(spent.items())}
        told["core_seconds"] = round(spent.total(), 1)
        told["core_seconds_of_others"] = round(max(_busy() - before_all - spent.total(), 0), 1)
        ended.set()
        thread.join()


def _spent() -> Counter[str]:
    """Core-seconds so far, by kind of process."""
    found: Counter[str] = Counter()
    for kind, ticks, _ in _processes().values():
        found[kind] += ticks / os.sysconf("SC_CLK_TCK")  # type: ignore[assignment]  # a sum of seconds
    return found


def _busy() -> float:
    """Core-seconds that this machine has worked so far, for whomever."""
    user, nice, system, _, _, interrupts, soft, *_ = Path("/proc/stat").read_text(encoding="ascii").split()[1:9]
    return sum(map(int, (user, nice, system, interrupts, soft))) / os.sysconf("SC_CLK_TCK")


def _processes() -> dict[int, tuple[str, int, int]]:
    """This process and all below it: the kind, clock ticks with those of children that have ended, bytes resident."""
    parents: dict[int, int] = {}
    found: dict[int, tuple[str, int, int]] = {}
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            told = (path / "stat").read_text().rpartition(")")[2].split()
            command = (path / "cmdline").read_bytes().split(b"\0")
            number = int(path.name)
            parents[number] = int(told[1])
            rss = int((path / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            found[number] = (_kind(command), sum(map(int, told[11:15])), rss)
    mine = {os.getpid()}
    while more := {number for number, parent in parents.items() if parent in mine} - mine:
        mine |= more
    return {number: one for number, one in found.items() if number in mine}


def _kind(command: list[bytes]) -> str:
    if command[0].endswith(b"java"):
        return "executor" if any(part.endswith(b"ExecutorBackend") for part in command) else "driver_java"
    return "python_worker" if b"pyspark.daemon" in command else "driver_python"
