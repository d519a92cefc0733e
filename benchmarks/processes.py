"""Time, memory and disk of one command and of all processes that it starts.

Linux only. ``/proc`` gives the proportional set size (PSS), which counts a page shared by n processes as 1/n for each,
so the sum over processes is the memory that they really take. Everything is sampled: a peak of the sum that is shorter
than the pause between two samples can be missed. The kernel keeps the peak of each process itself until it ends.
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

PAUSES = (0.02, 0.2)  # seconds between two samples, first and at most; sampling a gigabyte takes some milliseconds


class Measurement(NamedTuple):
    """The cost of one command."""

    seconds: float
    status: int
    largest: float  # MB, peak of the process that took most
    together: float  # MB, peak of all processes at once
    disk: float  # MB, peak size of the watched folder
    errors: str  # the end of the command's output


def measure_command(
    command: Sequence[str | Path], folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> Measurement:
    """Run `command` to its end, and sample it, its descendants, and the size of `folder`.

    The output of the command is kept only where there is a folder to write it to.
    """
    with (Path(os.devnull) if folder is None else folder / "said").open("w+b") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=os.environ | dict(environment or {}),
        )
        largest = together = disk = 0.0
        while True:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            sizes = [_process_memory(number) for number in _session_processes(process.pid)]
            largest = max([largest, *(peak for peak, _ in sizes)])
            together = max(together, sum(share for _, share in sizes))
            disk = max(disk, _folder_size(folder) if folder else 0)
            _wait(process.pid, min(max(PAUSES[0], (time.perf_counter() - began) / 20), PAUSES[1]))
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors = output.read()[-2000:].decode("utf-8", "replace") if folder else ""
    # Until the command is loaded, the kernel reports the peak of this process: use it only where it is the greater.
    if usage.ru_maxrss > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss:
        largest = max(largest, usage.ru_maxrss * 1.024e-3)
    return Measurement(seconds, process.returncode, largest, max(together, largest), disk, errors)


def _wait(process: int, seconds: float) -> None:
    """Wait for `seconds`, or until the process ends."""
    with suppress(OSError, AttributeError):
        handle = os.pidfd_open(process)
        try:
            select.select([handle], [], [], seconds)
        finally:
            os.close(handle)
        return
    time.sleep(seconds)


def _session_processes(leader: int) -> list[int]:
    """Return the ids of the living processes of the session that `leader` started."""
    members = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            if int(stat.rpartition(")")[2].split()[3]) == leader:
                members.append(int(entry.name))
    return members


def _process_memory(process: int) -> tuple[float, float]:
    """Return the peak memory of a process, and its present proportional share, both in megabytes."""
    peak = share = 0.0
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                peak = int(line.split()[1]) * 1.024e-3
        for line in Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8").splitlines():
            if line.startswith("Pss:"):
                share = int(line.split()[1]) * 1.024e-3
    return peak, share


def _folder_size(folder: Path) -> float:
    """Return the megabytes that the files below `folder` take on disk."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += Path(parent, name).lstat().st_blocks * 512
    return total / 1e6
