"""Convert the articles of an output from JSON lines to CSV (RFC 4180), for spreadsheets.

The header is every field of any article in order of first appearance, so the lines are read twice. A text is its own
cell, escaped against formulas; any other value is its JSON, with an empty cell for null. `dedup.read.article_tables`
reads the files back without loss.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from dedup.read.article_tables import CSV_ENCODING, escape_cell
from dedup.read.fields import NULL, PROVENANCE_FIELD, Fields, join_fields, to_json
from dedup.settings import Settings
from dedup.write.article_columns import empty_table_fields, json_lines, split_row, text_value
from dedup.write.compression import open_compressed

_NOT_A_NUMBER = re.compile(r"-\D")  # the start of a JSON value that a spreadsheet might take for a formula


def articles_to_csv(sources: Sequence[Path], targets: Sequence[Path], settings: Settings) -> None:
    """Write each file of JSON lines in `sources` as the CSV file of the same place in `targets`, and delete it."""
    names: dict[str, None] = {}
    for line in json_lines(sources):
        names.update(dict.fromkeys(split_row(line)[0]))
    header = list(names) or empty_table_fields(settings)
    for source, target in zip(sources, targets, strict=True):
        with (
            open_compressed(target, settings.compress) as file,
            io.TextIOWrapper(file, CSV_ENCODING, newline="") as text,
        ):
            rows = csv.writer(text)
            rows.writerow(map(escape_cell, [*header, PROVENANCE_FIELD]))
            rows.writerows(_cells(*split_row(line), header) for line in json_lines([source]))
        source.unlink()


def _cells(fields: Fields, members: Fields, header: Sequence[str]) -> list[str]:
    """Return the cells of an article."""
    in_json = []
    cells = []
    for name in header:
        value = fields.get(name)
        text = None if value is None else text_value(value)
        if text is not None:
            cells.append(escape_cell(text))
        elif value is None:
            cells.append("")
        else:
            in_json.append(name)
            cells.append(_json_cell(value))
    previous = members.pop("previous", None)
    members["json"] = to_json(in_json)
    if previous is not None:
        members["previous"] = previous
    return [*cells, join_fields(members).decode("utf-8")]


def _json_cell(value: msgspec.Raw) -> str:
    """Return the cell of a JSON value that is no text."""
    if bytes(value) == bytes(NULL):
        return ""
    cell = bytes(value).decode("utf-8")
    return escape_cell(cell) if _NOT_A_NUMBER.match(cell) else cell
