"""The Spark engine gives the local engine's bytes, for every rule and setting, however it is partitioned and planned.

Drivers run as processes of their own, as in production. ``test_spark_cluster.py`` tests what happens when some fail.
"""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import random
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from itertools import islice

import pytest
from conftest import ROOT, SMALL, read_jsonl, write_jsonl
from helpers.made_pages import made_pages
from helpers.news import bytes_of, news
from helpers.spark_cases import (
    EXECUTIONS,
    corpus_of,
    drive,
    environment,
    forms,
    halves_of,
    local_output,
    needs_spark,
    odd_fields,
    settings_of,
    takes_long,
    uneven,
)

import dedup
from dedup import Settings
from dedup.index.upkeep import index_stats, verify_index
from dedup.rules import RULES
from dedup.settings import KEEP

pytestmark = pytest.mark.slow
SMALL_CASES = (0, 3, 4, 5)  # run wherever Spark does
QUICK_RULES = dict.fromkeys(("boilerplate", "shared-paragraph", "contained-article"), "off")
ODD_KEEP = "earliest"
REAL_CORPORA = ("senate_releases", "license_texts")
LOCAL = dedup.LocalEngine(jobs=1)
NOT_ADAPTIVE = {"spark.sql.adaptive.enabled": "false"}


def matrix(folder, numbers):
    """Return jobs that differ in corpus, settings and execution; job 0 has the default settings."""
    return [
        {
            "source": corpus_of(folder / f"in{number}", number, 25),
            "out": folder / f"spark{number}",
            "settings": settings_of(number) if number else {},
            "partitions": EXECUTIONS[number % 4][0],
            "conf": {"spark.sql.adaptive.enabled": EXECUTIONS[number % 4][1]},
        }
        for number in numbers
    ]


def check_output(job):
    """Check that a job gave the local engine's bytes and left no tables."""
    out = job["out"]
    expected = local_output(job["source"], out.with_name(f"{out.name} local"), **job.get("settings", {}))
    assert bytes_of(out) == expected
    assert not list(out.parent.glob(f".{out.name}.*")), "tables are left"


@pytest.fixture(scope="module")
def driven(tmp_path_factory, data_rows):
    """Return a folder and, by name, the small jobs in it with their reports; one driver serves all test processes."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "driven"
    folder.mkdir(exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        reports = folder / ".reports"
        if not reports.exists():
            reports.write_bytes(pickle.dumps(drive_small_jobs(folder, data_rows)))
        return folder, pickle.loads(reports.read_bytes())


def tree_bytes(folder):
    """Return the bytes of every file below a folder but the lock, which names its owner."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "lock"
    }


def make(folder):
    """Make a folder and return it."""
    folder.mkdir()
    return folder


def drive_small_jobs(folder, data_rows):
    """Run all small jobs in one driver; return each with its report, by name."""
    rows = [{**row, "n": None} for row in news(count=30)]
    write_jsonl(folder / "rows.jsonl", rows)
    shuffled = write_jsonl(folder / "shuffled.jsonl", random.Random(3).sample(rows, len(rows)))
    compiled_plans = {"spark.sql.codegen.factoryMode": "FALLBACK"}  # Spark's own default
    source = corpus_of(folder / "in", 3, 20)
    jobs = [
        *matrix(folder, SMALL_CASES),
        {"source": source, "out": folder / "fail", "settings": {"on_error": "fail"}},
        {"source": shuffled.as_uri(), "frame": True, "out": folder / "table", "conf": compiled_plans, "partitions": 5},
        {"source": "-", "out": folder / "stdin"},
        {
            "source": odd_fields(make(folder / "odd_in")).as_uri(),
            "out": folder / "odd",
            "settings": {"keep": ODD_KEEP},
            "partitions": 1,
        },
        {"source": write_jsonl(folder / "titles.jsonl", [{"title": "A"}]), "out": folder / "titles"},
        {"source": write_jsonl(folder / "uneven.jsonl", uneven()), "out": folder / "uneven", "partitions": 3},
        {"source": write_jsonl(folder / "forms.jsonl", forms()), "out": folder / "forms", "partitions": 3},
        {"source": write_jsonl(folder / "pages.jsonl", made_pages()), "out": folder / "pages", "partitions": 3},
        {
            "source": corpus_of(folder / "few", 5, 4),
            "out": folder / "parts",
            "settings": {"rules": QUICK_RULES},
            "partitions": 200,
            "conf": NOT_ADAPTIVE,
        },
    ]
    jobs += known_jobs(folder)
    rows = [row for name in REAL_CORPORA for row in islice(data_rows.read(SMALL / f"{name}.jsonl.gz"), 120)]
    jobs.append({"source": write_jsonl(folder / "real.jsonl", rows), "out": folder / "real"})
    return {job["out"].name: (job, report) for job, report in zip(jobs, drive(jobs), strict=True)}


