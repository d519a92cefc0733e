"""How the command line speaks: data on stdout; summaries, progress and errors on stderr, an error as one line.

A reader that leaves early is no error: the command ends in silence.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

import click

from dedup.errors import DedupError

if TYPE_CHECKING:
    from rich.console import Console

    from dedup.runtime.progress import Progress

DONE, FOUND, FAILED, INTERRUPTED = 0, 1, 2, 130

_TABLE_WIDTH = 120  # columns where stdout is no terminal


class ReaderGone(Exception):  # noqa: N818 - not an error
    """Nobody reads our output any more."""


class ErrorReporter:
    """How errors are told."""

    verbose = False

    def fail(self, message: str) -> int:
        """Prints one line, after the traceback if that was asked for; gives the exit status."""
        if self.verbose:
            traceback.print_exc()
        line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in message)
        click.echo(f"dedup: error: {line}", err=True)
        return FAILED


def report_error(error: Exception, talk: ErrorReporter) -> int:
    """The exit status for `error`, which has been printed as one line saying where, what, and what to do."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return FAILED
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "dedup"
        message = error.format_message().rstrip(".")
        return talk.fail(f"{message[:1].lower()}{message[1:]} (see {path} --help)")
    if isinstance(error, DedupError):
        return talk.fail(str(error))
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return talk.fail(f"{where}{error.strerror or error}; check space and permissions")
    if isinstance(error, MemoryError):
        return talk.fail("out of memory; give a smaller --memory, or fewer --jobs")
    return talk.fail(f"unexpected {type(error).__name__}: {error}; a fault of this program, -v shows where")


def write(data: str | bytes) -> None:
    """Puts data on stdout."""
    try:
        if isinstance(data, bytes):
            sys.stdout.buffer.write(data)
        else:
            sys.stdout.write(data)
    except BrokenPipeError:
        _give_up()


def flush() -> None:
    """Puts on stdout now what was written to it."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _give_up()


def _give_up() -> NoReturn:
    """Ends the command in silence; what is still to be written, by Python at exit too, goes nowhere."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise ReaderGone from None


def console(*, stderr: bool = False) -> Console:
    """A terminal or a plain file; rich obeys ``NO_COLOR``."""
    from rich.console import Console  # noqa: PLC0415

    class _Console(Console):
        def on_broken_pipe(self) -> None:
            _give_up()

    made = _Console(stderr=stderr, highlight=False, emoji=False, markup=False, soft_wrap=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = _TABLE_WIDTH
    return made


@contextmanager
def progress(*, quiet: bool) -> Iterator[Progress | None]:
    """What a job calls to show how far it is; None where nobody would see it."""
    shown_on = console(stderr=True)
    if quiet or not shown_on.is_terminal:
        yield None
        return
    from rich import progress as bars  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    class _Speed(bars.ProgressColumn):
        def render(self, task: bars.Task) -> Text:
            """Bytes of input per second since the stage began; nothing for a stage that does not count them."""
            known = task.elapsed and task.completed > 1
            return Text(f"{task.completed / task.elapsed / 1e6:,.1f} MB/s" if known and task.elapsed else "")

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        _Speed(),
        bars.TimeRemainingColumn(elapsed_when_finished=True),
    )
    with bars.Progress(*columns, console=shown_on, transient=True) as shown:
        tasks: dict[str, bars.TaskID] = {}

        def tell(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                finish()
                tasks[stage] = shown.add_task(stage, total=total)
            shown.update(tasks[stage], completed=done, total=total)

        def finish() -> None:
            """Ends the bars of stages that do not count what they do."""
            for task in shown.tasks:
                if not task.finished:
                    shown.update(task.id, total=task.completed or 1, completed=task.completed or 1)

        yield tell


def print_json(value: object) -> None:
    """Puts `value` on stdout as one line of JSON."""
    from dedup.read.fields import to_json  # noqa: PLC0415

    write(bytes(to_json(value)) + b"\n")
