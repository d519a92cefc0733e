"""A plain loop over ftfy and a datasketch index of paragraphs. Candidates are not verified; no provenance.

Paragraphs are split as dedup splits them: at blank lines, or at line ends in a text without blank lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ftfy
import protocol  # type: ignore[import-not-found]  # beside this script, which runs by its path
from datasketch import MinHash, MinHashLSH

WORDS = 3


def run(source: Path, work: Path) -> None:
    """Keep the paragraphs for which the index holds nothing similar."""
    protocol.write_rows(work / "articles.jsonl", _clean_articles(source))


def _clean_articles(source: Path) -> Iterator[dict[str, Any]]:
    index = MinHashLSH(threshold=0.8, num_perm=128)
    for number, row in enumerate(protocol.read_rows(source)):
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
    protocol.main(run, protocol.do_nothing)
