"""The columns of a prepared batch: their schema, and the conversions between them and Python values or numpy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.arrays import I64, U32, Bools, encode_utf8, offsets_of
from dedup.findings import Finding
from dedup.fingerprint.minhash import bands
from dedup.repeats.split_paragraphs import Repeat
from dedup.segment.batch import DIGEST_BYTES, Segments
from dedup.settings import Settings
from dedup.site_text.line_forms import LineForms

# One finding of the text level. Spans are half-open, in code points.
FINDING_STRUCT = pa.struct(
    [
        ("rule", pa.string()),  # name of the rule
        ("action", pa.string()),  # "fix", "drop" or "flag"
        ("start", pa.int64()),  # start of the span in the raw text
        ("stop", pa.int64()),  # end of that span
        ("replacement", pa.large_binary()),  # UTF-8; null for a flag
        ("evidence", pa.string()),  # what the rule saw, in a few words
    ]
)

# One repeat within an article: a run of paragraphs that repeats a span of the repaired text.
REPEAT_STRUCT = pa.struct(
    [
        ("rule", pa.string()),  # name of the rule
        ("first", pa.int64()),  # number of the first paragraph of the run, within the article
        ("last", pa.int64()),  # number of the last paragraph of the run, inclusive
        ("twin_start", pa.int64()),  # start of the repeated span in the repaired text, in code points
        ("twin_stop", pa.int64()),  # end of that span
        ("similarity", pa.float64()),  # exact Jaccard similarity, 0 to 1
        ("evidence", pa.string()),  # which paragraphs are repeated
    ]
)

# One line of site text: a paragraph that repeats a row of the table `dedup.output_layout.SITE_TEXT`.
SITE_TEXT_STRUCT = pa.struct(
    [
        ("paragraph", pa.int64()),  # its number within the article
        ("line", pa.int64()),  # number of the row in that table
        ("host", pa.large_binary()),  # host of the row, UTF-8; null for a line of the whole corpus
        ("size", pa.int64()),  # length of the row's text, in code points
        ("action", pa.string()),  # "drop", or "flag" for a line that stays
        ("evidence", pa.string()),  # what was counted
    ]
)

# One paragraph. Spans of texts are half-open, in code points; spans of keys are half-open, in bytes. A paragraph that
# is dropped as a repeat or as site text has an empty key.
PARAGRAPH_STRUCT = pa.struct(
    [
        ("start", pa.int64()),  # start of its span in the repaired text
        ("stop", pa.int64()),  # end of that span
        ("raw_start", pa.int64()),  # start of its span in the raw text
        ("raw_stop", pa.int64()),  # end of that span
        ("key_start", pa.int64()),  # start of its key in the article's key
        ("key_stop", pa.int64()),  # end of its key
        ("words", pa.int32()),  # number of words in its key
        ("size", pa.float32()),  # the same as `dedup.segment.words.weighted_word_count` counts words
        ("needed", pa.int8()),  # its role as a twin of dropped paragraphs: see `dedup.prepare.one_text.twin_roles`
        ("digest", pa.binary(DIGEST_BYTES)),  # of its key and its facts: see `dedup.segment.digests`
        ("form", pa.int64()),  # what its line looks like, a bit field: see `dedup.site_text.line_forms`
        ("frame", pa.int64()),  # hash of its words without what changes from article to article; 0 for none
    ]
)


def prepared_schema(settings: Settings) -> pa.Schema:
    """Return the schema of a prepared batch, which has one row per input record.

    An unreadable record has an `error` and `data`; its other columns are null or empty. An article has no `error` and
    no `data`. The compared text is the raw text after the rules of the text level and those within an article, without
    the lines of site text that are dropped.

    Columns that come with the record:
        source: path of the input file, relative to the given input.
        record: number of the record in its file, from 0.
        error: why the record cannot be read.
        data: the bytes of an unreadable record.
        fields: the fields of the article as a JSON object, with null in place of the text, or with the lengths of its
            paragraphs if the text is a list of them.
        id: id of the article, UTF-8.
        text_field, id_field, date_field, source_field: names of the fields that text, id, date and host come from.
            Null if there is no such field.
        text: raw text, UTF-8 with lone surrogates.
        characters: length of the raw text, in code points.
        date: microseconds since 1970, UTC; null if unknown.
        host: host or source of the article, UTF-8; null if unknown.
        title: title of the article, UTF-8; null if it has none.
        charset: the charset that the record was decoded from; null if it was UTF-8.
        page: what the provenance says about the page that the text was extracted from, a JSON object; null if none.

    Columns computed from the text:
        length: length of the compared text without its markup, in code points.
        key: comparison key of the compared text, UTF-8.
        digest: digest of the key and the facts, `DIGEST_BYTES` bytes: see `dedup.segment.digests`.
        words: number of words in the key.
        buckets: bucket of the article in each band; null if it is too short to have shingles.
        own_words: number of words in the key without the notices at the end of the text (`dedup.repairs.notices`).
        own_key: bytes of the key without these notices.
        minimizers: 64-bit hashes of the minimizers of the article without these notices, ascending.
        findings: findings of the text level, in order (`FINDING_STRUCT`).
        repeats: repeats within the article, in order (`REPEAT_STRUCT`).
        site_text: lines of site text, in order (`SITE_TEXT_STRUCT`); none before the corpus is searched for them.
        paragraphs: paragraphs of the repaired text, or their parts where only a part repeats (`PARAGRAPH_STRUCT`).
        paragraph_buckets: for each paragraph its bucket in each band; null if it is too short to be compared.
    """
    return pa.schema(
        [
            ("source", pa.string()),
            ("record", pa.int64()),
            ("error", pa.string()),
            ("data", pa.large_binary()),
            ("fields", pa.large_binary()),
            ("id", pa.large_binary()),
            ("text_field", pa.string()),
            ("id_field", pa.string()),
            ("date_field", pa.string()),
            ("source_field", pa.string()),
            ("text", pa.large_binary()),
            ("characters", pa.int64()),
            ("date", pa.int64()),
            ("host", pa.large_binary()),
            ("title", pa.large_binary()),
            ("charset", pa.string()),
            ("page", pa.large_binary()),
            ("length", pa.int64()),
            ("key", pa.large_binary()),
            ("digest", pa.binary(DIGEST_BYTES)),
            ("words", pa.int64()),
            ("buckets", pa.list_(pa.uint32(), bands(settings.least_article_similarity)[0])),
            ("own_words", pa.int64()),
            ("own_key", pa.int64()),
            ("minimizers", pa.list_(pa.uint64())),
            ("findings", pa.list_(FINDING_STRUCT)),
            ("repeats", pa.list_(REPEAT_STRUCT)),
            ("site_text", pa.list_(SITE_TEXT_STRUCT)),
            ("paragraphs", pa.list_(PARAGRAPH_STRUCT)),
            ("paragraph_buckets", pa.list_(pa.list_(pa.uint32(), bands(settings.paragraph_threshold)[0]))),
        ]
    )


def paragraph_array(
    segments: Segments,
    twin_roles: npt.NDArray[np.int8],
    digests: list[bytes],
    raw_spans: tuple[I64, I64],
    line_forms: LineForms,
) -> pa.Array:
    """Return the column of the paragraphs of each text: a list array of `PARAGRAPH_STRUCT`.

    One value per paragraph of `segments`: `twin_roles`, int8; `digests`, `DIGEST_BYTES` bytes each;
    `raw_spans`, their starts and stops in the raw text, int64, in code points; and `line_forms`.
    """
    text_key_starts = np.repeat(segments.key_offsets[:-1], np.diff(segments.borders))
    values = {
        "start": segments.starts,
        "stop": segments.stops,
        "raw_start": raw_spans[0],
        "raw_stop": raw_spans[1],
        "key_start": segments.key_starts - text_key_starts,
        "key_stop": segments.key_stops - text_key_starts,
        "words": segments.words.astype(np.int32),
        "size": segments.sizes.astype(np.float32),
        "needed": twin_roles,
    }
    arrays = [*map(pa.array, values.values()), binary_array(digests, DIGEST_BYTES), *map(pa.array, line_forms)]
    return list_array(segments.borders, pa.StructArray.from_arrays(arrays, fields=list(PARAGRAPH_STRUCT)))


def integer_array(values: I64, valid: Bools) -> pa.Array:
    """Return `values`, int64 [rows], as an array that is null where `valid`, bool [rows], is False."""
    return pa.array(values, mask=~valid)


def binary_array(values: list[bytes], size: int, valid: Bools | None = None) -> pa.Array:
    """Return byte strings of `size` bytes as a fixed-size binary array, null where `valid`, bool [rows], is False."""
    validity = None if valid is None else pa.array(valid).buffers()[1]
    data = pa.py_buffer(b"".join(values))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(size), len(values), [validity, data])


def key_array(segments: Segments, valid: Bools) -> pa.Array:
    """Return the comparison keys of the texts as a binary array, null where `valid`, bool [texts], is False."""
    buffers = [pa.array(valid).buffers()[1], pa.py_buffer(segments.key_offsets), pa.py_buffer(segments.keys)]
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(valid), buffers)


def list_array(offsets: I64, values: pa.Array) -> pa.Array:
    """Return `values` cut into lists at `offsets`, int64 [lists + 1]."""
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)


def finding_array(findings: Sequence[Sequence[Finding]]) -> pa.Array:
    """Return the column of the findings of each text: a list array of `FINDING_STRUCT`."""
    rows = list(chain.from_iterable(findings))
    if not rows:
        return _empty_lists(FINDING_STRUCT, len(findings))
    columns = dict(zip(Finding._fields, zip(*rows, strict=True), strict=True))
    columns["replacement"] = tuple(None if text is None else encode_utf8(text) for text in columns["replacement"])
    arrays = [pa.array(columns[field.name], field.type) for field in FINDING_STRUCT]
    structs = pa.StructArray.from_arrays(arrays, fields=list(FINDING_STRUCT))
    return list_array(offsets_of(list(map(len, findings))), structs)


def repeat_array(repeats: Sequence[Sequence[Repeat]]) -> pa.Array:
    """Return the column of the repeats of each text: a list array of `REPEAT_STRUCT`."""
    members = itemgetter(*(Repeat._fields.index(field.name) for field in REPEAT_STRUCT))
    rows = [members(repeat) for repeat in chain.from_iterable(repeats)]
    if not rows:
        return _empty_lists(REPEAT_STRUCT, len(repeats))
    columns = zip(*rows, strict=True)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, REPEAT_STRUCT, strict=True)]
    structs = pa.StructArray.from_arrays(arrays, fields=list(REPEAT_STRUCT))
    return list_array(offsets_of(list(map(len, repeats))), structs)


def no_site_text(count: int) -> pa.Array:
    """Return the column `site_text` of `count` texts that have none."""
    return _empty_lists(SITE_TEXT_STRUCT, count)


@lru_cache(maxsize=64)
def _empty_lists(struct: pa.StructType, count: int) -> pa.Array:
    """Return a column of `count` empty lists of `struct`; in an index for single articles, most columns are that."""
    return list_array(np.zeros(count + 1, np.int64), pa.array([], struct))


def is_present(column: pa.Array) -> Bools:
    """Return whether each value of a column is not null: bool [rows]."""
    return np.asarray(column.is_valid()) if column.null_count else np.ones(len(column), bool)


def list_lengths(column: pa.ListArray) -> I64:
    """Return the length of each list of a column, 0 where it is null: int64 [rows]."""
    if column.null_count:
        return np.asarray(column.value_lengths().fill_null(0), np.int64)
    lengths: I64 = np.diff(np.asarray(column.offsets)).astype(np.int64)  # a twentieth of the time for few rows
    return lengths


def bucket_array(buckets: U32, rows: I64, count: int) -> pa.Array:
    """Return a fixed-size list array of `count` rows: `buckets` at `rows`, null elsewhere.

    `buckets` are uint32 [signed, bands], `rows` int64 [signed].
    """
    bands = buckets.shape[1]
    values = np.zeros((count, bands), np.uint32)
    values[rows] = buckets
    valid = np.zeros(count, bool)
    valid[rows] = True
    validity = pa.py_buffer(np.packbits(valid, bitorder="little").tobytes())
    # `from_arrays` would import all of pyarrow.compute for its mask, in every process.
    return pa.Array.from_buffers(pa.list_(pa.uint32(), bands), count, [validity], children=[pa.array(values.ravel())])


class StructLists:
    """The structs of a list-of-structs column, as tuples by row; `names` are the members to read, by default all."""

    def __init__(self, column: pa.ListArray, names: Sequence[str] | None = None) -> None:
        values = column.flatten()
        self.offsets = offsets_of(list_lengths(column)).tolist()
        self.values: list[tuple[Any, ...]] = []
        if not len(values):
            return
        members = values.flatten() if names is None else [values.field(name) for name in names]
        self.values = list(zip(*(member.to_pylist() for member in members), strict=True))

    def of(self, row: int) -> list[tuple[Any, ...]]:
        """Return the structs of `row`."""
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    def count(self, row: int) -> int:
        """Return the number of structs of `row`."""
        return int(self.offsets[row + 1] - self.offsets[row])


def join_chunks(column: pa.ChunkedArray | pa.Array) -> Any:
    """Return a column as one array, its chunks joined."""
    if isinstance(column, pa.ChunkedArray):
        return pa.concat_arrays(column.chunks) if column.num_chunks != 1 else column.chunk(0)
    return column


def integer_values(column: pa.ChunkedArray | pa.Array, missing: int = 0) -> I64:
    """Return a column of integers as int64 [rows], with `missing` where it is null."""
    joined = join_chunks(column)
    filled = joined.fill_null(missing) if joined.null_count else joined
    return np.asarray(filled.to_numpy(zero_copy_only=False), np.int64)


def digest_values(column: pa.ChunkedArray | pa.Array) -> Any:
    """Return a column of digests of `DIGEST_BYTES` bytes as numpy ``V16`` [rows], all zero where it is null."""
    array = join_chunks(column)
    if array.null_count:
        array = array.fill_null(bytes(DIGEST_BYTES))
    start, stop = array.offset * DIGEST_BYTES, (array.offset + len(array)) * DIGEST_BYTES
    return np.frombuffer(array.buffers()[1], np.uint8)[start:stop].view(f"V{DIGEST_BYTES}")
