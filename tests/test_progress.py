"""Progress counts the bytes of a stage once, whoever else asks how far it is."""

from __future__ import annotations

import pytest

from dedup.runtime.progress import StageTimer


@pytest.mark.parametrize("total", [None, 30])
def test_a_stage_that_adds_up_its_bytes_is_not_told_by_others(total: int | None) -> None:
    steps: list[tuple[str, int, int | None]] = []
    timer = StageTimer(lambda *step: steps.append(step))
    for size in timer.over("write", iter([10, 20]), total):
        timer.at(25, 30)  # as a thread says that watches the tasks of an engine
        timer.done(size)
    timer.at(1, 30)
    with timer.stage("end"):
        timer.at(15, 30)
    counted = [("write", 0, total), ("write", 10, total), ("write", 30, total)]
    told = [("write", 30, 30)] if total is None else []
    assert steps == [*counted, *told, ("write", 1, 30), ("end", 0, None), ("end", 15, 30), ("end", 30, 30)]


def test_a_stage_adds_up_from_its_first_report_on() -> None:
    steps: list[tuple[str, int, int | None]] = []

    def progress(stage: str, done: int, total: int | None) -> None:
        if not steps:
            steps.append((stage, done, total))
            timer.at(25, 30)  # a thread that watches may be as quick as this
        else:
            steps.append((stage, done, total))

    timer = StageTimer(progress)
    for size in timer.over("write", iter([10, 20]), 30):
        timer.done(size)
    assert steps == [("write", 0, 30), ("write", 10, 30), ("write", 30, 30)]
