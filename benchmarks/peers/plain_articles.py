"""The loop anyone would write: ftfy, then a datasketch index of articles. Not verified, no provenance."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ftfy
import protocol
from datasketch import MinHash, MinHashLSH

WORDS = 5


def run(source: Path, work: Path) -> None:
    """Keeps the articles that the index has nothing like."""
    protocol.write(work / "articles.jsonl", _fresh(source))


def _fresh(source: Path) -> Iterator[dict[str, Any]]:
    index = MinHashLSH(threshold=0.8, num_perm=128)
    for number, row in enumerate(protocol.rows(source)):
        row["text"] = ftfy.fix_text(row["text"])
        words = re.findall(r"\w+", row["text"].lower())
        sketch = MinHash(num_perm=128)
        sketch.update_batch({" ".join(words[at : at + WORDS]).encode() for at in range(max(1, len(words) - WORDS + 1))})
        if not index.query(sketch):
            index.insert(number, sketch)
            yield row


if __name__ == "__main__":
    protocol.main(run, protocol.kept_in(Path("articles.jsonl")))
