"""Run the command line inside this process: the same function as the installed command, without its start."""

from __future__ import annotations

import gc
import shlex
import signal
from collections.abc import Mapping
from typing import NamedTuple

from click.testing import CliRunner

from dedup.cli import main


class Finished(NamedTuple):
    """What a command printed, and its exit status."""

    status: int
    stdout: str
    stderr: str


def run_dedup(command: str, stdin: str | bytes | None = None, env: Mapping[str, str | None] | None = None) -> Finished:
    """Run a command line that begins with ``dedup``, in the working folder of the tests.

    `env` changes the environment; None removes a variable.
    """
    program, *args = shlex.split(command)
    assert program == "dedup", command
    handler = signal.getsignal(signal.SIGTERM)
    with CliRunner().isolation(stdin, {"COLUMNS": "120", "NO_COLOR": None, **(env or {})}) as (stdout, stderr, _):
        try:
            main(args)
        except SystemExit as end:
            status = end.code
        finally:
            gc.unfreeze()
            signal.signal(signal.SIGTERM, handler)
        return Finished(int(status or 0), stdout.getvalue().decode(), stderr.getvalue().decode())
