"""The loop anyone would write: ftfy, then a datasketch index of paragraphs. Not verified, no provenance.

Paragraphs are as dedup has them: between blank lines, or lines where there is no blank one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ftfy
import protocol
from datasketch import MinHash, MinHashLSH

WORDS = 3


def run(source: Path, work: Path) -> None:
    """Keeps the paragraphs that the index has nothing like."""
    protocol.write(work / "articles.jsonl", _cleaned(source))


def _cleaned(source: Path) -> Iterator[dict[str, Any]]:
    index = MinHashLSH(threshold=0.8, num_perm=128)
    for number, row in enumerate(protocol.rows(source)):
        text = ftfy.fix_text(row["text"])
        parts = re.split(r"\n\s*\n", text.strip())
        kept = []
        for place, paragraph in enumerate(parts if len(parts) > 1 else text.splitlines()):
            words = re.findall(r"\w+", paragraph.lower())
            if not words:
                continue
            sketch = MinHash(num_perm=128)
            runs = range(max(1, len(words) - WORDS + 1))
            sketch.update_batch({" ".join(words[at : at + WORDS]).encode() for at in runs})
            if not index.query(sketch):
                index.insert((number, place), sketch)
                kept.append(paragraph)
        yield row | {"text": "\n\n".join(kept)}


if __name__ == "__main__":
    protocol.main(run, protocol.nothing)
