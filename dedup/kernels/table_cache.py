"""Tables that take a good part of a second to make, kept on disk beside the machine code of the kernels.

They follow from the versions of Python, numpy and ftfy and from this package's own files, and are made anew when one of
these changes, or when what is kept cannot be read.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache, wraps
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import ftfy
import numpy as np
from numba.misc import appdirs

Table = TypeVar("Table", bound=tuple[Any, ...])

_PACKAGE = Path(__file__).parent.parent


def kept(table: type[Table]) -> Callable[[Callable[[], Table]], Callable[[], Table]]:
    """Decorates what makes a `table`, a named tuple of arrays and integers: once in a process, seldom on a machine."""

    def decorated(make: Callable[[], Table]) -> Callable[[], Table]:
        @cache
        @wraps(make)
        def found() -> Table:
            name = f"{make.__module__.removeprefix('dedup.kernels.')}-{_made_from()}.npz"
            for folder in _folders():
                try:
                    return _read(folder / name, table)
                except (OSError, ValueError, KeyError, EOFError, BadZipFile):
                    continue
            made = make()
            _write(name, made)
            return made

        return found

    return decorated


def _folders() -> Iterator[Path]:
    """Where tables may be kept: where numba keeps machine code."""
    if named := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(named)
        return
    yield Path(__file__).parent / "__pycache__"
    yield Path(appdirs.user_cache_dir("dedup"))  # type: ignore[no-untyped-call]


@cache
def _made_from() -> str:
    """A digest of whatever tables follow from; of the package's files their names, sizes and times, as numba does."""
    told = [sys.version, unicodedata.unidata_version, ftfy.__version__, np.__version__, str(_PACKAGE)]
    for path in sorted(path for kind in ("*.py", "*.toml") for path in _PACKAGE.rglob(kind)):
        state = path.stat()
        told.append(f"{path.relative_to(_PACKAGE)} {state.st_size} {state.st_mtime_ns}")
    return sha256("\n".join(told).encode()).hexdigest()[:16]


def _read(path: Path, table: type[Table]) -> Table:
    with np.load(path, allow_pickle=False) as stored:
        values = {name: stored[name] for name in stored.files}
    return table(**{name: value if value.ndim else int(value) for name, value in values.items()})


def _write(name: str, made: Any) -> None:
    """Keeps a table where that can be: whole or not at all, and in place of those of other versions."""
    for folder in _folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            partial = folder / f"{name}.{os.getpid()}.partial"
            with partial.open("wb") as file:
                np.savez(file, **made._asdict())
            partial.replace(folder / name)
            for other in folder.glob(f"{name.partition('-')[0]}-*.npz"):
                if other.name != name:
                    other.unlink(missing_ok=True)
        except OSError:
            continue
        return
