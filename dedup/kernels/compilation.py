"""Compile kernels in several processes, so that this one never loads numba and all cores share the work."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any

from dedup.errors import EngineError
from dedup.kernels.declare import Kernel

_PROCESSES_AT_MOST = 4  # each takes about a second to load numba
_CODE = """import sys; sys.path[:] = {path!r}
from dedup.runtime.processes import end_with_parent; end_with_parent()
from dedup.kernels.build import main; main({modules!r})"""
# Numba's own optimization is left out: the linked module is optimized once. The rest are numba's defaults.
_ENVIRONMENT = {"NUMBA_OPT": "0", "NUMBA_DISABLE_JIT": "0", "NUMBA_BOUNDSCHECK": "0", "NUMBA_DEBUGINFO": "0"}


def compile_in_processes(kernels: Sequence[Kernel], progress: Callable[[int, int], None] | None) -> list[bytes]:
    """Return object files with the code of `kernels`; call `progress` with the number compiled and that of all.

    Raises `EngineError` if a process fails.
    """
    events: SimpleQueue[tuple[int, str, bytes]] = SimpleQueue()
    groups = _groups(kernels, min(_PROCESSES_AT_MOST, _available_cores()))
    with tempfile.TemporaryFile() as errors:
        children = [_start(modules, errors) for modules in groups]
        readers = [Thread(target=_read_output, args=(number, child, events)) for number, child in enumerate(children)]
        try:
            for reader in readers:
                reader.start()
            objects: dict[int, bytes] = {}
            count = 0
            while len(objects) < len(children):
                number, event, data = events.get()
                if event == "compiled":
                    count += 1
                    if progress:
                        progress(count, len(kernels))
                elif event == "object":
                    objects[number] = data
                else:
                    raise EngineError(
                        f"the kernels cannot be compiled ({_last_line(errors)}); install the numba that "
                        "the documentation names"
                    )
        finally:
            for child, reader in zip(children, readers, strict=True):
                child.kill()
                child.wait()
                reader.join()
    return [objects[number] for number in range(len(children))]


def _available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _groups(kernels: Sequence[Kernel], count: int) -> list[list[str]]:
    """Return the modules of `kernels` in `count` groups of about equal work, the largest modules first."""
    sizes: dict[str, int] = defaultdict(int)
    for kernel in kernels:
        sizes[kernel.function.__module__] += _code_size(kernel.function, set())
    groups: list[list[str]] = [[] for _ in range(count)]
    totals = [0] * count
    for module, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        lightest = totals.index(min(totals))
        groups[lightest].append(module)
        totals[lightest] += size
    return [group for group in groups if group]


def _code_size(function: Any, seen: set[Any]) -> int:
    """Return the size of the bytecode of `function` and of the parts that it calls and `seen` does not have."""
    seen.add(function)
    names = (function.__globals__.get(name) for name in function.__code__.co_names)
    parts = [value for value in names if hasattr(value, "part_options") and value not in seen]
    return len(function.__code__.co_code) + sum(_code_size(value, seen) for value in parts if value not in seen)


def _start(modules: list[str], errors: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a process that compiles the kernels of `modules` and writes to its standard output.

    The process does not get the Ctrl-C of a terminal: this one ends it.
    """
    code = _CODE.format(path=sys.path, modules=modules)
    return subprocess.Popen(  # noqa: S603 - this Python
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        env={**os.environ, **_ENVIRONMENT},
        start_new_session=True,
    )


def _read_output(number: int, child: subprocess.Popen[bytes], events: SimpleQueue[tuple[int, str, bytes]]) -> None:
    """Put what process `number` writes into `events`: each kernel, then the object file, or the end of the process."""
    output: Any = child.stdout
    with output:
        for line in output:
            if not line.startswith(b"object "):
                events.put((number, "compiled", b""))
                continue
            size = int(line.split()[1])
            data = output.read(size)
            if len(data) == size:
                events.put((number, "object", data))
                return
    events.put((number, "ended", b""))


def _last_line(errors: IO[bytes]) -> str:
    """Return the last line that a process has written to the file `errors`."""
    errors.seek(0)
    lines = errors.read().decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "a process ended early"
