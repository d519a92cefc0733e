"""Read the beginning of an input whose size is not known."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import pyarrow as pa


def read_ahead(batches: Iterator[pa.RecordBatch], enough: int) -> tuple[int | None, Iterator[pa.RecordBatch]]:
    """Return the size of all `batches` in bytes, None if it is `enough` or more, and the same batches again.

    No more batches are read than that takes.
    """
    size = 0
    first: list[pa.RecordBatch] = []
    for batch in batches:
        first.append(batch)
        size += batch.nbytes
        if size >= enough:
            return None, chain(first, batches)
    return size, iter(first)
