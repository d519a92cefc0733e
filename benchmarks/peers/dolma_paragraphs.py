"""dolma's Bloom filter over exact paragraphs, as its page shows it, two processes: it marks and removes nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import protocol  # type: ignore[import-not-found]  # beside this script, which runs by its path

PARAGRAPHS = 6_000_000


def lay(source: Path, work: Path) -> None:
    """Write two files into a folder with the name that dolma expects."""
    protocol.write_halves(source, work / "documents")


def run(_: Path, work: Path) -> None:
    """Run the command."""
    command = [str(Path(sys.executable).with_name("dolma")), "dedupe"]
    command += ["--documents", f"{work}/documents/*.jsonl", "--dedupe.paragraphs.attribute_name", "repeated"]
    command += ["--dedupe.skip_empty", "--bloom_filter.file", f"{work}/bloom.bin", "--no-bloom_filter.read_only"]
    command += ["--bloom_filter.estimated_doc_count", str(PARAGRAPHS)]
    command += ["--bloom_filter.desired_false_positive_rate", "0.0001", "--processes", "2"]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    protocol.main(run, protocol.do_nothing, lay)
