"""What a person meets on the command line: help, examples, completion, summaries, lists of drops, and silence."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time

import click
import pytest
from conftest import ROOT
from helpers.command import run_dedup
from helpers.extras import needs_missing_extra

from dedup.cli import cli
from dedup.cli.completion import SHELLS, install_script
from dedup.cli.examples import EXAMPLES
from dedup.cli.options import CONFIGURABLE
from dedup.rules import RULES
from dedup.settings import KEEP

STORY = [
    "The council of the town met on Monday evening to speak about the new bridge over the river.",
    "Nobody had expected that so many neighbours would come, and chairs had to be fetched from the school.",
    "The mayor said the bridge would be paid for by the county, the state and a lottery in equal parts.",
    "A decision is to follow in spring, when the engineers have finished their report on the piers.",
]
TEXT = "\n\n".join(STORY)


@pytest.fixture
def crawl(tmp_path, monkeypatch):
    """A working folder with a folder crawl/ and a file more.jsonl: duplicates, near-duplicates, a bad record."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "crawl").mkdir()
    articles = [
        {"id": "bridge", "text": TEXT},
        {"id": "copy", "text": TEXT.upper()},
        {"id": "near", "text": TEXT.replace("spring", "sprnig")},
        {"id": "other", "text": "The caf\u00c3\u00a9 opens at nine and closes at five."},
    ]
    (tmp_path / "crawl" / "a.jsonl").write_text("".join(json.dumps(article) + "\n" for article in articles))
    (tmp_path / "more.jsonl").write_text('{"id": "m", "text": "Na\u00c3\u00afve."}\n' + json.dumps(articles[2]) + "\n")
    return tmp_path


# help


@pytest.mark.parametrize("command", sorted(cli.commands))
def test_every_command_has_a_help_page_with_examples(command):
    page = run_dedup(f"dedup {command} --help")
    assert page == run_dedup(f"dedup {command} -h") == run_dedup(f"dedup help {command}")
    assert (page.status, page.stderr) == (0, "")
    assert f"Usage: dedup {command}" in page.stdout
    block = page.stdout.partition("Examples:\n")[2]
    assert [line for line, _ in EXAMPLES[command] if line in block] == [line for line, _ in EXAMPLES[command]]
    for _, text in EXAMPLES[command]:
        assert text in block
    assert max(map(len, page.stdout.splitlines())) <= 80


def test_help_alone_is_the_list_of_commands():
    page = run_dedup("dedup help")
    assert page == run_dedup("dedup --help")
    commands = page.stdout.partition("Commands:")[2]
    assert "..." not in commands
    assert max(map(len, page.stdout.splitlines())) <= 80
    assert all(f"\n  {name}" in commands for name in cli.commands)
    for status in ("0    done", "1    check", "2    an error", "130  interrupted"):
        assert status in page.stdout


def test_the_examples_of_the_help_pages_run(crawl):
    assert set(EXAMPLES) == set(cli.commands)
    for command, rows in EXAMPLES.items():
        for line, _ in rows:
            env = {"HOME": str(crawl), "XDG_DATA_HOME": None, "XDG_CONFIG_HOME": None}
            if needs_missing_extra(line) or command in {"view", "serve"}:  # servers, which have tests of their own
                continue
            if command == "apply-review":  # a person makes it in a browser
                (crawl / "out" / "review.jsonl").write_text("")
            done = run_dedup(line, stdin="y\n" * 40, env=env)
            assert done.status == (1 if command == "check" else 0), (line, done)
            assert done.stdout or done.stderr, line
    assert {path.name for path in crawl.iterdir()} >= {"out", "out2", "crawl-again"}


# summaries


