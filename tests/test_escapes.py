"""Nothing of the data reaches a terminal, or a pager behind a pipe, as a control character."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.cli.terminal import escape_controls
from dedup.inspect.visible import visible_lines
from dedup.read.fields import to_json_bytes

EVIL = "\x1b[2J\x1b]0;title\x07\x9b31m\x7f\x08\u202e"
TEXT = f"The café {EVIL} was open.\nIt had caf\u00c3\u00a9 as well."
DEDUP = [sys.executable, "-m", "dedup"]
LAYOUT = set("\n\t")


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """An output of articles whose texts, ids, fields, dates and quarantined records have control characters."""
    folder = tmp_path_factory.mktemp("evil")
    rows = [
        {"id": EVIL, "text": TEXT, "date": f"soon{EVIL}", "url": f"http://a{EVIL}.example/"},
        {"id": f"copy{EVIL}", "text": TEXT},
        {"id": "none", f"field{EVIL}": "no text"},
        {"id": "long", "text": TEXT * 30, "date": "2024-01-01"},
    ]
    (folder / f"a{EVIL.replace('/', '')}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = subprocess.run(
        [*DEDUP, "clean", folder, "-o", folder / "out", "--keep", "earliest", "--rule", "encoding=flag"],
        capture_output=True,
        check=True,
    )
    assert controls_in(done.stderr) == set(), done.stderr
    return folder / "out"


def controls_in(data):
    text = data.decode()
    return {character for character in text if not character.isprintable()} - LAYOUT


COMMANDS = [
    ("diff", ()),
    ("diff", (EVIL,)),
    ("explain", ()),
    ("explain", (EVIL,)),
    ("explain", (EVIL, "--json")),
    ("explain", ("none",)),
    ("verify", ()),
    ("check", ()),
    ("check", ("--json",)),
]


def arguments(command, options, out):
    return [*DEDUP, command, out.parent if command == "check" else out, *options]


@pytest.mark.fault("control characters in ids, texts, fields, dates, names of files; into a pipe", "shown as symbols")
@pytest.mark.slow
@pytest.mark.parametrize(("command", "options"), COMMANDS)
def test_a_pipe_gets_no_control_characters(out, command, options):
    done = subprocess.run(arguments(command, options, out), capture_output=True, check=False)
    assert done.returncode in {0, 1, 2}
    allowed = {"\u202e"} if "--json" in options else set()  # no terminal obeys it, and JSON stays short
    assert controls_in(done.stdout) <= allowed, done.stdout
    assert controls_in(done.stderr) == set(), done.stderr


@pytest.mark.fault("the same on a terminal", "shown as symbols")
@pytest.mark.slow
@pytest.mark.parametrize(("command", "options"), [*COMMANDS, ("clean", ("-o", "-"))])
def test_a_terminal_gets_those_of_its_own_colours_alone(out, command, options):
    ours, theirs = pty.openpty()
    source = out.parent if command in {"check", "clean"} else out
    streams = {"stdout": theirs, "stderr": theirs, "stdin": theirs}
    with subprocess.Popen([*DEDUP, command, source, *options], **streams, env=os.environ | {"PAGER": "cat"}) as process:
        os.close(theirs)
        shown = b""
        try:
            while block := os.read(ours, 1 << 16):
                shown += block
        except OSError:  # the end of a terminal
            pass
        process.wait()
    os.close(ours)
    for part in (b"\x1b[2J", b"\x1b]0;", b"\x07", b"\xc2\x9b", b"\x7f", b"\x08"):
        assert part not in shown, (part, shown)


@pytest.mark.slow
def test_exact_texts_are_for_patch(out):
    done = subprocess.run([*DEDUP, "diff", out, "--exact"], capture_output=True, check=True)
    assert EVIL.encode()[:4] in done.stdout
    if shutil.which("script"):
        done = subprocess.run(
            ["script", "-qec", f"{sys.executable} -m dedup diff '{out}' --exact", "/dev/null"],
            capture_output=True,
            check=False,
        )
        assert b"--exact: texts may have control characters" in done.stdout


@given(st.text())
def test_visible_lines_have_printable_characters_and_layout_only(text):
    shown = visible_lines(text)
    assert all(c.isprintable() or c in LAYOUT or c in "\u200c\u200d" or "\ue000" <= c <= "\U0010ffff" for c in shown)


@given(st.text())
def test_escaped_json_is_the_same_value(text):
    data = escape_controls(to_json_bytes(text))
    assert json.loads(data) == text
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in data.decode())
