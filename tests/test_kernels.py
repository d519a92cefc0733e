"""The compiled functions are available wherever the package is installed, by several processes at once."""

from __future__ import annotations

import os
import subprocess
import sys

COMPILE = """
import numpy as np
from dedup.fingerprint.shingles import hash_words
from dedup.kernels import compiled as kernels
hashes, ends = hash_words([b"a b c d", b"e"])
print(kernels.minimizers(hashes, ends, 2, 2)[1].tolist())
"""


def started(folder):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder)}
    return subprocess.Popen(
        [sys.executable, "-c", COMPILE], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_processes_that_compile_at_once_do_not_disturb_each_other(tmp_path):
    for _ in range(2):  # first without a cache, then with the one that they have left
        for process in [started(tmp_path / "cache") for _ in range(3)]:
            out, err = process.communicate(timeout=120)
            assert (process.returncode, out) == (0, b"[0, 1, 1]\n"), err.decode()
    assert list((tmp_path / "cache").rglob("*.nbc"))


def test_without_a_writable_cache_folder_each_process_compiles_for_itself(tmp_path):
    (tmp_path / "file").write_text("no folder")
    out, err = started(tmp_path / "file" / "cache").communicate(timeout=120)
    assert out == b"[0, 1, 1]\n", err.decode()


TABLES = """
import sys
from dedup.kernels.characters import characters
from dedup.kernels.page_furniture_lines import furniture_tables
from dedup.kernels.repair_screen import tables
for made in (characters, furniture_tables, tables):
    wanted = made.__wrapped__.__wrapped__()
    assert type(made()) is type(wanted)
    for own, other in zip(made(), wanted, strict=True):
        assert type(own) is type(other), (own, other)
        assert isinstance(own, int) and own == other or (own.dtype, own.shape, own.tobytes()) == (
            other.dtype, other.shape, other.tobytes())
"""


def tables(folder):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", TABLES], env=environment, capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return {path.name: (path, path.stat().st_mtime_ns) for path in folder.glob("*.npz")} if folder.is_dir() else {}


def test_tables_are_cached_and_read_again(tmp_path):
    first = tables(tmp_path)
    assert sorted(name.partition("-")[0] for name in first) == ["characters", "page_furniture_lines", "repair_screen"]
    assert tables(tmp_path) == first


def test_damaged_tables_and_those_of_other_versions_are_replaced(tmp_path):
    first = tables(tmp_path)
    whole = {}
    for name, (path, _) in first.items():
        whole[name] = path.read_bytes()
        path.write_bytes(whole[name][: len(whole[name]) // 2])
    (tmp_path / "page_furniture_lines-0123456789abcdef.npz").write_bytes(b"older")
    again = tables(tmp_path)
    assert again.keys() == first.keys()
    for name, (path, _) in again.items():
        assert len(path.read_bytes()) == len(whole[name])


def test_without_a_writable_cache_folder_no_table_is_stored(tmp_path):
    (tmp_path / "file").write_text("no folder")
    assert tables(tmp_path / "file" / "cache") == {}
