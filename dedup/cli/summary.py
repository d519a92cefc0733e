"""The summary of a run, for a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from dedup.cli.terminal import show_options
from dedup.findings import DROP
from dedup.inspect.counted import counted
from dedup.inspect.names import named_with_place
from dedup.inspect.visible import visible
from dedup.match.policy import ARTICLE_MATCH_RULES
from dedup.output_layout import QUARANTINE
from dedup.write.report import Report

_NAMES_SHOWN = 3
_ITEMS_SHOWN = 10
_REASONS_SHOWN = 3
_LOWEST_SPEED = 0.1  # MB/s; that of a small job says nothing


def print_summary(report: Report, console: Console, seconds: float, *, to_stdout: bool = False) -> None:
    """Print the numbers of a run, which took `seconds` in all, and where its output is.

    `to_stdout` says that a report without a folder had its articles written to standard output.
    """
    summary = report.summary()
    rows = new_table("Rule", "Action", ">Findings", ">Characters")
    for name, actions in summary["rules"].items():
        for action, count_of in actions.items():
            rows.add_row(name, action, f"{count_of['findings']:,}", f"{count_of['characters']:,}")
    if rows.row_count:
        console.print(rows)
    console.print(_articles_line(report))
    characters = summary["characters"]
    change = characters["written"] / characters["read"] - 1 if characters["read"] else 0.0
    console.print(f"Characters: {characters['read']:,} in, {characters['written']:,} out ({change:+.1%})")
    guessed = [
        f"{meaning} from {' or '.join(f'{name} ({count:,})' for name, count in names.items())}"
        for meaning, names in summary["fields"].items()
        if names
    ]
    if guessed:
        console.print(f"Fields: {', '.join(guessed)}")
    _print_known_items(report, console)
    for line in _quarantine_lines(report):
        console.print(line, style="yellow")
    if report.unread_dates.dates:
        console.print(
            f"Dates that were not understood: {report.unread_dates.dates:,}, such as {report.unread_dates.example!r}",
            style="yellow",
        )
    if report.skipped:
        examples = ", ".join(Path(path).name for path in report.skipped[:_NAMES_SHOWN])
        more = ", …" if len(report.skipped) > _NAMES_SHOWN else ""
        kinds = "another kind" if len(report.skipped) == 1 else "other kinds"
        console.print(f"Skipped: {counted(len(report.skipped), 'file')} of {kinds} ({examples}{more})")
    stages = ", ".join(f"{name} {spent:.1f}" for name, spent in report.seconds.items())
    absent = report.absent_output_fields()
    if absent:
        console.print(f"In no article: {', '.join(absent)} (see the names after --output-fields)", style="yellow")
    speed = sum(file["bytes"] or 0 for file in report.inputs) / 1e6 / max(seconds, 1e-9)
    shown_speed = f", {speed:,.1f} MB/s" if speed >= _LOWEST_SPEED else ""
    console.print(f"Took {seconds:.1f} s{shown_speed}: {stages}")
    if report.out is None:
        console.print("Written to standard output: the articles only" if to_stdout else "Nothing was written")
    else:
        out = shlex.quote(str(report.out))
        console.print(f"Written to {out}; see dedup diff {out}, dedup explain {out}", soft_wrap=True)


def _articles_line(report: Report) -> str:
    """Return how many articles were read, kept, and dropped by each rule."""
    counts, rules = report.counts, report.rules()
    drops = {name: rules[name][DROP]["findings"] for name in ARTICLE_MATCH_RULES if DROP in rules.get(name, {})}
    by_rule = ", ".join(f"{count:,} by {name}" for name, count in drops.items())
    line = f"Articles: {counts['articles']:,} in, {counts['kept']:,} kept, {counts['dropped']:,} dropped"
    return f"{line} ({by_rule})" if by_rule else line


def _print_known_items(report: Report, console: Console) -> None:
    """Print the known articles of which most was found, if they were searched for."""
    found = [item for item in report.known_items if item["share"]]
    if not report.known_items:
        return
    above = sum(item["share"] >= report.settings.passage_share for item in found)
    total = len(report.known_items)
    console.print(
        f"Known articles found by their passages: {len(found):,} of {total:,} in part, {above:,} of them by "
        f"{report.settings.passage_share:.0%} or more"
    )
    rows = new_table("Known article", ">Words", ">Share found", ">Articles", "Most of it in")
    for item in sorted(found, key=lambda item: -item["share"])[:_ITEMS_SHOWN]:
        place = item["found_in"][0]
        name = named_with_place(place["article"], place["source"], place["record"])
        rows.add_row(
            visible(item["item"]), f"{item['words']:,}", f"{item['share']:.1%}", f"{item['articles']:,}", visible(name)
        )
    if rows.row_count:
        console.print(rows)


def _quarantine_lines(report: Report) -> Iterator[str]:
    """Yield how many records were quarantined, where they are, and the commonest reasons."""
    count = report.counts["quarantined"]
    if not count:
        return
    where = ""
    if report.out is not None:
        where = f", in {shlex.quote(str(report.out / report.files.names(QUARANTINE)[0]))}"
    errors = sorted(report.tally.errors.items(), key=lambda item: (-item[1], item[0]))
    yield f"Quarantined: {count:,}{where}"
    for reason, times in errors[:_REASONS_SHOWN]:
        yield f"  {times:,}: {show_options(reason)}"
    if len(errors) > _REASONS_SHOWN:
        rest = sum(times for _, times in errors[_REASONS_SHOWN:])
        yield f"  {rest:,}: other reasons"


def new_table(*titles: str) -> Table:
    """Return a table without rows; the titles of right-aligned columns begin with ``>``."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in titles:
        table.add_column(title.removeprefix(">"), justify="right" if title[0] == ">" else "left", overflow="fold")
    return table
