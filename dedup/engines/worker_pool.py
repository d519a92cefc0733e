"""Map a task over items in worker processes, and go on if one of them is killed.

A system without free memory kills a process. Then the items in work are processed again, one after the other with no
other process, by a task that needs less memory. If that fails, too, the run ends with one line.

A process may be killed while it writes a result. The executor would wait for ever for the rest of it: the pipe does not
end as long as another process can write to it. So a thread waits for the end of each process (`_Watch`).
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from threading import Thread
from typing import Any, Generic, TypeVar

from dedup.errors import EngineError
from dedup.runtime.processes import held_signals

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_WATCH_SECONDS = 0.2  # after which processes that were started meanwhile are watched, too
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
                works.append(_Work(item, pool.submit(task, item)))
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
            future = pool.submit(task, item)
            workers = pool.workers
            error = future.exception()
        if isinstance(error, (BrokenProcessPool, BrokenPipeError)):
            codes = [worker.exitcode for worker in workers]  # known now that the pool has waited for its processes
            raise EngineError(
                f"a worker process was ended {_cause(codes)}, also when it worked alone and in smaller pieces; "
                "if memory ran out, give a smaller `memory`, or fewer `jobs`"
            ) from error
        return future.result()

    @contextmanager
    def _started(self, processes: int) -> Iterator[WatchedExecutor]:
        """Yield worker processes, which end with the block."""
        pool = WatchedExecutor(ProcessPoolExecutor(processes, mp_context=self.context, initializer=self.initializer))
        try:
            yield pool
        finally:
            pool.end()


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


class WatchedExecutor:
    """An executor whose processes all end when one of them is killed."""

    def __init__(self, executor: ProcessPoolExecutor) -> None:
        self._executor = executor
        self._watch: _Watch | None = None

    @property
    def workers(self) -> list[Any]:
        """The processes, for which an executor has no public name before Python 3.14."""
        return list((self._executor._processes or {}).values())  # noqa: SLF001

    def submit(self, task: Callable[[ItemT], ResultT], item: ItemT) -> Future[ResultT]:
        """Return the future of ``task(item)``; one that has failed if a process was killed before."""
        try:
            with held_signals():
                future = self._executor.submit(task, item)
                if self._watch is None:  # a thread, so it starts when processes have been forked
                    self._watch = _Watch(lambda: self.workers, self._kill_all)
                return future
        except (BrokenProcessPool, BrokenPipeError) as error:
            failed: Future[ResultT] = Future()
            failed.set_exception(error)
            return failed

    def end(self) -> None:
        """End the processes at once; their unfinished work is no longer needed.

        They are killed and not asked to end: they read such a request from one pipe, under a lock, and if the process
        that holds the lock was killed, the others would wait for ever.
        """
        if self._watch:
            self._watch.stop()  # first, since one thread at a time may close the pipe
        self._kill_all()
        self._executor.shutdown(cancel_futures=True)

    def _kill_all(self) -> None:
        """Kill the processes, and close the pipe of their results.

        Then the executor finds that it is broken, even while it reads a result of which only a part was written.
        """
        for worker in self.workers:
            worker.kill()
        results: Any = self._executor._result_queue  # noqa: SLF001 - it has no public name
        results._writer.close()  # noqa: SLF001


class _Watch:
    """A thread that waits until one of `workers` ends, and then calls `kill_all`."""

    def __init__(self, workers: Callable[[], list[Any]], kill_all: Callable[[], None]) -> None:
        self._workers = workers
        self._kill_all = kill_all
        self._told, self._tell = Pipe(duplex=False)
        self._thread = Thread(target=self._wait_for_the_first, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._tell.send_bytes(b"stop")
        self._thread.join()
        self._tell.close()
        self._told.close()

    def _wait_for_the_first(self) -> None:
        ended: list[Any] = []
        while not ended:
            ended = wait([self._told, *(worker.sentinel for worker in self._workers())], _WATCH_SECONDS)
        if self._told not in ended:
            self._kill_all()


def _cause(codes: list[int | None]) -> str:
    """Return how processes with these exit codes ended.

    >>> _cause([-9])
    'by signal 9 (SIGKILL)'
    """
    code = next((code for code in codes if code), None)
    if code is None:
        return "early"
    return f"by signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"with status {code}"
