"""The command line of every peer: ``python PEER.py lay|run|kept INPUT WORK``, each step in a process of its own.

``lay`` puts the input where the peer expects it, and ``run`` is the step that is timed. ``kept`` writes
``WORK/kept.json``: the ids of the articles that stay, or null where the peer decides about paragraphs only. Peers run
in environments without dedup, so this module uses the standard library alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Step = Callable[[Path, Path], Any]


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Iterate over the rows of a file of JSON lines."""
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def write_rows(path: Path, articles: Iterator[dict[str, Any]]) -> None:
    """Write articles as JSON lines, one at a time."""
    with path.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in articles)


def write_halves(source: Path, folder: Path) -> None:
    """Split a file of lines into two of about the same size, for peers that give each process a whole file."""
    folder.mkdir(parents=True, exist_ok=True)
    half, written = source.stat().st_size / 2, 0
    with source.open("rb") as lines, (folder / "0.jsonl").open("wb") as first, (folder / "1.jsonl").open("wb") as rest:
        for line in lines:
            (first if written < half else rest).write(line)
            written += len(line)


def kept_ids(path: Path) -> Step:
    """Return a step that reads the ids of the articles that stay from the peer's output at `path` below WORK."""
    return lambda _, work: [row["id"] for row in read_rows(work / path)]


def do_nothing(_source: Path, _work: Path) -> None:
    """Do nothing: the step of a peer that does not need it."""


def main(run: Step, kept: Step, lay: Step = do_nothing) -> None:
    """Perform the step that the command line names."""
    step, source, work = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    work.mkdir(parents=True, exist_ok=True)
    if step == "kept":
        (work / "kept.json").write_text(json.dumps(kept(source, work)), encoding="utf-8")
    else:
        {"lay": lay, "run": run}[step](source, work)
