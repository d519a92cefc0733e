"""The command line: turn options into settings, make one call, and print its result.

Exit status: 0 done, 1 findings or mismatches, 2 an error, 128 and the number of the signal if interrupted. Commands
import heavy libraries when they run, so that ``--help`` answers at once.
"""

from __future__ import annotations

import gc
import sys
from typing import Any, NoReturn

import click

from dedup import __version__
from dedup.cli import cleaning, completion, indexing, info, inspecting, reporting, reviewing, serving, tuning
from dedup.cli.clock import start_clock
from dedup.cli.options import VERBOSE
from dedup.cli.terminal import (
    EXIT_DONE,
    EXIT_INTERRUPTED,
    ErrorReporter,
    OutputClosed,
    flush_stdout,
    option_names,
    report_error,
    resume_advice,
    silence_full_streams,
)
from dedup.runtime.descriptors import occupy_closed_descriptors
from dedup.runtime.interruption import InterruptedRun, end_at_once, raise_once, say_interrupted

__all__ = ["cli", "main"]


class _CommandGroup(click.Group):
    """A group of commands that exits quietly if the reader closes the pipe or the user interrupts."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            status = super().invoke(ctx)
            flush_stdout()
        except OutputClosed:
            return EXIT_DONE
        except KeyboardInterrupt as interrupt:  # of a library that has its own handler, such as PySpark
            say_interrupted(resume_advice(interrupt, option_names(cli)))
            return EXIT_INTERRUPTED
        return status


def main(args: list[str] | None = None) -> NoReturn:
    """Run the command line with `args` (None: the arguments of the process) and exit."""
    own_process = args is None
    start_clock(own_process=own_process)
    raised = raise_once() if own_process else None
    try:
        status = _run(args)
    except InterruptedRun as interrupted:
        status = interrupted.status
    if raised:
        end_at_once()  # from now on there is nothing to clear up
        if raised.interrupted:  # also if a library has turned it into another error
            say_interrupted(resume_advice(raised.interrupted, option_names(cli)))
            status = raised.interrupted.status
    silence_full_streams()
    gc.freeze()  # else a last collection scans all objects that the imports have made
    sys.exit(status)


def _run(args: list[str] | None) -> int:
    """Run the command line, and return its exit status."""
    occupy_closed_descriptors()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # lone surrogates, and terminals without Unicode
    reporter = ErrorReporter(option_names(cli))
    completion.answer_shell()
    try:
        return cli.main(args, prog_name="dedup", standalone_mode=False, obj=reporter) or EXIT_DONE
    except SystemExit:  # Click exits if the reader of a help page has closed the pipe
        return EXIT_DONE
    except click.Abort:
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001 - an unexpected error becomes one line, too
        return report_error(error, reporter)


_EXIT_STATUSES = """\b
Exit status:
  0    done; check: nothing would change; verify: all is as recorded
  1    check: something would be fixed or dropped; verify: a mismatch
  2    an error, shown as one line
  130  interrupted (Ctrl-C); 143 by SIGTERM, 129 by a closed terminal
"""


@click.group(
    cls=_CommandGroup, context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EXIT_STATUSES.rstrip()
)
@click.version_option(__version__, prog_name="dedup", message="%(prog)s %(version)s")
@VERBOSE
def cli() -> None:
    """Repair scraped articles and remove repeated text, with a record of every change.

    Each change can be explained (dedup explain) and undone (dedup restore).
    """


for _command in (
    *(cleaning.clean, cleaning.check, tuning.tune),
    *(reporting.report, reporting.groups),
    *(reviewing.view, reviewing.apply_review),
    *(inspecting.explain, inspecting.diff, inspecting.verify, inspecting.restore),
    indexing.index_,
    serving.serve,
    *(info.rules, info.config_, info.warm_up, info.help_, completion.completion),
):
    cli.add_command(_command)
