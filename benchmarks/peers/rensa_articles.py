"""rensa's deduplicator as its page shows it, fed with word 5-grams made in Python; no repair, no provenance."""

from __future__ import annotations

import re
from pathlib import Path

import protocol
from rensa import RMinHashDeduplicator

WORDS = 5


def _shingles(text: str) -> list[str]:
    words = re.findall(r"\w+", text.lower())
    return [" ".join(words[at : at + WORDS]) for at in range(max(1, len(words) - WORDS + 1))]


def run(source: Path, work: Path) -> None:
    """Keeps the articles that the deduplicator takes."""
    index = RMinHashDeduplicator(threshold=0.8, num_perm=128, use_lsh=True)
    kept = index.add_pairs((str(number), _shingles(row["text"])) for number, row in enumerate(protocol.rows(source)))
    rows = zip(protocol.rows(source), kept, strict=True)
    protocol.write(work / "articles.jsonl", (row for row, stays in rows if stays))


if __name__ == "__main__":
    protocol.main(run, protocol.kept_in(Path("articles.jsonl")))
