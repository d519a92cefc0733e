"""Read a bounded part of an output: all of a small one, of a large one runs of consecutive articles chosen by a seed.

Each article comes with all its findings, from whatever tables they are in. Single articles are found by their key
without reading the tables. So the time depends on neither the size of the corpus nor the format of the tables.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from heapq import merge
from operator import itemgetter
from typing import Any, TypeVar

import msgspec

from dedup import output_layout as layout
from dedup.inspect.article_rows import Article, InputOrder, Mismatch, finding_of_values, join_findings
from dedup.inspect.names import RecordKey
from dedup.inspect.output import Output
from dedup.read.fields import PROVENANCE_FIELD, Fields, from_json
from dedup.report.blocks import AFTER_ALL, IndexedTable, ParquetTable

# What reading and counting cost, in units of the time for one byte of JSON. 24,000 press releases with 101,641 findings
# and 121 MB of tables are 5.2e8 units, which take 1.4 s on one core.
ARTICLE_COST, FINDING_COST = 8_000, 2_000
READING_COST = 600_000_000  # of the articles that are read for one report

RUNS_READ = 64  # runs of consecutive articles of a sample: each of 64 sources is as likely to be in it as its size says
_LOOKUP_BLOCKS = 400  # blocks read for single articles: 0.1 s for lines of JSON
_LOOKUP_ROW_GROUPS = 24  # row groups of Parquet, of up to 64 MB each

ItemT = TypeVar("ItemT")

_BEFORE_ALL: InputOrder = (-1, -1)


class _RecordPlace(msgspec.Struct):
    source: str
    record: int


class SampledOutput:
    """An output of which a bounded part is read. `seed` chooses the runs of articles, and `cost` how many there are."""

    def __init__(self, output: Output, seed: int = 1, cost: int = READING_COST) -> None:
        self.output = output
        self.seed = seed
        self.kept = IndexedTable(output.table_paths(layout.ARTICLES), self._order_of_article, is_article=True)
        self.dropped = IndexedTable(output.table_paths(layout.DROPPED), self._order_of_article, is_article=True)
        self.findings = IndexedTable(output.table_paths(layout.PROVENANCE), self._order_of_finding, is_article=False)
        counts = output.run.get("counts", {})
        self.total = counts.get("articles", 0)
        size = sum(table.size for table in self._tables)
        expected = size + ARTICLE_COST * self.total + FINDING_COST * counts.get("findings", 0)
        self.share = min(1.0, cost / max(1, expected))
        self.end = min((table.last() for table in self._tables if not table.is_complete), default=AFTER_ALL)

    @property
    def _tables(self) -> tuple[IndexedTable, IndexedTable, IndexedTable]:
        return self.kept, self.dropped, self.findings

    @property
    def is_whole(self) -> bool:
        """Return True if every article is read."""
        return self.share >= 1 and self.end == AFTER_ALL

    @property
    def is_beginning(self) -> bool:
        """Return True if only the beginning of a table can be read, since it is compressed."""
        return self.end != AFTER_ALL

    def articles(self) -> Iterator[Article]:
        """Yield the articles that are read, each with its findings, in input order."""
        for start, stop in self._runs():
            yield from self._articles_between(start, stop)

    def is_out_of_reach(self, key: RecordKey) -> bool:
        """Return True if an article with this key would be behind the part of the tables that can be read."""
        order = self._order(*key)
        return order is not None and order >= self.end

    def find(
        self, keys: Collection[RecordKey], *, findings: bool = True, limit: bool = True
    ) -> dict[RecordKey, Article]:
        """Return the articles with these keys, by key; without their `findings` if those are not asked for.

        Keys of no article are left out, and with `limit` so are some of those that lie in very many blocks of tables.
        """
        sources = self.output.sources
        wanted = {(sources[source].number, record): (source, record) for source, record in keys if source in sources}
        articles: dict[RecordKey, Article] = {}
        for stretch in self._stretches(sorted(order for order in wanted if order < self.end), limit=limit):
            first, last = stretch[0], stretch[-1]
            for article in self._articles_between(first, _after(last), only=set(stretch), findings=findings):
                articles[article.key] = article
        return articles

    def _runs(self) -> list[tuple[InputOrder, InputOrder]]:
        """Return the positions of the runs of articles that are read, from start to stop, in input order."""
        base = max(self.kept, self.dropped, key=lambda table: len(table.blocks))
        count = len(base.blocks)
        if self.share >= 1 or count < 2:
            return [(_BEFORE_ALL, self.end)]
        number = min(count, round(RUNS_READ / self.share))
        borders = [_BEFORE_ALL, *(base.first(count * run // number) for run in range(1, number)), self.end]
        chosen = random.Random(self.seed).sample(range(number), max(1, int(number * self.share)))  # noqa: S311
        return [(borders[run], min(borders[run + 1], self.end)) for run in sorted(chosen)]

    def _stretches(self, orders: list[InputOrder], *, limit: bool) -> list[list[InputOrder]]:
        """Return positions in stretches, each within a block of both tables of articles, as many as may be read."""
        stretches: list[list[InputOrder]] = []
        place: tuple[int, int] | None = None
        for order in orders:
            before = place
            place = self.kept.block_before(order), self.dropped.block_before(order)
            if place == before:
                stretches[-1].append(order)
            else:
                stretches.append([order])
        if self.is_whole or not limit:
            return stretches
        is_parquet = any(isinstance(file, ParquetTable) for file in self.kept.files)
        return every_nth(stretches, _LOOKUP_ROW_GROUPS if is_parquet else _LOOKUP_BLOCKS)

    def _articles_between(
        self, start: InputOrder, stop: InputOrder, only: Collection[InputOrder] | None = None, *, findings: bool = True
    ) -> Iterator[Article]:
        """Yield the articles from one position to another, of those in `only` if it is given."""

        def of_table(table: IndexedTable, *, kept: bool) -> Iterator[tuple[InputOrder, Article]]:
            for order, row in table.rows(start, stop, only):
                yield order, self.output.article_of_fields(row, str(self.output.path), kept=kept)

        articles = merge(of_table(self.kept, kept=True), of_table(self.dropped, kept=False), key=itemgetter(0))
        rows = self.findings.rows(start, stop, only) if findings else iter(())
        parsed = ((order, finding_of_values(row, str(self.output.path))) for order, row in rows)
        return join_findings(articles, parsed, _ignore)

    def _order_of_article(self, row: Fields) -> InputOrder | None:
        try:
            place = msgspec.json.decode(row[PROVENANCE_FIELD], type=_RecordPlace)
        except msgspec.MsgspecError:  # a lone surrogate in the name of a twin
            place = msgspec.convert(from_json(row[PROVENANCE_FIELD]), _RecordPlace)
        return self._order(place.source, place.record)

    def _order_of_finding(self, row: dict[str, Any]) -> InputOrder | None:
        return self._order(row["source"], row["record"])

    def _order(self, source: str, record: int) -> InputOrder | None:
        known = self.output.sources.get(source)
        return None if known is None else (known.number, record)


def every_nth(items: list[ItemT], most: int) -> list[ItemT]:
    """Return at most `most` of the items, evenly spread over them.

    >>> every_nth([1, 2, 3, 4, 5], 3)
    [1, 3, 5]
    """
    return items[:: -(-len(items) // most) or 1]


def _after(order: InputOrder) -> InputOrder:
    return order[0], order[1] + 1


def _ignore(_mismatch: Mismatch) -> None:
    """Ignore a contradiction between tables, because `dedup verify` reports them."""
