"""Join the rows of articles and findings of an output by their record, and decode them.

Joining reads only the place of the record of each row. So one process can join the tables of a large output, and leave
most of the work, the decoding of texts, to others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol, TypeVar, get_type_hints

import msgspec

from dedup.errors import OutputError
from dedup.findings import DROP, Finding, revert
from dedup.inspect.names import RecordKey, record_name
from dedup.inspect.table_rows import fields_of_line, values_of_line
from dedup.read.article_fields import id_of, text_of
from dedup.read.article_texts import ITEM_LENGTHS, TEXT_FIELD, original_value
from dedup.read.field_paths import set_field
from dedup.read.fields import PROVENANCE_FIELD, Fields, from_json, parse_fields, to_json
from dedup.settings import Settings

InputOrder = tuple[int, int]  # number of the source among the inputs, and record number

_ORPHAN = "a finding of an article that is not there"


class Mismatch(NamedTuple):
    """A contradiction in an output: its place (``source#record`` or the name of a file), and its description."""

    where: str
    what: str


MismatchHandler = Callable[[Mismatch], None]


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


class FindingRow(NamedTuple):
    """A finding as a line of JSON, with its record, and the file and number of the row."""

    source: str
    record: int
    path: str
    number: int
    line: bytes


class ArticleRow(NamedTuple):
    """An article as a line of JSON, with its record, the file and number of the row, and the rows of its findings.

    `is_text` is True if its source is a plain text.
    """

    source: str
    record: int
    kept: bool
    is_text: bool
    path: str
    number: int
    line: bytes
    findings: list[FindingRow]

    @property
    def key(self) -> RecordKey:
        """Return source and record number."""
        return self.source, self.record


class _RowPlace(msgspec.Struct):
    source: str
    record: int


class _ArticlePlace(msgspec.Struct):
    provenance: _RowPlace


class _FindingPlace(msgspec.Struct):
    source: str = "-"
    record: int = 0


_ARTICLE_PLACE = msgspec.json.Decoder(_ArticlePlace)
_FINDING_PLACE = msgspec.json.Decoder(_FindingPlace)
_FINDING_VALUES = msgspec.json.Decoder(
    msgspec.defstruct(
        "_FindingValues",
        [(name, kind, Finding._field_defaults[name]) for name, kind in get_type_hints(Finding).items()],
    )
)
_astuple = msgspec.structs.astuple


def article_row(path: str, number: int, line: bytes, is_text: Callable[[str], bool], *, kept: bool) -> ArticleRow:
    """Return the row `number` of the file `path`. Raises `OutputError` if the row does not name its record."""
    try:
        place = _ARTICLE_PLACE.decode(line).provenance
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # rare forms of JSON, or no article
        place = _place_of_fields(fields_of_line(line, f"{path}: row {number}"), f"{path}: row {number}")
    return ArticleRow(place.source, place.record, kept, is_text(place.source), path, number, line, [])


def _place_of_fields(fields: Fields, where: str) -> _RowPlace:
    try:
        ours = parse_fields(bytes(fields[PROVENANCE_FIELD]))
        place = [from_json(ours["source"]), from_json(ours["record"])]
        return _RowPlace(*msgspec.convert(place, tuple[str, int]))
    except (KeyError, ValueError) as error:
        raise _no_article(where, error) from None


def finding_row(path: str, number: int, line: bytes) -> FindingRow:
    """Return the row `number` of the file `path`. Raises `OutputError` if it is not a finding."""
    try:
        place = _FINDING_PLACE.decode(line)
        return FindingRow(place.source, place.record, path, number, line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        where = f"{path}: row {number}"
        finding = finding_of_values(values_of_line(line, where), where)
        return FindingRow(finding.source, finding.record, path, number, line)


def finding_of_row(row: FindingRow) -> Finding:
    """Return the finding in a row. Raises `OutputError` if the row is not a finding."""
    try:
        return Finding._make(_astuple(_FINDING_VALUES.decode(row.line)))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        where = f"{row.path}: row {row.number}"
        return finding_of_values(values_of_line(row.line, where), where)


def finding_of_values(row: dict[str, Any], where: str) -> Finding:
    """Return the finding with these values. Raises `OutputError` that names `where` if they are not a finding."""
    defaults = Finding._field_defaults
    try:
        return msgspec.convert([row.get(name, defaults[name]) for name in Finding._fields], Finding)
    except msgspec.ValidationError as error:
        raise OutputError(f"{where}: not a finding ({error}); clean again") from None


def article_of_row(row: ArticleRow, settings: Settings) -> Article:
    """Return the article in a row, with its findings. Raises `OutputError` if the row is not an article."""
    where = f"{row.path}: row {row.number}"
    fields = fields_of_line(row.line, where)
    article = article_of_fields(fields, where, settings, kept=row.kept, is_text=lambda _: row.is_text)
    article.findings.extend(map(finding_of_row, row.findings))
    return article


def article_of_fields(
    row: Fields, where: str, settings: Settings, *, kept: bool, is_text: Callable[[str], bool]
) -> Article:
    """Return the article in the fields of a row, without findings; `is_text` returns True if a source is a plain text.

    Raises `OutputError`, which names the place `where`, if the row is not an article.
    """
    try:
        fields = dict(row)
        data = bytes(fields.pop(PROVENANCE_FIELD))
        if b'"previous"' in data:
            ours = parse_fields(data)
            if "previous" in ours:  # the input record had a provenance: put it back in its place
                fields = {**row, PROVENANCE_FIELD: ours.pop("previous")}
            provenance = {name: from_json(value) for name, value in ours.items()}
        else:
            provenance = msgspec.convert(from_json(data), dict[str, Any])
        source, record = msgspec.convert([provenance["source"], provenance["record"]], tuple[str, int])
        is_whole_text = is_text(source)
        if is_whole_text:
            text_field, text = "text", str(from_json(fields["text"]))
        else:
            text_field, text = text_of(fields, _with_text_field(settings, provenance.get(TEXT_FIELD)))
        if "id" in provenance:  # its field may be left out
            name = str(provenance["id"])
        elif is_whole_text:
            name = str(from_json(fields["id"]))
        else:
            _, name = id_of(fields, settings, source, record)
    except (KeyError, ValueError) as error:
        raise _no_article(where, error) from None
    return Article(name, source, record, kept, fields, text_field, text, provenance, [])


def _with_text_field(settings: Settings, remembered: object) -> Settings:
    """Return `settings` with the text field that a provenance names, if it names one."""
    return replace(settings, text_field=str(remembered)) if remembered else settings


def _no_article(where: str, error: Exception) -> OutputError:
    return OutputError(f"{where}: not an article of dedup ({error}); clean again")


class _HasRecord(Protocol):
    """A row of a table, with the place of its record."""

    @property
    def source(self) -> str: ...
    @property
    def record(self) -> int: ...


_FindingT = TypeVar("_FindingT", Finding, FindingRow)
_ArticleT = TypeVar("_ArticleT", Article, ArticleRow)


def join_findings(
    articles: Iterable[tuple[InputOrder, _ArticleT]],
    findings: Iterator[tuple[InputOrder, _FindingT]],
    report: MismatchHandler,
) -> Iterator[_ArticleT]:
    """Yield the articles, each with its findings; both are given with their positions, in input order."""
    finding = next(findings, None)
    previous: InputOrder = (-1, -1)
    for order, article in articles:
        if order == previous:
            report(Mismatch(record_name(*article.key), "appears twice"))
        previous = order
        while finding and finding[0] < order:
            report(Mismatch(row_name(finding[1]), _ORPHAN))
            finding = next(findings, None)
        own: list[Any] = article.findings
        while finding and finding[0] == order:
            own.append(finding[1])
            finding = next(findings, None)
        yield article
    while finding:
        report(Mismatch(row_name(finding[1]), _ORPHAN))
        finding = next(findings, None)


def row_name(row: _HasRecord) -> str:
    """Return the name of the record of a row."""
    return record_name(row.source, row.record)
