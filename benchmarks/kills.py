"""Kill real runs of `dedup clean` at random moments, resume them, and count what is lost.

    python -m benchmarks.kills [--runs 1000] [--jobs 2] [--seed 1] [--write]

Each trial starts `dedup clean --force` on an output that exists, with two workers, and sends a signal to the main
process, to its process group or to one worker. The moment is random, from the start to a little after the end of an
undisturbed run. Then the output must be the earlier one or the new one, byte for byte, no process may be left, and
``--resume``, which may be killed, too, must give the bytes of an undisturbed run and leave nothing else. A traceback
that a signal causes before the program handles signals, while Python itself starts, is counted apart. With ``--write``
the counts go into ``results/kills.json`` and the table of docs/reliability.md.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.contenders import ROOT
from benchmarks.generate import UNITS, cached_corpus
from benchmarks.markdown_tables import markdown_table, replace_section
from benchmarks.stored_results import save_results

PAGE, SECTION, SCRIPT = ROOT / "docs" / "reliability.md", "kills", "benchmarks/kills.py"
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
TARGETS = ("main process", "process group", "one worker")
MARK = "DEDUP_KILLS_MARK"  # a variable of the environment by which processes of a trial are found
_HANDLES_SIGNALS = "handles signals\n"  # what a run writes to standard error when Python itself has started

_CORPUS_BYTES = UNITS["MB"] // 2
_BATCH_BYTES = 40_000  # so that a small corpus has a dozen batches
_RESUMES_KILLED = 0.3  # the share of the runs with --resume that are killed, too
_PATIENCE = 20  # seconds in which all processes must have ended
_SAVED_EVERY = 20  # trials
_LONGEST = 120.0  # seconds after a signal in which the main process must have ended

# What a child runs: the command line, with small batches and, whatever the size of the input, worker processes. A
# process that is started with a signal ignored, as by `nohup`, continues to ignore it, so all are reset first.
_CHILD = f"""
import signal, sys
for number in {[int(number) for number in SIGNALS[1:]]}:
    signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
from dedup.runtime.interruption import end_at_once
end_at_once()
sys.stderr.write({_HANDLES_SIGNALS!r})
from dedup import pipeline
from dedup.engines import local
from dedup.write import destination
local.SMALL_BYTES = pipeline.SMALL_BYTES = 0
local.LocalEngine.batch_bytes = {_BATCH_BYTES}
destination._LEAST_WORK = 1
from dedup.cli import main
main()
"""


class Trial:
    """The files and processes of one trial, in a folder of its own."""

    def __init__(self, folder: Path, corpus: Path, earlier: dict[str, bytes], chance: random.Random) -> None:
        self.out = folder / "out"
        self.corpus = corpus
        self.chance = chance
        self.mark = f"{folder.name}-{time.monotonic_ns()}"
        self.out.mkdir(parents=True)
        for name, data in earlier.items():
            (self.out / name).write_bytes(data)

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start a run in a process group of its own."""
        command = [sys.executable, "-c", _CHILD, "clean", self.corpus, "-o", self.out, "--force", "--jobs", "2"]
        return subprocess.Popen(
            [*map(str, command), *options],
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, MARK: self.mark},
        )

    def kill(self, run: subprocess.Popen[str], number: signal.Signals, target: str, delay: float) -> str | None:
        """Send a signal after `delay` seconds; return what the run has written to standard error, None if it hangs."""
        try:
            return run.communicate(timeout=delay)[1]
        except subprocess.TimeoutExpired:
            pass
        workers = [process for process in processes_of(self.mark) if process != run.pid]
        try:
            if target == "process group":
                os.killpg(run.pid, number)
            elif target == "one worker" and workers:
                os.kill(self.chance.choice(workers), number)
            else:
                os.kill(run.pid, number)
        except ProcessLookupError:
            pass  # it has ended meanwhile
        try:
            return run.communicate(timeout=_LONGEST)[1]
        except subprocess.TimeoutExpired:
            end_all(self.mark)
            run.communicate()
            return None

    def leaves_processes(self) -> bool:
        """Return True if a process of this trial lives on; end it."""
        deadline = time.monotonic() + _PATIENCE
        while processes_of(self.mark):
            if time.monotonic() > deadline:
                end_all(self.mark)
                return True
            time.sleep(0.02)
        return False


