"""The columns of an article that an index keeps, and a prepared batch computed from them again.

An article is kept as its raw text and the spans that repair, the rules within it and site text have changed. Its key,
digest, buckets and the like follow from these, as `dedup.prepare.batch` has computed them; a test compares both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from dedup.arrays import Bools, decode_utf8, encode_utf8, offsets_of, pack
from dedup.findings import DROP, FIX
from dedup.kernels.backend import Backend
from dedup.prepare.batch import compare_by
from dedup.prepare.columns import (
    FINDING_STRUCT,
    PARAGRAPH_STRUCT,
    REPEAT_STRUCT,
    SITE_TEXT_STRUCT,
    binary_array,
    bucket_array,
    integer_values,
    join_chunks,
    list_array,
    no_site_text,
    prepared_schema,
)
from dedup.prepare.compared_texts import edited_text
from dedup.segment.batch import DIGEST_BYTES, Segments
from dedup.settings import Settings

_EDIT = pa.struct([("start", pa.int32()), ("stop", pa.int32()), ("replacement", pa.large_binary())])
_RUN = pa.struct([("first", pa.int32()), ("last", pa.int32())])
_PARAGRAPH = pa.struct(
    [
        ("start", pa.int32()),
        ("length", pa.int32()),
        ("raw_shift", pa.int32()),  # of its start in the raw text
        ("raw_growth", pa.int32()),  # how much longer it is there
        ("compared", pa.bool_()),  # with words, so no repeat within the article and no site text
        ("survives", pa.bool_()),  # it repeats no paragraph of an earlier article
    ]
)
STORED_SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("record", pa.int64()),
        ("id", pa.large_binary()),
        ("title", pa.large_binary()),
        ("text", pa.large_binary()),
        ("survives", pa.bool_()),  # it is no near-duplicate that was only flagged
        ("edits", pa.list_(_EDIT)),  # of repair, in order
        ("removed", pa.list_(_RUN)),  # runs of paragraphs that repeat others of the article, and are dropped
        ("site_text", pa.list_(pa.int32())),  # paragraphs that are dropped as site text
        ("paragraphs", pa.list_(_PARAGRAPH)),
    ]
)
_NO_PARAGRAPH = "\n\nx"  # behind a paragraph: with a blank line, its lines are one paragraph


def stored_articles(
    articles: pa.RecordBatch, survives: Bools, paragraph_survives: Bools, settings: Settings
) -> pa.RecordBatch:
    """Return prepared `articles`, all readable, as `STORED_SCHEMA` has them.

    `survives` is bool [articles], `paragraph_survives` bool [paragraphs].
    """
    findings, repeats, lines, paragraphs = (
        articles.column(name) for name in ("findings", "repeats", "site_text", "paragraphs")
    )
    members = paragraphs.flatten()
    start, stop, raw_start, raw_stop = (
        integer_values(members.field(name)) for name in ("start", "stop", "raw_start", "raw_stop")
    )
    columns = {
        "start": start,
        "length": stop - start,
        "raw_shift": raw_start - start,
        "raw_growth": (raw_stop - raw_start) - (stop - start),
        "compared": integer_values(members.field("words")) > 0,
        "survives": paragraph_survives,
    }
    structs = pa.StructArray.from_arrays(
        [pa.array(columns[field.name]).cast(field.type) for field in _PARAGRAPH], fields=list(_PARAGRAPH)
    )
    dropping = {rule for rule, action in settings.rules.items() if action == DROP}
    edits = _chosen(findings, lambda edit: edit["replacement"] is not None, ("start", "stop", "replacement"))
    runs = _chosen(repeats, lambda repeat: repeat["rule"] in dropping, ("first", "last"))
    dropped_lines = _chosen(lines, lambda line: line["action"] == DROP, ("paragraph",))
    arrays = {
        **{name: articles.column(name) for name in ("source", "record", "id", "title", "text")},
        "survives": pa.array(survives),
        "edits": pa.array(edits, STORED_SCHEMA.field("edits").type),
        "removed": pa.array(runs, STORED_SCHEMA.field("removed").type),
        "site_text": pa.array(
            [[line["paragraph"] for line in of_article] for of_article in dropped_lines], pa.list_(pa.int32())
        ),
        "paragraphs": list_array(_offsets(paragraphs), structs),
    }
    return pa.record_batch([arrays[name] for name in STORED_SCHEMA.names], schema=STORED_SCHEMA)


def _chosen(column: pa.ListArray, keep: Any, names: tuple[str, ...]) -> list[list[dict[str, Any]]]:
    """Return the members `names` of the structs that `keep` chooses, by row."""
    return [[{name: row[name] for name in names} for row in rows if keep(row)] for rows in column.to_pylist()]


def _offsets(column: pa.ListArray) -> Any:
    """Return where each list starts in the flattened column: int64 [lists + 1]."""
    return offsets_of(np.asarray(column.value_lengths(), np.int64))


def prepare_stored(stored: pa.RecordBatch, settings: Settings, backend: Backend) -> pa.RecordBatch:
    """Return the prepared batch of stored articles, to be compared with new ones.

    Columns that matching does not read are null. A paragraph that does not survive has no words there: it is compared
    with nothing. An article that does not survive has no buckets, so only an equal one repeats it.
    """
    count = stored.num_rows
    texts = _repaired_texts(stored)
    segments, spans = _segments_of_stored(stored, texts, backend)
    packed = pack(list(map(encode_utf8, texts)))
    hashes = backend.word_hashes(segments.keys, segments.key_offsets)
    readable = np.ones(count, bool)
    digests, columns = compare_by(texts, packed, segments, hashes, readable, settings, backend)
    survives = np.asarray(stored.column("survives"))
    columns["own_words"] = pa.array(np.where(survives, integer_values(columns["own_words"]), 0))
    columns["buckets"] = _without_buckets(columns["buckets"], survives)
    arrays: dict[str, pa.Array] = {
        **{name: stored.column(name) for name in ("source", "record", "id", "title", "text")},
        **columns,
        "characters": pa.array([len(decode_utf8(raw)) for raw in stored.column("text").to_pylist()], pa.int64()),
        "findings": _filled_structs(stored.column("edits"), FINDING_STRUCT, {"action": FIX}),
        "repeats": _filled_structs(stored.column("removed"), REPEAT_STRUCT, {"rule": _dropping_rule(settings)}),
        "site_text": _site_text(stored.column("site_text")),
        "paragraphs": _paragraphs(segments, spans, digests),
    }
    schema = prepared_schema(settings)
    filled = [
        arrays[field.name].cast(field.type)
        if field.name in arrays and arrays[field.name].type != field.type
        else arrays.get(field.name, pa.nulls(count, field.type))
        for field in schema
    ]
    return pa.record_batch(filled, schema=schema)


def _repaired_texts(stored: pa.RecordBatch) -> list[str]:
    """Return the texts of stored articles as repair has left them, which the spans of their paragraphs are in."""
    return [
        edited_text(decode_utf8(raw), [(edit["start"], edit["stop"], edit["replacement"]) for edit in edits])
        for raw, edits in zip(stored.column("text").to_pylist(), stored.column("edits").to_pylist(), strict=True)
    ]


def paragraphs_of_stored(stored: pa.RecordBatch) -> set[str]:
    """Return the repaired texts of all paragraphs of stored articles, those of site text as well."""
    rows = zip(_repaired_texts(stored), stored.column("paragraphs").to_pylist(), strict=True)
    return {text[span["start"] : span["start"] + span["length"]] for text, spans in rows for span in spans}


def _without_buckets(buckets: pa.FixedSizeListArray, survives: Bools) -> pa.Array:
    """Return the column `buckets` with null for articles that do not survive: bool [articles]."""
    rows = np.flatnonzero(survives & np.asarray(buckets.is_valid()))
    values = np.asarray(buckets.values).reshape(len(buckets), buckets.type.list_size)
    return bucket_array(values[rows], rows, len(buckets))


def _dropping_rule(settings: Settings) -> str:
    """Return a rule within an article that drops, which all stored repeats stand for."""
    return next((name for name in ("repeated-block", "repeated-paragraph") if settings.rules[name] == DROP), "")


def _segments_of_stored(stored: pa.RecordBatch, texts: list[str], backend: Backend) -> tuple[Segments, dict[str, Any]]:
    """Return the paragraphs of stored articles with their keys, and the members of `_PARAGRAPH`.

    Each paragraph is segmented as a text by itself.
    """
    column = stored.column("paragraphs")
    members = column.flatten()
    spans: dict[str, Any] = {
        field.name: np.asarray(members.field(field.name).fill_null(0)) for field in list(_PARAGRAPH)[:4]
    } | {name: np.asarray(members.field(name)) for name in ("compared", "survives")}
    borders = _offsets(column)
    starts = spans["start"].astype(np.int64)
    stops = starts + spans["length"]
    owners = np.repeat(np.arange(len(texts)), np.diff(borders)).tolist()
    pieces = [
        encode_utf8(f"{texts[owner][start:stop]}{_NO_PARAGRAPH}" if compared else _NO_PARAGRAPH)
        for owner, start, stop, compared in zip(
            owners, starts.tolist(), stops.tolist(), spans["compared"].tolist(), strict=True
        )
    ]
    alone = backend.segment_batch(*pack(pieces))
    firsts = alone.borders[:-1]
    key_stops = np.where(spans["compared"], alone.key_stops[firsts], alone.key_starts[firsts])
    joined = backend.join_keys(alone.keys, alone.key_starts[firsts], key_stops, borders)
    words = np.where(spans["compared"], alone.words[firsts], 0)
    sizes = np.where(spans["compared"], alone.sizes[firsts], 0.0)
    segments = Segments(borders=borders, starts=starts, stops=stops, words=words, sizes=sizes, **joined._asdict())
    return segments, spans


def _paragraphs(segments: Segments, spans: dict[str, Any], digests: list[bytes]) -> pa.Array:
    """Return the column `paragraphs` of a prepared batch."""
    text_key_starts = np.repeat(segments.key_offsets[:-1], np.diff(segments.borders))
    raw_starts = segments.starts + spans["raw_shift"]
    values: dict[str, Any] = {
        "start": segments.starts,
        "stop": segments.stops,
        "raw_start": raw_starts,
        "raw_stop": raw_starts + spans["length"] + spans["raw_growth"],
        "key_start": segments.key_starts - text_key_starts,
        "key_stop": segments.key_stops - text_key_starts,
        "words": np.where(spans["survives"], segments.words, 0),
        "size": segments.sizes,
    }
    count = len(segments.starts)
    arrays = [
        binary_array(digests, DIGEST_BYTES)
        if field.name == "digest"
        else pa.array(values.get(field.name, np.zeros(count, np.int64))).cast(field.type, safe=False)
        for field in PARAGRAPH_STRUCT
    ]
    return list_array(segments.borders, pa.StructArray.from_arrays(arrays, fields=list(PARAGRAPH_STRUCT)))


def _filled_structs(column: pa.ListArray, struct: pa.StructType, constants: dict[str, str]) -> pa.Array:
    """Return a list column of `struct` with the members that `column` has, and `constants` in others."""
    column = join_chunks(column)
    members = column.flatten()
    known = {field.name for field in members.type}
    arrays = [
        members.field(field.name).cast(field.type)
        if field.name in known
        else pa.array([constants.get(field.name)] * len(members), field.type)
        for field in struct
    ]
    return list_array(_offsets(column), pa.StructArray.from_arrays(arrays, fields=list(struct)))


def _site_text(column: pa.ListArray) -> pa.Array:
    """Return the column `site_text` of a prepared batch; its lines are in no table any more."""
    paragraphs = column.flatten()
    if not len(paragraphs):
        return no_site_text(len(column))
    columns = {"paragraph": paragraphs.cast(pa.int64()), "action": pa.array([DROP] * len(paragraphs))}
    arrays = [columns.get(field.name, pa.nulls(len(paragraphs), field.type)) for field in SITE_TEXT_STRUCT]
    return list_array(_offsets(column), pa.StructArray.from_arrays(arrays, fields=list(SITE_TEXT_STRUCT)))