def known_jobs(folder):
    """Return jobs over known articles, which Spark and the local engine do in folders of their own.

    The first creates an index, the third run has one of two earlier runs, and another corpus, and the last looks for
    the items of a test set.
    """
    flag, drop = ({"rules": {"known-passage": action}} for action in ("flag", "drop"))
    halves_of(folder / "halves", 3, 12)
    old, new = folder / "halves" / "old", folder / "halves" / "new"
    write_jsonl(folder / "others.jsonl", [*islice(read_jsonl(new / "b.jsonl"), 9), *news(7, 5)])
    items = [text for row in read_jsonl(new / "b.jsonl")[:20] for text in row["text"].split("\n\n")[:2]]
    write_jsonl(folder / "items.jsonl", [{"id": str(number), "text": text} for number, text in enumerate(items)])
    chosen = Settings(**flag)
    for run in ("a", "b"):
        dedup.clean(
            old / f"{run}.jsonl", folder / "by local" / f"run {run}", chosen, engine=LOCAL, index=folder / "seen"
        )
    for side in ("by spark", "by local"):
        shutil.copytree(folder / "seen", folder / side / "seen")
    jobs = [
        {"out": "first", "source": old / "a.jsonl", "index": folder / "by spark" / "new seen"},
        {
            "out": "third",
            "source": new,
            "index": folder / "by spark" / "seen",
            "against": folder / "others.jsonl",
            "settings": flag,
            "partitions": 3,
        },
        {"out": "passages", "source": new, "against": folder / "items.jsonl", "settings": drop, "partitions": 5},
    ]
    return [{**job, "out": folder / "by spark" / job["out"]} for job in jobs]


def test_the_cases_try_every_action_of_every_rule():
    tried = {
        (name, action) for number in SMALL_CASES[1:] for name, action in Settings(**settings_of(number)).rules.items()
    }
    assert tried == {(rule.name, action) for rule in RULES for action in rule.actions}
    assert {*(settings_of(number)["keep"] for number in SMALL_CASES[1:]), ODD_KEEP} == set(KEEP)


@needs_spark
@pytest.mark.parametrize("number", SMALL_CASES)
def test_every_rule_and_setting_gives_the_local_engines_bytes(driven, number):
    check_output(driven[1][f"spark{number}"][0])


@needs_spark
def test_copies_full_buckets_and_one_large_host_give_the_same_bytes(driven):
    check_output(driven[1]["uneven"][0])


@needs_spark
def test_forms_that_share_most_buckets_give_the_same_bytes_from_few_pairs(driven):
    job, _ = driven[1]["forms"]
    check_output(job)
    work = json.loads((job["out"] / "run.log.json").read_text())["work"]["match articles"]
    count = len(read_jsonl(job["source"]))
    assert 0 < work["candidates"] < 0.2 * count * (count - 1) / 2


@needs_spark
def test_pages_lose_the_lines_of_their_sites_with_the_same_bytes(driven):
    job, _ = driven[1]["pages"]
    check_output(job)
    findings = read_jsonl(job["out"] / "provenance.jsonl")
    assert {one["action"] for one in findings if one["rule"] == "boilerplate"} == {"drop", "flag"}


