"""The compiled functions can be had wherever the package is installed, by several processes at once."""

from __future__ import annotations

import os
import subprocess
import sys

COMPILE = """
import numpy as np
from dedup import fingerprint, kernels
hashes, ends = fingerprint.hashed([b"a b c d", b"e"])
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


def test_without_any_place_for_a_cache_each_process_compiles_for_itself(tmp_path):
    (tmp_path / "file").write_text("no folder")
    out, err = started(tmp_path / "file" / "cache").communicate(timeout=120)
    assert out == b"[0, 1, 1]\n", err.decode()
