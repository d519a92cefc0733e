"""The log of a run: one JSON object per line, written as things happen, for programs that watch long runs.

Every line has `time` (UTC) and `event`. A log that can no longer be written, as on a full disk, ends no run.
"""

from __future__ import annotations

import glob
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from io import RawIOBase
from pathlib import Path
from threading import Lock
from typing import Any

from dedup.errors import RESUME_NOTE, OutputError
from dedup.runtime.interruption import InterruptedRun
from dedup.runtime.paths import is_in_folder

_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")
_OTHER_LOG = "name another file for `log`"
_LONGEST_START = 1 << 16  # bytes of the first line of a log
_RESET_PEAK = "5"  # written there, it sets the peak of this process back to what it takes now (proc(5))


class RunLog:
    """A log that writes to `file`; without one it writes nothing."""

    def __init__(self, file: RawIOBase | None = None) -> None:
        self._file = file
        self._lock = Lock()

    def write(self, event: str, **values: Any) -> None:
        """Write a line about `event`; values that are None are left out."""
        if self._file is None:
            return
        shown = {name: value for name, value in values.items() if value is not None}
        line = json.dumps({"time": _now(), "event": event, **shown}, ensure_ascii=True, default=str)
        with self._lock, suppress(OSError, ValueError):
            self._file.write(f"{line}\n".encode())

    def copying(self, notice: Callable[[str], None] | None) -> Callable[[str], None]:
        """Return a function that writes each line of a run to the log, and calls `notice` with it."""

        def copy(line: str) -> None:
            kind, _, message = line.rpartition("warning: ")
            self.write("warning" if kind or message != line else "notice", message=message)
            if notice:
                notice(line)

        return copy

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Write when the block begins and ends, and how much memory it has taken at most."""
        self.write("stage begin", stage=name)
        if self._file is not None:
            _reset_peak()
        began = datetime.now(UTC)
        try:
            yield
        except BaseException as error:
            self.write("stage failed", stage=name, error=type(error).__name__)
            raise
        seconds = (datetime.now(UTC) - began).total_seconds()
        if self._file is not None:
            self.write("stage end", stage=name, seconds=round(seconds, 3), **peak_memory())


@contextmanager
def open_log(path: str | Path | None, places: Iterable[str | Path] = (), **values: Any) -> Iterator[RunLog]:
    """Yield the log of a run, which appends to the file at `path`; None: one that writes nothing.

    Its first line is about the start, with `values`, and its last one about the end of the block, however that comes.
    `places` are what the run reads and writes: files, folders and globs. Raises `OutputError` if the log is in one of
    them, if its file is not a log, and if it cannot be written.
    """
    if path is None:
        yield RunLog()
        return
    _check_places(path, places)
    try:
        _check_content(path)
        file = open(path, "ab", buffering=0, opener=_open_without_waiting)  # noqa: SIM115 - closed below
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror or error}; name a file for `log` that you can write") from error
    with file:
        log = RunLog(file)
        log.write("start", process=os.getpid(), **values)
        try:
            yield log
        except BaseException as error:
            log.write("end", **_end_values(error))
            raise
        log.write("end", state="done", **peak_memory())


def _check_places(path: str | Path, places: Iterable[str | Path]) -> None:
    """Raise `OutputError` if the log is, or would be, among the files that a run reads or writes."""
    for place in places:
        if "://" in os.fspath(place) or os.fspath(place) == "-":
            continue
        pattern = os.path.realpath(place)
        is_match = glob.has_magic(pattern) and fnmatchcase(os.path.realpath(path), pattern)
        if is_match or is_in_folder(path, place):
            raise OutputError(f"{path}: the log cannot be in {place}, which this run reads or writes; {_OTHER_LOG}")


def _check_content(path: str | Path) -> None:
    """Raise `OutputError` if the file at `path` begins with a line that is not one of a log."""
    if not os.path.isfile(path):  # noqa: PTH113 - a device or a pipe, or nothing yet
        return
    with open(path, "rb") as file:  # noqa: PTH123 - `path` may be a string
        line = file.readline(_LONGEST_START)
    try:
        is_log = not line or {"time", "event"} <= json.loads(line).keys()
    except (ValueError, AttributeError):
        is_log = False
    if not is_log:
        raise OutputError(f"{path}: is not a log, and was not changed; {_OTHER_LOG}")


def _open_without_waiting(path: str, flags: int) -> int:
    """Open a file to append to it; a pipe that nobody reads is an error instead of a wait."""
    file = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)
    if hasattr(os, "set_blocking"):
        os.set_blocking(file, True)
    return file


def _end_values(error: BaseException) -> Mapping[str, Any]:
    """Return what the last line says about a run that `error` has ended."""
    interrupted = isinstance(error, (InterruptedRun, KeyboardInterrupt, GeneratorExit))
    return {
        "state": "interrupted" if interrupted else "failed",
        "error": type(error).__name__,
        "message": str(error),
        "can_resume": RESUME_NOTE in getattr(error, "__notes__", ()),
    }


def peak_memory() -> dict[str, int]:
    """Return the most bytes that this process has taken since the last reset, and that any ended worker has taken."""
    try:
        import resource  # noqa: PLC0415
    except ImportError:  # not Unix
        return {}
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    with suppress(OSError, ValueError, IndexError):  # not Linux
        lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
        peak = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
    return {"peak_memory": peak, **({"largest_worker": worker} if worker else {})}


def _reset_peak() -> None:
    with suppress(OSError):  # not Linux
        _RESET.write_text(_RESET_PEAK, encoding="ascii")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
