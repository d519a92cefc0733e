"""One command with all its processes, watched: time, memory, and what it has on disk.

Linux only: ``/proc`` tells the proportional set size (PSS), which counts a page that n processes share as 1/n for each,
so that the sum over processes is what they really take. All is sampled, so a peak of the sum that is shorter than the
pause between two looks can be missed; a process's own peak is kept by the kernel until it ends.
"""

from __future__ import annotations

import os
import resource
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PAUSES = (0.02, 0.2)  # seconds between two looks, first and at most; a look at a gigabyte takes some milliseconds


class Measured(NamedTuple):
    """What one command took."""

    seconds: float
    status: int
    largest: float  # MB, of the process that took most
    together: float  # MB, of all processes at once
    disk: float  # MB, most that lay in the folder watched
    errors: str  # the end of what it said

    def figures(self) -> dict[str, float]:
        """For the results."""
        return {
            "seconds": round(self.seconds, 3),
            "largest process MB": round(self.largest),
            "all processes MB": round(self.together),
        }


def measured(
    command: Sequence[str | Path], folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> Measured:
    """Runs `command` to its end, watching it and its descendants, and the size of `folder`."""
    with (Path(os.devnull) if folder is None else folder / "said").open("w+b") as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
            env=os.environ | dict(environment or {}),
        )
        largest = together = disk = 0.0
        while True:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            sizes = [_memory(number) for number in _session(process.pid)]
            largest = max([largest, *(high for high, _ in sizes)])
            together = max(together, sum(size for _, size in sizes))
            disk = max(disk, _size(folder) if folder else 0)
            _wait(process.pid, min(max(PAUSES[0], (time.perf_counter() - began) / 20), PAUSES[1]))
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        errors = said.read()[-2000:].decode("utf-8", "replace") if folder else ""
    # The kernel's own figure is this process's until the command is loaded: of use only where it is the greater.
    if usage.ru_maxrss > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss:
        largest = max(largest, usage.ru_maxrss * 1.024e-3)
    return Measured(seconds, process.returncode, largest, max(together, largest), disk, errors)


def _wait(process: int, seconds: float) -> None:
    """Waits, but no longer than the process lives."""
    with suppress(OSError, AttributeError):
        handle = os.pidfd_open(process)
        try:
            select.select([handle], [], [], seconds)
        finally:
            os.close(handle)
        return
    time.sleep(seconds)


def _session(leader: int) -> list[int]:
    """The processes of a session, living."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            told = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            if int(told.rpartition(")")[2].split()[3]) == leader:
                found.append(int(entry.name))
    return found


def _memory(process: int) -> tuple[float, float]:
    """Megabytes a process had at most, and has now as its share."""
    high = share = 0.0
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                high = int(line.split()[1]) * 1.024e-3
        for line in Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8").splitlines():
            if line.startswith("Pss:"):
                share = int(line.split()[1]) * 1.024e-3
    return high, share


def _size(folder: Path) -> float:
    """Megabytes that the files below `folder` take on disk."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += Path(parent, name).lstat().st_blocks * 512
    return total / 1e6
