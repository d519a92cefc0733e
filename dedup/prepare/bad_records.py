"""Decide whether so few records can be read that something must be wrong with the input as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from dedup.errors import InputError
from dedup.prepare.corpus import Corpus
from dedup.prepare.preview import Notice
from dedup.settings import Settings

_EMPTY_SHOWN = 3


def check_corpus(corpus: Corpus, sources: Sequence[str], settings: Settings, notice: Notice | None = None) -> None:
    """Raise `InputError` if too few records of a prepared `corpus` can be read; name `sources` without a record."""
    errors: Counter[str] = Counter()
    filled: set[str] = set()
    first_bad, total = "", 0
    for batch in corpus.iter_batches("source", "record", "error"):
        total += batch.num_rows
        filled.update(batch.column("source").unique().to_pylist())
        if batch.column("error").null_count == batch.num_rows:
            continue
        rows = batch.to_pylist()
        errors.update(row["error"] for row in rows if row["error"] is not None)
        first_bad = first_bad or next(f"{row['source']}#{row['record']}" for row in rows if row["error"] is not None)
    check_readable(total, errors, first_bad, settings)
    report_empty([source for source in sources if source not in filled], notice)


def check_readable(total: int, errors: Mapping[str, int], first_bad: str, settings: Settings) -> None:
    """Raise `InputError` if the share of bad records is above `settings.max_bad`.

    `errors` counts the reasons of bad records, `total` counts all records, and `first_bad` is the place of the first
    bad one. Whoever sets `max_bad` to 1 gets whatever can be read, be it nothing. An input without records has no bad
    ones: an empty file among the parts of a crawl is no error.
    """
    bad = sum(errors.values())
    if bad <= settings.max_bad * total:
        return
    reason = min(errors, key=lambda error: (-errors[error], error))
    share = "nothing could be read: all" if bad == total else f"{bad / total:.0%} of"
    raise InputError(
        f"{first_bad}: {share} {total:,} records are bad, {errors[reason]:,} of them: {reason}; "
        "correct the input, or allow more with `max_bad`"
    )


def report_empty(sources: Sequence[str], notice: Notice | None) -> None:
    """Call `notice` with the names of inputs that hold no record."""
    if sources and notice:
        more = ", …" if len(sources) > _EMPTY_SHOWN else ""
        count = "an input holds" if len(sources) == 1 else f"{len(sources):,} inputs hold"
        notice(f"{count} no records: {', '.join(sources[:_EMPTY_SHOWN])}{more}")
