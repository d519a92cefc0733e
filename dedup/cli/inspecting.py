"""The commands that read an output of ``clean``: ``explain``, ``diff``, ``verify`` and ``restore``."""

from __future__ import annotations

from pathlib import Path

import click

from dedup.cli.options import JOBS, OUT, PATH, VERBOSE
from dedup.cli.terminal import EXIT_DONE, EXIT_FINDINGS, console, write_stdout


@click.command()
@OUT
@click.argument("article")
@VERBOSE
def explain(out: Path, article: str) -> None:
    """Show what happened to one article, and why.

    OUT is a folder that clean wrote, ARTICLE an id or source#record.
    """
    from dedup.inspect import explain as explaining  # noqa: PLC0415
    from dedup.inspect.output import open_output  # noqa: PLC0415

    explaining.print_explanation(open_output(out), article, console())


@click.command(short_help="Print unified diffs from raw to cleaned texts.")
@OUT
@click.argument("article", required=False)
@VERBOSE
def diff(out: Path, article: str | None) -> None:
    """Print a unified diff from the raw to the cleaned text of one article, or of all."""
    from dedup.inspect import explain as explaining  # noqa: PLC0415
    from dedup.inspect.output import open_output  # noqa: PLC0415

    terminal = console()
    for line in explaining.diff(open_output(out), article):
        if terminal.is_terminal:
            terminal.print(explaining.colour(line), soft_wrap=True)
        else:
            write_stdout(f"{line}\n")


@click.command()
@OUT
@click.option("-o", "--out", "directory", required=True, type=PATH, help="The folder to write.")
@click.option("--force", is_flag=True, help="Write into a folder that is not empty, over files of the same names.")
@VERBOSE
def restore(out: Path, directory: Path, force: bool) -> None:
    """Write the original files again: equal texts, fields and records."""
    from dedup.inspect import restore as restoring  # noqa: PLC0415

    counts = restoring.restore(out, directory, force=force)
    click.echo(f"restored to {directory}: {', '.join(f'{what} {count:,}' for what, count in counts.items())}", err=True)


@click.command()
@OUT
@JOBS
@VERBOSE
def verify(out: Path, jobs: int | None) -> int:
    """Prove that every change can be undone and every twin exists.

    Exit status 1 means that something does not match.
    """
    from dedup.engines.local import LocalEngine  # noqa: PLC0415
    from dedup.inspect import verify as verifying  # noqa: PLC0415

    articles, findings, mismatches = verifying.verify(out, LocalEngine(jobs))
    for mismatch in mismatches:
        write_stdout(f"{mismatch.where}: {mismatch.what}\n")
    count = f", mismatches: {len(mismatches):,}" if mismatches else ""
    click.echo(f"verified {articles:,} articles, {findings:,} findings{count}", err=True)
    return EXIT_FINDINGS if mismatches else EXIT_DONE
