"""Gather the results of the corpus-level rules for articles and paragraphs, as one table per prepared batch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, decode_utf8
from dedup.findings import FLAG
from dedup.match.articles import ArticleMatches
from dedup.match.known_passages import KnownItem
from dedup.match.paragraphs import ParagraphMatches
from dedup.match.policy import ARTICLE_MATCH_RULES, SHARED_PARAGRAPH
from dedup.match.site_text import SiteText
from dedup.prepare.columns import integer_values, join_chunks
from dedup.prepare.corpus import Corpus
from dedup.settings import Settings


class Twin(NamedTuple):
    """The surviving text that a finding repeats: its article, and its span in the raw text, in code points."""

    article: str
    source: str
    record: int
    start: int
    stop: int


class Verdict(NamedTuple):
    """The result of a corpus-level rule for an article (`paragraph` is -1) or for one of its paragraphs (0-based).

    With `only_flags`, the text stays, although the action of the rule may be to drop it.
    """

    rule: str
    paragraph: int
    similarity: float
    twin: Twin
    evidence: str | None
    only_flags: bool

    def action(self, settings: Settings) -> str:
        """Return the action on the text."""
        return FLAG if self.only_flags else settings.rules[self.rule]


VERDICT_SCHEMA = pa.schema(
    [
        ("row", pa.int64()),  # of the prepared batch
        ("rule", pa.string()),
        ("paragraph", pa.int64()),
        ("similarity", pa.float64()),
        ("twin", pa.large_binary()),
        ("twin_source", pa.string()),
        ("twin_record", pa.int64()),
        ("twin_start", pa.int64()),
        ("twin_stop", pa.int64()),
        ("evidence", pa.string()),
        ("only_flags", pa.bool_()),
    ]
)
# For articles that are compared with nothing. Made of arrays: to make it from a list, Arrow imports pandas.
NO_VERDICTS = pa.record_batch([pa.nulls(0, field.type) for field in VERDICT_SCHEMA], schema=VERDICT_SCHEMA)


class Verdicts:
    """The corpus-level verdicts on all batches, cut by batch so that another process can take a batch with its own.

    `corpus` is the one that was compared, without site text. The verdicts on site text are in its batches; the lines
    themselves are in `site_text`. `items` say what was found of each known article, if that was searched for.
    """

    def __init__(
        self,
        corpus: Corpus,
        site_text: SiteText,
        articles: ArticleMatches,
        paragraphs: ParagraphMatches,
        items: Sequence[KnownItem] = (),
    ) -> None:
        self.items = items
        self.corpus = corpus
        self.site_text = site_text
        self.articles = articles
        self.paragraphs = paragraphs
        twin_rows = np.concatenate([articles.twins[articles.twins >= 0], paragraphs.twin_articles])
        self.twin_rows = np.unique(twin_rows)
        self.twins = _read_twins(corpus, self.twin_rows)

    def of(self, number: int) -> pa.RecordBatch:
        """Return the verdicts on batch `number`, with the schema `VERDICT_SCHEMA`, ordered by row."""
        start, stop = self.corpus.starts[number], self.corpus.starts[number + 1]
        borders = self.corpus.paragraph_offsets
        rows = np.flatnonzero(self.articles.twins[start:stop] >= 0) + start
        matches = self.paragraphs
        chosen = slice(*np.searchsorted(matches.numbers, (borders[start], borders[stop])))
        numbers, paragraph_rows = matches.numbers[chosen], matches.articles[chosen]
        twin_rows = np.concatenate([self.articles.twins[rows], matches.twin_articles[chosen]])
        places = np.searchsorted(self.twin_rows, twin_rows)
        twin, source, record, characters = self.twins.take(pa.array(places)).columns
        rules = [ARTICLE_MATCH_RULES[code] for code in self.articles.rules[rows].tolist()]
        rules += [SHARED_PARAGRAPH] * len(numbers)
        evidence = [self.articles.evidence.get(row) for row in rows.tolist()]
        evidence += [None] * len(numbers)
        columns = {
            "row": np.concatenate([rows, paragraph_rows]) - start,
            "rule": rules,
            "paragraph": np.concatenate([np.full(len(rows), -1), numbers - borders[paragraph_rows]]),
            "similarity": np.concatenate([self.articles.similarities[rows], matches.similarities[chosen]]),
            "twin": twin,
            "twin_source": source,
            "twin_record": record,
            "twin_start": np.concatenate([np.zeros(len(rows), np.int64), matches.twin_starts[chosen]]),
            "twin_stop": np.concatenate([integer_values(characters)[: len(rows)], matches.twin_stops[chosen]]),
            "evidence": evidence,
            "only_flags": np.concatenate([self.articles.only_flag(rows), np.zeros(len(numbers), bool)]),
        }
        arrays = [
            join_chunks(column) if isinstance(column, pa.ChunkedArray) else pa.array(column, field.type)
            for column, field in zip((columns[name] for name in VERDICT_SCHEMA.names), VERDICT_SCHEMA, strict=True)
        ]
        order = np.argsort(columns["row"], kind="stable")
        return pa.record_batch(arrays, schema=VERDICT_SCHEMA).take(pa.array(order))


def _read_twins(corpus: Corpus, rows: I64) -> pa.Table:
    """Return ``(id, source, record, characters)`` of the articles in `rows`, which are ascending: int64 [articles]."""
    names = ("id", "source", "record", "characters")
    batches = [
        batch.take(pa.array(rows[slice(*np.searchsorted(rows, span))] - span[0]))
        for batch, span in zip(corpus.iter_batches(*names), pairwise(corpus.starts.tolist()), strict=True)
    ]
    return pa.Table.from_batches(batches).combine_chunks()


def verdicts_by_row(verdicts: pa.RecordBatch) -> dict[int, list[Verdict]]:
    """Return the verdicts on each row of a batch that has any; `verdicts` has the schema `VERDICT_SCHEMA`."""
    by_row: dict[int, list[Verdict]] = {}
    for values in zip(*(column.to_pylist() for column in verdicts.columns), strict=True):
        row, rule, paragraph, similarity, twin_id, source, record, start, stop, evidence, only_flags = values
        twin = Twin(decode_utf8(twin_id), source, record, start, stop)
        by_row.setdefault(row, []).append(Verdict(rule, paragraph, similarity, twin, evidence, only_flags))
    return by_row
