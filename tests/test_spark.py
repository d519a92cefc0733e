"""The Spark engine gives the local engine's bytes: for every rule and setting, however it is cut, whatever is killed.

Drivers run as processes of their own, as they do in production. The cluster is a real one: a standalone scheduler and
two workers from the ``pyspark`` package, on the loopback interface.
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT, write_jsonl
from test_pipeline import bytes_of, news

import dedup
from dedup import LocalEngine, Settings

MISSING = [name for name in ("pyspark", "pandas") if importlib.util.find_spec(name) is None]
JAVA = Path(os.environ["JAVA_HOME"], "bin", "java") if "JAVA_HOME" in os.environ else shutil.which("java")
DRIVER = ROOT / "tests" / "spark_driver.py"

needs_spark = pytest.mark.skipif(
    bool(MISSING) or not JAVA,
    reason=f"no {' or '.join(MISSING) or 'Java'}: pip install '.[spark]' and a Java of 17 or 21",
)
cluster = pytest.mark.skipif(
    not (os.environ.get("DEDUP_CLUSTER") or os.environ.get("CI")), reason="takes minutes; set DEDUP_CLUSTER=1 to run it"
)
pytestmark = pytest.mark.xdist_group("spark")

SETTINGS = {
    "defaults": {},
    "nothing is dropped": {"profile": "lossless"},
    "low thresholds": {"profile": "corpus", "threshold": 0.5, "paragraph_threshold": 0.4, "keep": "first"},
    "latest stay": {"keep": "latest", "rules": {"contained-article": "flag", "boilerplate": "flag"}},
    "no near-duplicates": {"keep": "earliest", "rules": {"near-duplicate-article": "off", "repeated-block": "off"}},
    "equal articles flagged": {"rules": {"duplicate-article": "flag", "near-duplicate-article": "flag"}},
    "no paragraphs": {"rules": {"shared-paragraph": "off", "boilerplate": "off"}, "compress": "gz"},
    "shared paragraphs go": {"rules": {"shared-paragraph": "drop", "contained-article": "off"}, "format": "parquet"},
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


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Two files of articles, some of which cannot be read, and one of text."""
    folder = tmp_path_factory.mktemp("source") / "in"
    write_jsonl(folder / "a.jsonl", [*news(count=60), *tangled(7)])
    write_jsonl(folder / "b" / "c.jsonl", tangled(8, 60))
    with (folder / "b" / "c.jsonl").open("ab") as file:
        file.write(b'{"id": "x"}\nbroken\n\n{"id": "\xff"}\n{"id": "z", "text": "   "}\n')
    (folder / "d.txt").write_text(news(count=3)[2]["text"], encoding="utf-8")
    return folder


def local(source, out, **options):
    """The local engine's bytes."""
    dedup.clean(source, out, Settings(**options), engine=LocalEngine(jobs=1))
    return bytes_of(out)


def environment():
    names = os.pathsep.join([str(ROOT), *sys.path[1:]])
    return {**os.environ, "PYTHONPATH": names, "SPARK_LOCAL_IP": "127.0.0.1", "PYTHONWARNINGS": "ignore"}


