"""Time one addition to an index, beside datasketch's MinHashLSH in memory and with its Redis storage.

    python -m benchmarks.online_index [PARAGRAPHS ...] [--redis-up-to PARAGRAPHS] [--plain]
    python -m benchmarks.online_index --compare CORPUS [--articles N]

For each size, `dedup.clean` makes an index of that many paragraphs, and `dedup.Index` loads it. Then PROBES further
articles are added one by one, and each addition is timed; ``query`` is timed with other articles. MinHashLSH gets the
signatures of the same articles. For each further article, it makes the signature, queries and inserts. It compares
articles by their buckets alone: no repair, no paragraphs, no verification, no evidence.

The articles are those of `benchmarks.generate`, where most share a line with others of their host. With ``--plain``,
they have random words, so that there is nothing to compare. Prints a table of milliseconds of wall time and of
processor time of this process, because other work on the machine disturbs wall time. The shared indexes need
``redis-server``, and are left out without it.

With ``--compare``, the first articles of CORPUS, JSON Lines in gzip, are added to an index one by one, and cleaned in
one run with all rules. Prints how many findings of each rule both have in common. Where CORPUS has the article's own
text in the field ``gold``, one line each, it also prints how much of both kinds of text boilerplate removes. Last, it
prints the processor time of additions, and how much of it goes into learning site text.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import random
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from datasketch import MinHash, MinHashLSH

import dedup
from benchmarks.corpora.build import Builder
from dedup.online.sqlite_store import SqliteStore
from dedup.online.stores import Learner

PROBES = 300
THRESHOLD = 0.8
SHINGLE = 5
NUM_PERM = 128
SCHEME = "affine32"  # datasketch's own since 2.0
REDIS_PORT = 6399
SETTINGS = dedup.Settings(keep="first", rules={"boilerplate": "off"})
PLAIN_PARAGRAPHS, PLAIN_WORDS = 10, 40

Article = dict[str, Any]


def english_articles() -> Iterator[Article]:
    """Yield articles of the generator."""
    for article, _ in Builder("english", 1).articles():
        yield {"id": article["id"], "text": article["text"]}


def plain_articles() -> Iterator[Article]:
    """Yield articles of random words."""
    chance = random.Random(1)
    words = [f"{chance.choice('bcdfglmnprst')}{number:x}" for number in range(50_000)]
    for number in itertools.count():
        paragraphs = (" ".join(chance.choices(words, k=PLAIN_WORDS)) for _ in range(PLAIN_PARAGRAPHS))
        yield {"id": str(number), "text": "\n\n".join(f"{paragraph}." for paragraph in paragraphs)}


def take_paragraphs(articles: Iterator[Article], count: int) -> list[Article]:
    """Return the next articles, which together have `count` paragraphs or a few more."""
    taken: list[Article] = []
    while count > 0:
        taken.append(next(articles))
        count -= taken[-1]["text"].count("\n\n") + 1
    return taken


def time_each(task: Callable[[Article], object], probes: list[Article]) -> dict[str, float]:
    """Return percentiles of the time that `task` takes for one of `probes`, in milliseconds."""
    walls, cpus = [], []
    for probe in probes:
        wall, cpu = time.perf_counter(), time.process_time()
        task(probe)
        walls.append(1e3 * (time.perf_counter() - wall))
        cpus.append(1e3 * (time.process_time() - cpu))
    names = [f"{kind} {part}" for kind in ("wall", "CPU") for part in ("p50", "p99")]
    return dict(zip(names, [*np.percentile(walls, [50, 99]), *np.percentile(cpus, [50, 99])], strict=True))


def time_index(index: dedup.Index, probes: list[Article]) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the figures of an index."""
    for probe in probes[:PROBES]:
        index.query(probe)  # load compiled functions, and read pages into memory
    yield "query", time_each(index.query, probes[PROBES : 2 * PROBES])
    yield "add", time_each(index.add, probes[2 * PROBES :])


def signed(article: Article) -> MinHash:
    """Return the signature of an article as datasketch makes it."""
    sketch = MinHash(NUM_PERM, hashfunc=dedup.shingle_hash, scheme=SCHEME)
    sketch.update_batch(dedup.shingles(article["text"], SHINGLE))
    return sketch


def time_datasketch(articles: list[Article], probes: list[Article], storage: dict[str, Any] | None) -> dict[str, float]:
    """Return the figures of MinHashLSH with the signatures of `articles`."""
    options = {} if storage is None else {"storage_config": storage}
    lsh = MinHashLSH(threshold=THRESHOLD, num_perm=NUM_PERM, **options)
    signatures = dedup.signatures([article["text"] for article in articles], SHINGLE, num_perm=NUM_PERM)
    with lsh.insertion_session() as session:
        for article, values in zip(articles, signatures, strict=True):
            session.insert(article["id"], MinHash(NUM_PERM, hashvalues=values, scheme=SCHEME))

    def add(article: Article) -> None:
        sketch = signed(article)
        if not lsh.query(sketch):
            lsh.insert(article["id"], sketch)

    return time_each(add, probes[2 * PROBES :])


