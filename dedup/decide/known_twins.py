"""Name the twins that are known articles, which are in no table of the output."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dedup.arrays import decode_utf8
from dedup.decide.verdicts import Verdicts
from dedup.findings import DROP
from dedup.prepare.columns import StructLists
from dedup.prepare.compared_texts import edited_text

TWIN_COLUMNS = ("id", "source", "record", "text", "site_text", "paragraphs", "findings")


class KnownTwin(NamedTuple):
    """One row of the table of known twins: an article of another corpus that a text of this one repeats.

    Attributes:
        article: its id.
        source: its source, which begins with `dedup.read.other_corpora.AGAINST`.
        record: its record number.
        sha256: SHA-256 of its raw text, UTF-8, in hexadecimal.
        site_text: the lines of site text that it was compared without.
    """

    article: str
    source: str
    record: int
    sha256: str
    site_text: tuple[str, ...]


def known_twins(verdicts: Verdicts) -> Iterator[KnownTwin]:
    """Yield the known articles that are twins, in the order in which their corpora were given."""
    corpus = verdicts.corpus
    rows = verdicts.twin_rows[verdicts.twin_rows < corpus.known_rows]
    spans = pairwise(corpus.starts.tolist())
    for batch, (start, stop) in zip(corpus.iter_batches(*TWIN_COLUMNS), spans, strict=True):
        inside = rows[slice(*np.searchsorted(rows, (start, stop)))] - start
        if len(inside):
            yield from twins_of_batch(batch.take(pa.array(inside)))


def twins_of_batch(articles: pa.RecordBatch) -> Iterator[KnownTwin]:
    """Yield a row for each of `articles`, which are known and have `TWIN_COLUMNS`."""
    lines = StructLists(articles.column("site_text"), ("paragraph", "action"))
    spans = StructLists(articles.column("paragraphs"), ("start", "stop"))
    edits = StructLists(articles.column("findings"), ("start", "stop", "replacement"))
    identities, sources, records, texts = (articles.column(name).to_pylist() for name in TWIN_COLUMNS[:4])
    for row, values in enumerate(zip(identities, sources, records, texts, strict=True)):
        identity, source, record, text = values
        numbers = [number for number, action in lines.of(row) if action == DROP]
        repaired = edited_text(decode_utf8(text), edits.of(row)) if numbers else ""
        dropped = tuple(repaired[slice(*spans.of(row)[number])] for number in numbers)
        yield KnownTwin(decode_utf8(identity), source, record, sha256(text).hexdigest(), dropped)
