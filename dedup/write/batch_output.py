"""Make the output lines of one prepared batch; runs in a worker process."""

from __future__ import annotations

from dedup.decide.outcomes import outcomes
from dedup.prepare.store import PreparedBatch, from_ipc
from dedup.review.decisions import Decision
from dedup.settings import Settings
from dedup.write.tables import OutputChunk, encode_tables


def encode_batch(task: tuple[PreparedBatch, bytes, dict[int, list[Decision]]], settings: Settings) -> OutputChunk:
    """Return the output lines of one prepared batch, its verdicts as `to_ipc` encodes them, and decisions."""
    batch, verdicts, decisions = task
    return encode_tables(outcomes(batch, from_ipc(verdicts), settings, decisions), settings.output_fields)
