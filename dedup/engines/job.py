"""A job of an engine: the chunks of an output that it makes of its articles, and the contents of its report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from dedup.decide.known_twins import KnownTwin
from dedup.index.session import IndexSession
from dedup.prepare.unread_dates import UnreadDates
from dedup.read.other_corpora import KnownInputs
from dedup.write.tables import OutputChunk


class Job(Protocol):
    """A job that an engine runs: chunks of the output, and what the report needs after the last of them."""

    inputs: Sequence[dict[str, Any]]
    skipped: Sequence[str]
    fields: dict[str, dict[str, int]]
    unread_dates: UnreadDates
    stages: dict[str, dict[str, int]]
    known: KnownInputs | None
    index: IndexSession | None
    review: Mapping[str, str | int] | None
    known_twins: Iterable[KnownTwin]
    known_items: Sequence[dict[str, Any]]

    def chunks(self) -> Iterator[tuple[OutputChunk, int]]:
        """Yield the lines of the output in input order, each chunk with the bytes of the records that it is made of."""
