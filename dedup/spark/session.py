"""Start, check and configure Spark sessions; say in one line what is missing."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dedup
from dedup.errors import EngineError

_OLDEST_JAVA = 17  # the oldest that Spark 4 runs on
_CONNECT_SECONDS = 20.0  # that a cluster may take to accept a connection
_INSTALL = "run pip install '.[spark]' in a checkout of this project"

# What tasks need of any session. Articles are large, so a batch of a thousand is enough.
_SESSION_OPTIONS = {
    "spark.sql.execution.arrow.maxRecordsPerBatch": "1000",
    "spark.sql.execution.arrow.maxBytesPerBatch": "32m",
    "spark.sql.parquet.enableVectorizedReader": "true",
}
# By default Spark generates Java code for every plan and compiles it. A small job ends before that pays.
_SMALL_JOB_OPTIONS = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}
_INTERPRET_BELOW = 32 << 20  # bytes of input; with 40 MB both ways take the same time
# A job is hundreds of plans and short tasks. With Java's second compiler, 79 MB took two thirds more core-seconds in
# the executors, and 10 MB nearly twice as many in the driver; tasks were an eighth faster once compiled. Java reads
# this option before its other ones, which therefore win.
_FIRST_COMPILER_ONLY = "-XX:TieredStopAtLevel=1"
_FIRST_COMPILER_BELOW = 512 << 20  # bytes of input below which executors get that option too


def start_session(url: str | None, options: Mapping[str, str], size: int | None = None) -> Any:
    """Start a session on the cluster at `url`, with `options` as its Spark configuration.

    Without `url`, ``spark-submit`` or the configuration names the cluster, and otherwise this machine is used. `size`
    is that of the input in bytes, None if unknown. Raises `EngineError`.
    """
    check_package()
    from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra

    if SparkSession.getActiveSession() is None:
        _check_java()
        _check_address(url or "")
    # Otherwise workers would run the system's Python, whatever the driver runs.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("dedup")
    if url:
        builder = builder.master(url)
    elif "spark.master" not in options and not os.environ.get("SPARK_REMOTE") and not _is_submitted():
        builder = builder.master("local[*]")
    configuration, java_environment = _configuration(url, options, size)
    for name, value in configuration.items():
        builder = builder.config(name, value)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the version of pandas that PySpark was tested with
            with _environment(java_environment):
                session = builder.getOrCreate()
            session.sparkContext.setLogLevel("ERROR")
            if url and not url.startswith("local"):
                _check_workers(session, url)
    except EngineError:
        raise
    except Exception as error:
        raise EngineError(
            f"{url or 'spark'}: no session could be started ({main_line(error)}); is the address right, "
            "and is the cluster running?"
        ) from error
    return session


def _configuration(
    url: str | None, options: Mapping[str, str], size: int | None
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the Spark configuration, and the environment in which the driver's Java starts."""
    configuration, java_environment = {"spark.ui.showConsoleProgress": "false", **options}, {}
    is_short = size is not None and size < _FIRST_COMPILER_BELOW
    driver_does_tasks = re.match(r"local(\[|$)", url or options.get("spark.master", "local"))
    if is_short or not driver_does_tasks:  # the driver of a cluster only plans
        java_environment = {"SPARK_SUBMIT_OPTS": os.environ.get("SPARK_SUBMIT_OPTS", _FIRST_COMPILER_ONLY)}
    if is_short:
        configuration = {"spark.executorEnv.JDK_JAVA_OPTIONS": _FIRST_COMPILER_ONLY, **configuration}
    return configuration, java_environment


@contextmanager
def _environment(names: Mapping[str, str]) -> Iterator[None]:
    """Add `names` to the environment while the block runs, and restore it afterwards."""
    before = dict(os.environ)
    os.environ.update(names)
    try:
        yield
    finally:
        for name in names:
            os.environ.pop(name)
            if name in before:
                os.environ[name] = before[name]


