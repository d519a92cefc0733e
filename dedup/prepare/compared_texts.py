"""The texts that articles are compared by, rebuilt from prepared batches: repaired, without repeats and site text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, decode_utf8
from dedup.findings import DROP
from dedup.prepare.columns import StructLists
from dedup.prepare.corpus import Corpus
from dedup.prepare.one_text import cut_spans
from dedup.prepare.own_prose import SITE_LINES, are_beside_prose
from dedup.prepare.store import load_batch
from dedup.segment.paragraphs import removal_spans

COMPARED_TEXT_COLUMNS = ("text", "findings", "repeats", "site_text", "paragraphs")  # of a prepared batch


def compared_texts(articles: pa.RecordBatch, rules: Mapping[str, str]) -> Iterator[str]:
    """Yield the compared text of each of `articles`, which have the columns `COMPARED_TEXT_COLUMNS`.

    Only articles with repeats or site text need the last of them, ``paragraphs``. `rules` gives the action of each
    rule. A text is what `dedup.prepare.one_text.compared_text` returns.
    """
    for repaired, removed in repaired_texts(articles, rules, _numbers_without_words(articles)):
        yield cut_spans(repaired, removed) if removed else repaired


def repaired_texts(
    articles: pa.RecordBatch, rules: Mapping[str, str], left_out: Mapping[int, Sequence[int]] = MappingProxyType({})
) -> Iterator[tuple[str, Sequence[tuple[int, int]]]]:
    """Yield the repaired text of each of `articles`, and the spans of it that are cut.

    These are the repeats and the site text that are dropped, with their separators, and the paragraphs of each row that
    `left_out` has. The other arguments are those of `compared_texts`.
    """
    findings = StructLists(articles.column("findings"), ("start", "stop", "replacement"))
    repeats = StructLists(articles.column("repeats"), ("rule", "first", "last"))
    site_text = StructLists(articles.column("site_text"), ("paragraph", "action"))
    spans: StructLists | None = None
    for row, text in enumerate(articles.column("text").to_pylist()):
        drops = [(first, last) for rule, first, last in repeats.of(row) if rules[rule] == DROP]
        drops += [(number, number) for number, action in site_text.of(row) if action == DROP]
        cut = {number for first, last in drops for number in range(first, last + 1)}
        drops += [(number, number) for number in left_out.get(row, ()) if number not in cut]
        if drops and spans is None:
            spans = StructLists(articles.column("paragraphs"), ("start", "stop"))
        removed = removal_spans(spans.of(row), sorted(drops)) if drops and spans else ()
        yield edited_text(decode_utf8(text), findings.of(row)), removed


def numbers_beside_prose(articles: pa.RecordBatch) -> dict[int, list[int]]:
    """Return the numbers of the paragraphs that are left of pages and that they are not compared by, by row.

    `articles` have the columns ``site_text`` and ``paragraphs``, whose words are those before site text is taken out.
    """
    result: dict[int, list[int]] = {}
    for row, dropped, paragraphs in _pages(articles, ("words", "form", "size")):
        left = [
            (number, form, size)
            for number, (words, form, size) in enumerate(paragraphs)
            if words and number not in dropped
        ]
        forms, sizes = np.array([form for _, form, _ in left], np.int64), np.array([size for *_, size in left], float)
        beside = are_beside_prose(forms, sizes).tolist()
        result[row] = [number for (number, *_), is_beside in zip(left, beside, strict=True) if is_beside]
    return result


def _numbers_without_words(articles: pa.RecordBatch) -> dict[int, list[int]]:
    """Return the numbers of the paragraphs of pages that have no words, or have lost them, by row."""
    return {
        row: [number for number, (words,) in enumerate(paragraphs) if not words and number not in dropped]
        for row, dropped, paragraphs in _pages(articles, ("words",))
    }


def _pages(articles: pa.RecordBatch, members: tuple[str, ...]) -> Iterator[tuple[int, set[int], Sequence[Any]]]:
    """Yield the row of each page, the numbers of its dropped lines, and the given members of its paragraphs."""
    site_text = StructLists(articles.column("site_text"), ("paragraph", "line", "action"))
    paragraphs: StructLists | None = None
    for row in range(articles.num_rows):
        dropped = {paragraph: line for paragraph, line, action in site_text.of(row) if action == DROP}
        if len(set(dropped.values())) >= SITE_LINES:
            paragraphs = paragraphs or StructLists(articles.column("paragraphs"), members)
            yield row, set(dropped), paragraphs.of(row)


def edited_text(raw: str, edits: Iterable[tuple[int, int, bytes | None]]) -> str:
    """Return `raw` with `edits`, which are disjoint and ascending; one without a replacement is a flag."""
    pieces: list[str] = []
    position = 0
    for start, stop, replacement in edits:
        if replacement is not None:
            pieces += (raw[position:start], decode_utf8(replacement))
            position = stop
    pieces.append(raw[position:])
    return "".join(pieces)


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
            has_drops = any(len(articles.column(name).flatten()) for name in ("repeats", "site_text"))
            return load_batch(batch, COMPARED_TEXT_COLUMNS).take(places) if has_drops else articles

        budget = replace(self.corpus.budget, step=None)  # how many steps there are depends on the texts
        loaded = budget.map(load_articles, np.flatnonzero(np.diff(offsets)).tolist())
        texts = chain.from_iterable(compared_texts(articles, self.rules) for articles in loaded)
        yield from zip(numbers.tolist(), texts, strict=True)