@needs_spark
def test_two_hundred_partitions_without_adaptive_execution_give_the_same_bytes(driven):
    check_output(driven[1]["parts"][0])


@needs_spark
def test_real_articles_give_the_local_engines_bytes(driven):
    check_output(driven[1]["real"][0])


@needs_spark
@pytest.mark.parametrize(
    ("name", "corpora"), [("first", []), ("third", ["against", "index"]), ("passages", ["against"])]
)
def test_runs_with_known_articles_give_the_local_engines_bytes(driven, name, corpora):
    folder, jobs = driven
    job, _ = jobs[name]
    out = folder / "by local" / name
    index = folder / "by local" / job["index"].name if "index" in job else None
    chosen = Settings(**job.get("settings", {}))
    dedup.clean(job["source"], out, chosen, engine=LOCAL, index=index, against=job.get("against"))
    assert bytes_of(job["out"]) == bytes_of(out)
    sources = {row["source"].split("/")[0] for row in read_jsonl(out / "known_twins.jsonl")}
    assert sources == set(corpora)
    if index is not None:
        assert tree_bytes(job["index"]) == tree_bytes(index)
        assert (index_stats(index)["articles"] > 0, verify_index(index)) == (True, [])
    found = [row for row in read_jsonl(out / "provenance.jsonl") if row["rule"] == "known-passage"]
    assert (len(found) > 1) == bool(corpora)
    if found:
        items = read_jsonl(out / "known_items.jsonl")
        assert {1, 2} < {len(item["found_in"]) for item in items}


@needs_spark
def test_errors_of_the_input_read_as_they_do_in_the_local_engine(driven):
    folder, jobs = driven
    with pytest.raises(dedup.RecordError) as error:
        local_output(folder / "in", folder / "fails", on_error="fail")
    assert jobs["fail"][1] == {"RecordError": str(error.value)}
    assert "InputError" in jobs["stdin"][1]


@needs_spark
def test_odd_fields_dates_and_charsets_read_from_an_address_give_the_same_bytes(driven):
    folder, jobs = driven
    check_output({**jobs["odd"][0], "source": folder / "odd_in"})


@needs_spark
def test_an_input_that_cannot_be_read_is_an_error_before_matching(driven):
    assert "nothing could be read: all 1 records are bad" in driven[1]["titles"][1]["InputError"]


@needs_spark
def test_progress_is_reported_by_stage_and_within_stages(driven):
    folder, jobs = driven
    steps = jobs["spark0"][1]["progress"]
    local_stages = []
    record_stage = lambda stage, _done, _total: local_stages.append(stage)  # noqa: E731 - shorter than a function
    dedup.clean(folder / "in", folder / "watched", engine=dedup.LocalEngine(jobs=1), progress=record_stage)
    assert set(local_stages) <= {stage for stage, _, _ in steps}
    assert [step for step in steps if step[2] is not None and not 0 <= step[1] <= step[2]] == []
    steps = jobs["parts"][1]["progress"]  # of many tasks: of two, none may have ended at any poll
    assert any(0 < done < total for _, done, total in steps if total), "progress only at the end of stages"


@needs_spark
def test_settings_are_pickled_once_for_each_of_the_stages_that_need_them(driven):
    for number in SMALL_CASES:  # whatever the number of tasks; the third stage compares articles without site text
        assert driven[1][f"spark{number}"][1]["settings_sent"] in {2, 3}


@needs_spark
def test_rows_of_a_table_are_read_as_sorted_lines_of_json(driven):
    folder, jobs = driven
    assert jobs["table"][1]["records"] == 30
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_bytes().splitlines()]
    columns = sorted(rows[0])
    lines = [
        json.dumps({name: row[name] for name in columns}, ensure_ascii=False, separators=(",", ":")) for row in rows
    ]
    command = [sys.executable, "-m", "dedup", "clean", "-", "-o", folder / "lines", "--jobs", "1", "--quiet"]
    given = b"".join(sorted(line.encode() + b"\n" for line in lines))
    subprocess.run(command, input=given, env=environment(), check=True)
    expected = bytes_of(folder / "lines")
    same_digest = {"run.json": expected["run.json"]}  # that of a table is a sum of hashes, not the hash of a file
    assert {**bytes_of(folder / "table"), **same_digest} == expected


