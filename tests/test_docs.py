"""The documents agree with the code: the rules, the links, the options, the measured numbers."""

from __future__ import annotations

import doctest
import gzip
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest
from conftest import ROOT

import dedup
from dedup import clean_articles
from dedup.cli import cli
from dedup.cli.rule_pages import rules_markdown
from dedup.findings import Finding
from dedup.fingerprint.self_matches import LONE_PARAGRAPH_WORDS
from dedup.match import boilerplate
from dedup.output_layout import TABLES
from dedup.prepare import batch as prepare
from dedup.repeats.judgement import DENSE, ENOUGH, FAR_LINES, FAR_WORDS, TEASER
from dedup.rules import RULES
from dedup.settings import ARTICLE_SHINGLE, Settings
from dedup.write.schema import FINDINGS_SCHEMA

PAGES = [*ROOT.glob("*.md"), *ROOT.glob("corpus/*.md"), *sorted(ROOT.glob("docs/*.md")), *ROOT.glob("tests/data/*.md")]
LINK = r"\]\(([^)#]+)(?:#[^)]*)?\)"
SDIST = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"][
    "sdist"
]


def test_the_page_of_rules_is_generated_from_the_registry():
    assert (ROOT / "docs" / "rules.md").read_text(encoding="utf-8") == rules_markdown()


def test_every_rule_has_all_sections_of_its_page():
    for rule in RULES:
        assert all(rule), rule.name
        assert rule.default in rule.actions


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(LINK, page.read_text(encoding="utf-8")):
        assert "://" in target or (page.parent / target).exists(), target


@pytest.mark.parametrize(("page", "count"), [("README.md", 1), ("docs/benchmarks.md", 6)])
def test_the_benchmark_tables_are_the_ones_measured(page, count):
    shown = subprocess.run(
        [sys.executable, "-m", "benchmarks.table"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    mark = r"<!-- \w+: made by benchmarks/table.py -->.*?<!-- end of \w+ -->"
    sections = re.findall(mark, (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    assert len(sections) == count
    for section in sections:
        assert section in shown


def test_every_command_and_option_has_a_help_text():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^    dedup ([a-z-]+)", readme, re.MULTILINE)) == set(cli.commands)
    for command in cli.commands.values():
        assert command.help
        assert all(getattr(option, "help", "") for option in command.params if option.param_type_name == "option")


def test_a_finding_has_the_columns_of_its_table():
    assert FINDINGS_SCHEMA.names == list(Finding._fields)
    design = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    table = design.split("| column | meaning |")[1].split("\n\n")[0]
    assert set(re.findall(r"`([a-z_]+)`", " ".join(line.split("|")[1] for line in table.split("\n")[2:]))) == set(
        Finding._fields
    )


def project_files():
    """Return the paths of the project's files: those that git tracks; without git, those of the source archive."""
    if shutil.which("git"):
        command = ["git", "ls-files", "-z"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
        if paths := [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]:
            return paths
    tops = [ROOT / include.strip("/") for include in SDIST["include"]]
    paths = [path for top in tops for path in ([top] if top.is_file() else sorted(top.rglob("*"))) if path.is_file()]
    return [path for path in paths if "__pycache__" not in path.parts]


def test_no_file_speaks_of_the_machine_it_was_made_on():
    paths = project_files()
    assert ROOT / "README.md" in paths
    for path in paths:
        if path.parent.name != "corpus" and path != Path(__file__):
            data = path.read_bytes()
            text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode(errors="replace")
            assert not re.search(r"/work/|/root/|/home/\w+", text), path.relative_to(ROOT)


def test_the_source_archive_holds_what_the_pages_link_to():
    included = [ROOT / include.strip("/") for include in SDIST["include"]]
    assert all(path.exists() for path in included)
    names = ("Makefile", "pyproject.toml", "LICENSE", "README.md", ".ci/run", "benchmarks", "corpus", "dedup", "tests")
    needed = {ROOT / name for name in names}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        needed.update(page.parent / target for target in re.findall(LINK, text) if "://" not in target)
    for path in needed:
        parents = {path.resolve(), *path.resolve().parents}
        assert parents & set(included), path


def test_the_commands_of_make_on_the_pages_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for page in PAGES:
        for target in re.findall(r"(?:`|^    )make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), (page.name, target)


def test_the_numbers_on_the_pages_of_rules_are_those_of_the_code():
    thresholds = {rule.name: rule.thresholds for rule in RULES}
    assert thresholds["boilerplate"] == (
        f"{boilerplate.FEWEST_WORDS} words or more, in this many articles and this share of the host: "
        + "; ".join(
            f"up to {way.words}{' words' if not number else ''} {way.where} in {way.articles} and {100 * way.share:g} %"
            for number, way in enumerate(boilerplate.WAYS)
        )
        + "."
    )
    assert f"at least {prepare.SHARED_WORDS} words" in thresholds["shared-paragraph"]
    assert f"runs of {ARTICLE_SHINGLE} words" in thresholds["near-duplicate-article"]
    assert f"({Settings().threshold})" in thresholds["near-duplicate-article"]
    assert f"{ENOUGH} words of prose" in thresholds["repeated-block"]
    assert f"{TEASER} if the opening" in thresholds["repeated-block"]
    assert f"{FAR_WORDS} in {FAR_LINES} lines" in thresholds["repeated-block"]
    assert f"{DENSE:.0%}".replace("%", " %") in thresholds["repeated-block"]
    assert f"at least {LONE_PARAGRAPH_WORDS} words" in thresholds["repeated-paragraph"]


def test_the_examples_of_the_python_page_are_right(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    examples = "\n".join(re.findall(r"^```pycon\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    test = doctest.DocTestParser().get_doctest(examples, {}, "docs/python.md", None, 0)
    runner = doctest.DocTestRunner()
    shown = []
    runner.run(test, out=shown.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(shown)
    assert len(test.examples) > 20
    assert set(dedup.__all__) - set(re.findall(r"`(\w+)`", page)) == set()


def test_before_and_after_are_those_of_the_sample():
    raw = (ROOT / "corpus" / "000_47e8d8cd22c70bfd.txt").read_text(encoding="utf-8")
    [article] = clean_articles([{"text": raw}]).articles
    before, after = (
        f"{len(text):,} characters, {sum(bool(line.strip()) for line in text.splitlines())} paragraphs"
        for text in (raw, article["text"])
    )
    assert f"| before: {before} | after: {after} |" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "commands", "tables"), [("README.md", 4, TABLES), ("docs/index.md", 5, ())])
def test_the_worked_examples_show_what_the_commands_print(name, commands, tables):
    render = [sys.executable, ROOT / "docs" / "example" / "render.py", name]
    page = subprocess.run(render, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True).stdout
    assert page == (ROOT / name).read_text(encoding="utf-8")
    assert page.count("\n$ dedup ") >= commands
    assert all(f"```json {table}" in page for table in tables)


def test_the_readme_of_the_distribution_has_absolute_links():
    try:
        description = metadata("article-dedup")["Description"]
    except PackageNotFoundError:
        pytest.skip("article-dedup is not installed as a distribution")
    links = re.findall(r"\]\(([^)]+)\)", description)
    assert len(links) > 10
    assert [link for link in links if not link.startswith(("https://", "#"))] == []


def test_the_glossary_comes_before_the_example():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.index("## Words used here") < readme.index("## A worked example")


def test_the_extra_is_installed_from_a_checkout():
    for page in PAGES:
        assert "article-dedup[" not in page.read_text(encoding="utf-8"), page
