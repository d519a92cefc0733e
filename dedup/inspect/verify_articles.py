"""Check each article of an output by itself, in worker processes, and store the texts that other checks compare.

This process reads the tables once and joins their rows. The workers decode batches of articles, check them, and write
the texts of duplicates and of their twins to temporary files.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple, Protocol, TypeVar

from dedup.arrays import encode_utf8
from dedup.errors import FindingError, OutputError
from dedup.findings import DROP, FLAG, READ_AS, Finding, apply, is_turned_down
from dedup.inspect.article_rows import Article, ArticleRow, Mismatch, article_of_row, finding_of_row
from dedup.inspect.names import RecordKey, finding_name, twin_key
from dedup.inspect.output import Output
from dedup.inspect.stored_twins import Duplicate, StoredTwin, TwinFolder, stored_twin, title_of_article
from dedup.inspect.verify_site_text import dropped_site_text
from dedup.match.policy import BOILERPLATE
from dedup.match.same_form import SAME_FORM_EVIDENCE
from dedup.match.site_text import SiteTextRow
from dedup.output_layout import RUN_FILE
from dedup.rules import BY_NAME, OFF, TEXT
from dedup.settings import Settings

_CHECKED_BYTES = 1 << 20  # of the rows of one task, which takes some 20 ms

_NO_TWIN = b'"twin_source":null'  # in most lines of findings, as `dedup` writes them

_Task = TypeVar("_Task")
_Answer = TypeVar("_Answer")


class TaskMapper(Protocol):
    """The workers that check articles and compare texts, such as `dedup.engines.local.Workers`."""

    @property
    def compiled(self) -> bool:
        """True if tasks may use the compiled functions of `dedup.kernels`."""

    def map(self, task: Callable[[_Task], _Answer], items: Iterable[_Task]) -> Iterator[_Answer]:
        """Yield ``task(item)`` for each item, in order."""


@dataclass(slots=True)
class _ArticleBatch:
    """Articles that one worker checks.

    `problems` are mismatches between tables, each with the number of the row before which it was noticed. `error` says
    why no row follows. `lines` are the numbers of the lines of site text that have their first place in an
    article.
    """

    number: int
    rows: list[ArticleRow] = field(default_factory=list)
    twins: set[RecordKey] = field(default_factory=set)
    lines: dict[RecordKey, list[int]] = field(default_factory=dict)
    problems: list[tuple[int, Mismatch]] = field(default_factory=list)
    error: str | None = None
    size: int = 0


class _BatchAnswer(NamedTuple):
    """The result of a worker for a batch; `problems` and `error` are as in `_ArticleBatch`."""

    counts: Counter[str]
    dropped_lines: Counter[int]
    problems: list[tuple[int, Mismatch]]
    error: str | None
    stored: dict[RecordKey, StoredTwin]
    named: set[RecordKey] | None
    placed_lines: set[int]
    size: int


class CheckedArticles(NamedTuple):
    """The results of the checks of all articles.

    Attributes:
        counts: the counts by name, those of findings as ``rule: action``.
        dropped_lines: the number of articles that have lost a line of site text, by the number of the line.
        stored: the places of the texts of twins, and facts about their articles.
        named: the twins that the duplicates of a batch name, by the number of the batch.
        placed_lines: the numbers of the lines of site text whose first place is in a compared article.
        size: the bytes of the compared texts.
    """

    counts: Counter[str]
    dropped_lines: Counter[int]
    stored: dict[RecordKey, StoredTwin]
    named: dict[int, set[RecordKey]]
    placed_lines: set[int]
    size: int


def check_articles(
    output: Output,
    site_text: Sequence[SiteTextRow],
    folder: TwinFolder,
    workers: TaskMapper | None,
    mismatches: list[Mismatch],
) -> CheckedArticles:
    """Check each article by itself, append to `mismatches`, and write the compared texts to `folder`.

    Raises `OutputError` if a table cannot be read to its end.
    """
    checked = CheckedArticles(Counter(), Counter(), {}, {}, set(), 0)
    task = partial(_check_batch, settings=output.settings, has_review="review" in output.run, folder=folder)
    batches = _article_batches(output, _named_twins(output), _lines_at(site_text))
    size = 0
    for number, answer in enumerate(workers.map(task, batches) if workers else map(task, batches)):
        checked.counts.update(answer.counts)
        checked.dropped_lines.update(answer.dropped_lines)
        checked.stored.update(answer.stored)
        size += answer.size
        if answer.named is not None:
            checked.named[number] = answer.named
            checked.placed_lines.update(answer.placed_lines)
        mismatches += (mismatch for _, mismatch in answer.problems)
        if answer.error is not None:
            raise OutputError(answer.error)
    return checked._replace(size=size)


def _named_twins(output: Output) -> set[RecordKey]:
    """Return the keys of all articles that a finding names as a twin."""
    twins: set[RecordKey] = set()
    with suppress(OutputError):  # raised again later, after the check of the articles before that row
        for row in output.finding_rows():
            if _NO_TWIN not in row.line:
                key = twin_key(finding_of_row(row))
                if key is not None:
                    twins.add(key)
    return twins


def _lines_at(rows: Sequence[SiteTextRow]) -> dict[RecordKey, list[int]]:
    """Return the numbers of the lines of site text by the article in which they have their first place."""
    lines: dict[RecordKey, list[int]] = {}
    for number, row in enumerate(rows):
        lines.setdefault((row.source, row.record), []).append(number)
    return lines


def _article_batches(
    output: Output, twins: Collection[RecordKey], lines: Mapping[RecordKey, list[int]]
) -> Iterator[_ArticleBatch]:
    """Yield the articles in batches of about `_CHECKED_BYTES`."""
    batch = _ArticleBatch(0)

    def report(mismatch: Mismatch) -> None:
        batch.problems.append((len(batch.rows), mismatch))

    try:
        for row in output.article_rows(report):
            batch.rows.append(row)
            if row.key in twins:
                batch.twins.add(row.key)
            if row.key in lines:
                batch.lines[row.key] = lines[row.key]
            batch.size += len(row.line) + sum(len(finding.line) for finding in row.findings)
            if batch.size >= _CHECKED_BYTES:
                yield batch
                batch = _ArticleBatch(batch.number + 1)
    except OutputError as error:
        batch.error = str(error)
    yield batch


def _check_batch(batch: _ArticleBatch, settings: Settings, has_review: bool, folder: TwinFolder) -> _BatchAnswer:
    """Check the articles of a batch by themselves, and store the compared texts."""
    counts: Counter[str] = Counter()
    dropped_lines: Counter[int] = Counter()
    problems = batch.problems
    duplicates: list[Duplicate] = []
    stored: dict[RecordKey, StoredTwin] = {}
    named: set[RecordKey] = set()
    error, size = batch.error, 0
    with folder.texts_of(batch.number) as texts:
        for number, row in enumerate(batch.rows):
            try:
                article = article_of_row(row, settings)
            except OutputError as problem:
                error = str(problem)
                problems = [(place, mismatch) for place, mismatch in problems if place <= number]
                break
            _count(article, counts)
            lines = dropped_site_text(article)
            dropped_lines.update(set(lines))
            raw = _raw_text(article)
            problems += ((number, problem) for problem in _mismatches(article, raw, settings, has_review=has_review))
            if article.key in batch.twins:
                stored[article.key] = stored_twin(article, raw, lines, texts)
            findings = [finding for finding in article.findings if finding.twin_source is not None]
            first_lines = batch.lines.get(article.key, [])
            if isinstance(raw, str) and (findings or first_lines):
                named.update(key for key in map(twin_key, findings) if key is not None)
                title = title_of_article(article)
                duplicates.append(
                    Duplicate(article.where, article.source, article.record, raw, title, lines, first_lines, findings)
                )
                size += len(raw)
    placed_lines = {line for duplicate in duplicates for line in duplicate.first_lines}
    if duplicates:
        folder.write_duplicates(batch.number, duplicates)
    problems.sort(key=itemgetter(0))  # stable: those between tables come first
    size += sum(twin.size for twin in stored.values())
    return _BatchAnswer(
        counts, dropped_lines, problems, error, stored, named if duplicates else None, placed_lines, size
    )


def _raw_text(article: Article) -> str | FindingError:
    """Return the raw text of an article, or the error if its findings do not lead back to it."""
    try:
        return article.raw
    except FindingError as error:
        return error


def _count(article: Article, counts: Counter[str]) -> None:
    """Add an article and its findings to the counts."""
    findings = article.findings
    counts["articles"] += 1
    counts["kept" if article.kept else "dropped"] += 1
    counts["findings"] += len(findings)
    counts["characters written"] += len(article.cleaned)
    counts["characters read"] += len(article.text) + (_removed(findings) if article.kept else 0)
    for (rule, action), number in Counter((finding.rule, finding.action) for finding in findings).items():
        counts[f"{rule}: {action}"] += number


def _removed(findings: Sequence[Finding]) -> int:
    """Return the number of characters that `findings` have removed, minus the number that they have added."""
    return sum(len(finding.original or "") - len(finding.replacement or "") for finding in findings)


def _mismatches(
    article: Article, raw: str | FindingError, settings: Settings, *, has_review: bool
) -> Iterator[Mismatch]:
    """Yield the mismatches within an article; `raw` is its raw text, or the error if there is none."""
    where = article.where
    yield from (Mismatch(where, problem) for problem in _article_problems(article, raw, settings))
    if not has_review and any(map(is_turned_down, article.findings)):
        yield Mismatch(where, f"a review has turned down a finding; {RUN_FILE} names no review")


def _article_problems(article: Article, raw: str | FindingError, settings: Settings) -> Iterator[str]:
    """Yield what is wrong with an article and its findings, except for their twins."""
    findings = article.findings
    if article.provenance.get("findings") != len(findings):
        yield f"has {len(findings)} findings, its provenance says {article.provenance.get('findings')}"
    if any(later.start < earlier.start for earlier, later in pairwise(findings)):
        yield "its findings are out of order"
    try:
        if isinstance(raw, FindingError):
            raise raw
        cleaned = apply(raw, findings)
    except FindingError as error:
        yield f"its findings cannot be reverted and applied again: {error}"
        return
    if hashlib.sha256(encode_utf8(raw)).hexdigest() != article.provenance.get("sha256"):
        yield "its findings do not lead back to the text of the input: another sha256"
    if cleaned != article.cleaned:
        yield "its findings applied to the raw text do not give the cleaned text"
    for finding in findings:
        problems = list(_finding_problems(finding, article, len(raw), settings))
        if problems:
            name = finding_name(finding)
            yield from (f"{name}: {problem}" for problem in problems)
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
    if finding.twin_source is None and any(getattr(finding, name) is not None for name in _OF_A_TWIN):
        yield "has values of a twin, but no twin"


_OF_A_TWIN = ("twin", "twin_record", "twin_start", "twin_stop", "similarity")  # beside `twin_source`
_ONLY_FLAGS = {"encoding": READ_AS, "near-duplicate-article": SAME_FORM_EVIDENCE}  # by rule, how its evidence begins


def _only_flags(finding: Finding, settings: Settings) -> bool:
    """Return True if a finding may be a flag whatever the action of its rule: a charset, or other facts in one form.

    The same holds for a finding that a review has turned down, and for a less certain line of site text.
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
