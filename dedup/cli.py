"""The command line: options become settings, settings become one call, its answer is printed.

Data goes to stdout; summaries, progress and errors go to stderr, an error as one line. Exit status: 0 done, 1
findings or mismatches, 2 an error, 130 interrupted. Heavy libraries are imported inside the commands, so that
``--help`` answers at once.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from dedup import __version__, config
from dedup import rules as registry
from dedup.errors import DedupError, SettingsError
from dedup.settings import COMPRESSIONS, FORMATS, KEEP, ON_ERROR, Settings

if TYPE_CHECKING:
    from rich.console import Console

    from dedup.engines.local import LocalEngine
    from dedup.stopwatch import Progress

DONE, FOUND, FAILED, INTERRUPTED = 0, 1, 2, 130

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_TABLE_WIDTH = 120  # columns where stdout is no terminal

_PATH: click.Path = click.Path(path_type=Path)

Command = TypeVar("Command", bound=Callable[..., Any])


class _ReaderGone(Exception):  # noqa: N818 - not an error
    """Nobody reads our output any more."""


class _Talk:
    """How errors are told."""

    verbose = False

    def fail(self, message: str) -> int:
        """Prints one line, after the traceback if that was asked for; gives the exit status."""
        if self.verbose:
            traceback.print_exc()
        line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in message)
        click.echo(f"dedup: error: {line}", err=True)
        return FAILED


class _Group(click.Group):
    """Commands whose reader may leave, and which may be interrupted."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            status = super().invoke(ctx)
            _flush()
        except _ReaderGone:
            return DONE
        except KeyboardInterrupt:
            click.echo("dedup: interrupted", err=True)
            return INTERRUPTED
        except BrokenPipeError as error:  # not from our output: see _write
            raise RuntimeError("the pipe to a worker process broke") from error
        return status