def processes_of(mark: str) -> list[int]:
    """Return the processes whose environment has `mark`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def end_all(mark: str) -> None:
    """Kill the processes whose environment has `mark`."""
    for process in processes_of(mark):
        with suppress(ProcessLookupError):  # it has ended meanwhile
            os.kill(process, signal.SIGKILL)


def bytes_of(out: Path) -> dict[str, bytes]:
    """Return the content of each file of an output but its log; empty if there is none."""
    if not out.is_dir():
        return {}
    return {path.name: path.read_bytes() for path in sorted(out.iterdir()) if path.name != "run.log.json"}


class Series:
    """Trials on one corpus: what an undisturbed run writes, and how long `jobs` of them take side by side."""

    def __init__(self, corpus: Path, work: Path, seed: int, jobs: int = 1) -> None:
        self.corpus = corpus
        self.work = work
        self.seed = seed
        trials = [Trial(work / f"undisturbed-{number}", corpus, {}, random.Random(seed)) for number in range(jobs)]
        began = time.monotonic()
        runs = [trial.start() for trial in trials]
        for run in runs:
            _, message = run.communicate()
            if run.returncode:
                sys.exit(message)
        self.duration = time.monotonic() - began
        self.undisturbed = bytes_of(trials[0].out)
        self.earlier = {**self.undisturbed, "articles.jsonl": b""}

    def run(self, number: int) -> tuple[tuple[str, str], Counter[str], list[str]]:
        """Kill one run, and resume it to its end; return target and signal, the counts, and texts of tracebacks."""
        chance = random.Random(f"{self.seed}-{number}")
        kind, target = chance.choice(SIGNALS), chance.choice(TARGETS)
        count: Counter[str] = Counter()
        texts: list[str] = []
        trial = Trial(self.work / f"trial-{number}", self.corpus, self.earlier, chance)
        errors, killed = trial.kill(trial.start(), kind, target, chance.uniform(0, self.duration * 1.1)), True
        while True:
            count["kills"] += killed
            count["not ended"] += errors is None
            if errors is not None and "Traceback" in errors:
                if _HANDLES_SIGNALS in errors:
                    count["tracebacks"] += 1
                    texts.append(errors)
                else:
                    count["in Python's start"] += 1
            count["processes left"] += trial.leaves_processes()
            state = bytes_of(trial.out)
            count["output lost"] += state not in (self.earlier, self.undisturbed)
            if not killed:
                break
            count["new output in place"] += state == self.undisturbed
            count["batches left"] += bool(list((trial.out.parent / ".out.dedup" / "work").glob("*.arrow")))
            killed = chance.random() < _RESUMES_KILLED
            run = trial.start("--resume")
            delay = chance.uniform(0, self.duration) if killed else 600.0
            errors = trial.kill(run, kind, target, delay)
            count["not resumed"] += not killed and run.returncode != 0
        count["other bytes"] += state != self.undisturbed
        count["files left"] += [path.name for path in trial.out.parent.iterdir()] != ["out"]
        shutil.rmtree(trial.out.parent)
        return (target, kind.name), count, texts


def run_trials(
    corpus: Path, work: Path, runs: int, seed: int, jobs: int = 1, save: Callable[[dict[str, Any]], None] | None = None
) -> dict[str, Any]:
    """Kill `runs` runs on `corpus`, `jobs` at a time, and return the counts by target and signal.

    `save` is called with the counts so far, from time to time.
    """
    series = Series(corpus, work, seed, jobs)
    counts: dict[tuple[str, str], Counter[str]] = {}
    texts: list[str] = []
    figures: dict[str, Any] = {}
    with ThreadPoolExecutor(jobs) as pool:
        done = as_completed([pool.submit(series.run, number) for number in range(runs)])
        for number, trial in enumerate(done, 1):
            kind, count, some_texts = trial.result()
            counts.setdefault(kind, Counter()).update(count)
            texts += some_texts
            by_target = {target: {} for target in TARGETS}  # type: dict[str, dict[str, dict[str, int]]]
            for (target, name), count in sorted(counts.items()):
                by_target[target][name] = {key: count[key] for key in FAULTS}
            figures = {"runs": number, "seed": seed, "kills": by_target, "texts of tracebacks": texts}
            if save and number % _SAVED_EVERY == 0:
                save(figures)
    return figures


FAULTS = (
    *("kills", "new output in place", "batches left", "other bytes", "output lost", "not resumed"),
    *("not ended", "processes left", "files left", "tracebacks", "in Python's start"),
)


def kills_table(figures: dict[str, Any]) -> str:
    """Return the counts as a Markdown table, with their sums in the last row."""
    rows = [
        [target, name, *(count[key] for key in FAULTS)]
        for target, by_signal in figures["kills"].items()
        for name, count in by_signal.items()
    ]
    sums = ["all", "", *(sum(row[place] for row in rows) for place in range(2, 2 + len(FAULTS)))]
    return markdown_table(("target", "signal", *FAULTS), [*rows, sums])


def faults_of(figures: dict[str, Any]) -> int:
    """Return how often something was not as it must be."""
    harmless = {"kills", "new output in place", "batches left", "in Python's start"}
    counts = [count for by_signal in figures["kills"].values() for count in by_signal.values()]
    return sum(count[key] for count in counts for key in FAULTS if key not in harmless)


def write_page(figures: dict[str, Any]) -> None:
    """Save the counts, and put them into the page."""
    save_results("kills", figures)
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(replace_section(page, SECTION, SCRIPT, kills_table(figures)), encoding="utf-8")


def main() -> int:
    """Run the trials, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="save the counts, and write the table of the page")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dedup-kills-") as folder:
        corpus = cached_corpus("hard", _CORPUS_BYTES, 1, Path(folder) / "corpora")
        save = write_page if arguments.write else None
        figures = run_trials(corpus, Path(folder) / "work", arguments.runs, arguments.seed, arguments.jobs, save)
    print(kills_table(figures))
    if arguments.write:
        write_page(figures)
    return 1 if faults_of(figures) else 0


if __name__ == "__main__":
    sys.exit(main())
