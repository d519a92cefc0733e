"""The command line: options become settings, settings become one call, its answer is printed.

Exit status: 0 done, 1 findings or mismatches, 2 an error, 130 interrupted. Heavy libraries are imported inside the
commands, so that ``--help`` answers at once.
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
from dedup.cli import cleaning, info, inspecting, tuning
from dedup.cli.options import VERBOSE
from dedup.cli.terminal import DONE, INTERRUPTED, ErrorReporter, ReaderGone, flush, report_error

__all__ = ["cli", "main"]


class _Group(click.Group):
    """Commands whose reader may leave, and which may be interrupted."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            status = super().invoke(ctx)
            flush()
        except ReaderGone:
            return DONE
        except KeyboardInterrupt:
            click.echo("dedup: interrupted", err=True)
            return INTERRUPTED
        except BrokenPipeError as error:  # not from our output: see dedup.cli.terminal
            raise RuntimeError("the pipe to a worker process broke") from error
        return status


def main(args: list[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to end as after Ctrl-C: nothing half-done left behind
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - closed by whoever started us
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # lone surrogates, and terminals without Unicode
    talk = ErrorReporter()
    try:
        status = cli.main(args, prog_name="dedup", standalone_mode=False, obj=talk) or DONE
    except SystemExit:  # Click's answer to a help page that nobody reads
        status = DONE
    except click.Abort:
        status = INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a fault of ours still ends as one line
        status = report_error(error, talk)
    gc.freeze()  # or what numba has loaded is searched for garbage on the way out, for a third of a second
    sys.exit(status)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dedup", message="%(prog)s %(version)s")
@VERBOSE
def cli() -> None:
    """Repair scraped articles and remove what repeats, with a record of every change.

    Each change can be explained (dedup explain) and undone (dedup restore).
    """


for _command in (
    *(cleaning.clean, cleaning.check, tuning.tune),
    *(inspecting.explain, inspecting.diff, inspecting.verify, inspecting.restore),
    *(info.rules, info.config_),
):
    cli.add_command(_command)
