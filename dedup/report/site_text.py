"""Read the most frequent site text of an output: its own table where there is one, else the findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dedup.inspect.output import Output
from dedup.inspect.table_rows import read_values
from dedup.output_layout import SITE_TEXT
from dedup.report.gather import OfSource
from dedup.report.page import SiteLine

_LINES_READ = 100_000
_LINE_SHOWN = 300  # characters


def site_lines(
    output: Output, counted: Counter[tuple[str, str]], sources: Mapping[str, OfSource], most: int
) -> tuple[SiteLine, ...]:
    """Return the most frequent lines of site text; `counted` are those of `sources` in the articles read."""
    lines = list(_of_table([path for path in output.table_paths(SITE_TEXT) if path.exists()]))
    if not lines:
        lines = [
            SiteLine(host=source, line=line, articles=count, share=count / max(1, sources[source].articles))
            for (source, line), count in counted.items()
        ]
    return tuple(sorted(lines, key=lambda line: (-line.articles, line.host, line.line))[:most])


def _of_table(files: list[Path]) -> Iterator[SiteLine]:
    """Yield the lines of the table; rows that do not have them are passed over."""
    for path in files:
        for row, _ in zip(read_values(path), range(_LINES_READ), strict=False):
            line = _line_of_row(row)
            if line is not None:
                yield line


def _line_of_row(row: Mapping[str, Any]) -> SiteLine | None:
    host, line, count, share = (row.get(name) for name in ("host", "text", "articles", "share"))
    if not isinstance(line, str) or not isinstance(count, int):
        return None
    return SiteLine(
        host=str(host or ""),
        line=line[:_LINE_SHOWN],
        articles=count,
        share=float(share) if isinstance(share, (int, float)) else None,
    )
