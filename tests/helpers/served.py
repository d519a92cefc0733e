"""Start ``dedup view`` for tests, as a person does, and open its pages."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from conftest import ROOT

HAS_VIEW = all(map(find_spec, ("starlette", "uvicorn", "jinja2", "duckdb")))
NO_VIEW = "the extra view is not installed: pip install '.[view]'"


class Served(NamedTuple):
    """A server of an output: its process, where it answers, and the token that its address has."""

    process: Any
    address: str
    token: str

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.address.rpartition(":")[2])


@contextmanager
def running(command: str, place: Path, pattern: str, *arguments: str) -> Iterator[tuple[Any, re.Match[str]]]:
    """Yield the process of a command that serves `place`, and the match of its first line; interrupt it in the end."""
    words = [sys.executable, "-m", "dedup", command, str(place), "--port", "0", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            match = re.fullmatch(pattern, line)
            assert match, (line, process.stderr.read() if process.poll() is not None else "")
            yield process, match
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=120)


@contextmanager
def served(out: Path, *arguments: str) -> Iterator[Served]:
    """Yield a server of the output `out`; it is interrupted in the end."""
    pattern = r"(http://127\.0\.0\.1:\d+)/\?token=([\w-]+)\n"
    with running("view", out, pattern, "--as", "ana", *arguments) as (process, match):
        yield Served(process, match[1], match[2])


def wait_for(test: Any, seconds: float = 15) -> Any:
    """Return the first true answer of `test`, which is called again and again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = test()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError("this took too long")
