"""Killed processes, speculative tasks and a shipped package change no byte of output; on a real cluster."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from helpers.news import bytes_of
from helpers.spark_cases import (
    QUICK_OPTIONS,
    corpus_of,
    environment,
    local_output,
    needs_spark,
    path_without_package,
    write_archive,
)
from helpers.spark_standalone import Cluster, wait_for_file, wait_for_success

pytestmark = [
    pytest.mark.slow,
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
    cluster = Cluster(tmp_path)
    yield cluster
    cluster.stop()


def submit(cluster, arguments, *, options=(), **environ):
    """Start ``spark-submit`` with `arguments` on the cluster; `options` are those of ``spark-submit`` itself."""
    command = [cluster.home / "bin" / "spark-submit", "--master", cluster.url, *options]
    for name, value in QUICK_OPTIONS.items():
        command += ["--conf", f"{name}={value}"]
    return subprocess.Popen(
        [*map(str, [*command, *arguments])],
        env=environment(SPARK_HOME=cluster.home, PYSPARK_DRIVER_PYTHON=sys.executable, **environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_killed_processes_change_no_byte(standalone, tmp_path):
    source = corpus_of(tmp_path / "in", 11, 20)
    expected = local_output(source, tmp_path / "local", rules={"boilerplate": "off"})  # a fifth of the time
    out, tables, log = tmp_path / "out", tmp_path / ".out.spark", tmp_path / "log"
    log.mkdir()
    script = tmp_path / "job.py"
    script.write_text(JOB, encoding="utf-8")
    event_log = {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": log.as_uri(),
        "spark.eventLog.compress": "false",
        "spark.eventLog.rolling.enabled": "false",
    }
    options = [part for name, value in {**SPECULATION, **event_log}.items() for part in ("--conf", f"{name}={value}")]

    # Kill the executors with their tasks, then a worker with its executor and its shuffled data, then the driver.
    job = submit(standalone, [script, source, out, 4, "boilerplate"], options=options, PYSPARK_PYTHON=sys.executable)
    wait_for_file(tables / "articles-keys" / "_SUCCESS", job)
    executors = standalone.executors()
    assert executors
    for number in executors:
        os.kill(number, signal.SIGKILL)
    wait_for_file(tables / "articles-entries-0" / "_SUCCESS", job)
    os.killpg(standalone.workers[0].pid, signal.SIGKILL)
    wait_for_file(tables / "contained-pairs" / "_SUCCESS", job)
    os.killpg(job.pid, signal.SIGKILL)
    job.communicate()
    assert not out.exists()
    [path] = [path for path in log.iterdir() if not path.name.startswith(".")]
    events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    assert [event["Event"] for event in events].count("SparkListenerExecutorRemoved") >= 2
    assert any(event.get("Task Info", {}).get("Speculative") for event in events), "no task was run twice"

    before = {path: path.stat().st_mtime_ns for path in tables.glob("*/_SUCCESS")}
    assert len(before) > 10
    # With one worker left, the command line resumes the same job, and refuses to resume it with other settings.
    command = ["clean", source, "-o", out, "--engine", "spark", "--master", standalone.url, "--quiet", "--resume"]
    command += ["--rule", "boilerplate=off"]
    command = [sys.executable, "-m", "dedup", *map(str, command)]
    conf = " ".join(f"--conf '{name}={value}'" for name, value in QUICK_OPTIONS.items())
    environ = environment(PYSPARK_SUBMIT_ARGS=f"{conf} pyspark-shell")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environ}
    refused = subprocess.Popen([*command, "--keep", "first"], **pipes)
    assert "a job with other inputs or settings" in refused.communicate()[1]
    job = subprocess.Popen(command, **pipes)
    wait_for_file(tables / "paragraphs-keys" / "_SUCCESS", job)
    assert {path: path.stat().st_mtime_ns for path in before} == before, "complete tables are not written again"
    wait_for_success(job)
    assert bytes_of(out) == expected
    assert not tables.exists()


def test_workers_get_the_package_and_run_the_named_python(standalone, tmp_path):
    source = corpus_of(tmp_path / "in", 12, 10)
    off = ("boilerplate", "shared-paragraph", "contained-article")  # half of the time
    script, used, python = tmp_path / "job.py", tmp_path / "used", tmp_path / "python"
    script.write_text(JOB, encoding="utf-8")
    python.write_text(f'#!/bin/sh\necho "$@" >> {used}\nexec {sys.executable} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    archive = write_archive(tmp_path / "dedup.zip")
    job = submit(
        standalone,
        [script, source, tmp_path / "out", 2, *off],
        options=["--py-files", archive],
        PYTHONPATH=path_without_package(),
        PYSPARK_PYTHON=python,
    )
    printed, errors = job.communicate(timeout=300)
    assert job.returncode == 0, errors[-3000:]
    assert "dedup.zip" in printed, "the driver too has the package from the archive alone"
    assert "pyspark.daemon" in used.read_text(encoding="utf-8")
    assert bytes_of(tmp_path / "out") == local_output(source, tmp_path / "local", rules=dict.fromkeys(off, "off"))
