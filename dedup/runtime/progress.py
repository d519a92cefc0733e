"""How long each stage takes, and how far it is: the one place with a clock."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")

Progress = Callable[[str, int, int | None], None]  # stage, bytes done so far, of how many (None: not known)


class StageTimer:
    """Seconds per stage, in the order they were begun; tells `progress` of every step."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.progress = progress
        self.seconds: dict[str, float] = {}
        self.steps: Counter[str] = Counter()  # taken in each stage that does not count bytes
        self.expected: Mapping[str, int] = {}  # steps that such a stage is likely to take
        self._stage = ""
        self._done = 0
        self._total: int | None = None
        self._size = 0  # bytes of the input, as the last stage that counts them has told

    @contextmanager
    def stage(self, name: str, total: int | None = None) -> Iterator[None]:
        """Times the block as stage `name`, which has `total` bytes to do; None where it takes steps instead."""
        self._stage, self._done, self._total = name, 0, total
        self._tell()
        began = time.perf_counter()
        try:
            yield
            self._size = max(self._size, self._done)
            if total is None and self._size:
                self.at(self._size, self._size)
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began

    def over(self, name: str, items: Iterator[Item], total: int | None) -> Iterator[Item]:
        """`items`, timed as stage `name` together with what is done with them."""
        with self.stage(name, total):
            yield from items

    def done(self, size: int) -> None:
        """Says that so many more bytes of input are through the stage."""
        self._done += size
        self._tell()

    def at(self, done: int, total: int) -> None:
        """Says that so many bytes of the `total` are through the stage, where that is not counted step by step."""
        self._done, self._total = done, total
        self._tell()

    def step(self) -> None:
        """Says that a stage has taken one of its steps; as bytes, if it is known how many there will be."""
        self.steps[self._stage] += 1
        expected = self.expected.get(self._stage)
        if expected and self._size:
            self.at(self._size * min(self.steps[self._stage], expected) // expected, self._size)

    def _tell(self) -> None:
        if self.progress:
            self.progress(self._stage, self._done, self._total)
