"""Machine code of kernels that were sent as an archive, kept by what they say.

Numba keeps it by the path of the source, and Spark puts an archive into another folder for each application: all
would be compiled anew, by every executor of every job. This module is named to Numba in its own setting for that, and
is loaded by it.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import zipfile
from pathlib import Path
from typing import Any

_caching: Any = importlib.import_module("numba.core.caching")  # Numba's types do not tell what is in it


class Shipped(_caching.ZipCacheLocator):  # type: ignore[misc]  # the same
    """Where machine code of a function of this package is kept: ``NUMBA_CACHE_DIR``, else the user's own cache."""

    def __init__(self, function: Any, path: str) -> None:
        super().__init__(function, path)
        usual: Any = self._cache_path  # type: ignore[has-type]  # the same
        folder = Path(_caching.config.CACHE_DIR or Path(usual).parent)
        self._cache_path = str(folder / f"dedup-{_digest(self._zip_path)}")

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> Any:
        """A place for a function of this package, None where nothing can be written; for others what Numba takes."""
        if ".zip/dedup/" in py_file:
            made = cls(py_func, py_file)
            try:
                made.ensure_cache_path()
            except OSError:
                return None
            return made
        asked = (one.from_function(py_func, py_file) for one in _caching.CacheImpl._locator_classes)  # noqa: SLF001 - they are named nowhere else
        return next((found for found in asked if found is not None), None)


@functools.cache
def _digest(path: str) -> str:
    """What an archive says of its files: a kernel may have become a part of one in another file."""
    with zipfile.ZipFile(path) as packed:
        told = sorted((one.filename, one.CRC) for one in packed.infolist())
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]
