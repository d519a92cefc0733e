"""Measure how time grows with input, also on a machine that does other work."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

FEWEST_ROUNDS = 3
MOST_ROUNDS = 12
ENOUGH_SECONDS = 2.0


def cpu_seconds(work: Callable[[], Any]) -> float:
    """Return the CPU time of this process for one call of `work`, in seconds."""
    start = time.process_time()
    work()
    return time.process_time() - start


def assert_takes_at_most(seconds: float, work: Callable[[], Any]) -> None:
    """Assert that one of several calls of `work` takes at most `seconds` of CPU time."""
    tries = []
    while len(tries) < FEWEST_ROUNDS:
        tries.append(cpu_seconds(work))
        if tries[-1] <= seconds:
            return
    raise AssertionError(f"{min(tries):.2f} seconds at best, allowed are {seconds}")


def assert_linear(work: Callable[[int], Any], small: int, *, factor: int = 4, allowed: float = 0.0) -> None:
    """Assert that `work(factor * small)` takes at most about `factor` times as long as `work(small)`.

    A quadratic step takes `factor ** 2` times as long; the bound is 3/4 of that. Other work on the machine only adds
    time, so the shortest call of each size counts. Both sizes take turns, which spreads a busy time over both. A few
    rounds settle nearly every case; only a ratio above the bound asks for more. Work whose larger size takes at most
    `allowed` CPU seconds passes at once: where limits hold only from some size on, ratios of short times say nothing.

    >>> assert_linear(lambda size: sum(range(size)), 100_000)
    >>> assert_linear(lambda size: sum(range(size * size)), 300)
    Traceback (most recent call last):
        ...
    AssertionError: 4 times the size takes over 12 times as long
    """
    bound = 0.75 * factor**2
    least, large, spent = float("inf"), float("inf"), 0.0
    for number in range(1, MOST_ROUNDS + 1):
        large = min(large, cpu_seconds(lambda: work(factor * small)))
        if large <= allowed:
            return
        least = min(least, cpu_seconds(lambda: work(small)))
        spent += large + least
        settled = number >= FEWEST_ROUNDS or spent >= ENOUGH_SECONDS
        if settled and large <= bound * least:
            return
    raise AssertionError(f"{factor} times the size takes over {bound:g} times as long")
