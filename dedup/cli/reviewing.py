"""The commands of a review: ``view`` and ``apply-review``."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Any

import click

from dedup.cli.cleaning import show_summary
from dedup.cli.examples import examples
from dedup.cli.options import (
    OUT,
    QUIET,
    REVIEW,
    VERBOSE,
    WORK,
    combine_options,
    local_engine_of,
    port_option,
    resolve_options,
)
from dedup.cli.terminal import flush_stdout, print_json, show_progress, write_stdout


@click.command("apply-review", short_help="Write an output anew with its review.", epilog=examples("apply-review"))
@OUT
@REVIEW
@combine_options(*WORK)
@QUIET
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON on stdout.")
@VERBOSE
def apply_review(out: Path, review: Path | None, quiet: bool, as_json: bool, **options: Any) -> None:
    """Write an output anew with the decisions in its review.jsonl, from the output alone.

    OUT is a folder that clean wrote. It is replaced when the new output is complete; the review stays in it.
    """
    engine = local_engine_of(resolve_options(options))
    from dedup.inspect import apply_review as applying  # noqa: PLC0415

    with show_progress(quiet=quiet) as progress:
        report = applying.apply_review(out, review=review, engine=engine, progress=progress)
    if as_json:
        print_json(report.summary())
    if not quiet:
        show_summary(report)


@click.command(short_help="Browse and review an output in a browser.", epilog=examples("view"))
@OUT
@port_option(8643)
@click.option("--as", "by", metavar="NAME", help="Who decides.  [default: the user's name]")
@click.option("--open", "open_browser", is_flag=True, help="Open the page in the browser.")
@QUIET
@VERBOSE
def view(out: Path, port: int, by: str | None, open_browser: bool, quiet: bool) -> None:
    """Serve an output to the browser of this machine, for looking and for deciding about findings.

    OUT is a folder that clean wrote. The address, which has a token, is printed on standard output. Decisions go into
    OUT/review.jsonl; Ctrl-C ends the server.
    """
    from dedup.view.serve import serve, user_name  # noqa: PLC0415

    def announce(address: str) -> None:
        write_stdout(f"{address}\n")
        flush_stdout()
        if not quiet:
            click.echo("dedup: serving to this machine only; Ctrl-C ends it", err=True)
        if open_browser:
            webbrowser.open(address)

    serve(out, port, user_name() if by is None else by, announce)
