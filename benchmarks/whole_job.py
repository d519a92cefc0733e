"""Time, memory and quality of the whole job, beside other tools on the same file.

    python -m benchmarks.whole_job [--sizes 40MB 172MB] [--runs 3] [--kinds hard english] [--data FILE.jsonl.gz ...]
                                   [--peers NAME ...] [--write]

Corpora are made by `generate`, or are the first `--sizes` of the files given. Each contender runs once on a small
corpus, to fill caches and compile kernels. Then all run `--runs` times in turn, every second round in reverse order,
so that other work of the machine affects all of them alike. Tools more than `SLOW` times as slow as dedup are skipped
on larger sizes of the same corpus. The figures are medians. `judging` computes recall and false drops.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path
from typing import Any

from benchmarks import judging
from benchmarks.contenders import DEDUP, ContenderRun, run_contender
from benchmarks.environments import BUILD, PEER_NAMES, installed_versions
from benchmarks.generate import CORPORA, cached_corpus, parse_size
from benchmarks.json_lines import copy_first_lines
from benchmarks.stored_results import save_results

WORK = BUILD / "bench-work"
SLOW = 2
WARM_UP = 3_000_000  # bytes; below 2 MiB dedup compiles nothing


def beginning_of(path: Path, size: int, folder: Path) -> Path:
    """Return a plain file in `folder` with the first lines of a corpus, `size` bytes or a line more."""
    out = folder / f"{path.name.split('.')[0]}-{size}.jsonl"
    if not out.exists():
        folder.mkdir(parents=True, exist_ok=True)
        copy_first_lines(path, size, out)
    return out


def compare(corpus: Path, names: list[str], runs: int) -> dict[str, Any]:
    """Return the figures of all contenders on one corpus."""
    pairs = judging.find_pairs(corpus, CORPORA)
    runs_of: dict[str, list[ContenderRun]] = {name: [] for name in names}
    for turn in range(runs):
        for name in names if turn % 2 == 0 else names[::-1]:
            print(f"{corpus.stem}: {name}, run {turn + 1} of {runs}", file=sys.stderr)
            run = run_contender(name, corpus, WORK)
            if run:
                runs_of[name].append(run)
    megabytes = corpus.stat().st_size / 1e6
    dedup_seconds = statistics.median(run.measurement.seconds for run in runs_of[DEDUP])
    figures = {name: _figures(done, megabytes, dedup_seconds, pairs) for name, done in runs_of.items() if done}
    return {"megabytes": round(megabytes, 1), "articles": len(pairs.ids), "runs": runs, "contenders": figures}


def _figures(runs: list[ContenderRun], megabytes: float, dedup_seconds: float, pairs: judging.Pairs) -> dict[str, Any]:
    """Return the medians of one contender, and the quality of its first run."""
    seconds = [run.measurement.seconds for run in runs]
    median = statistics.median(seconds)
    quality = {} if runs[0].kept is None else judging.judge(pairs, runs[0].kept)
    return {
        "seconds": round(median, 2),
        "all seconds": [round(each, 2) for each in seconds],
        "times ours": round(median / dedup_seconds, 2),
        "MB/s": round(megabytes / median, 2),
        "largest process MB": round(statistics.median(run.measurement.largest for run in runs)),
        "all processes MB": round(statistics.median(run.measurement.together for run in runs)),
    } | {name: quality[name] for name in ("pairs", "missed", "recall", "dropped", "false drops") if name in quality}


def main() -> None:
    """Print the medians, and save them with ``--write``."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--sizes", nargs="+", type=parse_size, default=[parse_size("40MB"), parse_size("172MB")])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--kinds", nargs="*", default=["hard", "english"])
    parser.add_argument("--data", nargs="*", type=Path, default=[], metavar="FILE.jsonl.gz")
    parser.add_argument("--peers", nargs="*", default=list(PEER_NAMES), metavar="NAME")
    parser.add_argument("--write", action="store_true", help="save the figures in results/whole_job.json")
    options = parser.parse_args()
    versions = {name: installed_versions(name) for name in options.peers}
    figures: dict[str, Any] = {"corpora": {}, "versions": versions}
    warm_up = cached_corpus("hard", WARM_UP, 1, CORPORA)
    working = [name for name in (DEDUP, *options.peers) if run_contender(name, warm_up, WORK)]
    if DEDUP not in working:
        sys.exit(1)
    for kind in (*options.kinds, *options.data):
        names = working
        for size in sorted(options.sizes):
            is_file = isinstance(kind, Path)
            path = beginning_of(kind, size, CORPORA) if is_file else cached_corpus(kind, size, 1, CORPORA)
            comparison = compare(path, names, options.runs)
            name = f"{path.name.split('-')[0]} {comparison['megabytes']:.0f} MB"
            figures["corpora"][name] = comparison
            rows = comparison["contenders"]
            for contender, row in rows.items():
                print(name, contender, {key: value for key, value in row.items() if key != "all seconds"})
            names = [each for each in names if each in rows and rows[each]["times ours"] < SLOW]
    if options.write:
        print(save_results("whole_job", figures).name, file=sys.stderr)


if __name__ == "__main__":
    main()
