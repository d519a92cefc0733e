"""The command line in real subprocesses: what it prints, on which stream, and its exit statuses."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import ROOT

from dedup.cli import cli
from dedup.cli.rule_pages import rules_markdown
from dedup.cli.terminal import name_options, option_names
from dedup.rules import NAMES
from dedup.settings import Settings

DEDUP = (sys.executable, "-m", "dedup")
STORY = [
    "The council of the town met on Monday evening to speak about the new bridge over the river.",
    "Nobody had expected that so many neighbours would come, and chairs had to be fetched from the school.",
    "The mayor said the bridge would be paid for by the county, the state and a lottery in equal parts.",
    "A decision is to follow in spring, when the engineers have finished their report on the piers.",
]
ARTICLES: list[dict[str, Any]] = [
    {"id": "bridge", "url": "https://a.example/1", "text": "\n\n".join(STORY)},
    {"id": "mojibake", "url": "https://a.example/2", "text": "The caf\u00c3\u00a9 opens  \nat nine.", "n": 1.0},
    {"id": "copy", "url": "https://b.example/1", "text": "\n\n".join(STORY).upper()},
    {"id": "near", "url": "https://b.example/2", "text": "\n\n".join(STORY).replace("spring", "sprnig")},
    {"id": "clean", "url": "https://b.example/3", "text": "Nothing is wrong with this one."},
]


def run(*args: object, status: int | None = 0, env: dict[str, str] | None = None, **options: Any) -> Any:
    """Run a command and return the finished process; fails unless its exit status is `status` (None: any)."""
    environment = {
        name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR", "COLUMNS"}
    }
    done = subprocess.run(
        [*DEDUP, *map(str, args)],
        capture_output=True,
        text=True,
        env={**environment, **(env or {})},
        timeout=600,
        check=False,
        **options,
    )
    assert status is None or done.returncode == status, done.stderr
    return done


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "news.jsonl"
    path.write_text("".join(json.dumps(article) + "\n" for article in ARTICLES))
    return path


@pytest.fixture
def out(source: Path, tmp_path: Path) -> Path:
    run("clean", source, "-o", tmp_path / "out", "--quiet")
    return tmp_path / "out"


HEAVY = ("pyarrow", "numpy", "numba", "ftfy", "rich", "datasketch", "scipy", "dedup.pipeline", "dedup.inspect.output")


@pytest.mark.parametrize("args", [["--help"], ["clean", "--help"], ["tune", "--help"], ["--version"], ["config"]])
def test_light_commands_import_nothing_heavy(args: list[str]) -> None:
    code = f"""
import sys
try:
    from dedup.cli import main
    main({args!r})
finally:
    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    assert done.stdout


