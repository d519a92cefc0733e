"""The commands that read articles: ``clean`` and ``check``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.clock import seconds_since_start
from dedup.cli.examples import examples
from dedup.cli.options import (
    AGAINST,
    CONFIG,
    ENGINE,
    INDEX_FOLDER,
    INPUTS,
    OUTPUT,
    PATH,
    QUIET,
    REVIEW,
    SETTINGS,
    VERBOSE,
    WORK,
    any_engine_of,
    combine_options,
    local_engine_of,
    resolve_options,
)
from dedup.cli.stdout_articles import STDOUT, check_stdout, copy_articles, output_folder
from dedup.cli.terminal import (
    EXIT_DONE,
    EXIT_FINDINGS,
    console,
    flush_stdout,
    print_json,
    show_options,
    show_progress,
    write_stdout,
)
from dedup.errors import SettingsError

if TYPE_CHECKING:
    from dedup.write.report import Report

_CLEAN_STATUS = "Exit status: 0 done, also with records in quarantine; 2 an error, and nothing is written."
_CHECK_STATUS = "Exit status: 0 nothing would change; 1 something would be fixed or dropped; 2 an error."


def _notice(*, quiet: bool) -> Callable[[str], None] | None:
    """Return the function that shows a line before the long work; None if `quiet`.

    The fields that were guessed are shown on a terminal only: elsewhere the summary, which has them too, is enough.
    """
    if quiet:
        return None
    from dedup.inspect.visible import visible  # noqa: PLC0415
    from dedup.prepare.preview import GUESSED  # noqa: PLC0415

    on_terminal = sys.stderr.isatty()

    def show(line: str) -> None:
        if on_terminal or not line.startswith(GUESSED):
            click.echo(f"dedup: {visible(show_options(line))}", err=True)

    return show


def _check_dry_run(*, index: Path | None, is_resumed: bool, log: Path | None) -> None:
    """Raise `SettingsError` for an option that does not go with a dry run."""
    if index is not None:
        raise SettingsError("`index`: takes effect together with an output, and `dry_run` writes none; leave one out")
    if is_resumed:
        raise SettingsError("`resume`: without an output there is nothing to resume; leave it out")
    if log is not None:
        raise SettingsError("`log`: works with an output only; leave it out, or name a folder for `out`")


@click.command(epilog=examples("clean", _CLEAN_STATUS))
@INPUTS
@click.option("-o", "--out", type=PATH, help="The folder to write, which must not exist; - writes articles to stdout.")
@AGAINST
@INDEX_FOLDER
@combine_options(CONFIG, *SETTINGS, *OUTPUT, *WORK, *ENGINE)
@click.option("--force", is_flag=True, help="Replace an earlier output of dedup.")
@click.option("--log", type=PATH, metavar="FILE", help="Append what happens to FILE, as lines of JSON.")
@click.option("--dry-run", is_flag=True, help="Print the summary, and write nothing.")
@REVIEW
@QUIET
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON on stdout.")
@VERBOSE
def clean(
    inputs: tuple[str, ...],
    out: Path | None,
    against: tuple[str, ...],
    index: Path | None,
    force: bool,
    log: Path | None,
    dry_run: bool,
    review: Path | None,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Clean articles and write them, with every change, to a folder.

    INPUT is a file, a folder, a glob, an address (s3://, https://), a table (news.db#articles), or - for standard
    input. Files are text, JSON Lines, JSON, CSV, TSV, Parquet or Arrow, also compressed or in zip and tar archives.

    With -o - the cleaned articles go to standard output once all is done; findings and dropped articles are not kept.
    Options can also stand in dedup.toml, in [tool.dedup] of pyproject.toml, and in the environment: see dedup config.
    """
    resolved = resolve_options(options)
    if out is None and not dry_run:
        raise click.UsageError("no output folder; give -o OUT, or --dry-run to write nothing")
    engine = any_engine_of(resolved)
    from dedup import pipeline  # noqa: PLC0415
    from dedup.cli.quick_start import leave_out_pandas  # noqa: PLC0415
    from dedup.engines.local import LocalEngine  # noqa: PLC0415

    if isinstance(engine, LocalEngine):
        leave_out_pandas()
    settings, to_stdout = resolved.settings, str(out) == STDOUT
    is_resumed = engine.resume and resolved.origin("resume").is_option  # elsewhere it stands for other runs
    if to_stdout:
        check_stdout(settings, as_json=as_json, force=force, resume=is_resumed)
    if index is not None and to_stdout:
        raise SettingsError("`index`: takes effect together with an output folder; name one for `out`")
    if dry_run or out is None:
        if not isinstance(engine, LocalEngine):
            raise SettingsError("`dry_run`: works with the local engine only; use it, or leave this out")
        _check_dry_run(index=index, is_resumed=is_resumed, log=log)
        with show_progress(quiet=quiet) as progress:
            report = pipeline.preview(
                inputs,
                settings,
                against=against or None,
                out=None if to_stdout else out,
                engine=engine,
                progress=progress,
                notice=_notice(quiet=quiet),
                review=review,
            )
    else:
        with output_folder(out) as folder:
            with show_progress(quiet=quiet) as progress:
                report = pipeline.clean(
                    inputs,
                    folder,
                    settings,
                    against=against or None,
                    index=index,
                    engine=engine,
                    progress=progress,
                    notice=_notice(quiet=quiet),
                    force=force,
                    log=log,
                    review=review,
                )
            if to_stdout:
                copy_articles(folder)
    if as_json:
        print_json(report.summary())
    if not quiet:
        show_summary(replace(report, out=None) if to_stdout else report, to_stdout=to_stdout and not dry_run)


@click.command(epilog=examples("check", _CHECK_STATUS))
@INPUTS
@AGAINST
@combine_options(CONFIG, *SETTINGS, *WORK)
@QUIET
@click.option("--json", "as_json", is_flag=True, help="Print one finding per line, as JSON.")
@VERBOSE
def check(inputs: tuple[str, ...], against: tuple[str, ...], quiet: bool, as_json: bool, **options: Any) -> int:
    """Print what clean would change, and write nothing.

    Findings go to standard output, one per line, and a summary to standard error.
    """
    resolved = resolve_options(options)
    from dedup import pipeline  # noqa: PLC0415
    from dedup.cli.quick_start import leave_out_pandas  # noqa: PLC0415
    from dedup.inspect.explain import finding_line  # noqa: PLC0415

    status = EXIT_DONE
    reports: list[Report] = []
    leave_out_pandas()
    with show_progress(quiet=quiet) as progress:
        engine = local_engine_of(resolved)
        findings = pipeline.check(
            inputs,
            resolved.settings,
            against=against or None,
            engine=engine,
            progress=progress,
            notice=_notice(quiet=quiet),
            done=reports.append,
        )
        for finding in findings:
            status = EXIT_FINDINGS if finding.action != "flag" else status
            if as_json:
                print_json(finding._asdict())
            else:
                write_stdout(f"{finding_line(finding)}\n")
    if not quiet:
        flush_stdout()  # before the summary, where both go to one place
        show_summary(*reports)
    return status


def show_summary(report: Report, *, to_stdout: bool = False) -> None:
    """Print the summary of a run to standard error."""
    from dedup.cli.summary import print_summary  # noqa: PLC0415

    print_summary(report, console(stderr=True), seconds_since_start(), to_stdout=to_stdout)
