"""Start a command sooner."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from typing import Any

import pyarrow as pa


class _WithoutPandas(MetaPathFinder):
    """A finder of modules by which pandas is not installed."""

    def find_spec(self, fullname: str, *_: Any) -> None:
        """Raise `ModuleNotFoundError` for pandas; leave all others to the next finder."""
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname, name=fullname)


def leave_out_pandas() -> None:
    """Keep pyarrow from importing pandas in this process: as much work as most other imports of a job together.

    Where pandas is installed, pyarrow imports it to ask of the first list that becomes an array if it is one of pandas.
    It asks once in a process. This is for commands alone: a program that uses `dedup` as a library may need pandas.
    """
    if "pandas" in sys.modules:
        return
    finder = _WithoutPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(finder)
