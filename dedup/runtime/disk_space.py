"""The space that a job needs on the disk of its output, from measured ratios, and the space that is there.

Measured on 5 and 60 MB of press releases, for each byte of records: prepared batches take 1.1 bytes, and as many again
where site text is taken out; the tables 1.5 as JSON lines or CSV, 1.1 as Parquet, 0.4 with Zstandard. The most at any
time is 1.5 to 2.1, with a conversion 2.4, with compression 1.3, if each batch is deleted as soon as it is written.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from dedup.settings import Settings

_OUTPUT_RATIO = 1.6  # bytes of the tables, as JSON lines without compression, for each byte of records
_PLAIN_RATIO, _COMPRESSED_RATIO, _CONVERTED_RATIO = 2.1, 1.4, 2.5  # bytes of all files at most, without and with either


def free_bytes(folder: Path) -> int:
    """Return the bytes that this user may still write to the disk of `folder`."""
    return shutil.disk_usage(folder).free


def has_room_to_keep(prepared: int, records: int, free: int) -> bool:
    """Return True if prepared batches can stay until the end, given the bytes of them, of all records, and free ones.

    Then changed batches lie beside them, and the output is written.
    """
    return prepared + _OUTPUT_RATIO * records <= free


def needed_bytes(records: int, settings: Settings) -> int:
    """Return about how many bytes a job takes on its disk at most, given those of its records."""
    if settings.format != "jsonl":
        return int(records * _CONVERTED_RATIO)
    return int(records * (_PLAIN_RATIO if settings.compress == "none" else _COMPRESSED_RATIO))


def warn_of_space(records: int | None, settings: Settings, work: Path, notice: Callable[[str], None]) -> None:
    """Call `notice` with a warning if the disk of the folder `work` may have no room for a job over `records` bytes."""
    needed, free = needed_bytes(records or 0, settings), free_bytes(work)
    if needed > free:
        notice(
            f"warning: the job needs about {shown_size(needed)} on the disk of the output, and {shown_size(free)} are "
            "free; free some, or name a folder on another disk"
        )


def shown_size(size: int) -> str:
    """Return a number of bytes for people.

    >>> shown_size(3_200_000_000), shown_size(260_000)
    ('3.2 GB', '0.3 MB')
    """
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
