"""Read an output of ``dedup clean``: articles with their findings, one at a time, in input order.

All tables of an output are sorted by input order. So articles, dropped articles and findings can be joined by reading
them side by side, and no table is ever held in memory. This module does not know what a rule means. It checks only that
the tables fit together.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from heapq import merge
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from dedup import output_layout as layout
from dedup.decide.known_twins import KnownTwin
from dedup.errors import OutputError
from dedup.findings import Finding
from dedup.inspect.article_rows import (
    Article,
    ArticleRow,
    FindingRow,
    InputOrder,
    Mismatch,
    MismatchHandler,
    article_of_fields,
    article_of_row,
    article_row,
    finding_of_row,
    finding_row,
    join_findings,
    row_name,
)
from dedup.inspect.known_records import is_known, read_known_articles
from dedup.inspect.names import RecordKey
from dedup.inspect.sources import Source, is_text_file, sources_of_run
from dedup.inspect.table_rows import read_article_lines, read_value_lines, read_values
from dedup.match.site_text import SiteTextRow
from dedup.output_layout import KNOWN_TWINS_FILE, OUTPUT_FORMAT, RUN_FILE, OutputFiles, output_files
from dedup.read.fields import Fields
from dedup.read.formats import TEXT_FILE
from dedup.rules import NAMES as RULE_NAMES
from dedup.rules import OFF
from dedup.settings import Settings


class Quarantined(NamedTuple):
    """An input record that could not be read; `raw` is text, or base64 if `encoding` says so."""

    source: str
    record: int
    error: str
    raw: str
    encoding: str = "utf-8"


_Row = TypeVar("_Row", ArticleRow, FindingRow, Quarantined)
_Values = TypeVar("_Values")


def open_output(path: str | Path) -> Output:
    """Return the output in the folder `path`.

    Raises `OutputError` if the folder is not an output, or if this version of `dedup` cannot read it.
    """
    path = Path(path)
    try:
        run = json.loads((path / RUN_FILE).read_bytes())
        output_format = run["dedup"]["format"]
    except (FileNotFoundError, NotADirectoryError):
        raise OutputError(
            f"{path} is not an output of dedup: no {RUN_FILE}; give the folder that `dedup clean` wrote"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise OutputError(f"{path / RUN_FILE}: cannot be read ({error!r}); clean again") from None
    if output_format != OUTPUT_FORMAT:
        raise OutputError(
            f"{path}: written in format {output_format!r}, this is format {OUTPUT_FORMAT}; "
            "use the version that wrote it"
        )
    try:
        settings = _recorded_settings(run["settings"])
        sources = sources_of_run(run["inputs"])
        files = output_files(run)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise OutputError(f"{path / RUN_FILE}: settings or inputs cannot be read ({error}); clean again") from None
    return Output(path, run, settings, sources, files)


def _recorded_settings(values: dict[str, Any]) -> Settings:
    """Return the settings of a run. A rule that this run did not know yet is off, and a setting has its default."""
    return Settings(**{**values, "rules": {**dict.fromkeys(RULE_NAMES, OFF), **values["rules"]}})


@dataclass(frozen=True)
class Output:
    """An output folder: the contents of ``run.json``, and its tables one row at a time.

    `sources` says what each source is, by its name; `files` gives the names of the tables' files.
    """

    path: Path
    run: dict[str, Any]
    settings: Settings
    sources: dict[str, Source]
    files: OutputFiles

    def table_paths(self, table: str) -> list[Path]:
        """Return the paths of the files of a table, in the order of their rows."""
        return [self.path / name for name in self.files.names(table)]

    def articles(self, report: MismatchHandler | None = None) -> Iterator[Article]:
        """Yield every article, kept or dropped, with its findings, in input order.

        If the tables do not fit together, `report` is called and reading continues. Without `report`,
        the first problem raises `OutputError`.
        """
        return (article_of_row(row, self.settings) for row in self.article_rows(report))

    def article_rows(self, report: MismatchHandler | None = None) -> Iterator[ArticleRow]:
        """Yield the undecoded rows of every article and of its findings, in the order of `articles`.

        Raises `OutputError` if a row does not name its record.
        """
        report = report or _raise_mismatch
        kept = self._in_order(self._article_rows(layout.ARTICLES, kept=True), layout.ARTICLES, report)
        dropped = self._in_order(self._article_rows(layout.DROPPED, kept=False), layout.DROPPED, report)
        findings = self._in_order(self.finding_rows(), layout.PROVENANCE, report)
        return join_findings(merge(kept, dropped, key=itemgetter(0)), findings, report)

    def finding_rows(self) -> Iterator[FindingRow]:
        """Yield the undecoded row of every finding. Raises `OutputError` as `article_rows` does."""
        for path in self.table_paths(layout.PROVENANCE):
            name = str(path)
            yield from (finding_row(name, number, line) for number, line in enumerate(read_value_lines(path)))

    def _article_rows(self, table: str, *, kept: bool) -> Iterator[ArticleRow]:
        for path in self.table_paths(table):
            name = str(path)
            for number, line in enumerate(read_article_lines(path)):
                yield article_row(name, number, line, self.is_text, kept=kept)

    def findings(self) -> Iterator[Finding]:
        """Yield every finding, in the order of the table. Raises `OutputError` if a row is not a finding."""
        return map(finding_of_row, self.finding_rows())

    def quarantined(self) -> Iterator[Quarantined]:
        """Yield every input record that could not be read, in input order. Raises `OutputError` as `findings` does."""
        for path, number, row in self._rows(layout.QUARANTINE, read_values):
            try:
                yield msgspec.convert([row[name] for name in Quarantined._fields], Quarantined)
            except (KeyError, msgspec.ValidationError) as error:
                raise OutputError(f"{path}: row {number}: not a quarantined record ({error}); clean again") from None

    def quarantined_in_order(self, report: MismatchHandler | None = None) -> Iterator[Quarantined]:
        """Yield what `quarantined` does; call `report` with rows of an unknown source or out of input order.

        Without `report`, the first such row raises `OutputError`.
        """
        rows = self._in_order(self.quarantined(), layout.QUARANTINE, report or _raise_mismatch)
        return (row for _, row in rows)

    def site_text(self) -> Iterator[SiteTextRow]:
        """Yield every row of the table of site text, in its order. Raises `OutputError` as `findings` does."""
        for path, number, row in self._rows(layout.SITE_TEXT, read_values):
            try:
                yield msgspec.convert([row[name] for name in SiteTextRow._fields], SiteTextRow)
            except (KeyError, msgspec.ValidationError) as error:
                raise OutputError(f"{path}: row {number}: not a line of site text ({error}); clean again") from None

    def known_twins(self) -> Iterator[KnownTwin]:
        """Yield every row of the table of known twins. Raises `OutputError` as `findings` does."""
        path = self.path / KNOWN_TWINS_FILE
        for number, row in enumerate(read_values(path)):
            try:
                yield msgspec.convert([row[name] for name in KnownTwin._fields], KnownTwin)
            except (KeyError, msgspec.ValidationError) as error:
                raise OutputError(f"{path}: row {number}: not a known twin ({error}); clean again") from None

    @property
    def has_known_twins(self) -> bool:
        """Whether the run compared with other corpora, so that twins may lie there."""
        return "against" in self.run or "index" in self.run

    def known_articles(self, keys: Collection[RecordKey]) -> Iterator[Article]:
        """Yield the articles of other corpora with these keys, raw. Raises `OutputError` if they cannot be read."""
        known = {key for key in keys if is_known(key, self.sources)}
        if not known or not self.has_known_twins:
            return
        for article in read_known_articles(self.run, self.path, known, self.settings):
            fields, text_field = article.fields, article.text_field
            yield Article(
                article.id,
                *article.key,
                kept=True,
                fields=fields,
                text_field=text_field,
                text=article.raw,
                provenance={},
                findings=[],
            )

    def input_order(self, row: Article | ArticleRow | Finding | FindingRow | Quarantined) -> InputOrder | None:
        """Return the position of a row in input order, None if its source is not among the inputs."""
        source = self.sources.get(row.source)
        return None if source is None else (source.number, row.record)

    def is_text(self, source: str) -> bool:
        """Return True if a source is one article of plain text."""
        return self.sources[source].kind == TEXT_FILE if source in self.sources else is_text_file(source)

    def find_articles(self, name: str) -> Iterator[Article]:
        """Yield the articles whose id or ``source#record`` is `name`."""
        return (article for article in self.articles() if name in {article.id, article.where})

    def articles_by_key(self, keys: Collection[RecordKey]) -> dict[RecordKey, Article]:
        """Return the articles with these keys, those of other corpora included; keys of no article are left out."""
        articles: dict[RecordKey, Article] = {}
        if not keys:
            return articles
        with suppress(OutputError):  # a corpus that is gone; `dedup verify` says so
            articles = {article.key: article for article in self.known_articles(keys)}
        for article in self.articles():
            if article.key in keys:
                articles[article.key] = article
                if len(articles) == len(set(keys)):
                    break
        return articles

    def _rows(self, table: str, read: Callable[[Path], Iterator[_Values]]) -> Iterator[tuple[Path, int, _Values]]:
        """Yield the rows of a table, each with its file and its number in it."""
        for path in self.table_paths(table):
            yield from ((path, number, row) for number, row in enumerate(read(path)))

    def article_of_fields(self, row: Fields, where: str, *, kept: bool) -> Article:
        """Return the article in a row of a table, without findings.

        Raises `OutputError`, which names the place `where`, if the row is not an article.
        """
        return article_of_fields(row, where, self.settings, kept=kept, is_text=self.is_text)

    def _in_order(self, rows: Iterable[_Row], table: str, report: MismatchHandler) -> Iterator[tuple[InputOrder, _Row]]:
        """Yield each row with its position in input order.

        Rows of an unknown source are reported and left out; rows that are out of order are reported.
        """
        previous = (-1, -1)
        for row in rows:
            order = self.input_order(row)
            if order is None:
                report(Mismatch(row_name(row), f"{table}: its source is not among the inputs of {RUN_FILE}"))
                continue
            if order < previous:
                report(Mismatch(row_name(row), f"{table}: is out of input order"))
            previous = order
            yield order, row


def _raise_mismatch(mismatch: Mismatch) -> None:
    raise OutputError(f"{mismatch.where}: {mismatch.what}; the output was changed since: see dedup verify")
