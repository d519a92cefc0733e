"""Read the table of findings of an output into its database: by DuckDB itself or, where that cannot, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from dedup import output_layout as layout
from dedup.errors import OutputError
from dedup.findings import REVIEWED
from dedup.inspect.output import Output
from dedup.inspect.table_rows import open_table, read_values
from dedup.match.policy import BOILERPLATE
from dedup.output_layout import SITE_TEXT_SOURCE

if TYPE_CHECKING:
    import duckdb

NAME_LISTED = 300  # characters of an id in a list
TEXT_LISTED = 300  # the same of the beginning of a text

FINDING_ROWS = pa.schema(
    [
        ("finding", pa.int64()),  # its row in the table
        ("source_number", pa.int64()),
        ("record", pa.int64()),
        ("place", pa.int64()),  # its number within the article
        ("rule", pa.string()),
        ("action", pa.string()),
        ("start", pa.int64()),
        ("stop", pa.int64()),
        ("similarity", pa.float64()),
        ("evidence", pa.string()),
        ("removed", pa.string()),
        ("twin", pa.string()),
        ("twin_source_number", pa.int64()),
        ("twin_record", pa.int64()),
        ("rejected", pa.bool_()),
    ]
)


class _FindingLine(msgspec.Struct):
    """What lists show of a line of the table of findings."""

    source: str
    record: int
    rule: str
    action: str
    start: int
    stop: int
    similarity: float | None = None
    evidence: str | None = None
    original: str | None = None
    twin: str | None = None
    twin_source: str | None = None
    twin_record: int | None = None


_LINE_DECODER = msgspec.json.Decoder(_FindingLine)


_FINDING_LINE_COLUMNS = {
    **dict.fromkeys(("source", "rule", "action", "evidence", "original", "twin", "twin_source"), "VARCHAR"),
    **dict.fromkeys(("record", "start", "stop", "twin_record"), "BIGINT"),
    "similarity": "DOUBLE",
}
_READ_LINES = f"""
    CREATE TABLE finding_lines AS
    SELECT row_number() OVER () - 1 AS finding, source, record, rule, action, start, stop, similarity,
        left(evidence, {TEXT_LISTED}) AS evidence, left(original, {TEXT_LISTED}) AS removed,
        left(twin, {NAME_LISTED}) AS twin, twin_source, twin_record
    FROM {{read}}
"""  # noqa: S608 - numbers of ours
_BAD_LINES = """
    SELECT count(*) FROM finding_lines
    WHERE source IS NULL OR record IS NULL OR rule IS NULL OR action IS NULL OR start IS NULL OR stop IS NULL
"""
_NUMBER_LINES = """
    CREATE TABLE finding_rows AS
    SELECT finding, s.source_number, record,
        row_number() OVER (PARTITION BY f.source, record ORDER BY finding) - 1 AS place,
        rule, action, start, stop, similarity, evidence, removed, twin,
        CASE WHEN twin_source = ? THEN NULL ELSE t.source_number END AS twin_source_number, twin_record,
        coalesce(starts_with(evidence, ?), false) AS rejected
    FROM finding_lines f
    LEFT JOIN source_names s ON s.source = f.source
    LEFT JOIN source_names t ON t.source = f.twin_source
"""


def read_natively(cursor: duckdb.DuckDBPyConnection, output: Output) -> bool:
    """Let DuckDB read the table of findings, which is ten times as fast, and return True.

    It takes neither lone surrogates nor very long lines; then return False.
    """
    import duckdb  # noqa: PLC0415 - an extra

    paths = list(map(str, output.table_paths(layout.PROVENANCE)))
    names = pa.table(
        {
            "source": [safe(name) for name in output.sources],
            "source_number": [source.number for source in output.sources.values()],
        }
    )
    read = "read_json(?, format = 'newline_delimited', columns = ?)"
    parameters: list[Any] = [paths, _FINDING_LINE_COLUMNS]
    if paths[0].endswith(".parquet"):
        read, parameters = "read_parquet(?)", [paths]
    cursor.register("source_names", names)
    try:
        cursor.execute(_READ_LINES.format(read=read), parameters)
        if cursor.execute(_BAD_LINES).fetchone() != (0,):  # the other way says which one it is
            raise duckdb.DataError
        cursor.execute(_NUMBER_LINES, [SITE_TEXT_SOURCE, REVIEWED])
    except duckdb.Error:
        cursor.execute("DROP TABLE IF EXISTS finding_lines")
        cursor.execute("DROP TABLE IF EXISTS finding_rows")
        return False
    finally:
        cursor.unregister("source_names")
    return True


def listed_findings(output: Output) -> Iterator[dict[str, Any]]:
    """Yield the findings in the order of their table."""
    sources = {name: source.number for name, source in output.sources.items()}
    previous: tuple[str, int] | None = None
    place = 0
    for number, line in enumerate(_finding_lines(output)):
        place = place + 1 if previous == (line.source, line.record) else 0
        previous = (line.source, line.record)
        is_line = line.rule == BOILERPLATE
        yield {
            "finding": number,
            "source_number": sources.get(line.source, -1),
            "record": line.record,
            "place": place,
            "rule": line.rule,
            "action": line.action,
            "start": line.start,
            "stop": line.stop,
            "similarity": line.similarity,
            "evidence": None if line.evidence is None else safe(line.evidence[:TEXT_LISTED]),
            "removed": None if line.original is None else safe(line.original[:TEXT_LISTED]),
            "twin": None if line.twin is None else safe(line.twin[:NAME_LISTED]),
            "twin_source_number": None if is_line else sources.get(line.twin_source or ""),
            "twin_record": line.twin_record,
            "rejected": (line.evidence or "").startswith(REVIEWED),
        }


def _finding_lines(output: Output) -> Iterator[_FindingLine]:
    for path in output.table_paths(layout.PROVENANCE):
        if path.suffix == ".parquet":
            for row in read_values(path):
                yield _finding_line_of(row, path)
            continue
        with open_table(path) as file:
            for line in file:
                try:
                    yield _LINE_DECODER.decode(line)
                except msgspec.MsgspecError:  # a lone surrogate; or no finding, which the other way reports
                    break
            else:
                continue
        yield from islice((_finding_line_of(row, path) for row in read_values(path)), _decoded_lines(path), None)


def _decoded_lines(path: Path) -> int:
    """Return how many lines of a file can be decoded before one that cannot."""
    with open_table(path) as file:
        for number, line in enumerate(file):
            try:
                _LINE_DECODER.decode(line)
            except msgspec.MsgspecError:
                return number
    return 0


def _finding_line_of(row: dict[str, Any], path: Path) -> _FindingLine:
    try:
        return msgspec.convert({name: row.get(name) for name in _FindingLine.__struct_fields__}, _FindingLine)
    except msgspec.ValidationError as error:
        raise OutputError(f"{path}: not a finding ({error}); clean again") from None


def safe(text: str) -> str:
    r"""Return `text` with U+FFFD in place of lone surrogates, which neither DuckDB nor a browser takes.

    >>> safe("a\ud800b")
    'a�b'
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
