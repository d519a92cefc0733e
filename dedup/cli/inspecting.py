"""The commands that read what ``clean`` wrote."""

from __future__ import annotations

from pathlib import Path

import click

from dedup.cli.options import JOBS, OUT, PATH, VERBOSE
from dedup.cli.terminal import DONE, FOUND, console, write


@click.command()
@OUT
@click.argument("article")
@VERBOSE
def explain(out: Path, article: str) -> None:
    """Show what happened to one article, and why.

    OUT is a folder that clean wrote, ARTICLE an id or source#record.
    """
    from dedup.inspect.explain import explain as explained  # noqa: PLC0415
    from dedup.inspect.output import open_output  # noqa: PLC0415

    explained(open_output(out), article, console())


@click.command(short_help="Print unified diffs from raw to cleaned texts.")
@OUT
@click.argument("article", required=False)
@VERBOSE
def diff(out: Path, article: str | None) -> None:
    """Print a unified diff from the raw to the cleaned text of one article, or of all."""
    from dedup.inspect.explain import colour  # noqa: PLC0415
    from dedup.inspect.explain import diff as differing  # noqa: PLC0415
    from dedup.inspect.output import open_output  # noqa: PLC0415

    terminal = console()
    for line in differing(open_output(out), article):
        if terminal.is_terminal:
            terminal.print(colour(line), soft_wrap=True)
        else:
            write(f"{line}\n")


@click.command()
@OUT
@click.option("-o", "--out", "directory", required=True, type=PATH, help="The folder to write.")
@click.option("--force", is_flag=True, help="Write into a folder that is not empty, over files of the same names.")
@VERBOSE
def restore(out: Path, directory: Path, force: bool) -> None:
    """Write the original files again: equal texts, fields and records."""
    from dedup.inspect.restore import restore as restored  # noqa: PLC0415

    counts = restored(out, directory, force=force)
    click.echo(f"restored to {directory}: {', '.join(f'{what} {count:,}' for what, count in counts.items())}", err=True)


@click.command()
@OUT
@JOBS
@VERBOSE
def verify(out: Path, jobs: int | None) -> int:
    """Prove that every change can be undone and every twin is there.

    Exit status 1 says that something does not fit.
    """
    from dedup.engines.local import LocalEngine  # noqa: PLC0415
    from dedup.inspect.verify import verify as verified  # noqa: PLC0415

    articles, findings, mismatches = verified(out, LocalEngine(jobs))
    for mismatch in mismatches:
        write(f"{mismatch.where}: {mismatch.what}\n")
    wrong = f", mismatches: {len(mismatches):,}" if mismatches else ""
    click.echo(f"verified {articles:,} articles, {findings:,} findings{wrong}", err=True)
    return FOUND if mismatches else DONE
