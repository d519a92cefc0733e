"""What `dedup.prepare.batch` gives back: the columns of a prepared batch, and how what is found becomes arrays of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, chain
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.arrays import I64, U32, encode_utf8
from dedup.findings import Finding
from dedup.fingerprint.minhash import bands
from dedup.repeats.justify import Repeat
from dedup.segment.batch import DIGEST_BYTES, Segments
from dedup.settings import Settings

FINDING_STRUCT = pa.struct(
    [
        ("rule", pa.string()),
        ("action", pa.string()),
        ("start", pa.int64()),
        ("stop", pa.int64()),
        ("replacement", pa.large_binary()),
        ("evidence", pa.string()),
    ]
)

REPEAT_STRUCT = pa.struct(
    [
        ("rule", pa.string()),
        ("first", pa.int64()),
        ("last", pa.int64()),
        ("twin_start", pa.int64()),
        ("twin_stop", pa.int64()),
        ("similarity", pa.float64()),
        ("evidence", pa.string()),
    ]
)

# start:stop in the repaired text, raw_start:raw_stop in the raw one, key_start:key_stop in the article's key; a
# paragraph dropped as a repeat has an empty key. `size` is `dedup.segment.words.weighted_word_count` its words. One that stays for a
# dropped one is `needed`: `IN_RUN`, or by itself `ALONE`.
PARAGRAPH_STRUCT = pa.struct(
    [
        ("start", pa.int64()),
        ("stop", pa.int64()),
        ("raw_start", pa.int64()),
        ("raw_stop", pa.int64()),
        ("key_start", pa.int64()),
        ("key_stop", pa.int64()),
        ("words", pa.int32()),
        ("size", pa.float32()),
        ("needed", pa.int8()),
        ("digest", pa.binary(DIGEST_BYTES)),
    ]
)


def prepared_schema(settings: Settings) -> pa.Schema:
    """The schema of a prepared batch: one row per input record; those that cannot be read have an `error`."""
    return pa.schema(
        [
            ("source", pa.string()),
            ("record", pa.int64()),
            ("error", pa.string()),
            ("data", pa.large_binary()),  # the record as it came in, where it cannot be read
            ("fields", pa.large_binary()),  # the record's other fields, with null in place of its text
            ("id", pa.large_binary()),
            ("text_field", pa.string()),
            ("id_field", pa.string()),
            ("date_field", pa.string()),
            ("source_field", pa.string()),
            ("text", pa.large_binary()),  # raw
            ("characters", pa.int64()),  # of the raw text
            ("date", pa.int64()),  # microseconds since 1970
            ("host", pa.large_binary()),
            ("length", pa.int64()),  # of the text compared, in code points
            ("key", pa.large_binary()),  # comparison key of the text compared
            ("digest", pa.binary(DIGEST_BYTES)),
            ("words", pa.int64()),
            ("buckets", pa.list_(pa.uint32(), bands(settings.threshold)[0])),
            ("minimizers", pa.list_(pa.uint64())),
            ("findings", pa.list_(FINDING_STRUCT)),
            ("repeats", pa.list_(REPEAT_STRUCT)),
            ("paragraphs", pa.list_(PARAGRAPH_STRUCT)),
            ("paragraph_buckets", pa.list_(pa.list_(pa.uint32(), bands(settings.paragraph_threshold)[0]))),
        ]
    )


def paragraph_array(
    found: Segments, needed: npt.NDArray[np.int8], keyed: list[bytes], raw: tuple[I64, I64]
) -> pa.Array:
    """The paragraphs of each text; `keyed` are the digests of their keys, `raw` their places in the raw text."""
    start_of_key = np.repeat(found.key_borders[:-1], np.diff(found.borders))
    values = {
        "start": found.starts,
        "stop": found.stops,
        "raw_start": raw[0],
        "raw_stop": raw[1],
        "key_start": found.key_starts - start_of_key,
        "key_stop": found.key_stops - start_of_key,
        "words": found.words.astype(np.int32),
        "size": found.sizes.astype(np.float32),
        "needed": needed,
    }
    arrays = [*map(pa.array, values.values()), fixed_array(keyed, DIGEST_BYTES)]
    return list_array(found.borders, pa.StructArray.from_arrays(arrays, fields=list(PARAGRAPH_STRUCT)))


def integer_array(values: I64, valid: npt.NDArray[np.bool_]) -> pa.Array:
    """`values`, null where not `valid`."""
    return pa.array(values, mask=~valid)


def fixed_array(values: list[bytes], size: int, valid: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Byte strings of equal `size`, null where not `valid`."""
    bits = None if valid is None else pa.array(valid).buffers()[1]
    data = pa.py_buffer(b"".join(values))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(size), len(values), [bits, data])


