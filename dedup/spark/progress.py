"""How far Spark is, told as the local engine tells it.

Spark's own listener keeps a store of all stages and tasks, and that is what is asked here, twice a second. A listener
of our own in Python would be called back by Java for each of some ten thousand events, through a second server and
under the lock of the interpreter; while it is slow, Spark drops events, and when it hangs, the job's end waits for it.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from dedup.runtime.progress import StageTimer

_EVERY = 0.5  # seconds
_GROUP, _ABOUT = "spark.jobGroup.id", "spark.job.description"


@contextmanager
def watched(session: Any, watch: StageTimer, total: int) -> Iterator[None]:
    """Tells `watch`, while the block runs, which share of the tasks of its running stages is done, of `total` bytes.

    Other jobs of the same application are no business of ours, and those of the block are cancelled when it fails.
    """
    context, group = session.sparkContext, f"dedup-{uuid.uuid4()}"
    before = {name: context.getLocalProperty(name) for name in (_GROUP, _ABOUT)}
    context.setLocalProperty(_GROUP, group)
    ended = threading.Event()
    thread = threading.Thread(
        target=_tell, args=(context.statusTracker(), group, watch, total, ended), name="dedup-progress", daemon=True
    )
    if watch.progress is not None:
        thread.start()
    try:
        yield
    except BaseException:
        with suppress(Exception):  # what has failed may be Spark itself
            context.cancelJobGroup(group)
        raise
    finally:
        ended.set()
        if thread.is_alive():
            thread.join()
        with suppress(Exception):
            for name, value in before.items():
                context.setLocalProperty(name, value)


def _tell(tracker: Any, group: str, watch: StageTimer, total: int, ended: threading.Event) -> None:
    while not ended.wait(_EVERY):
        done = tasks = 0
        running = set(tracker.getActiveStageIds())
        for job in set(tracker.getActiveJobsIds()) & set(tracker.getJobIdsForGroup(group)):
            told = tracker.getJobInfo(job)
            for stage in running & set(told.stageIds if told else ()):
                state = tracker.getStageInfo(stage)
                done += state.numCompletedTasks if state else 0
                tasks += state.numTasks if state else 0
        if tasks:
            watch.at(total * done // tasks, total)
