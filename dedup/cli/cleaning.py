"""The commands that read articles: options become settings, settings become one call."""

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
    engine_of,
    options_of,
    settings_from_options,
)
from dedup.cli.terminal import DONE, FOUND, console, print_json, progress, write

if TYPE_CHECKING:
    from dedup.decide.outcomes import Outcome


@click.command()
@INPUTS
@click.option("-o", "--out", required=True, type=PATH, help="The folder to write; must not exist.")
@options_of(*SETTINGS, *OUTPUT, *WORK, *ENGINE)
@click.option("--force", is_flag=True, help="Replace an output of dedup that is in the way.")
@click.option("--quiet", is_flag=True, help="No progress and no summary.")
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON on stdout.")
@VERBOSE
def clean(inputs: tuple[str, ...], out: Path, force: bool, quiet: bool, as_json: bool, **options: Any) -> None:
    """Clean articles and write them, with every change, to a folder.

    INPUT is a file, a folder, a glob, or - for standard input: .txt files are one article each, .jsonl and
    .ndjson files one per line; all may be compressed (.gz, .zst).
    """
    settings, _ = settings_from_options(options)
    from dedup.pipeline import clean as cleaned  # noqa: PLC0415

    with progress(quiet=quiet) as shown:
        report = cleaned(inputs, out, settings, engine=any_engine_of(options), progress=shown, force=force)
    if as_json:
        print_json(report.summary())
    if not quiet:
        from dedup.cli.summary import print_summary  # noqa: PLC0415

        print_summary(report, console(stderr=True))


@click.command()
@INPUTS
@options_of(*SETTINGS, *WORK)
@click.option("--quiet", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="One finding per line, as JSON.")
@VERBOSE
def check(inputs: tuple[str, ...], quiet: bool, as_json: bool, **options: Any) -> int:
    """Print what clean would do, and write nothing.

    Exit status 1 says that something would be fixed or dropped.
    """
    settings, _ = settings_from_options(options)
    from dedup.inspect.explain import finding_line  # noqa: PLC0415
    from dedup.pipeline import check as checked  # noqa: PLC0415

    status = DONE
    bad: Counter[str] = Counter()

    def count(outcome: Outcome) -> None:
        bad[outcome.error or ""] += 1

    with progress(quiet=quiet) as shown:
        for finding in checked(inputs, settings, engine=engine_of(options), progress=shown, unreadable=count):
            status = FOUND if finding.action != "flag" else status
            if as_json:
                print_json(finding._asdict())
            else:
                write(f"{finding_line(finding)}\n")
    if bad:
        [(reason, most)] = bad.most_common(1)
        click.echo(f"dedup: {bad.total():,} records cannot be read, {most:,} of them: {reason}", err=True)
    return status
