"""Report the progress of a Spark job the way the local engine reports its own.

Spark's own listener keeps a store of all stages and tasks; this module reads that store twice a second. A listener
written in Python would be worse: Java would call it for each of some ten thousand events, through a second server and
under the interpreter lock. A slow listener makes Spark drop events, and one that hangs delays the end of the job.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from dedup.runtime.progress import StageTimer

_POLL_SECONDS = 0.5
_GROUP_PROPERTY, _DESCRIPTION_PROPERTY = "spark.jobGroup.id", "spark.job.description"


@contextmanager
def report_progress(session: Any, timer: StageTimer, total: int) -> Iterator[None]:
    """Report to `timer`, while the block runs, how far the running Spark stages are.

    `total` is the size of the input in bytes; progress is the share of finished tasks, in bytes of that. Only jobs that
    the block starts count, not others of the same application. If the block fails, its running jobs are cancelled.
    """
    context, group = session.sparkContext, f"dedup-{uuid.uuid4()}"
    before = {name: context.getLocalProperty(name) for name in (_GROUP_PROPERTY, _DESCRIPTION_PROPERTY)}
    context.setLocalProperty(_GROUP_PROPERTY, group)
    ended = threading.Event()
    thread = threading.Thread(
        target=_poll, args=(context.statusTracker(), group, timer, total, ended), name="dedup-progress", daemon=True
    )
    if timer.progress is not None:
        thread.start()
    try:
        yield
    except BaseException:
        with suppress(Exception):  # Spark itself may be what failed
            context.cancelJobGroup(group)
        raise
    finally:
        ended.set()
        if thread.is_alive():
            thread.join()
        with suppress(Exception):
            for name, value in before.items():
                context.setLocalProperty(name, value)


def _poll(tracker: Any, group: str, timer: StageTimer, total: int, ended: threading.Event) -> None:
    """Report the share of finished tasks in the running stages of job group `group` until `ended` is set."""
    while not ended.wait(_POLL_SECONDS):
        done_tasks = task_count = 0
        active_stages = set(tracker.getActiveStageIds())
        for job in set(tracker.getActiveJobsIds()) & set(tracker.getJobIdsForGroup(group)):
            info = tracker.getJobInfo(job)
            for stage in active_stages & set(info.stageIds if info else ()):
                state = tracker.getStageInfo(stage)
                if state:  # a task that ran twice is completed twice
                    done_tasks += min(state.numCompletedTasks, state.numTasks)
                    task_count += state.numTasks
        if task_count:
            timer.at(total * done_tasks // task_count, total)
