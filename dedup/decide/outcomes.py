"""From what was found to what happens: each record's outcome, with its findings in spans of the raw text.

The three levels meet here. Findings of the text level come with the prepared article; repeats within it and
paragraphs across articles become removals from the repaired text, laid out together so that no separator is left over
or removed twice, and are carried back to the raw text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from dedup.arrays import decode_utf8
from dedup.decide.verdicts import COLUMNS, Verdict, _by_row
from dedup.findings import DROP, FLAG, Finding, Offsets, apply, compose
from dedup.prepare.columns import flat_array, integer_values
from dedup.prepare.store import PreparedBatch, load_batch
from dedup.segment.paragraphs import removal_spans
from dedup.settings import Settings


class Outcome(NamedTuple):
    """What becomes of one input record.

    A record that could not be read has an `error` and `data`, as it came in. An article has `fields` (JSON, with null
    for its text), `raw`, `cleaned` and `findings`, and where it is dropped, the verdict on it.
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
    dropped: Verdict | None = None
    paragraphs: int = 0


def outcomes(piece: PreparedBatch, verdicts: pa.RecordBatch, settings: Settings) -> Iterator[Outcome]:
    """The outcome of every record of a piece, in input order; `verdicts` are `Verdicts.of` it."""
    told = _by_row(verdicts)
    batch = load_batch(piece, COLUMNS)
    findings = _Nested(batch.column("findings"))
    repeats = _Nested(batch.column("repeats"))
    spans = _Spans(batch.column("paragraphs"))
    plain = (batch.column(name).to_pylist() for name in COLUMNS[:8])
    for row, (source, record, error, data, fields, identity, text_field, text) in enumerate(zip(*plain, strict=True)):
        if error is not None:
            yield Outcome(source, record, error, data)
            continue
        article = Finding(decode_utf8(identity), source, record)
        raw = decode_utf8(text)
        mine = told.get(row, [])
        whole = next((one for one in mine if one.paragraph < 0), None)
        if whole and settings.rules[whole.rule] == DROP:
            found = [_at(_corpus_finding(article, whole, DROP), raw, 0, len(raw))]
            cleaned = ""
        else:
            found = [_text_finding(article, raw, one) for one in findings.rows(row)]
            again = repeats.rows(row)
            if again or mine:
                found = _findings(article, raw, found, again, spans.of(row), mine, settings)
            cleaned = apply(raw, found) if any(one.action != FLAG for one in found) else raw
            whole = None
        yield Outcome(
            source,
            record,
            fields=fields,
            text_field=text_field,
            id=article.article,
            raw=raw,
            cleaned=cleaned,
            findings=tuple(found),
            dropped=whole,
            paragraphs=spans.count(row),
        )


def _findings(
    article: Finding,
    raw: str,
    first: list[Finding],
    repeats: list[tuple[Any, ...]],
    spans: list[tuple[int, int]],
    verdicts: list[Verdict],
    settings: Settings,
) -> list[Finding]:
    """The findings of an article that stays: those of the text level and all others, in raw spans, sorted by start."""
    offsets = Offsets(first)
    runs: list[tuple[int, int, Finding]] = []
    flags: list[Finding] = []
    for rule, first_, last, twin_start, twin_stop, similarity, evidence in repeats:
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
        runs.append((first_, last, finding))
    for verdict in verdicts:
        finding = _corpus_finding(article, verdict, settings.rules[verdict.rule])
        if verdict.paragraph < 0:
            flags.append(finding._replace(start=0, stop=len(raw)))
        else:
            runs.append((verdict.paragraph, verdict.paragraph, finding))
    runs.sort(key=lambda run: run[:2])
    drops = [run for run in runs if run[2].action == DROP]
    second = [
        finding._replace(start=start, stop=stop, replacement="")
        for (start, stop), (_, _, finding) in zip(removal_spans(spans, [run[:2] for run in drops]), drops, strict=True)
    ]
    second += [
        finding._replace(start=spans[first_][0], stop=spans[last][1])
        for first_, last, finding in runs
        if finding.action == FLAG
    ]
    return _ordered(compose(raw, first, second) + flags)


def _ordered(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda one: (one.start, one.stop, one.rule, one.twin_start or 0))


def _at(finding: Finding, raw: str, start: int, stop: int) -> Finding:
    return finding._replace(start=start, stop=stop, original=raw[start:stop], replacement="")


def _text_finding(article: Finding, raw: str, row: tuple[Any, ...]) -> Finding:
    rule, action, start, stop, replacement, evidence = row
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


class _Nested:
    """The structs of a list-of-structs column, as tuples."""

    def __init__(self, column: pa.ListArray) -> None:
        self.offsets = np.asarray(column.offsets).tolist()
        self.values = list(zip(*(part.to_pylist() for part in column.values.flatten()), strict=True))

    def rows(self, row: int) -> list[tuple[Any, ...]]:
        return self.values[self.offsets[row] : self.offsets[row + 1]]


class _Spans:
    """The paragraph spans, in the repaired text, of every article of a piece."""

    def __init__(self, column: pa.ListArray) -> None:
        self.offsets = np.asarray(flat_array(column).offsets).tolist()
        self.starts = integer_values(column.values.field("start")).tolist()
        self.stops = integer_values(column.values.field("stop")).tolist()

    def of(self, row: int) -> list[tuple[int, int]]:
        part = slice(self.offsets[row], self.offsets[row + 1])
        return list(zip(self.starts[part], self.stops[part], strict=True))

    def count(self, row: int) -> int:
        return int(self.offsets[row + 1] - self.offsets[row])
