"""Map a task over items in worker processes, and go on if one of them is killed.

A system without free memory kills a process. Then the items in work are processed again, one after the other with no
other process, by a task that needs less memory. If that fails, too, the run ends with one line.
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from typing import Any, Generic, TypeVar

from dedup.errors import EngineError
from dedup.runtime.processes import held_signals

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_FAILURES = (BrokenProcessPool, BrokenPipeError, MemoryError)  # of a process that is killed or has no memory


@dataclass(frozen=True)
class WorkerPool:
    """Worker processes that `context` starts and `initializer` prepares."""

    context: BaseContext
    processes: int
    initializer: Callable[[], None]
    report_retry: Callable[[], None] | None = None  # called before an item is processed again

    def map(
        self,
        task: Callable[[ItemT], ResultT],
        items: Iterable[ItemT],
        careful: Callable[[ItemT], ResultT],
    ) -> Iterator[ResultT]:
        """Yield ``task(item)`` for each item, in order; ``careful(item)`` if its process was killed.

        At most two items more than there are processes are in work at once. Raises `EngineError` if `careful` is killed
        as well.
        """
        rest = iter(items)
        unfinished = yield from self._map_until_failure(task, rest)
        while unfinished:
            for work in unfinished:
                yield work.future.result() if work.is_done() else self._run_alone(careful, work.item)
            unfinished = yield from self._map_until_failure(task, rest)

    def _map_until_failure(
        self, task: Callable[[ItemT], ResultT], items: Iterator[ItemT]
    ) -> Generator[ResultT, None, deque[_Work[ItemT, ResultT]]]:
        """Yield results until a process fails; return the items that were taken and whose results were not yielded."""
        works: deque[_Work[ItemT, ResultT]] = deque()
        with self._started(self.processes) as pool:
            for item in items:
                works.append(_Work(item, _submit(pool, task, item)))
                if len(works) >= self.processes + 2:
                    if works[0].has_failed():
                        return works
                    yield works.popleft().future.result()
            while works and not works[0].has_failed():
                yield works.popleft().future.result()
        return works

    def _run_alone(self, task: Callable[[ItemT], ResultT], item: ItemT) -> ResultT:
        """Return ``task(item)``, with no other worker process."""
        if self.report_retry:
            self.report_retry()
        with self._started(1) as pool:
            future = _submit(pool, task, item)
            workers = _workers_of(pool)
            error = future.exception()
        if isinstance(error, (BrokenProcessPool, BrokenPipeError)):
            codes = [worker.exitcode for worker in workers]  # known now that the pool has waited for its processes
            raise EngineError(
                f"a worker process was ended {_cause(codes)}, also when it worked alone and in smaller pieces; "
                "if memory ran out, give a smaller `memory`, or fewer `jobs`"
            ) from error
        return future.result()

    @contextmanager
    def _started(self, processes: int) -> Iterator[ProcessPoolExecutor]:
        """Yield worker processes, which end with the block; at once if it ends early."""
        pool = ProcessPoolExecutor(processes, mp_context=self.context, initializer=self.initializer)
        is_complete = False
        try:
            yield pool
            is_complete = True
        finally:
            if not is_complete:
                for worker in _workers_of(pool):
                    worker.kill()
            pool.shutdown(cancel_futures=True)


class _Work(Generic[ItemT, ResultT]):
    """An item and its future result."""

    def __init__(self, item: ItemT, future: Future[ResultT]) -> None:
        self.item = item
        self.future = future

    def has_failed(self) -> bool:
        """Wait for the result; return True if there is none because the process was killed or had no memory."""
        return isinstance(self.future.exception(), _FAILURES)

    def is_done(self) -> bool:
        """Return True if there is a result, or an error of the task itself."""
        return self.future.done() and not self.future.cancelled() and not self.has_failed()


def _submit(pool: ProcessPoolExecutor, task: Callable[[ItemT], ResultT], item: ItemT) -> Future[ResultT]:
    """Return the future of ``task(item)``; one that has failed if a process was killed before."""
    try:
        with held_signals():
            return pool.submit(task, item)
    except (BrokenProcessPool, BrokenPipeError) as error:
        failed: Future[ResultT] = Future()
        failed.set_exception(error)
        return failed


def _workers_of(pool: ProcessPoolExecutor) -> list[Any]:
    """Return the processes of `pool`, which has no public name for them before Python 3.14."""
    return list((pool._processes or {}).values())  # noqa: SLF001


def _cause(codes: list[int | None]) -> str:
    """Return how processes with these exit codes ended.

    >>> _cause([-9])
    'by signal 9 (SIGKILL)'
    """
    code = next((code for code in codes if code), None)
    if code is None:
        return "early"
    return f"by signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"with status {code}"
