"""A Spark session that can run our tasks, or one line that says what is missing."""

from __future__ import annotations

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

_JAVA = 17  # the oldest that Spark 4 runs on
_ANSWERS_IN = 20.0  # seconds that a scheduler has to answer

# What our tasks ask of any session. An article is large: a batch of a thousand is enough.
_ASKED = {
    "spark.sql.execution.arrow.maxRecordsPerBatch": "1000",
    "spark.sql.execution.arrow.maxBytesPerBatch": "32m",
    "spark.sql.parquet.enableVectorizedReader": "true",
}
# Java code is made of every plan, and compiled, unless told otherwise. A small job has ended before that pays.
_ASKED_SMALL = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}
_SMALL = 32 << 20  # bytes of input; with 40 MB both ways take the same
# Hundreds of plans and short tasks: with Java's second compiler 79 MB took two thirds more core-seconds in the
# executors, 10 MB nearly twice as many in the driver; tasks were an eighth faster once compiled. Read by Java before
# what else it is told.
_QUICK_JAVA = "-XX:TieredStopAtLevel=1"
_QUICK = 512 << 20  # bytes of input below which that goes for those that work, too


def started(url: str | None, options: Mapping[str, str], size: int | None = None) -> Any:
    """A session on the cluster at `url` (None: what ``spark-submit`` or the configuration says, else this machine).

    `size` is of the input, in bytes, where it is known. Raises `EngineError`.
    """
    check_package()
    from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra

    if SparkSession.getActiveSession() is None:
        _check_java()
        _check_answers(url or "")
    # Workers would take the system's Python otherwise, whatever runs here.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("dedup")
    if url:
        builder = builder.master(url)
    elif "spark.master" not in options and not os.environ.get("SPARK_REMOTE") and not _submitted():
        builder = builder.master("local[*]")
    given, java = {"spark.ui.showConsoleProgress": "false", **options}, {}
    quick = size is not None and size < _QUICK
    alone = re.match(r"local(\[|$)", url or options.get("spark.master", "local"))
    if quick or not alone:  # a driver that is not alone only plans
        java = {"SPARK_SUBMIT_OPTS": os.environ.get("SPARK_SUBMIT_OPTS", _QUICK_JAVA)}
    if quick:
        given = {"spark.executorEnv.JDK_JAVA_OPTIONS": _QUICK_JAVA, **given}
    for name, value in given.items():
        builder = builder.config(name, value)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what pandas PySpark was tested with
            with _environment(java):
                session = builder.getOrCreate()
            session.sparkContext.setLogLevel("ERROR")
            if url and not url.startswith("local"):
                _check_workers(session, url)
    except EngineError:
        raise
    except Exception as error:
        raise EngineError(
            f"{url or 'spark'}: no session could be started ({first_line(error)}); is the address right, "
            "and does the cluster run?"
        ) from error
    return session


