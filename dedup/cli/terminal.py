"""Output of the command line: data on stdout; summaries, progress and errors on stderr, each error as one line.

A reader that closes stdout early is no error: the command ends without a message.
"""

from __future__ import annotations

import errno
import os
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click

from dedup.cli.layers import Origin, OriginError, plain_words
from dedup.errors import RESUME_NOTE, DedupError
from dedup.runtime.progress import COMPILE_STAGE
from dedup.suggestions import suggest

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from dedup.runtime.progress import Progress

EXIT_DONE, EXIT_FINDINGS, EXIT_FAILED, EXIT_INTERRUPTED = 0, 1, 2, 130

_JSON_CONTROLS = re.compile(rb"\x7f|\xc2[\x80-\x9f]")  # in UTF-8
_TABLE_WIDTH = 120  # columns if stdout is no terminal
_PARAMETER = re.compile(r"`(\w+)(?:\[([^`\]]*)\])?(?:=([^`]*))?`")  # as the messages of `dedup.errors` name parameters


class OutputClosed(Exception):  # noqa: N818 - not an error
    """The signal that the reader of stdout has closed it."""


class ErrorReporter:
    """A printer of errors, one line each, that shows options where a message names parameters.

    `options` maps names of parameters to options, as `option_names` returns them; `origins` are those of the values.
    """

    verbose = False

    def __init__(self, options: Mapping[str, str] | None = None) -> None:
        self.options = options or {}
        self.origins: Mapping[str, Origin] = {}

    def fail(self, message: str) -> int:
        """Print `message` as one line, after the traceback if `verbose` is set; return the exit status."""
        line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in message)
        with suppress(OSError, ValueError):  # standard error is full, or its terminal is closed
            if self.verbose:
                traceback.print_exc()
            click.echo(f"dedup: error: {line}", err=True)
        return EXIT_FAILED


def option_names(group: click.Group) -> dict[str, str]:
    """Return the long option that sets each parameter, for all commands of `group`."""
    options = [
        param for command in group.commands.values() for param in command.params if isinstance(param, click.Option)
    ]
    return {option.name: max(option.opts, key=len) for option in options if option.name}


def name_options(message: str, options: Mapping[str, str], origins: Mapping[str, Origin] | None = None) -> str:
    """Return `message` with options in place of the parameters that it names in backticks.

    A value of the configuration file or the environment is shown as it stands there, if `origins` has its place.

    >>> options = {"on_error": "--on-error", "force": "--force", "rules": "--rule"}
    >>> name_options('leave out `on_error="fail"`, or add `force=True`', options)
    'leave out --on-error fail, or add --force'
    >>> name_options("`rules[encoding]='drop'`: not known", options)
    '--rule encoding=drop: not known'
    """

    def shown(match: re.Match[str]) -> str:
        name, item, value = match.groups()
        unquoted = (value or "").strip("\"'")
        origin = (origins or {}).get(f"{name}.{item}" if item else name)
        if origin and origin.text and (match.start() == 0 or (value and origin.text.strip('"').endswith(unquoted))):
            return origin.text
        if name not in options:  # an argument, or the name of a command
            return f"{name} {unquoted}" if value else match[0]
        if item:
            return f"{options[name]} {item}={unquoted}".rstrip("=")
        return options[name] if unquoted in {"", "True"} else f"{options[name]} {unquoted}"

    return _PARAMETER.sub(shown, message)


def show_options(message: str) -> str:
    """Return `message` with the options of the running command in place of the parameters that it names."""
    context = click.get_current_context(silent=True)
    reporter = context.find_object(ErrorReporter) if context else None
    return name_options(message, reporter.options) if reporter else message