def check_package() -> None:
    """Raise `EngineError` if PySpark is not installed, or too old."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pandas  # noqa: F401, ICN001, PLC0415
            import pyspark  # noqa: PLC0415
    except ImportError as error:
        raise EngineError(f"Spark: {error.name} is not installed; {_INSTALL}") from error
    if int(pyspark.__version__.split(".")[0]) < 4:
        raise EngineError(f"Spark: PySpark {pyspark.__version__} is too old; pip install 'pyspark>=4'")


def check_session(session: Any) -> None:
    """Raise `EngineError` if `session` is one of Spark Connect, which lacks what this engine needs."""
    if not hasattr(session, "_jvm"):
        raise EngineError(
            "Spark: this is a session of Spark Connect, which gives no access to file systems or to its "
            "tasks; use a classic session (on Databricks, a cluster with dedicated access)"
        )


def _is_submitted() -> bool:
    """Return True if ``spark-submit`` has started this driver, and so has chosen Java and the cluster."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def _check_java() -> None:
    """Raise `EngineError` if Java is missing, does not run or is too old."""
    if _is_submitted():
        return
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    advice = f"install Java {_OLDEST_JAVA} or 21, or set JAVA_HOME"
    if not java:
        raise EngineError(f"Spark needs Java, which was not found; {advice}")
    try:
        done = subprocess.run(  # noqa: S603 - the user's own Java
            [java, "-version"], capture_output=True, text=True, check=False, timeout=60
        )
    except OSError as error:
        raise EngineError(f"Spark: {java} cannot be run ({error.strerror}); {advice}") from error
    version = re.search(r'version "(?:1\.)?(\d+)', done.stderr + done.stdout)
    if version and int(version[1]) < _OLDEST_JAVA:
        raise EngineError(f"Spark: {java} is Java {version[1]}, Spark 4 needs {_OLDEST_JAVA} or newer; {advice}")


def _check_address(url: str) -> None:
    """Raise `EngineError` if nothing accepts connections at ``spark://HOST:PORT,...``.

    Spark itself would try for a minute.
    """
    if not url.startswith("spark://"):
        return
    reason = "no HOST:PORT"
    for address in url.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal():
            continue
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS).close()
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
        else:
            return
    raise EngineError(f"{url}: no cluster answers there ({reason}); is the address right, and is the cluster running?")


def _check_workers(session: Any, url: str) -> None:
    """Raise `EngineError` if no worker takes a task in time; Spark itself would wait without end."""
    import threading  # noqa: PLC0415

    seconds = float(os.environ.get("DEDUP_SPARK_WAIT", "120"))
    context = session.sparkContext
    done = threading.Event()

    def cancel_when_late() -> None:
        if not done.wait(seconds):
            context.cancelAllJobs()

    threading.Thread(target=cancel_when_late, daemon=True).start()
    try:
        session.range(1).count()
    except Exception as error:
        session.stop()
        raise EngineError(
            f"{url}: no worker has taken a task in {seconds:.0f} s ({main_line(error)}); see the cluster's own "
            "page for whether it has workers with free memory and cores"
        ) from error
    finally:
        done.set()


def main_line(error: Exception) -> str:
    """Return the most telling line of a long error message of Spark.

    That is the last one that names an exception, else the first; at most 200 characters.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and not line.startswith("\tat ")]
    named = [line for line in lines if re.match(r"[\w.]*(?:Error|Exception): ", line)]
    line = named[-1] if named else lines[0] if lines else type(error).__name__
    return line[:200].rstrip(".")


@contextmanager
def configured(session: Any, partitions: int, size: int | None) -> Iterator[None]:
    """Set the options that tasks need while the block runs, and restore the session's own afterwards.

    `size` is that of the input in bytes, None if unknown.
    """
    options = {**_SESSION_OPTIONS, "spark.sql.shuffle.partitions": str(partitions)}
    if size is not None and size < _INTERPRET_BELOW:
        options |= {name: value for name, value in _SMALL_JOB_OPTIONS.items() if session.conf.get(name, None) is None}
    before = {name: session.conf.get(name, None) for name in options}
    for name, value in options.items():
        session.conf.set(name, value)
    try:
        yield
    finally:
        for name, old in before.items():
            if old is None:
                session.conf.unset(name)
            else:
                session.conf.set(name, old)


def ship_package(session: Any) -> None:
    """Send this package to the workers as a zip archive; its dependencies must be installed there."""
    context = session.sparkContext
    package = Path(dedup.__file__).parent
    if context.master.startswith("local") or not package.is_dir():  # from an archive: ``--py-files`` has sent it
        return
    folder = Path(tempfile.mkdtemp(prefix="dedup-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # workers that start later fetch the archive, too
    archive_path = folder / f"dedup-{dedup.__version__}.zip"
    write_package(package, archive_path)
    context.addPyFile(str(archive_path))


def write_package(package: Path, archive_path: Path) -> None:
    """Write the files of the folder `package` to a zip archive, without what this machine has compiled or cached."""
    with zipfile.ZipFile(archive_path, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in package.rglob("*") if path.is_file()):
            if "__pycache__" not in path.parts:
                archive.write(path, str(path.relative_to(package.parent)))
