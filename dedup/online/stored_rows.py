"""The stored form of an article: its row of a prepared batch, and the hashes by which new articles find it.

The batch index stores raw texts and computes the rest again, because it has to be small. An online index has to read a
possible twin in a fraction of a millisecond, so its rows hold all that matching needs. Compressed, a press release
takes one and a half times the bytes of its text.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, U64, Bools, decode_utf8, encode_utf8
from dedup.index.postings import Lookup, lookup_of, minimizer_postings, postings_of
from dedup.kernels.backend import Backend
from dedup.match.container_candidates import SHARED_MINIMIZERS
from dedup.online.stores import Addition
from dedup.prepare.batch import CONTAINED_WORDS
from dedup.prepare.columns import bucket_array, integer_values, list_array
from dedup.rules import OFF
from dedup.settings import Settings

SOURCE = "index"  # of each article in an online index; its number identifies it
_SIZE_BYTES = 4  # before the compressed row: its size without compression
_ROW_LEVEL = 1  # of zstd: a row of 11,000 bytes takes 3,900 and 0.04 ms to write, 0.03 ms to read
_NOT_COMPARED = ("data", "fields", "charset", "page")  # columns that only the output of a run needs


def encode_row(row: pa.RecordBatch) -> bytes:
    """Return a row of a prepared batch as bytes, which `decode_rows` reads."""
    names = row.schema.names
    for name in _NOT_COMPARED:
        place = names.index(name)
        row = row.set_column(place, row.schema.field(place), pa.nulls(1, row.schema.field(place).type))
    data = row.serialize()
    codec = pa.Codec("zstd", compression_level=_ROW_LEVEL)
    return len(data).to_bytes(_SIZE_BYTES, "little") + bytes(codec.compress(data, asbytes=True))


def decode_rows(rows: list[bytes], schema: pa.Schema) -> pa.RecordBatch:
    """Return one row or more as one prepared batch with the schema `schema`, in order."""
    codec = pa.Codec("zstd")
    batches = []
    for data in rows:
        size = int.from_bytes(data[:_SIZE_BYTES], "little")
        batches.append(pa.ipc.read_record_batch(codec.decompress(data[_SIZE_BYTES:], size), schema))
    return pa.concat_batches(batches) if len(batches) > 1 else batches[0]


def with_place(row: pa.RecordBatch, number: int) -> pa.RecordBatch:
    """Return a row with the source and number of an online index, which are also its id if it has none."""
    values: dict[str, Any] = {"source": SOURCE, "record": number}
    if not row.column("id_field")[0].is_valid:
        values["id"] = encode_utf8(f"{SOURCE}#{number}")
    for name, value in values.items():
        place = row.schema.get_field_index(name)
        row = row.set_column(place, row.schema.field(place), pa.array([value], row.schema.field(place).type))
    return row


def article_id(row: pa.RecordBatch) -> str:
    """Return the id of the article in a row."""
    return decode_utf8(row.column("id")[0].as_py())


def id_key(name: str) -> bytes:
    """Return the bytes by which a store finds the articles of an id."""
    return encode_utf8(name)


def has_words(row: pa.RecordBatch) -> bool:
    """Return True if the article in a row has a word, so that another one can repeat it."""
    return bool(integer_values(row.column("words"))[0])


def marked_row(row: pa.RecordBatch, *, survives: bool, contains: bool, paragraphs: Bools) -> pa.RecordBatch:
    """Return the row of a kept article, changed for comparisons with later articles.

    A duplicate that is only flagged does not survive: its row has no buckets, so only an equal article matches it. A
    row that may not contain others has no own words. Where `paragraphs`, bool [paragraphs], is False, a paragraph has
    no words.
    """
    columns = {name: row.column(name) for name in row.schema.names}
    if not survives:
        bands = columns["buckets"].type.list_size
        columns["buckets"] = bucket_array(np.zeros((0, bands), np.uint32), np.empty(0, np.int64), 1)
    if not (survives and contains):
        columns["own_words"] = pa.array([0], pa.int64())
    if not paragraphs.all():
        members = columns["paragraphs"].flatten()
        fields = list(members.type)
        arrays = [
            pa.array(np.where(paragraphs, np.asarray(members.field("words")), 0), pa.int32())
            if field.name == "words"
            else members.field(field.name)
            for field in fields
        ]
        offsets: I64 = np.array([0, len(members)])
        columns["paragraphs"] = list_array(offsets, pa.StructArray.from_arrays(arrays, fields=fields))
    return pa.record_batch(list(columns.values()), schema=row.schema)


def row_hashes(row: pa.RecordBatch, settings: Settings, backend: Backend) -> U64:
    """Return the hashes under which a store keeps the article in a row: uint64 [hashes], ascending."""
    postings = postings_of(row, settings, backend).hashes
    return np.unique(np.concatenate([postings, minimizer_postings(_minimizers(row, settings))]))


def row_lookup(row: pa.RecordBatch, settings: Settings, backend: Backend) -> Lookup:
    """Return the lookup of the article in a row: for articles that it may repeat, and for those that may contain it."""
    wanted = lookup_of([row], settings, backend)
    minimizers = np.unique(minimizer_postings(_minimizers(row, settings)))
    if not len(minimizers):
        return wanted
    group = len(wanted.required)
    hashes = np.concatenate([wanted.hashes, minimizers])
    groups = np.concatenate([wanted.groups, np.full(len(minimizers), group)])
    order = np.argsort(hashes, kind="stable")
    enough = max(1, int(SHARED_MINIMIZERS * len(minimizers)))
    return Lookup(hashes[order], groups[order], np.append(wanted.required, enough))


def stored_additions(batch: pa.RecordBatch, settings: Settings, backend: Backend) -> list[Addition]:
    """Return the additions to a store for the articles of a prepared batch, without comparing them."""
    postings = postings_of(batch, settings, backend)
    order = np.argsort(postings.articles, kind="stable")
    borders = np.searchsorted(postings.articles[order], np.arange(batch.num_rows + 1))
    additions = []
    for number in range(batch.num_rows):
        row = batch.slice(number, 1)
        hashes = postings.hashes[order[borders[number] : borders[number + 1]]]
        hashes = np.unique(np.concatenate([hashes, minimizer_postings(_minimizers(row, settings))]))
        additions.append(Addition(id_key(article_id(row)), encode_row(row), hashes))
    return additions


def _minimizers(row: pa.RecordBatch, settings: Settings) -> U64:
    """Return the minimizers of an article that may be contained or contain another one: uint64 [minimizers]."""
    is_compared = settings.rules["contained-article"] != OFF
    if not is_compared or integer_values(row.column("own_words"))[0] < CONTAINED_WORDS:
        return np.empty(0, np.uint64)
    values: U64 = np.asarray(row.column("minimizers").flatten())
    return values
