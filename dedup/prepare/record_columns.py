"""The columns of a prepared batch that come with its records: fields, raw text, id, date and host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from dedup.arrays import Bools, encode_utf8
from dedup.errors import RecordError
from dedup.read.article_fields import (
    PAGE_TEXT,
    FoundText,
    NoTextError,
    address_of,
    date_of,
    find_page,
    find_text,
    host_of,
    id_of,
    text_file_id,
    title_of,
)
from dedup.read.charset import NotUtf8Error, decode_record
from dedup.read.field_paths import parse_path, set_field
from dedup.read.fields import NULL, Fields, check_keys, join_fields, parse_fields, to_json
from dedup.read.formats import EXTRACTED, HTML_FILE, TEXT_FILE, WARC
from dedup.read.json_errors import BadRecordError
from dedup.read.pages import PAGE_STARTS, ExtractedPage, HtmlPage, extract_page, is_page
from dedup.read.warc_records import page_of_record
from dedup.settings import Settings

PageReader = Callable[[HtmlPage], ExtractedPage]

# The columns of `dedup.prepare.columns.prepared_schema` that come with each record.
_RECORD_COLUMNS = (
    "source",
    "record",
    "error",
    "data",
    "fields",
    "id",
    "text_field",
    "id_field",
    "date_field",
    "source_field",
    "text",
    "characters",
    "date",
    "host",
    "title",
    "charset",
    "page",
)

_NO_SURROGATES = {"parquet": "Parquet", "csv": "CSV"}  # names of formats of texts in strict UTF-8, by `Settings.format`


class ParsedRecord(NamedTuple):
    """An article: its text, the field of the text, and all fields with a placeholder for the text.

    `joined` are the fields as a line of JSON. `dedup.read.article_fields.FoundText` describes the placeholder. `page`
    is what the provenance says about the page that the text was extracted from, a JSON object; None without a page.
    """

    fields: Fields
    joined: bytes
    text_field: str
    text: str
    page: bytes | None = None


class RecordColumns:
    """Columns that grow by one row per record.

    `values` holds the rows of each column by its name. `raw_texts` holds the text of each record, and `titles` its
    title; they are empty for an unreadable record, and the title where there is none.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.values: dict[str, list[Any]] = {name: [] for name in _RECORD_COLUMNS}
        self.raw_texts: list[str] = []
        self.titles: list[str] = []

    def add_unreadable(self, source: str, record: int, data: bytes, error: str) -> None:
        """Append a row for a record that cannot be read."""
        self._append("", None, source=source, record=record, data=data, error=error)

    def add_article(
        self, source: str, record: int, article: ParsedRecord, charset: str | None, file_host: str | None
    ) -> None:
        """Append a row for an article that was decoded from `charset`; `file_host` is that of its file."""
        settings, fields = self.settings, article.fields
        id_field, identity = id_of(fields, settings, source, record)
        date_field, date = date_of(fields, settings)
        source_field, host = host_of(fields, settings)
        host = host or file_host
        self._append(
            article.text,
            title_of(fields, article.text_field),
            source=source,
            record=record,
            fields=article.joined,
            id=encode_utf8(identity),
            text_field=article.text_field,
            id_field=id_field,
            date_field=date_field,
            source_field=source_field,
            text=encode_utf8(article.text),
            characters=len(article.text),
            date=date,
            host=None if host is None else encode_utf8(host),
            charset=charset,
            page=article.page,
        )

    def _append(self, raw: str, title: str | None, **row: Any) -> None:
        row["title"] = None if title is None else encode_utf8(title)
        for name, values in self.values.items():
            values.append(row.get(name))
        self.raw_texts.append(raw)
        self.titles.append(title or "")

    def encoded_texts(self) -> list[bytes]:
        """Return the raw texts in UTF-8."""
        return [text or b"" for text in self.values["text"]]

    def is_readable(self) -> Bools:
        """Return, for each record, whether it can be read: bool [records]."""
        return np.array([error is None for error in self.values["error"]], bool)


def parse_records(batch: pa.RecordBatch, settings: Settings) -> RecordColumns:
    """Return the columns of the records of `batch` (`dedup.read.records.RECORD_SCHEMA`).

    Raises `RecordError` for the first record that cannot be read if `settings.on_error` is "fail".
    """
    columns = RecordColumns(settings)
    for source, kind, record, data, error, charset, file_host in zip(
        *(column.to_pylist() for column in batch.columns), strict=True
    ):
        try:
            if error:
                raise BadRecordError(error)  # noqa: TRY301 - damage found by the reader is handled like any other
            article, guessed = parse_record(kind, data, source, settings, charset)
            if charset and kind != HTML_FILE and (kind == TEXT_FILE or _is_guess(charset, settings)):
                guessed = charset
            columns.add_article(source, record, article, guessed, file_host)
        except BadRecordError as problem:
            if settings.on_error == "fail":
                raise RecordError(
                    f"{source}#{record}: {problem}; fix this record, or leave out `on_error='fail'`"
                ) from None
            columns.add_unreadable(source, record, data, str(problem))
    return columns


