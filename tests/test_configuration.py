"""Settings from the file, the environment and the command line: which wins, and what is said about each."""

from __future__ import annotations

import json
import tomllib
from dataclasses import fields
from pathlib import Path

import click
import pytest
from conftest import ROOT
from helpers.command import run_dedup
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.cli.config_file import find_config, load_config
from dedup.cli.layers import PREFIX, misspelt_variables, name_in_files, resolve, toml_value
from dedup.cli.options import CONFIGURABLE, resolve_options
from dedup.cli.settings_page import as_markdown, as_toml
from dedup.errors import SettingsError
from dedup.rules import BY_NAME, NAMES, resolve_actions
from dedup.settings import Settings
from dedup.suggestions import suggest


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project with a git root, as the working folder."""
    (tmp_path / "project" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def resolved(given=(), environment=(), file=None):
    return resolve(CONFIGURABLE, dict(given), file, dict(environment))


def values_of(command: str, **env: str) -> dict[str, dict[str, object]]:
    done = run_dedup(command, env=env)
    assert (done.status, done.stderr) == (0, "")
    return json.loads(done.stdout)


# the list of options


def test_every_setting_can_be_set_in_every_layer():
    names = {name_in_files(option) for option in CONFIGURABLE}
    assert set(Settings().as_dict()) <= names
    assert {"jobs", "memory", "engine", "master", "tables", "resume"} <= names
    assert set(values_of("dedup config --json")) == {*names, *(f"rules.{rule}" for rule in NAMES)} - {"rules"}


def test_the_page_lists_what_can_be_set():
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert as_markdown(CONFIGURABLE) in page, "run dedup config --markdown, and put what it prints into the page"


@pytest.mark.usefixtures("project")
def test_the_defaults_are_those_of_the_library():
    assert resolved().settings == Settings()


def test_every_error_about_a_setting_names_it_as_a_parameter():
    for field in fields(Settings):
        with pytest.raises(SettingsError, match=rf"^`{field.name}[=\[]"):
            Settings(**{field.name: {"no": "such value"}})


def test_a_variable_is_read_as_its_option_is():
    def halve(_ctx, _param, value):
        if value < 0:
            raise click.BadParameter(f"{value!r} is too low")
        return value // 2

    option = click.Option(["--seed"], type=int, callback=halve)
    assert resolve([option], {}, Path("/dev/null"), {"DEDUP_SEED": "8"}).values["seed"] == 4
    with pytest.raises(SettingsError, match=r"^DEDUP_SEED=-2: -2 is too low$"):
        resolve([option], {}, Path("/dev/null"), {"DEDUP_SEED": "-2"})


# which layer wins

LAYERS = ("file", "environment", "options")
SOME_VALUES = {"threshold": (0.6, 0.7, 0.9), "keep": ("first", "latest", "earliest"), "jobs": (2, 3, 4)}
SOME_RULES = ("encoding", "boilerplate", "shared-paragraph")


@st.composite
def layers(draw):
    """For each layer, some values and some actions of rules."""
    layers = {}
    for number, layer in enumerate(LAYERS):
        chosen = draw(st.sets(st.sampled_from(sorted(SOME_VALUES))))
        rules = draw(st.dictionaries(st.sampled_from(SOME_RULES), st.integers(0, 2), max_size=3))
        layers[layer] = (
            {name: SOME_VALUES[name][number] for name in sorted(chosen)},
            {rule: BY_NAME[rule].actions[action] for rule, action in rules.items()},
        )
    return layers


@settings(max_examples=50, deadline=None)
@given(layers(), st.sampled_from(["default", "lossless", "corpus"]))
def test_the_last_layer_that_says_something_wins(tmp_path_factory, drawn, profile):
    file = tmp_path_factory.getbasetemp() / "layers.toml"
    values, rules = drawn["file"]
    lines = [f"profile = {toml_value(profile)}", *(f"{name} = {toml_value(value)}" for name, value in values.items())]
    lines += ["[rules]", *(f"{rule} = {toml_value(action)}" for rule, action in rules.items())]
    file.write_text("\n".join(lines))
    values, rules = drawn["environment"]
    environment = {f"{PREFIX}{name.upper()}": str(value) for name, value in values.items()}
    environment["DEDUP_RULES"] = ",".join(f"{rule}={action}" for rule, action in rules.items())
    values, rules = drawn["options"]
    done = resolved({**values, "rules": tuple(rules.items())}, environment, file)

    for name, of_layer in SOME_VALUES.items():
        last = next((layer for layer in reversed(LAYERS) if name in drawn[layer][0]), None)
        default = Settings().as_dict().get(name)
        value = done.settings.as_dict().get(name, done.values[name])
        assert value == (default if last is None else of_layer[LAYERS.index(last)])
        line = next((number for number, text in enumerate(lines, 1) if text.startswith(f"{name} =")), 0)
        places = {"file": f"{file}:{line}", "environment": f"DEDUP_{name.upper()}", "options": f"--{name}"}
        assert done.origins[name].place == ("default" if last is None else places[last])
    overrides = {rule: action for layer in LAYERS for rule, action in drawn[layer][1].items()}
    assert done.settings.rules == resolve_actions(profile, overrides)
    assert done.settings.profile == profile


def test_rules_merge_rule_by_rule(project):
    (project / "dedup.toml").write_text('profile = "lossless"\n[rules]\nencoding = "fix"\nboilerplate = "off"\n')
    shown = values_of("dedup config --json --rule boilerplate=drop", DEDUP_RULES="whitespace=fix, encoding=off,")
    rules = {name.removeprefix("rules."): tuple(row.values()) for name, row in shown.items() if "rules." in name}
    assert rules["boilerplate"] == ("drop", "--rule")
    assert rules["encoding"] == ("off", "DEDUP_RULES")
    assert rules["whitespace"] == ("fix", "DEDUP_RULES")
    assert rules["typography"] == ("flag", "profile lossless")


# which file is found


def test_the_nearest_file_wins_and_dedup_toml_before_pyproject(project, monkeypatch):
    inner = project / "a" / "b"
    inner.mkdir(parents=True)
    (project / "dedup.toml").write_text("threshold = 0.1\n")
    (project / "a" / "pyproject.toml").write_text("[project]\nname = 'x'\n[tool.dedup]\nthreshold = 0.2\n")
    (inner / "pyproject.toml").write_text("[project]\nname = 'no table of ours'\n")
    monkeypatch.chdir(inner)
    assert values_of("dedup config --json")["threshold"] == {"value": 0.2, "from": "../pyproject.toml:4"}
    (project / "a" / "dedup.toml").write_text("threshold = 0.3\n")
    assert values_of("dedup config --json")["threshold"] == {"value": 0.3, "from": "../dedup.toml:1"}
    (inner / "dedup.toml").write_text("jobs = 2\n")
    shown = values_of("dedup config --json")
    assert shown["threshold"] == {"value": 0.8, "from": "default"}, "files are never combined"
    assert shown["jobs"] == {"value": 2, "from": "dedup.toml:1"}


def test_the_search_ends_at_the_git_root_and_at_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    inner = tmp_path / "home" / "x" / "repository" / "deep"
    inner.mkdir(parents=True)
    (tmp_path / "dedup.toml").write_text("threshold = 0.1\n")
    assert find_config(inner) is None
    (tmp_path / "home" / "dedup.toml").write_text("threshold = 0.2\n")
    assert find_config(inner).values == {"threshold": 0.2}
    (inner.parent / ".git").write_text("gitdir: elsewhere\n")  # as in a worktree
    assert find_config(inner) is None
    (inner.parent / "pyproject.toml").write_text("[tool.dedup]\nthreshold = 0.3\n")
    assert find_config(inner).values == {"threshold": 0.3}


def test_config_and_its_variable_replace_the_found_file(project):
    (project / "dedup.toml").write_text("threshold = 0.1\njobs = 2\n")
    (project / "other.toml").write_text("threshold = 0.2\n")
    (project / "pyproject.toml").write_text("threshold = 'not ours'\n[tool.dedup]\nthreshold = 0.3\n")
    for command, variable, threshold in (
        ("--config other.toml", "pyproject.toml", {"value": 0.2, "from": "other.toml:1"}),
        ("", "pyproject.toml", {"value": 0.3, "from": "pyproject.toml:3"}),
        ("--config /dev/null", "", {"value": 0.8, "from": "default"}),
    ):
        shown = values_of(f"dedup config --json {command}", DEDUP_CONFIG=variable)
        assert shown["threshold"] == threshold
        assert shown["jobs"]["value"] is None


def test_a_broken_pyproject_of_others_is_none_of_ours(project):
    (project / "pyproject.toml").write_text("[project\n")
    assert find_config(project) is None
    (project / "pyproject.toml").write_text("[tool.dedup\n")
    with pytest.raises(SettingsError, match=r"^pyproject.toml: not TOML"):
        find_config(project)


def test_the_working_folder_may_be_deleted(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert resolved().settings == Settings()


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / "it.toml").write_bytes(b"\xef\xbb\xbfthreshold = 0.9\n")
    assert load_config(tmp_path / "it.toml").values == {"threshold": 0.9}


def test_a_line_is_named_however_the_key_is_written(tmp_path):
    file = tmp_path / "pyproject.toml"
    file.write_text("""[tool.other]
