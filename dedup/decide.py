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

from dedup import frequency, match
from dedup.findings import DROP, FLAG, Finding, Offsets, apply, compose
from dedup.fingerprint import I64, decode
from dedup.frequency import Paragraphs
from dedup.match import Articles
from dedup.pieces import Corpus, Piece, flat, integers, load
from dedup.segment import cuts
from dedup.settings import Settings

_COLUMNS = (
    "source",
    "record",
    "error",
    "data",
    "fields",
    "id",
    "text_field",
    "text",
    "findings",
    "repeats",
    "paragraphs",
)


class Twin(NamedTuple):
    """The surviving text that a finding repeats."""

    article: str
    source: str
    record: int
    start: int
    stop: int


class Verdict(NamedTuple):
    """What a corpus rule says of one article (`paragraph` is -1) or of one of its paragraphs."""

    rule: str
    paragraph: int
    similarity: float
    twin: Twin
    evidence: str | None


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


class Verdicts:
    """The corpus-level verdicts on every piece, gathered so that a piece and its verdicts can go anywhere."""

    def __init__(self, corpus: Corpus, articles: Articles, paragraphs: Paragraphs) -> None:
        self.corpus = corpus
        self.articles = articles
        self.paragraphs = paragraphs
        self.first_paragraphs = np.searchsorted(paragraphs.articles, np.arange(len(corpus) + 1))
        twins = [articles.twins[articles.twins >= 0], paragraphs.articles[paragraphs.twins[paragraphs.twins >= 0]]]
        self.names = _names(corpus, np.unique(np.concatenate(twins)))

    def of(self, number: int) -> dict[int, list[Verdict]]:
        """The verdicts on piece `number`, by row of the piece."""
        start, stop = int(self.corpus.starts[number]), int(self.corpus.starts[number + 1])
        verdicts: dict[int, list[Verdict]] = {}
        for row in (np.flatnonzero(self.articles.twins[start:stop] >= 0) + start).tolist():
            article, source, record, characters = self.names[int(self.articles.twins[row])]
            twin = Twin(article, source, record, 0, characters)
            verdict = Verdict(
                match.RULES[self.articles.rules[row]],
                -1,
                float(self.articles.similarities[row]),
                twin,
                self.articles.evidence.get(row),
            )
            verdicts.setdefault(row - start, []).append(verdict)
        found = self.paragraphs
        first, last = int(self.first_paragraphs[start]), int(self.first_paragraphs[stop])
        for number_ in (np.flatnonzero(found.twins[first:last] >= 0) + first).tolist():
            row = int(found.articles[number_])
            other = int(found.twins[number_])
            article, source, record, _ = self.names[int(found.articles[other])]
            twin = Twin(article, source, record, int(found.raw_starts[other]), int(found.raw_stops[other]))
            verdict = Verdict(
                frequency.RULES[found.rules[number_]],
                number_ - int(self.first_paragraphs[row]),
                float(found.similarities[number_]),
                twin,
                found.evidence.get(number_),
            )
            verdicts.setdefault(row - start, []).append(verdict)
        return verdicts


def _names(corpus: Corpus, rows: I64) -> dict[int, tuple[str, str, int, int]]:
    """``(id, source, record, characters)`` of the articles in `rows` (ascending)."""
    names: dict[int, tuple[str, str, int, int]] = {}
    for _, piece, start, stop in corpus.batches():
        mine = rows[np.searchsorted(rows, start) : np.searchsorted(rows, stop)]
        if len(mine):
            batch = load(piece, ["id", "source", "record", "characters"]).take(pa.array(mine - start))
            for row, *values in zip(mine.tolist(), *(column.to_pylist() for column in batch.columns), strict=True):
                names[row] = (decode(values[0]), values[1], values[2], values[3])
    return names


def outcomes(piece: Piece, verdicts: dict[int, list[Verdict]], settings: Settings) -> Iterator[Outcome]:
    """The outcome of every record of a piece, in input order."""
    batch = load(piece, _COLUMNS)
    findings = _Nested(batch.column("findings"))
    repeats = _Nested(batch.column("repeats"))
    spans = _Spans(batch.column("paragraphs"))
    plain = (batch.column(name).to_pylist() for name in _COLUMNS[:8])
    for row, (source, record, error, data, fields, identity, text_field, text) in enumerate(zip(*plain, strict=True)):
        if error is not None:
            yield Outcome(source, record, error, data)
            continue
        article = Finding(decode(identity), source, record)
        raw = decode(text)
        mine = verdicts.get(row, [])
        whole = next((one for one in mine if one.paragraph < 0), None)
        if whole and settings.rules[whole.rule] == DROP:
            found = [_at(_corpus_finding(article, whole, DROP), raw, 0, len(raw))]
            cleaned = ""
        else:
            found = _findings(article, raw, findings.rows(row), repeats.rows(row), spans.of(row), mine, settings)
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
    text_level: list[dict[str, Any]],
    repeats: list[dict[str, Any]],
    spans: list[tuple[int, int]],
    verdicts: list[Verdict],
    settings: Settings,
) -> list[Finding]:
    """The findings of an article that stays: all levels, in raw spans, sorted by start."""
    first = [_text_finding(article, raw, row) for row in text_level]
    if not repeats and not verdicts:
        return first
    offsets = Offsets(first)
    runs: list[tuple[int, int, Finding]] = []
    flags: list[Finding] = []
    for repeat in repeats:
        start, stop = offsets.widen(repeat["twin_start"], repeat["twin_stop"])
        finding = article._replace(
            rule=repeat["rule"],
            action=settings.rules[repeat["rule"]],
            twin=article.article,
            twin_source=article.source,
            twin_record=article.record,
            twin_start=start,
            twin_stop=stop,
            similarity=repeat["similarity"],
            evidence=repeat["evidence"],
        )
        runs.append((repeat["first"], repeat["last"], finding))
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
        for (start, stop), (_, _, finding) in zip(cuts(spans, [run[:2] for run in drops]), drops, strict=True)
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


def _text_finding(article: Finding, raw: str, row: dict[str, Any]) -> Finding:
    replacement = row["replacement"]
    return article._replace(
        rule=row["rule"],
        action=row["action"],
        start=row["start"],
        stop=row["stop"],
        original=None if replacement is None else raw[row["start"] : row["stop"]],
        replacement=None if replacement is None else decode(replacement),
        evidence=row["evidence"],
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
    """Rows of a list-of-structs column, turned into Python objects only where asked for."""

    def __init__(self, column: pa.ListArray) -> None:
        self.offsets = np.asarray(column.offsets).tolist()
        self.values = column.values

    def rows(self, row: int) -> list[dict[str, Any]]:
        start, stop = self.offsets[row], self.offsets[row + 1]
        return self.values.slice(start, stop - start).to_pylist() if stop > start else []


class _Spans:
    """The paragraph spans, in the repaired text, of every article of a piece."""

    def __init__(self, column: pa.ListArray) -> None:
        self.offsets = np.asarray(flat(column).offsets).tolist()
        self.starts = integers(column.values.field("start")).tolist()
        self.stops = integers(column.values.field("stop")).tolist()

    def of(self, row: int) -> list[tuple[int, int]]:
        part = slice(self.offsets[row], self.offsets[row + 1])
        return list(zip(self.starts[part], self.stops[part], strict=True))

    def count(self, row: int) -> int:
        return int(self.offsets[row + 1] - self.offsets[row])
