"""Mistakes of newcomers: each ends with one line that says where, what, and what to do next, and changes nothing."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.command import run_dedup

STORY = "The council of the town met on Monday evening to speak about the new bridge over the river."

# label, command, exit status, part of its one line; the working folder is made by the fixture `folder`
MISTAKES = [
    # commands
    ("typo in a command", "dedup clena news.jsonl", 2, "there is no command 'clena'; did you mean 'clean'? (see dedup"),
    ("another tool's command", "dedup dedupe news.jsonl", 2, "no command 'dedupe'; did you mean 'clean'?"),
    ("no such command", "dedup frobnicate", 2, "there is no command 'frobnicate' (see dedup --help)"),
    ("help of a typo", "dedup help clena", 2, "there is no command 'clena'; did you mean 'clean'?"),
    ("unknown shell", "dedup completion bsh", 2, "not known; did you mean 'bash'?"),
    # options
    ("typo in an option", "dedup clean x -o y --threshhold 1", 2, "no option --threshhold; did you mean --threshold?"),
    ("another tool's option", "dedup clean x -o y --workers 4", 2, "there is no option --workers; did you mean --jobs"),
    ("long for short", "dedup clean x --output y", 2, "there is no option --output; did you mean --out?"),
    ("overwrite", "dedup clean x -o y --overwrite", 2, "there is no option --overwrite; did you mean --force?"),
    ("unlike any option", "dedup clean x -o y --zzz", 2, "there is no option --zzz (see dedup clean --help)"),
    ("option without a value", "dedup check news.jsonl --threshold", 2, "option '--threshold' requires an argument"),
    ("no input", "dedup clean -o out", 2, "no input; give files, folders, globs, or - for standard input"),
    ("no output", "dedup clean news.jsonl", 2, "no output folder; give -o OUT, or --dry-run to write nothing"),
    ("explain without output", "dedup explain", 2, "missing argument 'OUT'"),
    ("restore without a folder", "dedup restore out", 2, "missing option '-o' / '--out'"),
    ("two articles", "dedup explain out a b", 2, "got unexpected extra argument"),
    # values
    ("word for a number", "dedup check news.jsonl --threshold high", 2, "--threshold: 'high' is not a number"),
    ("percent", "dedup check news.jsonl --threshold 80", 2, "--threshold 80.0: not a similarity; give a number above"),
    ("zero", "dedup check news.jsonl --paragraph-threshold 0", 2, "--paragraph-threshold 0.0: not a similarity"),
    ("no processes", "dedup check news.jsonl --jobs 0", 2, "--jobs 0: not a number of processes; give 1 or more"),
    ("half a process", "dedup check news.jsonl --jobs 0.5", 2, "--jobs: '0.5' is not a whole number"),
    (
        "memory in words",
        "dedup check news.jsonl --memory lots",
        2,
        "--memory: 'lots' is not a size; write it like 512M",
    ),
    ("little memory", "dedup check news.jsonl --memory 1K", 2, "--memory 1024: too few bytes; give 64M or more"),
    ("no records", "dedup check news.jsonl --limit 0", 2, "--limit 0: not a number of records; give 1 or more"),
    ("negative sample", "dedup check news.jsonl --sample -5", 2, "--sample -5: not a number of records"),
    ("newest", "dedup check news.jsonl --keep newest", 2, "--keep newest: not known; did you mean 'latest'?"),
    ("oldest", "dedup check news.jsonl --keep oldest", 2, "--keep oldest: not known; did you mean 'earliest'?"),
    ("biggest", "dedup check news.jsonl --keep biggest", 2, "--keep biggest: not known; did you mean 'longest'?"),
    ("typo in a choice", "dedup config --keep longst", 2, "--keep longst: not known; did you mean 'longest'?"),
    (
        "unlike any choice",
        "dedup config --keep 7",
        2,
        "--keep 7: not known; choose from longest, first, earliest, latest",
    ),
    ("unknown profile", "dedup config --profile lossles", 2, "--profile lossles: not known; did you mean 'lossless'?"),
    ("another name of gz", "dedup config --compress gzip", 2, "--compress gzip: not known; did you mean 'gz'?"),
    (
        "unknown engine",
        "dedup clean news.jsonl -o out2 --engine sparc",
        2,
        "--engine sparc: not known; did you mean 'sp",
    ),
    ("option of another engine", "dedup clean x -o y --tables z", 2, "--tables: does not apply to the engine 'local'"),
    (
        "nothing to resume",
        "dedup clean x --dry-run --resume",
        2,
        "--resume: without an output there is nothing to resume",
    ),
    ("empty field name", "dedup check news.jsonl --text-field ''", 2, "--text-field: not a field name; give a text"),
    (
        "no dates",
        "dedup check news.jsonl --keep latest",
        2,
        "--keep latest: no article has a date; name their field with",
    ),
    # rules
    ("rule without =", "dedup config --rule boilerplate", 2, "--rule: 'boilerplate' has no action; write NAME=ACTION"),
    (
        "typo in a rule",
        "dedup config --rule boilerplat=off",
        2,
        "--rule boilerplat: there is no such rule; did you mean",
    ),
    (
        "typo in an action",
        "dedup config --rule boilerplate=dorp",
        2,
        "--rule boilerplate=dorp: not known; did you mean 'd",
    ),
    (
        "remove",
        "dedup config --rule boilerplate=remove",
        2,
        "--rule boilerplate=remove: not known; did you mean 'drop'?",
    ),
    ("fix what cannot be", "dedup config --rule boilerplate=fix", 2, "choose from drop, flag, off"),
    ("page of a typo", "dedup rules encodings", 2, "not known; did you mean 'encoding'?"),
    # inputs
    ("no such file", "dedup clean missing.jsonl -o out2", 2, "missing.jsonl: no such file or folder"),
    ("broken link", "dedup check broken.jsonl", 2, "broken.jsonl: no such file or folder"),
    ("no match", "dedup check '*.ndjson'", 2, "*.ndjson: matches nothing"),
    ("empty folder", "dedup clean empty -o out2", 2, "empty: no articles in this folder"),
    ("unknown kind", "dedup check photo.png", 2, "photo.png: "),
    ("empty name", "dedup check ''", 2, "an empty name among the inputs"),
    ("unreadable", "dedup check locked.jsonl", 2, "locked.jsonl: Permission denied; make it readable or leave it out"),
    ("a bad record", "dedup clean torn.jsonl -o out2 --on-error fail", 2, "torn.jsonl#1: "),
    # outputs
    ("existing output", "dedup clean news.jsonl -o out", 2, "out: exists already; add --force to replace it, or name"),
    ("file as output", "dedup clean news.jsonl -o photo.png", 2, "photo.png: is a file; name a folder for --out"),
    (
        "folder of others",
        "dedup clean news.jsonl -o junk",
        2,
        "junk: exists and is not an output of dedup, so it is left",
    ),
    (
        "by force",
        "dedup clean news.jsonl -o junk --force",
        2,
        "junk: exists and is not an output of dedup, so it is left",
    ),
    ("output is input", "dedup clean empty -o empty", 2, "choose another folder for --out"),
    ("input as output", "dedup explain news.jsonl", 2, "news.jsonl is not an output of dedup"),
    (
        "explain of nothing",
        "dedup explain nothing",
        2,
        "nothing is not an output of dedup: no run.json; give the folder",
    ),
    ("wrong id", "dedup explain out brigde", 2, "out: no article 'brigde'; did you mean 'bridge'?"),
    ("file in output", "dedup diff out/articles.jsonl", 2, "out/articles.jsonl is not an output of dedup"),
    ("verify other things", "dedup verify junk", 2, "junk is not an output of dedup"),
    ("restore into", "dedup restore out -o junk", 2, "junk"),
    # configuration
    (
        "no such file of settings",
        "dedup config --config none.toml",
        2,
        "none.toml: No such file or directory; give the",
    ),
    ("not TOML", "dedup config --config news.jsonl", 2, "news.jsonl: not TOML"),
    (
        "typo in a key",
        "dedup config --config typo.toml",
        2,
        "typo.toml:2: 'treshold' is not a setting; did you mean 'thr",
    ),
    (
        "hyphen in a key",
        "dedup config --config hyphen.toml",
        2,
        "'paragraph-threshold' is not a setting; did you mean 'pa",
    ),
    ("bad value", "dedup config --config value.toml", 2, 'value.toml:1: threshold = "0.9": not a similarity; give a'),
    ("bad rule", "dedup config --config rule.toml", 2, 'rule.toml:2: boilerplates = "off": there is no such rule; did'),
    (
        "bad action",
        "dedup config --config action.toml",
        2,
        'action.toml:3: boilerplate = "delete": not known; did you me',
    ),
    (
        "rule outside its table",
        "dedup config --config loose.toml",
        2,
        "did you mean 'boilerplate' in the table [rules]?",
    ),
    (
        "rules as text",
        "dedup config --config text.toml",
        2,
        'text.toml:1: rules = "off": not a table; write it as [rul',
    ),
    (
        "jobs in a file",
        "dedup check news.jsonl --config jobs.toml",
        2,
        "jobs.toml:1: jobs = 0: not a number of processes",
    ),
    (
        "a bad record and a file",
        "dedup clean torn.jsonl -o out2 --config fail.toml",
        2,
        'leave out fail.toml:1: on_error = "fail"',
    ),
    ("no dates and a file", "dedup check news.jsonl --config latest.toml", 2, 'latest.toml:1: keep = "latest": no art'),
    ("no shell", "dedup completion", 2, "missing argument 'bash|zsh|fish'"),
    (
        "memory in a file",
        "dedup config --config memory.toml",
        2,
        "memory.toml:1: memory = \"lots\": 'lots' is not a size",
    ),
]

FILES = {
    "news.jsonl": json.dumps({"id": "bridge", "text": STORY}) + "\n",
    "torn.jsonl": '{"text": "fine"}\n{"text": \n',
    "photo.png": "\x89PNG",
    "junk/file": "precious",
    "typo.toml": "\ntreshold = 0.9\n",
    "hyphen.toml": "paragraph-threshold = 0.9\n",
    "value.toml": "threshold = '0.9'\n",
    "rule.toml": '[rules]\nboilerplates = "off"\n',
    "action.toml": '[rules]\n\nboilerplate = "delete"\n',
    "loose.toml": 'boilerplate = "off"\n',
    "text.toml": 'rules = "off"\n',
    "fail.toml": 'on_error = "fail"\n',
    "latest.toml": 'keep = "latest"\n',
    "jobs.toml": "jobs = 0\n",
    "memory.toml": 'memory = "lots"\n',
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with an output, things that are none, and configuration files with mistakes."""
    folder = tmp_path_factory.mktemp("newcomer")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "empty").mkdir()
    (folder / "broken.jsonl").symlink_to("nowhere")
    (folder / "locked.jsonl").write_text("{}\n")
    (folder / "locked.jsonl").chmod(0)
    assert run_dedup(f"dedup clean {folder}/news.jsonl -o {folder}/out").status == 0
    return folder


