"""Read an output of ``dedup clean``: articles with their findings, one at a time, in input order.

All tables of an output are sorted by input order. So articles, dropped articles and findings can be joined by reading
them side by side, and no table is ever held in memory. This module does not know what a rule means. It checks only that
the tables fit together.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from heapq import merge
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from dedup import output_layout as layout
from dedup.decide.known_twins import KnownTwin
from dedup.errors import OutputError
from dedup.findings import DROP, Finding, revert
from dedup.inspect.known_records import is_known, read_known_articles
from dedup.inspect.names import RecordKey, record_name
from dedup.inspect.sources import Source, is_text_file, sources_of_run
from dedup.inspect.table_rows import read_fields, read_values
from dedup.match.site_text import SiteTextRow
from dedup.output_layout import KNOWN_TWINS_FILE, OUTPUT_FORMAT, RUN_FILE, OutputFiles, output_files
from dedup.read.article_fields import id_of, text_of
from dedup.read.article_texts import ITEM_LENGTHS, TEXT_FIELD, original_value
from dedup.read.field_paths import set_field
from dedup.read.fields import PROVENANCE_FIELD, Fields, from_json, parse_fields, to_json
from dedup.read.formats import TEXT_FILE
from dedup.rules import NAMES as RULE_NAMES
from dedup.rules import OFF
from dedup.settings import Settings

InputOrder = tuple[int, int]  # number of the source among the inputs, and record number


class Mismatch(NamedTuple):
    """A contradiction in an output: where it is (``source#record`` or the name of a file), and what it is."""

    where: str
    what: str


MismatchHandler = Callable[[Mismatch], None]

_ORPHAN = "a finding of an article that is not there"


@dataclass(frozen=True, slots=True)
class Article:
    """One article of an output, kept or dropped, with its findings.

    `fields` are the fields of the input record in their order, including a `provenance` that it already had. The text
    field among them holds `text`: the cleaned text of a kept article, the raw text of a dropped one. `provenance` is
    the object that `dedup` added.
    """

    id: str
    source: str
    record: int
    kept: bool
    fields: Fields
    text_field: str
    text: str
    provenance: dict[str, Any]
    findings: list[Finding]

    @property
    def key(self) -> RecordKey:
        """Return source and record number."""
        return self.source, self.record

    @property
    def where(self) -> str:
        """Return ``source#record``."""
        return record_name(*self.key)

    @property
    def raw(self) -> str:
        """Return the text of the input record. Raises `FindingError` if the findings do not lead back to it."""
        return revert(self.text, self.findings) if self.kept else self.text

    @property
    def cleaned(self) -> str:
        """Return the text that is left: empty for a dropped article."""
        return self.text if self.kept else ""

    @property
    def dropped_by(self) -> Finding | None:
        """Return the finding that dropped the whole article, None for a kept article."""
        if self.kept:
            return None
        return next((finding for finding in self.findings if finding.action == DROP), None)

    def original(self) -> Fields:
        """Return the fields of the input record, with its raw text. Raises `FindingError` as `raw` does."""
        if not self.kept:
            return self.fields
        fields = dict(self.fields)
        set_field(fields, self.text_field, to_json(original_value(self.raw, self.provenance.get(ITEM_LENGTHS))))
        return fields


class Quarantined(NamedTuple):
    """An input record that could not be read; `raw` is text, or base64 if `encoding` says so."""

    source: str
    record: int
    error: str
    raw: str
    encoding: str = "utf-8"


_Row = TypeVar("_Row", Article, Finding, Quarantined)
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
        report = report or _raise_mismatch
        kept = self._ordered_articles(layout.ARTICLES, kept=True, report=report)
        dropped = self._ordered_articles(layout.DROPPED, kept=False, report=report)
        findings = self._in_order(self.findings(), layout.PROVENANCE, report)
        return join_findings(merge(kept, dropped, key=itemgetter(0)), findings, report)

    def findings(self) -> Iterator[Finding]:
        """Yield every finding, in the order of the table. Raises `OutputError` if a row is not a finding."""
        for path, number, row in self._rows(layout.PROVENANCE, read_values):
            yield finding_of_row(row, f"{path}: row {number}")

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
        known = {key for key in keys if is_known(key)}
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

    def input_order(self, row: Article | Finding | Quarantined) -> InputOrder | None:
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

    def _ordered_articles(
        self, table: str, *, kept: bool, report: MismatchHandler
    ) -> Iterator[tuple[InputOrder, Article]]:
        """Yield the articles of one table, without findings, each with its position in input order."""
        articles = (
            self.article_of_row(row, f"{path}: row {number}", kept=kept)
            for path, number, row in self._rows(table, read_fields)
        )
        return self._in_order(articles, table, report)

    def article_of_row(self, row: Fields, where: str, *, kept: bool) -> Article:
        """Return the article in a row of a table, without findings.

        Raises `OutputError`, which names the place `where`, if the row is not an article.
        """
        try:
            fields = dict(row)
            ours = parse_fields(bytes(fields.pop(PROVENANCE_FIELD)))
            if "previous" in ours:  # the input record had a provenance: put it back in its place
                fields = {**row, PROVENANCE_FIELD: ours.pop("previous")}
            provenance = {name: from_json(value) for name, value in ours.items()}
            source, record = msgspec.convert([provenance["source"], provenance["record"]], tuple[str, int])
            if self.is_text(source):
                text_field, text = "text", str(from_json(fields["text"]))
            else:
                remembered = provenance.get(TEXT_FIELD)
                settings = replace(self.settings, text_field=str(remembered)) if remembered else self.settings
                text_field, text = text_of(fields, settings)
            if "id" in provenance:  # its field may be left out
                name = str(provenance["id"])
            elif self.is_text(source):
                name = str(from_json(fields["id"]))
            else:
                _, name = id_of(fields, self.settings, source, record)
        except (KeyError, ValueError) as error:
            raise OutputError(f"{where}: not an article of dedup ({error}); clean again") from None
        return Article(name, source, record, kept, fields, text_field, text, provenance, [])

    def _in_order(self, rows: Iterable[_Row], table: str, report: MismatchHandler) -> Iterator[tuple[InputOrder, _Row]]:
        """Yield each row with its position in input order.

        Rows of an unknown source are reported and left out; rows that are out of order are reported.
        """
        previous = (-1, -1)
        for row in rows:
            order = self.input_order(row)
            if order is None:
                report(Mismatch(_row_name(row), f"{table}: its source is not among the inputs of {RUN_FILE}"))
                continue
            if order < previous:
                report(Mismatch(_row_name(row), f"{table}: is out of input order"))
            previous = order
            yield order, row


def finding_of_row(row: dict[str, Any], where: str) -> Finding:
    """Return the finding in a row of its table. Raises `OutputError`, which names the place `where`, if it is none."""
    defaults = Finding._field_defaults
    try:
        return msgspec.convert([row.get(name, defaults[name]) for name in Finding._fields], Finding)
    except msgspec.ValidationError as error:
        raise OutputError(f"{where}: not a finding ({error}); clean again") from None


def join_findings(
    articles: Iterable[tuple[InputOrder, Article]],
    findings: Iterator[tuple[InputOrder, Finding]],
    report: MismatchHandler,
) -> Iterator[Article]:
    """Yield the articles, each with its findings; both come with their positions, in input order."""
    finding = next(findings, None)
    previous: InputOrder = (-1, -1)
    for order, article in articles:
        if order == previous:
            report(Mismatch(article.where, "appears twice"))
        previous = order
        while finding and finding[0] < order:
            report(Mismatch(_row_name(finding[1]), _ORPHAN))
            finding = next(findings, None)
        while finding and finding[0] == order:
            article.findings.append(finding[1])
            finding = next(findings, None)
        yield article
    while finding:
        report(Mismatch(_row_name(finding[1]), _ORPHAN))
        finding = next(findings, None)


def _row_name(row: Article | Finding | Quarantined) -> str:
    return record_name(row.source, row.record)


def _raise_mismatch(mismatch: Mismatch) -> None:
    raise OutputError(f"{mismatch.where}: {mismatch.what}; the output was changed since: see dedup verify")
