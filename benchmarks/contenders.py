"""What takes part in a comparison, run in the same way: ``dedup clean``, and each peer in its own environment."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import environments
from processes import Measured, measured

ROOT = Path(__file__).parents[1]
OURS = "dedup"
DOES = {
    OURS: "repairs, every rule, verified, provenance",
    "plain_paragraphs": "ftfy + datasketch, near-duplicate paragraphs",
    "plain_articles": "ftfy + datasketch, near-duplicate articles",
    "rensa_articles": "rensa, near-duplicate articles, no repair",
    "text_dedup_articles": "text-dedup, near-duplicate articles, no repair",
    "datatrove_articles": "datatrove, near-duplicate articles, no repair",
    "dolma_paragraphs": "dolma, exact paragraphs by Bloom filter, marks only",
}
# Of every process: nothing is fetched, and this checkout is what runs.
ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}


class Ran(NamedTuple):
    """One run over one corpus."""

    measured: Measured
    kept: list[str] | None  # ids of the articles that stay; None for those that decide about paragraphs only


def clean(source: Path, out: Path, options: Sequence[str] = ()) -> list[str]:
    """The command that cleans `source` into `out`."""
    return [sys.executable, "-m", "dedup", "clean", str(source), "-o", str(out), "--quiet", *options]


def run(name: str, source: Path, work: Path) -> Ran | None:
    """One run of a contender in the empty folder `work`; None if it failed, and a line that says how."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        return _ours(source, work) if name == OURS else _peer(name, source, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _ours(source: Path, work: Path) -> Ran | None:
    done = measured(clean(source, work / "out"), work, ENVIRONMENT)
    if failed(OURS, done):
        return None
    with (work / "out" / "articles.jsonl").open(encoding="utf-8") as lines:
        return Ran(done, [json.loads(line)["id"] for line in lines])


def _peer(name: str, source: Path, work: Path) -> Ran | None:
    interpreter = environments.python(name)
    if interpreter is None:
        return None
    told: dict[str, Measured] = {}
    for step in ("lay", "run", "kept"):  # only the second is what the peer is asked for
        command = [interpreter, environments.PEERS / f"{name}.py", step, source, work / "work"]
        told[step] = measured(command, work, ENVIRONMENT | {"PYTHONPATH": ""})
        if failed(f"{name} {step}", told[step]):
            return None
    kept = json.loads((work / "work" / "kept.json").read_text(encoding="utf-8"))
    return Ran(told["run"], kept)


def failed(name: str, done: Measured) -> bool:
    """Whether a command failed; says so in a line."""
    if done.status:
        last = done.errors.strip().splitlines()[-1:] or [""]
        print(f"{name}: left out, it ended with status {done.status}: {last[0]}", file=sys.stderr)
    return done.status != 0
