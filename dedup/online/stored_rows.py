"""The stored form of an article: its row of a prepared batch, and the hashes by which new articles find it.

The batch index stores raw texts and computes the rest again, because it has to be small. An online index has to read a
possible twin in a fraction of a millisecond, so its rows hold all that matching needs. Compressed, a press release
takes one and a half times the bytes of its text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, U64, Bools, decode_utf8, encode_utf8
from dedup.index.postings import (
    Lookup,
    PostedBatch,
    lookup_of_posted,
    minimizer_postings,
    postings_of,
    stored_postings,
)
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
    return pack_row(_with_columns(row, {name: _null_column(row.schema.field(name).type) for name in _NOT_COMPARED}))


def pack_row(row: pa.RecordBatch) -> bytes:
    """Return a row of any schema as compressed bytes, which `decode_rows` reads."""
    data = row.serialize()
    codec = pa.Codec("zstd", compression_level=_ROW_LEVEL)
    return len(data).to_bytes(_SIZE_BYTES, "little") + bytes(codec.compress(data, asbytes=True))


def decode_rows(rows: Sequence[bytes], schema: pa.Schema) -> pa.RecordBatch:
    """Return one row or more with the schema `schema` as one batch, in order."""
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
    return _with_columns(row, {name: pa.array([value], row.schema.field(name).type) for name, value in values.items()})


def _with_columns(row: pa.RecordBatch, columns: Mapping[str, pa.Array]) -> pa.RecordBatch:
    """Return a row with other `columns`, by name."""
    arrays = row.columns
    for name, array in columns.items():
        arrays[row.schema.get_field_index(name)] = array
    return pa.record_batch(arrays, schema=row.schema)


@cache
def _null_column(kind: pa.DataType) -> pa.Array:
    """Return a column of one null."""
    return pa.nulls(1, kind)


def article_id(row: pa.RecordBatch) -> str:
    """Return the id of the article in a row."""
    return decode_utf8(row.column("id")[0].as_py())


def id_key(name: str) -> bytes:
    """Return the bytes by which a store finds the articles of an id."""
    return encode_utf8(name)


def stored_host(row: pa.RecordBatch) -> str | None:
    """Return the host of the article in a row, None if it is unknown."""
    host = row.column("host")[0].as_py()
    return None if host is None else decode_utf8(host)


def line_digests_of(row: pa.RecordBatch) -> list[bytes]:
    """Return the digests of the lines of the article in a row, each once, without those of lines without words."""
    members = row.column("paragraphs").flatten()
    has_word = np.asarray(members.field("words")) > 0
    return list(dict.fromkeys(members.field("digest").filter(pa.array(has_word)).to_pylist()))


def has_words(row: pa.RecordBatch) -> bool:
    """Return True if the article in a row has a word, so that another one can repeat it."""
    return bool(integer_values(row.column("words"))[0])


def marked_row(row: pa.RecordBatch, *, survives: bool, contains: bool, paragraphs: Bools) -> pa.RecordBatch:
    """Return the row of a kept article, changed for comparisons with later articles.

    A duplicate that is only flagged does not survive: its row has no buckets, so only an equal article matches it. A
    row that may not contain others has no own words. Where `paragraphs`, bool [paragraphs], is False, a paragraph has
    no words. Returns `row` itself if nothing changes.
    """
    if survives and contains and paragraphs.all():
        return row
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


class RowHashes(NamedTuple):
    """The hashes of the article in a row: those under which a store keeps it, uint64 [hashes], ascending, and a lookup.

    The lookup finds articles that it may repeat, and those that may contain it.
    """

    stored: U64
    wanted: Lookup


def hash_row(row: pa.RecordBatch, settings: Settings, backend: Backend) -> RowHashes:
    """Return the hashes of the article in a row."""
    posted = PostedBatch(row, settings, backend)
    wanted = lookup_of_posted([posted])
    minimizers = np.unique(minimizer_postings(_minimizers(row, settings)))
    stored = np.unique(np.concatenate([stored_postings(posted).hashes, minimizers]))
    if not len(minimizers):
        return RowHashes(stored, wanted)
    group = len(wanted.required)
    hashes = np.concatenate([wanted.hashes, minimizers])
    groups = np.concatenate([wanted.groups, np.full(len(minimizers), group)])
    order = np.argsort(hashes, kind="stable")
    enough = max(1, int(SHARED_MINIMIZERS * len(minimizers)))
    return RowHashes(stored, Lookup(hashes[order], groups[order], np.append(wanted.required, enough)))


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
