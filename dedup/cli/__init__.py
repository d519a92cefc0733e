"""The command line: turn options into settings, make one call, and print its result.

Exit status: 0 done, 1 findings or mismatches, 2 an error, 130 interrupted. Commands import heavy libraries when they
run, so that ``--help`` answers at once.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from dedup import __version__
from dedup.cli import cleaning, completion, info, inspecting, reporting, tuning
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
)

__all__ = ["cli", "main"]


class _CommandGroup(click.Group):
    """A group of commands that exits quietly if the reader closes the pipe or the user interrupts."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            status = super().invoke(ctx)
            flush_stdout()
        except OutputClosed:
            return EXIT_DONE
        except KeyboardInterrupt:
            click.echo("dedup: interrupted", err=True)
            return EXIT_INTERRUPTED
        except BrokenPipeError as error:  # not of stdout, which raises `OutputClosed`
            raise RuntimeError("the pipe to a worker process broke") from error
        return status


def main(args: list[str] | None = None) -> NoReturn:
    """Run the command line with `args` (None: the arguments of the process) and exit."""
    start_clock(own_process=args is None)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end as after Ctrl-C, with no partial output left
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - closed at exit
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # lone surrogates, and terminals without Unicode
    reporter = ErrorReporter(option_names(cli))
    completion.answer_shell()
    try:
        status = cli.main(args, prog_name="dedup", standalone_mode=False, obj=reporter) or EXIT_DONE
    except SystemExit:  # Click exits if the reader of a help page has closed the pipe
        status = EXIT_DONE
    except click.Abort:
        status = EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001 - an unexpected error becomes one line, too
        status = report_error(error, reporter)
    gc.freeze()  # else a last collection scans all objects that the imports have made
    sys.exit(status)


_EXIT_STATUSES = """\b
Exit status:
  0    done; check: nothing would change; verify: all is as recorded
  1    check: something would be fixed or dropped; verify: a mismatch
  2    an error, shown as one line
  130  interrupted
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
    *(inspecting.explain, inspecting.diff, inspecting.verify, inspecting.restore),
    *(info.rules, info.config_, info.warm_up, info.help_, completion.completion),
):
    cli.add_command(_command)
