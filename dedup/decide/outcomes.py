"""Decide what happens to each record: its outcome, with the findings of all levels in spans of the raw text.

Findings of the text level come with the prepared article. Repeats within the article, site text and paragraphs across
articles become removals from the repaired text. These are laid out together, so that no separator is left over or
removed twice, and are carried back to the raw text.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import pyarrow as pa

from dedup.arrays import decode_utf8
from dedup.decide.rejections import rejected_changes, turn_down_rejected
from dedup.decide.thin_articles import RULE_THIN, thin_evidence
from dedup.decide.verdicts import Verdict, verdicts_by_row
from dedup.findings import DROP, FLAG, READ_AS, Finding, Offsets, apply, compose, turn_down
from dedup.output_layout import SITE_TEXT_SOURCE
from dedup.prepare.columns import StructLists
from dedup.prepare.store import PreparedBatch, load_batch
from dedup.repairs.equal_fixes import merge_equal_fixes
from dedup.review.decisions import Decision
from dedup.rules import OFF
from dedup.segment.paragraphs import removal_spans
from dedup.settings import Settings

_VALUE_COLUMNS = ("source", "record", "error", "data", "fields", "id", "text_field", "text", "charset", "page")
OUTCOME_COLUMNS = (
    *_VALUE_COLUMNS,
    "findings",
    "repeats",
    "site_text",
    "paragraphs",
)  # of a prepared batch: what outcomes are made from


class Outcome(NamedTuple):
    """What happens to one input record.

    A record that could not be read has an `error` and `data`, its original bytes. An article has `fields` (JSON,
    with null for its text), `raw` and `cleaned` text, `findings` and its number of `paragraphs`; an article that is
    dropped also has the verdict that drops it. `findings` has one finding for a run of equal fixes; `single_findings`
    has each of them. `site_text` has the rows of the table of site text that the article was compared without, in
    order. `charset` is that of the record, if it was not UTF-8. `page` is JSON about the page that the text was
    extracted from, if it was.
    """

    source: str
    record: int
    error: str | None = None
    data: bytes = b""
    fields: bytes = b""
    text_field: str = ""
    id: str = ""
    raw: str = ""
    cleaned: str = ""
    findings: tuple[Finding, ...] = ()
    single_findings: tuple[Finding, ...] = ()
    dropped: Verdict | None = None
    paragraphs: int = 0
    site_text: tuple[int, ...] = ()
    charset: str | None = None
    page: bytes | None = None


class _SiteTextLine(NamedTuple):
    """One line of site text, with the members of `dedup.prepare.columns.SITE_TEXT_STRUCT`."""

    paragraph: int
    line: int
    host: bytes | None
    size: int
    action: str
    evidence: str | None


class _Run(NamedTuple):
    """Paragraphs ``first..last`` of an article, both included, that a finding is about; its span is still open."""

    first: int
    last: int
    finding: Finding


def outcomes(
    piece: PreparedBatch,
    verdicts: pa.RecordBatch,
    settings: Settings,
    decisions: Mapping[int, list[Decision]] = MappingProxyType({}),
) -> Iterator[Outcome]:
    """Yield the outcome of every record of a prepared batch, in input order.

    `verdicts` are those on the batch, as `dedup.decide.verdicts.Verdicts.of` returns them. `decisions` are those of a
    review about the findings within each article, by its row in the batch.
    """
    by_row = verdicts_by_row(verdicts)
    batch = load_batch(piece, OUTCOME_COLUMNS)
    findings = StructLists(batch.column("findings"))
    repeats = StructLists(batch.column("repeats"))
    site_text = StructLists(batch.column("site_text"))
    paragraphs = StructLists(batch.column("paragraphs"), ("start", "stop", "words"))
    columns = (batch.column(name).to_pylist() for name in _VALUE_COLUMNS)
    for row, values in enumerate(zip(*columns, strict=True)):
        source, record, error, data, fields, identity, text_field, text, charset, page = values
        if error is not None:
            yield Outcome(source, record, error, data)
            continue
        article = Finding(decode_utf8(identity), source, record)
        raw = decode_utf8(text)
        verdicts_of_row = by_row.get(row, [])
        lines = [_SiteTextLine(*values) for values in site_text.of(row)]
        dropped = next((verdict for verdict in verdicts_of_row if verdict.paragraph < 0), None)
        if dropped and dropped.action(settings) == DROP:
            finding = _corpus_finding(article, dropped, DROP)
            row_findings = [finding._replace(start=0, stop=len(raw), original=raw, replacement="")]
            cleaned = ""
        else:
            dropped = None
            text_findings = [_text_finding(article, raw, values) for values in findings.of(row)]
            runs = _repeat_runs(article, text_findings, repeats.of(row), settings)
            runs += [_site_text_run(article, line) for line in lines]
            spans = [(start, stop) for start, stop, _ in paragraphs.of(row)]
            levels = _Levels(article, raw, text_findings, runs, spans, verdicts_of_row)
            row_findings = levels.merge(settings, decisions.get(row, ()))
            if settings.rules[RULE_THIN] != OFF:
                site = {line.paragraph for line in lines}
                counts = [words for *_, words in paragraphs.of(row)]
                thin = _thin_finding(article, raw, row_findings, counts, site, settings)
                if thin is not None:
                    insort(row_findings, thin, key=_place_in_article)
            if charset and settings.rules["encoding"] != OFF:
                row_findings.insert(0, _charset_finding(article, charset))
            row_findings = turn_down_rejected(raw, row_findings, decisions.get(row, ()))
            cleaned = apply(raw, row_findings) if any(finding.action != FLAG for finding in row_findings) else raw
        yield Outcome(
            source,
            record,
            fields=fields,
            text_field=text_field,
            id=article.article,
            raw=raw,
            cleaned=cleaned,
            findings=tuple(merge_equal_fixes(raw, row_findings)),
            single_findings=tuple(row_findings),
            dropped=dropped,
            paragraphs=paragraphs.count(row),
            site_text=tuple(line.line for line in lines if line.action == DROP),
            charset=charset,
            page=page,
        )


def _thin_finding(
    article: Finding,
    raw: str,
    findings: list[Finding],
    words: list[int],
    site: set[int],
    settings: Settings,
) -> Finding | None:
    """Return the finding that an article that stays is thin; None if it is not.

    `findings` are those of the article so far, and `words` counts the words of each paragraph. Those of `site` are site
    text.
    """
    evidence = thin_evidence(lambda: apply(raw, findings), words, site, settings)
    if evidence is None:
        return None
    return article._replace(rule=RULE_THIN, action=FLAG, start=0, stop=len(raw), evidence=evidence)


def _charset_finding(article: Finding, charset: str) -> Finding:
    """Return the finding that an article was not in UTF-8; it changes nothing."""
    return article._replace(rule="encoding", action=FLAG, evidence=f"{READ_AS} {charset}")


def _repeat_runs(
    article: Finding, text_findings: list[Finding], repeats: list[tuple[Any, ...]], settings: Settings
) -> list[_Run]:
    """Return the runs of paragraphs that repeat others of the article, their twins in spans of the raw text."""
    offsets = Offsets(text_findings)
    runs = []
    for rule, first, last, twin_start, twin_stop, similarity, evidence in repeats:
        start, stop = offsets.widen(twin_start, twin_stop)
        finding = article._replace(
            rule=rule,
            action=settings.rules[rule],
            twin=article.article,
            twin_source=article.source,
            twin_record=article.record,
            twin_start=start,
            twin_stop=stop,
            similarity=similarity,
            evidence=evidence,
        )
        runs.append(_Run(first, last, finding))
    return runs


def _site_text_run(article: Finding, line: _SiteTextLine) -> _Run:
    """Return a line of site text as a run; its twin is a row of the table of site text."""
    # Values by position: a page has a hundred such lines, and by name they take four times as long.
    twin = (decode_utf8(line.host or b""), 0, line.size, 1.0, SITE_TEXT_SOURCE, line.line)
    finding = Finding._make((*article[:3], "boilerplate", line.action, 0, 0, None, None, *twin, line.evidence))
    return _Run(line.paragraph, line.paragraph, finding)


class _Levels(NamedTuple):
    """The findings of all levels in an article that stays.

    `runs` are those of the rules within the article and of site text, `spans` the paragraphs in the repaired text.
    """

    article: Finding
    raw: str
    text_findings: list[Finding]
    runs: list[_Run]
    spans: list[tuple[int, int]]
    verdicts: list[Verdict]

    def merge(self, settings: Settings, decisions: Sequence[Decision]) -> list[Finding]:
        """Return the findings of all levels, in spans of the raw text, sorted by start.

        Paragraphs stay whose drop `decisions` reject.
        """
        if not self.runs and not self.verdicts:
            return self.text_findings
        flags: list[Finding] = []
        runs = list(self.runs)
        for verdict in self.verdicts:
            finding = _corpus_finding(self.article, verdict, verdict.action(settings))
            if verdict.paragraph < 0:
                flags.append(finding._replace(start=0, stop=len(self.raw)))
            else:
                runs.append(_Run(verdict.paragraph, verdict.paragraph, finding))
        runs.sort(key=lambda run: run[:2])
        composed = self._lay_out(runs)
        rejected = rejected_changes(self.raw, composed, decisions)
        if rejected:  # what the drop had covered is to be seen again, so all is laid out anew without it
            composed = self._lay_out([self._without_drop(run, rejected) for run in runs])
        return sorted(composed + flags, key=_place_in_article)

    def _lay_out(self, runs: list[_Run]) -> list[Finding]:
        """Return the findings of the text level with those of `runs`, which are in order."""
        spans = self.spans
        drops = [run for run in runs if run.finding.action == DROP]
        removals = removal_spans(spans, [(run.first, run.last) for run in drops])
        later = [
            _lay(run.finding, start, stop, replacement="") for (start, stop), run in zip(removals, drops, strict=True)
        ]
        later += [
            _lay(run.finding, spans[run.first][0], spans[run.last][1]) for run in runs if run.finding.action == FLAG
        ]
        return compose(self.raw, self.text_findings, later)

    def _without_drop(self, run: _Run, rejected: list[Finding]) -> _Run:
        """Return `run` as a flag if the drop of its paragraphs is among the findings `rejected`."""
        start, stop = Offsets(self.text_findings).widen(self.spans[run.first][0], self.spans[run.last][1])
        is_rejected = run.finding.action == DROP and any(
            finding.rule == run.finding.rule and finding.start < stop and start < finding.stop for finding in rejected
        )
        return run._replace(finding=turn_down(run.finding)) if is_rejected else run


def _lay(finding: Finding, start: int, stop: int, replacement: str | None = None) -> Finding:
    """Return a finding of the corpus level or of a repeat with its span."""
    return Finding._make((*finding[:5], start, stop, None, replacement, *finding[9:]))


def _place_in_article(finding: Finding) -> tuple[int, int, str, int]:
    """Return what findings of one article are sorted by."""
    return finding.start, finding.stop, finding.rule, finding.twin_start or 0


def _text_finding(article: Finding, raw: str, values: tuple[Any, ...]) -> Finding:
    """Return a finding of the text level; `values` are those of `dedup.prepare.columns.FINDING_STRUCT`."""
    rule, action, start, stop, replacement, evidence = values
    changes = replacement is not None
    return Finding(
        article.article,
        article.source,
        article.record,
        rule,
        action,
        start,
        stop,
        raw[start:stop] if changes else None,
        decode_utf8(replacement) if changes else None,
        evidence=evidence,
    )


def _corpus_finding(article: Finding, verdict: Verdict, action: str) -> Finding:
    """Return a finding of the corpus level; its span is still open."""
    twin = verdict.twin
    return article._replace(
        rule=verdict.rule,
        action=action,
        twin=twin.article,
        twin_start=twin.start,
        twin_stop=twin.stop,
        twin_source=twin.source,
        twin_record=twin.record,
        similarity=verdict.similarity,
        evidence=verdict.evidence,
    )
