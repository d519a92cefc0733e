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

from dedup.cli import cli
from dedup.cli import config_file as config
from dedup.cli.rule_pages import rules_markdown
from dedup.cli.terminal import name_options, option_names
from dedup.errors import SettingsError
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
    {"id": "near", "url": "https://b.example/2", "text": "\n\n".join(STORY).replace("spring", "autumn")},
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


COMMANDS = ("check", "clean", "config", "diff", "explain", "restore", "rules", "tune", "verify")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_page(command: str) -> None:
    assert f"Usage: dedup {command}" in run(command, "--help").stdout
    assert f"Usage: dedup {command}" in run(command, "-h").stdout


def test_the_list_of_commands_is_readable_at_eighty_columns() -> None:
    page = run("--help").stdout
    assert "..." not in page.partition("Commands:")[2]
    assert max(map(len, page.splitlines())) <= 80


def test_version() -> None:
    assert re.fullmatch(r"dedup \d+\.\d+\.\d+\n", run("--version").stdout)


# label, arguments ({} is a new folder with news.jsonl, empty/, junk/file, bad.toml ...), part of the message
ERRORS = [
    ("no command", ["clea"], "no such command 'clea'. Did you mean 'clean'?"),
    ("no input", ["clean", "-o", "{}/out"], "missing argument 'INPUT...' (see dedup clean --help)"),
    ("no output", ["clean", "{}/news.jsonl"], "missing option '-o' / '--out'"),
    ("unknown option", ["clean", "x", "-o", "y", "--threshhold", "1"], "no such option '--threshhold'"),
    ("no number", ["clean", "x", "-o", "y", "--threshold", "high"], "'high' is not a valid float"),
    ("bad threshold", ["clean", "x", "-o", "y", "--threshold", "1.5"], "threshold: 1.5 is not a similarity"),
    ("bad jobs", ["clean", "x", "-o", "y", "--jobs", "0"], "0 is not in the range x>=1"),
    ("bad memory", ["clean", "x", "-o", "y", "--memory", "much"], "'much' is not a size; write it like 512M or 2G"),
    ("little memory", ["clean", "{}/news.jsonl", "-o", "{}/out", "--memory", "1K"], "give 64M or more"),
    ("unknown rule", ["config", "--rule", "boilerplat=off"], "'boilerplat' is not known; did you mean 'boilerplate'?"),
    ("unknown action", ["config", "--rule", "boilerplate=dorp"], "'dorp' is not known; did you mean 'drop'?"),
    ("no action", ["config", "--rule", "boilerplate"], "write NAME=ACTION"),
    ("fixing what cannot be", ["config", "--rule", "boilerplate=fix"], "choose from drop, flag, off"),
    ("unknown keep", ["config", "--keep", "longst"], "did you mean 'longest'?"),
    ("unknown profile", ["config", "--profile", "lossles"], "did you mean 'lossless'?"),
    ("unknown format", ["config", "--format", "csv"], "choose from jsonl, parquet"),
    ("no configuration", ["config", "--config", "{}/none.toml"], "none.toml: No such file or directory; give the path"),
    ("no TOML", ["config", "--config", "{}/news.jsonl"], "news.jsonl: not TOML"),
    (
        "unknown key",
        ["config", "--config", "{}/bad.toml"],
        "bad.toml: 'treshold' is not a setting; did you mean 'threshold'?",
    ),
    ("unknown rule in file", ["config", "--config", "{}/rule.toml"], "rule.toml: rule: 'boilerplates' is not known"),
    (
        "rule outside its table",
        ["config", "--config", "{}/loose.toml"],
        "did you mean 'boilerplate' in the table [rules]?",
    ),
    ("unknown rule page", ["rules", "encodings"], "rule: 'encodings' is not known; did you mean 'encoding'?"),
    ("no such file", ["clean", "{}/missing.jsonl", "-o", "{}/out"], "missing.jsonl: no such file or folder"),
    ("no such glob", ["check", "{}/*.ndjson"], "matches nothing"),
    ("no articles", ["clean", "{}/empty", "-o", "{}/out"], "empty: no articles in this folder"),
    ("unknown kind", ["check", "{}/bad.toml"], "unknown kind of file"),
    ("output is a file", ["clean", "{}/news.jsonl", "-o", "{}/bad.toml"], "is a file; name a folder"),
    (
        "output is not ours",
        ["clean", "{}/news.jsonl", "-o", "{}/junk"],
        "is not an output of dedup, so it is left alone",
    ),
    ("output is an input", ["clean", "{}/empty", "-o", "{}/empty"], "choose another folder for --out"),
    (
        "option of another engine",
        ["clean", "x", "-o", "{}/out", "--resume"],
        "--resume: does not apply to --engine local",
    ),
    ("not ours by force", ["clean", "{}/news.jsonl", "-o", "{}/junk", "--force"], "so it is left alone"),
    ("bad record", ["clean", "{}/torn.jsonl", "-o", "{}/out", "--on-error", "fail"], "torn.jsonl#1: "),
    ("explain no output", ["explain", "{}/junk", "x"], "junk is not an output of dedup: no run.json; give the folder"),
    ("diff no output", ["diff", "{}/none"], "is not an output of dedup"),
    ("verify no output", ["verify", "{}/junk"], "is not an output of dedup"),
    ("restore no output", ["restore", "{}/junk", "-o", "{}/again"], "is not an output of dedup"),
]


