"""The death of processes, and signals to them: a worker ends with its parent, and hears no Ctrl-C itself."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from threading import Thread

from dedup.runtime.interruption import ENDING_SIGNALS, Held

_PR_SET_PDEATHSIG = 1  # of prctl(2)


def end_with_parent() -> None:
    """Let this process end when its parent does, even by SIGKILL: else it would keep its memory and wait for ever.

    Linux kills it. Elsewhere a thread waits for the end of a pipe, which comes late while another thread computes.
    """
    with suppress(OSError, AttributeError, TypeError):  # not Linux
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        if not parent.is_alive():  # it ended before Linux was asked to tell
            os._exit(1)
        Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def leave_signals_to_parent() -> None:
    """Ignore signals that come to the whole process group, but not SIGTERM, with which a parent ends its workers."""
    for number in ENDING_SIGNALS:
        signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING_SIGNALS)


@contextmanager
def held_signals() -> Iterator[None]:
    """Hold signals back while the block starts a process, which inherits that until it is ready for them.

    The system may give a signal to a thread of a library, such as one of Arrow, for which it is not held back. Then
    Python's handler runs inside the block all the same, and `Held` remembers the signal until its end.
    """
    can_mask = hasattr(signal, "pthread_sigmask")  # on Unix
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS) if can_mask else None
    Held.depth += 1
    try:
        yield
    finally:
        Held.depth -= 1
        number, Held.number = Held.number, None
        if before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if number is not None:
            signal.raise_signal(number)


def _end_with(sentinel: int) -> None:
    """End this process when the process of `sentinel` has ended."""
    wait([sentinel])
    os._exit(1)
