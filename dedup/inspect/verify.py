"""Prove that an output is correct: its changes can be undone, its twins are there, its numbers and files are right.

The digests of all files come first (`dedup.inspect.verify_files`). Three passes over the tables follow, none of which
holds a table in memory but that of site text: the first checks each article by itself, the second copies the texts of
twins to a temporary file, the third compares each duplicate with its twin. The last two are in
`dedup.inspect.verify_twins`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, Protocol

from dedup.arrays import encode_utf8
from dedup.errors import FindingError, OutputError
from dedup.findings import DROP, FLAG, READ_AS, Finding, apply, is_turned_down
from dedup.inspect.names import RecordKey, finding_name, twin_key
from dedup.inspect.output import Article, Mismatch, Output, open_output
from dedup.inspect.verify_files import changed_tables, check_numbers
from dedup.inspect.verify_inputs import check_inputs
from dedup.inspect.verify_site_text import check_site_text, dropped_site_text
from dedup.inspect.verify_twins import TaskMapper, check_twins
from dedup.match.policy import BOILERPLATE
from dedup.match.same_form import SAME_FORM_EVIDENCE
from dedup.output_layout import RUN_FILE
from dedup.rules import BY_NAME, OFF, TEXT
from dedup.settings import Settings


class Verified(NamedTuple):
    """The numbers of articles and findings checked, and the mismatches: an output without any is correct."""

    articles: int
    findings: int
    mismatches: list[Mismatch]


class TextEngine(Protocol):
    """The part of an engine that `verify` needs, such as `dedup.engines.local.LocalEngine`."""

    def workers(self, input_bytes: int | None, *, compiled: bool = True) -> TaskMapper:
        """Return workers for a job over `input_bytes`."""


def verify(
    path: str | Path, engine: TextEngine | None = None, *, inputs: Sequence[str | Path] | None = None
) -> Verified:
    """Check every article, finding, twin, number and byte of the output in the folder `path`.

    `engine` says how many processes compare texts; without it, this process does. `inputs` are what was cleaned, to be
    read and compared again. Raises `OutputError` if `path` is not an output, and `InputError` if an input cannot be
    read.
    """
    output = open_output(path)
    mismatches: list[Mismatch] = []
    counts: Counter[str] = Counter()
    changed = changed_tables(output, mismatches)
    if inputs is not None:
        mismatches += check_inputs(output, inputs)
    try:
        if any(name.endswith(".parquet") for name in changed):
            raise OutputError("a changed Parquet file can make its reader fail, so the tables are not read")  # noqa: TRY301
        _check_tables(output, engine, counts, mismatches)
    except OutputError as error:  # a table cannot be read to its end
        mismatches.append(Mismatch(str(output.path), str(error)))
    except Exception as error:
        if not changed:
            raise
        problem = f"the changed tables cannot be read to their end ({type(error).__name__}: {error})"
        mismatches.append(Mismatch(str(output.path), problem.replace("\n", " ")))
    return Verified(counts["articles"], counts["findings"], mismatches)


def _check_tables(output: Output, engine: TextEngine | None, counts: Counter[str], mismatches: list[Mismatch]) -> None:
    """Check what the tables hold; add to `counts` and `mismatches`. Raises `OutputError` if one cannot be read."""
    site_text = list(output.site_text())
    dropped_lines: Counter[int] = Counter()  # by number of their row, once for each article
    twins = _check_articles(output, counts, dropped_lines, mismatches)
    errors = Counter(row.error for row in output.quarantined_in_order(mismatches.append))
    counts["quarantined"] = errors.total()
    counts["records"] = counts["articles"] + counts["quarantined"]
    mismatches += check_numbers(output, counts, errors)
    mismatches += check_site_text(site_text, dropped_lines)
    if twins or site_text:
        size = sum(entry.stat().st_size for entry in output.path.iterdir())
        workers = engine.workers(size, compiled=False) if engine else None
        mismatches += check_twins(output, twins, site_text, workers)


def _check_articles(
    output: Output, counts: Counter[str], dropped_lines: Counter[int], mismatches: list[Mismatch]
) -> set[RecordKey]:
    """Check each article by itself, add to the counts and `mismatches`, and return the keys of all twins."""
    twins: set[RecordKey] = set()
    for article in output.articles(mismatches.append):
        counts["articles"] += 1
        counts["kept" if article.kept else "dropped"] += 1
        counts["findings"] += len(article.findings)
        counts["characters written"] += len(article.cleaned)
        counts["characters read"] += len(article.text) + (_removed(article.findings) if article.kept else 0)
        dropped_lines.update(set(dropped_site_text(article)))
        mismatches += (Mismatch(article.where, problem) for problem in _article_problems(article, output.settings))
        if any(map(is_turned_down, article.findings)) and "review" not in output.run:
            mismatches.append(
                Mismatch(article.where, f"a review has turned down a finding; {RUN_FILE} names no review")
            )
        for finding in article.findings:
            counts[f"{finding.rule}: {finding.action}"] += 1
            key = twin_key(finding)
            if key is not None:
                twins.add(key)
    return twins


def _removed(findings: Sequence[Finding]) -> int:
    """Return how many characters the changes among `findings` have removed, less those that they have added."""
    return sum(len(finding.original or "") - len(finding.replacement or "") for finding in findings)


def _article_problems(article: Article, settings: Settings) -> Iterator[str]:
    """Yield what is wrong with an article and its findings, except for their twins."""
    findings = article.findings
    if article.provenance.get("findings") != len(findings):
        yield f"has {len(findings)} findings, its provenance says {article.provenance.get('findings')}"
    if any(later.start < earlier.start for earlier, later in pairwise(findings)):
        yield "its findings are out of order"
    try:
        raw = article.raw
        cleaned = apply(raw, findings)
    except FindingError as error:
        yield f"its findings cannot be reverted and applied again: {error}"
        return
    if hashlib.sha256(encode_utf8(raw)).hexdigest() != article.provenance.get("sha256"):
        yield "its findings do not lead back to the text of the input: another sha256"
    if cleaned != article.cleaned:
        yield "its findings applied to the raw text do not give the cleaned text"
    for finding in findings:
        name = finding_name(finding)
        yield from (f"{name}: {problem}" for problem in _finding_problems(finding, article, len(raw), settings))
    if not article.kept:
        yield from _drop_problems(article, len(raw))


def _finding_problems(finding: Finding, article: Article, length: int, settings: Settings) -> Iterator[str]:
    """Yield what is wrong with a finding of an article whose raw text has `length` characters."""
    if finding.article != article.id:
        yield f"names the article {finding.article!r}, not {article.id!r}"
    if not 0 <= finding.start <= finding.stop <= length:
        yield f"is outside the raw text of {length} characters"
    rule = BY_NAME.get(finding.rule)
    if rule is None:
        yield "there is no such rule"
    elif settings.rules[finding.rule] != finding.action and not _only_flags(finding, settings):
        yield f"the action of this rule was {settings.rules[finding.rule]}"
    if finding.action == FLAG and (finding.original, finding.replacement) != (None, None):
        yield "a flag has an original or a replacement"
    if finding.action == DROP and finding.replacement != "":
        yield "a drop has a replacement"
    if finding.action == DROP and rule is not None and rule.level != TEXT and finding.twin_source is None:
        yield "a drop without a twin"


_ONLY_FLAGS = {"encoding": READ_AS, "near-duplicate-article": SAME_FORM_EVIDENCE}  # by rule, how its evidence begins


def _only_flags(finding: Finding, settings: Settings) -> bool:
    """Return True if a finding is a flag whatever the action of its rule: a charset, or other facts in one form.

    So is one that a review has turned down. A line of site text that is less certain is flagged in place of dropped.
    """
    if is_turned_down(finding):
        return settings.rules[finding.rule] != OFF
    if finding.rule == BOILERPLATE:
        return finding.action == FLAG and settings.rules[BOILERPLATE] == DROP
    evidence = _ONLY_FLAGS.get(finding.rule)
    return evidence is not None and finding.action == FLAG and (finding.evidence or "").startswith(evidence)


def _drop_problems(article: Article, length: int) -> Iterator[str]:
    """Yield what is wrong with the drop of a whole article of `length` characters."""
    drops = [finding for finding in article.findings if finding.action == DROP]
    if len(drops) != 1 or (drops[0].start, drops[0].stop) != (0, length):
        yield "is dropped, but not by one finding over its whole text"
        return
    for name in ("rule", "twin", "similarity"):
        if article.provenance.get(name) != getattr(drops[0], name):
            yield f"its provenance gives another {name} than its finding"
