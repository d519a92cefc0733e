"""Make a corpus of any size with known repeats, the same for the same kind, size and seed.

    python -m benchmarks.generate --kind english|hard|multilingual --size 100MB [--seed 1] OUT.jsonl

``OUT.jsonl`` gets articles (``id``, ``url``, ``date``, ``title``, ``lang``, ``text``) until it has the size.
``OUT.truth.jsonl`` gets a row for each of these:

* a copy: of which article, exact Jaccard similarity on word 5-grams, class;
* a doubled body: which paragraphs are repeated, and where;
* a wrong code page: a word as meant and as decoded;
* a line of a host: in how many articles it is printed.

Both files are written article by article, so memory does not grow with the size.

The corpus is made of words without meaning: it serves speed, growth and known truth. The tables show figures on real
text beside those on it.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from functools import cache
from pathlib import Path

import msgspec

from benchmarks import corpora
from benchmarks.corpora import words
from benchmarks.corpora.build import KINDS, Builder
from benchmarks.environments import BUILD

CORPORA = BUILD / "bench-corpora"
UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}


def parse_size(text: str) -> int:
    """Return the bytes of a size such as ``100MB``; raise ArgumentTypeError for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(|KB|MB|GB)", text.strip().upper())
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; give one like 100MB or 10GB")
    return int(float(match[1]) * UNITS[match[2]])


def truth_path(out: Path) -> Path:
    """Return the path of the truth about the corpus `out`."""
    return out.with_name(out.name.removesuffix(".jsonl") + ".truth.jsonl")


def generate(kind: str, size: int, seed: int, out: Path) -> int:
    """Write a corpus of `size` bytes or one article more, and return the number of articles."""
    builder, encoder, written = Builder(kind, seed), msgspec.json.Encoder(), 0
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("wb") as articles, truth_path(out).open("wb") as truths:
        for article, truth in builder.articles():
            line = encoder.encode(article) + b"\n"
            articles.write(line)
            for row in truth:
                truths.write(encoder.encode(row) + b"\n")
            written += len(line)
            if written >= size:
                break
        truths.writelines(encoder.encode(row) + b"\n" for row in builder.boilerplate())
    return builder.article_count


def cached_corpus(kind: str, size: int, seed: int, folder: Path) -> Path:
    """Return the path of a corpus in `folder`; make it unless this version of the generator already has."""
    out = folder / f"{kind}-{size}-{seed}-{_generator_digest()}.jsonl"
    if not out.exists():
        part = out.with_name("part-" + out.name)
        generate(kind, size, seed, part)
        truth_path(part).replace(truth_path(out))
        part.replace(out)
    return out


@cache
def _generator_digest() -> str:
    """Return a digest of the generator's sources, so that a changed generator never reuses an old corpus."""
    sources = [
        *Path(corpora.__file__).parent.rglob("*.py"),
        *words.FREE_TEXT.glob("*.txt"),
        *words.CORPUS.glob("*.txt"),
    ]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources))).hexdigest()[:8]


def main() -> None:
    """Make one corpus."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("out", type=Path, metavar="OUT.jsonl")
    parser.add_argument("--kind", choices=sorted(KINDS), default="english")
    parser.add_argument("--size", type=parse_size, default=parse_size("100MB"))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    count = generate(options.kind, options.size, options.seed, options.out)
    print(f"{count:,} articles in {options.out}", file=sys.stderr)


if __name__ == "__main__":
    main()
