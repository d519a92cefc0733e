"""Machine code of an archived package is cached by content, as long as Numba keeps its private names; no Spark."""

from __future__ import annotations

import os
import subprocess
import sys

import numba
import pytest
from conftest import ROOT
from helpers.spark_cases import environment, path_without_package, write_archive

from dedup.spark import numba_cache

NAME_LOCATOR = "import dedup.spark  # before Numba, as in a worker"
COMPILE = """
from dedup.kernels import buckets

buckets.capacity(5)
print(buckets.__file__)
"""
# A version of Numba that has changed what the cache relies on.
WITHOUT_PRIVATE_NAMES = """
import numba.core.caching as caching

del caching.ZipCacheLocator, caching.CacheImpl._locator_classes
"""
WITH_ANOTHER_LOCATOR = """
import numba.core.caching as caching


def fail(self, *_):
    pass


caching.ZipCacheLocator.__init__ = fail
"""


def compile_from_archive(folder, application, preamble="\n"):
    """Compile a kernel of an archive of its own, as an application would; return the times of all cache files."""
    path = write_archive(folder / application / "dedup.zip")
    names = os.pathsep.join([str(path), path_without_package()])
    environ = environment(PYTHONPATH=names, NUMBA_CACHE_DIR=folder / "cache")
    command = [sys.executable, "-c", NAME_LOCATOR + preamble + COMPILE]
    done = subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert str(path) in done.stdout
    return {file: file.stat().st_mtime_ns for file in (folder / "cache").rglob("*.nb?")}


def test_the_next_application_finds_the_machine_code_of_an_archive(tmp_path):
    first = compile_from_archive(tmp_path, "one")
    assert first
    assert compile_from_archive(tmp_path, "two") == first


@pytest.mark.parametrize("preamble", [WITHOUT_PRIVATE_NAMES, WITH_ANOTHER_LOCATOR], ids=["removed", "changed"])
def test_each_process_compiles_if_numba_has_changed_its_private_names(tmp_path, preamble):
    assert compile_from_archive(tmp_path, "one", preamble) == {}


def test_numba_has_the_private_names_that_the_cache_relies_on(tmp_path):
    advice = (
        f"numba {numba.__version__} has changed the private names that dedup/spark/numba_cache.py relies on: it was "
        f"tested with numba {numba_cache.TESTED_NUMBA}. Kernels still work, but every Spark executor compiles them; "
        "adapt the module to the new numba.core.caching, then set TESTED_NUMBA"
    )
    caching = numba_cache._caching
    assert issubclass(numba_cache.ArchiveCacheLocator, getattr(caching, "ZipCacheLocator", ())), advice
    assert getattr(getattr(caching, "CacheImpl", None), "_locator_classes", ()), advice
    assert hasattr(getattr(caching, "config", None), "CACHE_LOCATOR_CLASSES"), advice
    path = write_archive(tmp_path / "dedup.zip")
    locator = caching.ZipCacheLocator(write_archive, str(path / "dedup" / "kernels" / "buckets.py"))
    assert getattr(locator, "_zip_path", None) == str(path), advice
    assert getattr(locator, "_cache_path", None) == locator.get_cache_path(), advice


def test_the_engine_names_the_locator_that_exists():
    assert f'"dedup.spark.numba_cache.{numba_cache.ArchiveCacheLocator.__name__}"' in (
        ROOT / "dedup" / "spark" / "__init__.py"
    ).read_text(encoding="utf-8")
