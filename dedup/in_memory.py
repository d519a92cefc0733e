"""The same pipeline without files: articles are Python objects on input and output."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, overload

import numpy as np
import pyarrow as pa

from dedup.arrays import U32, decode_utf8, encode_utf8, offsets_of, pack
from dedup.decide.outcomes import Outcome, outcomes
from dedup.engines.local import Workers
from dedup.errors import SettingsError
from dedup.fingerprint.minhash import check_permutations, plain_signatures
from dedup.fingerprint.shingles import check_shingle_size
from dedup.kernels.backend import SMALL_BYTES, load_backend
from dedup.match.site_text import SiteTextRow
from dedup.pipeline import decide
from dedup.preparation import Articles
from dedup.prepare.corpus import Corpus
from dedup.prepare.failing_records import prepare_or_quarantine
from dedup.read.article_texts import put_text, replace_value
from dedup.read.fields import PROVENANCE_FIELD, from_json, parse_fields
from dedup.read.frames import Frame, Selection
from dedup.read.objects import GivenArticles, Row, RowEncoder, record_batch, source_of
from dedup.read.other_corpora import open_known, open_records
from dedup.read.records import BATCH_BYTES
from dedup.read.selection import choose_records
from dedup.results import Result, TableResult
from dedup.runtime.progress import StageTimer
from dedup.settings import NUM_PERM, SEED, Settings, check_choice, settings_or_default
from dedup.write.schema import FINDINGS_SCHEMA, QUARANTINE_SCHEMA, SITE_TEXT_SCHEMA
from dedup.write.tables import provenance_object, quarantine_row

_TEXTS_PER_BATCH = 4096
_RETURNS = ("dicts", "same")

TableT = TypeVar("TableT")


@overload
def clean_articles(
    articles: Articles,
    settings: Settings | None = None,
    *,
    against: Articles | None = None,
    returns: Literal["dicts"] = "dicts",
) -> Result: ...


@overload
def clean_articles(
    articles: list[str] | Iterator[str],
    settings: Settings | None = None,
    *,
    against: Articles | None = None,
    returns: Literal["same"],
) -> TableResult[list[str]]: ...


@overload
def clean_articles(
    articles: Sequence[Mapping[str, Any]] | Iterator[Mapping[str, Any]],
    settings: Settings | None = None,
    *,
    against: Articles | None = None,
    returns: Literal["same"],
) -> TableResult[list[dict[str, Any]]]: ...


@overload
def clean_articles(
    articles: TableT,
    settings: Settings | None = None,
    *,
    against: Articles | None = None,
    returns: Literal["same"],
) -> TableResult[TableT]: ...


def clean_articles(
    articles: Any,
    settings: Settings | None = None,
    *,
    against: Articles | None = None,
    returns: Literal["dicts", "same"] = "dicts",
) -> Result | TableResult[Any]:
    r"""Clean articles in memory, and return the tables of the output.

    `articles` are mappings, texts, or the rows of a table (pandas, polars, Arrow, datasets); a single path is read as
    `clean` reads it. Fields other than text, title, id, date and source pass through as the objects they are; what
    is given is not changed. The source of every article is ``-``; its record number is its position in `articles`. An
    article without a text goes to `Result.quarantine`.

    `against` are other articles, given as `articles` are, that these may repeat: they always stay, and are in no table.
    Their sources begin with ``against/``.

    `returns` says what the tables of the result are: "dicts", or the "same" kind as `articles`. Rows of a table keep
    all columns, with their types and their index; `provenance` is a new column.

    Raises `InputError` for what cannot be read as articles, and `SettingsError`.

    >>> result = clean_articles([{"id": 1, "text": "caf\u00c3\u00a9 au lait for two"}])
    >>> result.articles[0]["text"], result.findings[0].evidence
    ('café au lait for two', 'encode latin-1, decode utf-8')
    >>> clean_articles(["caf\u00c3\u00a9 au lait"], returns="same").articles
    ['café au lait']
    """
    settings = settings_or_default(settings)
    check_choice("returns", returns, _RETURNS)
    source = source_of(articles, strings="articles")
    known = None if against is None else source_of(against, strings="articles")
    if not isinstance(source, GivenArticles):
        if returns == "same":
            raise SettingsError("returns: 'same' is for articles in memory; those of files come back as dicts")
        return _clean_files(source, known, settings)
    if settings.limit is not None or settings.sample is not None:
        raise SettingsError("`limit` and `sample` choose records of files; give a part of the articles instead")
    if source.frame is not None:
        source = source._replace(frame=source.frame.load())
    given = list(source.mappings(settings))
    encoder = RowEncoder(source, settings)
    known_batches = [] if known is None else list(open_known(known, settings))
    found, site_text = _outcomes_of(_batches_of(given, encoder), known_batches, settings)
    cleaned = [
        outcome if outcome.error is None else outcome._replace(data=encoder.raw(row))
        for row, outcome in zip(given, found, strict=True)
    ]
    if returns == "dicts" or (source.frame is None and not source.texts):
        result = _as_dicts(given, cleaned, site_text)
        if returns == "dicts":
            return result
        return TableResult(result.articles, result.dropped, result.findings, result.quarantine, result.site_text)
    return _as_texts(cleaned, site_text) if source.frame is None else _as_tables(source.frame, cleaned, site_text)


def _clean_files(
    paths: list[str | Path], against: list[str | Path] | GivenArticles | None, settings: Settings
) -> Result:
    """Clean the articles of files in memory."""
    reader, known = open_records(paths, against, settings, BATCH_BYTES, (), None)
    with tempfile.TemporaryDirectory(prefix="dedup-") as work:
        records = choose_records(reader, settings, Path(work))
        cleaned, site_text = _outcomes_of(list(records), list(known or ()), settings)
    names = (parse_fields(outcome.fields) if outcome.error is None else {} for outcome in cleaned)
    return _as_dicts(
        [{name: from_json(value) for name, value in fields.items()} for fields in names], cleaned, site_text
    )


def _batches_of(given: Sequence[Row], encoder: RowEncoder) -> list[pa.RecordBatch]:
    """Return articles as batches of records, at least one."""
    return [
        record_batch([encoder.readable(row) for row in given[start : start + _TEXTS_PER_BATCH]], start)
        for start in range(0, max(len(given), 1), _TEXTS_PER_BATCH)
    ]


def _outcomes_of(
    batches: Sequence[pa.RecordBatch], known: Sequence[pa.RecordBatch], settings: Settings
) -> tuple[list[Outcome], list[SiteTextRow]]:
    """Return the outcome of each record of `batches`, and the lines of site text; `known` are records to repeat."""
    records = [*known, *batches]
    workers = Workers(compiled=sum(batch.nbytes for batch in records) >= SMALL_BYTES)
    prepared = [prepare_or_quarantine(batch, settings, workers.backend) for batch in records]
    corpus = Corpus(prepared, known_batches=len(known))
    verdicts, _ = decide(corpus, settings, workers, StageTimer())
    cleaned = (
        outcome
        for number, batch in verdicts.corpus.new_batches()
        for outcome in outcomes(batch, verdicts.of(number), settings)
    )
    return list(cleaned), verdicts.site_text.table


def _as_dicts(given: Sequence[Row], cleaned: Sequence[Outcome], site_text: Sequence[SiteTextRow]) -> Result:
    """Return outcomes as tables of Python objects; `given` are the articles that they belong to."""
    result = Result([], [], [], [], [row._asdict() for row in site_text])
    for article, outcome in zip(given, cleaned, strict=True):
        if outcome.error is not None:
            result.quarantine.append(quarantine_row(outcome))
            continue
        table = result.dropped if outcome.dropped else result.articles
        table.append(output_article(article, outcome))
        result.findings.extend(outcome.findings)
    return result


def _as_texts(cleaned: Sequence[Outcome], site_text: Sequence[SiteTextRow]) -> TableResult[list[str]]:
    """Return outcomes of texts as lists of texts."""
    kept = [outcome.cleaned for outcome in cleaned if outcome.error is None and not outcome.dropped]
    dropped = [outcome.raw for outcome in cleaned if outcome.dropped]
    findings = [finding for outcome in cleaned for finding in outcome.findings]
    return TableResult(kept, dropped, findings, [], [row._asdict() for row in site_text])


def _as_tables(frame: Frame, cleaned: Sequence[Outcome], site_text: Sequence[SiteTextRow]) -> TableResult[Any]:
    """Return the outcomes of the rows of `frame` as tables of its kind."""
    readable = [(row, outcome) for row, outcome in enumerate(cleaned) if outcome.error is None]
    findings = [finding._asdict() for outcome in cleaned for finding in outcome.findings]
    kept = _selection([pair for pair in readable if not pair[1].dropped], dropped=False)
    dropped = _selection([pair for pair in readable if pair[1].dropped], dropped=True)
    quarantined = [quarantine_row(outcome) for outcome in cleaned if outcome.error is not None]
    return TableResult(
        frame.select(kept),
        frame.select(dropped),
        frame.new(findings, FINDINGS_SCHEMA),
        frame.new(quarantined, QUARANTINE_SCHEMA),
        frame.new([row._asdict() for row in site_text], SITE_TEXT_SCHEMA),
    )


def _selection(rows: Sequence[tuple[int, Outcome]], *, dropped: bool) -> Selection:
    """Return the rows of a table that go into a result, given with their outcomes."""
    texts: dict[str, dict[int, str]] = {}
    for place, (_, outcome) in enumerate(() if dropped else rows):
        texts.setdefault(outcome.text_field, {})[place] = outcome.cleaned
    provenance = [provenance_object(outcome) for _, outcome in rows]
    return Selection([row for row, _ in rows], texts, provenance, dropped)


def output_article(article: Row, outcome: Outcome) -> dict[str, Any]:
    """Return a copy of `article` with its text and its provenance as the output holds them."""
    provenance = provenance_object(outcome)
    row = dict(article)
    if PROVENANCE_FIELD in row:
        provenance["previous"] = row[PROVENANCE_FIELD]
    if not outcome.dropped:
        provenance |= put_text(parse_fields(outcome.fields), outcome.text_field, outcome.cleaned)
        replace_value(row, outcome.text_field, outcome.cleaned)
    row[PROVENANCE_FIELD] = provenance
    return row


def signatures(texts: Iterable[str], n: int, *, num_perm: int = NUM_PERM, seed: int = SEED) -> U32:
    """Return the MinHash signatures of `texts` over shingles of `n` words: uint32 [len(texts), num_perm].

    Each is equal to the bit to ``datasketch.MinHash(num_perm, seed, hashfunc=shingle_hash)`` after
    ``update_batch(shingles(text, n))``; a text too short for a shingle gets the empty signature. Raises
    `SettingsError` if `n` or `num_perm` is less than 1.

    >>> signatures(["one two three four", "too short"], 3, num_perm=2).shape
    (2, 2)
    """
    check_shingle_size(n)
    check_permutations(num_perm)
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
