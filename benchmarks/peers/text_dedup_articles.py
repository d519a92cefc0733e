"""text-dedup's MinHash command as its page shows it, with two processes and a threshold of 0.8. No repair."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import protocol  # type: ignore[import-not-found]  # beside this script, which runs by its path


def run(source: Path, work: Path) -> None:
    """Run the command."""
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
    arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    subprocess.run([sys.executable, "-m", "text_dedup.minhash", *arguments], check=True)


def kept(_: Path, work: Path) -> list[str]:
    """Return the ids in its output."""
    from datasets import load_from_disk  # noqa: PLC0415 - slow to import, and not part of the run

    return list(load_from_disk(str(work / "out"))["id"])


if __name__ == "__main__":
    protocol.main(run, kept)
