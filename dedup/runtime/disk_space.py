"""The space that a job needs on the disk of its output, from measured ratios, and the space that is there.

The ratios are upper ends of what `benchmarks/growth.py` and real corpora show: a prepared batch takes 0.4 to 1.2 times
its records, the same batch without site text as much again, and the tables of an output 1.1 to 1.6 times the records.
"""

from __future__ import annotations

import shutil
from pathlib import Path

PREPARED_RATIO = 1.2  # bytes of prepared batches for each byte of records
OUTPUT_RATIO = 1.6  # bytes of the tables for each byte of records, as JSON lines without compression


def free_bytes(folder: Path) -> int:
    """Return the bytes that this user may still write to the disk of `folder`."""
    return shutil.disk_usage(folder).free


def has_room_to_keep(prepared: int, records: int, free: int) -> bool:
    """Return True if prepared batches can stay until the end, given the bytes of them, of all records, and free ones.

    Then changed batches lie beside them, and the output is written.
    """
    return prepared + OUTPUT_RATIO * records <= free
