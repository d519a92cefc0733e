"""The local engine: processes on this machine, or none at all for a small job."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from dedup.engines.worker_pool import WorkerPool
from dedup.errors import EngineError, SettingsError
from dedup.kernels.backend import SMALL_BYTES, Backend, load_backend
from dedup.read.records import BATCH_BYTES
from dedup.runtime.processes import end_with_parent, leave_signals_to_parent
from dedup.runtime.progress import COMPILE_STAGE, Progress, StageTimer
from dedup.runtime.run_log import RunLog
from dedup.settings import invalid

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

START_VARIABLE = "DEDUP_START"  # environment variable that overrides how worker processes are started

_MIN_MEMORY = 64 << 20  # bytes
_MIN_BATCH_BYTES = 256 << 10
_BATCH_EXPANSION = 16  # a batch in work takes about this many times its size: raw bytes, texts, keys, columns
_MATCHING_SHARE = 3  # divides the memory; the rest is for arrays of one value per article and for the process itself
_UNKNOWN_MACHINE_BYTES = 4 << 30  # assumed where the system does not say how much memory it has

_RETRY = "a worker process was killed, or had no memory; its batch is tried again alone, in smaller pieces"

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of mallopt(3)
_MAX_MMAP_THRESHOLD = 32 << 20  # bytes: the largest value that glibc accepts
_KEPT_BYTES = 1 << 30  # free memory that a process keeps; more than a batch takes


@dataclass(frozen=True)
class LocalEngine:
    """An engine that runs every stage on this machine.

    `jobs` is the number of processes (None: one per available core). `memory` is the number of bytes that all batches
    in work may take together (None: half of the machine's memory). `resume`: continue from what an interrupted run of
    `dedup.clean` has left for the same output. None of these changes a byte of output. Raises `SettingsError` if a
    value is too small.
    """

    jobs: int | None = None
    memory: int | None = None
    resume: bool = False

    def __post_init__(self) -> None:
        if self.jobs is not None and self.jobs < 1:
            raise invalid("jobs", self.jobs, "not a number of processes; give 1 or more")
        if self.memory is not None and self.memory < _MIN_MEMORY:
            raise invalid("memory", self.memory, "too few bytes; give 64M or more")

    @property
    def processes(self) -> int:
        """The number of processes of a large job."""
        if self.jobs:
            return self.jobs
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    @property
    def batch_bytes(self) -> int:
        """The number of input bytes in one batch."""
        if self.memory is None:
            return BATCH_BYTES
        return max(_MIN_BATCH_BYTES, min(BATCH_BYTES, self.memory // (_BATCH_EXPANSION * (self.processes + 2))))

    @property
    def matching_bytes(self) -> int:
        """The number of bytes that the stages over the whole corpus may take; no batches are in work then."""
        return (self.memory or _machine_bytes() // 2) // _MATCHING_SHARE

    def workers(self, input_bytes: int | None, timer: StageTimer | None = None, *, compiled: bool = True) -> Workers:
        """Return the workers for a job over `input_bytes` bytes; None means unknown and counts as large.

        A small job runs in this process on plain functions. A large one runs compiled functions if `compiled` is True.
        If they must be compiled first, `timer` times that as a stage.
        """
        if input_bytes is not None and input_bytes < SMALL_BYTES:
            return Workers(compiled=False)
        with ExitStack() as stack:

            def report(done: int, total: int) -> None:
                if timer and not done:
                    stack.enter_context(timer.stage(COMPILE_STAGE, total))
                elif timer:
                    timer.at(done, total)

            load_backend(compiled=compiled, progress=report)
        return Workers(compiled, self.processes, timer.log if timer else None)


def warm_up(progress: Progress | None = None) -> tuple[Path, float | None]:
    """Compile what a larger job needs, and return its cached file and the seconds that it took; None if it was there.

    Raises `EngineError` if no cache folder can be written.
    """
    timer = StageTimer(progress)
    LocalEngine().workers(None, timer)
    from dedup.kernels.library import cached_file  # noqa: PLC0415 - loading LLVM takes longer than a small job

    path = cached_file()
    if path is None:
        raise EngineError("no cache folder can be written, so every job compiles; set NUMBA_CACHE_DIR to one that can")
    return path, timer.seconds.get(COMPILE_STAGE)


@dataclass(frozen=True)
class Workers:
    """The processes of one job, and whether they run compiled functions; `log` gets a line for each retry."""

    compiled: bool
    processes: int = 1
    log: RunLog | None = None

    @property
    def backend(self) -> Backend:
        """The compiled functions, or the plain ones for a small job."""
        return load_backend(compiled=self.compiled)

    def map(
        self,
        task: Callable[[ItemT], ResultT],
        items: Iterable[ItemT],
        careful: Callable[[ItemT], ResultT] | None = None,
    ) -> Iterator[ResultT]:
        """Yield ``task(item)`` for each item, in order.

        At most two items more than there are processes are in work at once. The processes end with the iteration, so
        that none of them holds memory while a stage works on the whole corpus. `task` must be picklable. If a process
        is killed, its item is processed again by `careful`, which gives the same result with less memory (None: by
        `task`). Raises `EngineError` if that is killed, too.
        """
        if self.processes == 1:
            yield from map(task, items)
            return
        context = multiprocessing.get_context(start_method())
        retried = partial(self.log.write, "retry", message=_RETRY) if self.log else None
        yield from WorkerPool(context, self.processes, _start_worker, retried).map(task, items, careful or task)


def start_method() -> str:
    """Return how worker processes are started: the value of `START_VARIABLE`, else fork on Linux, spawn elsewhere.

    Forked processes share the compiled functions and do not import the caller's main module again. The start method
    never changes a byte of output. Raises `SettingsError` if the variable names no start method of this system.
    """
    chosen = os.environ.get(START_VARIABLE)
    if not chosen:
        return "fork" if sys.platform.startswith("linux") else "spawn"
    available = multiprocessing.get_all_start_methods()
    if chosen not in available:
        raise SettingsError(f"{START_VARIABLE}: {chosen!r} is not known; choose from {', '.join(available)}")
    return chosen


def _start_worker() -> None:
    """Prepare a worker process for its tasks."""
    end_with_parent()
    leave_signals_to_parent()
    _tune_process()


def _tune_process() -> None:
    """Tune malloc and the garbage collector of a worker process for batches of much the same size.

    The process keeps the memory of one batch for the next instead of returning it to the system, which would zero it
    again: an eighth of the time of a job. Objects that exist at the start are exempt from garbage collection.
    """
    gc.freeze()
    with suppress(OSError, AttributeError, TypeError):  # a C library other than glibc
        options = ctypes.CDLL(None)
        options.mallopt(_M_MMAP_THRESHOLD, _MAX_MMAP_THRESHOLD)
        options.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def _machine_bytes() -> int:
    """Return the memory of this machine in bytes."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # the system does not say
        return _UNKNOWN_MACHINE_BYTES
