"""How far Spark is, told as the local engine tells it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dedup.stopwatch import Stopwatch

_EVERY = 0.5  # seconds


@contextmanager
def watched(session: Any, watch: Stopwatch, total: int) -> Iterator[None]:
    """Tells `watch`, while the block runs, which share of the tasks of running stages is done, of `total` bytes."""
    if watch.progress is None:
        yield
        return
    tracker = session.sparkContext.statusTracker()
    ended = threading.Event()

    def tell() -> None:
        while not ended.wait(_EVERY):
            stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
            tasks = sum(stage.numTasks for stage in stages if stage)
            if tasks:
                watch.at(total * sum(stage.numCompletedTasks for stage in stages if stage) // tasks, total)

    thread = threading.Thread(target=tell, name="dedup-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
