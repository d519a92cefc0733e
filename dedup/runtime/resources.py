"""Room to work in: how much memory, how many threads, and a folder for what does not fit.

None of it changes a result.
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

Item = TypeVar("Item")
Result = TypeVar("Result")

_MEMORY = 1 << 30
_SHARE = 4  # one array may take this part of the memory before it goes to a file


@dataclass(frozen=True)
class ResourceBudget:
    """What a stage that looks at the whole corpus may use: about `memory` bytes, `threads`, files in `folder`.

    `step` is called whenever `map` has gone over all items.
    """

    memory: int = _MEMORY
    threads: int = 1
    folder: Path | None = None
    step: Callable[[], None] | None = None

    def array(self, count: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """An array of zeros; a large one is a file without a name, which is gone with the array."""
        size = count * np.dtype(dtype).itemsize
        if self.folder is None or size * _SHARE <= self.memory:
            return np.zeros(count, dtype)
        with tempfile.TemporaryFile(dir=self.folder) as file:
            return np.memmap(file, dtype, "w+", shape=(count,))

    def passes(self, size: int) -> int:
        """In how many passes to go over something that would take `size` bytes at once."""
        return max(1, -(-size * _SHARE // self.memory))

    def map(self, task: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """``task(item)`` for each item, in order, on all threads; never more in work than threads and two to spare."""
        if self.threads == 1:
            yield from map(task, items)
        else:
            with ThreadPoolExecutor(self.threads) as pool:
                yield from map_in_order(pool, task, items, self.threads + 2)
        if self.step:
            self.step()


def map_in_order(pool: Executor, task: Callable[[Item], Result], items: Iterable[Item], most: int) -> Iterator[Result]:
    """``task(item)`` for each item, in order, carried out by `pool`; never more than `most` in work."""
    waiting: deque[Future[Result]] = deque()
    for item in items:
        waiting.append(pool.submit(task, item))
        if len(waiting) >= most:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def evict_pages(array: npt.NDArray[Any]) -> None:
    """Lets go of the memory that holds pages of an array in a file; they are read again when needed."""
    if isinstance(array, np.memmap) and hasattr(mmap, "MADV_DONTNEED"):
        array._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]  # noqa: SLF001 - numpy's only handle on it


def slices(count: int, parts: int) -> Iterator[tuple[int, int]]:
    """``range(count)`` in about equal parts, as ``(start, stop)``."""
    step = max(1, -(-count // max(parts, 1)))
    for start in range(0, count, step):
        yield start, min(start + step, count)
