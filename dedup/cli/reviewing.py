"""The commands of a review: ``view`` and ``apply-review``."""

from __future__ import annotations

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
    resolve_options,
)
from dedup.cli.terminal import print_json, show_progress


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
