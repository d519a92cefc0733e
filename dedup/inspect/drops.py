"""List the dropped articles of an output, each with the survivor that it repeats."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.text import Text

from dedup.inspect.names import named_with_place, record_name
from dedup.inspect.output import Output
from dedup.inspect.visible import visible

SHOWN = 20  # drops listed for a person; all of them in JSON


def list_drops(output: Output, console: Console) -> None:
    """Print the first dropped articles, each with its rule and twin, and how to see the rest."""
    count = 0
    for row in drop_rows(output):
        count += 1
        if count <= SHOWN:
            console.print(_drop_line(row), soft_wrap=True)
    out = shlex.quote(str(output.path))
    if not count:
        kept = output.run["counts"]["kept"]
        console.print(
            f"no article was dropped; {kept:,} were kept: dedup diff {out} shows what changed in them", soft_wrap=True
        )
    elif count > SHOWN:
        console.print(f"… and {count - SHOWN:,} more: dedup explain {out} --json lists all", soft_wrap=True)


def drop_rows(output: Output) -> Iterator[dict[str, Any]]:
    """Yield each dropped article in input order, with the rule that dropped it and its twin, as JSON values."""
    for article in output.articles():
        finding = article.dropped_by
        if finding is not None:
            yield {
                "article": article.id,
                "source": article.source,
                "record": article.record,
                "rule": finding.rule,
                "similarity": finding.similarity,
                "twin": finding.twin,
                "twin_source": finding.twin_source,
                "twin_record": finding.twin_record,
            }


def _drop_line(row: dict[str, Any]) -> Text:
    """Return one dropped article as a line."""
    name = named_with_place(row["article"], row["source"], row["record"])
    line = Text.assemble((visible(name), "bold"), f"  {row['rule']}")
    if row["similarity"] not in {None, 1.0}:
        line.append(f" {row['similarity']:.3f}")
    if row["twin_source"] is not None:
        twin = row["twin"] or record_name(row["twin_source"], row["twin_record"])
        line.append(": repeats ").append(
            visible(named_with_place(twin, row["twin_source"], row["twin_record"])), "bold"
        )
    return line
