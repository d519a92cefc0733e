"""Progress and duration of each stage."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from dedup.runtime.run_log import RunLog

ItemT = TypeVar("ItemT")

Progress = Callable[[str, int, int | None], None]  # stage, bytes done so far, bytes in all (None: unknown)

COMPILE_STAGE = "compile"  # before the first larger job of an installation; it counts kernels in place of bytes


class StageTimer:
    """A timer of seconds per stage, in the order in which they began, that reports every step to `progress`.

    `log` gets a line where a stage begins and where it ends. Threads may share a timer: the stage, the bytes done and
    the total of a report always come from the same update.
    """

    def __init__(self, progress: Progress | None = None, log: RunLog | None = None) -> None:
        self.progress = progress
        self.log = log or RunLog()
        self.seconds: dict[str, float] = {}
        self.steps: Counter[str] = Counter()  # taken by each stage that does not count bytes
        self.expected: Mapping[str, int] = {}  # number of steps that such a stage is likely to take
        self._stage = ""
        self._done = 0
        self._total: int | None = None
        self._adds_up = False  # the stage reports its bytes by `done` alone
        self._input_size = 0  # bytes of the input, by the last stage that counted them
        self._lock = threading.RLock()

    @contextmanager
    def stage(self, name: str, total: int | None = None, *, adds_up: bool = False) -> Iterator[None]:
        """Time the block as stage `name`, which has `total` bytes to do; None if it takes steps instead.

        `adds_up` says that the block reports its bytes by `done`; then reports by `at` are ignored until it ends.
        """
        with self._lock:
            self._stage, self._done, self._total, self._adds_up = name, 0, total, adds_up
            self._report()
        began = time.perf_counter()
        try:
            with self.log.stage(name):
                yield
            self._adds_up = False
            self._input_size = max(self._input_size, self._done)
            if total is None and self._input_size:
                self.at(self._input_size, self._input_size)
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began

    def over(self, name: str, items: Iterator[ItemT], total: int | None) -> Iterator[ItemT]:
        """Yield `items`; time the iteration, and the work that the caller does on each item, as stage `name`.

        The caller says by `done` how much input is behind each item.
        """
        with self.stage(name, total, adds_up=True):
            yield from items

    def done(self, size: int) -> None:
        """Record that the stage has processed another `size` bytes of the input."""
        with self._lock:
            self._done += size
            self._report()

    def at(self, done: int, total: int) -> None:
        """Record that the stage has processed `done` of `total` bytes; ignored in a stage that adds them up itself."""
        with self._lock:
            if not self._adds_up:
                self._done, self._total = done, total
                self._report()

    def step(self) -> None:
        """Record that the stage has taken a step; report it in bytes if the number of steps is known."""
        self.steps[self._stage] += 1
        expected = self.expected.get(self._stage)
        if expected and self._input_size:
            self.at(self._input_size * min(self.steps[self._stage], expected) // expected, self._input_size)

    def _report(self) -> None:
        if self.progress:
            self.progress(self._stage, self._done, self._total)
