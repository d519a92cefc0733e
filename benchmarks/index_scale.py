"""Growth of an index of runs with its articles, beside datasketch's MinHashLSH in memory and with its Redis storage.

    python -m benchmarks.index_scale [--articles 10000 100000 1000000] [--redis-up-to 100000] [--write]

For each size, `dedup clean --index` makes an index of 99 % of the articles, and another run adds the last 1 %. Each
step is a process of its own; its seconds are processor time of all its processes, because other work on the machine
disturbs wall time. MinHashLSH gets the signatures of the same articles: each of the last 1 % is signed, looked up and
inserted if it is not found. It compares articles by their buckets alone, and writes no output. Signing 99 % of a
million articles with datasketch takes hours. So only SIGNED articles are signed for the time, which is extrapolated,
and MinHashLSH gets the signatures of `dedup.signatures`, which have the same values.

With ``--write`` the figures go into ``results/index_scale.json``, beside those of other sizes, and the table into
docs/growing.md.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from benchmarks.contenders import ROOT
from benchmarks.corpora.build import Builder
from benchmarks.environments import BUILD
from benchmarks.markdown_tables import markdown_table, replace_section
from benchmarks.online_index import NUM_PERM, REDIS_PORT, SCHEME, SHINGLE, THRESHOLD, signed, start_redis
from benchmarks.stored_results import load_results, save_results

WORK = BUILD / "bench-index-scale"
PAGE, SECTION, SCRIPT = ROOT / "docs" / "growing.md", "scale", "benchmarks/index_scale.py"
KIND, SEED = "hard", 1
ADDED = 100  # one article in so many is added to the index of the others
SIGNED = 2000  # articles that datasketch signs
BATCH = 5000  # articles that are signed and inserted at once
REDIS = {"type": "redis", "redis": {"host": "127.0.0.1", "port": REDIS_PORT, "db": 1}}


def write_corpus(count: int, known: Path, new: Path) -> None:
    """Write the first 99 % of `count` articles into one file, and the others into another one."""
    border = count - count // ADDED
    with known.open("w", encoding="utf-8") as first, new.open("w", encoding="utf-8") as second:
        articles = (article for article, _ in Builder(KIND, SEED).articles())
        for number, article in enumerate(itertools.islice(articles, count)):
            (first if number < border else second).write(json.dumps(article, ensure_ascii=False) + "\n")


def run_child(*arguments: str | Path) -> dict[str, Any]:
    """Run a step in a process of its own; return what it prints, its processor seconds, and its peak memory in MB."""
    command = [sys.executable, "-m", "benchmarks.index_scale", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed")
    figures: dict[str, Any] = json.loads(said)
    return {"seconds": usage.ru_utime + usage.ru_stime, "MB": usage.ru_maxrss * 1.024e-3, **figures}


def clean_into_index(corpus: Path, index: Path) -> dict[str, Any]:
    """Clean `corpus` with `index`; return how many of its articles were read."""
    import dedup  # noqa: PLC0415 - not in the process that only starts others

    settings = dedup.Settings(keep="first")
    report = dedup.clean(corpus, WORK / "out", settings, index=index, engine=dedup.LocalEngine(jobs=1), force=True)
    return {"read": report.stages["ask index"]["articles"]}


def texts_of(path: Path) -> Iterator[str]:
    """Yield the texts of a corpus."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["text"]


def fill_datasketch(known: Path, new: Path, storage: dict[str, Any] | None) -> dict[str, Any]:
    """Fill a MinHashLSH with `known`, then add `new`; return processor seconds of both, and of signing."""
    from datasketch import MinHash, MinHashLSH  # noqa: PLC0415

    import dedup  # noqa: PLC0415

    start = time.process_time()
    count = sum(1 for _ in map(signed_text, itertools.islice(texts_of(known), SIGNED)))
    signing = (time.process_time() - start) / count
    lsh = MinHashLSH(threshold=THRESHOLD, num_perm=NUM_PERM, **({} if storage is None else {"storage_config": storage}))
    texts, number, inserting = texts_of(known), 0, 0.0
    while batch := list(itertools.islice(texts, BATCH)):
        signatures = dedup.signatures(batch, SHINGLE, num_perm=NUM_PERM)
        start = time.process_time()
        with lsh.insertion_session() as session:
            for values in signatures:
                session.insert(str(number), MinHash(NUM_PERM, hashvalues=values, scheme=SCHEME))
                number += 1
        inserting += time.process_time() - start
    start, found = time.process_time(), 0
    for text in texts_of(new):
        sketch = signed_text(text)
        if lsh.query(sketch):
            found += 1
        else:
            lsh.insert(str(number), sketch)
            number += 1
    return {"inserting": inserting, "signing one": signing, "adding": time.process_time() - start, "found": found}