def key_array(found: Segments, valid: npt.NDArray[np.bool_]) -> pa.Array:
    """The comparison keys of the texts, null where not `valid`."""
    buffers = [pa.array(valid).buffers()[1], pa.py_buffer(found.key_borders), pa.py_buffer(found.keys)]
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(valid), buffers)


def list_array(borders: I64, values: pa.Array) -> pa.Array:
    """`values` as lists that end at `borders`."""
    return pa.ListArray.from_arrays(pa.array(borders, pa.int32()), values)


def _borders(rows: Sequence[Sequence[Any]]) -> I64:
    return np.array([0, *accumulate(map(len, rows))], np.int64)


def finding_array(rows: Sequence[Sequence[Finding]]) -> pa.Array:
    """The findings of each text."""
    flat_array = list(chain.from_iterable(rows))
    columns = dict(zip(Finding._fields, zip(*flat_array, strict=True), strict=True)) if flat_array else {}
    if flat_array:
        columns["replacement"] = tuple(None if text is None else encode_utf8(text) for text in columns["replacement"])
    arrays = [pa.array(columns.get(field.name, ()), field.type) for field in FINDING_STRUCT]
    return list_array(_borders(rows), pa.StructArray.from_arrays(arrays, fields=list(FINDING_STRUCT)))


def repeat_array(rows: Sequence[Sequence[Repeat]]) -> pa.Array:
    """The repeats of each text."""
    wanted = itemgetter(*(Repeat._fields.index(field.name) for field in REPEAT_STRUCT))
    return list_array(_borders(rows), _struct([wanted(row) for row in chain.from_iterable(rows)], REPEAT_STRUCT))


def _struct(rows: Sequence[tuple[Any, ...]], struct: pa.StructType) -> pa.Array:
    columns = zip(*rows, strict=True) if rows else ((),) * len(list(struct))
    arrays = [pa.array(column, field.type) for column, field in zip(columns, struct, strict=True)]
    return pa.StructArray.from_arrays(arrays, fields=list(struct))


def bucket_array(made: U32, rows: I64, count: int) -> pa.Array:
    """`made` at `rows`, null elsewhere: a fixed-size list array of `count` rows."""
    bands = made.shape[1]
    values = np.zeros((count, bands), np.uint32)
    values[rows] = made
    known = np.zeros(count, bool)
    known[rows] = True
    bits = pa.py_buffer(np.packbits(known, bitorder="little").tobytes())
    # `from_arrays` would import all of pyarrow.compute for its mask, in every process.
    return pa.Array.from_buffers(pa.list_(pa.uint32(), bands), count, [bits], children=[pa.array(values.ravel())])


def flat_array(column: pa.ChunkedArray | pa.Array) -> Any:
    """One array of a column, chunks joined."""
    if isinstance(column, pa.ChunkedArray):
        return pa.concat_arrays(column.chunks) if column.num_chunks != 1 else column.chunk(0)
    return column


def integer_values(column: pa.ChunkedArray | pa.Array, missing: int = 0) -> I64:
    """A column of integers as int64, null as `missing`."""
    filled = flat_array(column).fill_null(missing) if column.null_count else flat_array(column)
    return np.asarray(filled.to_numpy(zero_copy_only=False), np.int64)


def digest_values(column: pa.ChunkedArray | pa.Array) -> Any:
    """A column of 16-byte digests as numpy ``V16`` (all zero where null)."""
    array = flat_array(column)
    if array.null_count:
        array = array.fill_null(bytes(16))
    data = np.frombuffer(array.buffers()[1], np.uint8)[array.offset * 16 : (array.offset + len(array)) * 16]
    return data.view("V16")
