"""Read the inputs of a run again, and compare each file with ``run.json`` and each record with its row of the output.

Both are read side by side, in input order. The records of a changed file are not compared, since one mismatch already
says that the file has changed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from dedup.arrays import decode_utf8, encode_utf8
from dedup.errors import FindingError, OutputError
from dedup.inspect.article_rows import Article, Mismatch
from dedup.inspect.names import record_name
from dedup.inspect.output import Output, Quarantined
from dedup.inspect.restore import source_rows
from dedup.prepare.record_columns import parse_records
from dedup.read.article_texts import ITEM_LENGTHS, original_value
from dedup.read.field_paths import set_field
from dedup.read.fields import Fields, from_json, parse_fields, to_json
from dedup.read.inputs import find_inputs
from dedup.read.records import RecordReader
from dedup.read.selection import choose_records

_LISTED_PER_FILE = 20  # mismatches of the records of one file that are listed


def check_inputs(output: Output, inputs: Sequence[str | Path], *, with_records: bool = True) -> Iterator[Mismatch]:
    """Yield the differences between `inputs`, as they are now, and the inputs of the run.

    `inputs` are those that ``dedup clean`` was given. Without `with_records` only the files are compared. Raises
    `InputError` if one of them cannot be read.
    """
    settings = replace(output.settings, sample=None, on_error="quarantine")  # all records of a sample are read, too
    files = find_inputs(list(inputs), input_format=settings.input_format, ignore=output.path)
    records = choose_records(RecordReader(files, settings), settings, output.path)
    comparison = _RecordComparison(output) if with_records else None
    for batch in records:
        if comparison:
            comparison.add(batch)
    now = {entry["source"]: entry for entry in records.inputs}
    stated: dict[str, dict[str, Any]] = {entry["source"]: entry for entry in output.run["inputs"]}
    changed = stated.keys() ^ now.keys()
    yield from (Mismatch(name, "is not among these inputs") for name in stated if name not in now)
    yield from (Mismatch(name, "was no input of the run") for name in now if name not in stated)
    for name in (name for name in stated if name in now):
        for key in sorted(stated[name].keys() | now[name].keys()):
            was, is_now = stated[name].get(key), now[name].get(key)
            if was != is_now:
                changed |= {name}
                yield Mismatch(name, f"its {key} was {was}, and is {is_now} now")
    if comparison:
        yield from comparison.mismatches_of(stated.keys() - changed)


class _RecordComparison:
    """The comparison of records, which come in batches, with the rows of an output, which come in input order."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._rows = source_rows(output, _ignore_mismatch)
        self._row: Article | Quarantined | None = None
        self._last_order = (-1, -1)
        self._mismatches: dict[str, list[Mismatch]] = {}
        self._end_mismatch: Mismatch | None = None
        self._next_row()

    def _next_row(self) -> None:
        """Go to the next row of the output. After a row that cannot be read, there is none."""
        try:
            self._row = next(self._rows, None)
        except (OutputError, FindingError) as error:
            self._end(str(error))

    def _end(self, problem: str) -> None:
        """Compare no more records, because of `problem`."""
        self._row = None
        problem = f"{problem}; later records are not compared"
        self._end_mismatch = self._end_mismatch or Mismatch(str(self._output.path), problem)

    def _report(self, source: str, record: int, problem: str) -> None:
        mismatches = self._mismatches.setdefault(source, [])
        if len(mismatches) < _LISTED_PER_FILE:
            mismatches.append(Mismatch(record_name(source, record), problem))

    def add(self, batch: pa.RecordBatch) -> None:
        """Compare the records of a batch of `dedup.read.records.RECORD_SCHEMA`."""
        if self._end_mismatch:
            return
        raws = batch.column("data").to_pylist()
        columns = parse_records(batch, replace(self._output.settings, on_error="quarantine")).values
        values = zip(*(columns[name] for name in ("source", "record", "error", "fields", "text_field", "text")))  # noqa: B905
        for raw, (source, record, error, fields, text_field, text) in zip(raws, values, strict=True):
            place = self._output.sources.get(source)
            if place is None:
                continue
            order = (place.number, record)
            if order <= self._last_order:
                self._mismatches.clear()
                self._end("these inputs are in another order than in the run; give them in the order of the run")
                return
            self._last_order = order
            self._report_rows_before(order)
            row = self._row
            if row is None or self._output.input_order(row) != order:
                if self._output.settings.sample is None:
                    self._report(source, record, "is in no table of the output")
                continue
            problem = (
                _quarantine_problem(row, raw, error)
                if isinstance(row, Quarantined)
                else f"is an article in the output, but cannot be read from its input: {error}"
                if error is not None
                else self._article_problem(row, fields, text_field, text)
            )
            if problem:
                self._report(source, record, problem)
            self._next_row()

    def _report_rows_before(self, order: tuple[int, int]) -> None:
        """Report the rows of the output that come before `order`, since their inputs have no record for them."""
        while self._row is not None and (place := self._output.input_order(self._row)) is not None and place < order:
            self._report(self._row.source, self._row.record, "is a row of the output, but not a record of its input")
            self._next_row()

    def mismatches_of(self, sources: set[str]) -> Iterator[Mismatch]:
        """Yield the mismatches of the records of `sources`, after the last batch."""
        self._report_rows_before((len(self._output.sources), 0))
        for source in sorted(sources & self._mismatches.keys()):
            yield from self._mismatches[source]
        if self._end_mismatch:
            yield self._end_mismatch

    def _article_problem(self, article: Article, joined: bytes, text_field: str, text: bytes) -> str | None:
        """Return how an article differs from its record, None if it does not."""
        try:
            raw = article.raw
        except FindingError:
            return None  # `verify` reports wrong findings by itself
        if encode_utf8(raw) != text:
            return "its text is not that of its record"
        if self._output.is_text(article.source):
            return None
        expected = dict(parse_fields(joined))
        lengths = article.provenance.get(ITEM_LENGTHS)
        set_field(expected, text_field, to_json(original_value(decode_utf8(text), lengths)))
        actual = article.original()
        if self._output.settings.output_fields is not None and article.kept:
            expected = {name: value for name, value in expected.items() if name in actual}
        differing = [name for name in {**expected, **actual} if not _have_equal_field(expected, actual, name)]
        return f"its field {differing[0]!r} is not that of its record" if differing else None


def _ignore_mismatch(_: Mismatch) -> None:
    """Report nothing: `verify` itself finds tables that do not fit together, without the inputs."""


def _have_equal_field(first: Fields, second: Fields, name: str) -> bool:
    """Return True if two records have the same value of a field, however it is written."""
    if name not in first or name not in second:
        return False
    texts = bytes(first[name]), bytes(second[name])
    return texts[0] == texts[1] or from_json(texts[0]) == from_json(texts[1])


def _quarantine_problem(row: Quarantined, raw: bytes, error: str | None) -> str | None:
    """Return how a quarantined record differs from that of the input, None if it does not.

    Records on which the program has failed may be read without an error.
    """
    try:
        kept = base64.b64decode(row.raw, validate=True) if row.encoding == "base64" else encode_utf8(row.raw)
    except binascii.Error:
        return "its quarantined bytes are not base64"
    if kept != raw:
        return "its quarantined bytes are not those of its record"
    return f"its error is {error!r}" if error is not None and error != row.error else None
