"""Cache the machine code of kernels that Spark has sent to a worker in an archive.

Numba caches machine code by the path of its source file. Spark puts the archive of this package into another folder
for each application, so every executor of every job would compile all kernels again. `dedup.spark` therefore names
`ArchiveCacheLocator` in ``NUMBA_CACHE_LOCATOR_CLASSES``: it caches by the content of the archive, whatever its path.

Numba loads this module by that name; nothing else imports it. It relies on private names of ``numba.core.caching``:
`ZipCacheLocator` with its `_zip_path` and `_cache_path`, `CacheImpl._locator_classes`, and `config`. Under a version of
Numba that lacks them, nothing is cached and each process compiles the kernels for itself.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import zipfile
from pathlib import Path
from typing import Any

TESTED_NUMBA = "0.68.1"  # the version whose private names this module was tested with

try:
    _caching: Any = importlib.import_module("numba.core.caching")  # not a plain import: its names have no types
except ImportError:
    _caching = None
_ZipCacheLocator: Any = getattr(_caching, "ZipCacheLocator", object)


class ArchiveCacheLocator(_ZipCacheLocator):  # type: ignore[misc]  # the base has no types
    """The cache folder of a function of this package: below ``NUMBA_CACHE_DIR``, else in the user's own cache."""

    def __init__(self, function: Any, path: str) -> None:
        super().__init__(function, path)
        user_folder: Any = self._cache_path  # type: ignore[has-type]  # set by the base, which has no types
        folder = Path(_caching.config.CACHE_DIR or Path(user_folder).parent)
        self._cache_path = str(folder / f"dedup-{_archive_digest(self._zip_path)}")

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> Any:
        """Return a locator for `py_func`, defined in `py_file`, or None if its machine code cannot be cached.

        Functions of other packages get the locator that Numba would choose without this class. After None, Numba
        raises a `RuntimeError`, and `dedup.kernels.jit` then compiles in each process.
        """
        if ".zip/dedup/" not in py_file:
            usual_classes = getattr(getattr(_caching, "CacheImpl", None), "_locator_classes", ())
            locators = (usual.from_function(py_func, py_file) for usual in usual_classes)
            return next((locator for locator in locators if locator is not None), None)
        try:
            locator = cls(py_func, py_file)
            locator.ensure_cache_path()
        except (OSError, AttributeError, TypeError):  # the folder is not writable, or Numba has changed
            return None
        return locator


@functools.cache
def _archive_digest(path: str) -> str:
    """Return a digest of all files in the archive at `path`.

    All of them count, since a kernel may be inlined into one of another file.
    """
    with zipfile.ZipFile(path) as archive:
        members = sorted((member.filename, member.CRC) for member in archive.infolist())
    return hashlib.sha256(repr(members).encode()).hexdigest()[:16]