@pytest.mark.parametrize("command", ["clean", "check"])
def test_no_job_imports_pandas(command: str, source: Path, tmp_path: Path) -> None:
    pytest.importorskip("pandas", reason="pandas is not installed")
    arguments = [command, str(source), "--quiet", *(["-o", str(tmp_path / "out")] if command == "clean" else [])]
    code = f"""
import sys
from dedup.cli import main
try:
    main({arguments!r})
finally:
    print(sorted(name for name in sys.modules if name.startswith("pandas")), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.endswith("[]\n"), done.stderr


def test_version() -> None:
    assert re.fullmatch(r"dedup \d+\.\d+\.\d+\n", run("--version").stdout)


@pytest.mark.slow
def test_a_verbose_error_shows_the_traceback(tmp_path: Path) -> None:
    for args in (["-v", "verify", tmp_path], ["verify", "-v", tmp_path]):
        lines = run(*args, status=2).stderr.splitlines()
        assert lines[0].startswith("Traceback")
        assert lines[-1].startswith("dedup: error: ")


def test_without_a_command_the_help_page_is_shown() -> None:
    done = run(status=2)
    assert done.stdout == ""
    assert "Commands:" in done.stderr


def test_messages_show_options_for_the_parameters_that_they_name() -> None:
    options = option_names(cli)
    message = (
        'x: leave out `on_error="fail"`, add `force=True`, or name `text_field` or `url`; see `dedup clean -o`, `a`'
    )
    assert name_options(message, options) == (
        "x: leave out --on-error fail, add --force, or name --text-field or --master; see `dedup clean -o`, `a`"
    )
    settings = {field.name for field in fields(Settings)}
    assert settings <= set(options)


# rules


@pytest.mark.slow
def test_rules_lists_all_rules_and_shows_each_page() -> None:
    table = run("rules").stdout
    assert all(name in table for name in NAMES)
    for name in NAMES:
        page = CliRunner().invoke(cli, ["rules", name]).stdout
        assert page.startswith(f"{name}: ")
        assert f"--rule {name}=" in page
        assert f"## `{name}`" in rules_markdown()
    assert run("rules", "--markdown").stdout == rules_markdown()


# clean and check


@pytest.mark.slow
def test_clean_prints_its_summary_to_stderr_only(source: Path, tmp_path: Path) -> None:
    done = run("clean", source, "-o", tmp_path / "out")
    assert done.stdout == ""
    assert "Articles: 5 in, 3 kept, 2 dropped (1 by duplicate-article, 1 by near-duplicate-article)" in done.stderr
    assert "\x1b" not in done.stderr
    assert run("clean", source, "-o", tmp_path / "quiet", "--quiet").stderr == ""


@pytest.mark.slow
def test_clean_gives_its_summary_as_json(source: Path, tmp_path: Path) -> None:
    done = run("clean", source, "-o", tmp_path / "out", "--json", "--quiet")
    summary = json.loads(done.stdout)
    assert summary["counts"]["kept"] == 3
    assert summary["rules"]["duplicate-article"]["drop"]["findings"] == 1
    assert done.stderr == ""


def test_an_output_is_replaced_by_force_only(out: Path, source: Path) -> None:
    assert "--force" in run("clean", source, "-o", out, status=2).stderr
    run("clean", source, "-o", out, "--force", "--rule", "duplicate-article=flag", "--quiet")
    assert len((out / "articles.jsonl").read_text().splitlines()) == 4


@pytest.mark.slow
def test_the_summary_counts_quarantined_records(source: Path, tmp_path: Path) -> None:
    source.write_text(source.read_text() + "{torn\n")
    done = run("clean", source, "-o", tmp_path / "out")
    assert f"Quarantined: 1, in {tmp_path / 'out' / 'quarantine.jsonl'}\n  1: not JSON" in done.stderr


@pytest.mark.slow
def test_check_prints_one_line_per_finding_and_exits_with_1(source: Path) -> None:
    done = run("check", source, status=1)
    assert "Articles: 5 in, 3 kept, 2 dropped" in done.stderr
    assert done.stderr.endswith("Nothing was written\n")
    assert run("check", source, "-q", status=1).stderr == ""
    lines = done.stdout.splitlines()
    assert all(re.match(r"news\.jsonl#\d+:\d+-\d+: [a-z-]+: (fix|drop|flag): ", line) for line in lines)
    assert "news.jsonl#1:7-9: encoding: fix: 'Ã©' becomes 'é'" in done.stdout
    assert "news.jsonl#2:0-" in done.stdout
    assert "duplicate-article: drop: repeats bridge (news.jsonl#0)" in done.stdout


def test_check_and_clean_find_the_same(source: Path, out: Path) -> None:
    checked = [json.loads(line) for line in run("check", source, "--json", status=1).stdout.splitlines()]
    cleaned = [json.loads(line) for line in (out / "provenance.jsonl").read_text().splitlines()]
    assert checked == cleaned


@pytest.mark.slow
def test_check_exits_with_0_if_nothing_would_change(source: Path) -> None:
    run("check", source, "--profile", "lossless", status=0)
    source.write_text(json.dumps(ARTICLES[-1]) + "\n")
    assert run("check", source, status=0).stdout == ""


@pytest.mark.slow
def test_standard_input_can_be_cleaned_and_restored(source: Path, tmp_path: Path) -> None:
    run("clean", "-", "-o", tmp_path / "out", "--quiet", input=source.read_text())
    assert len((tmp_path / "out" / "articles.jsonl").read_text().splitlines()) == 3
    assert "stdin.jsonl" in [path.name for path in _restored(tmp_path)]


def _restored(tmp_path: Path) -> list[Path]:
    run("restore", tmp_path / "out", "-o", tmp_path / "again")
    return sorted(path for path in (tmp_path / "again").rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("layout", "compress"), [("jsonl", "none"), ("jsonl", "gz"), ("jsonl", "zst"), ("parquet", "none"), ("csv", "gz")]
)
def test_every_output_format_verifies_and_restores(source: Path, tmp_path: Path, layout: str, compress: str) -> None:
    (tmp_path / "texts" / "deep").mkdir(parents=True)
    (tmp_path / "texts" / "deep" / "a.txt").write_bytes("\ufeffcafÃ©\r\n\r\n\r\nend".encode())
    (tmp_path / "texts" / "bad.txt").write_bytes(b"\xff\xfe\n")
    source.write_text(source.read_text() + "\n{torn\n" + '{"body": "no id", "provenance": 1}\n')
    inputs = (source, tmp_path / "texts")
    run("clean", *inputs, "-o", tmp_path / "out", "--quiet", "--format", layout, "--compress", compress)
    done = run("verify", tmp_path / "out")
    assert done.stdout == ""
    assert done.stderr.startswith("verified 7 articles, ")
    paths = _restored(tmp_path)
    assert [str(path.relative_to(tmp_path / "again")) for path in paths] == ["bad.txt", "deep/a.txt", "news.jsonl"]
    assert paths[0].read_bytes() == b"\xff\xfe\n"
    assert paths[1].read_bytes() == (tmp_path / "texts" / "deep" / "a.txt").read_bytes()
    for restored, came in zip(paths[2].read_text().split("\n"), source.read_text().split("\n"), strict=True):
        if came.startswith("{") and came != "{torn":
            assert list(json.loads(restored).items()) == list(json.loads(came).items())
        else:
            assert restored == came


@pytest.mark.slow
def test_an_output_that_is_cleaned_again_keeps_its_first_provenance(out: Path, tmp_path: Path) -> None:
    run("clean", out, "-o", tmp_path / "second", "--quiet")
    run("verify", tmp_path / "second")
    run("restore", tmp_path / "second", "-o", tmp_path / "again")
    assert (tmp_path / "again" / "articles.jsonl").read_bytes() == (out / "articles.jsonl").read_bytes()


# commands that read an output


def test_verify_exits_with_1_and_names_each_mismatch(out: Path) -> None:
    articles = out / "articles.jsonl"
    articles.write_text(articles.read_text().replace("Nothing is wrong", "Nothing was wrong"))
    done = run("verify", out, status=1)
    assert done.stdout.startswith("articles.jsonl: has ")
    assert "\nnews.jsonl#4: " in done.stdout
    counts, advice = done.stderr.splitlines()
    assert counts.endswith(", mismatches: 4")
    assert advice == "for an output that matches, take it from a backup, or clean its inputs again"
    assert run("verify", out, "--quiet", status=1).stderr == ""


@pytest.mark.slow
def test_explain_shows_findings_and_twins(out: Path) -> None:
    shown = run("explain", out, "near").stdout
    assert "near  news.jsonl#3  dropped by near-duplicate-article: repeats bridge (news.jsonl#0)" in shown
    assert "its twin in bridge (news.jsonl#0)" in shown
    assert "[-Ã©-]{+é+}" in run("explain", out, "news.jsonl#1").stdout
    assert "did you mean 'clean'" in run("explain", out, "claen", status=2).stderr


@pytest.mark.slow
def test_diff_shows_all_articles_or_one(out: Path) -> None:
    lines = run("diff", out).stdout.splitlines()
    assert [line for line in lines if line.startswith("---")] == ["--- a/mojibake", "--- a/copy", "--- a/near"]
    assert "+The café opens" in run("diff", out, "mojibake").stdout.splitlines()
    assert run("diff", out, "clean").stdout == ""


@pytest.mark.slow
def test_a_reader_that_closes_the_pipe_is_no_error(source: Path, out: Path) -> None:
    texts = (" ".join(f"{n * word} Ã©" for word in range(1000, 1200)) for n in range(300))  # more than a pipe holds
    source.write_text("".join(json.dumps({"id": n, "text": text}) + "\n" for n, text in enumerate(texts)))
    for args in (
        ["diff", out],
        ["check", source, "--json", "--quiet"],
        ["clean", source, "-o", "-", "--quiet"],
        ["explain", out, "mojibake"],
        ["rules"],
        ["--help"],
    ):
        process = subprocess.Popen([*DEDUP, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        process.stderr.close()
        assert process.wait() == 0, args


@pytest.mark.slow
def test_articles_go_to_standard_output_and_nowhere_else(source: Path, out: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    where = {"cwd": tmp_path / "empty", "env": {"PYTHONPATH": str(ROOT)}}
    done = run("clean", "-", "-o", "-", input=source.read_text(), **where)
    plain = (out / "articles.jsonl").read_text()
    assert done.stdout == plain.replace('"source":"news.jsonl"', '"source":"-"')
    assert done.stderr.rstrip().endswith("Written to standard output: the articles only")
    assert list((tmp_path / "empty").iterdir()) == []
    for args, expected in [
        (["--json"], "--json: articles and summary cannot both go to standard output"),
        (["--shard-size", "1M"], "--shard-size: standard output is one file"),
        (["--force"], "--force: standard output replaces nothing"),
    ]:
        done = run("clean", source, "-o", "-", *args, status=2, **where)
        assert done.stdout == ""
        assert expected in done.stderr


@pytest.mark.slow
def test_standard_output_can_be_csv_or_compressed_parquet(source: Path, tmp_path: Path) -> None:
    for args, name in [
        (["--format", "csv", "--compress", "gz"], "articles.csv.gz"),
        (["--format", "parquet"], "articles.parquet"),
    ]:
        out = tmp_path / name
        run("clean", source, "-o", out, "--quiet", *args)
        with (tmp_path / "piped").open("wb") as file:
            subprocess.run([*DEDUP, "clean", source, "-o", "-", "--quiet", *args], stdout=file, check=True)
        assert (tmp_path / "piped").read_bytes() == (out / name).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("compiled", [True, False], ids=["compiled before", "while it compiles"])
def test_control_c_ends_with_one_line_and_130(tmp_path: Path, compiled: bool) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "work").mkdir()
    process = subprocess.Popen(
        [*DEDUP, "clean", "-", "-o", tmp_path / "work" / "out", "--quiet"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ if compiled else {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")},
        # a shell that runs the tests in the background ignores interrupts, and the command would inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - this process has no threads
    )
    assert process.stdin
    deadline = time.monotonic() + 300
    while not list((tmp_path / "work").iterdir()) and time.monotonic() < deadline:  # until it has begun to work
        time.sleep(0.05)
    if not compiled:  # compiling begins when the first batch is there; what is not read by then must fit into the pipe
        line = json.dumps({"text": "word " * 97 + "end"}).encode() + b"\n"
        process.stdin.write((line * 8500)[: 4 << 20])
        process.stdin.flush()
        while not list((tmp_path / "cache").iterdir()) and time.monotonic() < deadline:
            time.sleep(0.05)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    while (
        process.poll() is None and time.monotonic() < deadline + 300
    ):  # its input stays open, since its end would end the command, too
        time.sleep(0.05)
    _, errors = process.communicate(timeout=600)
    assert errors == b"dedup: interrupted\n"
    assert process.returncode == 130
    assert list((tmp_path / "work").iterdir()) == []


def on_terminal(*args: object, env: dict[str, str] | None = None) -> str:
    """Run a command on a terminal, and return its stdout and stderr together."""
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    process = subprocess.Popen(
        [*DEDUP, *map(str, args)],
        stdout=theirs,
        stderr=theirs,
        env={**environment, "TERM": "xterm-256color", **(env or {})},
    )
    os.close(theirs)
    shown = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            block = os.read(ours, 4096)
        except OSError:  # the terminal is closed
            break
        if not block:
            break
        shown += block
    os.close(ours)
    process.wait()
    return shown.decode()


@pytest.mark.slow
@pytest.mark.parametrize("command", ["explain", "diff"])
def test_colour_appears_on_terminals_only_and_obeys_no_color(out: Path, command: str) -> None:
    colour = re.compile(r"\x1b\[[0-9;]*3[0-9]")
    assert colour.search(on_terminal(command, out, "mojibake"))
    assert not colour.search(on_terminal(command, out, "mojibake", env={"NO_COLOR": "1"}))
    assert "\x1b" not in run(command, out, "mojibake").stdout


@pytest.mark.slow
def test_progress_is_shown_on_a_terminal_only(source: Path, tmp_path: Path) -> None:
    shown = on_terminal("clean", source, "-o", tmp_path / "out")
    for stage in ("prepare", "match articles", "match paragraphs", "write"):
        assert re.search(rf"{stage} .*100%.* MB/s", shown), stage
    assert "prepare" not in on_terminal("clean", source, "-o", tmp_path / "quiet", "--quiet")


@pytest.mark.slow
def test_lone_surrogates_are_printed_as_escapes(source: Path, tmp_path: Path) -> None:
    source.write_text('{"id": "s\\ud800", "text": "lone \\ud800 Ã©"}\n')
    run("check", source, status=1, env={"PYTHONIOENCODING": "ascii"})
    run("clean", source, "-o", tmp_path / "out", env={"PYTHONIOENCODING": "ascii"})
    run("verify", tmp_path / "out")
    run("diff", tmp_path / "out", env={"PYTHONIOENCODING": "ascii"})
    run("explain", tmp_path / "out", "news.jsonl#0", env={"PYTHONIOENCODING": "ascii"})
