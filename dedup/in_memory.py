"""The same pipeline without files: articles are dicts on input and output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.arrays import U32, decode_utf8, encode_utf8, offsets_of, pack
from dedup.decide.outcomes import Outcome, outcomes
from dedup.findings import Finding
from dedup.fingerprint.minhash import plain_signatures
from dedup.fingerprint.shingles import check_shingle_size
from dedup.kernels.backend import SMALL_BYTES, load_backend
from dedup.pipeline import decide
from dedup.prepare.batch import prepare
from dedup.prepare.corpus import Corpus
from dedup.read import fields as record_fields
from dedup.read.formats import JSON_LINES, STDIN
from dedup.read.records import RECORD_SCHEMA
from dedup.runtime.progress import StageTimer
from dedup.settings import NUM_PERM, SEED, Settings
from dedup.write.tables import provenance_object, quarantine_row

_TEXTS_PER_BATCH = 4096


@dataclass(frozen=True)
class Result:
    """The tables of an output as Python objects, each in input order."""

    articles: list[dict[str, Any]]
    dropped: list[dict[str, Any]]
    findings: list[Finding]
    quarantine: list[dict[str, Any]]


def clean_articles(articles: Iterable[Mapping[str, Any]], settings: Settings | None = None) -> Result:
    r"""Clean articles in memory, and return the tables of the output.

    Fields other than text, id, date and source pass through as the objects they are; the given mappings are not
    changed. The source of every article is ``-``; its record number is its position in `articles`. An article without a
    text goes to `Result.quarantine`.

    >>> result = clean_articles([{"id": 1, "text": "caf\u00c3\u00a9 au lait"}])
    >>> result.articles[0]["text"], result.findings[0].evidence
    ('café au lait', 'encode latin-1, decode utf-8')
    """
    settings = settings or Settings()
    given = list(articles)
    lines = [_json_line(article, settings) for article in given]
    backend = load_backend(compiled=sum(map(len, lines)) >= SMALL_BYTES)
    corpus = Corpus(
        [
            prepare(_record_batch_of(lines[start : start + _TEXTS_PER_BATCH], start), settings, backend)
            for start in range(0, max(len(lines), 1), _TEXTS_PER_BATCH)
        ]
    )
    verdicts, _ = decide(corpus, settings, backend, StageTimer())
    result = Result([], [], [], [])
    for number, batch, _, _ in corpus.numbered_batches():
        for outcome in outcomes(batch, verdicts.of(number), settings):
            if outcome.error is not None:
                result.quarantine.append(quarantine_row(outcome))
                continue
            table = result.dropped if outcome.dropped else result.articles
            table.append(_output_article(given[outcome.record], outcome))
            result.findings.extend(outcome.findings)
    return result


def _output_article(article: Mapping[str, Any], outcome: Outcome) -> dict[str, Any]:
    """Return a copy of `article` with its text and its provenance as the output holds them."""
    provenance = provenance_object(outcome)
    row = dict(article)
    if record_fields.PROVENANCE_FIELD in row:
        provenance["previous"] = row[record_fields.PROVENANCE_FIELD]
    row[outcome.text_field] = outcome.raw if outcome.dropped else outcome.cleaned
    row[record_fields.PROVENANCE_FIELD] = provenance
    return row


def signatures(texts: Iterable[str], n: int, *, num_perm: int = NUM_PERM, seed: int = SEED) -> U32:
    """Return the MinHash signatures of `texts` over shingles of `n` words: uint32 [len(texts), num_perm].

    Each is equal to the bit to ``datasketch.MinHash(num_perm, seed, hashfunc=shingle_hash)`` after
    ``update_batch(shingles(text, n))``; a text too short for a shingle gets the empty signature.

    >>> signatures(["one two three four", "too short"], 3, num_perm=2).shape
    (2, 2)
    """
    check_shingle_size(n)
    encoded = [encode_utf8(text) for text in texts]
    if sum(map(len, encoded)) < SMALL_BYTES:
        return plain_signatures(map(decode_utf8, encoded), n, num_perm=num_perm, seed=seed)
    backend = load_backend(compiled=True)
    result = np.empty((len(encoded), num_perm), np.uint32)
    for start in range(0, len(encoded), _TEXTS_PER_BATCH):
        segments = backend.segment_batch(*pack(encoded[start : start + _TEXTS_PER_BATCH]))
        hashes = backend.word_hashes(segments.keys, segments.key_offsets)
        offsets = offsets_of(segments.words)[segments.borders]  # of texts, in words
        signed = backend.minhash_signatures(hashes, offsets[:-1], offsets[1:], n, num_perm, seed)
        result[start : start + _TEXTS_PER_BATCH] = signed
    return result


def _json_line(article: object, settings: Settings) -> bytes:
    """Return the fields of an article that the rules need, as a line of JSON."""
    if not isinstance(article, Mapping):
        return record_fields.to_json_bytes(repr(article))
    chosen = (settings.text_field, settings.id_field, settings.date_field, settings.source_field)
    guessed = record_fields.TEXT_FIELDS + record_fields.ID_FIELDS + record_fields.DATE_FIELDS
    names = dict.fromkeys((*chosen, *guessed, *record_fields.SOURCE_FIELDS))
    return record_fields.to_json_bytes({name: _json_value(article[name]) for name in names if name in article})


def _json_value(value: object) -> object:
    """Return the JSON value of a field: scalars and text as they are, a date as text, all else as an empty object."""
    if isinstance(value, str):
        return str.__str__(value)  # of a subclass, too
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return value.isoformat() if isinstance(value, date) else {}


def _record_batch_of(lines: list[bytes], first: int) -> pa.RecordBatch:
    """Return `lines` as records of standard input, numbered from `first` on."""
    count = len(lines)
    columns = {
        "source": [STDIN] * count,
        "kind": [JSON_LINES] * count,
        "record": range(first, first + count),
        "data": lines,
        "error": [None] * count,
        "charset": [None] * count,
    }
    return pa.record_batch([pa.array(columns[field.name], field.type) for field in RECORD_SCHEMA], schema=RECORD_SCHEMA)
