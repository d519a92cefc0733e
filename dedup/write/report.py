"""Count what a run did, record by record, and report the sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dedup.decide.outcomes import Outcome
from dedup.findings import FLAG
from dedup.output_layout import (
    KNOWN_ITEMS_FILE,
    KNOWN_TWINS_FILE,
    LOG_FILE,
    OUTPUT_FORMAT,
    RUN_FILE,
    TABLES,
    OutputFiles,
)
from dedup.prepare.corpus import Corpus
from dedup.prepare.unread_dates import NONE_UNREAD, UnreadDates
from dedup.rules import NAMES
from dedup.runtime.versions import library_versions
from dedup.settings import Settings
from dedup.write.notebook import html_paragraph, html_table
from dedup.write.seal import file_digests, write_sealed

FIELDS = ("text", "id", "date", "source")  # the meanings of fields; a field's name may differ from record to record
COUNT_NAMES = ("records", "articles", "kept", "dropped", "quarantined", "paragraphs", "findings")
_WORK_COUNTS = ("candidates", "lookups")  # counts of stages that depend on how an engine finds matches
_SHOWN = ("kept", "dropped", "quarantined", "findings")  # the counts in a line


@dataclass
class Tally:
    """Counts over records; the tallies of parts add up to the tally of the whole.

    `findings` counts findings, and `touched` the characters that they replace, remove or flag. Both have (rule, action)
    as key.
    """

    counts: Counter[str] = field(default_factory=Counter)
    characters: Counter[str] = field(default_factory=Counter)
    findings: Counter[tuple[str, str]] = field(default_factory=Counter)
    touched: Counter[tuple[str, str]] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    output_fields: Counter[str] = field(default_factory=Counter)  # kept articles that have each of `output_fields`

    def add(self, outcome: Outcome) -> None:
        """Count one record."""
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
        for finding in outcome.single_findings:  # the text between the fixes of a run does not change
            self.touched[finding.rule, finding.action] += finding.stop - finding.start

    def update(self, other: Tally) -> None:
        """Add the counts of `other` to this tally."""
        self.counts.update(other.counts)
        self.characters.update(other.characters)
        self.findings.update(other.findings)
        self.touched.update(other.touched)
        self.errors.update(other.errors)
        self.output_fields.update(other.output_fields)


@dataclass(frozen=True, kw_only=True, repr=False)
class Report:
    """The result of one run in numbers; `out` is None if the run wrote no files.

    `shards` is the number of files of each table if the settings have a `shard_size`, else empty.
    `review` says what decisions were honoured, if any.
    """

    tally: Tally
    settings: Settings
    inputs: tuple[dict[str, Any], ...] = ()
    fields: dict[str, dict[str, int]] = field(default_factory=dict)
    stages: dict[str, dict[str, int]] = field(default_factory=dict)
    unread_dates: UnreadDates = NONE_UNREAD
    skipped: tuple[str, ...] = ()
    against: dict[str, Any] | None = None
    index: dict[str, Any] | None = None
    known_items: tuple[dict[str, Any], ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    shards: Mapping[str, int] = field(default_factory=dict)
    out: Path | None = None
    review: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={self.tally.counts[name]}" for name in _SHOWN)
        return f"Report({shown}, out={None if self.out is None else str(self.out)!r})"

    def _repr_html_(self) -> str:
        """Return a small table for a notebook: findings by rule."""
        rows = [
            (name, action, numbers["findings"], numbers["characters"])
            for name, actions in self.rules().items()
            for action, numbers in actions.items()
        ]
        table = html_table(["rule", "action", "findings", "characters"], rows) if rows else ""
        return html_paragraph(repr(self)) + table

    @property
    def counts(self) -> dict[str, int]:
        """Return the numbers of records, articles (kept, dropped), quarantined records, paragraphs and findings."""
        return {name: self.tally.counts[name] for name in COUNT_NAMES}

    @property
    def changes(self) -> int:
        """Return the number of findings that change a text; `dedup check` fails on them."""
        return sum(count for (_, action), count in self.tally.findings.items() if action != FLAG)

    def rules(self) -> dict[str, dict[str, dict[str, int]]]:
        """Return the numbers of findings, and of characters in their spans, by rule and action."""
        by_rule: dict[str, dict[str, dict[str, int]]] = {}
        for name in NAMES:
            actions = sorted(action for rule, action in self.tally.findings if rule == name)
            if actions:
                by_rule[name] = {
                    action: {
                        "findings": self.tally.findings[name, action],
                        "characters": self.tally.touched[name, action],
                    }
                    for action in actions
                }
        return by_rule

    def summary(self) -> dict[str, Any]:
        """Return the result as JSON values, which are the same for equal runs: no times, no paths."""
        return {
            "counts": self.counts,
            "characters": {name: self.tally.characters[name] for name in ("read", "written")},
            "rules": self.rules(),
            "stages": self._stage_counts(are_work=False),
            "fields": self.fields,
            "errors": dict(sorted(self.tally.errors.items())),
            **({"unread_dates": self.unread_dates._asdict()} if self.unread_dates.dates else {}),
        }

    def absent_output_fields(self) -> list[str]:
        """Return the names in the setting `output_fields` that no kept article has."""
        return [name for name in self.settings.output_fields or () if not self.tally.output_fields[name]]

    @property
    def files(self) -> OutputFiles:
        """What names the files of the output."""
        settings = self.settings
        return OutputFiles(settings.format, settings.compress, settings.shard_size, self.shards)

    def _stage_counts(self, *, are_work: bool) -> dict[str, dict[str, int]]:
        """Return the counts of stages that are the same for equal runs, or those of the work that an engine did."""
        return {
            stage: {name: count for name, count in counts.items() if (name in _WORK_COUNTS) == are_work}
            for stage, counts in self.stages.items()
        }

    def log(self) -> dict[str, Any]:
        """Return what differs between equal runs: seconds and work per stage, and the files that were skipped."""
        return {
            "seconds": {name: round(seconds, 3) for name, seconds in self.seconds.items()},
            "work": {stage: counts for stage, counts in self._stage_counts(are_work=True).items() if counts},
            "skipped": [*self.skipped],
        }


def write_run_files(folder: Path, report: Report) -> None:
    """Write ``run.json`` and the log of a run into `folder`, beside its tables."""
    names = [name for table in TABLES for name in report.files.names(table)]
    names += [name for name in (KNOWN_TWINS_FILE, KNOWN_ITEMS_FILE) if (folder / name).exists()]
    write_sealed(folder / RUN_FILE, _run_values(report, file_digests(folder, names)))
    write_sealed(folder / LOG_FILE, report.log())


def _run_values(report: Report, files: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the contents of ``run.json``, which are the same for equal runs."""
    return {
        "dedup": {"format": OUTPUT_FORMAT, "digest": report.settings.digest},
        "versions": library_versions(),
        "settings": report.settings.as_dict(),
        **({"review": dict(report.review)} if report.review is not None else {}),
        "inputs": list(report.inputs),
        **({"against": report.against} if report.against else {}),
        **({"index": report.index} if report.index else {}),
        **({"shards": dict(report.shards)} if report.shards else {}),
        **report.summary(),
        "files": files,
    }


def field_counts(corpus: Corpus) -> dict[str, dict[str, int]]:
    """Return how often text, id, date and source were read from a field, by meaning and field name.

    The most frequent name comes first; equal counts are in order of name.
    """
    table = corpus.read_columns(*(f"{meaning}_field" for meaning in FIELDS))
    by_meaning: dict[str, dict[str, int]] = {}
    for meaning in FIELDS:
        names = {row["values"]: row["counts"] for row in table[f"{meaning}_field"].value_counts().to_pylist()}
        names.pop(None, None)  # records without such a field
        by_meaning[meaning] = dict(sorted(names.items(), key=lambda item: (-item[1], item[0])))
    return by_meaning