def report_error(error: Exception, reporter: ErrorReporter) -> int:
    """Print `error` as one line that says where, what, and what to do next; return the exit status."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return EXIT_FAILED
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "dedup"
        return reporter.fail(f"{_usage_message(error)} (see {path} --help)")
    advice = resume_advice(error, reporter.options)
    if isinstance(error, DedupError):
        origins = error.origins if isinstance(error, OriginError) else reporter.origins
        return reporter.fail(name_options(str(error), reporter.options, origins) + advice)
    if isinstance(error, OSError):
        if error.errno == errno.EBADF:
            return reporter.fail("standard output is closed; redirect it to a file or a pipe")
        where = f"{error.filename}: " if error.filename else ""
        return reporter.fail(f"{where}{error.strerror or error}; check space and permissions{advice}")
    if isinstance(error, MemoryError):
        return reporter.fail(f"out of memory; give a smaller --memory, or fewer --jobs{advice}")
    return reporter.fail(f"unexpected {type(error).__name__}: {error}; a bug in dedup; -v shows the traceback{advice}")


def resume_advice(error: BaseException, options: Mapping[str, str]) -> str:
    """Return the end of the line about `error` that says how to continue; empty if nothing is left to continue from."""
    notes = getattr(error, "__notes__", ())
    return f"; {name_options(RESUME_NOTE, options)}" if RESUME_NOTE in notes else ""


def _usage_message(error: click.ClickException) -> str:
    """Return the message of an error of usage, with the name that a wrong one probably means."""
    if isinstance(error, click.exceptions.MissingParameter):
        missing = error.param.metavar if isinstance(error.param, click.Argument) else None
        if missing == "INPUT...":
            return "no input; give files, folders, globs, or - for standard input"
    elif isinstance(error, click.BadParameter) and isinstance(error.param, click.Option):
        return f"{max(error.param.opts, key=len)}: {plain_words(error.message)}"
    elif isinstance(error, click.BadParameter):
        return plain_words(error.message)
    elif isinstance(error, (click.NoSuchOption, click.exceptions.NoSuchCommand)) and error.ctx:
        return _unknown_name(error, error.ctx)
    message = error.format_message().rstrip(".")
    return f"{message[:1].lower()}{message[1:]}"


def _unknown_name(error: click.NoSuchOption | click.exceptions.NoSuchCommand, ctx: click.Context) -> str:
    """Return the message about an option or a command that does not exist."""
    if isinstance(error, click.NoSuchOption):
        known = [option for param in ctx.command.get_params(ctx) for option in param.opts if option.startswith("--")]
        near = suggest(error.option_name.lstrip("-"), [option.removeprefix("--") for option in known])
        message = f"there is no option {error.option_name}"
        return f"{message}; did you mean --{near}?" if near else message
    near = suggest(error.command_name, ctx.command.commands) if isinstance(ctx.command, click.Group) else None
    message = f"there is no command {error.command_name!r}"
    return f"{message}; did you mean {near!r}?" if near else message


def write_stdout(data: str | bytes) -> None:
    """Write `data` to stdout. Raises `OutputClosed` if the reader has closed it."""
    try:
        if isinstance(data, bytes):
            sys.stdout.buffer.write(data)
        else:
            sys.stdout.write(data)
    except BrokenPipeError:
        _discard_output()


def flush_stdout() -> None:
    """Flush stdout. Raises `OutputClosed` if the reader has closed it."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()


def _discard_output() -> NoReturn:
    """Redirect stdout to the null device, so that Python's flush at exit succeeds, and raise `OutputClosed`."""
    _redirect_to_null(sys.stdout)
    raise OutputClosed from None


