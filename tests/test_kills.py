"""Real runs that are killed at random moments lose nothing; `make kills` does many more of them."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from conftest import ROOT, write_jsonl
from helpers.news import news

from benchmarks import kills
from benchmarks.kills import FAULTS, faults_of, kills_table, run_trials
from benchmarks.stored_results import load_results

pytestmark = pytest.mark.slow

FIGURES = {"runs": 1, "seed": 1, "kills": {"one worker": {"SIGKILL": dict.fromkeys(FAULTS, 0) | {"kills": 1}}}}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads the processes of Linux")
def test_runs_killed_at_random_moments_lose_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(kills, "SIGNALS", (signal.SIGKILL, signal.SIGTERM))
    corpus = write_jsonl(tmp_path / "news.jsonl", news(count=40))
    figures = run_trials(corpus, tmp_path / "work", 2, 1)
    assert faults_of(figures) == 0, kills_table(figures)
    assert figures["runs"] == 2


def test_each_kind_of_fault_counts_and_nothing_else():
    assert faults_of(FIGURES) == 0
    for key in FAULTS:
        counts = {**FIGURES["kills"]["one worker"]["SIGKILL"], key: 1}
        figures = {**FIGURES, "kills": {"one worker": {"SIGKILL": counts}}}
        assert faults_of(figures) == (key not in {"kills", "new output in place", "batches left", "in Python's start"})


def test_the_page_has_the_counts_that_are_saved():
    results = load_results("kills")
    assert results is not None
    assert kills_table(results["figures"]) in (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert faults_of(results["figures"]) == 0
