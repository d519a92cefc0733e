"""A plain loop over ftfy and a datasketch index of articles. Candidates are not verified; no provenance."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ftfy
import protocol  # type: ignore[import-not-found]  # beside this script, which runs by its path
from datasketch import MinHash, MinHashLSH

WORDS = 5


def run(source: Path, work: Path) -> None:
    """Keep the articles for which the index holds nothing similar."""
    protocol.write_rows(work / "articles.jsonl", _new_articles(source))


def _new_articles(source: Path) -> Iterator[dict[str, Any]]:
    index = MinHashLSH(threshold=0.8, num_perm=128)
    for number, row in enumerate(protocol.read_rows(source)):
        row["text"] = ftfy.fix_text(row["text"])
        words = re.findall(r"\w+", row["text"].lower())
        sketch = MinHash(num_perm=128)
        sketch.update_batch({" ".join(words[at : at + WORDS]).encode() for at in range(max(1, len(words) - WORDS + 1))})
        if not index.query(sketch):
            index.insert(number, sketch)
            yield row


if __name__ == "__main__":
    protocol.main(run, protocol.kept_ids(Path("articles.jsonl")))
