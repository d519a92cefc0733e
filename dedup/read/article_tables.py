"""Read and write what a table of articles adds to CSV and Parquet so that no value is lost.

Both formats have one column per field, whichever fields a record had, and neither holds every JSON value. So the
`provenance` of each row also has `fields`, the names of the fields of its record in order, and `previous`, its own
`provenance` if it had one. A Parquet column of mixed values holds JSON, and is marked. In CSV, `provenance` is JSON and
lists the cells that are JSON as `json`.

A spreadsheet runs a cell that begins with ``=`` or a similar character as a formula. Such a cell of text gets an
apostrophe in front (https://owasp.org/www-community/attacks/CSV_Injection), and so does one that begins with
apostrophes and then such a character: therefore the first apostrophe of either kind can be removed again.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa

from dedup.arrays import decode_utf8
from dedup.output_layout import JSON_COLUMN
from dedup.read.fields import NULL, PROVENANCE_FIELD, Fields, from_json, join_fields, parse_fields, to_json

CSV_ENCODING = "utf-8-sig"  # with a byte order mark: without it, Excel decodes UTF-8 as the machine's legacy charset

_CELL_SIZE_LIMIT = (1 << 31) - 1  # characters; the csv module's own limit is 128 KiB, less than a long article
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
_ESCAPED_FORMULA = re.compile("'+[=+\\-@\t\r\n＝＋－＠]")


def escape_cell(text: str) -> str:
    """Return `text` so that no spreadsheet takes it for a formula; `unescape_cell` gives it back.

    >>> escape_cell("=1+1"), escape_cell("'=1+1"), escape_cell("'tis")
    ("'=1+1", "''=1+1", "'tis")
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unescape_cell(cell: str) -> str:
    """Return the text that `escape_cell` was given.

    >>> unescape_cell("'=1+1"), unescape_cell("'tis")
    ('=1+1', "'tis")
    """
    return cell[1:] if _ESCAPED_FORMULA.match(cell) else cell


def fields_from_csv(file: BinaryIO) -> Iterator[Fields]:
    """Yield the articles of an uncompressed CSV file that this package wrote, as it would write them to JSON lines.

    Raises `ValueError` (and so `UnicodeDecodeError`, `BadRecordError`), `KeyError` or `csv.Error` if the file is not
    one.
    """
    csv.field_size_limit(_CELL_SIZE_LIMIT)
    rows = csv.reader(io.TextIOWrapper(file, CSV_ENCODING, newline=""), strict=True)
    header = [unescape_cell(cell) for cell in next(rows, ())]
    if PROVENANCE_FIELD not in header:
        raise ValueError(f"its header has no {PROVENANCE_FIELD}")
    for row in rows:
        cells = dict(zip(header, row, strict=True))
        members = parse_fields(cells[PROVENANCE_FIELD].encode("utf-8"))
        names, in_json = _names(members.pop("fields")), set(_names(members.pop("json")))
        previous = members.pop("previous", None)
        fields = {}
        for name in names:
            if name != PROVENANCE_FIELD:
                cell = unescape_cell(cells[name])
                fields[name] = _checked_json(cell) if name in in_json else to_json(cell)
        for name, cell in cells.items():  # columns that somebody has added to the file
            if cell and name != PROVENANCE_FIELD and name not in names:
                fields[name] = to_json(unescape_cell(cell))
        yield _in_order(fields, members, [*names, *(name for name in fields if name not in names)], previous)


def fields_from_parquet(batch: pa.RecordBatch) -> Iterator[Fields]:
    """Yield the articles of a batch of a Parquet file that this package wrote, as it would write them to JSON lines."""
    json_names = {field.name for field in batch.schema if JSON_COLUMN.items() <= (field.metadata or {}).items()}
    for row in rows_of_batch(batch):
        values = row.pop(PROVENANCE_FIELD)
        names, previous = values.pop("fields"), values.pop("previous")
        more = parse_fields((values.pop("more", None) or "{}").encode("utf-8"))
        if values.get("id", "") is None:
            del values["id"]
        fields = {
            name: _raw_json(row[name]) if name in json_names else to_json(row[name]) for name in names if name in row
        }
        added = {name: to_json(value) for name, value in row.items() if value is not None and name not in names}
        fields, names = {**fields, **added}, [*names, *added]
        members = {**{name: to_json(value) for name, value in values.items()}, **more}
        yield _in_order(fields, members, names, None if previous is None else _raw_json(previous))


def rows_of_batch(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """Yield the rows of `batch` as dicts.

    Arrow's own conversion fails on texts with lone surrogates.
    """
    return _dicts(batch.schema.names, batch.columns)


def _names(value: msgspec.Raw) -> list[str]:
    """Return a list of names from JSON. Raises `ValueError` if `value` is none."""
    return msgspec.convert(from_json(value), list[str])


def _checked_json(cell: str) -> msgspec.Raw:
    """Return a cell that holds JSON. Raises `ValueError` if it does not, since somebody has edited it."""
    value = _raw_json(cell)
    from_json(value)
    return value


def _raw_json(text: str | None) -> msgspec.Raw:
    return msgspec.Raw(text.encode("utf-8")) if text else NULL


def _in_order(fields: Fields, members: Fields, names: list[str], previous: msgspec.Raw | None) -> Fields:
    """Return a row of JSON lines: `fields` in the order of `names`, and `members` as its provenance."""
    if PROVENANCE_FIELD in names:
        members = {**members, "previous": previous or NULL}
    provenance = msgspec.Raw(join_fields(members))
    in_order = {name: provenance if name == PROVENANCE_FIELD else fields[name] for name in names}
    return {**in_order, PROVENANCE_FIELD: provenance}


def _dicts(names: Iterable[str], columns: Iterable[pa.Array]) -> Iterator[dict[str, Any]]:
    """Yield one dict for each row of `columns`."""
    names = list(names)
    for values in zip(*map(_python_values, columns), strict=True):
        yield dict(zip(names, values, strict=True))


def _python_values(array: pa.Array) -> list[Any]:
    """Return the Python values of a column; texts are converted as bytes."""
    kind = array.type
    if pa.types.is_struct(kind):
        return list(_dicts([field.name for field in kind], array.flatten()))
    if pa.types.is_list(kind):
        values = iter(_python_values(array.flatten()))
        sizes = array.value_lengths().to_pylist()
        return [None if size is None else [next(values) for _ in range(size)] for size in sizes]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        binary = array.cast(pa.binary() if pa.types.is_string(kind) else pa.large_binary())
        return [None if value is None else decode_utf8(value) for value in binary.to_pylist()]
    return array.to_pylist()  # type: ignore[no-any-return]
