"""The Spark engine gives the local engine's bytes: for every rule and setting, however it is cut and planned.

Drivers run as processes of their own, as they do in production. What is killed is in ``test_spark_cluster.py``.
"""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import random
import socket
import subprocess
import sys
import zipfile
from contextlib import suppress
from itertools import islice

import pytest
from conftest import ROOT, write_jsonl
from spark_cases import (
    CARRIED_OUT,
    corpus_of,
    drive,
    environment,
    local,
    needs_spark,
    settings_of,
    takes_long,
    uneven,
)
from spark_standalone import without_package
from test_pipeline import bytes_of, news

import dedup
from dedup import Settings
from dedup.rules import RULES
from dedup.settings import KEEP


def matrix(folder, numbers):
    """Cases, each of another corpus, other settings, and carried out in another way; the first has no settings."""
    return [
        {
            "source": corpus_of(folder / f"in{number}", number, 25),
            "out": folder / f"spark{number}",
            "settings": settings_of(number) if number else {},
            "partitions": CARRIED_OUT[number % 4][0],
            "conf": {"spark.sql.adaptive.enabled": CARRIED_OUT[number % 4][1]},
        }
        for number in numbers
    ]


def check(job):
    out = job["out"]
    expected = local(job["source"], out.with_name(f"{out.name} local"), **job.get("settings", {}))
    assert bytes_of(out) == expected
    assert not list(out.parent.glob(f".{out.name}.*")), "tables are gone at the end"


SMALL = (0, 3, 4, 5, 6)  # these run wherever Spark does


FEW = dict.fromkeys(("boilerplate", "shared-paragraph", "contained-article"), "off")  # where others try all
REAL = ("senate_releases", "license_texts")
NOT_ADAPTIVE = {"spark.sql.adaptive.enabled": "false"}


@pytest.fixture(scope="module")
def driven(tmp_path_factory, data_rows):
    """A folder, and what one driver told of all small jobs in it, by name: one for all processes of this test run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "driven"
    folder.mkdir(exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = folder / ".told"
        if not kept.exists():
            kept.write_bytes(pickle.dumps(driven_in(folder, data_rows)))
        return folder, pickle.loads(kept.read_bytes())


def driven_in(folder, data_rows):
    """What a driver told of all small jobs."""
    rows = [{**row, "n": None} for row in news(count=30)]
    write_jsonl(folder / "rows.jsonl", rows)
    shuffled = write_jsonl(folder / "shuffled.jsonl", random.Random(3).sample(rows, len(rows)))
    planned = {"spark.sql.codegen.factoryMode": "FALLBACK"}  # as Spark does it unless told otherwise
    source = corpus_of(folder / "in", 3, 20)
    jobs = [
        *matrix(folder, SMALL),
        {"source": source.as_uri(), "out": folder / "address", "settings": {"rules": FEW}},
        {"source": source, "out": folder / "fail", "settings": {"on_error": "fail"}},
        {"source": shuffled.as_uri(), "frame": True, "out": folder / "table", "conf": planned, "partitions": 5},
        {"source": "-", "out": folder / "stdin"},
        {"source": write_jsonl(folder / "uneven.jsonl", uneven()), "out": folder / "uneven", "partitions": 3},
        {
            "source": corpus_of(folder / "few", 5, 4),
            "out": folder / "parts",
            "settings": {"rules": FEW},
            "partitions": 200,
            "conf": NOT_ADAPTIVE,
        },
    ]
    for name in REAL:
        with suppress(pytest.skip.Exception):  # the tests of these are skipped, and say so
            cut = list(islice(data_rows(name), 120))
            jobs.append({"source": write_jsonl(folder / f"{name}.jsonl", cut), "out": folder / name})
    told = drive(jobs)
    return {job["out"].name: (job, one) for job, one in zip(jobs, told, strict=True)}


def test_the_cases_try_every_action_of_every_rule():
    tried = {(name, action) for number in SMALL[1:] for name, action in Settings(**settings_of(number)).rules.items()}
    assert tried == {(rule.name, action) for rule in RULES for action in rule.actions}
    assert {settings_of(number)["keep"] for number in SMALL[1:]} == set(KEEP)


@needs_spark
@pytest.mark.parametrize("number", SMALL)
def test_every_rule_and_setting_gives_the_local_engines_bytes(driven, number):
    check(driven[1][f"spark{number}"][0])


@needs_spark
def test_copies_full_buckets_and_a_host_with_nearly_all_give_the_same_bytes(driven):
    check(driven[1]["uneven"][0])


@needs_spark
def test_two_hundred_partitions_without_adaptive_execution_give_the_same_bytes(driven):
    check(driven[1]["parts"][0])


@needs_spark
@pytest.mark.data
@pytest.mark.parametrize("name", REAL)
def test_real_articles_give_the_local_engines_bytes(driven, data_file, name):
    data_file(name)
    check(driven[1][name][0])


@needs_spark
def test_an_address_gives_the_bytes_of_the_path(driven):
    folder, _ = driven
    assert bytes_of(folder / "address") == local(folder / "in", folder / "local", rules=FEW)


@needs_spark
def test_what_the_user_can_mend_is_told_as_the_local_engine_tells_it(driven):
    folder, told = driven
    with pytest.raises(dedup.RecordError) as error:
        local(folder / "in", folder / "fails", on_error="fail")
    assert told["fail"][1] == {"RecordError": str(error.value)}
    assert "InputError" in told["stdin"][1]


@needs_spark
def test_progress_is_told_as_the_local_engine_tells_it(driven):
    folder, told = driven
    there = told["spark0"][1]["progress"]
    here = []
    local_stages = lambda stage, _done, _total: here.append(stage)  # noqa: E731 - shorter than a function
    dedup.clean(folder / "in", folder / "watched", engine=dedup.LocalEngine(jobs=1), progress=local_stages)
    assert set(here) <= {stage for stage, _, _ in there}
    assert all(0 <= done <= total for _, done, total in there if total is not None)
    many = told["parts"][1]["progress"]  # of two tasks none may have ended whenever it is asked
    assert any(0 < done < total for _, done, total in many if total), "not only when a stage has ended"


@needs_spark
def test_settings_are_sent_once_to_each_of_the_two_stages_that_need_them(driven):
    for number in SMALL:  # in whatever number of tasks
        assert driven[1][f"spark{number}"][1]["settings_sent"] == 2


@needs_spark
def test_a_table_is_its_rows_as_json_in_the_order_of_that(driven):
    folder, told = driven
    assert told["table"][1]["records"] == 30
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_bytes().splitlines()]
    columns = sorted(rows[0])
    lines = [
        json.dumps({name: row[name] for name in columns}, ensure_ascii=False, separators=(",", ":")) for row in rows
    ]
    command = [sys.executable, "-m", "dedup", "clean", "-", "-o", folder / "lines", "--jobs", "1", "--quiet"]
    given = b"".join(sorted(line.encode() + b"\n" for line in lines))
    subprocess.run(command, input=given, env=environment(), check=True)
    expected = bytes_of(folder / "lines")
    told_of_input = {"run.json": expected["run.json"]}  # a sum of hashes, in the place of the hash of a file
    assert {**bytes_of(folder / "table"), **told_of_input} == expected


@needs_spark
@takes_long
@pytest.mark.parametrize("first", range(7, 47, 10))
def test_many_more_settings_give_the_local_engines_bytes(tmp_path, first):
    jobs = matrix(tmp_path, range(first, first + 10))
    drive(jobs)
    for job in jobs:
        check(job)


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
    check(job)


# --- what workers have -------------------------------------------------------------------------------------------

COMPILES = """
import dedup.spark
from dedup.kernels import buckets