@pytest.mark.parametrize(("args", "expected"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS])
def test_an_error_is_one_line_and_exit_status_2(source: Path, args: list[str], expected: str) -> None:
    folder = source.parent
    (folder / "empty").mkdir()
    (folder / "junk").mkdir()
    (folder / "junk" / "file").write_text("precious")
    (folder / "bad.toml").write_text("treshold = 0.9\n")
    (folder / "rule.toml").write_text('[rules]\nboilerplates = "off"\n')
    (folder / "loose.toml").write_text('boilerplate = "off"\n')
    (folder / "torn.jsonl").write_text('{"text": "fine"}\n{"text": \n')
    before = sorted(folder.rglob("*"))
    done = run(*(arg.replace("{}", str(folder)) for arg in args), status=2)
    assert done.stdout == ""
    assert done.stderr.startswith("dedup: error: ")
    assert done.stderr.count("\n") == 1
    assert expected in done.stderr
    assert sorted(folder.rglob("*")) == before, "nothing is left behind"


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


# configuration


def test_printed_settings_can_be_loaded_again(tmp_path: Path) -> None:
    given = ["--profile", "corpus", "--rule", "boilerplate=flag", "--text-field", 'a "b" é', "--threshold", "0.75"]
    first = run("config", *given).stdout
    (tmp_path / "it.toml").write_text(first)
    assert "threshold = 0.75  # command line" in first
    assert 'repeated-paragraph = "drop"  # profile corpus' in first
    assert 'boilerplate = "flag"  # command line' in first
    assert 'keep = "longest"  # default' in first
    second = config.resolve_settings({}, tmp_path / "it.toml")
    assert (
        second.settings
        == config.resolve_settings(
            {"profile": "corpus", "rules": {"boilerplate": "flag"}, "text_field": 'a "b" é', "threshold": 0.75}
        ).settings
    )
    assert set(second.origins.values()) == {str(tmp_path / "it.toml"), "default"}


def test_the_command_line_overrides_the_file_and_the_file_the_profile(tmp_path: Path) -> None:
    file = tmp_path / "it.toml"
    file.write_text('threshold = 0.9\nkeep = "first"\n[rules]\nboilerplate = "off"\nencoding = "flag"\n')
    settings, origins = config.resolve_settings(
        {"keep": "latest", "profile": "lossless", "rules": {"encoding": "fix"}}, file
    )
    assert (settings.threshold, origins["threshold"]) == (0.9, str(file))
    assert (settings.keep, origins["keep"]) == ("latest", "command line")
    assert (settings.rules["boilerplate"], origins["rules.boilerplate"]) == ("off", str(file))
    assert (settings.rules["encoding"], origins["rules.encoding"]) == ("fix", "command line")
    assert (settings.rules["whitespace"], origins["rules.whitespace"]) == ("flag", "profile lossless")
    assert (settings.rules["typography"], origins["rules.typography"]) == ("flag", "profile lossless")


def test_a_configuration_of_the_wrong_type_names_its_file(tmp_path: Path) -> None:
    for text in ("threshold = '0.9'", "rules = 'off'", "keep = 3", "text_field = ''"):
        (tmp_path / "it.toml").write_text(text)
        with pytest.raises(SettingsError, match=r"it\.toml: "):
            config.load_config(tmp_path / "it.toml")


def test_the_defaults_are_those_of_the_library() -> None:
    assert config.resolve_settings({}).settings == Settings()


# rules


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


def test_clean_prints_its_summary_to_stderr_only(source: Path, tmp_path: Path) -> None:
    done = run("clean", source, "-o", tmp_path / "out")
    assert done.stdout == ""
    assert "Articles: 5, 3 kept and 2 dropped" in done.stderr
    assert "\x1b" not in done.stderr
    assert run("clean", source, "-o", tmp_path / "quiet", "--quiet").stderr == ""


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


def test_the_summary_counts_quarantined_records(source: Path, tmp_path: Path) -> None:
    source.write_text(source.read_text() + "{torn\n")
    done = run("clean", source, "-o", tmp_path / "out")
    assert "Quarantined: 1, 1 of them as not JSON" in done.stderr


