"""Prepare one batch of records into a file; runs in a worker process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from dedup.kernels.backend import load_backend
from dedup.prepare.earlier_batches import StoredBatch, usable_batch
from dedup.prepare.failing_records import prepare_or_quarantine
from dedup.prepare.store import BatchOrigin, from_ipc, store_batch
from dedup.runtime.resources import slices
from dedup.settings import Settings

CAREFUL_PIECES = 16  # of a batch whose process was killed; as many times as a batch in work takes its own size


class RecordBatchTask(NamedTuple):
    """A batch of records to prepare: its number, its records as `to_ipc` encodes them, and how the reader cut it.

    `earlier` are files of an interrupted run that may hold the prepared batch.
    """

    number: int
    records: bytes
    batch_bytes: int
    earlier: Sequence[StoredBatch] = ()


def prepare_into_file(
    task: RecordBatchTask, settings: Settings, version: str, compiled: bool, work: Path, pieces: int = 1
) -> Path:
    """Prepare a batch, store it in `work`, and return the path of its file; or that of an earlier file that has it.

    `version` is that of the program. In more `pieces`, one after the other, the records need less memory at once, and
    give the same batch.
    """
    records = from_ipc(task.records)
    origin = BatchOrigin.of(records, settings.digest, version, task.batch_bytes)
    earlier = usable_batch(origin, task.earlier)
    if earlier is not None:
        return earlier
    backend = load_backend(compiled=compiled)
    parts = [records.slice(start, stop - start) for start, stop in slices(records.num_rows, pieces)] or [records]
    batch = pa.concat_batches([prepare_or_quarantine(part, settings, backend) for part in parts])
    return store_batch(batch, work / f"{task.number:08d}.arrow", origin)
