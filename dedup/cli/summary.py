"""What a run did, told on a terminal."""

from __future__ import annotations

from operator import itemgetter
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from dedup.write.report import Report

_NAMES_SHOWN = 3


def print_summary(report: Report, console: Console) -> None:
    """Prints what a run did and where its output is."""
    summary = report.summary()
    counts, characters = summary["counts"], summary["characters"]
    shown = table("Rule", "Action", ">Findings", ">Characters")
    for name, actions in summary["rules"].items():
        for action, told in actions.items():
            shown.add_row(name, action, f"{told['findings']:,}", f"{told['characters']:,}")
    if shown.row_count:
        console.print(shown)
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
    if counts["quarantined"]:
        reason, count = max(summary["errors"].items(), key=itemgetter(1))
        console.print(
            f"Quarantined: {counts['quarantined']:,}, {count:,} of them as {reason}",
            style="yellow",
        )
    if report.skipped:
        some = ", ".join(Path(path).name for path in report.skipped[:_NAMES_SHOWN])
        more = ", …" if len(report.skipped) > _NAMES_SHOWN else ""
        console.print(f"Passed over: {len(report.skipped):,} of another kind ({some}{more})")
    seconds = sum(report.seconds.values())
    speed = sum(one["bytes"] for one in report.inputs) / 1e6 / max(seconds, 1e-9)
    console.print(f"Took {seconds:.1f} s, {speed:,.1f} MB/s: {_stages(report)}")
    out = report.out
    console.print(f"Written to {out}; see dedup diff {out}, dedup explain {out} ARTICLE")


def _stages(report: Report) -> str:
    return ", ".join(f"{name} {seconds:.1f}" for name, seconds in report.seconds.items())


def table(*titles: str) -> Table:
    """An empty table; titles of right-aligned columns begin with ``>``."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in titles:
        made.add_column(title.removeprefix(">"), justify="right" if title[0] == ">" else "left", overflow="fold")
    return made
