"""What is killed in a cluster, tried twice or sent to it changes no byte."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile

import pytest
from conftest import ROOT
from spark_cases import QUICK, corpus_of, environment, local, needs_spark
from spark_standalone import Cluster, finished, until, without_package
from test_pipeline import bytes_of

pytestmark = [
    needs_spark,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="kills processes as Linux knows them"),
]

SPECULATION = {
    "spark.speculation": "true",
    "spark.speculation.interval": "10ms",
    "spark.speculation.multiplier": "1.01",
    "spark.speculation.quantile": "0.1",
    "spark.speculation.minTaskRuntime": "0ms",
}
JOB = """
import json, sys
import dedup

source, out, partitions, *rules = sys.argv[1:]
engine = dedup.SparkEngine(partitions=int(partitions), resume=True)
dedup.clean(source, out, dedup.Settings(rules=dict.fromkeys(rules, "off")), engine=engine)
print(dedup.__file__)
"""


@pytest.fixture
def standalone(tmp_path):
    made = Cluster(tmp_path)
    yield made
    made.stop()


def submit(cluster, arguments, *, options=(), **environ):
    """``spark-submit`` on the cluster; `options` are its own."""
    command = [cluster.home / "bin" / "spark-submit", "--master", cluster.url, *options]
    for name, value in QUICK.items():
        command += ["--conf", f"{name}={value}"]
    return subprocess.Popen(
        [*map(str, [*command, *arguments])],
        env=environment(SPARK_HOME=cluster.home, PYSPARK_DRIVER_PYTHON=sys.executable, **environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_what_is_killed_changes_no_byte(standalone, tmp_path):
    source = corpus_of(tmp_path / "in", 11, 20)
    expected = local(source, tmp_path / "local", rules={"boilerplate": "off"})  # which takes a fifth of the time
    out, tables, log = tmp_path / "out", tmp_path / ".out.spark", tmp_path / "log"
    log.mkdir()
    script = tmp_path / "job.py"
    script.write_text(JOB, encoding="utf-8")
    watched = {"spark.eventLog.enabled": "true", "spark.eventLog.dir": log.as_uri(), "spark.eventLog.compress": "false"}
    watched["spark.eventLog.rolling.enabled"] = "false"
    options = [part for name, value in {**SPECULATION, **watched}.items() for part in ("--conf", f"{name}={value}")]

    # an executor, with what it was doing; then a worker, with its executor and all that was shuffled there; then the
    # driver
    job = submit(standalone, [script, source, out, 4, "boilerplate"], options=options, PYSPARK_PYTHON=sys.executable)
    until(tables / "articles-keys" / "_SUCCESS", job)
    executors = standalone.executors()
    assert executors
    for number in executors:
        os.kill(number, signal.SIGKILL)
    until(tables / "articles-entries-0" / "_SUCCESS", job)
    os.killpg(standalone.workers[0].pid, signal.SIGKILL)
    until(tables / "contained-close" / "_SUCCESS", job)
    os.killpg(job.pid, signal.SIGKILL)
    job.communicate()
    assert not out.exists()
    [events] = [path for path in log.iterdir() if not path.name.startswith(".")]
    told = [json.loads(line) for line in events.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    names = [event["Event"] for event in told]
    assert names.count("SparkListenerExecutorRemoved") >= 2
    assert any(event.get("Task Info", {}).get("Speculative") for event in told), "no task was run twice"

    before = {path: path.stat().st_mtime_ns for path in tables.glob("*/_SUCCESS")}
    assert len(before) > 10
    # the same job at the command line goes on, with one worker left, and refuses to go on with another
    command = ["clean", source, "-o", out, "--engine", "spark", "--master", standalone.url, "--quiet", "--resume"]
    command += ["--rule", "boilerplate=off"]
    command = [sys.executable, "-m", "dedup", *map(str, command)]
    conf = " ".join(f"--conf '{name}={value}'" for name, value in QUICK.items())
    environ = environment(PYSPARK_SUBMIT_ARGS=f"{conf} pyspark-shell")
    told = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environ}
    refused = subprocess.Popen([*command, "--keep", "first"], **told)
    assert "begun with other inputs or settings" in refused.communicate()[1]
    job = subprocess.Popen(command, **told)
    until(tables / "paragraphs-keys" / "_SUCCESS", job)
    assert {path: path.stat().st_mtime_ns for path in before} == before, "what was there is not written again"
    finished(job)
    assert bytes_of(out) == expected
    assert not tables.exists()


def test_the_package_is_shipped_and_the_named_python_taken(standalone, tmp_path):
    source = corpus_of(tmp_path / "in", 12, 10)
    off = ("boilerplate", "shared-paragraph", "contained-article")  # half of the time for the same
    script, used, python = tmp_path / "job.py", tmp_path / "used", tmp_path / "python"
    script.write_text(JOB, encoding="utf-8")
    python.write_text(f'#!/bin/sh\necho "$@" >> {used}\nexec {sys.executable} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    archive = tmp_path / "dedup.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in (ROOT / "dedup").rglob("*"):
            if path.suffix in {".py", ".toml"}:
                packed.write(path, path.relative_to(ROOT))
    job = submit(
        standalone,
        [script, source, tmp_path / "out", 2, *off],
        options=["--py-files", archive],
        PYTHONPATH=without_package(),
        PYSPARK_PYTHON=python,
    )
    printed, errors = job.communicate(timeout=300)
    assert job.returncode == 0, errors[-3000:]
    assert "dedup.zip" in printed, "the driver too has it from the archive alone"
    assert "pyspark.daemon" in used.read_text(encoding="utf-8")
    assert bytes_of(tmp_path / "out") == local(source, tmp_path / "local", rules=dict.fromkeys(off, "off"))