def test_the_summary_says_what_a_person_asks(crawl):
    (crawl / "bad.jsonl").write_text('{bad\n[1]\n[2]\n{"id": 1}\n{"id": 2}\n{"id": 3}\n{"text": 5}\n')
    done = run_dedup("dedup clean crawl bad.jsonl -o 'my out' --max-bad 100%")
    lines = done.stderr.splitlines()
    assert done.stdout == ""
    assert "Articles: 4 in, 2 kept, 2 dropped (1 by duplicate-article, 1 by near-duplicate-article)" in lines
    raw = 3 * len(TEXT) + len("The caf__ opens at nine and closes at five.")
    kept = len(TEXT) + len("The caf_ opens at nine and closes at five.")
    assert f"Characters: {raw:,} in, {kept:,} out ({kept / raw - 1:+.1%})" in lines
    place = lines.index("Quarantined: 7, in 'my out/quarantine.jsonl'")
    assert [line[:5] for line in lines[place + 1 : place + 5]] == ["  3: ", "  2: ", "  1: ", "  1: "]
    assert lines[place + 4] == "  1: other reasons"
    assert lines[-1] == "Written to 'my out'; see dedup diff 'my out', dedup explain 'my out'"
    for command in re.findall(r"dedup (?:diff|explain) '[^']*'", lines[-1]):
        assert run_dedup(command).status == 0


def test_a_dry_run_prints_the_summary_of_the_run_and_writes_nothing(crawl):
    before = sorted(crawl.rglob("*"))
    dry = run_dedup("dedup clean crawl --dry-run --json")
    assert sorted(crawl.rglob("*")) == before
    assert dry.stderr.endswith("Nothing was written\n")
    assert run_dedup("dedup clean crawl -o crawl/out --json -q") == (0, dry.stdout, "")
    again = run_dedup("dedup clean crawl --dry-run -o crawl/out --json -q")
    assert again == (0, dry.stdout, ""), "an output that is named is neither read nor touched"
    done = run_dedup("dedup clean crawl --dry-run --engine spark")
    assert (done.status, done.stdout) == (2, "")
    assert "--dry-run: works with the local engine only" in done.stderr


@pytest.mark.usefixtures("crawl")
def test_check_prints_a_summary_to_stderr():
    done = run_dedup("dedup check crawl")
    assert "Articles: 4 in, 2 kept, 2 dropped (1 by duplicate-article, 1 by near-duplicate-article)" in done.stderr
    assert done.stderr.endswith("Nothing was written\n")
    assert run_dedup("dedup check crawl -q") == (1, done.stdout, "")
    assert run_dedup("dedup check crawl --limit 1 -q") == (0, "", "")


@pytest.mark.parametrize("flag", ["-q", "--quiet"])
def test_quiet_commands_print_data_and_errors_only(crawl, flag):
    assert run_dedup(f"dedup clean crawl -o out {flag}") == (0, "", "")
    assert run_dedup(f"dedup verify out {flag}") == (0, "", "")
    assert run_dedup(f"dedup restore out -o again {flag}") == (0, "", "")
    assert run_dedup(f"dedup clean crawl -o out {flag}").stderr.startswith("dedup: error: out: exists already")
    articles = crawl / "out" / "articles.jsonl"
    articles.write_text(articles.read_text().replace("Monday", "Sunday"))
    broken = run_dedup(f"dedup verify out {flag}")
    assert (broken.status, broken.stderr) == (1, "")
    file_line, article_line = broken.stdout.splitlines()[:2]
    assert file_line == "articles.jsonl: was changed since it was written: another sha256"
    assert article_line.startswith("a.jsonl#0: ")


@pytest.mark.usefixtures("crawl")
def test_the_time_is_that_of_the_clock_on_the_wall():
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "dedup", "clean", "crawl", "-o", "out"], capture_output=True, text=True, check=True
    )
    passed = time.monotonic() - began
    [(took, stages)] = re.findall(r"^Took ([\d.]+) s[^:]*: (.*?)\nWritten", done.stderr, re.MULTILINE | re.DOTALL)
    spent = sum(float(stage.split()[-1]) for stage in stages.split(", "))
    assert spent <= float(took) + 0.3
    assert float(took) <= passed + 0.1
    assert float(took) >= 0.5 * passed, "the start of the program counts, too"


# explain


