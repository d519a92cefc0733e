"""The texts that articles are compared by, rebuilt from prepared batches: repaired, without repeats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, decode_utf8
from dedup.findings import DROP
from dedup.prepare.corpus import Corpus
from dedup.prepare.one_text import cut_spans
from dedup.prepare.store import load_batch
from dedup.segment.paragraphs import removal_spans

COMPARED_TEXT_COLUMNS = ("text", "findings", "repeats", "paragraphs")  # of a prepared batch


def compared_texts(articles: pa.RecordBatch, rules: Mapping[str, str]) -> Iterator[str]:
    """Yield the compared text of each of `articles`, which have the columns `COMPARED_TEXT_COLUMNS`.

    Only articles with repeats need the last of them, ``paragraphs``.

    `rules` gives the action of each rule. A text is what `dedup.prepare.one_text.compared_text` returns.
    """
    findings = _struct_members(articles.column("findings"), ("start", "stop", "replacement"))
    repeats = _struct_members(articles.column("repeats"), ("rule", "first", "last"))
    rows = zip(articles.column("text").to_pylist(), findings, repeats, strict=True)
    for row, (text, edits, runs) in enumerate(rows):
        repaired = _edited(decode_utf8(text), edits)
        drops = sorted((first, last) for rule, first, last in runs if rules[rule] == DROP)
        if drops:
            spans = articles.column("paragraphs")[row].values
            starts, stops = (spans.field(name).to_pylist() for name in ("start", "stop"))
            repaired = cut_spans(repaired, removal_spans(list(zip(starts, stops, strict=True)), drops))
        yield repaired


def _edited(raw: str, edits: Iterable[tuple[int, int, bytes | None]]) -> str:
    """Return `raw` with `edits`, which are disjoint and ascending; one without a replacement is a flag."""
    pieces: list[str] = []
    position = 0
    for start, stop, replacement in edits:
        if replacement is not None:
            pieces += (raw[position:start], decode_utf8(replacement))
            position = stop
    pieces.append(raw[position:])
    return "".join(pieces)


def _struct_members(column: pa.ListArray, names: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
    """Yield for each row the members `names` of the structs of a list column."""
    values = column.flatten()
    rows = list(zip(*(values.field(name).to_pylist() for name in names), strict=True))
    sizes = np.asarray(column.value_lengths().fill_null(0))
    yield from (rows[start:stop] for start, stop in pairwise([0, *np.cumsum(sizes).tolist()]))


class TextReader:
    """The compared texts of some articles, in any order, read when asked for.

    `rows` are the rows of the articles in `corpus`, int64 [texts]; `rules` gives the action of each rule.
    """

    def __init__(self, corpus: Corpus, rows: I64, rules: Mapping[str, str]) -> None:
        self.corpus = corpus
        self.rows = rows
        self.rules = rules

    def of(self, numbers: I64) -> Iterator[tuple[int, str]]:
        """Yield the texts with the given numbers, int64 [count], each with its number, batch by batch."""
        numbers = numbers[np.argsort(self.rows[numbers], kind="stable")]
        rows = self.rows[numbers]
        offsets = np.searchsorted(rows, self.corpus.starts)

        def load_articles(batch_number: int) -> pa.RecordBatch:
            batch = self.corpus.prepared_batches[batch_number]
            chosen = rows[offsets[batch_number] : offsets[batch_number + 1]]
            places = pa.array(chosen - self.corpus.starts[batch_number])
            articles = load_batch(batch, COMPARED_TEXT_COLUMNS[:-1]).take(places)
            has_repeats = len(articles.column("repeats").flatten()) > 0
            return load_batch(batch, COMPARED_TEXT_COLUMNS).take(places) if has_repeats else articles

        budget = replace(self.corpus.budget, step=None)  # how many steps there are depends on the texts
        loaded = budget.map(load_articles, np.flatnonzero(np.diff(offsets)).tolist())
        texts = chain.from_iterable(compared_texts(articles, self.rules) for articles in loaded)
        yield from zip(numbers.tolist(), texts, strict=True)
