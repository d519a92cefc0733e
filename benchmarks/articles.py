"""Figures that say whether the whole job finds every near-duplicate article and drops nothing else, and how fast.

    python benchmarks/articles.py FOLDER [--write]

FOLDER holds corpora as ``NAME.jsonl.gz`` (``id``, ``text``) and, for those with known truth,
``NAME.silver_pairs.jsonl.gz`` (``a``, ``b``, ``jaccard``: every pair of representatives with Jaccard >= 0.5 on word
5-grams). Each corpus goes through ``dedup clean``, ``verify`` and ``restore``, each in a process of its own. The
similarity of each dropped article to its twin is computed here again, from the repaired texts, in a few plain lines.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import machine
from processes import measured

from dedup import repair

THRESHOLD = 0.8


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file of JSON lines, plain or gzipped."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def timed(*arguments: str) -> tuple[float, float, int]:
    """Seconds, megabytes of the largest process, and exit status of one ``dedup`` command."""
    done = measured([sys.executable, "-m", "dedup", *arguments])
    return done.seconds, done.largest, done.status


def shingles(text: str) -> set[tuple[str, ...]]:
    """Word 5-grams as the silver pairs define them: lower-cased runs of word characters."""
    words = re.findall(r"\w+", text.lower())
    return set(zip(*(words[at:] for at in range(5)), strict=False))


def judge(corpus: Path, out: Path) -> dict[str, Any]:
    """Recall of the silver pairs, and the dropped articles without a kept article at the threshold."""
    texts = {row["id"]: repair(row["text"])[0] for row in rows(corpus)}
    kept = {row["id"] for row in rows(out / "articles.jsonl")}
    dropped = {row["id"]: row["provenance"] for row in rows(out / "dropped.jsonl")}
    unjustified = 0
    for name, provenance in dropped.items():
        one, two = shingles(texts[name]), shingles(texts[provenance["twin"]])
        similarity = len(one & two) / len(one | two) if one | two else 1.0
        unjustified += similarity < THRESHOLD or provenance["twin"] not in kept
    told: dict[str, Any] = {"articles": len(texts), "dropped": len(dropped), "dropped without a reason": unjustified}
    silver = corpus.with_name(corpus.name.replace(".jsonl", ".silver_pairs.jsonl"))
    if silver.exists():
        pairs = [row for row in rows(silver) if row["jaccard"] >= THRESHOLD]
        missed = sum(row["a"] in kept and row["b"] in kept for row in pairs)
        told |= {"pairs": len(pairs), "missed": missed, "recall": 1 - missed / len(pairs)}
    return told


def restored(corpus: Path, folder: Path) -> bool:
    """Whether the restored file holds equal rows."""
    return all(one == two for one, two in zip(rows(corpus), rows(folder / corpus.name), strict=True))


def measure(corpus: Path) -> dict[str, Any]:
    """All figures of one corpus."""
    megabytes = sum(len(row["text"].encode("utf-8", "surrogatepass")) for row in rows(corpus)) / 1e6
    with tempfile.TemporaryDirectory() as folder:
        out, back = Path(folder) / "out", Path(folder) / "back"
        seconds, peak, status = timed("clean", str(corpus), "-o", str(out), "--quiet")
        if status:
            sys.exit(f"dedup clean {corpus} ended with status {status}")
        told = {"megabytes": round(megabytes, 1), "seconds": round(seconds, 1), "peak MB": round(peak)}
        told["MB/s"] = round(megabytes / seconds, 1)
        told |= judge(corpus, out)
        told["verified"] = timed("verify", str(out))[2] == 0
        told["restored"] = timed("restore", str(out), "-o", str(back))[2] == 0 and restored(corpus, back)
    return told


def main() -> None:
    """Prints the figures, and with ``--write`` keeps them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--corpora", nargs="*", metavar="NAME", help="only these")
    parser.add_argument("--write", action="store_true", help="keep the figures in results/articles.json")
    arguments = parser.parse_args()
    corpora = sorted(path for path in arguments.folder.glob("*.jsonl.gz") if "silver" not in path.name)
    named = {corpus.name.split(".")[0]: corpus for corpus in corpora}
    figures = {}
    for name, corpus in named.items():
        if name in (arguments.corpora or named):
            figures[name] = measure(corpus)
            print(name, figures[name])
    if arguments.write:
        print(machine.keep("articles", figures).name, file=sys.stderr)


if __name__ == "__main__":
    main()
