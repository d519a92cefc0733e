"""The commands that read an output of ``clean``: ``explain``, ``diff``, ``verify`` and ``restore``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from dedup.cli.examples import examples
from dedup.cli.options import (
    JOBS,
    OUT,
    PATH,
    QUIET,
    VERBOSE,
    local_engine_of,
    resolve_options,
)
from dedup.cli.terminal import EXIT_DONE, EXIT_FINDINGS, console, paged_console, print_json, show_lines, write_stdout
from dedup.errors import SettingsError
from dedup.inspect.counted import counted

_AFTER_MISMATCHES = "for an output that matches, take it from a backup, or clean its inputs again"


@click.command(short_help="Show what happened to an article, or list drops.", epilog=examples("explain"))
@OUT
@click.argument("article", required=False)
@click.option(
    "--json", "as_json", is_flag=True, help="Print all dropped articles, or all findings of ARTICLE, as JSON."
)
@VERBOSE
def explain(out: Path, article: str | None, as_json: bool) -> None:
    """Show what happened to one article, and why; without ARTICLE list the dropped ones.

    OUT is a folder that clean wrote, ARTICLE an id or source#record.
    """
    from dedup.inspect import drops  # noqa: PLC0415
    from dedup.inspect import explain as explaining  # noqa: PLC0415
    from dedup.inspect.output import open_output  # noqa: PLC0415

    output = open_output(out)
    if as_json:
        rows = drops.drop_rows(output) if article is None else explaining.finding_rows(output, article)
        for row in rows:
            print_json(row)
        return
    with paged_console() as terminal:
        if article is None:
            drops.list_drops(output, terminal)
        else:
            explaining.print_explanation(output, article, terminal)


@click.command(short_help="Print unified diffs from raw to cleaned texts.", epilog=examples("diff"))
@OUT
@click.argument("article", required=False)
@click.option("--exact", is_flag=True, help="Print the texts as they are, for patch; not to a terminal.")
@VERBOSE
def diff(out: Path, article: str | None, exact: bool) -> None:
    """Print a unified diff from the raw to the cleaned text of one article, or of all.

    Invisible and control characters are shown as symbols.
    """
    from dedup.inspect import explain as explaining  # noqa: PLC0415
    from dedup.inspect.output import open_output  # noqa: PLC0415
    from dedup.inspect.visible import visible_lines  # noqa: PLC0415
    from dedup.inspect.word_colours import coloured_diff  # noqa: PLC0415

    terminal = console()
    if exact and sys.stdout.isatty():
        raise SettingsError("`exact`: texts may have control characters, which a terminal obeys; redirect the output")
    lines = explaining.diff(open_output(out), article)
    if terminal.is_terminal:
        show_lines(coloured_diff(lines), terminal)
    else:
        for line in lines:
            write_stdout(f"{line if exact else visible_lines(line)}\n")


@click.command(short_help="Write the original files again.", epilog=examples("restore"))
@OUT
@click.option("-o", "--out", "directory", required=True, type=PATH, help="The folder to write.")
@click.option("--force", is_flag=True, help="Write into a folder that is not empty, over files of the same names.")
@QUIET
@VERBOSE
def restore(out: Path, directory: Path, force: bool, quiet: bool) -> None:
    """Write the original files again: equal texts, fields and records."""
    from dedup.inspect import restore as restoring  # noqa: PLC0415

    counts = restoring.restore(out, directory, force=force)
    if not quiet:
        shown = ", ".join(f"{what} {count:,}" for what, count in counts.items())
        click.echo(f"restored to {shlex.quote(str(directory))}: {shown}", err=True)


@click.command(
    short_help="Prove that all can be undone and nothing was changed.",
    epilog=examples("verify", "Exit status: 0 all is as recorded; 1 something does not match; 2 an error."),
)
@OUT
@click.option(
    "--inputs", multiple=True, metavar="INPUT", help="Read this input of the run again, and compare it; repeatable."
)
@JOBS
@QUIET
@VERBOSE
def verify(out: Path, inputs: tuple[str, ...], quiet: bool, **options: Any) -> int:
    """Prove that every change can be undone, every twin exists, and no byte was changed.

    With --inputs, which are those that clean was given, also that they are as they were.
    """
    engine = local_engine_of(resolve_options(options))
    from dedup.inspect import verify as verifying  # noqa: PLC0415
    from dedup.inspect.visible import visible  # noqa: PLC0415

    articles, findings, mismatches = verifying.verify(out, engine, inputs=inputs or None)
    for mismatch in mismatches:
        write_stdout(f"{visible(f'{mismatch.where}: {mismatch.what}')}\n")
    count = f", mismatches: {len(mismatches):,}" if mismatches else ""
    if not quiet:
        click.echo(f"verified {counted(articles, 'article')}, {counted(findings, 'finding')}{count}", err=True)
        if mismatches:
            click.echo(_AFTER_MISMATCHES, err=True)
    return EXIT_FINDINGS if mismatches else EXIT_DONE