buckets.capacity(5)
print(buckets.__file__)
"""


def archive(path):
    """This package, as workers get it."""
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as packed:
        for one in sorted((ROOT / "dedup").rglob("*")):
            if one.suffix in {".py", ".toml"}:
                packed.write(one, one.relative_to(ROOT))
    return path


def test_machine_code_of_a_sent_package_is_found_by_the_next_application(tmp_path):
    def compiled_by(application):
        path = archive(tmp_path / application / "dedup.zip")
        names = os.pathsep.join([str(path), without_package()])
        environ = environment(PYTHONPATH=names, NUMBA_CACHE_DIR=tmp_path / "cache")
        done = subprocess.run(
            [sys.executable, "-c", COMPILES], env=environ, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert str(path) in done.stdout
        return {one: one.stat().st_mtime_ns for one in (tmp_path / "cache").rglob("*.nb?")}

    first = compiled_by("one")
    assert first
    assert compiled_by("two") == first


# --- what is told where something is missing ---------------------------------------------------------------------


def told_by(*options, **environ):
    command = [sys.executable, "-m", "dedup", "clean", ROOT / "corpus", "-o", "/nowhere/out", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(**environ))
    assert done.returncode == 2
    [line] = [line for line in done.stderr.splitlines() if line.startswith("dedup: error")]
    return line


def test_without_the_extra_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(dedup.EngineError, match=r"pip install 'article-dedup\[spark\]'"):
        dedup.clean(ROOT / "corpus", tmp_path / "out", engine="spark")


@needs_spark
def test_without_java_or_with_an_old_one_one_line_says_so(tmp_path):
    out = ("-o", tmp_path / "out", "--engine", "spark")
    assert "Spark needs Java, and there is none" in told_by(*out, JAVA_HOME="", PATH=tmp_path)
    assert "cannot be run" in told_by(*out, JAVA_HOME=tmp_path / "none")
    old = tmp_path / "old" / "bin" / "java"
    old.parent.mkdir(parents=True)
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n", encoding="utf-8")
    old.chmod(0o755)
    assert "is Java 11, Spark 4 needs 17 or newer" in told_by(*out, JAVA_HOME=tmp_path / "old")


def test_options_of_another_engine_are_refused(tmp_path):
    out = ("-o", tmp_path / "out")
    assert "--master: means nothing to --engine local" in told_by(*out, "--master", "local[2]")
    assert "--jobs: means nothing to --engine spark" in told_by(*out, "--engine", "spark", "--jobs", "2")
    assert "did you mean 'spark'" in told_by(*out, "--engine", "sparc")


@needs_spark
def test_a_session_of_spark_connect_is_refused(tmp_path):
    with pytest.raises(dedup.EngineError, match="a session of Spark Connect"):
        dedup.clean(ROOT / "corpus", tmp_path / "out", engine=dedup.SparkEngine(session=object()))


@needs_spark
def test_where_no_cluster_answers_one_line_says_so(tmp_path):
    out = ("-o", tmp_path / "out", "--engine", "spark", "--master", "spark://127.0.0.1:9")
    assert "spark://127.0.0.1:9: no cluster answers there (Connection refused)" in told_by(*out)


@needs_spark
@takes_long
def test_where_something_else_answers_one_line_says_so(tmp_path):
    with socket.socket() as silent:  # takes calls, and is no scheduler
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"spark://127.0.0.1:{silent.getsockname()[1]}"
        assert f"{url}: no " in told_by("-o", tmp_path / "out", "--engine", "spark", "--master", url)
