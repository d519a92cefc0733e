"""The commands that show a whole output of ``clean``: ``report`` and ``groups``."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path

import click

from dedup.cli.examples import examples
from dedup.cli.options import OUT, PATH, QUIET, VERBOSE
from dedup.cli.terminal import console, print_json, show_lines, write_stdout
from dedup.output_layout import COMPARISON_FILE, REPORT_FILE


@click.command(short_help="Make a page of what a run removed, and why.", epilog=examples("report"))
@click.argument("out", type=PATH)
@click.argument("new", required=False, type=PATH)
@click.option(
    "-o",
    "--out",
    "target",
    type=PATH,
    metavar="FILE",
    help=f"The page to write.  [default: {REPORT_FILE} in OUT, for two runs {COMPARISON_FILE} in NEW]",
)
@click.option("--md", "as_markdown", is_flag=True, help="Print the report as Markdown.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--seed", type=int, metavar="N", help="Another number reads another sample.  [default: 1]")
@QUIET
@VERBOSE
def report(
    out: Path,
    new: Path | None,
    target: Path | None,
    as_markdown: bool,
    as_json: bool,
    seed: int | None,
    quiet: bool,
) -> None:
    """Write what a run removed and why as one page, OUT/report.html; with NEW compare two runs.

    OUT and NEW are folders that clean wrote. Of a large output a sample is read.
    """
    if as_markdown and as_json:
        raise click.UsageError("--md and --json: choose one of them")
    from dedup.report.build import SAMPLE_SEED, report_on_run  # noqa: PLC0415
    from dedup.report.compare import compare_runs  # noqa: PLC0415
    from dedup.report.html import check_libraries, html_of  # noqa: PLC0415

    if not (as_markdown or as_json):
        check_libraries()
    seed = SAMPLE_SEED if seed is None else seed
    page = report_on_run(out, seed) if new is None else compare_runs(out, new, seed)
    if as_json:
        print_json(dataclasses.asdict(page))
    elif as_markdown:
        from dedup.report.markdown import markdown_of  # noqa: PLC0415

        write_stdout(markdown_of(page))
    else:
        from dedup.report.destination import write_page  # noqa: PLC0415

        target = target or (out / REPORT_FILE if new is None else new / COMPARISON_FILE)
        write_page(html_of(page), target)
        if not quiet:
            click.echo(f"written to {shlex.quote(str(target))}; open it in a browser", err=True)


@click.command(short_help="List groups of near-duplicates by size.", epilog=examples("groups"))
@OUT
@click.option("--json", "as_json", is_flag=True, help="Print all groups as JSON.")
@VERBOSE
def groups(out: Path, as_json: bool) -> None:
    """List each survivor with the number of articles dropped because they repeat it, the largest group first.

    OUT is a folder that clean wrote.
    """
    from dedup.inspect.groups import group_lines, group_rows, groups_by_survivor  # noqa: PLC0415
    from dedup.inspect.output import open_output  # noqa: PLC0415

    output = open_output(out)
    found = groups_by_survivor(output)
    if as_json:
        for row in group_rows(found):
            print_json(row)
    else:
        show_lines(group_lines(found, output), console())
