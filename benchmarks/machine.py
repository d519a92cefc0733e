"""The machine and the versions that figures were measured with, and where figures are kept."""

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


def description() -> dict[str, Any]:
    """The machine: what speed depends on, nothing that names it."""
    return {
        "processor": _field("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory GB": round(int((_field("/proc/meminfo", "MemTotal") or "0").split()[0]) * 1024 / 1e9, 1),
        "kernel": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        "python": platform.python_version(),
        "dedup": version("article-dedup"),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def keep(name: str, figures: Mapping[str, Any]) -> Path:
    """Writes figures with the machine's description to ``results/NAME.json``."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    told = {"machine": description(), "figures": figures}
    path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def kept(name: str) -> dict[str, Any] | None:
    """What was written by `keep`, or None."""
    path = RESULTS / f"{name}.json"
    found: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    return found


def _field(path: str, name: str) -> str | None:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), None)
