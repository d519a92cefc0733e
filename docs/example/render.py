"""Run the examples of README.md and docs/index.md and put their real output into the pages.

    python docs/example/render.py PAGE... [--write]

A ``console`` block keeps its first line, the command, and gets what the command prints. A ``json TABLE ID`` block gets
the last row of that table for the article with this id (``quarantine`` has one row and no ids). The commands of one
page run in one folder, one after the other. Without ``--write`` the pages go to standard output, where a test compares
them with those in the repository. Times differ between runs, so they are shown as ``…``.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
WIDTH = 124  # columns, so that tables and long lines of the page look alike


def run(command: str, folder: Path) -> str:
    """Return what `command` prints to standard output and standard error, run in a copy of the example's inputs."""
    program, *arguments = shlex.split(command)
    assert program == "dedup", command
    environment = {name: value for name, value in os.environ.items() if name not in {"FORCE_COLOR", "NO_COLOR"}}
    done = subprocess.run(
        [sys.executable, "-m", "dedup", *arguments],
        cwd=folder,
        env={**environment, "COLUMNS": str(WIDTH), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode in {0, 1}, done.stdout  # 1: `check` has findings
    lines = [line.rstrip() for line in done.stdout.strip("\n").split("\n")]
    return re.sub(r"^Took .*", "Took …", "\n".join(lines), flags=re.MULTILINE)


def row(folder: Path, table: str, article: str | None) -> str:
    """Return the last row of a table that belongs to `article`, as the line in the file."""
    lines = (folder / "out-example" / f"{table}.jsonl").read_text(encoding="utf-8").splitlines()
    parsed = [(json.loads(line), line) for line in lines]
    return [line for value, line in parsed if article in {None, value.get("id"), value.get("article")}][-1]


def render(page: str) -> str:
    """Return `page` with the output of its commands and the rows that it shows."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "docs" / "example").mkdir(parents=True)
        (folder / "corpus").mkdir()
        for path in (*ROOT.glob("corpus/*"), ROOT / "docs" / "example" / "wire.jsonl"):
            (folder / path.relative_to(ROOT)).write_bytes(path.read_bytes())

        def console(block: re.Match[str]) -> str:
            return f"```console\n$ {block[1]}\n{run(block[1], folder)}\n```\n"

        def record(block: re.Match[str]) -> str:
            return f"```json {block[1]}\n{row(folder, *[*block[1].split(), None][:2])}\n```\n"

        page = re.sub(r"^```console\n\$ ([^\n]*)\n(?:(?!```).*\n)*```\n", console, page, flags=re.MULTILINE)
        return re.sub(
            r"^```json ((?:articles|dropped|provenance|quarantine)[^\n]*)\n(?:(?!```).*\n)*```\n",
            record,
            page,
            flags=re.MULTILINE,
        )


def main() -> None:
    """Render the pages; write them where ``--write`` asks for that."""
    for path in (ROOT / name for name in sys.argv[1:] if name != "--write"):
        page = render(path.read_text(encoding="utf-8"))
        if "--write" in sys.argv[1:]:
            path.write_text(page, encoding="utf-8")
        else:
            sys.stdout.write(page)


if __name__ == "__main__":
    main()
