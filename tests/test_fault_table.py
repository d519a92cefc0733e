"""The table of faults in docs/reliability.md has a row for each fault that the tests try."""

from __future__ import annotations

from helpers.fault_table import PAGE, ROOT, declared_faults


def test_the_page_has_the_faults_of_the_tests():
    page = PAGE.read_text(encoding="utf-8")
    begin, end = "<!-- faults: made by tests/helpers/fault_table.py -->\n", "\n<!-- end of faults -->"
    table = page[page.index(begin) + len(begin) : page.index(end)].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    assert [(fault, outcome, test) for fault, outcome, _, test in rows] == [
        (fault, outcome, f"`{file}`") for fault, outcome, file in declared_faults()
    ], "make faults writes the table anew"
    assert all(int(row[2]) > 0 for row in rows)


def test_faults_are_marked_in_the_files_of_the_table():
    marked = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").glob("test_*.py")
        if "@pytest.mark." + "fault(" in path.read_text(encoding="utf-8")
    }
    assert marked == {fault.file for fault in declared_faults()}
