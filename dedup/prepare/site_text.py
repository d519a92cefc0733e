"""Site text taken out of prepared articles, so that they are compared by what is theirs.

The search for site text needs counts over the whole corpus, so it comes after `dedup.prepare.batch`. Here its result is
stored in a prepared batch. The articles that lose lines are fingerprinted anew without them, as
`dedup.prepare.resegment` does it for repeats within an article. Other articles stay as they are.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, Bools, encode_utf8, offsets_of, pack
from dedup.findings import DROP
from dedup.kernels import reference
from dedup.kernels.backend import Backend
from dedup.prepare.batch import compare_by
from dedup.prepare.columns import (
    PARAGRAPH_STRUCT,
    SITE_TEXT_STRUCT,
    binary_array,
    bucket_array,
    integer_array,
    integer_values,
    list_array,
)
from dedup.prepare.compared_texts import numbers_beside_prose, repaired_texts
from dedup.prepare.one_text import cut_spans
from dedup.prepare.resegment import clear_dropped
from dedup.repairs.markup import markup_length
from dedup.segment.batch import DIGEST_BYTES, Segments
from dedup.settings import Settings

# The lines of site text of a batch, ordered by row and paragraph; `row` is that of the article in the batch.
SITE_TEXT_SCHEMA_OF_BATCH = pa.schema([("row", pa.int64()), *SITE_TEXT_STRUCT])


def take_out_site_text(
    batch: pa.RecordBatch, site_text: pa.RecordBatch, settings: Settings, backend: Backend = reference
) -> pa.RecordBatch:
    """Return the prepared `batch` with its lines of site text, and compared by what is left where they are dropped.

    `site_text` has the schema `SITE_TEXT_SCHEMA_OF_BATCH`. Lines that are only flagged stay in the comparison.
    """
    rows, lines = site_text.column("row"), site_text.columns[1:]
    counts = np.bincount(np.asarray(rows), minlength=batch.num_rows)
    structs = pa.StructArray.from_arrays(lines, fields=list(SITE_TEXT_STRUCT))
    batch = _set_columns(batch, {"site_text": list_array(offsets_of(counts), structs)})
    changed = np.unique(np.asarray(rows)[are_drops(site_text.column("action"))])
    if not len(changed):
        return batch
    columns = compare_without_site_text(batch.take(pa.array(changed)), settings, backend)
    return _set_columns(
        batch, {name: _put_rows(batch.column(name), changed, column) for name, column in columns.items()}
    )


def compare_without_site_text(articles: pa.RecordBatch, settings: Settings, backend: Backend) -> dict[str, pa.Array]:
    """Return the columns that change in prepared `articles` whose column ``site_text`` has been set.

    Pages are compared by their prose, and so are their paragraphs.
    """
    segments = _segments_of(articles)
    is_left_out = _dropped_lines(articles, segments)
    for row, numbers in numbers_beside_prose(articles).items():
        is_left_out[segments.borders[row] + np.array(numbers, np.int64)] = True
    segments = clear_dropped(segments, is_left_out, backend)
    texts, removed = zip(*repaired_texts(articles, settings.rules), strict=True)
    compared = [cut_spans(text, spans) for text, spans in zip(texts, removed, strict=True)]
    lengths = [len(text) - (markup_length(text) if "<" in text else 0) for text in compared]
    readable = np.ones(articles.num_rows, bool)
    hashes = backend.word_hashes(segments.keys, segments.key_offsets)
    packed = pack(list(map(encode_utf8, texts)))
    digests, columns = compare_by(texts, packed, segments, hashes, readable, settings, backend)
    columns["length"] = integer_array(np.array(lengths, np.int64), readable)
    columns["paragraphs"] = _clear_paragraphs(articles.column("paragraphs"), segments, digests)
    return columns


def _segments_of(articles: pa.RecordBatch) -> Segments:
    """Return the paragraphs of prepared articles as `dedup.segment.batch.segment_batch` returns them."""
    paragraphs = articles.column("paragraphs").flatten()
    counts = np.asarray(articles.column("paragraphs").value_lengths(), np.int64)
    keys = articles.column("key")
    buffer = np.frombuffer(keys.buffers()[2] or b"", np.uint8)
    key_offsets = np.frombuffer(keys.buffers()[1], np.int64)[keys.offset : keys.offset + len(keys) + 1]
    text_key_starts = np.repeat(key_offsets[:-1] - key_offsets[0], counts)
    return Segments(
        borders=offsets_of(counts),
        starts=integer_values(paragraphs.field("start")),
        stops=integer_values(paragraphs.field("stop")),
        key_starts=integer_values(paragraphs.field("key_start")) + text_key_starts,
        key_stops=integer_values(paragraphs.field("key_stop")) + text_key_starts,
        words=integer_values(paragraphs.field("words")),
        sizes=np.asarray(paragraphs.field("size"), np.float64),
        keys=buffer[key_offsets[0] : key_offsets[-1]],
        key_offsets=key_offsets - key_offsets[0],
    )


def are_drops(actions: pa.Array) -> Bools:
    """Return which of `actions`, a column of names, are to drop: bool [rows]."""
    return np.array([action == DROP for action in actions.to_pylist()], bool)


def _dropped_lines(articles: pa.RecordBatch, segments: Segments) -> Bools:
    """Return which paragraphs are dropped as site text: bool [paragraphs]."""
    is_dropped = np.zeros(len(segments.starts), bool)
    lines = articles.column("site_text").flatten()
    counts = np.asarray(articles.column("site_text").value_lengths(), np.int64)
    numbers = integer_values(lines.field("paragraph")) + np.repeat(segments.borders[:-1], counts)
    is_dropped[numbers[are_drops(lines.field("action"))]] = True
    return is_dropped


def _clear_paragraphs(paragraphs: pa.ListArray, segments: Segments, digests: list[bytes]) -> pa.Array:
    """Return the column `paragraphs` with the keys, words and `digests` of `segments`; other members stay."""
    values = paragraphs.flatten()
    text_key_starts = np.repeat(segments.key_offsets[:-1], np.diff(segments.borders))
    members = {field.name: values.field(field.name) for field in PARAGRAPH_STRUCT}
    members |= {
        "key_start": pa.array(segments.key_starts - text_key_starts),
        "key_stop": pa.array(segments.key_stops - text_key_starts),
        "words": pa.array(segments.words.astype(np.int32)),
        "size": pa.array(segments.sizes.astype(np.float32)),
        "digest": binary_array(digests, DIGEST_BYTES),
    }
    return list_array(
        segments.borders, pa.StructArray.from_arrays(list(members.values()), fields=list(PARAGRAPH_STRUCT))
    )


def _set_columns(batch: pa.RecordBatch, columns: dict[str, pa.Array]) -> pa.RecordBatch:
    """Return `batch` with other values in some of its columns."""
    arrays = [columns.get(name, batch.column(name)) for name in batch.schema.names]
    return pa.record_batch(arrays, schema=batch.schema)


def _put_rows(column: pa.Array, rows: I64, values: pa.Array) -> pa.Array:
    """Return `column` with `values` at `rows`, int64 [values]."""
    if len(rows) == len(column):
        return values
    order = np.arange(len(column))
    order[rows] = len(column) + np.arange(len(rows))
    joined = pa.concat_arrays([column, values])
    if pa.types.is_fixed_size_list(column.type):
        return _take_buckets(joined, order)
    if pa.types.is_list(column.type) and pa.types.is_fixed_size_list(column.type.value_type):
        counts = np.asarray(joined.value_lengths(), np.int64)
        starts, counts = offsets_of(counts)[order], counts[order]
        offsets = offsets_of(counts)
        places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], counts)
        return list_array(offsets, _take_buckets(joined.flatten(), places))
    return joined.take(pa.array(order))


def _take_buckets(buckets: pa.FixedSizeListArray, places: I64) -> pa.Array:
    """Return the rows `places`, int64, of `buckets`; unlike Arrow's own, rows that are null hold zeros."""
    valid = np.asarray(buckets.is_valid())[places]
    values = np.asarray(buckets.values).reshape(len(buckets), buckets.type.list_size)
    return bucket_array(values[places[valid]], np.flatnonzero(valid), len(places))
