"""Machine code is compiled once for all processes, kept in one file, and found again by what it depends on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from helpers.spark_cases import environment, path_without_package, write_archive

import dedup
from dedup import EngineError
from dedup.engines.local import warm_up
from dedup.kernels import buckets, library
from dedup.kernels.cache_folders import cache_folders
from dedup.kernels.constants import NONE_YET
from dedup.kernels.declare import KERNELS, Kernel, part, read_parameters
from dedup.kernels.set_overlap import count_bits
from dedup.kernels.sorting import sort_values
from dedup.spark.session import write_package

WARM_UP = [sys.executable, "-m", "dedup", "warm-up"]


def start_warm_up(folder: Path) -> subprocess.Popen[bytes]:
    """Start a process that compiles all kernels, with `folder` for its cache."""
    environ = {**os.environ, "NUMBA_CACHE_DIR": str(folder)}
    return subprocess.Popen(WARM_UP, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wait_until(condition, seconds: float = 300.0) -> None:
    """Return when `condition` is true; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(process: int) -> bool:
    """Return True if `process` has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def children_of(process: int) -> list[int]:
    """Return the processes that `process` has started."""
    parents = (
        (path, re.search(r"^PPid:\s*(\d+)", read_status(path), re.MULTILINE)) for path in Path("/proc").iterdir()
    )
    return [int(path.name) for path, parent in parents if parent and int(parent[1]) == process]


def read_status(path: Path) -> str:
    """Return the status of a process in ``/proc``, empty if it has ended or `path` is of something else."""
    try:
        return (path / "status").read_text() if path.name.isdecimal() else ""
    except OSError:
        return ""


linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc, which only Linux has")


@pytest.mark.slow
@linux
def test_a_killed_compilation_leaves_nothing_and_of_two_processes_one_compiles(tmp_path):
    killed = start_warm_up(tmp_path)
    wait_until(lambda: children_of(killed.pid))
    compilers = children_of(killed.pid)
    killed.kill()
    killed.communicate()
    assert [path.name for path in tmp_path.iterdir() if path.suffix in {".bin", ".partial"}] == []
    processes = [start_warm_up(tmp_path) for _ in range(2)]
    results = [process.communicate(timeout=600) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], results
    [path] = tmp_path.glob("kernels-*")
    assert all(out.decode().rstrip().endswith(f": {path}") for out, _ in results)
    announced = b"dedup: compiling once for this installation, some 10 to 60 s\n"
    assert {errors for _, errors in results} <= {announced, b""}
    assert announced in {errors for _, errors in results}
    wait_until(lambda: not any(map(is_running, compilers)))


def test_installed_code_is_read_where_the_chosen_folder_cannot_be_written(tmp_path):
    library.load_kernels()
    if library.cached_file() is None:
        pytest.skip("no cache folder of this checkout can be written")
    (tmp_path / "file").write_text("no folder")
    process = start_warm_up(tmp_path / "file" / "cache")
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, b"")
    assert str(Path(library.__file__).parent).encode() in out


def test_a_warm_up_without_any_folder_says_so(monkeypatch):
    library.load_kernels()
    monkeypatch.setattr(library, "cache_folders", lambda: iter(()))
    with pytest.raises(EngineError, match="no cache folder can be written, so every job compiles"):
        warm_up()


def test_a_user_without_a_home_has_no_cache_folder_of_that_name(monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda _: Path("~/.cache/dedup"))
    assert all(folder.is_absolute() for folder in cache_folders())


@pytest.fixture(scope="module")
def machine_code() -> bytes:
    """The file of machine code of this checkout."""
    library.load_kernels()
    path = library.cached_file()
    if path is None:
        pytest.skip("no cache folder of this checkout can be written")
    return path.read_bytes()


@pytest.mark.parametrize("damage", ["cut", "empty", "changed", "missing"])
def test_a_damaged_file_counts_as_none(tmp_path, machine_code, damage):
    middle = len(machine_code) // 2
    changed = bytearray(machine_code)
    changed[middle] ^= 1
    path = tmp_path / library._file_name()
    if damage != "missing":
        path.write_bytes({"cut": machine_code[:middle], "empty": b"", "changed": bytes(changed)}[damage])
    assert library._read(path) is None
    path.write_bytes(machine_code)
    assert library._read(path)


def test_a_second_process_finds_the_code_of_the_first_and_imports_neither_numba_nor_scipy():
    code = (
        "import sys\nfrom dedup.kernels import compiled\n"
        "from dedup.kernels.backend import load_backend\n"
        "load_backend(compiled=True, progress=lambda *_: sys.exit('it compiles'))\n"
        "print({'numba', 'scipy', 'pandas', 'datasketch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "set()\n"), done.stderr


def test_an_archive_of_the_package_finds_the_code_of_the_folder(tmp_path):
    path = write_archive(tmp_path / "application" / "dedup.zip")
    code = "from dedup.kernels import library\nprint(library.__file__, library._file_name())"
    done = subprocess.run(
        [sys.executable, "-c", "import numba\n" + code],  # numba may be there before `dedup`, as in a notebook
        env=environment(PYTHONPATH=os.pathsep.join([str(path), path_without_package()])),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[0].startswith(str(path))
    assert done.stdout.split()[1] == library._file_name()


def test_the_archive_for_spark_holds_nothing_compiled(tmp_path):
    write_package(Path(dedup.__file__).parent, tmp_path / "dedup.zip")
    names = zipfile.ZipFile(tmp_path / "dedup.zip").namelist()
    assert {"dedup/__init__.py", "dedup/__init__.pyi", "dedup/kernels/declare.py"} <= set(names)
    sources = (".py", ".pyi", ".toml", ".typed", ".html", ".css", ".js", ".svg")
    assert [name for name in names if "__pycache__" in name or not name.endswith(sources)] == []


def test_the_name_of_the_file_depends_on_each_kernel_and_on_the_parts_and_constants_that_it_uses(monkeypatch):
    def described(function):
        parts: list = []
        library._describe(function, set(), parts)
        return repr(parts)

    @part
    def other(value):
        return value + 1

    function = buckets._number_parts.function
    before = described(function)
    assert "capacity" in before
    assert described(function) == before
    monkeypatch.setitem(function.__globals__, "NONE_YET", NONE_YET + 1)
    assert described(function) != before
    monkeypatch.undo()
    monkeypatch.setitem(function.__globals__, "_number_shared", other)
    assert described(function) != before
    monkeypatch.setitem(function.__globals__, "_number_shared", print)
    with pytest.raises(TypeError, match="cannot depend on _number_shared"):
        described(function)


def test_every_kernel_has_a_symbol_of_its_own():
    assert len({kernel.symbol for kernel in KERNELS}) == len(KERNELS) > 20


def test_a_kernel_converts_what_it_reads_and_refuses_what_it_cannot_write_to():
    pairs = np.array([[1, 2], [3, 4], [1, 2]], np.uint64)
    expected = [0, 1, 0]
    assert buckets.first_equal_rows(pairs[:, 0], pairs[:, 1]).tolist() == expected
    assert buckets.first_equal_rows(pairs[:, 0].astype(np.uint32), pairs[:, 1]).tolist() == expected
    room = np.full((8, 2), -1, np.int64)[:, 0]
    with pytest.raises(TypeError, match="_write_first_equal_rows"):
        buckets._write_first_equal_rows(pairs[:, 0], pairs[:, 1], room, np.empty(3, np.int64))
    with pytest.raises(TypeError, match="Cannot cast"):
        buckets.first_equal_rows(pairs[:, 0].astype(float), pairs[:, 1])
    with pytest.raises(ValueError, match="shorter"):
        buckets._write_first_equal_rows(pairs[:, 0], pairs[:, 1], room.copy())


def test_fields_of_a_named_tuple_are_parameters_in_their_place():
    fields = read_parameters("int64, (+uint8[:], float64), int16[:,:]")
    assert [
        parameter.dtype.name for parameter in Kernel(count_bits, "int64, (uint8[:], float64)", "void").flat_parameters
    ]
    assert [type(field).__name__ for field in fields] == ["Parameter", "tuple", "Parameter"]
    assert fields[1][0].is_written
    assert fields[2].dimensions == 2


@pytest.mark.parametrize("count", [0, 1, 2, 11, 12, 13, 24, 25, 100, 193])
@pytest.mark.parametrize("most", [3, 1 << 63])
def test_values_are_sorted_in_place(count, most):
    values = np.random.default_rng(count).integers(0, most, count, np.uint64)
    expected = np.sort(values)
    for given in (values, expected.copy(), expected[::-1].copy()):
        sort_values(given, np.empty(count, np.uint64))
        assert given.tolist() == expected.tolist()


@linux
def test_workers_end_when_the_main_process_is_killed():
    code = (
        "import time, sys\nfrom dedup.engines.local import Workers\n"
        "def task(item):\n    time.sleep(0.2)\n    return item\n"
        "for item in Workers(compiled=False, processes=2).map(task, iter(range(10**9))):\n    print(item, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"0\n"
    workers = children_of(process.pid)
    assert len(workers) == 2
    process.send_signal(signal.SIGKILL)
    process.stdout.close()
    process.wait()
    wait_until(lambda: not any(map(is_running, workers)), 20)
