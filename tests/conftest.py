"""Fixtures of all tests: the folders of the data, and the settings of hypothesis."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import fault_table
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "corpus"
collect_ignore = ["fuzz_readers.py"]  # a program; it needs atheris
SMALL = ROOT / "tests" / "data"
DATA = Path(os.environ.get("DEDUP_DATA") or ROOT.parent / "shared" / "data")

settings.register_profile("quick", deadline=None, suppress_health_check=[HealthCheck.too_slow])
if not os.access(ROOT, os.W_OK):  # hypothesis would warn that it cannot keep examples
    settings.register_profile("quick", settings.get_profile("quick"), database=None)
settings.register_profile("ci", settings.get_profile("quick"), derandomize=True)  # the same examples on every machine
settings.load_profile("ci" if os.environ.get("CI") else "quick")

pytest_addoption = fault_table.add_option
pytest_configure = fault_table.configure


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the reports of tests name their faults."""
    fault_table.note_faults(items)


@pytest.fixture
def corpus() -> Path:
    """Return the folder of sample articles."""
    return CORPUS


@pytest.fixture(scope="session")
def data_file() -> Callable[[str], Path]:
    """Find a large corpus by name, in `DEDUP_DATA` or beside the checkout; skip the test where it is missing."""

    def find(name: str) -> Path:
        path = DATA / f"{name}.jsonl.gz"
        if not path.exists():
            pytest.skip(f"{path.name} is neither beside this checkout nor in a folder that DEDUP_DATA names")
        return path

    return find


class Rows:
    """The rows of a large corpus, by name; or of any gzipped file of JSON lines."""

    def __init__(self, find: Callable[[str], Path]) -> None:
        self.find = find

    def __call__(self, name: str) -> Iterator[dict[str, Any]]:
        return self.read(self.find(name))

    @staticmethod
    def read(path: Path) -> Iterator[dict[str, Any]]:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)


@pytest.fixture(scope="session")
def data_rows(data_file: Callable[[str], Path]) -> Rows:
    """Return a reader of the rows of large corpora."""
    return Rows(data_file)


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write `rows` to `path` as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
