"""On a terminal, explain, diff and groups mark the words that differ, and use the pager for what does not fit."""

from __future__ import annotations

import json
import os
import pty
import sys

import pytest
from helpers.command import run_dedup
from helpers.crawls import HOSTILE, clean_crawl, crawl_rows, hostile_rows

from dedup.inspect.groups import groups_by_survivor
from dedup.inspect.output import open_output
from dedup.inspect.word_colours import coloured_diff
from dedup.inspect.word_diff import diff_words


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return clean_crawl(tmp_path_factory.mktemp("crawl"), crawl_rows())


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    return clean_crawl(tmp_path_factory.mktemp("hostile"), hostile_rows())


def on_terminal(command, *, lines=24, pager="sed s/^/PAGED:/", **environment):
    """Return what a command writes to a terminal of so many lines."""
    child, terminal = pty.fork()
    if not child:
        path = os.pathsep.join(filter(None, sys.path))
        size = {"COLUMNS": "120", "LINES": str(lines)}
        os.environ.update(TERM="xterm-256color", PAGER=pager, PYTHONPATH=path, **size, **environment)
        os.execv(sys.executable, [sys.executable, "-m", "dedup", *command])
    shown = b""
    while True:
        try:
            data = os.read(terminal, 1 << 16)
        except OSError:  # the terminal is closed
            break
        if not data:
            break
        shown += data
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, shown
    return shown.decode()


@pytest.mark.slow
def test_short_output_is_printed_and_long_output_paged(out):
    dropped = json.loads(run_dedup(f"dedup explain {out} --json").stdout.splitlines()[0])["article"]
    for command in (["explain", str(out), dropped], ["diff", str(out), dropped], ["groups", str(out)]):
        assert "PAGED:" not in on_terminal(command, lines=200), command
        assert on_terminal(command, lines=4).startswith("PAGED:"), command
    assert "PAGED:" in on_terminal(["diff", str(out)], lines=50)


def test_output_that_is_no_terminal_is_never_paged(out):
    done = run_dedup(f"dedup diff {out}", env={"PAGER": "sed s/^/PAGED:/", "LINES": "2"})
    assert done.status == 0
    assert "PAGED:" not in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("pager", ["cat", "sed s/^/PAGED:/"])
def test_no_control_character_of_the_data_reaches_the_pager(hostile, pager):
    for command in (["diff", str(hostile)], ["groups", str(hostile)], ["explain", str(hostile)]):
        shown = on_terminal(command, lines=4, pager=pager)
        plain = shown.replace("\x1b[", "")  # colours of our own begin so
        assert not set(plain) & set("\x00\x07\x1b\u202e\u202c\u2066"), command
        assert "\x1b[31mred" not in shown.replace("\x1b[31m-", "")


def test_words_that_differ_are_marked_in_a_diff():
    lines = ["--- a/x", "+++ b/x", "@@ -1 +1 @@", "-the old bridge", "+the new bridge", " same"]
    shown = list(coloured_diff(lines))
    assert [line.plain for line in shown] == lines
    marked = [
        [line.plain[span.start : span.end].strip() for span in line.spans if "reverse" in str(span.style)]
        for line in shown
    ]
    assert marked == [[], [], [], ["old"], ["new"], []]


def test_every_line_of_a_diff_is_there_in_colour(out):
    plain = run_dedup(f"dedup diff {out}").stdout.splitlines()
    assert [line.plain for line in coloured_diff(plain)] == ["\t".join(line.split("\t")) for line in plain]


@pytest.mark.parametrize("text", [*HOSTILE, "", " ", "a\n\nb ", "新しい橋が開通した。"])
@pytest.mark.parametrize("other", ["", "a b c", "新しい道が開通した。", *HOSTILE[:2]])
def test_the_pieces_of_a_comparison_are_the_texts(text, other):
    words = diff_words(text, other, context=None)
    assert "".join(piece.text for piece in words.before) == text
    assert "".join(piece.text for piece in words.after) == other


def test_characters_are_compared_where_words_are_not_divided():
    words = diff_words("新しい橋が開通した。", "新しい道が開通した。")
    assert [piece.text for piece in words.before if piece.kind == "differs"] == ["橋"]


def test_groups_are_listed_by_size(out):
    rows = [json.loads(line) for line in run_dedup(f"dedup groups {out} --json").stdout.splitlines()]
    assert [row["articles"] for row in rows] == sorted((row["articles"] for row in rows), reverse=True)
    assert rows[0] == {
        "articles": 12,
        "survivor": rows[0]["survivor"],
        "source": "crawl.jsonl",
        "record": rows[0]["record"],
        "lowest_similarity": 1.0,
        "dropped_by_source": {"lens.example": 11},
    }
    output = open_output(out)
    assert sum(row["articles"] - 1 for row in rows) == output.run["counts"]["dropped"]
    assert len(groups_by_survivor(output)) == len(rows)
    shown = run_dedup(f"dedup groups {out}").stdout.splitlines()
    assert shown[1].startswith("12  lens.example-")
    assert "from lens.example 11" in shown[1]
