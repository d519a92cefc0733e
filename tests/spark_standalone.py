"""A real cluster for tests: Spark's own scheduler and two workers as processes on the loopback interface."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from conftest import ROOT
from spark_cases import environment


class Cluster:
    """A standalone cluster: one scheduler, two workers of one core, started from the ``pyspark`` package."""

    def __init__(self, folder):
        import pyspark  # noqa: PLC0415 - an extra

        self.folder = folder
        self.home = Path(pyspark.__file__).parent
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"spark://127.0.0.1:{port}"
        self.processes = [self.start("master.Master", "127.0.0.1", "--port", str(port))]
        self.workers = [self.worker(number) for number in range(2)]

    def start(self, what, host, *options):
        command = [self.home / "bin" / "spark-class", f"org.apache.spark.deploy.{what}", "--host", host]
        # workers know neither this package nor the folder it is in: it must be sent to them
        environ = environment(
            SPARK_HOME=self.home, SPARK_LOCAL_IP=host, PYTHONPATH=without_package(), SPARK_DAEMON_MEMORY="256m"
        )
        with (self.folder / f"{what}-{time.monotonic_ns()}.log").open("wb") as log:
            return subprocess.Popen(
                [*command, "--webui-port", "0", *options], stdout=log, stderr=log, env=environ, start_new_session=True
            )

    def worker(self, number):
        work = ("--work-dir", str(self.folder / f"work{number}"))
        # each at an address of its own: Spark runs no task twice on one host
        host = f"127.0.0.{number + 2}"
        started = self.start("worker.Worker", host, "--cores", "1", "--memory", "1g", *work, self.url)
        self.processes.append(started)
        return started

    def executors(self):
        """The processes of the workers' executors."""
        workers = {worker.pid for worker in self.workers}
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                if int(path.read_text().rpartition(")")[2].split()[1]) in workers:
                    found.append(int(path.parent.name))
        return found

    def stop(self):
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def without_package():
    """The path of modules, without this package."""
    return os.pathsep.join(path for path in sys.path[1:] if path and Path(path) not in {ROOT, ROOT / "tests"})


def until(path, job, seconds=240):
    """Waits for a table of a running job."""
    for _ in range(seconds * 10):
        if path.exists():
            return
        assert job.poll() is None, job.communicate()[1][-3000:]
        time.sleep(0.1)
    raise AssertionError(f"{path} did not appear")


def finished(job):
    """Waits for the end of a job that ends well."""
    _, errors = job.communicate(timeout=400)
    assert job.returncode == 0, errors[-3000:]