def test_explain_without_an_article_lists_the_drops(crawl):
    run_dedup("dedup clean crawl more.jsonl -o 'my out' -q")
    shown = run_dedup("dedup explain 'my out'").stdout
    assert re.sub(r"0\.\d\d\d", "0.###", shown).splitlines() == [
        "copy (a.jsonl#1)  duplicate-article: repeats bridge (a.jsonl#0)",
        "near (a.jsonl#2)  near-duplicate-article 0.###: repeats bridge (a.jsonl#0)",
        "near (more.jsonl#1)  near-duplicate-article 0.###: repeats bridge (a.jsonl#0)",
    ]
    rows = [json.loads(line) for line in run_dedup("dedup explain 'my out' --json").stdout.splitlines()]
    assert [(row["article"], row["source"], row["record"]) for row in rows] == [
        ("copy", "a.jsonl", 1),
        ("near", "a.jsonl", 2),
        ("near", "more.jsonl", 1),
    ]
    dropped = [json.loads(line) for line in (crawl / "my out" / "dropped.jsonl").read_text().splitlines()]
    for row, line in zip(rows, dropped, strict=True):
        assert {name: row[name] for name in ("rule", "twin", "similarity", "source", "record")} == {
            name: line["provenance"][name] for name in ("rule", "twin", "similarity", "source", "record")
        }


def test_a_long_list_of_drops_ends_with_how_to_see_the_rest(crawl):
    (crawl / "many.jsonl").write_text("".join(json.dumps({"id": n, "text": TEXT}) + "\n" for n in range(30)))
    run_dedup("dedup clean many.jsonl -o 'my out' -q")
    lines = run_dedup("dedup explain 'my out'").stdout.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "… and 9 more: dedup explain 'my out' --json lists all"
    assert len(run_dedup("dedup explain 'my out' --json").stdout.splitlines()) == 29


@pytest.mark.usefixtures("crawl")
def test_a_list_without_drops_says_so():
    run_dedup("dedup clean more.jsonl -o out -q")
    assert run_dedup("dedup explain out").stdout == (
        "no article was dropped; 2 were kept: dedup diff out shows what changed in them\n"
    )
    assert run_dedup("dedup explain out --json") == (0, "", "")


def test_explain_gives_the_findings_of_one_article_as_json(crawl):
    run_dedup("dedup clean crawl -o out -q")
    rows = [json.loads(line) for line in run_dedup("dedup explain out other --json").stdout.splitlines()]
    written = [json.loads(line) for line in (crawl / "out" / "provenance.jsonl").read_text().splitlines()]
    assert rows == [row for row in written if row["article"] == "other"]
    assert rows
    assert run_dedup("dedup explain out othr --json").stderr.endswith("no article 'othr'; did you mean 'other'?\n")


def test_explain_shows_a_quarantined_record(crawl):
    (crawl / "bad.jsonl").write_bytes(
        b'{"id": "torn", "text": "It broke \x1b[31m off in the mid' + b"x" * 500 + b"\n\xff\xfe\n"
    )
    run_dedup("dedup clean bad.jsonl crawl -o out -q")
    shown = run_dedup("dedup explain out bad.jsonl#0")
    assert (shown.status, shown.stderr) == (0, "")
    assert shown == run_dedup("dedup explain out torn"), "also by an id that can be read in it"
    lines = shown.stdout.splitlines()
    assert lines[0] == "bad.jsonl#0  quarantined"
    assert lines[1].startswith("  not JSON: ")
    assert 'begins, in utf-8: {"id": "torn", "text": "It broke ␛[31m off' in lines[2]
    assert len(lines[2]) < 300
    assert "begins, in base64: //4=" in run_dedup("dedup explain out bad.jsonl#1").stdout


# completion

COMPLETIONS = [
    ("dedup cl", ["clean"]),
    ("dedup help co", ["config", "completion"]),
    ("dedup clean crawl --keep ", list(KEEP)),
    ("dedup clean --keep=l", ["longest", "latest"]),
    ("dedup check --rule boilerplate=", ["drop", "flag", "off"]),
    ("dedup check --rule=boilerplate=d", ["drop"]),
    ("dedup check --rule boi", ["boilerplate=drop", "boilerplate=flag", "boilerplate=off"]),
    ("dedup rules typo", ["typography"]),
    ("dedup completion z", ["zsh"]),
    ("dedup clean --para", ["--paragraph-threshold"]),
    ("dedup clean --engine s", ["spark"]),
]


