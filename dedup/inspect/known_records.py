"""Read known articles again, those of the other corpora that a run was given, from where its run file says they are."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from dedup.arrays import decode_utf8
from dedup.errors import DedupError, OutputError
from dedup.index.session import find_indexed
from dedup.inspect.names import RecordKey
from dedup.prepare.record_columns import parse_records
from dedup.read.fields import Fields, parse_fields, to_json
from dedup.read.other_corpora import AGAINST, INDEX, open_known
from dedup.read.remote import is_address
from dedup.runtime.paths import path_below
from dedup.settings import Settings


class KnownArticle(NamedTuple):
    """A known article: its key, id, fields with a placeholder for the text, the field of the text, and the raw text."""

    key: RecordKey
    id: str
    fields: Fields
    text_field: str
    raw: str


def is_known(key: RecordKey, own_sources: Collection[str]) -> bool:
    """Return True if an article with this key, the twin of a finding, may be one of another corpus or an index.

    `own_sources` are those of the articles that were cleaned: their folder may have such a name as well.
    """
    return key[0].startswith((AGAINST, INDEX)) and key[0] not in own_sources


def read_known_articles(
    run: dict[str, Any], folder: Path, keys: Collection[RecordKey], settings: Settings
) -> Iterator[KnownArticle]:
    """Yield the known articles with these keys.

    `run` is what the run file of the output `folder` says. Raises `OutputError`, which says what is gone, if they
    cannot be read; known articles that are not there any more are left out.
    """
    indexed = {key for key in keys if key[0].startswith(INDEX)}
    if "index" in run and indexed:
        yield from _read_indexed(path_below(folder, run["index"]["given"]), indexed)
    if "against" in run and len(indexed) < len(keys):
        yield from _read_against(run["against"], folder, set(keys) - indexed, settings)


def _read_indexed(folder: Path, keys: set[RecordKey]) -> Iterator[KnownArticle]:
    """Yield the articles with these keys from the index in `folder`."""
    try:
        for stored in find_indexed(folder, keys):
            columns = (stored.column(name).to_pylist() for name in ("source", "record", "id", "title", "text"))
            for source, record, identity, title, text in zip(*columns, strict=True):
                fields = {} if title is None else {"title": to_json(decode_utf8(title))}
                yield KnownArticle((source, record), decode_utf8(identity), fields, "text", decode_utf8(text))
    except DedupError as error:
        raise OutputError(f"the index of the known articles cannot be read: {error}") from None


def _read_against(
    entry: dict[str, Any], folder: Path, keys: set[RecordKey], settings: Settings
) -> Iterator[KnownArticle]:
    """Yield the articles with these keys from the corpora that `entry` names."""
    given = [name if is_address(name) else str(path_below(folder, name)) for name in entry["given"]]
    if not given:
        raise OutputError("articles in memory were known, which no file holds")
    try:
        for batch in open_known(list(given), settings):
            places = zip(batch.column("source").to_pylist(), batch.column("record").to_pylist(), strict=True)
            rows = [row for row, key in enumerate(places) if key in keys]
            if rows:
                yield from _articles_of(batch.take(pa.array(rows)), settings)
    except DedupError as error:
        raise OutputError(f"the corpus of the known articles cannot be read: {error}") from None


def _articles_of(records: pa.RecordBatch, settings: Settings) -> Iterator[KnownArticle]:
    """Yield the articles of a batch of records; those that cannot be read are left out."""
    parsed = parse_records(records, settings)
    names = ("source", "record", "id", "fields", "text_field", "error")
    rows = zip(*(parsed.values[name] for name in names), parsed.raw_texts, strict=True)
    for source, record, identity, fields, text_field, error, raw in rows:
        if error is None:
            yield KnownArticle((source, record), decode_utf8(identity), parse_fields(fields), text_field, raw)
