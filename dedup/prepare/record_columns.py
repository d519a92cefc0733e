"""The columns of a prepared batch that come with its records: fields, raw text, id, date and host."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from dedup.arrays import Bools, encode_utf8
from dedup.errors import RecordError
from dedup.read import fields as record_fields
from dedup.read.fields import BadRecordError
from dedup.read.formats import TEXT_FILE
from dedup.settings import Settings

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
)


class RecordColumns:
    """Columns that grow by one row per record.

    `values` holds the rows of each column by its name. `raw_texts` holds the text of each record; an unreadable record
    counts as an empty text.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.values: dict[str, list[Any]] = {name: [] for name in _RECORD_COLUMNS}
        self.raw_texts: list[str] = []

    def add_unreadable(self, source: str, record: int, data: bytes, error: str) -> None:
        """Append a row for a record that cannot be read."""
        self._append("", source=source, record=record, data=data, error=error)

    def add_article(
        self, source: str, record: int, fields: record_fields.Fields, raw: str, text_field: str | None
    ) -> None:
        """Append a row for an article; `fields` have null in place of its text."""
        settings = self.settings
        id_field, identity = record_fields.id_of(fields, settings, source, record)
        date_field, date = record_fields.date_of(fields, settings)
        source_field, host = record_fields.host_of(fields, settings)
        self._append(
            raw,
            source=source,
            record=record,
            fields=record_fields.join_fields(fields),
            id=encode_utf8(identity),
            text_field=text_field,
            id_field=id_field,
            date_field=date_field,
            source_field=source_field,
            text=encode_utf8(raw),
            characters=len(raw),
            date=date,
            host=None if host is None else encode_utf8(host),
        )

    def _append(self, raw: str, **row: Any) -> None:
        for name, values in self.values.items():
            values.append(row.get(name))
        self.raw_texts.append(raw)

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
    for source, kind, record, data, error, _ in zip(*(column.to_pylist() for column in batch.columns), strict=True):
        try:
            if error:
                raise BadRecordError(error)  # noqa: TRY301 - damage found by the reader is handled like any other
            columns.add_article(source, record, *_parse_record(kind, data, source, settings))
        except BadRecordError as problem:
            if settings.on_error == "fail":
                raise RecordError(
                    f"{source}#{record}: {problem}; fix this record, or leave out `on_error='fail'`"
                ) from None
            columns.add_unreadable(source, record, data, str(problem))
    return columns


def _parse_record(
    kind: str, data: bytes, source: str, settings: Settings
) -> tuple[record_fields.Fields, str, str | None]:
    """Return the fields of one record without its text, the text, and the name of the text field.

    Raises `BadRecordError` if the record is no article.
    """
    if kind == TEXT_FILE:
        identity = record_fields.to_json(record_fields.text_file_id(source))
        return {"id": identity, "text": record_fields.NULL}, record_fields.decode_text(data), "text"
    fields = record_fields.parse_fields(data)
    name, text = record_fields.text_of(fields, settings)
    if settings.format == "parquet" and _has_lone_surrogate(text + "".join(fields)):
        raise BadRecordError("a text or field name has a lone surrogate, which Parquet cannot hold; use --format jsonl")
    fields[name] = record_fields.NULL
    return fields, text, name


def _has_lone_surrogate(text: str) -> bool:
    """Return True if `text` cannot be encoded in strict UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
