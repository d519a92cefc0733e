"""text-dedup's MinHash command with two processes at threshold 0.8, else as its page shows it; no repair."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import protocol


def run(source: Path, work: Path) -> None:
    """Runs the command."""
    options = {
        "path": "json",
        "data_files": source,
        "split": "train",
        "cache_dir": work / "cache",
        "output": work / "out",
        "column": "text",
        "batch_size": 10000,
        "threshold": 0.8,
        "num_proc": 2,
    }
    told = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    subprocess.run([sys.executable, "-m", "text_dedup.minhash", *told], check=True)


def kept(_: Path, work: Path) -> list[str]:
    """The ids in its output."""
    from datasets import load_from_disk  # noqa: PLC0415 - slow to load, and no part of the run

    return list(load_from_disk(str(work / "out"))["id"])


if __name__ == "__main__":
    protocol.main(run, kept)