def silence_full_streams() -> None:
    """Redirect stdout and stderr to the null device if they cannot be written, so that Python's end is silent, too."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # the command has reported it
            _redirect_to_null(stream)


def _redirect_to_null(stream: TextIO) -> None:
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def console(*, stderr: bool = False) -> Console:
    """Return a rich console on stdout or stderr, which may be a terminal or a file; rich obeys ``NO_COLOR``."""
    from rich.console import Console  # noqa: PLC0415

    from dedup.inspect.visible import visible_lines  # noqa: PLC0415

    class _Console(Console):
        def print(self, *objects: Any, **options: Any) -> None:
            """Print `objects`; texts, which may have names and values of the input, without control characters."""
            super().print(*(visible_lines(each) if isinstance(each, str) else each for each in objects), **options)

        def on_broken_pipe(self) -> None:
            _discard_output()

    terminal = _Console(stderr=stderr, highlight=False, emoji=False, markup=False, soft_wrap=False)
    if not terminal.is_terminal and "COLUMNS" not in os.environ:
        terminal.width = _TABLE_WIDTH
    return terminal


def show_lines(lines: Iterable[Text], terminal: Console) -> None:
    """Print lines on stdout: in the user's pager if that is a terminal and they do not fit on it.

    Lines are made as they are read, so that the first of very many appear at once.
    """
    if not terminal.is_terminal:
        for line in lines:
            terminal.print(line, soft_wrap=True)
        return
    rendered = (_rendered(line, terminal) for line in lines)
    first: list[str] = []
    rows = 0
    for text in rendered:
        first.append(text)
        rows += sum(1 + len(line) // terminal.width for line in text.splitlines())
        if rows >= terminal.height:
            click.echo_via_pager(chain(first, rendered))
            return
    write_stdout("".join(first))


@contextmanager
def paged_console() -> Iterator[Console]:
    """Yield a console on stdout; on a terminal, what does not fit on it is shown in the user's pager afterwards."""
    terminal = console()
    if not terminal.is_terminal:
        yield terminal
        return
    with terminal.capture() as captured:
        yield terminal
    text = captured.get()
    if sum(1 + len(line) // terminal.width for line in text.splitlines()) >= terminal.height:
        click.echo_via_pager(text)
    else:
        write_stdout(text)


def _rendered(line: Text, terminal: Console) -> str:
    """Return a line as it is written to a terminal, with its colours."""
    with terminal.capture() as captured:
        terminal.print(line, soft_wrap=True)
    return captured.get()


@contextmanager
def show_progress(*, quiet: bool) -> Iterator[Progress | None]:
    """Yield the function that a job calls to show its progress; None if it would not be seen."""
    terminal = console(stderr=True)
    if quiet:
        yield None
        return
    if not terminal.is_terminal:
        yield _announce_compilation
        return
    from rich import progress as bars  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    class _Speed(bars.ProgressColumn):
        def render(self, task: bars.Task) -> Text:
            """Return bytes of input per second since the stage began; nothing for a stage that does not count them."""
            known = task.elapsed and task.completed > 1 and task.description != COMPILE_STAGE
            return Text(f"{task.completed / task.elapsed / 1e6:,.1f} MB/s" if known and task.elapsed else "")

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        _Speed(),
        bars.TimeRemainingColumn(elapsed_when_finished=True),
    )
    with bars.Progress(*columns, console=terminal, transient=True) as display:
        tasks: dict[str, bars.TaskID] = {}

        def update(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                finish()
                _announce_compilation(stage, done, total)
                tasks[stage] = display.add_task(stage, total=total)
            display.update(tasks[stage], completed=done, total=total)

        def finish() -> None:
            """Complete the bars of stages that do not count bytes."""
            for task in display.tasks:
                if not task.finished:
                    display.update(task.id, total=task.completed or 1, completed=task.completed or 1)

        yield update


def _announce_compilation(stage: str, done: int, _total: int | None) -> None:
    """Say on stderr that the first larger job compiles, also in a log, which would look dead as well."""
    if stage == COMPILE_STAGE and not done:
        click.echo("dedup: compiling once for this installation, some 10 to 60 s", err=True)


def print_json(value: object) -> None:
    """Write `value` to stdout as one line of JSON, with escapes for all control characters."""
    from dedup.read.fields import to_json_bytes  # noqa: PLC0415

    write_stdout(escape_controls(to_json_bytes(value)) + b"\n")


def escape_controls(data: bytes) -> bytes:
    r"""Return JSON with escapes for the control characters that JSON allows: delete, and those behind it.

    >>> escape_controls("\x9b2J".encode())
    b'\\u009b2J'
    """
    return _JSON_CONTROLS.sub(lambda match: b"\\u%04x" % match[0][-1], data)
