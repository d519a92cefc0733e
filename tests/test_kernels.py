"""Both backends keep to the protocol, and kernels and their tables are cached, by several processes at once."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from typing import get_type_hints

import pytest

from dedup.kernels import compiled, reference
from dedup.kernels.backend import Backend

MEMBERS = {name for base in Backend.__mro__ for name in vars(base) if not name.startswith("_")}


def signature(function):
    """Return the parameters of `function` with their kinds, defaults and types, and the type of its result."""
    function = inspect.unwrap(function)  # the Python function of a kernel
    parameters = inspect.signature(function).parameters.values()
    described = [(p.name, p.kind, p.default) for p in parameters if p.name != "self"]
    return described, get_type_hints(function)


@pytest.mark.parametrize("backend", [reference, compiled], ids=lambda module: module.__name__)
def test_a_backend_has_every_member_of_the_protocol_and_no_other(backend):
    assert set(backend.__all__) == MEMBERS


@pytest.mark.parametrize("backend", [reference, compiled], ids=lambda module: module.__name__)
@pytest.mark.parametrize("name", sorted(MEMBERS - {"compiled"}))
def test_a_function_of_a_backend_has_the_signature_of_the_protocol(backend, name):
    assert signature(getattr(backend, name)) == signature(getattr(Backend, name))


def test_only_the_compiled_backend_says_that_it_is_compiled():
    assert (reference.compiled, compiled.compiled) == (False, True)


TABLES = """
from dedup.kernels.characters import characters
from dedup.kernels.facts import fact_characters
from dedup.kernels.page_furniture_lines import furniture_tables
from dedup.kernels.repair_screen import tables
for load in (characters, fact_characters, furniture_tables, tables):
    expected = load.__wrapped__.__wrapped__()
    assert type(load()) is type(expected)
    for value, wanted in zip(load(), expected, strict=True):
        assert type(value) is type(wanted), (value, wanted)
        assert isinstance(value, int) and value == wanted or (value.dtype, value.shape, value.tobytes()) == (
            wanted.dtype, wanted.shape, wanted.tobytes())
"""


def load_tables(folder):
    """Load all tables in a process with `folder` for its cache; return path and time of each cached file by name."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", TABLES], env=environment, capture_output=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return {path.name: (path, path.stat().st_mtime_ns) for path in folder.glob("*.npz")} if folder.is_dir() else {}


def test_tables_are_written_once_and_read_again(tmp_path):
    first = load_tables(tmp_path)
    names = ["characters", "facts", "page_furniture_lines", "repair_screen"]
    assert sorted(name.partition("-")[0] for name in first) == names
    assert load_tables(tmp_path) == first


@pytest.mark.slow
def test_damaged_tables_and_those_of_other_versions_are_replaced(tmp_path):
    first = load_tables(tmp_path)
    sizes = {}
    for name, (path, _) in first.items():
        content = path.read_bytes()
        sizes[name] = len(content)
        path.write_bytes(content[: len(content) // 2])
    (tmp_path / "page_furniture_lines-0123456789abcdef.npz").write_bytes(b"older")
    second = load_tables(tmp_path)
    assert {name: path.stat().st_size for name, (path, _) in second.items()} == sizes


def test_tables_are_made_anew_without_a_writable_cache_folder(tmp_path):
    (tmp_path / "file").write_text("no folder")
    assert load_tables(tmp_path / "file" / "cache") == {}
