"""rensa's deduplicator as its page shows it, on word 5-grams made in Python. No repair, no provenance."""

from __future__ import annotations

import re
from pathlib import Path

import protocol  # type: ignore[import-not-found]  # beside this script, which runs by its path
from rensa import RMinHashDeduplicator

WORDS = 5


def _shingles(text: str) -> list[str]:
    words = re.findall(r"\w+", text.lower())
    return [" ".join(words[at : at + WORDS]) for at in range(max(1, len(words) - WORDS + 1))]


def run(source: Path, work: Path) -> None:
    """Keep the articles that the deduplicator accepts."""
    index = RMinHashDeduplicator(threshold=0.8, num_perm=128, use_lsh=True)
    kept = index.add_pairs(
        (str(number), _shingles(row["text"])) for number, row in enumerate(protocol.read_rows(source))
    )
    rows = zip(protocol.read_rows(source), kept, strict=True)
    protocol.write_rows(work / "articles.jsonl", (row for row, stays in rows if stays))


if __name__ == "__main__":
    protocol.main(run, protocol.kept_ids(Path("articles.jsonl")))
