"""The shape of the package: imports run one way, a name has one meaning, and errors speak of parameters."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter

import pytest
from conftest import ROOT

import dedup
from dedup.cli import cli
from dedup.cli.terminal import option_names

PACKAGE = ROOT / "dedup"

# The packages and top-level modules in import order: each may import itself and what stands above it.
LAYERS = [
    {"errors", "rules", "suggestions"},
    {"settings", "findings"},
    {"output_layout", "index_layout"},
    {"arrays"},
    {"runtime"},
    {"read"},
    {"segment"},
    {"review"},
    {"fingerprint"},
    {"repairs"},
    {"site_text"},
    {"kernels"},
    {"repeats"},
    {"prepare"},
    {"match"},
    {"decide"},
    {"write"},
    {"index"},
    {"engines"},
    {"spark"},
    {"engine_choice"},
    {"preparation"},
    {"pipeline"},
    {"results"},
    {"in_memory"},
    {"streaming"},
    {"online"},
    {"inspect"},
    {"report"},
    {"view"},
    {"service"},
    {"tune"},
    {"cli"},
    {"__main__"},
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}

# Packages whose public names may be those of another package: each stands for the same thing in another form.
TWINS = {
    "kernels": set(RANK),  # a compiled function is named like its definition
    "cli": set(RANK),  # a command is named like the function that it calls
    "spark": {"match"},  # a stage on a cluster is named like the one on this machine
}


def package_of(name):
    return name.split(".")[0]


def modules():
    """Name and path of each module; a package's own module has the name of the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts != ("__init__",):
            yield ".".join(part for part in parts if part != "__init__"), path


MODULES = dict(modules())
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def imports(tree):
    """The modules of this package that a module imports, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and package_of(node.module) == "dedup":
            parent = node.module.removeprefix("dedup").removeprefix(".")
            for alias in node.names:
                inner = f"{parent}.{alias.name}".removeprefix(".")
                if inner != "__version__":
                    yield inner if inner in MODULES or not parent else parent
        elif isinstance(node, ast.Import):
            yield from (alias.name.removeprefix("dedup.") for alias in node.names if alias.name.startswith("dedup."))


@pytest.mark.parametrize("name", MODULES)
def test_imports_run_one_way(name):
    for other in imports(TREES[name]):
        assert RANK[package_of(other)] <= RANK[package_of(name)], f"{name} must not import {other}"


def test_the_modules_of_a_package_import_each_other_without_cycles():
    graph = {
        name: {other for other in imports(tree) if other in TREES and other != name} for name, tree in TREES.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle: {' -> '.join(error.args[1])}")


def definitions(tree):
    """The names that a module defines at its top level, and the statements that define them."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name, node
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for name in (part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)):
                if not name.startswith("__"):
                    yield name, node


def is_type_variable(node):
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and "TypeVar" in ast.dump(node.value.func)


def are_twins(name, places):
    """Return True if `name` is public and may be defined in both of two packages."""
    packages = [package_of(place) for place in places]
    return (
        not name.startswith("_")
        and len(packages) == len(set(packages)) == 2
        and any(other in TWINS.get(package, ()) for package, other in (packages, packages[::-1]))
    )


def test_a_name_has_one_meaning():
    places = defaultdict(list)
    for module, tree in TREES.items():
        for name in {name for name, node in definitions(tree) if not is_type_variable(node)}:
            places[name].append(module)
    clashes = {name: found for name, found in places.items() if len(found) > 1 and not are_twins(name, found)}
    assert clashes == {}


def error_messages():
    """Module, exception and constant text of each error that the library raises."""
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name):
                parts = [part.value for part in ast.walk(node.exc) if isinstance(part, ast.Constant)]
                yield module, node.exc.func.id, " ".join(part for part in parts if isinstance(part, str))


def test_errors_of_the_library_name_no_option():
    for module, _, text in error_messages():
        if package_of(module) != "cli":
            assert not re.search(r"(?<!\w)(--[a-z]|-[ov]\b)", text), (module, text)


def test_the_command_line_has_an_option_for_every_parameter_that_an_error_names():
    options = option_names(cli)
    for module, _, text in error_messages():
        for name in re.findall(r"`(\w+)(?:=[^`]*)?`", text):
            assert name in options, (module, text)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_can_be_read_in_one_sitting(name):
    assert len(MODULES[name].read_text(encoding="utf-8").splitlines()) <= 420, name


def test_stages_import_no_engine():
    for name, tree in TREES.items():
        if package_of(name) not in {"engines", "cli"} and name not in {
            "pipeline",
            "engine_choice",
            "preparation",
            "in_memory",
            "online.judging",
            "tune.survey",
            "inspect.apply_review",
            "inspect.verify",
            "spark.prepare",
        }:
            assert not any(package_of(other) == "engines" for other in imports(tree)), name


def test_the_words_the_design_avoids_are_avoided():
    text = " ".join(path.read_text(encoding="utf-8").lower() for path in MODULES.values())
    for name in ('"--master"', '["master"]', '("master",', "spark.master", "builder.master(", "context.master."):
        text = text.replace(name, "")  # Spark's own names
    for word in ("canonical_", "master", "_doc_", "docs_", "parent_article"):
        assert word not in text


def test_the_public_names_are_listed_and_importable():
    assert dir(dedup) == sorted([*dedup.__all__, "__version__"])
    assert len(dedup.__all__) > 20
    for name in dedup.__all__:
        assert getattr(dedup, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'cleen'"):
        dedup.cleen  # noqa: B018 - reading it is the test


def test_importing_the_package_loads_no_heavy_library():
    code = "import sys, dedup; dir(dedup), dedup.Settings; print([m for m in ('numpy', 'pyarrow') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_no_package_hides_a_public_name():
    packages = {package_of(name) for name in MODULES}
    assert packages.isdisjoint(dedup.__all__), "importing dedup.NAME would replace the public function of that name"


def test_tests_import_nothing_from_other_tests():
    for path in sorted((ROOT / "tests").glob("test_*.py")):
        assert not re.search(r"^(from|import) test_", path.read_text(encoding="utf-8"), re.MULTILINE), path.name
