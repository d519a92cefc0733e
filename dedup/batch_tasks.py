"""What a job on this machine does with one batch, in a worker process; and the reader that yields the batches."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from dedup import __version__
from dedup.decide.outcomes import outcomes
from dedup.kernels.backend import load_backend
from dedup.prepare.failing_records import prepare_or_quarantine
from dedup.prepare.store import BatchOrigin, PreparedBatch, from_ipc, store_batch
from dedup.read.inputs import find_inputs
from dedup.read.objects import GivenArticles, ObjectReader
from dedup.read.records import RecordReader
from dedup.read.selection import RecordSource
from dedup.review.decisions import Decision
from dedup.runtime.resources import slices
from dedup.settings import Settings
from dedup.write.tables import OutputChunk, encode_tables


def reader_of(
    source: list[str | Path] | GivenArticles, settings: Settings, batch_bytes: int, out: Path | None
) -> RecordSource:
    """Return a reader of files or of Python objects."""
    if isinstance(source, GivenArticles):
        return ObjectReader(source, settings, batch_bytes=batch_bytes)
    files = find_inputs(source, input_format=settings.input_format, ignore=out)
    return RecordReader(files, settings, batch_bytes=batch_bytes)


def prepare_batch(task: tuple[int, bytes], settings: Settings, compiled: bool, work: Path, pieces: int = 1) -> Path:
    """Prepare one batch of records, store it in `work`, and return its path; runs in a worker process.

    `task` is the number of the batch and its records, as `to_ipc` encodes them. In more `pieces`, one after the other,
    they need less memory at once, and give the same batch.
    """
    number, data = task
    records, backend = from_ipc(data), load_backend(compiled=compiled)
    parts = [records.slice(start, stop - start) for start, stop in slices(records.num_rows, pieces)] or [records]
    batch = pa.concat_batches([prepare_or_quarantine(part, settings, backend) for part in parts])
    return store_batch(batch, work / f"{number:08d}.arrow", BatchOrigin.of(records, settings.digest, __version__))


def encode_batch(task: tuple[PreparedBatch, bytes, dict[int, list[Decision]]], settings: Settings) -> OutputChunk:
    """Return the output lines of one prepared batch, its verdicts and decisions; runs in a worker process."""
    batch, verdicts, decisions = task
    return encode_tables(outcomes(batch, from_ipc(verdicts), settings, decisions), settings.output_fields)
