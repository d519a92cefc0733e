"""How long the whole job takes beside each peer's on the same file, with how much memory, and how well it is done.

    python benchmarks/whole_job.py [--sizes 40MB 172MB] [--runs 3] [--kinds hard english] [--data FILE.jsonl.gz ...]
                                   [--peers NAME ...] [--write]

Corpora are made by `generate`, or are the first `--sizes` of the files given. Each contender runs once on a small
corpus (caches, compiled kernels) and then `--runs` times, one after the other and the next time round backwards, so
that what else the machine does meets all of them. Who takes more than `SLOW` times as long as we do is left out of
larger sizes of the same corpus. The figures are medians. Recall and false drops are judged by `judging`.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import sys
from pathlib import Path
from typing import Any

import contenders
import environments
import judging
import machine
from contenders import OURS
from generate import cached, size

CORPORA = environments.BUILD / "bench-corpora"
WORK = environments.BUILD / "bench-work"
SLOW = 2
WARM_UP = 3_000_000  # bytes; more than the 2 MiB below which dedup compiles nothing


def slice_of(path: Path, count: int) -> Path:
    """The first lines of a corpus, to `count` bytes, as a plain file."""
    out = CORPORA / f"{path.name.split('.')[0]}-{count}.jsonl"
    if not out.exists():
        CORPORA.mkdir(parents=True, exist_ok=True)
        written = 0
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rb") as lines, out.open("wb") as part:
            for line in lines:
                written += part.write(line)
                if written >= count:
                    break
    return out


def compare(corpus: Path, names: list[str], runs: int) -> dict[str, Any]:
    """The figures of one corpus."""
    pairs = judging.pairs(corpus, CORPORA)
    done: dict[str, list[contenders.Ran]] = {name: [] for name in names}
    for turn in range(runs):
        for name in names if turn % 2 == 0 else names[::-1]:
            print(f"{corpus.stem}: {name}, run {turn + 1} of {runs}", file=sys.stderr)
            ran = contenders.run(name, corpus, WORK)
            if ran:
                done[name].append(ran)
    megabytes = corpus.stat().st_size / 1e6
    ours = statistics.median(ran.measured.seconds for ran in done[OURS])
    told = {name: _figures(rans, megabytes, ours, pairs) for name, rans in done.items() if rans}
    return {"megabytes": round(megabytes, 1), "articles": len(pairs.ids), "runs": runs, "contenders": told}


def _figures(rans: list[contenders.Ran], megabytes: float, ours: float, pairs: judging.Pairs) -> dict[str, Any]:
    """The medians of one contender, and its quality."""
    seconds = [ran.measured.seconds for ran in rans]
    middle = statistics.median(seconds)
    quality = {} if rans[0].kept is None else judging.judge(pairs, rans[0].kept)
    return {
        "seconds": round(middle, 2),
        "all seconds": [round(each, 2) for each in seconds],
        "times ours": round(middle / ours, 2),
        "MB/s": round(megabytes / middle, 2),
        "largest process MB": round(statistics.median(ran.measured.largest for ran in rans)),
        "all processes MB": round(statistics.median(ran.measured.together for ran in rans)),
    } | {name: quality[name] for name in ("pairs", "missed", "recall", "dropped", "false drops") if name in quality}


def main() -> None:
    """Prints the medians, and with ``--write`` keeps them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--sizes", nargs="+", type=size, default=[size("40MB"), size("172MB")])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--kinds", nargs="*", default=["hard", "english"])
    parser.add_argument("--data", nargs="*", type=Path, default=[], metavar="FILE.jsonl.gz")
    parser.add_argument("--peers", nargs="*", default=list(environments.NAMES), metavar="NAME")
    parser.add_argument("--write", action="store_true", help="keep the figures in results/whole_job.json")
    given = parser.parse_args()
    figures: dict[str, Any] = {"corpora": {}, "versions": {name: environments.versions(name) for name in given.peers}}
    warm = cached("hard", WARM_UP, 1, CORPORA)
    there = [name for name in (OURS, *given.peers) if contenders.run(name, warm, WORK)]
    if OURS not in there:
        sys.exit(1)
    for kind in (*given.kinds, *given.data):
        names = there
        for count in sorted(given.sizes):
            path = slice_of(kind, count) if isinstance(kind, Path) else cached(kind, count, 1, CORPORA)
            told = compare(path, names, given.runs)
            name = f"{path.name.split('-')[0]} {told['megabytes']:.0f} MB"
            figures["corpora"][name] = told
            for contender, row in told["contenders"].items():
                print(name, contender, {key: value for key, value in row.items() if key != "all seconds"})
            names = [each for each in names if told["contenders"].get(each, {"times ours": SLOW})["times ours"] < SLOW]
    if given.write:
        print(machine.keep("whole_job", figures).name, file=sys.stderr)


if __name__ == "__main__":
    main()