def test_check_prints_one_line_per_finding_and_exits_with_1(source: Path) -> None:
    done = run("check", source, status=1)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert all(re.match(r"news\.jsonl#\d+:\d+-\d+: [a-z-]+: (fix|drop|flag): ", line) for line in lines)
    assert "news.jsonl#1:7-9: encoding: fix: 'Ã©' becomes 'é'" in done.stdout
    assert "news.jsonl#2:0-" in done.stdout
    assert "duplicate-article: drop: repeats bridge" in done.stdout


def test_check_and_clean_find_the_same(source: Path, out: Path) -> None:
    checked = [json.loads(line) for line in run("check", source, "--json", status=1).stdout.splitlines()]
    cleaned = [json.loads(line) for line in (out / "provenance.jsonl").read_text().splitlines()]
    assert checked == cleaned


def test_check_exits_with_0_if_nothing_would_change(source: Path) -> None:
    run("check", source, "--profile", "lossless", status=0)
    source.write_text(json.dumps(ARTICLES[-1]) + "\n")
    assert run("check", source, status=0).stdout == ""


def test_standard_input_can_be_cleaned_and_restored(source: Path, tmp_path: Path) -> None:
    run("clean", "-", "-o", tmp_path / "out", "--quiet", input=source.read_text())
    assert len((tmp_path / "out" / "articles.jsonl").read_text().splitlines()) == 3
    assert "stdin.jsonl" in [path.name for path in _restored(tmp_path)]


def _restored(tmp_path: Path) -> list[Path]:
    run("restore", tmp_path / "out", "-o", tmp_path / "again")
    return sorted(path for path in (tmp_path / "again").rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("layout", "compress"), [("jsonl", "none"), ("jsonl", "gz"), ("jsonl", "zst"), ("parquet", "none")]
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
    assert done.stdout.startswith("news.jsonl#4: ")
    assert done.stderr.endswith(", mismatches: 1\n")


def test_explain_shows_findings_and_twins(out: Path) -> None:
    shown = run("explain", out, "near").stdout
    assert "near  news.jsonl#3  dropped by near-duplicate-article: repeats bridge" in shown
    assert "its twin in bridge" in shown
    assert "[-Ã©-]{+é+}" in run("explain", out, "news.jsonl#1").stdout
    assert "did you mean 'clean'" in run("explain", out, "claen", status=2).stderr


def test_diff_shows_all_articles_or_one(out: Path) -> None:
    lines = run("diff", out).stdout.splitlines()
    assert [line for line in lines if line.startswith("---")] == ["--- a/mojibake", "--- a/copy", "--- a/near"]
    assert "+The café opens" in run("diff", out, "mojibake").stdout.splitlines()
    assert run("diff", out, "clean").stdout == ""


def test_a_reader_that_closes_the_pipe_is_no_error(source: Path, out: Path) -> None:
    source.write_text("".join(json.dumps({"id": n, "text": f"{n} Ã© " * 400}) + "\n" for n in range(300)))
    for args in (["diff", out], ["check", source, "--json"], ["explain", out, "mojibake"], ["rules"], ["--help"]):
        process = subprocess.Popen([*DEDUP, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        process.stderr.close()
        assert process.wait() == 0, args


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


@pytest.mark.parametrize("command", ["explain", "diff"])
def test_colour_appears_on_terminals_only_and_obeys_no_color(out: Path, command: str) -> None:
    colour = re.compile(r"\x1b\[[0-9;]*3[0-9]")
    assert colour.search(on_terminal(command, out, "mojibake"))
    assert not colour.search(on_terminal(command, out, "mojibake", env={"NO_COLOR": "1"}))
    assert "\x1b" not in run(command, out, "mojibake").stdout


def test_progress_is_shown_on_a_terminal_only(source: Path, tmp_path: Path) -> None:
    shown = on_terminal("clean", source, "-o", tmp_path / "out")
    for stage in ("prepare", "match articles", "match paragraphs", "write"):
        assert re.search(rf"{stage} .*100%.* MB/s", shown), stage
    assert "prepare" not in on_terminal("clean", source, "-o", tmp_path / "quiet", "--quiet")


def test_lone_surrogates_are_printed_as_escapes(source: Path, tmp_path: Path) -> None:
    source.write_text('{"id": "s\\ud800", "text": "lone \\ud800 Ã©"}\n')
    run("check", source, status=1, env={"PYTHONIOENCODING": "ascii"})
    run("clean", source, "-o", tmp_path / "out", env={"PYTHONIOENCODING": "ascii"})
    run("verify", tmp_path / "out")
    run("diff", tmp_path / "out", env={"PYTHONIOENCODING": "ascii"})
    run("explain", tmp_path / "out", "news.jsonl#0", env={"PYTHONIOENCODING": "ascii"})