def main(args: list[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # lone surrogates, and terminals without Unicode
    talk = _Talk()
    try:
        status = cli.main(args, prog_name="dedup", standalone_mode=False, obj=talk) or DONE
    except SystemExit:  # Click's answer to a help page that nobody reads
        status = DONE
    except click.Abort:
        status = INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a fault of ours still ends as one line
        status = _told(error, talk)
    sys.exit(status)


def _told(error: Exception, talk: _Talk) -> int:
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


def _write(data: str | bytes) -> None:
    """Puts data on stdout."""
    try:
        if isinstance(data, bytes):
            sys.stdout.buffer.write(data)
        else:
            sys.stdout.write(data)
    except BrokenPipeError:
        _give_up()


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _give_up()


def _give_up() -> NoReturn:
    """Ends the command in silence; what is still to be written, by Python at exit too, goes nowhere."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise _ReaderGone from None


def _console(*, stderr: bool = False) -> Console:
    """A terminal or a plain file; rich obeys ``NO_COLOR``."""
    from rich.console import Console  # noqa: PLC0415

    class _Console(Console):
        def on_broken_pipe(self) -> None:
            _give_up()

    console = _Console(stderr=stderr, highlight=False, emoji=False, markup=False, soft_wrap=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _TABLE_WIDTH
    return console


def _size(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    """The bytes that a size like ``512M``, ``2G`` or ``2GiB`` means."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:I?B)?", value.upper())
    size = int(float(match[1]) * _UNITS[match[2]]) if match else 0
    if not size:
        raise click.BadParameter(f"{value!r} is not a size; write it like 512M or 2G")
    return size


def _verbose(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(_Talk).verbose = True


_VERBOSE = click.option(
    "-v",
    "--verbose",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_verbose,
    help="Add tracebacks to errors.",
)

_SETTINGS = (
    click.option("--keep", metavar="|".join(KEEP), help="Which of several like articles stays.  [default: longest]"),
    click.option("--threshold", type=float, metavar="J", help="Similarity of near-duplicate articles.  [default: 0.8]"),
    click.option("--paragraph-threshold", type=float, metavar="J", help="The same of paragraphs.  [default: 0.8]"),
    click.option(
        "--rule", multiple=True, metavar="NAME=ACTION", help="Set a rule to fix, drop, flag or off; repeatable."
    ),
    click.option("--profile", metavar="|".join(registry.PROFILES), help="Named settings of all rules."),
    click.option("--config", "config_file", type=_PATH, metavar="FILE", help="A TOML file of settings."),
    click.option("--text-field", metavar="FIELD", help="Where the text is.  [default: guessed]"),
    click.option("--id-field", metavar="FIELD", help="Where the id is.  [default: guessed]"),
    click.option("--date-field", metavar="FIELD", help="Where the date is.  [default: guessed]"),
    click.option("--source-field", metavar="FIELD", help="Where the host or source is.  [default: guessed]"),
    click.option("--on-error", metavar="|".join(ON_ERROR), help="What becomes of a bad record.  [default: quarantine]"),
)
_OUTPUT = (
    click.option("--format", metavar="|".join(FORMATS), help="Of what is written.  [default: jsonl]"),
    click.option("--compress", metavar="|".join(COMPRESSIONS), help="Of what is written.  [default: none]"),
)
_WORK = (
    click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Processes.  [default: one per core]"),
    click.option(
        "--memory", callback=_size, metavar="SIZE", help="Memory at most, as 512M or 2G.  [default: half of it]"
    ),
)
_INPUTS = click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
_OUT = click.argument("out", type=_PATH)


def _options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """One decorator for several, in the order of the help page."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _resolve(options: Mapping[str, Any]) -> config.Resolved:
    given = {field.name: options[field.name] for field in fields(Settings) if options.get(field.name) is not None}
    given["rules"] = dict(map(_rule, options["rule"]))
    return config.resolve(given, options["config_file"])


def _rule(text: str) -> tuple[str, str]:
    name, equals, action = text.partition("=")
    if not equals:
        raise SettingsError(f"--rule {text}: no action; write NAME=ACTION, as --rule boilerplate=flag")
    return name.strip(), action.strip()


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dedup", message="%(prog)s %(version)s")
@_VERBOSE
def cli() -> None:
    """Repair scraped articles and remove what repeats, with a record of every change.

    Each change can be explained (dedup explain) and undone (dedup restore).
    """


@cli.command()
@_INPUTS
@click.option("-o", "--out", required=True, type=_PATH, help="The folder to write; must not exist.")
@_options(*_SETTINGS, *_OUTPUT, *_WORK)
@click.option("--force", is_flag=True, help="Replace an output of dedup that is in the way.")
@click.option("--quiet", is_flag=True, help="No progress and no summary.")
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON on stdout.")
@_VERBOSE
def clean(inputs: tuple[str, ...], out: Path, force: bool, quiet: bool, as_json: bool, **options: Any) -> None:
    """Clean articles and write them, with every change, to a folder.

    INPUT is a file, a folder, a glob, or - for standard input: .txt files are one article each, .jsonl and
    .ndjson files one per line; all may be compressed (.gz, .zst).
    """
    settings, _ = _resolve(options)
    from dedup.pipeline import clean as cleaned  # noqa: PLC0415

    with _progress(quiet=quiet) as progress:
        report = cleaned(inputs, out, settings, engine=_engine(options), progress=progress, force=force)
    if as_json:
        _write_json(report.summary())
    if not quiet:
        from dedup.summary import print_summary  # noqa: PLC0415

        print_summary(report, _console(stderr=True))


@cli.command()
@_INPUTS
@_options(*_SETTINGS, *_WORK)
@click.option("--quiet", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="One finding per line, as JSON.")
@_VERBOSE
def check(inputs: tuple[str, ...], quiet: bool, as_json: bool, **options: Any) -> int:
    """Print what clean would do, and write nothing.

    Exit status 1 says that something would be fixed or dropped.
    """
    settings, _ = _resolve(options)
    from dedup.explain import finding_line  # noqa: PLC0415
    from dedup.pipeline import check as checked  # noqa: PLC0415

    status = DONE
    with _progress(quiet=quiet) as progress:
        for finding in checked(inputs, settings, engine=_engine(options), progress=progress):
            status = FOUND if finding.action != "flag" else status
            if as_json:
                _write_json(finding._asdict())
            else:
                _write(f"{finding_line(finding)}\n")
    return status


@cli.command()
@_OUT
@click.argument("article")
@_VERBOSE
def explain(out: Path, article: str) -> None:
    """Show what happened to one article, and why.

    OUT is a folder that clean wrote, ARTICLE an id or source#record.
    """
    from dedup.explain import explain as explained  # noqa: PLC0415
    from dedup.stored import open_stored  # noqa: PLC0415

    explained(open_stored(out), article, _console())


@cli.command(short_help="Print unified diffs from raw to cleaned texts.")
@_OUT
@click.argument("article", required=False)
@_VERBOSE
def diff(out: Path, article: str | None) -> None:
    """Print a unified diff from the raw to the cleaned text of one article, or of all."""
    from dedup.explain import colour  # noqa: PLC0415
    from dedup.explain import diff as differing  # noqa: PLC0415
    from dedup.stored import open_stored  # noqa: PLC0415

    console = _console()
    for line in differing(open_stored(out), article):
        if console.is_terminal:
            console.print(colour(line), soft_wrap=True)
        else:
            _write(f"{line}\n")


@cli.command()
@_OUT
@click.option("-o", "--out", "directory", required=True, type=_PATH, help="The folder to write.")
@click.option("--force", is_flag=True, help="Write into a folder that is not empty, over files of the same names.")
@_VERBOSE
def restore(out: Path, directory: Path, force: bool) -> None:
    """Write the original files again: equal texts, fields and records."""
    from dedup.restore import restore as restored  # noqa: PLC0415

    counts = restored(out, directory, force=force)
    click.echo(f"restored to {directory}: {', '.join(f'{what} {count:,}' for what, count in counts.items())}", err=True)


@cli.command()
@_OUT
@_VERBOSE
def verify(out: Path) -> int:
    """Prove that every change can be undone and every twin is there.

    Exit status 1 says that something does not fit.
    """
    from dedup.verify import verify as verified  # noqa: PLC0415

    articles, findings, mismatches = verified(out)
    for mismatch in mismatches:
        _write(f"{mismatch.where}: {mismatch.what}\n")
    wrong = f", mismatches: {len(mismatches):,}" if mismatches else ""
    click.echo(f"verified {articles:,} articles, {findings:,} findings{wrong}", err=True)
    return FOUND if mismatches else DONE


@cli.command()
@click.argument("name", required=False)
@click.option("--markdown", is_flag=True, help="All pages, as docs/rules.md holds them.")
@_VERBOSE
def rules(name: str | None, markdown: bool) -> None:
    """List the rules, or show one rule's page."""
    from dedup import pages  # noqa: PLC0415

    if markdown:
        _write(pages.rules_markdown())
    elif name is None:
        pages.print_rules(_console())
    else:
        _write(pages.rule_page(name))


@cli.command("config", short_help="Print the settings, and where each came from.")
@_options(*_SETTINGS, *_OUTPUT)
@_VERBOSE
def config_(**options: Any) -> None:
    """Print the settings, and where each came from, as a file for --config."""
    _write(config.as_toml(_resolve(options)))


def _engine(options: Mapping[str, Any]) -> LocalEngine:
    from dedup.engines.local import LocalEngine  # noqa: PLC0415

    return LocalEngine(jobs=options["jobs"], memory=options["memory"])


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Progress | None]:
    """What a job calls to show how far it is; None where nobody would see it."""
    console = _console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    from rich import progress as bars  # noqa: PLC0415

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        bars.TimeElapsedColumn(),
    )
    with bars.Progress(*columns, console=console, transient=True) as shown:
        tasks: dict[str, bars.TaskID] = {}

        def progress(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = shown.add_task(stage, total=total)
            shown.update(tasks[stage], completed=done, total=total)

        yield progress


def _write_json(value: object) -> None:
    from dedup.fields import encode  # noqa: PLC0415

    _write(bytes(encode(value)) + b"\n")