def _is_guess(charset: str, settings: Settings) -> bool:
    """Return True if the reader guessed `charset` for a single record; that of a whole file is in ``run.json``."""
    return settings.encoding is None and not charset.startswith(("utf-16", "utf-32"))


def parse_record(
    kind: str,
    data: bytes,
    source: str,
    settings: Settings,
    charset: str | None = None,
    read_page: PageReader = extract_page,
) -> tuple[ParsedRecord, str | None]:
    """Return the article in one record, and its charset if that was guessed.

    `charset` is that of an HTML file, if it is known. `read_page` extracts the article of an HTML page. Raises
    `BadRecordError` if the record is no article.
    """
    if kind == TEXT_FILE:
        text, guessed = decode_record(data)
        fields = {"id": to_json(text_file_id(source)), "text": NULL}
        return ParsedRecord(fields, join_fields(fields), "text", text), guessed
    if kind == HTML_FILE:
        return _parse_page({"id": text_file_id(source)}, read_page(HtmlPage(data, charset=charset))), None
    if kind == WARC:
        page, date = page_of_record(data)
        return _parse_page({"id": page.warc_record, "url": page.url}, read_page(page), {"date": date}), None
    if kind == EXTRACTED:
        parts = parse_fields(data)
        article = _parse_json(bytes(parts["article"]), settings, _as_text)
        return article._replace(page=bytes(parts["page"])), None
    try:
        return _parse_json(data, settings, read_page), None
    except NotUtf8Error:
        text, guessed = decode_record(data)
        return _parse_json(text.removeprefix("\ufeff").encode("utf-8"), settings, read_page), guessed


def _parse_page(
    known: dict[str, str | None], page: ExtractedPage, decided: Mapping[str, str | None] = MappingProxyType({})
) -> ParsedRecord:
    """Return the article of a page that is a record by itself; `known` fields come first, `decided` ones win."""
    values = {**known, **page.metadata, **decided}
    fields = {name: to_json(value) for name, value in values.items() if value is not None}
    fields["text"] = NULL
    return ParsedRecord(fields, join_fields(fields), "text", page.text, page.provenance)


def _as_text(page: HtmlPage) -> ExtractedPage:
    """Return a text that looks like a page as it is, since it has been extracted before."""
    return ExtractedPage(str(page.html), {}, b"")


def _parse_json(line: bytes, settings: Settings, read_page: PageReader) -> ParsedRecord:
    """Return the article in one line of JSON in UTF-8. Raises `BadRecordError` if there is none."""
    fields = parse_fields(line)
    found, html = _find_text_or_page(fields, settings)
    added = 0  # bytes that a new field for the text of a page adds
    if html is not None and PAGE_TEXT not in fields:
        before = len(join_fields(fields))
        fields[PAGE_TEXT] = NULL
        added = len(join_fields(fields)) - before
    name, text, placeholder = found if found is not None else (PAGE_TEXT, html or "", NULL)
    if settings.format in _NO_SURROGATES:
        _check_surrogates(text, fields, settings)
    field = name if name in fields else str(parse_path(name)[0])
    with_text = len(memoryview(fields[field]))
    if name in fields:
        fields[name] = placeholder
    else:
        set_field(fields, name, placeholder)
    joined = join_fields(fields)
    length = len(joined) - len(memoryview(fields[field])) + with_text
    if added:
        check_keys(line, {name: value for name, value in fields.items() if name != PAGE_TEXT}, length - added)
    else:
        check_keys(line, fields, length)
    if html is None and not (text[:1] in PAGE_STARTS and placeholder == NULL and is_page(text)):
        return ParsedRecord(fields, joined, name, text)
    page = read_page(HtmlPage(text, address_of(fields, settings)))
    return ParsedRecord(fields, joined, name, page.text, page.provenance)


def _find_text_or_page(fields: Fields, settings: Settings) -> tuple[FoundText | None, str | None]:
    """Return the text of a record and None; or None and its HTML, if that is all it has. Raises `NoTextError`."""
    try:
        found = find_text(fields, settings)
    except NoTextError:
        html = find_page(fields, settings)
        if html is None:
            raise
        return None, html
    html = find_page(fields, settings) if not found.text or found.text.isspace() else None
    return (None, html) if html is not None else (found, None)


def _check_surrogates(text: str, fields: Fields, settings: Settings) -> None:
    """Raise `BadRecordError` if the output's format cannot hold a record because of a lone surrogate.

    Ids are in the findings, which are JSON lines if the format is CSV.
    """
    ids = id_of(fields, settings, "", 0)[1] if settings.format == "parquet" else ""
    for what, value in (("a text or field name", text + "".join(fields)), ("an id", ids)):
        if _has_lone_surrogate(value):
            format_name = _NO_SURROGATES[settings.format]
            raise BadRecordError(f'{what} has a lone surrogate, which {format_name} cannot hold; use `format="jsonl"`')


def _has_lone_surrogate(text: str) -> bool:
    """Return True if `text` cannot be encoded in strict UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
