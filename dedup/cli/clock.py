"""The time that a command takes, as a clock on the wall sees it: with imports, and from the start of the process."""

from __future__ import annotations

import os
import time
from pathlib import Path

_CLOCK = {"started": time.monotonic()}


def start_clock(*, own_process: bool) -> None:
    """Start the clock of a command; at the start of the process if the process runs nothing else."""
    now = time.monotonic()
    age = _process_age() if own_process else 0.0
    _CLOCK["started"] = now - age


def seconds_since_start() -> float:
    """Return the seconds since the command started."""
    return time.monotonic() - _CLOCK["started"]


def _process_age() -> float:
    """Return the seconds since this process started; 0 where the system does not say."""
    try:
        fields = Path("/proc/self/stat").read_text("utf-8").rpartition(")")[2].split()
        since_boot = int(fields[19]) / os.sysconf("SC_CLK_TCK")  # field 22 of proc(5), counted from 1
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot)
    except (OSError, ValueError, IndexError, AttributeError):
        return 0.0