@pytest.mark.parametrize(("line", "expected"), COMPLETIONS, ids=[line for line, _ in COMPLETIONS])
def test_bash_completes_commands_options_and_values(tmp_path, line, expected):
    if not shutil.which("bash"):
        pytest.skip("bash is not installed")
    (tmp_path / "dedup").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m dedup "$@"\n')
    (tmp_path / "dedup").chmod(0o755)
    script = run_dedup("dedup completion bash").stdout
    words = [word for word in re.split(r"(=)|\s+", line) if word]  # bash ends words at =
    words += [""] if line.endswith(" ") else []
    asked = f"""{script}
COMP_WORDS=({" ".join(map(shlex.quote, words))}); COMP_CWORD={len(words) - 1}; COMP_LINE={shlex.quote(line)}
_dedup_completion dedup; printf '%s\\n' "${{COMPREPLY[@]}}" """
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.split("\n")[:-1] == expected
    assert done.stderr == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_of_each_shell_is_valid(shell, tmp_path):
    done = run_dedup(f"dedup completion {shell}")
    assert (done.status, done.stderr) == (0, "")
    assert "_DEDUP_COMPLETE" in done.stdout
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed: its script is not checked")
    (tmp_path / "script").write_text(done.stdout)
    assert subprocess.run([shell, "-n", tmp_path / "script"], capture_output=True, check=True).stderr == b""


def asked(shell: str, line: str) -> str:
    """Return the answer to a shell that asks for completions of the last word of `line`."""
    words = line.split(" ")
    place = words[-1] if shell == "fish" else str(len(words) - 1)
    env = {"_DEDUP_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": place}
    done = run_dedup("dedup", env=env)
    assert (done.status, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_whole_words_with_their_help(shell):
    answer = asked(shell, "dedup check --rule typo")
    for action in next(rule for rule in RULES if rule.name == "typography").actions:
        assert f"typography={action}" in answer
    assert "curly quotes, Latin ligatures" in answer
    assert "--keep=latest" in asked(shell, "dedup clean --keep=la")
    assert "--rule=typography=off" in asked(shell, "dedup clean --rule=typography=o")
    assert "split --max 1" in run_dedup("dedup completion fish").stdout, "a help text may have a comma"


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_is_installed_once(shell, tmp_path, monkeypatch):
    monkeypatch.setattr("dedup.cli.completion._BASH_COMPLETION", ())
    for name in (".bashrc", ".zshrc"):
        (tmp_path / name).write_text("alias ll='ls -l'")  # without a line end
    first = install_script(shell, "old script\n", {}, tmp_path)
    second = install_script(shell, "the script\n", {}, tmp_path)
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    third = install_script(shell, "the script\n", {}, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files
    assert third == [f"{second[0].removeprefix('wrote ')} is up to date"]
    assert first[0] == second[0]
    assert b"the script\n" in files.values()
    assert (tmp_path / ".bashrc").read_text().startswith("alias ll='ls -l'")
    if shell != "fish":
        rc = (tmp_path / f".{shell}rc").read_text()
        assert rc.startswith("alias ll='ls -l'\n# >>> dedup completion >>>\n")
        assert rc.count("dedup completion >>>") == 1
        assert any(".local/share" in line for line in rc.splitlines())


def test_bash_reads_what_was_installed(tmp_path, monkeypatch):
    if not shutil.which("bash"):
        pytest.skip("bash is not installed")
    monkeypatch.setattr("dedup.cli.completion._BASH_COMPLETION", ())
    home = tmp_path / "a home"
    home.mkdir()
    done = run_dedup("dedup completion bash --install", env={"HOME": str(home), "XDG_DATA_HOME": None})
    assert (done.status, done.stdout) == (0, "")
    assert done.stderr.startswith(f"wrote {home}")
    shown = subprocess.run(
        ["bash", "--norc", "-c", ". ~/.bashrc; complete -p dedup"],
        capture_output=True,
        text=True,
        env={**os.environ, "HOME": str(home)},
        check=True,
    )
    assert "_dedup_completion" in shown.stdout


def test_every_option_with_choices_completes_them():
    with click.Context(cli.commands["clean"]) as context:
        for option in CONFIGURABLE:
            choices = getattr(option.type, "choices", ())
            assert [item.value for item in option.shell_complete(context, "")] == list(
                choices
            ) or option.name == "rules"
            assert not re.search(r"\w\|\w", option.metavar or ""), f"{option.name}: give the type OneOf instead"
