"""How a peer is run: ``python PEER.py lay|run|kept INPUT WORK``, each step in a process of its own.

``lay`` puts the input where the peer wants it, ``run`` is what is timed, ``kept`` writes ``WORK/kept.json``: the ids of
the articles that stay, or null where the peer decides about paragraphs only.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Step = Callable[[Path, Path], Any]


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file of JSON lines."""
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def write(path: Path, articles: Iterator[dict[str, Any]]) -> None:
    """Writes articles as JSON lines, one at a time."""
    with path.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in articles)


def halves(source: Path, folder: Path) -> None:
    """The lines of a file in two files of about the same size, for peers that hand out files to two processes."""
    folder.mkdir(parents=True, exist_ok=True)
    half, done = source.stat().st_size / 2, 0
    with source.open("rb") as lines, (folder / "0.jsonl").open("wb") as one, (folder / "1.jsonl").open("wb") as two:
        for line in lines:
            (one if done < half else two).write(line)
            done += len(line)


def kept_in(path: Path) -> Step:
    """A step that reads the ids of the articles that stay from the peer's own output at `path` below WORK."""
    return lambda _, work: [row["id"] for row in rows(work / path)]


def nothing(_source: Path, _work: Path) -> None:
    """A step with nothing to do."""


def main(run: Step, kept: Step, lay: Step = nothing) -> None:
    """Does the step that the command line names."""
    step, source, work = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    work.mkdir(parents=True, exist_ok=True)
    if step == "kept":
        (work / "kept.json").write_text(json.dumps(kept(source, work)), encoding="utf-8")
    else:
        {"lay": lay, "run": run}[step](source, work)
