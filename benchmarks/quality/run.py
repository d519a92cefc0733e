"""Measure everything, and write ``results.json`` and ``docs/quality.md``.

    python -m benchmarks.quality.run FOLDER [--articles 200] [--seed 1] [--processes 2] [--only JOB ...]

FOLDER holds corpora as JSON lines, plain or gzipped, with ``id`` and ``text``; of whole pages, ``gold`` is the text of
the article. With ``--only``, the named jobs are measured again, and the other figures of ``results.json`` are kept.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import dedup
from benchmarks.quality import (
    boilerplate,
    corpora,
    doubling,
    stories,
    sweeps,
    syndication,
    tables,
    untouched,
    whole_pages,
)
from benchmarks.quality.corpora import Article
from benchmarks.quality.stored import read_results, store_results
from dedup import Settings, __version__

LIBRARIES = ("datasketch", "ftfy", "numba", "numpy", "pyarrow")
MIN_ARTICLES = 30  # clean articles that a corpus must have to be used
ROUNDS = 3  # times that lines are planted in a corpus, with different seeds
THIRTY_COPIES_ARTICLES = 20  # articles of a corpus of which thirty copies are made
SWEEP_ARTICLES = 8  # articles of a corpus that sweeps use


class Work(NamedTuple):
    """The input of every process, by corpus: the file, its clean articles, and those kept for planting."""

    paths: dict[str, Path]
    articles: dict[str, list[Article]]
    spare: dict[str, list[Article]]
    seed: int


_work: list[Work] = []  # set once, before processes are forked
_material: dict[str, sweeps.Material] = {}  # by corpus, made on first use in each process
Task = tuple[str, str, Any]  # a job, a corpus, and the other arguments of the job


def _doubling(corpus: str, label: str, suffix: str) -> Any:
    articles = _work[0].articles[corpus][: THIRTY_COPIES_ARTICLES if label == doubling.THIRTY_COPIES else None]
    made = doubling.make(articles, label, doubling.JOINTS[suffix], _work[0].seed)
    return doubling.through_pipeline(made, Settings())


def _syndication(corpus: str, label: str) -> Any:
    return syndication.run(_work[0].articles[corpus], label, _work[0].seed, Settings())


def _boilerplate(corpus: str, hosts: bool, round_: int) -> Any:
    planted = boilerplate.plant(_work[0].articles[corpus], _work[0].spare[corpus], _work[0].seed + round_)
    return boilerplate.run(planted, Settings(), hosts=hosts)


def _untouched(corpus: str, hosts: bool) -> Any:
    return untouched.measure(_work[0].paths[corpus], Settings(), hosts=hosts)


def _sweep_blocks(corpus: str, name: str, value: Any) -> Any:
    if corpus not in _material:
        articles = _work[0].articles[corpus][:SWEEP_ARTICLES]
        _material[corpus] = sweeps.material(_work[0].paths[corpus], articles, _work[0].seed)
    return sweeps.blocks(_material[corpus], name, value)


def _sweep_lines(corpus: str, name: str, value: Any) -> Any:
    planted = boilerplate.plant(_work[0].articles[corpus], _work[0].spare[corpus], _work[0].seed)
    return sweeps.lines(planted, name, value)


def _sweep_untouched(corpus: str) -> Any:
    return sweeps.lines_untouched(_work[0].paths[corpus])


def _sweep_threshold(corpus: str, value: float) -> Any:
    return sweeps.thresholds(_work[0].articles[corpus][:SWEEP_ARTICLES], value, _work[0].seed)


def _sweep_bands(corpus: str, value: float) -> Any:
    return sweeps.band_recall(_work[0].articles[corpus], value, _work[0].seed)


def _whole_pages(corpus: str, name: str) -> Any:
    work = _work[0]
    pages = whole_pages.PAGES[name](work.paths[corpus].parent, work.seed)
    return whole_pages.measure(pages, whole_pages.run_command(pages))


def _stories(corpus: str) -> Any:
    return stories.table(stories.collect_pairs(_work[0].paths[corpus].parent, _work[0].seed))


JOBS: dict[str, Callable[..., Any]] = {
    "stories": _stories,
    "whole pages": _whole_pages,
    "untouched": _untouched,
    "sweep untouched": _sweep_untouched,
    "doubling": _doubling,
    "syndication": _syndication,
    "boilerplate": _boilerplate,
    "sweep blocks": _sweep_blocks,
    "sweep lines": _sweep_lines,
    "sweep threshold": _sweep_threshold,
    "sweep bands": _sweep_bands,
}


def tasks(work: Work) -> list[Task]:
    """Return everything to measure, the longest tasks first."""
    all_tasks: list[Task] = []
    for corpus, path in work.paths.items():
        known = any(untouched.SOURCES & row.keys() for row in corpora.rows(path))
        all_tasks += [("untouched", corpus, (hosts,)) for hosts in ((True, False) if known else (False,))]
        all_tasks.append(("sweep untouched", corpus, ()))
        if corpus == corpora.name(Path(whole_pages.FILE)):
            all_tasks += [("stories", corpus, ()), *(("whole pages", corpus, (name,)) for name in whole_pages.PAGES)]
    for corpus in work.articles:
        all_tasks += [
            ("doubling", corpus, (label, suffix)) for label in doubling.VARIANTS for suffix in doubling.JOINTS
        ]
        all_tasks += [("syndication", corpus, (label,)) for label in syndication.MAKERS]
        all_tasks += [("boilerplate", corpus, (hosts, round_)) for hosts in (True, False) for round_ in range(ROUNDS)]
        all_tasks += [("sweep blocks", corpus, (name, value)) for name, value in sweeps.block_values()]
        all_tasks += [
            ("sweep lines", corpus, (name, value)) for name, values in sweeps.LINES.items() for value in values
        ]
        all_tasks += [("sweep threshold", corpus, (value,)) for value in sweeps.THRESHOLDS]
        all_tasks += [("sweep bands", corpus, (value,)) for value in sweeps.BAND_RECALLS]
    return all_tasks


def perform(task: Task) -> tuple[Any, float]:
    """Perform one task; return its result and the seconds that it took."""
    job, corpus, rest = task
    began = time.perf_counter()
    return JOBS[job](corpus, *rest), time.perf_counter() - began


def prepare(folder: Path, count: int, seed: int) -> Work:
    """Return the corpora of a folder, `count` clean articles of each, and half as many again for planting."""
    paths = {corpora.name(path): path for path in corpora.corpora(folder)}
    drawn = {name: corpora.clean(path, count + count // 2, seed) for name, path in paths.items()}
    usable = {name: articles for name, articles in drawn.items() if len(articles) >= MIN_ARTICLES}
    used = {name: len(articles) * 2 // 3 for name, articles in usable.items()}
    return Work(
        {name: paths[name] for name in usable},
        {name: articles[: used[name]] for name, articles in usable.items()},
        {name: articles[used[name] :] for name, articles in usable.items()},
        seed,
    )


def machine() -> dict[str, Any]:
    """Return the machine and the versions with which the figures are measured."""
    processor = platform.processor() or platform.machine()
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "dedup": __version__,
        **{library: version(library) for library in LIBRARIES},
    }


def source_digest() -> str:
    """Return a digest of the sources of dedup: figures hold for these sources only."""
    package = Path(dedup.__file__).parent
    files = sorted(path for path in package.rglob("*") if path.suffix in {".py", ".toml"})
    parts = (f"{path.relative_to(package)}\0".encode() + path.read_bytes() for path in files)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--articles", type=int, default=200, help="clean articles of each corpus")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", nargs="*", choices=JOBS, default=list(JOBS))
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    digest = source_digest()
    _work[:] = [prepare(options.folder, options.articles, options.seed)]
    chosen = [task for task in tasks(_work[0]) if task[0] in options.only]
    with ProcessPoolExecutor(options.processes, multiprocessing.get_context("fork")) as pool:
        performed = list(pool.map(perform, chosen))
    if source_digest() != digest:
        sys.exit("the sources of dedup changed during the measurement; nothing was written")
    seconds: dict[str, float] = {}
    for (job, _, _), (_, took) in zip(chosen, performed, strict=True):
        seconds[job] = seconds.get(job, 0) + took
    print("seconds of one core:", {job: round(took) for job, took in seconds.items()})
    measured = [(task, value) for task, (value, _) in zip(chosen, performed, strict=True)]
    results = read_results()
    if set(options.only) == set(JOBS):
        results["made"] = {
            "machine": machine(),
            "code": digest,
            "seed": options.seed,
            "articles": options.articles,
            "seconds": round(time.perf_counter() - began),
        }
    results["corpora"] = {
        name: {"clean articles": len(articles), "kept for planting": len(_work[0].spare[name])}
        for name, articles in _work[0].articles.items()
    }
    store_results(results | tables.gather(measured, options.seed))


if __name__ == "__main__":
    main()
