"""Everything that is a pure function of one article: repair, segment, repeats, fingerprint.

`prepare` takes a batch of raw records and gives back one row per record with all that later stages need: the raw
text, the findings of the text level, the paragraphs, the repeats within the article, and the fingerprints by
which the corpus is searched. It runs wherever the articles are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from dedup import fields as record_fields
from dedup import fingerprint
from dedup.errors import RecordError
from dedup.fields import BadRecordError
from dedup.findings import Finding, Offsets, compose
from dedup.fingerprint import Comparer, encode
from dedup.furniture import furniture
from dedup.read import TEXT
from dedup.repairs import repair
from dedup.repeats import Repeat, within_article
from dedup.segment import comparison_key, cuts, paragraphs, size_of
from dedup.settings import ARTICLE_SHINGLE, PARAGRAPH_SHINGLE, Settings

DIGEST_BYTES = 16
IN_RUN, ALONE = 1, 2
# Paragraphs of fewer words are not compared across articles: headings, bylines and separators recur in any corpus.
SHARED_WORDS = 5
# Any run of 20 words that two articles share, 16 shingles, gives both a minimizer in common; shorter articles have
# none that would be sure to be found in a longer one.
CONTAINED_WINDOW = 16
CONTAINED_WORDS = CONTAINED_WINDOW + ARTICLE_SHINGLE - 1


class Layers(NamedTuple):
    """One text, level by level: what the text rules made of it, its paragraphs, and what repeats among them."""

    text: str
    findings: list[Finding]  # of the text level, spans in the raw text
    spans: Sequence[tuple[int, int]]  # of paragraphs, in `text`; of their pieces, where a part of one repeats
    keys: Sequence[str]  # of these
    repeats: list[Repeat]


def layers(raw: str, settings: Settings) -> Layers:
    """The levels below the corpus, for one raw text."""
    text, findings = repair(raw, settings)
    lines = furniture(text, settings)
    if lines:
        findings = compose(raw, findings, lines)
        text = _without(text, [(line.start, line.stop) for line in lines if line.action != "flag"])
    spans = paragraphs(text)
    keys = [comparison_key(text[start:stop]) for start, stop in spans]
    return Layers(text, findings, *within_article(text, spans, keys, settings))


def dropped_runs(found: Sequence[Repeat], settings: Settings) -> list[tuple[int, int]]:
    """The runs of paragraphs, as ``(first, last)``, that the rules within an article drop."""
    return sorted((one.first, one.last) for one in found if settings.rules[one.rule] == "drop")


def needed_by(found: Sequence[Repeat], settings: Settings) -> dict[int, int]:
    """The paragraphs that stay as twins of dropped ones: `IN_RUN` of several, or `ALONE`."""
    needed: dict[int, int] = {}
    for one in found:
        if settings.rules[one.rule] == "drop":
            for number in range(one.twin_first, one.twin_last + 1):
                needed[number] = max(needed.get(number, 0), IN_RUN if one.twin_last > one.twin_first else ALONE)
    return needed


def compared_text(raw: str, settings: Settings) -> str:
    """What of `raw` articles are compared by: the text after repair and the rules within an article."""
    made = layers(raw, settings)
    return _without(made.text, cuts(made.spans, dropped_runs(made.repeats, settings)))


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    position = 0
    pieces = []
    for start, stop in spans:
        pieces.append(text[position:start])
        position = stop
    return "".join((*pieces, text[position:]))


FINDINGS = pa.struct(
    [
        ("rule", pa.string()),
        ("action", pa.string()),
        ("start", pa.int64()),
        ("stop", pa.int64()),
        ("replacement", pa.large_binary()),
        ("evidence", pa.string()),
    ]
)

REPEATS = pa.struct(
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
# paragraph dropped as a repeat has an empty key. `size` is `dedup.segment.size_of` its words. One that stays for a
# dropped one is `needed`: `IN_RUN`, or by itself `ALONE`.
PARAGRAPHS = pa.struct(
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


def schema(settings: Settings) -> pa.Schema:
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
            ("buckets", pa.list_(pa.uint32(), settings.article_bands[0])),
            ("minimizers", pa.list_(pa.uint64())),
            ("findings", pa.list_(FINDINGS)),
            ("repeats", pa.list_(REPEATS)),
            ("paragraphs", pa.list_(PARAGRAPHS)),
            ("paragraph_buckets", pa.list_(pa.list_(pa.uint32(), settings.paragraph_bands[0]))),
        ]
    )


def prepare(batch: pa.RecordBatch, settings: Settings, comparer: Comparer = fingerprint) -> pa.RecordBatch:
    """One prepared row per record of `batch` (`dedup.read.RECORDS`), in its order.

    `comparer` makes the fingerprints, plain or compiled. Raises `RecordError` for a bad record where the settings
    say so.
    """
    rows = _Rows(settings)
    for source, kind, record, data, error in zip(*(column.to_pylist() for column in batch.columns), strict=True):
        try:
            if error:
                raise BadRecordError(error)  # noqa: TRY301 - damage found while reading ends like any other
            rows.add(source, record, *_record(kind, data, source, settings))
        except BadRecordError as problem:
            if settings.on_error == "fail":
                raise RecordError(
                    f"{source}#{record}: {problem}; mend this record, or leave out --on-error fail"
                ) from None
            rows.refuse(source, record, data, str(problem))
    return rows.batch(comparer)


def _record(kind: str, data: bytes, source: str, settings: Settings) -> tuple[record_fields.Fields, str, str | None]:
    """The fields of one record, its text, and the name of its text field."""
    if kind == TEXT:
        identity = record_fields.encode(record_fields.text_file_id(source))
        return {"id": identity, "text": record_fields.NULL}, record_fields.as_text(data), "text"
    found = record_fields.parse(data)
    name, text = record_fields.text_of(found, settings)
    if settings.format == "parquet" and not _encodable(text + "".join(found)):
        raise BadRecordError("a text or field name has a lone surrogate, which Parquet cannot hold; use --format jsonl")
    found[name] = record_fields.NULL
    return found, text, name


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


class _Rows:
    """Columns that grow by one row per record."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.schema = schema(settings)
        self.columns: dict[str, list[Any]] = {name: [] for name in self.schema.names}
        self.findings: list[list[Any]] = [[] for _ in FINDINGS]
        self.repeats: list[list[Any]] = [[] for _ in REPEATS]
        self.paragraphs: list[list[Any]] = [[] for _ in PARAGRAPHS]
        self.counts: dict[str, list[int]] = {"findings": [], "repeats": [], "paragraphs": []}

    def refuse(self, source: str, record: int, data: bytes, error: str) -> None:
        """A row for a record that cannot be read."""
        self._row({"source": source, "record": record, "data": data, "error": error}, 0, 0, 0)

    def add(self, source: str, record: int, found: record_fields.Fields, raw: str, text_field: str | None) -> None:
        """A row for an article."""
        settings = self.settings
        id_field, identity = record_fields.id_of(found, settings, source, record)
        date_field, date = record_fields.date_of(found, settings)
        source_field, host = record_fields.host_of(found, settings)
        made = layers(raw, settings)
        drops = dropped_runs(made.repeats, settings)
        key = self._paragraphs(made, drops)
        self._extend(self.findings, made.findings, FINDINGS)
        self._extend(self.repeats, made.repeats, REPEATS)
        removed = sum(stop - start for start, stop in cuts(made.spans, drops))
        row = {
            "source": source,
            "record": record,
            "fields": record_fields.join(found),
            "id": encode(identity),
            "text_field": text_field,
            "id_field": id_field,
            "date_field": date_field,
            "source_field": source_field,
            "text": encode(raw),
            "characters": len(raw),
            "date": date,
            "host": None if host is None else encode(host),
            "length": len(made.text) - removed,
            "key": key,
            "digest": digest(key),
            "words": key.count(b" ") + 1 if key else 0,
        }
        self._row(row, len(made.findings), len(made.repeats), len(made.spans))

    def _paragraphs(self, made: Layers, drops: Sequence[tuple[int, int]]) -> bytes:
        """Adds a row per paragraph; the key of the article without those dropped."""
        gone = {number for first, last in drops for number in range(first, last + 1)}
        offsets = Offsets(made.findings)
        needed = needed_by(made.repeats, self.settings)
        kept: list[bytes] = []
        position = 0
        for number, ((start, stop), key) in enumerate(zip(made.spans, made.keys, strict=True)):
            own = b"" if number in gone else encode(key)
            count = own.count(b" ") + 1 if own else 0
            values = (
                start,
                stop,
                *offsets.widen(start, stop),
                position,
                position + len(own),
                count,
                count if own.isascii() else size_of(key.split()),
                needed.get(number, 0),
                digest(own),
            )
            for column, value in zip(self.paragraphs, values, strict=True):
                column.append(value)
            if own:
                kept.append(own)
                position += len(own) + 1
        return b" ".join(kept)

    @staticmethod
    def _extend(columns: list[list[Any]], rows: Sequence[Any], struct: pa.StructType) -> None:
        for row in rows:
            for column, member in zip(columns, struct, strict=True):
                value = getattr(row, member.name)
                column.append(encode(value) if member.name == "replacement" and value is not None else value)

    def _row(self, row: dict[str, Any], findings: int, repeats_: int, paragraphs_: int) -> None:
        for name, column in self.columns.items():
            column.append(row.get(name))
        for name, count in (("findings", findings), ("repeats", repeats_), ("paragraphs", paragraphs_)):
            self.counts[name].append(count)

    def batch(self, comparer: Comparer) -> pa.RecordBatch:
        """All rows, with their fingerprints."""
        arrays = {
            "buckets": self._article_buckets(comparer),
            "minimizers": self._minimizers(comparer),
            "findings": self._nested("findings", _struct(self.findings, FINDINGS)),
            "repeats": self._nested("repeats", _struct(self.repeats, REPEATS)),
            "paragraphs": self._nested("paragraphs", _struct(self.paragraphs, PARAGRAPHS)),
            "paragraph_buckets": self._nested("paragraphs", self._paragraph_buckets(comparer)),
        }
        for field in self.schema:
            if field.name not in arrays:
                arrays[field.name] = pa.array(self.columns[field.name], field.type)
        return pa.record_batch([arrays[name] for name in self.schema.names], schema=self.schema)

    def _nested(self, name: str, values: pa.Array) -> pa.Array:
        offsets = pa.array([0, *accumulate(self.counts[name])], pa.int32())
        return pa.ListArray.from_arrays(offsets, values)

    def _minimizers(self, comparer: Comparer) -> pa.Array:
        keys = [key or b"" for key in self.columns["key"]]
        if self.settings.rules["contained-article"] == "off":
            keys = [b""] * len(keys)
        values, borders = comparer.minimizers(keys, ARTICLE_SHINGLE, CONTAINED_WINDOW)
        return pa.ListArray.from_arrays(pa.array(borders, pa.int32()), pa.array(values))

    def _article_buckets(self, comparer: Comparer) -> pa.Array:
        wanted = [
            row for row, words in enumerate(self.columns["words"]) if words is not None and words >= ARTICLE_SHINGLE
        ]
        if self.settings.rules["near-duplicate-article"] == "off":
            wanted = []
        keys = [self.columns["key"][row] for row in wanted]
        made = fingerprint.buckets(comparer.sketches(keys, ARTICLE_SHINGLE), *self.settings.article_bands)
        return _bucket_array(made, wanted, len(self.columns["words"]))

    def _paragraph_buckets(self, comparer: Comparer) -> pa.Array:
        """Buckets of the paragraphs long enough to be compared; equal ones are signed once."""
        words, digests = self.paragraphs[-4], self.paragraphs[-1]
        wanted = [at for at, count in enumerate(words) if count >= SHARED_WORDS]
        if self.settings.rules["shared-paragraph"] == "off":
            wanted = []
        first: dict[bytes, int] = {}
        rows = [first.setdefault(digests[at], len(first)) for at in wanted]
        keys = list(self._paragraph_keys(wanted, rows))
        made = fingerprint.buckets(comparer.sketches(keys, PARAGRAPH_SHINGLE), *self.settings.paragraph_bands)
        return _bucket_array(made[rows], wanted, len(words))

    def _paragraph_keys(self, wanted: Sequence[int], rows: Sequence[int]) -> Iterator[bytes]:
        """The key of the first paragraph of each distinct row, in row order."""
        starts, stops = self.paragraphs[4:6]
        ends = list(accumulate(self.counts["paragraphs"]))
        article = 0
        seen = -1
        for at, row in zip(wanted, rows, strict=True):
            while at >= ends[article]:
                article += 1
            if row > seen:
                seen = row
                yield self.columns["key"][article][starts[at] : stops[at]]


def digest(key: bytes) -> bytes:
    """BLAKE2b of a comparison key, 16 bytes: equal digests stand for equal keys."""
    return hashlib.blake2b(key, digest_size=DIGEST_BYTES).digest()


def _struct(columns: Sequence[list[Any]], struct: pa.StructType) -> pa.Array:
    arrays = [pa.array(column, field.type) for column, field in zip(columns, struct, strict=True)]
    return pa.StructArray.from_arrays(arrays, fields=list(struct))


def _bucket_array(made: fingerprint.U32, rows: Sequence[int], count: int) -> pa.Array:
    """`made` at `rows`, null elsewhere: a fixed-size list array of `count` rows."""
    bands = made.shape[1]
    values = np.zeros((count, bands), np.uint32)
    values[rows] = made
    missing = np.ones(count, bool)
    missing[rows] = False
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), bands, mask=pa.array(missing))
