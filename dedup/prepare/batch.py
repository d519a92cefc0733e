"""Everything that is a pure function of one article, for a batch of records: repair, segment, repeats, fingerprint.

`prepare` returns one row per record with all that later stages need: the raw text, the findings of the text level, the
paragraphs, the repeats within the article, and the fingerprints for matching. It may run on any machine. The expensive
steps work on all texts of the batch at once, as arrays. Python looks at single texts only where a screen says that a
rule may change them or that they may repeat themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.arrays import I64, U64, Bools, Bytes, encode_utf8, offsets_of, pack
from dedup.fingerprint.minhash import bands
from dedup.kernels import reference
from dedup.kernels.backend import Backend
from dedup.prepare.columns import (
    binary_array,
    bucket_array,
    finding_array,
    integer_array,
    key_array,
    list_array,
    no_site_text,
    paragraph_array,
    prepared_schema,
    repeat_array,
)
from dedup.prepare.one_text import cut_spans, dropped_runs, twin_roles
from dedup.prepare.raw_spans import to_raw_spans
from dedup.prepare.record_columns import parse_records
from dedup.prepare.repair_batch import repair_texts
from dedup.prepare.repeats_batch import find_batch_repeats
from dedup.prepare.resegment import clear_dropped, replace_paragraphs
from dedup.repairs.markup import markup_length
from dedup.repairs.notices import find_notices, own_paragraph_count
from dedup.repeats.split_paragraphs import Repeat, SplitArticle
from dedup.rules import OFF
from dedup.segment.batch import DIGEST_BYTES, Segments
from dedup.segment.digests import paragraph_digests, text_digests
from dedup.segment.paragraphs import removal_spans
from dedup.settings import ARTICLE_SHINGLE, PARAGRAPH_SHINGLE, Settings

# Paragraphs of fewer words are not compared across articles: headings, bylines and separators recur in any corpus. In
# the quality benchmark (docs/quality.md), 3, 5 and 8 give the same results; at 12, fewer quotations are reported.
SHARED_WORDS = 5
# One minimizer is chosen of every 16 consecutive shingles of an article (Schleimer, Wilkerson, Aiken, "Winnowing",
# 2003). A run of 20 words has 16 shingles, so two articles that share such a run have a minimizer in common. An article
# of fewer words need not have a minimizer in common with a longer one that contains it, and is not looked for.
CONTAINED_WINDOW = 16
CONTAINED_WORDS = CONTAINED_WINDOW + ARTICLE_SHINGLE - 1


def prepare(batch: pa.RecordBatch, settings: Settings, backend: Backend = reference) -> pa.RecordBatch:
    """Return the prepared batch (`dedup.prepare.columns.prepared_schema`): one row per record of `batch`, in its order.

    `batch` has the schema `dedup.read.records.RECORD_SCHEMA`. `backend` holds the plain functions or the compiled ones;
    the result is the same. Raises `RecordError` for a record that cannot be read if `settings.on_error` is "fail".
    """
    records = parse_records(batch, settings)
    texts, encoded, findings = repair_texts(records.raw_texts, records.encoded_texts(), settings, backend)
    packed = pack(encoded)
    segments = backend.segment_batch(*packed)
    hashes = backend.word_hashes(segments.keys, segments.key_offsets)

    articles = find_batch_repeats(texts, segments, hashes, settings, backend)
    repeats = [articles[text].repeats if text in articles else [] for text in range(len(texts))]
    if _has_new_paragraphs(articles, segments):
        segments = replace_paragraphs(segments, articles, backend)
        hashes = backend.word_hashes(segments.keys, segments.key_offsets)
    is_dropped, roles, removed = _plan_drops(segments, repeats, settings)
    if is_dropped.any():
        hashes = hashes[np.repeat(~is_dropped, segments.words)]
        segments = clear_dropped(segments, is_dropped, backend)

    lengths = np.array(list(map(len, texts)), np.int64)
    markup = _markup_lengths(texts, encoded, segments, is_dropped)
    readable = records.is_readable()
    digests, columns = compare_by(texts, packed, segments, hashes, readable, settings, backend)
    raw_spans = to_raw_spans(findings, segments, lengths)
    forms = backend.line_forms(*packed, segments, hashes, *_title_words(records.titles, backend))
    arrays: dict[str, pa.Array] = {
        **columns,
        "length": integer_array(lengths - removed - markup, readable),
        "findings": finding_array(findings),
        "repeats": repeat_array(repeats),
        "site_text": no_site_text(len(texts)),
        "paragraphs": paragraph_array(segments, roles, digests, raw_spans, forms),
    }
    schema = prepared_schema(settings)
    for field in schema:
        if field.name not in arrays:
            arrays[field.name] = pa.array(records.values[field.name], field.type)
    return pa.record_batch([arrays[name] for name in schema.names], schema=schema)


def compare_by(
    texts: Sequence[str],
    packed: tuple[Bytes, I64],
    segments: Segments,
    hashes: U64,
    readable: Bools,
    settings: Settings,
    backend: Backend,
) -> tuple[list[bytes], dict[str, pa.Array]]:
    """Return the digests of paragraphs, and the columns by which articles and paragraphs are compared.

    `texts` are the repaired texts, and `packed` the same in UTF-8 and where they start. The paragraphs that are dropped
    have no words in `segments`; `hashes` are those of all words that are left: uint64 [words]. `readable` says which
    records are articles: bool [texts].
    """
    word_offsets = offsets_of(segments.words)  # of paragraphs
    text_offsets = word_offsets[segments.borders]  # the same of texts
    marks = backend.find_fact_marks(*packed, segments)
    digests = paragraph_digests(segments, marks)
    own = _own_parts(texts, segments, text_offsets, settings)
    return digests, {
        "key": key_array(segments, readable),
        "digest": binary_array(text_digests(segments, marks), DIGEST_BYTES, readable),
        "words": integer_array(np.diff(text_offsets), readable),
        "buckets": _article_bucket_column(hashes, text_offsets, settings, backend),
        "own_words": integer_array(own.words, readable),
        "own_key": integer_array(own.key_bytes, readable),
        "minimizers": _minimizer_column(hashes, text_offsets, own.words, settings, backend),
        "paragraph_buckets": _paragraph_bucket_column(hashes, word_offsets, segments, digests, settings, backend),
    }


def _title_words(titles: Sequence[str], backend: Backend) -> tuple[U64, I64]:
    """Return the hashes of the words of all titles, uint64 [words], and where each starts, int64 [titles + 1]."""
    if not any(titles):
        return np.empty(0, np.uint64), np.zeros(len(titles) + 1, np.int64)
    segments = backend.segment_batch(*pack(list(map(encode_utf8, titles))))
    return backend.word_hashes(segments.keys, segments.key_offsets), offsets_of(segments.words)[segments.borders]


def _has_new_paragraphs(articles: dict[int, SplitArticle], segments: Segments) -> bool:
    """Return True if a paragraph of some article was split into parts."""
    return any(
        len(article.keys) != segments.borders[text + 1] - segments.borders[text] for text, article in articles.items()
    )


class _DropPlan(NamedTuple):
    """What the rules within an article drop from a batch.

    Attributes:
        is_dropped: whether each paragraph is dropped, bool [paragraphs].
        roles: the role of each paragraph as a twin, 0 or as in `dedup.prepare.one_text.twin_roles`, int8 [paragraphs].
        removed: what is removed from each text, separators included, in code points, int64 [texts].
    """

    is_dropped: Bools
    roles: npt.NDArray[np.int8]
    removed: I64


def _plan_drops(segments: Segments, repeats: Sequence[Sequence[Repeat]], settings: Settings) -> _DropPlan:
    """Return what the rules within an article drop; `repeats` are those of each text."""
    count = len(segments.starts)
    plan = _DropPlan(np.zeros(count, bool), np.zeros(count, np.int8), np.zeros(len(repeats), np.int64))
    for text, text_repeats in enumerate(repeats):
        drops = dropped_runs(text_repeats, settings) if text_repeats else []
        if not drops:
            continue
        start, stop = int(segments.borders[text]), int(segments.borders[text + 1])
        for first, last in drops:
            plan.is_dropped[start + first : start + last + 1] = True
        for number, role in twin_roles(text_repeats, settings).items():
            plan.roles[start + number] = role
        spans = list(zip(segments.starts[start:stop].tolist(), segments.stops[start:stop].tolist(), strict=True))
        plan.removed[text] = sum(after - before for before, after in removal_spans(spans, drops))
    return plan


def _markup_lengths(texts: Sequence[str], encoded: Sequence[bytes], segments: Segments, is_dropped: Bools) -> I64:
    """Return how many characters of each compared text are markup, which is no prose: int64 [texts].

    `encoded` are `texts` in UTF-8; `is_dropped` says which paragraphs of `segments` are not compared.
    """
    lengths = np.zeros(len(texts), np.int64)
    for text in (number for number, data in enumerate(encoded) if b"<" in data):
        rows = slice(int(segments.borders[text]), int(segments.borders[text + 1]))
        spans = zip(segments.starts[rows].tolist(), segments.stops[rows].tolist(), strict=True)
        dropped = [span for span, drops in zip(spans, is_dropped[rows].tolist(), strict=True) if drops]
        lengths[text] = markup_length(cut_spans(texts[text], dropped))
    return lengths


class _OwnParts(NamedTuple):
    """What texts are without the notices at their ends: how many words, and bytes of their keys, int64 [texts] each."""

    words: I64
    key_bytes: I64


def _own_parts(texts: Sequence[str], segments: Segments, text_offsets: I64, settings: Settings) -> _OwnParts:
    """Return the own part of each text; `text_offsets` are the words before each text: int64 [texts + 1]."""
    own = _OwnParts(np.diff(text_offsets), np.diff(segments.key_offsets))
    if settings.rules["contained-article"] == OFF:
        return own
    spoken = np.flatnonzero(segments.words > 0)
    last = np.searchsorted(spoken, segments.borders[1:]) - 1  # of each text, its last paragraph with a word
    has_words = np.flatnonzero(own.words > 0)
    last = spoken[last[has_words]]
    spans = zip(has_words.tolist(), segments.starts[last].tolist(), segments.stops[last].tolist(), strict=True)
    for number in find_notices([texts[text][start:stop] for text, start, stop in spans]):
        text = int(has_words[number])
        first, stop = int(segments.borders[text]), int(segments.borders[text + 1])
        compared = [paragraph for paragraph in range(first, stop) if segments.words[paragraph]]
        pieces = [texts[text][segments.starts[paragraph] : segments.stops[paragraph]] for paragraph in compared]
        kept = compared[: own_paragraph_count(pieces)]
        own.words[text] = segments.words[kept].sum()
        own.key_bytes[text] = segments.key_stops[kept[-1]] - segments.key_offsets[text]
    return own


def _minimizer_column(hashes: U64, offsets: I64, own_words: I64, settings: Settings, backend: Backend) -> pa.Array:
    """Return the column of the minimizers of the own part of each text.

    `hashes` are those of the words of all texts, uint64 [words]; `offsets` say where each text starts in them, int64
    [texts + 1]; `own_words` is the number of words of its own part, int64 [texts].
    """
    if settings.rules["contained-article"] == OFF:
        hashes, offsets = hashes[:0], np.zeros_like(offsets)
    elif offsets[-1] != own_words.sum():
        places = np.arange(len(hashes)) - np.repeat(offsets[:-1], np.diff(offsets))
        hashes = hashes[places < np.repeat(own_words, np.diff(offsets))]
        offsets = offsets_of(own_words)
    values, minimizer_offsets = backend.find_minimizers(hashes, offsets, ARTICLE_SHINGLE, CONTAINED_WINDOW)
    return list_array(minimizer_offsets, pa.array(values))


def _article_bucket_column(hashes: U64, offsets: I64, settings: Settings, backend: Backend) -> pa.Array:
    """Return the column of the buckets of each text that has shingles.

    `hashes` and `offsets` are as for `_minimizer_column`.
    """
    texts = np.flatnonzero(np.diff(offsets) >= ARTICLE_SHINGLE)
    if settings.rules["near-duplicate-article"] == OFF:
        texts = texts[:0]
    signatures = backend.minhash_signatures(hashes, offsets[texts], offsets[texts + 1], ARTICLE_SHINGLE)
    buckets = backend.bucket_signatures(signatures, *bands(settings.least_article_similarity))
    return bucket_array(buckets, texts, len(offsets) - 1)


def _paragraph_bucket_column(
    hashes: U64, offsets: I64, segments: Segments, digests: Sequence[bytes], settings: Settings, backend: Backend
) -> pa.Array:
    """Return the column of the buckets of the paragraphs that are long enough to be compared across articles.

    Paragraphs of equal digest get one signature. `hashes` are those of all words, uint64 [words]; `offsets` say where
    each paragraph starts in them, int64 [paragraphs + 1]; `digests` are those of the paragraphs.
    """
    numbers = np.flatnonzero(segments.words >= SHARED_WORDS)
    if settings.rules["shared-paragraph"] == OFF:
        numbers = numbers[:0]
    first_of: dict[bytes, int] = {}  # the first paragraph of each digest
    firsts = np.array([first_of.setdefault(digests[number], number) for number in numbers.tolist()], np.int64)
    distinct = np.array(list(first_of.values()), np.int64)
    signatures = backend.minhash_signatures(hashes, offsets[distinct], offsets[distinct + 1], PARAGRAPH_SHINGLE)
    buckets = backend.bucket_signatures(signatures, *bands(settings.paragraph_threshold))
    rows = bucket_array(buckets[np.searchsorted(distinct, firsts)], numbers, len(segments.words))
    return list_array(segments.borders, rows)
