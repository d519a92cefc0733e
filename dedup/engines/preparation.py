"""Prepare the records of a job, batch by batch, in the processes of the local engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import pyarrow as pa

from dedup import __version__
from dedup.engines.local import Workers
from dedup.kernels.backend import Backend, load_backend
from dedup.prepare.failing_records import prepare_or_quarantine
from dedup.prepare.store import BatchOrigin, PreparedBatch, from_ipc, store_batch, to_ipc
from dedup.read.other_corpora import KnownRecords
from dedup.read.selection import RecordSource
from dedup.runtime.progress import StageTimer
from dedup.runtime.resources import slices
from dedup.settings import Settings

_CAREFUL_PIECES = 16  # of a batch whose process was killed; as many times as a batch in work takes its own size


def prepare_batches(
    batches_read: Iterable[pa.RecordBatch],
    records: RecordSource | KnownRecords,
    stage: str,
    settings: Settings,
    workers: Workers,
    timer: StageTimer,
    work: Path,
    warm_up: Callable[[Settings, Backend], Mapping[str, int]],
) -> list[PreparedBatch]:
    """Prepare the batches of `records` into files in the folder `work`.

    `warm_up` is called while other processes work on the first of them, and returns the steps of later stages.
    """
    work.mkdir(exist_ok=True)
    task = partial(_prepare_batch, settings=settings, compiled=workers.compiled, work=work)
    careful = partial(task, pieces=_CAREFUL_PIECES)
    numbered = ((number, to_ipc(batch)) for number, batch in enumerate(batches_read))
    batches: list[PreparedBatch] = []
    for batch in timer.over(stage, workers.map(task, numbered, careful), records.total_bytes):
        if not batches and workers.processes > 1 and not timer.expected:
            timer.expected = warm_up(settings, workers.backend)
        batches.append(batch)
        timer.done(records.fresh_bytes())
    return batches


def _prepare_batch(task: tuple[int, bytes], settings: Settings, compiled: bool, work: Path, pieces: int = 1) -> Path:
    """Prepare one batch of records, store it in `work`, and return its path; runs in a worker process.

    `task` is the number of the batch and its records, as `to_ipc` encodes them. In more `pieces`, one after the other,
    they need less memory at once, and give the same batch.
    """
    number, data = task
    records, backend = from_ipc(data), load_backend(compiled=compiled)
    parts = [records.slice(start, stop - start) for start, stop in slices(records.num_rows, pieces)] or [records]
    batch = pa.concat_batches([prepare_or_quarantine(part, settings, backend) for part in parts])
    return store_batch(batch, work / f"{number:08d}.arrow", BatchOrigin.of(records, settings.digest, __version__))
