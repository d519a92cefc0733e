"""Clean articles one after the other, in bounded memory, by the rules that look at one article at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import pyarrow as pa

from dedup.decide.outcomes import Outcome, outcomes
from dedup.decide.verdicts import NO_VERDICTS
from dedup.errors import InputError, SettingsError
from dedup.in_memory import output_article
from dedup.kernels.backend import SMALL_BYTES, load_backend
from dedup.preparation import Articles
from dedup.prepare.failing_records import prepare_or_quarantine
from dedup.read.fields import from_json, parse_fields
from dedup.read.inputs import find_inputs
from dedup.read.objects import GivenArticles, Row, RowEncoder, record_batch, source_of
from dedup.read.records import RecordReader
from dedup.results import CleanedArticle, TextRepeat
from dedup.rules import BY_NAME, CORPUS, OFF, RULES, WITHIN
from dedup.settings import Settings, settings_or_default
from dedup.write.tables import quarantine_row

_BATCH = 64  # articles of a collection that are cleaned together
_STREAMING = Settings(profile="streaming")
_CORPUS_RULES = tuple(rule.name for rule in RULES if rule.level == CORPUS)


def iter_clean(
    articles: Articles, settings: Settings | None = None, *, batch_size: int | None = None
) -> Iterator[CleanedArticle]:
    r"""Yield each article, cleaned by the rules that look at one article at a time, as soon as it is read.

    `articles` are those of `clean_articles`, also from an endless generator. Memory holds `batch_size` articles. By
    default that is one of an iterator, so that nothing waits for the next article, and 64 of a list or table, which
    are cleaned faster together. It never changes the result.

    Without `settings`, those of ``Settings(profile="streaming")`` apply, which switch off the rules that compare
    articles with each other. Raises `SettingsError` if one of these is not off, and `InputError`.

    >>> [cleaned.article["text"] for cleaned in iter_clean(["caf\u00c3\u00a9", "one \n"])]
    ['café', 'one\n']
    """
    settings = _single_article_settings(settings)
    size = _checked_size(_default_size(articles) if batch_size is None else batch_size)
    source = articles if _is_iterator(articles) else source_of(articles, strings="articles")
    return _iter_clean(source, settings, size)


def _iter_clean(source: Any, settings: Settings, size: int) -> Iterator[CleanedArticle]:
    """Yield the articles of `source`, `size` of which are cleaned at a time; of files, a batch of their reader.

    `source` is an iterator, of which nothing has been read yet, or what `source_of` returns.
    """
    if _is_iterator(source):
        source = source_of(source, strings="articles")
    if isinstance(source, GivenArticles):
        cleaner = _Cleaner(source, settings)
        rows = source.mappings(settings)
        while batch := list(islice(rows, size)):
            yield from cleaner.clean(batch)
        return
    cleaner = _Cleaner(GivenArticles(iter(())), settings)
    files = find_inputs(source, input_format=settings.input_format)
    for records in RecordReader(files, settings):
        for outcome in cleaner.outcomes(records):
            fields = parse_fields(outcome.fields) if outcome.error is None else {}
            yield _cleaned({name: from_json(value) for name, value in fields.items()}, outcome)


class _Cleaner:
    """A cleaner of articles by the rules that look at one article at a time.

    It starts with plain functions, and loads compiled ones once it has seen as much text as pays for that.
    """

    def __init__(self, given: GivenArticles, settings: Settings) -> None:
        self.given = given
        self.settings = settings
        self.encoder = RowEncoder(given, settings)
        self.count = 0
        self.size = 0

    def clean_items(self, items: Iterable[Any]) -> list[CleanedArticle]:
        """Clean the next articles, which may be anything that is an article."""
        return self.clean([self.given.mapping(item, self.count + at, self.settings) for at, item in enumerate(items)])

    def clean(self, rows: Sequence[Row]) -> list[CleanedArticle]:
        """Clean the next articles."""
        batch = record_batch([self.encoder.readable(row) for row in rows], self.count)
        self.count += len(rows)
        return [_cleaned(row, outcome) for row, outcome in zip(rows, self.outcomes(batch), strict=True)]

    def outcomes(self, records: pa.RecordBatch) -> Iterator[Outcome]:
        """Yield the outcomes of a batch of records."""
        self.size += records.nbytes
        backend = load_backend(compiled=self.size >= SMALL_BYTES)
        return outcomes(prepare_or_quarantine(records, self.settings, backend), NO_VERDICTS, self.settings)


def _cleaned(row: Row, outcome: Outcome) -> CleanedArticle:
    """Return what happened to the article that was given as `row`."""
    if outcome.error is not None:
        return CleanedArticle(dict(row) or quarantine_row(outcome), [], "quarantined", outcome.error)
    return CleanedArticle(output_article(row, outcome), list(outcome.findings))


def _single_article_settings(settings: Settings | None) -> Settings:
    """Return `settings`, by default those of the profile "streaming".

    Raises `SettingsError` if a rule that compares articles with each other is on.
    """
    if settings is None:
        return _STREAMING
    settings = settings_or_default(settings)
    on = [name for name in _CORPUS_RULES if settings.rules[name] != OFF]
    if on:
        raise SettingsError(
            f"rules: {', '.join(on)} must see all articles; switch them off with "
            'Settings(profile="streaming", ...), or use clean_articles'
        )
    if settings.limit is not None or settings.sample is not None:
        raise SettingsError("`limit` and `sample` choose records of a whole input; stop iterating instead")
    return settings


def _default_size(articles: object) -> int:
    """Return how many articles are cleaned together: one of an iterator, so that none waits for the next."""
    return 1 if _is_iterator(articles) else _BATCH


def _is_iterator(articles: object) -> bool:
    """Return True if the next article may have to be waited for: a reader of Arrow has batches of them."""
    return isinstance(articles, Iterator) and not hasattr(articles, "__arrow_c_stream__")


def _checked_size(size: object) -> int:
    """Return `size`. Raises `SettingsError` if it is no number of articles."""
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise SettingsError(f"batch_size: {size!r} is no number of articles; give 1 or more")
    return size


def aiter_clean(
    articles: AsyncIterable[Any] | Articles, settings: Settings | None = None, *, batch_size: int | None = None
) -> AsyncIterator[CleanedArticle]:
    """Return an asynchronous iterator over what `iter_clean` yields, from asynchronous or plain iterables.

    Texts are cleaned in a thread, and plain iterables are read there, so that the event loop goes on. Raises the same
    errors as `iter_clean`.
    """
    if isinstance(articles, AsyncIterable):
        return _clean_async(articles, _single_article_settings(settings), _checked_size(batch_size or 1))
    cleaned = iter_clean(articles, settings, batch_size=batch_size)
    return _in_threads(cleaned, batch_size or _default_size(articles))


async def _in_threads(cleaned: Iterator[CleanedArticle], size: int) -> AsyncIterator[CleanedArticle]:
    """Yield the items of an iterator, `size` of which are made at a time, in a thread."""
    while batch := await asyncio.to_thread(lambda: list(islice(cleaned, size))):
        for article in batch:
            yield article


async def _clean_async(articles: AsyncIterable[Any], settings: Settings, size: int) -> AsyncIterator[CleanedArticle]:
    """Yield the articles of an asynchronous iterable, `size` of which are cleaned at a time, in a thread."""
    cleaner: _Cleaner | None = None
    waiting: list[Any] = []
    async for item in articles:
        cleaner = cleaner or _Cleaner(GivenArticles(iter(()), texts=isinstance(item, str)), settings)
        waiting.append(item)
        if len(waiting) == size:
            for cleaned in await asyncio.to_thread(cleaner.clean_items, waiting):
                yield cleaned
            waiting = []
    if cleaner and waiting:
        for cleaned in await asyncio.to_thread(cleaner.clean_items, waiting):
            yield cleaned


def find_repeats(text: str, settings: Settings | None = None) -> list[TextRepeat]:
    r"""Return the parts of `text` that repeat other parts of it, by the rules within an article.

    Spans are in characters of `text`. Raises `InputError` if `text` is no string.

    >>> body = "\n\n".join(f"Paragraph {n} has a number of words that no other one has, {n * 7}." for n in range(6))
    >>> [(repeat.rule, repeat.action) for repeat in find_repeats(body + "\n\n" + body)]
    [('repeated-block', 'drop')]
    """
    if not isinstance(text, str):
        raise InputError(f"text: a {type(text).__name__} is no text; give a string")
    settings = settings_or_default(settings)
    settings = replace(settings, rules={**settings.rules, **dict.fromkeys(_CORPUS_RULES, OFF)})
    [cleaned] = iter_clean([{settings.text_field or "text": text}], settings)
    return [
        TextRepeat(
            finding.rule,
            finding.action,
            finding.start,
            finding.stop,
            finding.twin_start or 0,
            finding.twin_stop or 0,
            finding.similarity or 0.0,
            finding.evidence,
        )
        for finding in cleaned.findings
        if BY_NAME[finding.rule].level == WITHIN
    ]
