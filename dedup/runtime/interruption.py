"""End the program when it is interrupted: by Ctrl-C, by SIGTERM, or by SIGHUP when its terminal is closed.

All three behave alike, with the exit status of the shell's convention, 128 and the number of the signal. Before and
after the work there is nothing to clear up, so the program ends at once. During the work an exception lets it clear up
first. This module imports nothing that takes time, so that it can be used at the very start.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import time
from contextlib import suppress
from typing import Any, NoReturn

ENDING_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
MESSAGE = "dedup: interrupted"

# Seconds in which a second signal is taken for the same one: a closed terminal and `timeout` send it twice. Later ones
# end the program at once, since its clean-up hangs.
_PATIENCE = 2.0
_AGAIN_AFTER = 0.05  # seconds until a signal that could not be raised is sent again


class InterruptedRun(BaseException):
    """The exception that a signal raises during the work; `status` is the exit status.

    It is no `KeyboardInterrupt`, for which Click prints a line.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.status = 128 + number


class Held:
    """Signals that came while a block must not be interrupted: `depth` blocks are open, `number` is the last signal."""

    depth = 0
    number: int | None = None


class _Raiser:
    """A handler of signals that raises `InterruptedRun`; `interrupted` is the one that it has raised."""

    def __init__(self) -> None:
        self.interrupted: InterruptedRun | None = None
        self.when = 0.0

    def __call__(self, number: int, frame: Any) -> None:
        if Held.depth:
            Held.number = number
        elif self.interrupted is None:
            self.interrupted, self.when = InterruptedRun(number), time.monotonic()
            raise self.interrupted
        elif time.monotonic() - self.when > _PATIENCE:
            _end_process(number, frame)

    def report_unraisable(self, unraisable: Any) -> None:
        """Send the signal again if Python could not raise its exception where the signal came, as in a finalizer.

        A thread sends it a moment later. Until then the handler raises nothing, because Python could not raise an
        exception during this call either. The thread is started by `_thread`, which does not wait for its start.
        """
        if isinstance(unraisable.exc_value, InterruptedRun):
            _thread.start_new_thread(self._send_again, (unraisable.exc_value.status - 128, _thread.get_ident()))
        else:
            sys.__unraisablehook__(unraisable)

    def _send_again(self, number: int, main_thread: int) -> None:
        """Let the handler raise again, and send the signal to the main thread, in which it is raised."""
        time.sleep(_AGAIN_AFTER)
        self.interrupted = None
        signal.pthread_kill(main_thread, number)


def end_at_once() -> None:
    """Let each signal end this process at once, from now on."""
    _handle(_end_process)


def raise_once() -> _Raiser:
    """Let the first signal raise `InterruptedRun` in the main thread, from now on; return what has been raised."""
    raiser = _Raiser()
    sys.unraisablehook = raiser.report_unraisable
    _handle(raiser)
    return raiser


def say_interrupted(advice: str = "") -> None:
    """Write the one line about it, which ends with `advice`, to standard error, whatever state that is in."""
    with suppress(OSError):  # a closed terminal
        os.write(2, f"{MESSAGE}{advice}\n".encode())


def _end_process(number: int, _frame: Any) -> NoReturn:
    say_interrupted()
    os._exit(128 + number)


def _handle(handler: Any) -> None:
    """Set the handler of the signals, except those that the caller ignores, as nohup does."""
    for number in ENDING_SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)
