"""Recall, false drops, speed and reversibility of the whole job on public corpora.

    python -m benchmarks.articles FOLDER [--corpora NAME ...] [--write]

FOLDER holds corpora as ``NAME.jsonl.gz`` (``id``, ``text``) and, for those with known truth,
``NAME.silver_pairs.jsonl.gz`` (``a``, ``b``, ``jaccard``: every pair of representatives with Jaccard >= 0.5 on word
5-grams). Each corpus goes through ``dedup clean``, ``verify`` and ``restore``, each in a process of its own. The
similarity of each dropped article to its twin is computed again from the repaired texts, without code of dedup.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.corpora.copies import shingles, similarity
from benchmarks.json_lines import read_rows
from benchmarks.processes import measure_command
from benchmarks.stored_results import save_results
from dedup import repair

THRESHOLD = 0.8


def run_dedup(*arguments: str) -> tuple[float, float, int]:
    """Run one ``dedup`` command; return its seconds, the megabytes of its largest process, and its exit status."""
    measurement = measure_command([sys.executable, "-m", "dedup", *arguments])
    return measurement.seconds, measurement.largest, measurement.status


def judge(corpus: Path, out: Path) -> dict[str, Any]:
    """Return the recall of the silver pairs, and the number of unjustified drops.

    A drop is justified if its twin was kept and reaches the threshold. A pair of which one article is flagged is found.
    """
    texts = {row["id"]: repair(row["text"])[0] for row in read_rows(corpus)}
    kept = {row["id"] for row in read_rows(out / "articles.jsonl")}
    dropped = {row["id"]: row["provenance"] for row in read_rows(out / "dropped.jsonl")}
    unjustified = 0
    for name, provenance in dropped.items():
        value = similarity(shingles(texts[name]), shingles(texts[provenance["twin"]]))
        unjustified += value < THRESHOLD or provenance["twin"] not in kept
    figures: dict[str, Any] = {"articles": len(texts), "dropped": len(dropped), "dropped without a reason": unjustified}
    silver = corpus.with_name(corpus.name.replace(".jsonl", ".silver_pairs.jsonl"))
    if silver.exists():
        pairs = [row for row in read_rows(silver) if row["jaccard"] >= THRESHOLD]
        flags = (row for row in read_rows(out / "provenance.jsonl") if row["rule"] == "near-duplicate-article")
        unmatched = kept - {row["article"] for row in flags}
        missed = sum(row["a"] in unmatched and row["b"] in unmatched for row in pairs)
        figures |= {"pairs": len(pairs), "missed": missed, "recall": 1 - missed / len(pairs)}
    return figures


def is_restored(corpus: Path, folder: Path) -> bool:
    """Return True if the restored file holds rows equal to those of the corpus."""
    return all(one == two for one, two in zip(read_rows(corpus), read_rows(folder / corpus.name), strict=True))


def measure_corpus(corpus: Path) -> dict[str, Any]:
    """Return all figures of one corpus."""
    megabytes = sum(len(row["text"].encode("utf-8", "surrogatepass")) for row in read_rows(corpus)) / 1e6
    with tempfile.TemporaryDirectory() as folder:
        out, restored = Path(folder) / "out", Path(folder) / "back"
        seconds, peak, status = run_dedup("clean", str(corpus), "-o", str(out), "--quiet")
        if status:
            sys.exit(f"dedup clean {corpus} ended with status {status}")
        figures: dict[str, Any] = {
            "megabytes": round(megabytes, 1),
            "seconds": round(seconds, 1),
            "peak MB": round(peak),
            "MB/s": round(megabytes / seconds, 1),
        }
        figures |= judge(corpus, out)
        figures["verified"] = run_dedup("verify", str(out))[2] == 0
        restore_status = run_dedup("restore", str(out), "-o", str(restored))[2]
        figures["restored"] = restore_status == 0 and is_restored(corpus, restored)
    return figures


def main() -> None:
    """Print the figures, and save them with ``--write``."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--corpora", nargs="*", metavar="NAME", help="measure only these")
    parser.add_argument("--write", action="store_true", help="save the figures in results/articles.json")
    options = parser.parse_args()
    paths = sorted(path for path in options.folder.glob("*.jsonl.gz") if "silver" not in path.name)
    corpora = {path.name.split(".")[0]: path for path in paths}
    figures = {}
    for name, corpus in corpora.items():
        if name in (options.corpora or corpora):
            figures[name] = measure_corpus(corpus)
            print(name, figures[name])
    if options.write:
        print(save_results("articles", figures).name, file=sys.stderr)


if __name__ == "__main__":
    main()
