"""Everything that is a pure function of one article: repair, segment, repeats, fingerprint.

`prepare` takes a batch of raw records and gives back one row per record with all that later stages need: the raw
text, the findings of the text level, the paragraphs, the repeats within the article, and the fingerprints by
which the corpus is searched. It runs wherever the articles are. What costs time works on all texts of the batch at
once, as arrays; texts are looked at one by one only where something is to be mended or may repeat itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.arrays import I64, U64, decode_utf8, encode_utf8, pack
from dedup.errors import RecordError
from dedup.findings import Finding
from dedup.fingerprint.minhash import bands
from dedup.fingerprint.self_matches import REPEATED_RUNS
from dedup.kernels import reference as plain
from dedup.kernels.backend import Backend
from dedup.prepare.columns import (
    bucket_array,
    finding_array,
    fixed_array,
    integer_array,
    key_array,
    list_array,
    paragraph_array,
    prepared_schema,
    repeat_array,
)
from dedup.prepare.one_text import dropped_runs, remove_page_furniture, twin_roles
from dedup.prepare.raw_spans import raw_spans
from dedup.prepare.resegment import replace_paragraphs, without_dropped
from dedup.read import fields as record_fields
from dedup.read.fields import BadRecordError
from dedup.read.inputs import TEXT_FILE
from dedup.repairs.repair import RepairState
from dedup.repairs.screen import BITS, ENCODING
from dedup.repeats.detect import find_repeats
from dedup.repeats.justify import Repeat
from dedup.repeats.split_paragraphs import SplitArticle
from dedup.rules import OFF
from dedup.segment.batch import DIGEST_BYTES, Segments, key_digests
from dedup.segment.paragraphs import removal_spans
from dedup.settings import ARTICLE_SHINGLE, PARAGRAPH_SHINGLE, Settings

# Paragraphs of fewer words are not compared across articles: headings, bylines and separators recur in any corpus.
SHARED_WORDS = 5
# Any run of 20 words that two articles share, 16 shingles, gives both a minimizer in common; shorter articles have
# none that would be sure to be found in a longer one.
CONTAINED_WINDOW = 16
CONTAINED_WORDS = CONTAINED_WINDOW + ARTICLE_SHINGLE - 1


# Columns that come with each record; the others are made for the batch.
_BY_RECORD = (
    "source",
    "record",
    "error",
    "data",
    "fields",
    "id",
    "text_field",
    "id_field",
    "date_field",
    "source_field",
    "text",
    "characters",
    "date",
    "host",
)


def prepare(batch: pa.RecordBatch, settings: Settings, backend: Backend = plain) -> pa.RecordBatch:
    """One prepared row per record of `batch` (`dedup.read.records.RECORD_SCHEMA`), in its order.

    `backend` are the plain functions or the compiled ones. Raises `RecordError` for a bad record where the settings
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
    return rows.batch(backend)


