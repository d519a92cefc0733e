"""Cache tables that take a good part of a second to compute, beside the machine code of the kernels.

Tables depend on the versions of Python, numpy and ftfy and on this package's own files. They are computed again when
one of these changes, or when a cached table cannot be read.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Callable
from functools import cache, wraps
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import ftfy
import numpy as np

from dedup.kernels.cache_folders import cache_folders

Table = TypeVar("Table", bound=tuple[Any, ...])

_PACKAGE = Path(__file__).parent.parent


def cached_table(table: type[Table]) -> Callable[[Callable[[], Table]], Callable[[], Table]]:
    """Return a decorator for a function that computes a `table`, a named tuple of arrays and integers.

    The function runs only if no cache folder has its result, and at most once in a process. The cached file has the
    name of the module, so a module has at most one table.
    """

    def decorate(make: Callable[[], Table]) -> Callable[[], Table]:
        @cache
        @wraps(make)
        def load() -> Table:
            name = f"{make.__module__.removeprefix('dedup.kernels.')}-{_source_digest()}.npz"
            for folder in cache_folders():
                try:
                    return _read_table(folder / name, table)
                except (OSError, ValueError, KeyError, EOFError, BadZipFile):
                    continue
            values = make()
            _write_table(name, values)
            return values

        return load

    return decorate


@cache
def _source_digest() -> str:
    """Return a digest of all that tables depend on: 16 hexadecimal digits.

    Files of this package count by name, size and time of change, as they do for numba.
    """
    parts = [sys.version, unicodedata.unidata_version, ftfy.__version__, np.__version__, str(_PACKAGE)]
    for path in sorted(path for kind in ("*.py", "*.toml") for path in _PACKAGE.rglob(kind)):
        state = path.stat()
        parts.append(f"{path.relative_to(_PACKAGE)} {state.st_size} {state.st_mtime_ns}")
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


def _read_table(path: Path, table: type[Table]) -> Table:
    """Return the table in the file `path`; if it is missing or damaged, numpy raises one of several errors."""
    with np.load(path, allow_pickle=False) as stored:
        values = {name: stored[name] for name in stored.files}
    return table(**{name: value if value.ndim else int(value) for name, value in values.items()})


def _write_table(name: str, values: Any) -> None:
    """Write a table to the first writable cache folder, complete or not at all, and remove those of other versions."""
    for folder in cache_folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            partial = folder / f"{name}.{os.getpid()}.partial"
            with partial.open("wb") as file:
                np.savez(file, **values._asdict())
            partial.replace(folder / name)
            for other in folder.glob(f"{name.partition('-')[0]}-*.npz"):
                if other.name != name:
                    other.unlink(missing_ok=True)
        except OSError:
            continue
        return
