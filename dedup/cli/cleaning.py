"""The commands that read articles: ``clean`` and ``check``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.options import (
    ENGINE,
    INPUTS,
    OUTPUT,
    PATH,
    SETTINGS,
    VERBOSE,
    WORK,
    any_engine_of,
    combine_options,
    local_engine_of,
    settings_from_options,
)
from dedup.cli.terminal import EXIT_DONE, EXIT_FINDINGS, console, print_json, show_progress, write_stdout

if TYPE_CHECKING:
    from dedup.decide.outcomes import Outcome


@click.command()
@INPUTS
@click.option("-o", "--out", required=True, type=PATH, help="The folder to write; must not exist.")
@combine_options(*SETTINGS, *OUTPUT, *WORK, *ENGINE)
@click.option("--force", is_flag=True, help="Replace an earlier output of dedup.")
@click.option("--quiet", is_flag=True, help="No progress and no summary.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON on stdout.")
@VERBOSE
def clean(inputs: tuple[str, ...], out: Path, force: bool, quiet: bool, as_json: bool, **options: Any) -> None:
    """Clean articles and write them, with every change, to a folder.

    INPUT is a file, a folder, a glob, or - for standard input. A .txt file is one article, a .jsonl or .ndjson file
    has one per line; all may be compressed (.gz, .zst).
    """
    settings, _ = settings_from_options(options)
    from dedup import pipeline  # noqa: PLC0415
    from dedup.cli.quick_start import leave_out_pandas  # noqa: PLC0415
    from dedup.engines.local import LocalEngine  # noqa: PLC0415

    with show_progress(quiet=quiet) as progress:
        engine = any_engine_of(options)
        if isinstance(engine, LocalEngine):
            leave_out_pandas()
        report = pipeline.clean(inputs, out, settings, engine=engine, progress=progress, force=force)
    if as_json:
        print_json(report.summary())
    if not quiet:
        from dedup.cli.summary import print_summary  # noqa: PLC0415

        print_summary(report, console(stderr=True))


@click.command()
@INPUTS
@combine_options(*SETTINGS, *WORK)
@click.option("--quiet", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="Print one finding per line, as JSON.")
@VERBOSE
def check(inputs: tuple[str, ...], quiet: bool, as_json: bool, **options: Any) -> int:
    """Print what clean would change, and write nothing.

    Exit status 1 means that something would be fixed or dropped.
    """
    settings, _ = settings_from_options(options)
    from dedup import pipeline  # noqa: PLC0415
    from dedup.cli.quick_start import leave_out_pandas  # noqa: PLC0415
    from dedup.inspect.explain import finding_line  # noqa: PLC0415

    status = EXIT_DONE
    errors: Counter[str] = Counter()

    def count_error(outcome: Outcome) -> None:
        errors[outcome.error or ""] += 1

    leave_out_pandas()
    with show_progress(quiet=quiet) as progress:
        engine = local_engine_of(options)
        for finding in pipeline.check(inputs, settings, engine=engine, progress=progress, unreadable=count_error):
            status = EXIT_FINDINGS if finding.action != "flag" else status
            if as_json:
                print_json(finding._asdict())
            else:
                write_stdout(f"{finding_line(finding)}\n")
    if errors:
        [(reason, count)] = errors.most_common(1)
        click.echo(f"dedup: {errors.total():,} records cannot be read, {count:,} of them: {reason}", err=True)
    return status