def _record(kind: str, data: bytes, source: str, settings: Settings) -> tuple[record_fields.Fields, str, str | None]:
    """The fields of one record, its text, and the name of its text field."""
    if kind == TEXT_FILE:
        identity = record_fields.to_json(record_fields.text_file_id(source))
        return {"id": identity, "text": record_fields.NULL}, record_fields.decode_text(data), "text"
    found = record_fields.parse_fields(data)
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
    """Columns that grow by one row per record; a record that cannot be read counts as an empty text."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.schema = prepared_schema(settings)
        self.columns: dict[str, list[Any]] = {name: [] for name in _BY_RECORD}
        self.raws: list[str] = []

    def refuse(self, source: str, record: int, data: bytes, error: str) -> None:
        """A row for a record that cannot be read."""
        self._row("", source=source, record=record, data=data, error=error)

    def add(self, source: str, record: int, found: record_fields.Fields, raw: str, text_field: str | None) -> None:
        """A row for an article."""
        settings = self.settings
        id_field, identity = record_fields.id_of(found, settings, source, record)
        date_field, date = record_fields.date_of(found, settings)
        source_field, host = record_fields.host_of(found, settings)
        self._row(
            raw,
            source=source,
            record=record,
            fields=record_fields.join_fields(found),
            id=encode_utf8(identity),
            text_field=text_field,
            id_field=id_field,
            date_field=date_field,
            source_field=source_field,
            text=encode_utf8(raw),
            characters=len(raw),
            date=date,
            host=None if host is None else encode_utf8(host),
        )

    def _row(self, raw: str, **values: Any) -> None:
        for name, column in self.columns.items():
            column.append(values.get(name))
        self.raws.append(raw)

    def batch(self, backend: Backend) -> pa.RecordBatch:
        """All rows, with their paragraphs, repeats and fingerprints."""
        texts, encoded, findings = self._mended(backend)
        found = backend.segment_batch(*pack(encoded))
        hashes = backend.word_hashes(found.keys, found.key_borders)
        pieces = self._within_article(texts, found, hashes, backend)
        repeated = [pieces[text].repeats if text in pieces else [] for text in range(len(texts))]
        if any(len(pieces[text].keys) != found.borders[text + 1] - found.borders[text] for text in pieces):
            found = replace_paragraphs(found, pieces, backend)
            hashes = backend.word_hashes(found.keys, found.key_borders)
        gone, needed, removed = self._drops(found, repeated)
        if gone.any():
            hashes = hashes[np.repeat(~gone, found.words)]
            found = without_dropped(found, gone, backend)
        paragraph_digests = key_digests(found.keys, found.key_starts, found.key_stops)
        text_digests = key_digests(found.keys, found.key_borders[:-1], found.key_borders[1:])
        sizes = np.array(list(map(len, texts)), np.int64)
        ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(found.words)])  # of paragraphs, in words
        readable = np.array([error is None for error in self.columns["error"]], bool)
        arrays: dict[str, pa.Array] = {
            "length": integer_array(sizes - removed, readable),
            "key": key_array(found, readable),
            "digest": fixed_array(text_digests, DIGEST_BYTES, readable),
            "words": integer_array(np.diff(ends[found.borders]), readable),
            "buckets": self._article_buckets(hashes, ends[found.borders], backend),
            "minimizers": self._minimizers(hashes, ends[found.borders], backend),
            "findings": finding_array(findings),
            "repeats": repeat_array(repeated),
            "paragraphs": paragraph_array(found, needed, paragraph_digests, raw_spans(findings, found, sizes)),
            "paragraph_buckets": self._paragraph_buckets(hashes, ends, found, paragraph_digests, backend),
        }
        for field in self.schema:
            if field.name not in arrays:
                arrays[field.name] = pa.array(self.columns[field.name], field.type)
        return pa.record_batch([arrays[name] for name in self.schema.names], schema=self.schema)

    def _mended(self, backend: Backend) -> tuple[list[str], list[bytes], list[list[Finding]]]:
        """The texts after the rules of the text level, also in UTF-8, and their findings; only suspects are tried."""
        texts, encoded = self.raws.copy(), [text or b"" for text in self.columns["text"]]
        findings: list[list[Finding]] = [[] for _ in texts]
        for row, state in self._repaired(encoded, backend).items():
            texts[row], findings[row] = state.text, state.findings
            encoded[row] = encode_utf8(state.text)
        if self.settings.rules["page-furniture"] != OFF:
            for row, lines in backend.find_furniture_lines(*pack(encoded)).items():
                texts[row], findings[row] = remove_page_furniture(
                    self.raws[row], texts[row], findings[row], self.settings, lines
                )
                encoded[row] = encode_utf8(texts[row])
        return texts, encoded, findings

    def _repaired(self, encoded: list[bytes], backend: Backend) -> dict[int, RepairState]:
        """By number of the text what repair makes of it; after each round only those go on that are still suspect."""
        wanted = sum(bit for rule, bit in BITS.items() if self.settings.rules[rule] != OFF)
        found: dict[int, RepairState] = {}
        rows = list(range(len(encoded)))
        while rows:
            bits = backend.rules_that_may_apply(*pack(encoded)) & wanted
            suspect = np.flatnonzero(bits).tolist()
            rows, bits, encoded = [rows[at] for at in suspect], bits[suspect], [encoded[at] for at in suspect]
            odd = np.flatnonzero(bits & ENCODING).tolist()
            doubts = backend.find_suspect_lines(*pack([encoded[at] for at in odd]))
            known = dict(zip((rows[at] for at in odd), doubts.by_text(len(odd)), strict=True))
            again = []
            for row, own in zip(rows, bits.tolist(), strict=True):
                state = found.setdefault(row, RepairState(self.raws[row], self.settings))
                if state.round(own, known.get(row)):
                    again.append(row)
            rows = again
            encoded = [encode_utf8(found[row].text) for row in rows]
        return found

    def _within_article(
        self, texts: list[str], found: Segments, hashes: U64, backend: Backend
    ) -> dict[int, SplitArticle]:
        """By number of the text what repeats within it, looked for where something may."""
        repeated: dict[int, SplitArticle] = {}
        flags = backend.screen_self_repeats(hashes, found)
        for text in np.flatnonzero(flags).tolist():
            mine = slice(int(found.borders[text]), int(found.borders[text + 1]))
            spans = list(zip(found.starts[mine].tolist(), found.stops[mine].tolist(), strict=True))
            places = zip(found.key_starts[mine].tolist(), found.key_stops[mine].tolist(), strict=True)
            keys = [decode_utf8(found.keys[start:stop].tobytes()) for start, stop in places]
            pieces = find_repeats(
                texts[text],
                spans,
                keys,
                self.settings,
                shared_runs=bool(flags[text] & REPEATED_RUNS),
                backend=backend,
            )
            if pieces.repeats:
                repeated[text] = pieces
        return repeated

    def _drops(
        self, found: Segments, repeated: list[list[Repeat]]
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int8], I64]:
        """Per paragraph, whether a rule within the article drops it and how it is needed; per text, what is removed."""
        gone = np.zeros(len(found.starts), bool)
        needed = np.zeros(len(found.starts), np.int8)
        removed = np.zeros(len(repeated), np.int64)
        for text, own in enumerate(repeated):
            drops = dropped_runs(own, self.settings) if own else []
            if not drops:
                continue
            first, stop = int(found.borders[text]), int(found.borders[text + 1])
            for low, high in drops:
                gone[first + low : first + high + 1] = True
            for number, how in twin_roles(own, self.settings).items():
                needed[first + number] = how
            spans = list(zip(found.starts[first:stop].tolist(), found.stops[first:stop].tolist(), strict=True))
            removed[text] = sum(after - before for before, after in removal_spans(spans, drops))
        return gone, needed, removed

    def _minimizers(self, hashes: U64, borders: I64, backend: Backend) -> pa.Array:
        if self.settings.rules["contained-article"] == "off":
            hashes, borders = hashes[:0], np.zeros_like(borders)
        values, ends = backend.minimizers(hashes, borders, ARTICLE_SHINGLE, CONTAINED_WINDOW)
        return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.array(values))

    def _article_buckets(self, hashes: U64, borders: I64, backend: Backend) -> pa.Array:
        wanted = np.flatnonzero(np.diff(borders) >= ARTICLE_SHINGLE)
        if self.settings.rules["near-duplicate-article"] == "off":
            wanted = wanted[:0]
        signed = backend.minhash_signatures(hashes, borders[wanted], borders[wanted + 1], ARTICLE_SHINGLE)
        made = backend.buckets(signed, *bands(self.settings.threshold))
        return bucket_array(made, wanted, len(borders) - 1)

    def _paragraph_buckets(
        self, hashes: U64, ends: I64, found: Segments, keyed: list[bytes], backend: Backend
    ) -> pa.Array:
        """Buckets of the paragraphs long enough to be compared; equal ones are signed once."""
        wanted = np.flatnonzero(found.words >= SHARED_WORDS)
        if self.settings.rules["shared-paragraph"] == "off":
            wanted = wanted[:0]
        first: dict[bytes, int] = {}
        same = np.array([first.setdefault(keyed[number], number) for number in wanted.tolist()], np.int64)
        distinct = np.array(list(first.values()), np.int64)
        signed = backend.minhash_signatures(hashes, ends[distinct], ends[distinct + 1], PARAGRAPH_SHINGLE)
        made = backend.buckets(signed, *bands(self.settings.paragraph_threshold))
        return list_array(found.borders, bucket_array(made[np.searchsorted(distinct, same)], wanted, len(found.words)))
