"""Corpora, settings and drivers for tests of the Spark engine; between them the settings try every action."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, write_jsonl

import dedup
from dedup import LocalEngine, Settings
from dedup.rules import RULES
from dedup.settings import COMPRESSIONS, FORMATS, KEEP
from helpers.news import bytes_of, news, sentences

DRIVER = ROOT / "tests" / "helpers" / "spark_driver.py"
MISSING = [name for name in ("pyspark", "pandas") if importlib.util.find_spec(name) is None]
JAVA = Path(os.environ["JAVA_HOME"], "bin", "java") if "JAVA_HOME" in os.environ else shutil.which("java")

needs_spark = pytest.mark.skipif(
    bool(MISSING) or not JAVA,
    reason=f"no {' or '.join(MISSING) or 'Java'}: pip install '.[spark]' and a Java of 17 or 21",
)
takes_long = pytest.mark.skipif(
    not os.environ.get("DEDUP_CLUSTER"), reason="takes many minutes; set DEDUP_CLUSTER=1 to run it"
)

# These tests spend their time on plans and on Java's own compiler; with less of both they are three times as fast.
_QUICK_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
QUICK_OPTIONS = {
    "spark.ui.enabled": "false",
    "spark.driver.extraJavaOptions": _QUICK_JAVA,
    "spark.executor.extraJavaOptions": _QUICK_JAVA,
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}

LARGE_BUCKET = 50  # keys of a large bucket, so that small corpora have some

# Number of partitions, and whether Spark changes plans while they run.
EXECUTIONS = ((2, "false"), (200, "true"), (1, "true"), (3, "false"))


def settings_of(number):
    """Return the settings of case `number`; in three cases in a row, each rule has each of its actions once."""
    source = random.Random(number // 3)
    actions = {rule.name: source.sample(rule.actions, len(rule.actions))[number % len(rule.actions)] for rule in RULES}
    source = random.Random(number)
    return {
        "rules": actions,
        "keep": KEEP[number % 4],
        "threshold": source.choice((0.5, 0.7, 0.8, 0.9)),
        "same_story_threshold": (None, 0.4)[number % 2],
        "paragraph_threshold": source.choice((0.4, 0.6, 0.8, 1.0)),
        "format": FORMATS[number % 3],
        "compress": "none" if number % 2 else COMPRESSIONS[number // 2 % 3],
        "shard_size": None if number % 4 else 5000,
        "output_fields": ("id", "date", "nothing") if number % 5 == 0 else None,
    }


def odd_fields(folder):
    """Write articles with nested and listed texts, dates in odd forms, other charsets and bad records to `folder`."""
    dates = ["January 1, 2024", "soon", "01/02/2024", None, "2024"]
    rows = [
        {"id": number, "article": {"lead": "x", "body": row["text"]}, "publish_date": dates[number % len(dates)]}
        for number, row in enumerate(news(count=12))
    ]
    rows += [{"ID": f"l{number}", "text": row["text"].split("\n\n")} for number, row in enumerate(news(count=6))]
    write_jsonl(folder / "rows.jsonl", rows)
    with (folder / "rows.jsonl").open("ab") as file:
        file.write(b'{"id": 1, "text": "a", "id": 2}\n{"text": "NaN", "n": NaN}\n')
        file.write('{"id": "c", "text": "Le café est fermé, dit-on."}\n'.encode("cp1252"))
    (folder / "a.txt").write_bytes("Le maire a été réélu dimanche soir, “très” largement.".encode("cp1252"))
    (folder / "b.txt").write_bytes("Été.".encode("utf-16"))
    return folder


def tangled(seed, count=120):
    """Return articles made from one another: near-copies of near-copies, of whole articles and of paragraphs."""
    source = random.Random(seed)
    vocabulary = [f"w{number}" for number in range(400)]

    def sentence(words):
        return [source.choice(vocabulary) for _ in range(words)]

    def changed(words):
        words = list(words)
        for _ in range(source.choice([0, 0, 0, 1, 1, 2, 3])):
            place = source.randrange(len(words))
            if source.random() < 0.5 or len(words) < 6:
                words[place] = source.choice(vocabulary)
            elif source.random() < 0.5:
                del words[place]
            else:
                words.insert(place, source.choice(vocabulary))
        return words

    pool = [sentence(source.randint(5, 30)) for _ in range(40)]
    bodies = []
    for _ in range(count):
        if bodies and source.random() < 0.45:
            body = list(source.choice(bodies))
            for _ in range(source.choice([0, 1, 1, 2, 4])):
                place = source.randrange(len(body))
                body[place] = changed(body[place]) if source.random() < 0.7 else sentence(12)
            body = body[: max(2, len(body) // 2)] if source.random() < 0.3 else body
        else:
            paragraphs = range(source.randint(2, 9))
            body = [changed(source.choice(pool)) if source.random() < 0.6 else sentence(12) for _ in paragraphs]
            if source.random() < 0.5:
                repeated = source.choice(body)
                body = [changed(repeated), *body, changed(repeated)]
        bodies.append(body)
    return [
        {
            "id": number,
            "text": "\n\n".join(" ".join(words).capitalize() + source.choice([".", "!", "..."]) for words in body),
            "url": f"http://h{number % 3}.example/" if number % 7 else None,
            "date": f"2020-01-{1 + number % 28:02d}" if number % 5 else None,
        }
        for number, body in enumerate(bodies)
    ]


def marked(seed, count=60):
    """Return articles of few texts, many of which differ in nothing but the marks of a number."""
    source = random.Random(seed)
    forms = ["5", "$5", "€5", "-5", "+5", "5%", "5 %"]
    kinds = [sentences(seed * 10 + kind, source.randint(1, 4)) for kind in range(4)]
    rows = []
    for number in range(count):
        kind = list(source.choice(kinds))
        if source.random() < 0.3:
            kind += sentences(source.randrange(5), 2)
        lines = [f"{line[:-1]} {source.choice(forms)} {line[:9]}." for line in kind]
        rows.append(
            {
                "id": f"m{number}",
                "text": "\n\n".join(lines),
                "url": f"http://m{number % 2}.example/",
                "date": "2020-01-01",
            }
        )
    return rows


def uneven(count=150):
    """Return copies of one article, as many with one word changed, and as many others, most of them from one host."""
    source = random.Random(count)

    def text():
        return [f"v{source.randrange(2000)}" for _ in range(60)]

    template, rows = text(), []
    for number in range(count * 3):
        body = text() if number % 3 == 2 else list(template)
        if number % 3 == 1:
            body[30] = f"w{number}"
        lines = [" ".join(body[at : at + 20]).capitalize() + "." for at in range(0, 60, 20)]
        lines.append("Sign up for our newsletter to read more stories like this.")
        host = "small" if number % 20 == 11 else "big"
        rows.append({"id": number, "text": "\n\n".join(lines), "url": f"http://{host}.example/{number}"})
    return rows


def forms(count=160):
    """Return articles that share most buckets: forms of 250 words.

    Of each six articles four have six words of their own, far apart, so that no match is possible. One is an edited
    copy of the article before it, and one has a single word of its own, so that only common shingles tell of a match.
    """
    source = random.Random(count)
    form = [f"f{source.randrange(5000)}" for _ in range(250)]
    rows = []
    for number in range(count):
        body, kind = list(form), number % 6
        if kind == 4:
            body = rows[-1]["text"].split()
            body[125] = f"e{number}"
        elif kind == 5:
            body[source.randrange(250)] = f"c{number}"
        else:
            for place in range(20, 240, 40):
                body[place] = f"w{number}x{place}"
        rows.append({"id": number, "text": " ".join(body), "url": f"http://{number % 7}.example/{number}"})
    return rows


def titled(seed, count):
    """Return copies of short texts under titles that say other things, under rewritten ones, and under none."""
    source = random.Random(seed)
    titles = ["Alder sets dividend", "Birch sets dividend", "ALDER sets dividend", "A day of payments", None]
    bodies = [" ".join(f"s{source.randrange(500)}" for _ in range(size)) for size in (3, 12, 40, 150)]
    return [
        {"id": f"t{number}", "title": source.choice(titles), "text": source.choice(bodies)} for number in range(count)
    ]


def corpus_of(folder, seed, count=60):
    """Write two files of articles, some of which cannot be read, and one text file; return their folder."""
    write_jsonl(folder / "a.jsonl", [*news(seed, count // 2), *tangled(seed, count)])
    write_jsonl(folder / "b" / "c.jsonl", tangled(seed + 1, count // 2))
    write_jsonl(folder / "b" / "m.jsonl", marked(seed, count // 2))
    write_jsonl(folder / "b" / "t.jsonl", titled(seed, count // 2))
    with (folder / "b" / "c.jsonl").open("ab") as file:
        file.write(b'{"id": "x"}\nbroken\n\n{"id": "\xff"}\n{"id": "z", "text": "   "}\n')
    (folder / "d.txt").write_text(news(seed, 3)[2]["text"], encoding="utf-8")
    return folder


def halves_of(folder, seed, count):
    """Write articles to ``old`` and ``new`` in `folder`; those of ``new`` repeat others there and in ``old``."""
    rows = [*news(seed, count), *tangled(seed, 2 * count), *marked(seed, count), *titled(seed, count)]
    random.Random(seed).shuffle(rows)
    old, new = rows[::2], rows[1::2]
    write_jsonl(folder / "old" / "a.jsonl", old[::2])
    write_jsonl(folder / "old" / "b.jsonl", [*old[1::2], *old[:3]])
    write_jsonl(folder / "new" / "a.jsonl", [{**row, "id": f"c{row['id']}"} for row in old[:6]])
    write_jsonl(folder / "new" / "b.jsonl", new)
    for name in ("old", "new"):
        with (folder / name / "a.jsonl").open("ab") as file:
            file.write(b'{"id": "x"}\nbroken\n')
    return folder


def local_output(source, out, **options):
    """Clean `source` with the local engine and return the bytes of its output."""
    dedup.clean(source, out, Settings(**options), engine=LocalEngine(jobs=1))
    return bytes_of(out)


def environment(**more):
    """Return the environment of a driver that can import this package, with the variables `more`."""
    names = os.pathsep.join([str(ROOT), *sys.path[1:]])
    variables = {"PYTHONPATH": names, "SPARK_LOCAL_IP": "127.0.0.1", "PYTHONWARNINGS": "ignore", **more}
    return {**os.environ, **{name: str(value) for name, value in variables.items()}}


def path_without_package():
    """Return the module search path without this package, as a value of ``PYTHONPATH``."""
    return os.pathsep.join(path for path in sys.path[1:] if path and Path(path) not in {ROOT, ROOT / "tests"})


def write_archive(path):
    """Write an archive of this package, as workers get it, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted((ROOT / "dedup").rglob("*")):
            if file.suffix in {".py", ".pyi", ".toml"}:
                archive.write(file, file.relative_to(ROOT))
    return path


def drive(jobs, url="local[2]", **options):
    """Run `jobs` in one driver and return what it reports of each."""
    request = {"url": url, "options": {**QUICK_OPTIONS, **options}, "large_bucket": LARGE_BUCKET, "jobs": jobs}
    command = [sys.executable, DRIVER]
    done = subprocess.run(
        command, input=json.dumps(request, default=str), capture_output=True, text=True, env=environment(), check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [line["report"] for line in sorted(lines, key=lambda line: line["job"])]