threshold = 1

[tool."dedup"]
  'threshold' = 0.9
rules."page-furniture" = 'off'
""")
    origins = resolved(file=file).origins
    assert origins["threshold"].place == f"{file}:5"
    assert origins["rules.page-furniture"].place == f"{file}:6"


# the environment


@pytest.mark.usefixtures("project")
def test_variables_of_the_project_and_of_others_are_no_settings():
    others = dict.fromkeys(("DEDUP_DATA", "DEDUP_START", "DEDUP_CLUSTER", "DEDUP_CACHE", "DEDUP_SPARK_WAIT"), "x")
    assert resolved(environment=others).settings == Settings()
    assert list(misspelt_variables(CONFIGURABLE, {**others, "DEDUP_FRONTEND": "x", "DEDUP_": "", "PATH": ""})) == []


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("DEDUP_TRESHOLD", "DEDUP_THRESHOLD"),
        ("DEDUP_RULE", "DEDUP_RULES"),
        ("DEDUP_WORKERS", "DEDUP_JOBS"),
        ("DEDUP_TEXTFIELD", "DEDUP_TEXT_FIELD"),
        ("DEDUP_MEM", "DEDUP_MEMORY"),
    ],
)
def test_a_misspelt_variable_is_warned_about(variable, meant):
    done = run_dedup("dedup config", env={variable: "1"})
    assert done.status == 0
    assert done.stderr == f"dedup: warning: {variable} is not a setting; did you mean {meant}?\n"


def test_an_option_of_the_other_engine_is_an_error_on_the_command_line_only(project):
    (project / "news.jsonl").write_text('{"text": "one"}\n')
    assert run_dedup("dedup clean news.jsonl -o out -q", env={"DEDUP_RESUME": "true"}).status == 0
    assert run_dedup("dedup clean news.jsonl -o out1 -q", env={"DEDUP_TABLES": "x"}).status == 0
    done = run_dedup("dedup clean news.jsonl -o out2 --tables x")
    assert (done.status, done.stderr) == (
        2,
        "dedup: error: --tables: does not apply to the engine 'local'; leave it out\n",
    )


def test_every_command_obeys_the_file(project):
    text = "The council met on Monday to speak about the bridge over the river."
    (project / "news.jsonl").write_text("".join(json.dumps({"id": n, "headline": text}) + "\n" for n in range(3)))
    (project / "dedup.toml").write_text('text_field = "headline"\nkeep = "first"\nformat = "parquet"\njobs = 1\n')
    assert run_dedup("dedup clean news.jsonl -o out -q").status == 0
    assert json.loads((project / "out" / "run.json").read_bytes())["settings"]["text_field"] == "headline"
    assert (project / "out" / "articles.parquet").exists()
    assert run_dedup("dedup check news.jsonl -q").stdout.count("duplicate-article") == 2
    (project / "dedup.toml").write_text("jobs = 0\n")
    assert "dedup.toml:1: jobs = 0: not a number of processes" in run_dedup("dedup verify out").stderr


# what is shown


@pytest.mark.usefixtures("project")
def test_printed_settings_can_be_loaded_again(tmp_path):
    options = (
        "--profile corpus --rule boilerplate=flag --text-field 'a \"b\" é\x7f' --threshold 0.75 --jobs 3 --memory 2G"
        " --limit 7 --master spark://here:7077"
    )
    first = run_dedup(f"dedup config --toml {options}").stdout
    assert "threshold = 0.75  # --threshold" in first
    assert 'repeated-paragraph = "drop"  # profile corpus' in first
    assert 'boilerplate = "flag"  # --rule' in first
    assert 'keep = "longest"  # default' in first
    (tmp_path / "it.toml").write_text(first)
    second = resolved(file=tmp_path / "it.toml")
    assert second.settings == Settings(
        profile="corpus", rules={"boilerplate": "flag"}, text_field='a "b" é\x7f', threshold=0.75, limit=7
    )
    assert (second.values["jobs"], second.values["memory"], second.values["url"]) == (3, 2 << 30, "spark://here:7077")
    again = as_toml(second, CONFIGURABLE)
    assert tomllib.loads(again) == tomllib.loads(first)


@pytest.mark.usefixtures("project")
def test_the_table_is_aligned():
    lines = run_dedup("dedup config --memory 2G").stdout.splitlines()
    start = lines[0].index("from")
    assert all(line[start - 1] == " " and line[start] != " " for line in lines)
    assert any(line.split() == ["memory", "2G", "--memory"] for line in lines)


def test_the_examples_of_the_page_are_true(project, tmp_path):
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    for name, folder in (("dedup.toml", tmp_path), ("pyproject.toml", project)):
        (folder / name).write_text(page.split(f"```toml {name}\n")[1].split("```")[0])
    assert resolved(file=tmp_path / "dedup.toml").settings.rules["page-furniture"] == "drop"
    printed = run_dedup("dedup config --keep latest", env={"DEDUP_JOBS": "4"}).stdout.splitlines()
    example = page.split("$ DEDUP_JOBS=4 dedup config --keep latest\n")[1].split("```")[0].splitlines()
    assert [line for line in printed if line in example] == [line for line in example if line != "…"]


# suggestions


@pytest.mark.parametrize("word", ["newest", "NEWEST", "Latest", "latset", "most_recent", "last"])
def test_what_means_latest_suggests_latest(word):
    assert suggest(word, ["longest", "first", "earliest", "latest"]) == "latest"


def test_nothing_far_away_is_suggested():
    assert suggest("xyzzy", ["longest", "first", "earliest", "latest"]) is None


@pytest.mark.usefixtures("project")
def test_option_values_are_read_once_for_a_command_without_a_context():
    with click.Context(click.Command("x")):
        assert resolve_options({"threshold": 0.5}).settings == Settings(threshold=0.5)


def test_a_path_is_shown_as_it_was_given(tmp_path):
    (tmp_path / "it.toml").write_text("threshold = 2\n")
    with pytest.raises(SettingsError, match=r"^`threshold=2`: not a similarity"):
        resolved(file=Path(tmp_path / "it.toml"))