@contextmanager
def _environment(names: Mapping[str, str]) -> Iterator[None]:
    """`names` in the environment, for Java to find; as it was before, afterwards."""
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
    """Raises `EngineError` where PySpark is not installed, or too old."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pandas  # noqa: F401, ICN001, PLC0415
            import pyspark  # noqa: PLC0415
    except ImportError as error:
        raise EngineError(
            f"--engine spark: {error.name} is not installed; pip install 'article-dedup[spark]'"
        ) from error
    if int(pyspark.__version__.split(".")[0]) < 4:
        raise EngineError(f"--engine spark: PySpark {pyspark.__version__} is too old; pip install 'pyspark>=4'")


def check_session(session: Any) -> None:
    """Raises `EngineError` where a session cannot do what is asked of it."""
    if not hasattr(session, "_jvm"):
        raise EngineError(
            "--engine spark: this is a session of Spark Connect, which has no access to file systems and to its own "
            "tasks; take a classic one (on Databricks, a cluster with dedicated access)"
        )


def _submitted() -> bool:
    return "PYSPARK_GATEWAY_PORT" in os.environ  # spark-submit has said where


def _check_java() -> None:
    if _submitted():
        return
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    what = f"install Java {_JAVA} or 21, or set JAVA_HOME"
    if not java:
        raise EngineError(f"--engine spark: Spark needs Java, and there is none; {what}")
    try:
        told = subprocess.run(  # noqa: S603 - the user's own Java
            [java, "-version"], capture_output=True, text=True, check=False, timeout=60
        )
    except OSError as error:
        raise EngineError(f"--engine spark: {java} cannot be run ({error.strerror}); {what}") from error
    found = re.search(r'version "(?:1\.)?(\d+)', told.stderr + told.stdout)
    if found and int(found[1]) < _JAVA:
        raise EngineError(f"--engine spark: {java} is Java {found[1]}, Spark 4 needs {_JAVA} or newer; {what}")


def _check_answers(url: str) -> None:
    """Raises `EngineError` where nobody listens at ``spark://HOST:PORT,...``: Spark itself would ask for a minute."""
    if not url.startswith("spark://"):
        return
    told = "no HOST:PORT"
    for place in url.removeprefix("spark://").split(","):
        host, _, port = place.rpartition(":")
        if not host or not port.isdecimal():
            continue
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWERS_IN).close()
        except (OSError, OverflowError) as error:
            told = getattr(error, "strerror", None) or str(error)
        else:
            return
    raise EngineError(f"{url}: no cluster answers there ({told}); is the address right, and does the cluster run?")


def _check_workers(session: Any, url: str) -> None:
    """Raises `EngineError` where no worker takes a task: Spark itself would wait for ever."""
    import threading  # noqa: PLC0415

    wait = float(os.environ.get("DEDUP_SPARK_WAIT", "120"))
    context = session.sparkContext
    done = threading.Event()

    def give_up() -> None:
        if not done.wait(wait):
            context.cancelAllJobs()

    threading.Thread(target=give_up, daemon=True).start()
    try:
        session.range(1).count()
    except Exception as error:
        session.stop()
        raise EngineError(
            f"{url}: no worker has taken a task in {wait:.0f} s ({first_line(error)}); see the cluster's own "
            "page for whether workers are there and have memory to spare"
        ) from error
    finally:
        done.set()


def first_line(error: Exception) -> str:
    """The line of a long message that says most."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and not line.startswith("\tat ")]
    named = [line for line in lines if re.match(r"[\w.]*(?:Error|Exception): ", line)]
    told = named[-1] if named else lines[0] if lines else type(error).__name__
    return told[:200].rstrip(".")


@contextmanager
def configured(session: Any, partitions: int, size: int | None) -> Iterator[None]:
    """The session with what our tasks ask of it, for an input of `size` bytes; as it was before, afterwards."""
    asked = {**_ASKED, "spark.sql.shuffle.partitions": str(partitions)}
    if size is not None and size < _SMALL:
        asked |= {name: value for name, value in _ASKED_SMALL.items() if session.conf.get(name, None) is None}
    before = {name: session.conf.get(name, None) for name in asked}
    for name, value in asked.items():
        session.conf.set(name, value)
    try:
        yield
    finally:
        for name, old in before.items():
            if old is None:
                session.conf.unset(name)
            else:
                session.conf.set(name, old)


def ship(session: Any) -> None:
    """Sends this package to the workers; what it depends on must be installed there."""
    context = session.sparkContext
    package = Path(dedup.__file__).parent
    if context.master.startswith("local") or not package.is_dir():  # in an archive: ``--py-files`` has sent it
        return
    folder = Path(tempfile.mkdtemp(prefix="dedup-"))
    archive = folder / f"dedup-{dedup.__version__}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(path for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"):
            packed.write(path, str(path.relative_to(package.parent)))
    context.addPyFile(str(archive))
