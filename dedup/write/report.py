"""What a run did, in numbers: tallied record by record, added up, and told in the terms of the design."""

from __future__ import annotations

import platform
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dedup import __version__
from dedup.decide.outcomes import Outcome
from dedup.findings import FLAG
from dedup.prepare.corpus import Corpus
from dedup.rules import NAMES
from dedup.settings import Settings

OUTPUT_FORMAT = 1  # of the files in an output; raised when an older reader could not read them
FIELDS = ("text", "id", "date", "source")

COUNTS = ("records", "articles", "kept", "dropped", "quarantined", "paragraphs", "findings")


@dataclass
class Tally:
    """Counts over records; tallies of parts add up to the tally of the whole."""

    counts: Counter[str] = field(default_factory=Counter)
    characters: Counter[str] = field(default_factory=Counter)
    findings: Counter[tuple[str, str]] = field(default_factory=Counter)  # (rule, action)
    touched: Counter[tuple[str, str]] = field(default_factory=Counter)  # characters in the spans of those
    errors: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Counts one record."""
        self.counts["records"] += 1
        if outcome.error is not None:
            self.counts["quarantined"] += 1
            self.errors[outcome.error] += 1
            return
        self.counts["articles"] += 1
        self.counts["dropped" if outcome.dropped else "kept"] += 1
        self.counts["paragraphs"] += outcome.paragraphs
        self.counts["findings"] += len(outcome.findings)
        self.characters["read"] += len(outcome.raw)
        self.characters["written"] += len(outcome.cleaned)
        for finding in outcome.findings:
            self.findings[finding.rule, finding.action] += 1
            self.touched[finding.rule, finding.action] += finding.stop - finding.start

    def update(self, other: Tally) -> None:
        """Adds the counts of `other` to this one."""
        self.counts.update(other.counts)
        self.characters.update(other.characters)
        self.findings.update(other.findings)
        self.touched.update(other.touched)
        self.errors.update(other.errors)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one run did; `out` is None where nothing was written."""

    tally: Tally
    settings: Settings
    inputs: tuple[dict[str, Any], ...] = ()
    fields: dict[str, dict[str, int]] = field(default_factory=dict)
    stages: dict[str, dict[str, int]] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    out: Path | None = None

    @property
    def counts(self) -> dict[str, int]:
        """Records, articles, those kept, dropped and quarantined, paragraphs and findings."""
        return {name: self.tally.counts[name] for name in COUNTS}

    @property
    def changes(self) -> int:
        """Findings that change a text; `dedup check` fails on them."""
        return sum(count for (_, action), count in self.tally.findings.items() if action != FLAG)

    def rules(self) -> dict[str, dict[str, dict[str, int]]]:
        """Per rule and action: findings, and characters in their spans."""
        told: dict[str, dict[str, dict[str, int]]] = {}
        for name in NAMES:
            actions = sorted(action for rule, action in self.tally.findings if rule == name)
            if actions:
                told[name] = {
                    action: {
                        "findings": self.tally.findings[name, action],
                        "characters": self.tally.touched[name, action],
                    }
                    for action in actions
                }
        return told

    def summary(self) -> dict[str, Any]:
        """The run in JSON values, the same for equal runs: no times, no paths."""
        return {
            "counts": self.counts,
            "characters": {name: self.tally.characters[name] for name in ("read", "written")},
            "rules": self.rules(),
            "stages": self.stages,
            "fields": self.fields,
            "errors": dict(sorted(self.tally.errors.items())),
        }

    def log(self) -> dict[str, Any]:
        """What differs between equal runs: seconds per stage, and files passed over."""
        return {"seconds": {name: round(spent, 3) for name, spent in self.seconds.items()}, "skipped": [*self.skipped]}


def run_file(report: Report) -> dict[str, Any]:
    """The contents of ``run.json``: the same for equal runs."""
    return {
        "dedup": {"format": OUTPUT_FORMAT, "digest": report.settings.digest},
        "versions": {
            "python": platform.python_version(),
            "dedup": __version__,
            "ftfy": version("ftfy"),
            "datasketch": version("datasketch"),
            "unicode": unicodedata.unidata_version,
        },
        "settings": report.settings.as_dict(),
        "inputs": list(report.inputs),
        **report.summary(),
    }


def field_counts(corpus: Corpus) -> dict[str, dict[str, int]]:
    """For text, id, date and source: the names of the fields they were read from, and how often."""
    table = corpus.columns(*(f"{what}_field" for what in FIELDS))
    told: dict[str, dict[str, int]] = {}
    for what in FIELDS:
        counted = {row["values"]: row["counts"] for row in table[f"{what}_field"].value_counts().to_pylist()}
        counted.pop(None, None)
        told[what] = dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))
    return told