def start_redis(folder: Path) -> subprocess.Popen[bytes] | None:
    """Start a Redis server, if one is installed."""
    program = shutil.which("redis-server")
    if program is None:
        print("redis-server is not installed: apt-get install redis-server")
        return None
    command = [program, "--port", str(REDIS_PORT), "--save", "", "--dir", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    time.sleep(1)
    return server


def measure(paragraphs: int, articles: Iterator[Article], *, with_redis: bool) -> None:
    """Print the table rows of one size."""
    known, probes = take_paragraphs(articles, paragraphs), list(itertools.islice(articles, 3 * PROBES))

    def show(name: str, figures: dict[str, float]) -> None:
        cells = " | ".join(f"{figure:.1f}" for figure in figures.values())
        print(f"| {paragraphs:,} | {len(known):,} | {name} | {cells} |", flush=True)

    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        dedup.clean(known, folder / "out", SETTINGS, index=folder / "seen")
        with dedup.Index(folder / "online", SETTINGS) as index:
            index.load(folder / "seen")
            for name, figures in time_index(index, probes):
                show(f"`Index` in a folder: {name}", figures)
        show("MinHashLSH in memory: query, insert", time_datasketch(known, probes, None))
        server = start_redis(folder) if with_redis else None
        if server is not None:
            with dedup.Index(f"redis://127.0.0.1:{REDIS_PORT}/0", SETTINGS) as index:
                index.load(folder / "seen")
                for name, figures in time_index(index, probes):
                    show(f"`Index` in Redis: {name}", figures)
            storage = {"type": "redis", "redis": {"host": "127.0.0.1", "port": REDIS_PORT, "db": 1}}
            show("MinHashLSH in Redis: query, insert", time_datasketch(known, probes, storage))
            server.terminate()
            server.wait()


def compare(corpus: Path, count: int) -> None:
    """Print how many findings are the same in one run over a corpus and in single additions."""
    with gzip.open(corpus, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in itertools.islice(file, count)]
    given = [{name: value for name, value in row.items() if name != "gold"} for row in rows]
    result = dedup.clean_articles(given, dedup.Settings(keep="first"))
    whole = Counter(map(what_it_says, result.findings))
    single: Counter[tuple[Any, ...]] = Counter()
    found: list[dedup.Finding] = []
    learning = [0.0]
    learn = SqliteStore.learn

    def timed_learn(store: SqliteStore, host: str, learner: Learner) -> None:
        start = time.process_time()
        learn(store, host, learner)
        learning.append(1e3 * (time.process_time() - start))

    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(SqliteStore, "learn", timed_learn),
        dedup.Index(Path(folder) / "online") as index,
    ):
        figures = time_each(lambda row: found.extend(findings_of(index.add(row), row)), given)
    single.update(map(what_it_says, found))
    print(f"{len(rows):,} articles\n\n| rule | one run | one by one | in both |\n|---|---|---|---|")
    for rule in sorted({key[0] for key in whole | single}):
        counts = [sum(table[key] for key in table if key[0] == rule) for table in (whole, single, whole & single)]
        print(f"| `{rule}` | {' | '.join(f'{number:,}' for number in counts)} |")
    if "gold" in rows[0]:
        for name, findings in (("one run", result.findings), ("one by one", found)):
            removed = [f"{100 * share:.2f} % of {what}" for what, share in removed_shares(rows, findings).items()]
            print(f"{name}: removed as boilerplate are {' and '.join(removed)}")
    print(f"processor time of an addition: p50 {figures['CPU p50']:.1f} ms, p99 {figures['CPU p99']:.1f} ms")
    print(f"of learning site text: {sum(learning) / len(rows):.2f} ms on average, {max(learning):.0f} ms at most")


def findings_of(verdict: dedup.IndexVerdict, row: Article) -> list[dedup.Finding]:
    """Return the findings that a run has about an article with this verdict."""
    if verdict.rule is None:
        return list(verdict.findings)
    drop = dedup.Finding(verdict.article, "", verdict.record, verdict.rule, "drop", 0, len(row["text"]))
    return [drop._replace(twin=verdict.twin)]


def removed_shares(rows: list[Article], findings: Iterable[dedup.Finding]) -> dict[str, float]:
    """Return the shares of the characters of sites and of articles that boilerplate removes."""
    removed: dict[str, list[tuple[int, int]]] = {}
    for finding in findings:
        if finding.rule == "boilerplate" and finding.action == "drop":
            removed.setdefault(finding.article, []).append((finding.start, finding.stop))
    sizes: Counter[tuple[bool, bool]] = Counter()  # is it the article's, is it removed
    for row in rows:
        own = {line.strip() for line in row["gold"].splitlines()}
        is_removed = np.zeros(len(row["text"]) + 1, bool)
        for start, stop in removed.get(row["id"], []):
            is_removed[start:stop] = True
        start = 0
        for line in row["text"].split("\n"):
            gone = int(np.count_nonzero(is_removed[start : start + len(line)]))
            sizes[line.strip() in own, True] += gone
            sizes[line.strip() in own, False] += len(line) - gone
            start += len(line) + 1
    return {
        what: sizes[is_own, True] / (sizes[is_own, True] + sizes[is_own, False])
        for what, is_own in (("the site text", False), ("the articles' text", True))
    }


def what_it_says(finding: dedup.Finding) -> tuple[Any, ...]:
    """Return a finding without the numbers of records."""
    return finding.rule, finding.article, finding.action, finding.start, finding.stop, finding.twin


def main() -> None:
    """Measure all sizes."""
    parser = argparse.ArgumentParser(description="Time single additions to an index.")
    parser.add_argument("paragraphs", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--redis-up-to", type=int, default=10_000)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--compare", type=Path)
    parser.add_argument("--articles", type=int, default=2000)
    options = parser.parse_args()
    if options.compare:
        compare(options.compare, options.articles)
        return
    print(
        "| paragraphs | articles | what | wall p50 (ms) | wall p99 | CPU p50 | CPU p99 |\n|---|---|---|---|---|---|---|"
    )
    for paragraphs in options.paragraphs:
        articles = plain_articles() if options.plain else english_articles()
        measure(paragraphs, articles, with_redis=paragraphs <= options.redis_up_to)


if __name__ == "__main__":
    main()