@needs_spark
@takes_long
@pytest.mark.parametrize("first", range(7, 47, 10))
def test_many_more_settings_give_the_local_engines_bytes(tmp_path, first):
    jobs = matrix(tmp_path, range(first, first + 10))
    drive(jobs)
    for job in jobs:
        check_output(job)


@needs_spark
@takes_long
def test_every_rule_in_two_hundred_partitions_without_adaptive_execution(tmp_path):
    job = {
        "source": corpus_of(tmp_path / "in", 5),
        "out": tmp_path / "out",
        "partitions": 200,
        "conf": NOT_ADAPTIVE,
    }
    drive([job])
    check_output(job)


def test_the_page_names_every_package_that_workers_need():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    page = (ROOT / "docs" / "spark.md").read_text(encoding="utf-8")
    needed = {re.split(r"[^\w.-]", requirement)[0] for requirement in project["dependencies"]}
    assert {name for name in needed if f"`{name}`" not in page} == set()


# --- messages about what is missing ------------------------------------------------------------------------------


def error_line(*options, **environ):
    """Run the command line with `options`; return the one line with which it fails."""
    command = [sys.executable, "-m", "dedup", "clean", ROOT / "corpus", "-o", "/nowhere/out", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(**environ))
    assert done.returncode == 2
    [line] = [line for line in done.stderr.splitlines() if line.startswith("dedup: error")]
    return line


def test_without_the_extra_one_line_says_how_to_install_it_from_a_checkout(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(dedup.EngineError, match=r"run pip install '\.\[spark\]' in a checkout"):
        dedup.clean(ROOT / "corpus", tmp_path / "out", engine="spark")


@needs_spark
def test_one_line_says_if_java_is_missing_broken_or_old(tmp_path):
    out = ("-o", tmp_path / "out", "--engine", "spark")
    assert "Spark needs Java, which was not found" in error_line(*out, JAVA_HOME="", PATH=tmp_path)
    assert "cannot be run" in error_line(*out, JAVA_HOME=tmp_path / "none")
    old = tmp_path / "old" / "bin" / "java"
    old.parent.mkdir(parents=True)
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n", encoding="utf-8")
    old.chmod(0o755)
    assert "is Java 11, Spark 4 needs 17 or newer" in error_line(*out, JAVA_HOME=tmp_path / "old")


def test_options_of_another_engine_are_refused(tmp_path):
    out = ("-o", tmp_path / "out")
    assert "--master: " in error_line(*out, "--master", "local[2]")
    assert "--jobs: " in error_line(*out, "--engine", "spark", "--jobs", "2")
    assert "did you mean 'spark'" in error_line(*out, "--engine", "sparc")


@needs_spark
def test_a_session_of_spark_connect_is_refused(tmp_path):
    with pytest.raises(dedup.EngineError, match="a session of Spark Connect"):
        dedup.clean(ROOT / "corpus", tmp_path / "out", engine=dedup.SparkEngine(session=object()))


@needs_spark
def test_one_line_says_if_no_cluster_answers(tmp_path):
    out = ("-o", tmp_path / "out", "--engine", "spark", "--master", "spark://127.0.0.1:9")
    assert "spark://127.0.0.1:9: no cluster answers there (Connection refused)" in error_line(*out)


@needs_spark
@takes_long
def test_one_line_says_if_something_else_answers(tmp_path):
    with socket.socket() as silent:  # accepts connections, and is no scheduler
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"spark://127.0.0.1:{silent.getsockname()[1]}"
        assert f"{url}: no " in error_line("-o", tmp_path / "out", "--engine", "spark", "--master", url)
