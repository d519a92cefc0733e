"""The table of docs/reliability.md: the tests with the mark `fault` write it, with the number of cases that passed.

    pytest -m fault --write-faults

A test may have several cases, such as moments or kinds of files; the cases of one fault are added up.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from benchmarks.markdown_tables import markdown_table, replace_section

ROOT = Path(__file__).parents[2]
PAGE, SECTION, SCRIPT = ROOT / "docs" / "reliability.md", "faults", "tests/helpers/fault_table.py"
_NAMES = (
    "destination interruption resume sealed_outputs verify_inputs limits any_records run_log damaged_archives "
    "full_disks escapes"
)
FILES = tuple(f"tests/test_{name}.py" for name in _NAMES.split())


class Fault(NamedTuple):
    """Fault that a test causes, the outcome that it must have, and the file of the test."""

    fault: str
    outcome: str
    file: str


def declared_faults() -> list[Fault]:
    """Return the faults that the marks of the tests name, in the order of the table."""
    return list(dict.fromkeys(fault for file in FILES for fault in _faults_of(file)))


def _faults_of(file: str) -> Iterator[Fault]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
        for decorator in function.decorator_list:
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.fault":
                fault, outcome = map(ast.literal_eval, decorator.args)
                yield Fault(fault, outcome, file)


class FaultTable:
    """A plugin that counts the cases of each fault, and writes the table if all of them have passed."""

    def __init__(self) -> None:
        self.passed: dict[Fault, int] = {}
        self.others: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a case that has passed; note one that has not."""
        named = dict(report.user_properties).get("fault")
        if named is None:
            return
        fault = Fault(*named)
        if report.when == "call" and report.passed:
            self.passed[fault] = self.passed.get(fault, 0) + 1
        elif not report.passed:
            self.others.append(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the table, unless a fault has not been tried or a case has not passed."""
        faults = declared_faults()
        missing = [fault.fault for fault in faults if fault not in self.passed]
        if self.others or missing:
            writer = session.config.get_terminal_writer()
            writer.line(f"\ndocs/reliability.md is left as it is, since these did not pass: {self.others or missing}")
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            return
        rows = [(fault.fault, fault.outcome, self.passed[fault], f"`{fault.file}`") for fault in faults]
        table = markdown_table(("fault", "outcome", "cases", "test"), rows)
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(replace_section(page, SECTION, SCRIPT, table), encoding="utf-8")


def add_option(parser: pytest.Parser) -> None:
    """Add the option that writes the table."""
    parser.addoption("--write-faults", action="store_true", help="write the table of docs/reliability.md")


def configure(config: pytest.Config) -> None:
    """Count cases where they are reported, which with several processes is the main one."""
    if config.getoption("--write-faults") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(FaultTable(), "fault-table")


def note_faults(items: list[Any]) -> None:
    """Let the reports of tests name their faults."""
    for item in items:
        marker = item.get_closest_marker("fault")
        if marker is not None:
            file = item.path.relative_to(ROOT).as_posix()
            item.user_properties.append(("fault", [*marker.args, file]))
