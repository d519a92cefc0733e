"""A real Spark cluster for tests: Spark's own scheduler and two workers, as processes on the loopback interface."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from helpers.spark_cases import environment, path_without_package


class Cluster:
    """A standalone cluster: one scheduler and two workers of one core, started from the ``pyspark`` package."""

    def __init__(self, folder):
        import pyspark  # noqa: PLC0415 - an extra

        self.folder = folder
        self.home = Path(pyspark.__file__).parent
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"spark://127.0.0.1:{port}"
        self.processes = [self.start("master.Master", "127.0.0.1", "--port", str(port))]
        self.workers = [self.start_worker(number) for number in range(2)]

    def start(self, name, host, *options):
        command = [self.home / "bin" / "spark-class", f"org.apache.spark.deploy.{name}", "--host", host]
        # Workers know neither this package nor its folder, so it must be sent to them.
        environ = environment(
            SPARK_HOME=self.home, SPARK_LOCAL_IP=host, PYTHONPATH=path_without_package(), SPARK_DAEMON_MEMORY="256m"
        )
        with (self.folder / f"{name}-{time.monotonic_ns()}.log").open("wb") as log:
            return subprocess.Popen(
                [*command, "--webui-port", "0", *options], stdout=log, stderr=log, env=environ, start_new_session=True
            )

    def start_worker(self, number):
        folder = ("--work-dir", str(self.folder / f"work{number}"))
        # Each worker has an address of its own, since Spark runs no task twice on one host.
        host = f"127.0.0.{number + 2}"
        process = self.start("worker.Worker", host, "--cores", "1", "--memory", "1g", *folder, self.url)
        self.processes.append(process)
        return process

    def executors(self):
        """Return the process ids of the workers' executors."""
        workers = {worker.pid for worker in self.workers}
        executors = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                if int(path.read_text().rpartition(")")[2].split()[1]) in workers:
                    executors.append(int(path.parent.name))
        return executors

    def stop(self):
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for_file(path, job, seconds=240):
    """Wait until `path` exists while the process `job` runs."""
    for _ in range(seconds * 10):
        if path.exists():
            return
        assert job.poll() is None, job.communicate()[1][-3000:]
        time.sleep(0.1)
    raise AssertionError(f"{path} did not appear")


def wait_for_success(job):
    """Wait until the process `job` has succeeded."""
    _, errors = job.communicate(timeout=400)
    assert job.returncode == 0, errors[-3000:]
