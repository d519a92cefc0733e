"""The shape of the package: imports run one way, and what is said about it in the design is true."""

from __future__ import annotations

import ast

import pytest
from conftest import ROOT

PACKAGE = ROOT / "dedup"

# The packages and top-level modules in import order: each may import itself and what stands above it.
LAYERS = [
    {"errors", "rules"},
    {"settings", "findings"},
    {"output_layout"},
    {"arrays"},
    {"runtime"},
    {"read"},
    {"segment"},
    {"fingerprint"},
    {"repairs"},
    {"kernels"},
    {"repeats"},
    {"prepare"},
    {"match"},
    {"decide"},
    {"write"},
    {"engines"},
    {"spark"},
    {"pipeline", "in_memory"},
    {"inspect"},
    {"tune"},
    {"cli"},
    {"__main__"},
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        if not name.endswith("__init__"):
            yield name, path


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "dedup":
            inside = node.module.removeprefix("dedup").removeprefix(".")
            for alias in node.names:
                yield inside or alias.name
        elif isinstance(node, ast.Import):
            yield from (a.name.removeprefix("dedup.") for a in node.names if a.name.startswith("dedup."))


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=[name for name, _ in modules()])
def test_imports_run_one_way(name, path):
    for other in imports(path):
        if other == "__version__":
            continue
        assert RANK[other.split(".")[0]] <= RANK[name.split(".")[0]], f"{name} must not import {other}"


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=[name for name, _ in modules()])
def test_a_module_can_be_read_in_one_sitting(name, path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 420, name


def test_stages_import_no_engine():
    for name, path in modules():
        if not name.startswith(("engines", "cli.")) and name not in {
            "pipeline",
            "in_memory",
            "tune.survey",
            "inspect.verify",
            "spark.prepare",
        }:
            assert not any(other.startswith("engines") for other in imports(path)), name


def test_the_words_the_design_avoids_are_avoided():
    text = " ".join(path.read_text(encoding="utf-8").lower() for _, path in modules())
    for name in ('"--master"', '["master"]', '("master",', "spark.master", "builder.master(", "context.master."):
        text = text.replace(name, "")  # what Spark calls its own
    for word in ("canonical_", "master", "_doc_", "docs_", "parent_article"):
        assert word not in text
