"""The same pipeline without files: dicts in, dicts out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.arrays import U32, decode_utf8, encode_utf8, pack
from dedup.decide.outcomes import outcomes
from dedup.findings import Finding
from dedup.fingerprint.minhash import plain_signatures
from dedup.fingerprint.shingles import check_shingle_size
from dedup.kernels.backend import SMALL_BYTES, load_backend
from dedup.pipeline import decide
from dedup.prepare.batch import prepare
from dedup.prepare.corpus import Corpus
from dedup.read import fields as record_fields
from dedup.read.inputs import JSON_LINES, STDIN
from dedup.read.records import RECORD_SCHEMA
from dedup.runtime.progress import StageTimer
from dedup.settings import NUM_PERM, SEED, Settings
from dedup.write.tables import provenance_object, quarantine_row

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Result:
    """The tables of an output as Python objects, each in input order."""

    articles: list[dict[str, Any]]
    dropped: list[dict[str, Any]]
    findings: list[Finding]
    quarantine: list[dict[str, Any]]


def clean_articles(articles: Iterable[Mapping[str, Any]], settings: Settings | None = None) -> Result:
    r"""Cleans articles in memory.

    Fields that are not text, id, date or source pass through as the objects they are; the mappings given are not
    changed. The source of every article is ``-``, its record number its place in `articles`. An article without a
    text goes to `Result.quarantine`.

    >>> result = clean_articles([{"id": 1, "text": "caf\u00c3\u00a9 au lait"}])
    >>> result.articles[0]["text"], result.findings[0].evidence
    ('café au lait', 'encode latin-1, decode utf-8')
    """
    settings = settings or Settings()
    given = list(articles)
    told = [_told(article, settings) for article in given]
    backend = load_backend(compiled=sum(map(len, told)) >= SMALL_BYTES)
    batches = [
        prepare(_records(told[at : at + _ROWS_AT_ONCE], at), settings, backend)
        for at in range(0, max(len(told), 1), _ROWS_AT_ONCE)
    ]
    corpus = Corpus(batches)
    verdicts, _ = decide(corpus, settings, backend, StageTimer())
    result = Result([], [], [], [])
    for number, piece, _, _ in corpus.batches():
        for outcome in outcomes(piece, verdicts.of(number), settings):
            if outcome.error is not None:
                result.quarantine.append(quarantine_row(outcome))
                continue
            made = provenance_object(outcome)
            whole = dict(given[outcome.record])
            if record_fields.PROVENANCE in whole:
                made["previous"] = whole[record_fields.PROVENANCE]
            whole[outcome.text_field] = outcome.raw if outcome.dropped else outcome.cleaned
            whole[record_fields.PROVENANCE] = made
            (result.dropped if outcome.dropped else result.articles).append(whole)
            result.findings.extend(outcome.findings)
    return result


def signatures(texts: Iterable[str], n: int, *, num_perm: int = NUM_PERM, seed: int = SEED) -> U32:
    """MinHash signatures of `texts` over shingles of `n` words: uint32 [len(texts), num_perm].

    Equal to the bit to ``datasketch.MinHash(num_perm, seed, hashfunc=shingle_hash)`` after
    ``update_batch(shingles(text, n))``, for every text; texts too short to have shingles get the empty signature.

    >>> signatures(["one two three four", "too short"], 3, num_perm=2).shape
    (2, 2)
    """
    check_shingle_size(n)
    given = [encode_utf8(text) for text in texts]
    if sum(map(len, given)) < SMALL_BYTES:
        return plain_signatures(map(decode_utf8, given), n, num_perm=num_perm, seed=seed)
    backend = load_backend(compiled=True)
    made = np.empty((len(given), num_perm), np.uint32)
    for at in range(0, len(given), _ROWS_AT_ONCE):
        found = backend.segment_batch(*pack(given[at : at + _ROWS_AT_ONCE]))
        hashes = backend.word_hashes(found.keys, found.key_borders)
        ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(found.words)])[found.borders]
        made[at : at + _ROWS_AT_ONCE] = backend.minhash_signatures(hashes, ends[:-1], ends[1:], n, num_perm, seed)
    return made


def _told(article: object, settings: Settings) -> bytes:
    """What the rules need to know of an article, as a line of JSON."""
    if not isinstance(article, Mapping):
        return record_fields.to_json_bytes(repr(article))
    chosen = (settings.text_field, settings.id_field, settings.date_field, settings.source_field)
    guessed = record_fields.TEXT_FIELDS + record_fields.ID_FIELDS + record_fields.DATE_FIELDS
    names = dict.fromkeys((*chosen, *guessed, *record_fields.SOURCE_FIELDS))
    return record_fields.to_json_bytes({name: _plain(article[name]) for name in names if name in article})


def _plain(value: object) -> object:
    """`value` if JSON has such a thing, a subclass of text as text; dates as text; anything else as an empty object."""
    if isinstance(value, str):
        return str.__str__(value)
    if value is None or isinstance(value, (bool, int, float, list, tuple, dict)):
        return value if not isinstance(value, (list, tuple, dict)) else {}
    return value.isoformat() if isinstance(value, date) else {}


def _records(told: list[bytes], first: int) -> pa.RecordBatch:
    count = len(told)
    columns = {
        "source": [STDIN] * count,
        "kind": [JSON_LINES] * count,
        "record": range(first, first + count),
        "data": told,
        "error": [None] * count,
    }
    return pa.record_batch([pa.array(columns[field.name], field.type) for field in RECORD_SCHEMA], schema=RECORD_SCHEMA)
