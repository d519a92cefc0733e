"""The summary of a run, for a terminal."""

from __future__ import annotations

from operator import itemgetter
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from dedup.write.report import Report

_NAMES_SHOWN = 3


def print_summary(report: Report, console: Console) -> None:
    """Print the numbers of a run and the folder of its output."""
    summary = report.summary()
    counts, characters = summary["counts"], summary["characters"]
    rows = new_table("Rule", "Action", ">Findings", ">Characters")
    for name, actions in summary["rules"].items():
        for action, count_of in actions.items():
            rows.add_row(name, action, f"{count_of['findings']:,}", f"{count_of['characters']:,}")
    if rows.row_count:
        console.print(rows)
    change = characters["written"] / characters["read"] - 1 if characters["read"] else 0.0
    console.print(
        f"Articles: {counts['articles']:,}, {counts['kept']:,} kept and {counts['dropped']:,} dropped; "
        f"{characters['read']:,} characters in, {characters['written']:,} out ({change:+.1%})"
    )
    guessed = [
        f"{meaning} from {' or '.join(f'{name} ({count:,})' for name, count in names.items())}"
        for meaning, names in summary["fields"].items()
        if names
    ]
    if guessed:
        console.print(f"Fields: {', '.join(guessed)}")
    if report.unread_dates.dates:
        console.print(
            f"Dates that were not understood: {report.unread_dates.dates:,}, such as {report.unread_dates.example!r}",
            style="yellow",
        )
    if counts["quarantined"]:
        reason, count = max(summary["errors"].items(), key=itemgetter(1))
        console.print(
            f"Quarantined: {counts['quarantined']:,}, {count:,} of them as {reason}",
            style="yellow",
        )
    if report.skipped:
        examples = ", ".join(Path(path).name for path in report.skipped[:_NAMES_SHOWN])
        more = ", …" if len(report.skipped) > _NAMES_SHOWN else ""
        console.print(f"Skipped: {len(report.skipped):,} files of other kinds ({examples}{more})")
    stages = ", ".join(f"{name} {spent:.1f}" for name, spent in report.seconds.items())
    seconds = sum(report.seconds.values())
    speed = sum(file["bytes"] for file in report.inputs) / 1e6 / max(seconds, 1e-9)
    console.print(f"Took {seconds:.1f} s, {speed:,.1f} MB/s: {stages}")
    out = report.out
    console.print(f"Written to {out}; see dedup diff {out}, dedup explain {out} ARTICLE")


def new_table(*titles: str) -> Table:
    """Return a table without rows; the titles of right-aligned columns begin with ``>``."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in titles:
        table.add_column(title.removeprefix(">"), justify="right" if title[0] == ">" else "left", overflow="fold")
    return table
