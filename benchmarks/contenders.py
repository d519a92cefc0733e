"""The tools that take part in a comparison: ``dedup clean``, and each peer in its own environment."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import environments
from benchmarks.processes import Measurement, measure_command

ROOT = Path(__file__).parents[1]
DEDUP = "dedup"
DESCRIPTIONS = {
    DEDUP: "repair, every rule, exact verification, provenance",
    "plain_paragraphs": "ftfy and datasketch: near-duplicate paragraphs",
    "plain_articles": "ftfy and datasketch: near-duplicate articles",
    "rensa_articles": "rensa: near-duplicate articles, no repair",
    "text_dedup_articles": "text-dedup: near-duplicate articles, no repair",
    "datatrove_articles": "datatrove: near-duplicate articles, no repair",
    "dolma_paragraphs": "dolma: exact duplicate paragraphs by Bloom filter, marked only",
}
# For every process: download nothing, and run this checkout.
ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}


class ContenderRun(NamedTuple):
    """One run of a contender over one corpus."""

    measurement: Measurement
    kept: list[str] | None  # ids of the articles that stay; None for tools that decide about paragraphs only


def clean_command(source: Path, out: Path, options: Sequence[str] = ()) -> list[str]:
    """Return the command that cleans `source` into `out`."""
    return [sys.executable, "-m", "dedup", "clean", str(source), "-o", str(out), "--quiet", *options]


def run_contender(name: str, source: Path, work: Path) -> ContenderRun | None:
    """Run a contender once in the empty folder `work`.

    Returns None if it failed, after printing the reason in one line.
    """
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        return _run_dedup(source, work) if name == DEDUP else _run_peer(name, source, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _run_dedup(source: Path, work: Path) -> ContenderRun | None:
    measurement = measure_command(clean_command(source, work / "out"), work, ENVIRONMENT)
    if report_failure(DEDUP, measurement):
        return None
    with (work / "out" / "articles.jsonl").open(encoding="utf-8") as lines:
        return ContenderRun(measurement, [json.loads(line)["id"] for line in lines])


def _run_peer(name: str, source: Path, work: Path) -> ContenderRun | None:
    interpreter = environments.interpreter_of(name)
    if interpreter is None:
        return None
    measurements: dict[str, Measurement] = {}
    for step in ("lay", "run", "kept"):  # only "run" counts: the others prepare the input and read the output
        command = [interpreter, environments.PEERS / f"{name}.py", step, source, work / "work"]
        measurements[step] = measure_command(command, work, ENVIRONMENT | {"PYTHONPATH": ""})
        if report_failure(f"{name} {step}", measurements[step]):
            return None
    kept = json.loads((work / "work" / "kept.json").read_text(encoding="utf-8"))
    return ContenderRun(measurements["run"], kept)


def report_failure(name: str, measurement: Measurement) -> bool:
    """Return True if a command failed, after printing its status and its last line."""
    if measurement.status:
        last = measurement.errors.strip().splitlines()[-1:] or [""]
        print(f"{name}: skipped, it ended with status {measurement.status}: {last[0]}", file=sys.stderr)
    return measurement.status != 0
