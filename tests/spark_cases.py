"""What the tests of the Spark engine share: corpora, settings that between them try everything, drivers."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, write_jsonl
from test_pipeline import bytes_of, news

import dedup
from dedup import LocalEngine, Settings
from dedup.rules import RULES
from dedup.settings import COMPRESSIONS, FORMATS, KEEP

DRIVER = ROOT / "tests" / "spark_driver.py"
MISSING = [name for name in ("pyspark", "pandas") if importlib.util.find_spec(name) is None]
JAVA = Path(os.environ["JAVA_HOME"], "bin", "java") if "JAVA_HOME" in os.environ else shutil.which("java")

needs_spark = pytest.mark.skipif(
    bool(MISSING) or not JAVA,
    reason=f"no {' or '.join(MISSING) or 'Java'}: pip install '.[spark]' and a Java of 17 or 21",
)
takes_long = pytest.mark.skipif(
    not os.environ.get("DEDUP_CLUSTER"), reason="takes many minutes; set DEDUP_CLUSTER=1 to run it"
)

# What these tests take is Java that compiles itself and plans, not work: less of both makes them three times as fast.
_QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
QUICK = {
    "spark.ui.enabled": "false",
    "spark.driver.extraJavaOptions": _QUICK,
    "spark.executor.extraJavaOptions": _QUICK,
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}

# However it is carried out: parts, and whether Spark changes plans while they run.
CARRIED_OUT = ((2, "false"), (200, "true"), (1, "true"), (3, "false"))


def settings_of(number):
    """The settings of case `number`: of three in a row, each rule has each of its actions once."""
    source = random.Random(number // 3)
    actions = {rule.name: source.sample(rule.actions, len(rule.actions))[number % 3] for rule in RULES}
    source = random.Random(number)
    return {
        "rules": actions,
        "keep": KEEP[number % 4],
        "threshold": source.choice((0.5, 0.7, 0.8, 0.9)),
        "paragraph_threshold": source.choice((0.4, 0.6, 0.8, 1.0)),
        "format": FORMATS[number % 2],
        "compress": "none" if number % 2 else COMPRESSIONS[number // 2 % 3],
    }


def tangled(seed, count=120):
    """Articles made from one another: near-copies of near-copies, of paragraphs too, and in one article as well."""
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
            some = range(source.randint(2, 9))
            body = [changed(source.choice(pool)) if source.random() < 0.6 else sentence(12) for _ in some]
            if source.random() < 0.5:
                again = source.choice(body)
                body = [changed(again), *body, changed(again)]
        bodies.append(body)
    return [
        {
            "id": number,
            "text": "\n\n".join(" ".join(one).capitalize() + source.choice([".", "!", "..."]) for one in body),
            "url": f"http://h{number % 3}.example/" if number % 7 else None,
            "date": f"2020-01-{1 + number % 28:02d}" if number % 5 else None,
        }
        for number, body in enumerate(bodies)
    ]


def uneven(count=150):
    """One article over and over, one in the same buckets with one word changed, and most of all from one host."""
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


def corpus_of(folder, seed, count=60):
    """Two files of articles, some of which cannot be read, and one of text."""
    write_jsonl(folder / "a.jsonl", [*news(seed, count // 2), *tangled(seed, count)])
    write_jsonl(folder / "b" / "c.jsonl", tangled(seed + 1, count // 2))
    with (folder / "b" / "c.jsonl").open("ab") as file:
        file.write(b'{"id": "x"}\nbroken\n\n{"id": "\xff"}\n{"id": "z", "text": "   "}\n')
    (folder / "d.txt").write_text(news(seed, 3)[2]["text"], encoding="utf-8")
    return folder


def local(source, out, **options):
    """The local engine's bytes."""
    dedup.clean(source, out, Settings(**options), engine=LocalEngine(jobs=1))
    return bytes_of(out)


def environment(**more):
    """The environment of a driver that has this package."""
    names = os.pathsep.join([str(ROOT), *sys.path[1:]])
    given = {"PYTHONPATH": names, "SPARK_LOCAL_IP": "127.0.0.1", "PYTHONWARNINGS": "ignore", **more}
    return {**os.environ, **{name: str(value) for name, value in given.items()}}


def drive(jobs, url="local[2]", **options):
    """What a driver told of each of `jobs`."""
    told = json.dumps({"url": url, "options": {**QUICK, **options}, "jobs": jobs}, default=str)
    command = [sys.executable, DRIVER]
    done = subprocess.run(command, input=told, capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [one["told"] for one in sorted(told, key=lambda one: one["job"])]