def drive(jobs, url="local[2]", **options):
    """What a driver told of each of `jobs`."""
    told = json.dumps({"url": url, "options": options, "jobs": jobs}, default=str)
    command = [sys.executable, DRIVER]
    done = subprocess.run(command, input=told, capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@needs_spark
@cluster
@pytest.mark.cluster
def test_the_bytes_are_those_of_the_local_engine(source, tmp_path):
    drive([{"source": source, "out": tmp_path / "spark"}])
    assert bytes_of(tmp_path / "spark") == local(source, tmp_path / "local")
    assert not list(tmp_path.glob(".*")), "tables are gone at the end"


@needs_spark
@cluster
@pytest.mark.cluster
def test_every_setting_gives_the_local_engines_bytes(source, tmp_path):
    drive([{"source": source, "out": tmp_path / name, "settings": given} for name, given in SETTINGS.items()])
    for name, given in SETTINGS.items():
        assert bytes_of(tmp_path / name) == local(source, tmp_path / f"{name}, local", **given), name


@needs_spark
@cluster
@pytest.mark.cluster
def test_partitions_and_adaptive_execution_change_no_byte(source, tmp_path):
    jobs = [
        {
            "source": source,
            "out": tmp_path / f"{on}-{parts}",
            "conf": {"spark.sql.adaptive.enabled": on},
            "partitions": parts,
        }
        for on, parts in (("true", 200), ("false", 2), ("false", 30), ("true", 1))
    ]
    drive(
        jobs,
        **{"spark.speculation": "true", "spark.speculation.multiplier": "1.1", "spark.speculation.quantile": "0.3"},
    )
    expected = local(source, tmp_path / "local")
    for job in jobs:
        assert bytes_of(job["out"]) == expected, job


@needs_spark
@cluster
@pytest.mark.cluster
def test_addresses_tables_and_bad_records(source, tmp_path):
    rows = [{**row, "n": None} for row in news(count=40)]
    made = write_jsonl(tmp_path / "rows.jsonl", rows)
    again = write_jsonl(tmp_path / "shuffled.jsonl", random.Random(3).sample(rows, len(rows)))
    jobs = [
        {"source": source.as_uri(), "out": tmp_path / "address"},
        {"source": source, "out": tmp_path / "fail", "settings": {"on_error": "fail"}},
        {"source": made.as_uri(), "frame": True, "out": tmp_path / "table"},
        {"source": again.as_uri(), "frame": True, "out": tmp_path / "table again", "partitions": 5},
        {"source": "-", "out": tmp_path / "stdin"},
    ]
    told = drive(jobs)
    assert bytes_of(tmp_path / "address") == local(source, tmp_path / "local")
    with pytest.raises(dedup.RecordError) as error:
        local(source, tmp_path / "fails", on_error="fail")
    assert told[1] == {"RecordError": str(error.value)}
    assert told[2]["records"] == len(rows)
    assert bytes_of(tmp_path / "table") == bytes_of(tmp_path / "table again")
    assert "InputError" in told[4]


# --- a cluster, and what is killed in it -------------------------------------------------------------------------


class Cluster:
    """A standalone cluster: one scheduler, two workers of one core."""

    def __init__(self, folder):
        import pyspark  # noqa: PLC0415 - an extra

        self.folder = folder
        self.home = Path(pyspark.__file__).parent
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"spark://127.0.0.1:{port}"
        self.processes = [self.start("master.Master", "--port", str(port))]
        self.workers = [self.worker(number) for number in range(2)]

    def start(self, what, *options):
        command = [self.home / "bin" / "spark-class", f"org.apache.spark.deploy.{what}", "--host", "127.0.0.1"]
        # workers know neither this package nor the folder it is in: it must be sent to them
        paths = [path for path in sys.path[1:] if path and Path(path) != ROOT]
        environ = {**environment(), "SPARK_HOME": str(self.home), "PYTHONPATH": os.pathsep.join(paths)}
        with (self.folder / f"{what}-{time.monotonic_ns()}.log").open("wb") as log:
            return subprocess.Popen(
                [*command, "--webui-port", "0", *options], stdout=log, stderr=log, env=environ, start_new_session=True
            )

    def worker(self, number):
        work = ("--work-dir", str(self.folder / f"work{number}"))
        started = self.start("worker.Worker", "--cores", "1", "--memory", "1g", *work, self.url)
        self.processes.append(started)
        return started

    def executors(self):
        """The processes of the workers' executors."""
        found = []
        for worker in self.workers:
            listed = subprocess.run(
                ["ps", "-o", "pid=", "--ppid", str(worker.pid)], capture_output=True, text=True, check=False
            )
            found += [int(number) for number in listed.stdout.split()]
        return found

    def stop(self):
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="module")
def standalone(tmp_path_factory):
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    yield made
    made.stop()


def submit(cluster, source, out, *options):
    command = [sys.executable, "-m", "dedup", "clean", source, "-o", out, "--engine", "spark", "--master", cluster.url]
    return subprocess.Popen(
        [*command, "--quiet", *options], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def until(path, job, seconds=240):
    """Waits for a table of a running job."""
    for _ in range(seconds * 5):
        if path.exists():
            return
        assert job.poll() is None, job.communicate()[1][-3000:]
        time.sleep(0.2)
    raise AssertionError(f"{path} did not appear")


def finished(job):
    _, errors = job.communicate(timeout=400)
    assert job.returncode == 0, errors[-3000:]


@needs_spark
@cluster
@pytest.mark.cluster
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="kills processes as Linux knows them")
def test_what_is_killed_changes_no_byte(standalone, source, tmp_path):
    expected = local(source, tmp_path / "local")

    job = submit(standalone, source, tmp_path / "executors")
    until(tmp_path / ".executors.spark" / "articles-entries" / "_SUCCESS", job)
    for number in standalone.executors():
        os.kill(number, signal.SIGKILL)
    finished(job)
    assert bytes_of(tmp_path / "executors") == expected

    job = submit(standalone, source, tmp_path / "driver")
    tables = tmp_path / ".driver.spark"
    until(tables / "articles-entries" / "_SUCCESS", job)
    job.kill()
    job.communicate()
    before = {path: path.stat().st_mtime_ns for path in tables.glob("*/_SUCCESS")}
    assert len(before) > 3
    refused = submit(standalone, source, tmp_path / "driver", "--resume", "--keep", "first")
    assert "begun with other inputs or settings" in refused.communicate()[1]
    job = submit(standalone, source, tmp_path / "driver", "--resume")
    until(tables / "articles" / "_SUCCESS", job)
    assert {path: path.stat().st_mtime_ns for path in before} == before, "what was there is not written again"
    finished(job)
    assert bytes_of(tmp_path / "driver") == expected

    job = submit(standalone, source, tmp_path / "worker")
    until(tmp_path / ".worker.spark" / "prepared" / "_SUCCESS", job)
    os.killpg(standalone.workers[0].pid, signal.SIGKILL)  # with its executor and all that was shuffled there
    finished(job)
    assert bytes_of(tmp_path / "worker") == expected


# --- what is told where something is missing ---------------------------------------------------------------------


def told_by(*options, **environ):
    command = [sys.executable, "-m", "dedup", "clean", ROOT / "corpus", "-o", "/nowhere/out", *options]
    given = {**environment(), **{name: str(value) for name, value in environ.items()}}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=given)
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
@cluster
@pytest.mark.cluster
def test_where_no_cluster_answers_one_line_says_so(tmp_path):
    out = ("-o", tmp_path / "out", "--engine", "spark", "--master", "spark://127.0.0.1:9")
    assert "spark://127.0.0.1:9: " in told_by(*out, DEDUP_SPARK_WAIT=5)
