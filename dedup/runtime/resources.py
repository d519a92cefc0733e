"""Resources of a stage that looks at the whole corpus: memory, threads, and a folder for arrays that do not fit.

Resources never change a result.
"""

from __future__ import annotations

import mmap
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_DEFAULT_MEMORY = 1 << 30  # bytes
_ARRAY_SHARE = 4  # one array may take this part of the memory before it goes to a file


@dataclass(frozen=True)
class ResourceBudget:
    """What a stage may use: about `memory` bytes, `threads` threads, and files in `folder`.

    `map` calls `step` each time it has processed all items.
    """

    memory: int = _DEFAULT_MEMORY
    threads: int = 1
    folder: Path | None = None
    step: Callable[[], None] | None = None

    def array(self, count: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """Return an array of zeros: `dtype` [count]. A large one is a file without a name that is freed with it."""
        size = count * np.dtype(dtype).itemsize
        if self.folder is None or size * _ARRAY_SHARE <= self.memory:
            return np.zeros(count, dtype)
        with tempfile.TemporaryFile(dir=self.folder) as file:
            return np.memmap(file, dtype, "w+", shape=(count,))

    def passes(self, size: int) -> int:
        """Return the number of passes over data that would take `size` bytes at once."""
        return max(1, -(-size * _ARRAY_SHARE // self.memory))

    def map(self, task: Callable[[ItemT], ResultT], items: Iterable[ItemT]) -> Iterator[ResultT]:
        """Yield ``task(item)`` for each item, in order, with all threads.

        At most two items more than there are threads are in work at once.
        """
        if self.threads == 1:
            yield from map(task, items)
        else:
            with ThreadPoolExecutor(self.threads) as pool:
                yield from map_in_order(pool, task, items, self.threads + 2)
        if self.step:
            self.step()


def map_in_order(
    pool: Executor, task: Callable[[ItemT], ResultT], items: Iterable[ItemT], most: int
) -> Iterator[ResultT]:
    """Yield ``task(item)`` for each item, in order, computed by `pool` with at most `most` items in work at once."""
    futures: deque[Future[ResultT]] = deque()
    for item in items:
        futures.append(pool.submit(task, item))
        if len(futures) >= most:
            yield futures.popleft().result()
    while futures:
        yield futures.popleft().result()


def evict_pages(array: npt.NDArray[Any]) -> None:
    """Free the memory that holds pages of an array in a file; the system reads them again when they are used."""
    if isinstance(array, np.memmap) and hasattr(mmap, "MADV_DONTNEED"):
        array._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]  # noqa: SLF001 - numpy's only handle on it


def slices(count: int, parts: int) -> Iterator[tuple[int, int]]:
    """Yield ``(start, stop)`` of at most `parts` consecutive slices of ``range(count)``, about equal in length.

    >>> list(slices(10, 3))
    [(0, 4), (4, 8), (8, 10)]
    """
    step = max(1, -(-count // max(parts, 1)))
    for start in range(0, count, step):
        yield start, min(start + step, count)
