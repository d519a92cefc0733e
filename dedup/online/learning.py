"""Learn site text from the articles of a host that an online index has stored, with the functions of a run.

What `find_site_text` counts depends on the articles around each line, and cannot be kept as sums. So the articles of a
host are judged as a run over them judges them: all, or the `COUNTED_ARTICLES` that were added last. The store does this
whenever their number has doubled, or has grown by this limit. So the cost per addition is small on average, and in a
host of many articles, fewer than one addition in a hundred takes longer. The lines that are found replace those that
were learnt from this host before.

Site text and paragraphs that repeat others have no words in a stored row, so that nothing is compared with them. Their
words and digests are stored beside such a row, as what it has lost.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from dedup.findings import DROP
from dedup.kernels.backend import Backend
from dedup.match.boilerplate import distinct_pairs
from dedup.match.known_lines import KnownLine
from dedup.match.paragraph_columns import read_paragraph_columns
from dedup.match.policy import BOILERPLATE
from dedup.match.site_text import find_site_text
from dedup.online.stored_rows import decode_rows, pack_row
from dedup.online.stores import CountedArticle
from dedup.prepare.columns import PARAGRAPH_STRUCT, digest_values, list_array, list_lengths
from dedup.prepare.corpus import Corpus
from dedup.segment.batch import DIGEST_BYTES
from dedup.segment.digests import key_halves
from dedup.settings import Settings

COUNTED_ARTICLES = 256  # of a host that are judged together; pages of 190 lines take 0.3 s
FEWEST_COUNTED = 4  # articles; the rule needs three
# A learnt line is taken out wherever it occurs. So only lines that most pages have are learnt, and no headlines of
# other articles: in 858 news pages that are added one by one, 0.35 % of the articles' text is lost if lines of two
# articles are enough, most of it headlines.
_FEWEST_WITH_LINE, _LEAST_SHARE = 3, 0.5
_COUNTED_COLUMNS = ["source", "record", "text", "host", "digest", "words", "findings", "paragraphs"]
_LOST_MEMBERS = ("words", "size", "digest")  # of paragraphs, which change when their words are taken away
_LOST = pa.struct([PARAGRAPH_STRUCT.field(name) for name in _LOST_MEMBERS])
_LOST_SCHEMA = pa.schema([("words", pa.int64()), ("digest", pa.binary(DIGEST_BYTES)), ("paragraphs", pa.list_(_LOST))])


def is_due(articles: int, judged: int) -> bool:
    """Return True if a host with so many stored `articles` is to be judged again, after it was judged with `judged`.

    >>> due, last = [], 0
    >>> for articles in range(1, 1000):
    ...     if is_due(articles, last):
    ...         due.append(last := articles)
    >>> due
    [4, 8, 16, 32, 64, 128, 256, 512, 768]
    """
    return articles >= max(FEWEST_COUNTED, min(2 * judged, judged + COUNTED_ARTICLES))


def encode_lost(row: pa.RecordBatch) -> bytes:
    """Return as bytes the values of a row that change when some of its paragraphs are no longer compared."""
    paragraphs = row.column("paragraphs")
    members = paragraphs.flatten()
    arrays = [members.field(name) for name in _LOST_MEMBERS]
    lost = list_array(np.array([0, len(members)], np.int64), pa.StructArray.from_arrays(arrays, fields=list(_LOST)))
    columns = [row.column("words").cast(pa.int64()), row.column("digest"), lost]
    return pack_row(pa.record_batch(columns, schema=_LOST_SCHEMA))


def _with_lost(rows: pa.RecordBatch, lost: pa.RecordBatch) -> pa.RecordBatch:
    """Return stored rows with the values that they had before they lost words."""
    members, before = rows.column("paragraphs").flatten(), lost.column("paragraphs").flatten()
    arrays = [(before if field.name in _LOST_MEMBERS else members).field(field.name) for field in PARAGRAPH_STRUCT]
    counts = list_lengths(rows.column("paragraphs"))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    columns = {
        "words": lost.column("words"),
        "digest": lost.column("digest"),
        "paragraphs": list_array(offsets, pa.StructArray.from_arrays(arrays, fields=list(PARAGRAPH_STRUCT))),
    }
    arrays = [columns.get(name, rows.column(name)) for name in rows.schema.names]
    return pa.record_batch(arrays, schema=rows.schema)


def counted_batch(articles: Sequence[CountedArticle], schema: pa.Schema) -> pa.RecordBatch:
    """Return the counted columns of stored articles, in order, as a prepared batch that still has its site text."""
    lost = [article.lost for article in articles if article.lost is not None]
    changed = [place for place, article in enumerate(articles) if article.lost is not None]
    unchanged = [place for place, article in enumerate(articles) if article.lost is None]
    parts = [
        _decode_counted([articles[place] for place in places], schema) for places in (unchanged, changed) if places
    ]
    if lost:
        parts[-1] = _with_lost(parts[-1], decode_rows(lost, _LOST_SCHEMA))
    return pa.concat_batches(parts).take(pa.array(np.argsort(unchanged + changed)))


def _decode_counted(articles: Sequence[CountedArticle], schema: pa.Schema) -> pa.RecordBatch:
    """Return the columns of stored rows that are counted."""
    return decode_rows([article.row for article in articles], schema).select(_COUNTED_COLUMNS)


def learn_lines(
    articles: Sequence[CountedArticle], schema: pa.Schema, settings: Settings, backend: Backend
) -> list[KnownLine]:
    """Return the lines of some stored articles of one host that a run over them drops as site text."""
    corpus = Corpus([counted_batch(articles, schema)])
    fewest = max(_FEWEST_WITH_LINE, math.ceil(_LEAST_SHARE * len(corpus)))
    if not _has_frequent_line(corpus, fewest):
        return []
    dropping = replace(settings, rules={**settings.rules, BOILERPLATE: DROP})
    site_text = find_site_text(corpus, read_paragraph_columns(corpus, backend), dropping, backend)
    (column,) = corpus.paragraph_members(0, "digest")
    digests = digest_values(column)
    number_of_line = dict(zip(site_text.lines[::-1].tolist(), site_text.numbers[::-1].tolist(), strict=True))
    return [
        KnownLine(row.host, digests[number_of_line[line]].tobytes(), row.articles, len(corpus))
        for line, row in enumerate(site_text.table)
        if row.dropped and row.articles >= fewest
    ]


def _has_frequent_line(corpus: Corpus, fewest: int) -> bool:
    """Return True if any line is in `fewest` articles of a corpus of one batch; most hosts have none."""
    (column,) = corpus.paragraph_members(0, "digest")
    owners = np.repeat(np.arange(len(corpus)), np.diff(corpus.paragraph_offsets))
    _, lines = np.unique(key_halves(digest_values(column)), return_inverse=True)
    in_articles, _ = distinct_pairs(lines, owners)
    return bool((np.bincount(in_articles) >= fewest).any())
