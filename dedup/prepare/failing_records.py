"""Prepare a batch even if a record in it makes the program fail: that record goes to quarantine, with the reason."""

from __future__ import annotations

import pyarrow as pa

from dedup.errors import DedupError
from dedup.kernels import reference
from dedup.kernels.backend import Backend
from dedup.prepare.batch import prepare
from dedup.read.records import RECORD_SCHEMA
from dedup.settings import Settings


def prepare_or_quarantine(batch: pa.RecordBatch, settings: Settings, backend: Backend = reference) -> pa.RecordBatch:
    """Return what `dedup.prepare.batch.prepare` returns; a record with which that fails has an error.

    The batch is halved until the record is alone, so that the others are prepared a few times at most.
    """
    try:
        return prepare(batch, settings, backend)
    except (DedupError, MemoryError):  # meant for the user, or no fault of a record
        raise
    except Exception as error:
        if not batch.num_rows or (batch.num_rows == 1 and batch.column("error")[0].is_valid):
            raise
        if batch.num_rows == 1:
            return prepare_or_quarantine(_with_error(batch, _reason(error)), settings, backend)
    middle = batch.num_rows // 2
    halves = (batch.slice(0, middle), batch.slice(middle))
    return pa.concat_batches([prepare_or_quarantine(half, settings, backend) for half in halves])


def _reason(error: Exception) -> str:
    """Return the error of a record that made the program fail with `error`."""
    return f"dedup fails on this record: {type(error).__name__}: {error}; report it, the others are not affected"


def _with_error(record: pa.RecordBatch, error: str) -> pa.RecordBatch:
    """Return a batch of one record with this error."""
    place = RECORD_SCHEMA.get_field_index("error")
    safe = error.encode("utf-8", "backslashreplace").decode()
    return record.set_column(place, RECORD_SCHEMA.field(place), pa.array([safe], pa.string()))
