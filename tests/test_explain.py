"""Explaining articles to a person, and unified diffs."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from helpers.outputs import (
    BROKEN,
    CORPUS,
    INPUTS,
    QUARANTINED,
    STORY,
    InputArticle,
    write_output,
)
from rich.console import Console

from dedup.errors import InputError
from dedup.findings import apply, fix
from dedup.inspect.explain import diff, print_explanation
from dedup.inspect.output import open_output


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return write_output(tmp_path / "out", CORPUS, QUARANTINED, INPUTS)


def _shown(out: Path, name: str, **options: Any) -> str:
    file = io.StringIO()
    print_explanation(open_output(out), name, Console(file=file, **{"width": 120, "highlight": False, **options}))
    return file.getvalue()


def test_explain_shows_removed_and_added_text(plain: Path) -> None:
    shown = _shown(plain, "https://example.com/two")
    assert "a.jsonl#3  kept, 3 changes" in shown
    assert "encoding: fix  3-5  (latin-1 as utf-8)" in shown
    assert "caf[-\u00c3\u00a9-]{+\u00e9+}" in shown
    assert "[-↵↵-]" in shown
    assert "⍽" in shown


def test_explain_shows_the_twin_of_a_dropped_article(plain: Path) -> None:
    for options in ({}, {"force_terminal": True}, {"force_terminal": True, "width": 60, "no_color": True}):
        shown = " ".join(_shown(plain, "7", **options).split())
        assert "by duplicate-article: repeats one (a.jsonl#0)" in shown or "\x1b" in shown
        assert "its twin in one (a.jsonl#0)" in shown
    assert f"[-{STORY.upper()}-]" in _shown(plain, "7")
    assert STORY in _shown(plain, "7")


def test_explain_shows_every_article_with_a_repeated_id(plain: Path) -> None:
    shown = _shown(plain, "one")
    assert "a.jsonl#0" in shown
    assert "c.ndjson.zst#1" in shown
    assert "c.ndjson.zst#1" not in _shown(plain, "a.jsonl#0")


def test_explain_suggests_close_matches(plain: Path) -> None:
    with pytest.raises(InputError, match="no article 'b/taij'; did you mean 'b/taji'"):
        _shown(plain, "b/taij")


def test_control_characters_never_reach_the_terminal(tmp_path: Path) -> None:
    raw = "a\x1b[31mb\x9b\u202e"
    out = write_output(
        tmp_path / "out", [InputArticle("a.jsonl", 0, {"id": "\x1bid", "text": raw}, (fix("encoding", raw, 1, 6, ""),))]
    )
    shown = _shown(out, "\x1bid")
    assert not set(shown) & set("\x1b\x9b\u202e")
    assert "␛id" in shown


def test_the_middle_of_a_long_span_is_left_out(tmp_path: Path) -> None:
    raw = "x" * 5000
    finding = fix("encoding", raw, 0, 5000, "y" * 5000)
    out = write_output(tmp_path / "out", [InputArticle("a.jsonl", 0, {"id": "long", "text": raw}, (finding,))])
    assert "[…4400 characters…]" in _shown(out, "long")


def test_a_diff_turns_the_raw_text_into_the_cleaned_text(plain: Path, tmp_path: Path) -> None:
    lines = list(diff(open_output(plain)))
    assert [line for line in lines if line.startswith(("---", "+++"))] == [
        "--- a/https://example.com/two",
        "+++ b/https://example.com/two",
        "--- a/7",
        "+++ /dev/null",
    ]
    if shutil.which("patch"):
        (tmp_path / "text").write_text(BROKEN)
        patch = "\n".join(diff(open_output(plain), "https://example.com/two")) + "\n"
        subprocess.run(["patch", "-s", tmp_path / "text"], input=patch, text=True, check=True)
        assert (tmp_path / "text").read_text() == apply(BROKEN, CORPUS[1].findings)
