"""The local engine: processes on this machine, or none at all for a small job."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from dedup.errors import SettingsError
from dedup.kernels.backend import SMALL_BYTES, Backend, load_backend
from dedup.read.records import BATCH_BYTES
from dedup.runtime.resources import map_in_order

Item = TypeVar("Item")
Result = TypeVar("Result")
_LEAST_BATCH = 256 << 10
# A batch in work takes about this many times its size: raw bytes, texts, keys, columns.
_BATCH_EXPANSION = 16
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3)
_LARGEST_BLOCK = 32 << 20  # bytes: the most that glibc takes for this
_KEPT_BYTES = 1 << 30  # more than a batch takes
_MATCHING_SHARE = 3  # the rest is for what there is one of per article, and for what the process itself takes


@dataclass(frozen=True)
class LocalEngine:
    """Runs stages on this machine.

    `jobs` is the number of processes (None: one per available core), `memory` the bytes that batches in work may take
    together (None: half of the machine). Neither changes a byte of output.
    """

    jobs: int | None = None
    memory: int | None = None

    def __post_init__(self) -> None:
        if self.jobs is not None and self.jobs < 1:
            raise SettingsError(f"jobs: {self.jobs} is not a number of processes; give 1 or more")
        if self.memory is not None and self.memory < 1 << 26:
            raise SettingsError(f"memory: {self.memory} bytes are too few; give 64M or more")

    @property
    def processes(self) -> int:
        """How many processes a large job gets."""
        if self.jobs:
            return self.jobs
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    @property
    def batch_bytes(self) -> int:
        """How many input bytes are handed on at once."""
        if self.memory is None:
            return BATCH_BYTES
        return max(_LEAST_BATCH, min(BATCH_BYTES, self.memory // (_BATCH_EXPANSION * (self.processes + 2))))

    @property
    def matching_bytes(self) -> int:
        """How much memory the stages that look at the whole corpus may take; no batches are in work then."""
        return (self.memory or _machine_bytes() // 2) // _MATCHING_SHARE

    def workers(self, input_bytes: int | None, *, compiled: bool = True) -> Workers:
        """Workers for a job over `input_bytes` (None: not known, taken for large), which asks for kernels or not."""
        if input_bytes is not None and input_bytes < SMALL_BYTES:
            return Workers(compiled=False)
        load_backend(compiled=compiled)
        return Workers(compiled=compiled, processes=self.processes)


@dataclass(frozen=True)
class Workers:
    """What a running job asks of its engine."""

    compiled: bool
    processes: int = 1

    @property
    def backend(self) -> Backend:
        """The plain functions or the compiled ones, as this job is small or not."""
        return load_backend(compiled=self.compiled)

    def map(self, task: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """``task(item)`` for each item, in order; never more items in work than workers and two to spare.

        The processes are there for this alone: while a stage works on the whole corpus, none of them holds memory.
        """
        if self.processes == 1:
            yield from map(task, items)
            return
        # Forked processes share the compiled kernels and do not import the caller's main module again.
        method = "fork" if sys.platform.startswith("linux") else "spawn"
        context = multiprocessing.get_context(method)
        with ProcessPoolExecutor(self.processes, mp_context=context, initializer=_settle) as pool:
            try:
                yield from map_in_order(pool, task, items, self.processes + 2)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def _settle() -> None:
    """Makes a process at home in work that is batch after batch of much the same size.

    Memory of one batch is kept for the next instead of being given back and zeroed anew (an eighth of the time of a
    job), and what the process was forked with is not searched for garbage again and again.
    """
    gc.freeze()
    with suppress(OSError, AttributeError, TypeError):  # another C library than glibc
        options = ctypes.CDLL(None)
        options.mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK)
        options.mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)


def _machine_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not told on this system
        return 4 << 30
