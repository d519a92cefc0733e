"""The pages become a site without warnings, and every command on them is one that `dedup` accepts and can run."""

from __future__ import annotations

import gzip
import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec

import click
import pytest
from conftest import ROOT
from helpers.extras import needs_missing_extra

from dedup.cli import cli

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PLACEHOLDERS = {
    "OUT": "out",
    "ARTICLE": "wire-2",
    "RULE": "encoding",
    "[ARTICLE]": "",
    "[NEW]": "",
    "[RULE]": "",
    "DIR": "again",
    "news.jsonl#12": "wire.jsonl#1",
}
ELSEWHERE = ("://", "spark", "tune", "completion", "warm-up", " -o -", "hdfs", "…", "...")  # not run here, only parsed


def shown_commands():
    """Return each distinct command on the pages that starts with ``dedup``, with the page that shows it first."""
    commands = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        blocks = re.findall(r"^```(?:console|sh|bash|shell)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        lines = [line.strip() for block in blocks for line in block.splitlines()]
        lines += re.findall(r"^ {4}((?:\$ )?dedup .*)$", text, re.MULTILINE)
        lines += re.findall(r"`(dedup [^`]+)`", text)
        for line in lines:
            command = line.removeprefix("$ ").split("  #")[0].strip()
            if command.startswith("dedup "):
                commands.setdefault(command.replace("\\|", "|"), page.name)
    return commands


COMMANDS = shown_commands()


def arguments_of(command):
    """Return the arguments of the part of `command` that is ours, with names in place of placeholders."""
    first = re.split(r" [|<>&]+ | [<>]\(", command)[0]
    words = shlex.split(first)[1:]
    return [word for word in (PLACEHOLDERS.get(word, word) for word in words) if word]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_on_a_page_has_a_name_and_options_that_exist(command):
    name, *arguments = arguments_of(command)
    if name.startswith("-"):
        arguments, name = [name, *arguments], None
    parsed = cli if name is None else cli.commands.get(name)
    assert parsed, f"{COMMANDS[command]}: dedup {name}"
    options = {option for param in [*parsed.params, *cli.params] for option in (*param.opts, *param.secondary_opts)}
    given = [word.split("=")[0] for word in arguments if re.match(r"--?[a-zA-Z]", word)]
    assert [option for option in given if option not in {*options, "--help", "-h"}] == [], COMMANDS[command]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with the inputs that the pages name, and an output of them."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "docs" / "example").mkdir(parents=True)
    wire = ROOT / "docs" / "example" / "wire.jsonl"
    shutil.copy(wire, folder / "docs" / "example")
    for name in ("crawl", "corpus"):
        shutil.copytree(ROOT / "corpus", folder / name)
    shutil.copy(wire, folder / "crawl")
    (folder / "more.jsonl.gz").write_bytes(gzip.compress(wire.read_bytes()))
    run(["clean", "crawl", "-o", "out", "--quiet"], folder)
    (folder / "out" / "review.jsonl").write_text("")
    return folder


def run(arguments, folder):
    """Run the command line in `folder`, and return its exit status and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "dedup", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def runs_here(command):
    """Return True if `command` names only what the folder has."""
    if any(part in command for part in ELSEWHERE) or needs_missing_extra(command):
        return False
    try:
        arguments = arguments_of(command)
    except ValueError:
        return False
    if len(arguments) < 2:
        return False
    if arguments[0] == "clean" and not {"-o", "--out", "--dry-run"} & set(arguments):
        return False  # named in a sentence or a table
    if arguments[0] == "view":
        return False  # serves until it is interrupted
    paths = [word for word in arguments[1:] if not word.startswith("-")]
    return bool(paths) and paths[0].rstrip("/") in {"crawl", "corpus", "out", "encoding"}


@pytest.mark.slow
@pytest.mark.parametrize("command", [command for command in COMMANDS if runs_here(command)])
def test_a_command_on_a_page_runs(command, folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    arguments = arguments_of(command)
    if arguments[0] == "clean" and "-o" in arguments and "--force" not in arguments:
        shutil.rmtree(tmp_path / arguments[arguments.index("-o") + 1], ignore_errors=True)
    status, printed = run(arguments, tmp_path)
    assert status in ({0, 1} if arguments[0] in {"check", "verify"} else {0}), printed


def test_most_commands_of_the_pages_are_run():
    assert len(COMMANDS) > 40
    assert sum(map(runs_here, COMMANDS)) > 15


def test_every_page_is_in_the_navigation():
    listed = set(re.findall(r"([\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))
    assert listed == {page.name for page in PAGES} - {"README.md"}


@pytest.mark.skipif(not find_spec("mkdocs"), reason="mkdocs is not installed: pip install -e '.[docs]'")
def test_the_site_is_built_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", tmp_path / "site"]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for page in (ROOT / "docs").glob("*.md"):
        assert (tmp_path / "site" / f"{page.stem}.html").exists(), page.name


def test_the_api_page_has_every_public_name():
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    stub = (ROOT / "dedup" / "__init__.pyi").read_text(encoding="utf-8")
    for module, name in re.findall(r"^from (\S+) import (\w+)", stub, re.MULTILINE):
        assert f"::: {module}.{name}\n" in page or f"::: {module}\n" in page, name


def test_all_commands_have_a_page():
    assert isinstance(cli, click.Group)
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in cli.commands if f"dedup {name}" not in pages] == []
