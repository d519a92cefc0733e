"""The files in ``results/``: figures, with the machine and the library versions that they were measured with."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results")
LIBRARIES = ("datasketch", "ftfy", "msgspec", "numba", "numpy", "pyarrow")


def describe_machine() -> dict[str, Any]:
    """Return what speed depends on: processor, cores, memory, kernel and versions; nothing that identifies the host."""
    return {
        "processor": _proc_field("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory GB": round(int((_proc_field("/proc/meminfo", "MemTotal") or "0").split()[0]) * 1024 / 1e9, 1),
        "kernel": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        "python": platform.python_version(),
        "dedup": version("article-dedup"),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def save_results(name: str, figures: Mapping[str, Any]) -> Path:
    """Write figures and the description of the machine to ``results/NAME.json``, and return the path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    results = {"machine": describe_machine(), "figures": figures}
    path.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def load_results(name: str) -> dict[str, Any] | None:
    """Return what `save_results` wrote under `name`, or None if nothing was saved."""
    path = RESULTS / f"{name}.json"
    results: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    return results


def _proc_field(path: str, name: str) -> str | None:
    """Return the value of the first line of a ``/proc`` file that starts with `name`, or None."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), None)
