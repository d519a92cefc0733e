"""What the corpus-level rules say of each article and paragraph, as one table per prepared batch."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, decode_utf8
from dedup.match import articles as match
from dedup.match import paragraphs as frequency
from dedup.match.articles import ArticleMatches
from dedup.match.paragraphs import ParagraphMatches
from dedup.prepare.columns import flat_array, integer_values
from dedup.prepare.corpus import Corpus

COLUMNS = (
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


VERDICTS = pa.schema(
    [
        ("row", pa.int64()),  # of the piece
        ("rule", pa.string()),
        ("paragraph", pa.int64()),
        ("similarity", pa.float64()),
        ("twin", pa.large_binary()),
        ("twin_source", pa.string()),
        ("twin_record", pa.int64()),
        ("twin_start", pa.int64()),
        ("twin_stop", pa.int64()),
        ("evidence", pa.string()),
    ]
)


class Verdicts:
    """The corpus-level verdicts on every piece, gathered so that a piece and its verdicts can go anywhere."""

    def __init__(self, corpus: Corpus, articles: ArticleMatches, paragraphs: ParagraphMatches) -> None:
        self.corpus = corpus
        self.articles = articles
        self.paragraphs = paragraphs
        self.named = np.unique(np.concatenate([articles.twins[articles.twins >= 0], paragraphs.twin_articles]))
        self.names = _names(corpus, self.named)

    def of(self, number: int) -> pa.RecordBatch:
        """The verdicts on piece `number`, `VERDICTS`, by row."""
        start, stop = self.corpus.starts[number], self.corpus.starts[number + 1]
        borders = self.corpus.paragraph_borders
        rows = np.flatnonzero(self.articles.twins[start:stop] >= 0) + start
        found = self.paragraphs
        mine = slice(*np.searchsorted(found.numbers, (borders[start], borders[stop])))
        numbers, homes = found.numbers[mine], found.articles[mine]
        names = np.searchsorted(self.named, np.concatenate([self.articles.twins[rows], found.twin_articles[mine]]))
        twin, source, record, characters = self.names.take(pa.array(names)).columns
        rules = [match.ARTICLE_MATCH_RULES[rule] for rule in self.articles.rules[rows].tolist()]
        rules += [frequency.PARAGRAPH_MATCH_RULES[rule] for rule in found.rules[mine].tolist()]
        evidence = [self.articles.evidence.get(row) for row in rows.tolist()]
        evidence += found.evidence.at(mine).told()
        columns = [
            np.concatenate([rows, homes]) - start,
            rules,
            np.concatenate([np.full(len(rows), -1), numbers - borders[homes]]),
            np.concatenate([self.articles.similarities[rows], found.similarities[mine]]),
            twin,
            source,
            record,
            np.concatenate([np.zeros(len(rows), np.int64), found.twin_starts[mine]]),
            np.concatenate([integer_values(characters)[: len(rows)], found.twin_stops[mine]]),
            evidence,
        ]
        arrays = [
            flat_array(column) if isinstance(column, pa.ChunkedArray) else pa.array(column, field.type)
            for column, field in zip(columns, VERDICTS, strict=True)
        ]
        order = np.argsort(columns[0], kind="stable")
        return pa.record_batch(arrays, schema=VERDICTS).take(pa.array(order))


def _names(corpus: Corpus, rows: I64) -> pa.Table:
    """``(id, source, record, characters)`` of the articles in `rows` (ascending)."""
    names = ("id", "source", "record", "characters")
    found = [
        batch.take(pa.array(rows[slice(*np.searchsorted(rows, span))] - span[0]))
        for batch, span in zip(corpus.each(*names), pairwise(corpus.starts.tolist()), strict=True)
    ]
    return pa.Table.from_batches(found).combine_chunks()


def _by_row(verdicts: pa.RecordBatch) -> dict[int, list[Verdict]]:
    """The verdicts on each row of a piece."""
    told: dict[int, list[Verdict]] = {}
    for values in zip(*(column.to_pylist() for column in verdicts.columns), strict=True):
        row, rule, paragraph, similarity, twin, source, record, start, stop, evidence = values
        whom = Twin(decode_utf8(twin), source, record, start, stop)
        told.setdefault(row, []).append(Verdict(rule, paragraph, similarity, whom, evidence))
    return told