def signed_text(text: str) -> Any:
    """Return the signature of a text, as datasketch makes it."""
    return signed({"text": text})


def folder_size(folder: Path) -> int:
    """Return the bytes of the files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def measure_size(count: int, *, with_redis: bool) -> dict[str, Any]:
    """Return the figures of one size."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    known, new, index = WORK / "known.jsonl", WORK / "new.jsonl", WORK / "index"
    write_corpus(count, known, new)
    text = sum(len(text.encode()) for path in (known, new) for text in texts_of(path))
    built = run_child("clean", known, index)
    added = run_child("clean", new, index)
    opened = run_child("open", index)
    size = folder_size(index)
    shutil.rmtree(WORK / "out")
    figures: dict[str, Any] = {"articles": count, "text": text, "index": size}
    figures |= {"built": built, "added": added, "opened": opened["opened"]}
    figures["datasketch in memory"] = run_child("datasketch", known, new)
    if with_redis and (server := start_redis(WORK)) is not None:
        try:
            figures["datasketch in Redis"] = run_child("datasketch", known, new, "redis")
            status = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
            figures["datasketch in Redis"]["server MB"] = int(status.split("VmRSS:")[1].split()[0]) * 1.024e-3
        finally:
            server.terminate()
            server.wait()
    return figures


def scale_table(sizes: Sequence[dict[str, Any]]) -> str:
    """Return the figures as a Markdown table."""
    header = (
        "articles",
        "MB of text",
        "what",
        "99 %: s",
        "last 1 %: s",
        "share",
        "peak MB",
        "on disk / text",
        "opens: ms",
    )
    rows: list[list[object]] = []
    for each in sizes:
        built, added = each["built"]["seconds"], each["added"]["seconds"]
        start = [f"{each['articles']:,}", round(each["text"] / 1e6)]
        peak = round(max(each["built"]["MB"], each["added"]["MB"]))
        cells = [f"{built:.0f}", f"{added:.1f}", f"{added / built:.1%}", peak, f"{each['index'] / each['text']:.1%}"]
        rows.append([*start, "`--index`", *cells, f"{each['opened'] * 1e3:.0f}"])
        for name in ("datasketch in memory", "datasketch in Redis"):
            if name not in each:
                continue
            peer = each[name]
            all_of_it = peer["inserting"] + peer["signing one"] * (each["articles"] - each["articles"] // ADDED)
            cells = [f"{all_of_it:.0f}", f"{peer['adding']:.1f}", f"{peer['adding'] / all_of_it:.1%}"]
            memory = f"{peer['MB']:.0f}" + (f" + {peer['server MB']:.0f}" if "server MB" in peer else "")
            rows.append([*start, name.replace("datasketch", "MinHashLSH"), *cells, memory, "", ""])
    return markdown_table(header, rows)


def measure_opening(index: Path) -> float:
    """Return the seconds in which an index is opened."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    from dedup.index.manifest import read_manifest  # noqa: PLC0415
    from dedup.index_layout import POSTINGS_FILE  # noqa: PLC0415

    start = time.perf_counter()
    for segment in read_manifest(index).segments:
        pq.ParquetFile(index / segment.name / POSTINGS_FILE)
    return time.perf_counter() - start


def run_step(step: str, paths: Sequence[str]) -> None:
    """Do one step, and print what it has found as JSON."""
    places = list(map(Path, paths))
    if step == "clean":
        figures = clean_into_index(places[0], places[1])
    elif step == "open":
        figures = {"opened": measure_opening(places[0])}
    else:
        figures = fill_datasketch(places[0], places[1], REDIS if len(places) > 2 else None)
    print(json.dumps(figures))


def main() -> None:
    """Measure all sizes."""
    if sys.argv[1:2] and sys.argv[1] in ("clean", "open", "datasketch"):
        run_step(sys.argv[1], sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--articles", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--redis-up-to", type=int, default=100_000)
    parser.add_argument("--write", action="store_true", help="save the figures, and write the table of the page")
    options = parser.parse_args()
    stored = load_results("index_scale") if options.write else None
    earlier = [] if stored is None else stored["figures"]["sizes"]
    sizes = [each for each in earlier if each["articles"] not in options.articles]
    for count in options.articles:
        measured = measure_size(count, with_redis=count <= options.redis_up_to)
        print(json.dumps(measured), flush=True)
        sizes = sorted([*sizes, measured], key=itemgetter("articles"))
        if options.write:
            save_results("index_scale", {"sizes": sizes})
            page = PAGE.read_text(encoding="utf-8")
            PAGE.write_text(replace_section(page, SECTION, SCRIPT, scale_table(sizes)), encoding="utf-8")
    shutil.rmtree(WORK)
    print(scale_table(sizes))


if __name__ == "__main__":
    main()
