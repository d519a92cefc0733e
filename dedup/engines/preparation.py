"""Let the workers of an engine prepare batches of records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import pyarrow as pa

from dedup.engines.local import Workers
from dedup.prepare.earlier_batches import EarlierBatches
from dedup.prepare.store import to_ipc
from dedup.prepare.stored_batch import CAREFUL_PIECES, RecordBatchTask, prepare_into_file
from dedup.read.other_corpora import KnownRecords
from dedup.read.selection import RecordSource
from dedup.runtime.progress import StageTimer
from dedup.runtime.versions import program_version
from dedup.settings import Settings


def prepare_batches(
    batches_read: Iterable[tuple[pa.RecordBatch, int]],
    records: RecordSource | KnownRecords,
    settings: Settings,
    workers: Workers,
    timer: StageTimer,
    work: Path,
    warm_up: Callable[[], Mapping[str, int]] | None = None,
    earlier: EarlierBatches | None = None,
) -> list[Path]:
    """Prepare the batches of `records` into files in the folder `work`, and return their paths.

    Each batch comes with the bytes at which the reader has cut it. Those that an `earlier` run has prepared are used.
    While other processes work, `warm_up` is called once; it returns the steps of later stages.
    """
    work.mkdir(exist_ok=True)
    earlier = earlier or EarlierBatches()
    stage = "prepare known" if isinstance(records, KnownRecords) else "prepare"
    task = partial(
        prepare_into_file, settings=settings, version=program_version(), compiled=workers.compiled, work=work
    )
    tasks = (
        RecordBatchTask(number, to_ipc(batch), cut, earlier.candidates(number))
        for number, (batch, cut) in enumerate(batches_read)
    )
    batches: list[Path] = []
    prepared = workers.map(task, tasks, partial(task, pieces=CAREFUL_PIECES))
    for batch in timer.over(stage, prepared, records.total_bytes):
        if warm_up and not batches and workers.processes > 1 and not timer.expected:
            timer.expected = warm_up()
        earlier.count(len(batches), batch)
        batches.append(batch)
        timer.done(records.fresh_bytes())
    return batches