def listing(folder: Path) -> list[tuple[Path, int]]:
    return sorted((path, path.lstat().st_mtime_ns) for path in folder.rglob("*"))


@pytest.mark.parametrize(
    ("command", "status", "message"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES]
)
def test_a_mistake_is_answered_by_one_line(folder, monkeypatch, command, status, message):
    if "locked" in command and os.access(folder / "locked.jsonl", os.R_OK):
        pytest.skip("this user may read every file")
    monkeypatch.chdir(folder)
    before = listing(folder)
    done = run_dedup(command)
    assert (done.stdout, done.status) == ("", status)
    assert done.stderr.startswith("dedup: error: ")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr
    assert "`" not in done.stderr.replace("`dedup clean`", "")
    assert listing(folder) == before, "nothing is left behind"


# environment variables, command, part of its one line
VARIABLES = [
    ({"DEDUP_THRESHOLD": "7"}, "dedup config", "DEDUP_THRESHOLD=7: not a similarity"),
    ({"DEDUP_THRESHOLD": "high"}, "dedup config", "DEDUP_THRESHOLD=high: 'high' is not a number"),
    ({"DEDUP_KEEP": "newest"}, "dedup config", "DEDUP_KEEP=newest: not known; did you mean 'latest'?"),
    ({"DEDUP_RULES": "boilerplate"}, "dedup config", "DEDUP_RULES=boilerplate: 'boilerplate' has no action"),
    (
        {"DEDUP_RULES": "encoding=fix,boilerplat=off"},
        "dedup config",
        "DEDUP_RULES boilerplat=off: there is no such rule",
    ),
    ({"DEDUP_JOBS": "0"}, "dedup check news.jsonl", "DEDUP_JOBS=0: not a number of processes; give 1 or more"),
    ({"DEDUP_MEMORY": "lots"}, "dedup config", "DEDUP_MEMORY=lots: 'lots' is not a size"),
    (
        {"DEDUP_ENGINE": "sparc"},
        "dedup clean news.jsonl -o out2",
        "DEDUP_ENGINE=sparc: not known; did you mean 'spark'?",
    ),
    ({"DEDUP_CONFIG": "none.toml"}, "dedup config", "none.toml: No such file or directory"),
]


@pytest.mark.parametrize(("variables", "command", "message"), VARIABLES, ids=[row[2][:20] for row in VARIABLES])
def test_a_mistake_in_the_environment_names_the_variable(folder, monkeypatch, variables, command, message):
    monkeypatch.chdir(folder)
    done = run_dedup(command, env=variables)
    assert (done.stdout, done.status) == ("", 2)
    assert done.stderr.startswith(f"dedup: error: {message}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [6, 54])
def test_the_installed_command_answers_as_in_this_process(folder, monkeypatch, number):
    monkeypatch.chdir(folder)
    command = MISTAKES[number][1]
    done = subprocess.run(
        [sys.executable, "-m", "dedup", *shlex.split(command)[1:]], capture_output=True, text=True, check=False
    )
    assert run_dedup(command) == (done.returncode, done.stdout, done.stderr)
