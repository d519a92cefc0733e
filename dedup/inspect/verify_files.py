"""Check the files of an output by their digests, and the numbers of ``run.json`` by what the tables hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from dedup.inspect.article_rows import Mismatch
from dedup.inspect.output import Output
from dedup.output_layout import KNOWN_ITEMS_FILE, KNOWN_TWINS_FILE, LOG_FILE, PAGES, REVIEW_FILE, RUN_FILE, TABLES
from dedup.rules import NAMES
from dedup.settings import settings_digest
from dedup.write.seal import SEAL, file_digests, seal_problem

_COUNTED = ("records", "articles", "kept", "dropped", "quarantined", "findings")  # the counts that tables prove
_COUNTS = frozenset({*_COUNTED, "paragraphs"})
_ALWAYS = "dedup versions settings inputs counts characters rules stages fields errors files sha256"
_SOMETIMES = "unread_dates against index review shards"  # only if they apply to the run
_RUN_PARTS = frozenset(f"{_ALWAYS} {_SOMETIMES}".split())  # of ``run.json``

_PartT = TypeVar("_PartT")


class _FileDigest(msgspec.Struct, frozen=True):
    """The size of a file and its SHA-256, as ``run.json`` has them."""

    bytes: int
    sha256: str


class _RuleNumbers(msgspec.Struct, frozen=True):
    """The numbers of findings, and of characters in them, of a rule with one action."""

    findings: int
    characters: int = 0  # which the tables do not tell where equal fixes are merged


def changed_tables(output: Output, mismatches: list[Mismatch]) -> list[str]:
    """Check names, sizes and digests of all files; return the names of the files of tables that are not as written.

    What is wrong is appended to `mismatches`.
    """
    run = output.run
    mismatches += _seal_mismatches(output.path)
    if run["dedup"].get("digest") != settings_digest(run["settings"]):
        mismatches.append(Mismatch(RUN_FILE, "the digest is not that of the settings beside it"))
    expected = {path.name for table in TABLES for path in output.table_paths(table)}
    present = {entry.name for entry in output.path.iterdir()}
    stated = _part(run, "files", dict[str, _FileDigest], mismatches)
    expected |= {KNOWN_TWINS_FILE} if output.has_known_twins else set()
    expected |= {KNOWN_ITEMS_FILE} & (present | (stated or {}).keys())
    mismatches += (Mismatch(name, "is not there") for name in sorted(expected - present))
    others = sorted(present - expected - {RUN_FILE, LOG_FILE, REVIEW_FILE, *PAGES})
    mismatches += (Mismatch(name, "does not belong to the output") for name in others)
    if stated is None:
        return []
    mismatches += (Mismatch(RUN_FILE, f"`files` has no digest of {name}") for name in sorted(expected - stated.keys()))
    mismatches += (Mismatch(RUN_FILE, f"`files` names {name}, no table") for name in sorted(stated.keys() - expected))
    changed = []
    for name in sorted(expected & present & stated.keys()):
        problem = _file_problem(output.path, name, stated[name])
        if problem:
            mismatches.append(Mismatch(name, problem))
            changed.append(name)
    return changed


def _seal_mismatches(folder: Path) -> Iterator[Mismatch]:
    """Yield what is wrong with the seals of the files that are no tables. The log may be missing."""
    for name in (RUN_FILE, LOG_FILE):
        path = folder / name
        if name == LOG_FILE and not path.exists():
            continue
        try:
            problem = seal_problem(path.read_bytes())
        except OSError as error:
            problem = f"cannot be read ({error.strerror or error})"
        if problem:
            yield Mismatch(name, problem)


def _file_problem(folder: Path, name: str, stated: _FileDigest) -> str | None:
    """Return what is wrong with a file, None if it is as it was written."""
    try:
        digest = file_digests(folder, [name])[name]
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    if digest["bytes"] != stated.bytes:
        return f"has {digest['bytes']:,} bytes, {stated.bytes:,} were written"
    return None if digest["sha256"] == stated.sha256 else f"was changed since it was written: another {SEAL}"


def check_numbers(output: Output, counts: Counter[str], errors: Counter[str]) -> list[Mismatch]:
    """Return the numbers of ``run.json`` that differ from those of the tables.

    `counts` has the counts by name, the findings as ``rule: action``, and the characters as ``characters read`` and
    ``characters written``; `errors` has the reasons of the records in quarantine.
    """
    mismatches: list[Mismatch] = []
    mismatches += (
        Mismatch(RUN_FILE, f"`{name}` is not a part of this file") for name in output.run.keys() - _RUN_PARTS
    )
    names_of_inputs = Counter(entry["source"] for entry in output.run["inputs"])
    mismatches += (Mismatch(RUN_FILE, f"input {name!r} appears twice") for name, n in names_of_inputs.items() if n > 1)
    stated = _part(output.run, "counts", dict[str, int], mismatches) or {}
    mismatches += (
        Mismatch(RUN_FILE, f"`counts` has {name!r}, which is not a count of a run") for name in stated.keys() - _COUNTS
    )
    numbers = {name: (stated.get(name), counts[name]) for name in _COUNTED}
    characters = _part(output.run, "characters", dict[str, int], mismatches) or {}
    numbers |= {
        f"characters {name}": (characters.get(name), counts[f"characters {name}"]) for name in ("read", "written")
    }
    rules = _part(output.run, "rules", dict[str, dict[str, _RuleNumbers]], mismatches) or {}
    mismatches += (Mismatch(RUN_FILE, f"there is no rule {rule!r}") for rule in rules if rule not in NAMES)
    stated_findings = {f"{rule}: {action}": each.findings for rule, by in rules.items() for action, each in by.items()}
    names = sorted({name for name in counts if ": " in name} | stated_findings.keys())
    numbers |= {f"of {name}": (stated_findings.get(name, 0), counts[name]) for name in names}
    for name, (number, held) in numbers.items():
        if number is None:
            mismatches.append(Mismatch(RUN_FILE, f"does not count {name}, the tables hold {held}"))
        elif number != held:
            mismatches.append(Mismatch(RUN_FILE, f"counts {number} {name}, the tables hold {held}"))
    stated_errors = _part(output.run, "errors", dict[str, int], mismatches)
    if stated_errors is not None and stated_errors != dict(errors):
        mismatches.append(Mismatch(RUN_FILE, "counts other errors than the records in quarantine have"))
    for name in ("stages", "fields"):
        _part(output.run, name, dict[str, dict[str, int]], mismatches)
    return mismatches


def _part(run: Mapping[str, Any], name: str, kind: type[_PartT], mismatches: list[Mismatch]) -> _PartT | None:
    """Return the part `name` of ``run.json`` as `kind`; None, and one more mismatch, if it is not there or not that."""
    if name not in run:
        mismatches.append(Mismatch(RUN_FILE, f"has no `{name}`"))
        return None
    try:
        return msgspec.convert(run[name], kind)
    except msgspec.ValidationError as error:
        mismatches.append(Mismatch(RUN_FILE, f"`{name}` is not what dedup writes: {error}"))
        return None
