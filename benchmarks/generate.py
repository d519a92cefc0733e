"""Makes a corpus of any size with known repeats, the same for the same kind, size and seed.

    python benchmarks/generate.py --kind english|hard|multilingual --size 100MB [--seed 1] OUT.jsonl

``OUT.jsonl`` gets articles (``id``, ``url``, ``date``, ``title``, ``lang``, ``text``) until it has the size;
``OUT.truth.jsonl`` gets a row for each copy (of which article, exact Jaccard similarity on word 5-grams, class),
doubled body (which paragraphs stand where again), mistaken code page (a word as meant and as seen), and line of a host
(in how many articles). Both are written as they are made: memory does not grow with the size.

The corpus is made of words, not of meaning: it is for speed, growth and known truth. Figures on real text stand
beside those on it.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from functools import cache
from pathlib import Path

import corpora
import msgspec
from corpora import words
from corpora.build import KINDS, Builder

UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}


def size(told: str) -> int:
    """Bytes of a size like ``100MB``."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(|KB|MB|GB)", told.strip().upper())
    if not match:
        raise argparse.ArgumentTypeError(f"{told!r} is not a size; give one like 100MB or 10GB")
    return int(float(match[1]) * UNITS[match[2]])


def truth_path(out: Path) -> Path:
    """Where what is true of a corpus is written."""
    return out.with_name(out.name.removesuffix(".jsonl") + ".truth.jsonl")


def generate(kind: str, count: int, seed: int, out: Path) -> int:
    """Writes a corpus of `count` bytes, and an article at most; how many articles it has."""
    builder, encoder, written = Builder(kind, seed), msgspec.json.Encoder(), 0
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("wb") as articles, truth_path(out).open("wb") as truths:
        for article, truth in builder.articles():
            line = encoder.encode(article) + b"\n"
            articles.write(line)
            for row in truth:
                truths.write(encoder.encode(row) + b"\n")
            written += len(line)
            if written >= count:
                break
        truths.writelines(encoder.encode(row) + b"\n" for row in builder.boilerplate())
    return builder.made


def cached(kind: str, count: int, seed: int, folder: Path) -> Path:
    """The corpus in a folder, made if it is not there as this generator makes it."""
    out = folder / f"{kind}-{count}-{seed}-{_digest()}.jsonl"
    if not out.exists():
        part = out.with_name("part-" + out.name)
        generate(kind, count, seed, part)
        truth_path(part).replace(truth_path(out))
        part.replace(out)
    return out


@cache
def _digest() -> str:
    """What tells corpora of this generator from those of others."""
    sources = [
        *Path(corpora.__file__).parent.rglob("*.py"),
        *words.FREE_TEXT.glob("*.txt"),
        *words.CORPUS.glob("*.txt"),
    ]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources))).hexdigest()[:8]


def main() -> None:
    """Makes one corpus."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("out", type=Path, metavar="OUT.jsonl")
    parser.add_argument("--kind", choices=sorted(KINDS), default="english")
    parser.add_argument("--size", type=size, default=size("100MB"))
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    count = generate(given.kind, given.size, given.seed, given.out)
    print(f"{count:,} articles in {given.out}", file=sys.stderr)


if __name__ == "__main__":
    main()
