"""Run a function in a forked process that may be killed, without the second that a new interpreter takes."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Self
from unittest import mock


def run_forked(task: Callable[[], Any]) -> int:
    """Run `task` in a process of its own; return its exit status, or minus the signal that has killed it."""
    process = os.fork()
    if process == 0:
        status = 1
        try:
            task()
            status = 0
        except BaseException:  # noqa: BLE001 - the parent sees the status
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status)


class KilledAt:
    """A context in which this process kills itself with SIGKILL before call number `last` of `functions`.

    `functions` are pairs of an object and the name of its function.
    """

    def __init__(self, last: int, functions: list[tuple[Any, str]]) -> None:
        self.last = last
        self.functions = functions
        self.calls = 0
        self.stack = ExitStack()

    def __enter__(self) -> Self:
        for owner, name in self.functions:
            self.stack.enter_context(mock.patch.object(owner, name, self._counted(getattr(owner, name))))
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def _counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **options: Any) -> Any:
            if self.calls == self.last:
                os.kill(os.getpid(), signal.SIGKILL)
            self.calls += 1
            return function(*args, **options)

        return counted
