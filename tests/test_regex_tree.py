"""The private modules of other libraries that the project relies on: an upgrade that changes them fails here."""

from __future__ import annotations

import ast
import re
import sys

import ftfy
import pytest
from conftest import ROOT
from ftfy import badness, chardata, fixes

from dedup.repairs.encoding import _FIXERS
from dedup.repairs.regex_tree import parse, read_sequences

PYTHON = f"re._parser of Python {sys.version.split()[0]} is not the one that dedup.repairs.regex_tree was written for"
FTFY = f"ftfy {ftfy.__version__} is not the one that dedup.repairs was written for (6.3)"


@pytest.mark.parametrize(
    ("pattern", "operations"),
    [
        ("a", ["LITERAL"]),
        (".", ["ANY"]),
        ("[a-c]", ["IN"]),
        ("^a", ["AT", "LITERAL"]),
        ("(?:ab)", ["LITERAL", "LITERAL"]),
        ("(ab)", ["SUBPATTERN"]),
        ("ab|cd", ["BRANCH"]),
        ("a?", ["MAX_REPEAT"]),
        ("a{2,3}?", ["MIN_REPEAT"]),
        ("(?=a)", ["ASSERT"]),
        ("(?!a)", ["ASSERT_NOT"]),
    ],
)
def test_the_parser_of_python_names_its_operations_as_expected(pattern, operations):
    assert [str(operation) for operation, _ in parse(pattern)] == operations, PYTHON


def test_the_parser_of_python_gives_the_lengths_of_a_pattern():
    assert parse("ab?c{2,4}").getwidth() == (3, 6), PYTHON


def test_the_parser_of_python_describes_sets_and_repeats_as_expected():
    [(_, members)] = parse(r"[^a-c\d]")
    assert [str(kind) for kind, _ in members] == ["NEGATE", "RANGE", "CATEGORY"], PYTHON
    [(_, (least, most, _))] = parse("a{2,3}")
    assert (least, most) == (2, 3), PYTHON


# Every name of ftfy that the package uses, by module.
NAMES_OF_FTFY = {
    ftfy: {
        "ExplanationStep",
        "FIXERS",
        "TextFixerConfig",
        "__version__",
        "_fix_encoding_one_step_and_explain",
        "fix_and_explain",
    },
    badness: {"BADNESS_RE"},
    chardata: {
        "UTF8_CLUES",
        "UTF8_DETECTOR_RE",
        "CHARMAP_ENCODINGS",
        "CONTROL_CHARS",
        "HTML_ENTITY_RE",
        "LIGATURES",
        "WIDTH_MAP",
        "possible_encoding",
    },
    fixes: {
        "fix_character_width",
        "fix_latin_ligatures",
        "fix_line_breaks",
        "replace_lossy_sequences",
        "uncurl_quotes",
    },
}


@pytest.mark.parametrize("module", NAMES_OF_FTFY, ids=lambda module: module.__name__)
def test_ftfy_has_every_name_that_the_package_uses(module):
    missing = sorted(name for name in NAMES_OF_FTFY[module] if not hasattr(module, name))
    assert not missing, f"{FTFY}: {module.__name__} lacks {', '.join(missing)}"


def test_ftfy_has_the_steps_and_encodings_that_the_package_names():
    missing = sorted(name for name in (*_FIXERS, "unescape_html") if name not in ftfy.FIXERS)
    assert not missing, f"{FTFY}: FIXERS lacks {', '.join(missing)}"
    assert chardata.CHARMAP_ENCODINGS[:2] == ["latin-1", "sloppy-windows-1252"], FTFY


def test_the_package_uses_no_other_name_of_ftfy():
    listed = {(module.__name__, name) for module, names in NAMES_OF_FTFY.items() for name in names}
    used = set()
    for path in (ROOT / "dedup").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ftfy":
                used |= {(node.module, alias.name) for alias in node.names}
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                module = {"ftfy": "ftfy", "fixes": "ftfy.fixes"}.get(node.value.id)
                used |= {(module, node.attr)} if module else set()
    assert used - {("ftfy", "fixes")} == listed


def test_one_step_of_ftfy_on_the_encoding_returns_a_text_and_its_explanation():
    step = ftfy._fix_encoding_one_step_and_explain("caf\u00c3\u00a9", ftfy.TextFixerConfig())
    assert step.text == "caf\u00e9", FTFY
    assert [(part.action, part.parameter) for part in step.explanation] == [
        ("encode", "latin-1"),
        ("decode", "utf-8"),
    ], FTFY


def test_the_pattern_of_ftfy_can_be_read_as_sequences():
    """An ftfy whose pattern cannot be read still works, but every line that is not ASCII is then repaired by ftfy."""
    sequences = read_sequences(badness.BADNESS_RE.pattern, badness.BADNESS_RE.flags)
    assert len(sequences) > 30, FTFY
    for sequence in sequences:
        re.compile("".join(chars.pattern for chars in sequence))
