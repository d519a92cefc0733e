"""Count the dates that could not be read, where dates decide which of several duplicates stays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa

from dedup.prepare.corpus import Corpus
from dedup.prepare.store import load_batch
from dedup.read.article_fields import holds_no_date
from dedup.read.field_paths import get_field
from dedup.read.fields import from_json, parse_fields
from dedup.settings import Settings

_EXAMPLE_LENGTH = 40  # characters


class UnreadDates(NamedTuple):
    """The number of dates that could not be read, and the first of them."""

    dates: int = 0
    example: str = ""


NONE_UNREAD = UnreadDates()


def dates_matter(settings: Settings) -> bool:
    """Return True if dates decide which duplicate stays."""
    return settings.keep in {"earliest", "latest"}


def count_unread_dates(corpus: Corpus, settings: Settings) -> UnreadDates:
    """Return the dates of a prepared `corpus` that could not be read; none if `settings` ignore dates."""
    return sum_unread(_unread_in_corpus(corpus)) if dates_matter(settings) else NONE_UNREAD


def sum_unread(values: Iterable[str]) -> UnreadDates:
    """Return the number of `values` and the first of them.

    >>> sum_unread(["Posted 3", "soon"])
    UnreadDates(dates=2, example='Posted 3')
    """
    count, example = 0, ""
    for value in values:
        count, example = count + 1, example or value[:_EXAMPLE_LENGTH]
    return UnreadDates(count, example)


def unread_values(batch: pa.RecordBatch) -> Iterator[tuple[int, str]]:
    """Yield row and value of each date of a batch that could not be read; it has `date`, `date_field` and `fields`."""
    columns = (batch.column(name).to_pylist() for name in ("date", "date_field"))
    for row, (date, name) in enumerate(zip(*columns, strict=True)):
        if date is None and name is not None:
            value = get_field(parse_fields(batch.column("fields")[row].as_py()), name)
            if value is not None and not holds_no_date(value):
                yield row, str(from_json(value))


def _unread_in_corpus(corpus: Corpus) -> Iterator[str]:
    for piece in corpus.prepared_batches:
        yield from (value for _, value in unread_values(load_batch(piece, ("date", "date_field", "fields"))))
