"""The options that commands share, and the settings and the engine built from them.

To add a setting: a field of `dedup.settings.Settings` and a ``click.option`` of the same name in `OUTPUT`, or in one of
the groups in `SETTINGS`. Its key in files, its environment variable, its line of ``dedup config``, help and completion
follow from it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dedup import rules as registry
from dedup.cli.layers import Resolved, misspelt_variables, resolve
from dedup.cli.terminal import ErrorReporter
from dedup.cli.values import Names, OneOf, RuleAction, Share, Size
from dedup.errors import SettingsError
from dedup.settings import COMPRESSIONS, FORMATS, INPUT_FORMAT_NAMES, KEEP, ON_ERROR, check_choice

if TYPE_CHECKING:
    from dedup.engines.local import LocalEngine
    from dedup.spark import SparkEngine

PATH: click.Path = click.Path(path_type=Path)

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

_ENGINE_PARAMETERS = {"local": ("jobs", "memory", "resume"), "spark": ("url", "tables", "resume")}


def _set_verbose(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    """Print the traceback of each error of this command."""
    if value:
        ctx.ensure_object(ErrorReporter).verbose = True


VERBOSE = click.option(
    "-v",
    "--verbose",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_set_verbose,
    help="Print tracebacks of errors, too.",
)
QUIET = click.option("-q", "--quiet", is_flag=True, help="No progress and no summary; errors stay.")

REVIEW = click.option(
    "--review", type=PATH, metavar="FILE", help="Honour the decisions in FILE, such as OUT/review.jsonl."
)

CONFIG = click.option(
    "--config",
    "config_file",
    type=PATH,
    metavar="FILE",
    help="A TOML file of settings.  [default: the nearest dedup.toml or pyproject.toml]",
)
SURVIVOR = click.option("--keep", type=OneOf(*KEEP), help="Which of several duplicates to keep.  [default: longest]")
RULES = (
    click.option("--threshold", type=float, metavar="J", help="Similarity of near-duplicate articles.  [default: 0.8]"),
    click.option(
        "--same-story-threshold",
        type=float,
        metavar="J",
        help="Similarity of articles with equal names and numbers.  [default: off]",
    ),
    click.option(
        "--paragraph-threshold", type=float, metavar="J", help="Similarity of repeated paragraphs.  [default: 0.8]"
    ),
    click.option(
        "--rule",
        "rules",
        type=RuleAction(),
        multiple=True,
        metavar="NAME=ACTION",
        help="Set a rule to fix, drop, flag or off; repeatable.",
    ),
    click.option("--profile", type=OneOf(*registry.PROFILES), help="A named set of actions for all rules."),
    click.option("--min-words", type=int, metavar="N", help="Flag articles of fewer words as thin.  [default: 5]"),
)
KNOWN_ITEMS = (
    click.option(
        "--passage-words", type=int, metavar="N", help="Words of a run, for the rule known-passage.  [default: 13]"
    ),
    click.option(
        "--passage-share",
        type=float,
        metavar="SHARE",
        help="Share of a known article's words, for the rule known-passage.  [default: 0.5]",
    ),
)
FIELDS = (
    click.option("--text-field", metavar="FIELD", help="Field of the text.  [default: guessed]"),
    click.option("--id-field", metavar="FIELD", help="Field of the id.  [default: guessed]"),
    click.option("--date-field", metavar="FIELD", help="Field of the date.  [default: guessed]"),
    click.option("--source-field", metavar="FIELD", help="Field of the host or source.  [default: guessed]"),
    click.option(
        "--day-first", is_flag=True, default=None, help="Read the date 01/02/2024 as 1 February.  [default: 2 January]"
    ),
)
READING = (
    click.option("--on-error", type=OneOf(*ON_ERROR), help="What to do with a bad record.  [default: quarantine]"),
    click.option("--limit", type=int, metavar="N", help="Read only the first N records."),
    click.option("--sample", type=int, metavar="N", help="Read N records chosen by chance, the same in each run."),
    click.option("--seed", type=int, metavar="N", help="Another number chooses another sample.  [default: 1]"),
    click.option(
        "--max-bad",
        type=Share(),
        metavar="SHARE",
        help="Fail if more of the records are bad, as 50% or 0.5.  [default: 50%]",
    ),
    click.option(
        "--max-record", type=Size(), metavar="SIZE", help="Largest record of a text format, as 100M.  [default: 32M]"
    ),
    click.option(
        "--max-expansion",
        type=int,
        metavar="N",
        help="Read compressed files up to N times their size.  [default: 1000]",
    ),
    click.option(
        "--input-format",
        type=OneOf(*INPUT_FORMAT_NAMES),
        help="Format of all inputs.  [default: by name and content]",
    ),
    click.option(
        "--encoding", metavar="CHARSET", help="Charset of text inputs, as cp1252.  [default: UTF-8, or by BOM]"
    ),
)
SETTINGS = (SURVIVOR, *RULES, *KNOWN_ITEMS, *FIELDS, *READING)
OUTPUT = (
    click.option("--format", type=OneOf(*FORMATS), help="Format of the output.  [default: jsonl]"),
    click.option("--compress", type=OneOf(*COMPRESSIONS), help="Compression of the output.  [default: none]"),
    click.option(
        "--shard-size",
        type=Size(),
        metavar="SIZE",
        help="Split each table into files of this size, as 100M or 2G.  [default: one file]",
    ),
    click.option(
        "--output-fields",
        type=Names(),
        metavar="A,B,...",
        help="Fields that articles keep, besides text and provenance.  [default: all]",
    ),
)
JOBS = click.option("--jobs", type=int, metavar="N", help="Number of processes.  [default: one per core]")
WORK = (
    JOBS,
    click.option(
        "--memory", type=Size(), metavar="SIZE", help="Memory limit, as 512M or 2G.  [default: half of the machine's]"
    ),
)
ENGINE = (
    click.option("--engine", type=OneOf(*_ENGINE_PARAMETERS), help="Where the job runs.  [default: local]"),
    click.option(
        "--master", "url", metavar="URL", help="The Spark cluster, as spark://HOST:7077.  [default: as configured]"
    ),
    click.option("--tables", metavar="URL", help="Where Spark keeps tables between stages.  [default: beside OUT]"),
    click.option("--resume", is_flag=True, help="Continue a run that was interrupted."),
)
AGAINST = click.option(
    "--against",
    type=click.Path(),
    multiple=True,
    metavar="CORPUS",
    help="Also drop what repeats this input or earlier OUT, which stays as it is; repeatable.",
)
INDEX_FOLDER = click.option(
    "--index",
    type=PATH,
    metavar="DIR",
    help="Also drop what repeats articles of earlier runs; those that stay are added. Created if absent.",
)

INPUTS = click.argument("inputs", nargs=-1, required=True, type=click.Path(), metavar="INPUT...")
OUT = click.argument("out", type=PATH)


def port_option(default: int) -> Callable[[CommandT], CommandT]:
    """Return the option for the port on which a server listens."""
    return click.option(
        "--port",
        type=click.IntRange(0, 65535),
        default=default,
        metavar="N",
        help=f"The port; 0 takes a free one.  [default: {default}]",
    )


def combine_options(*options: Callable[[CommandT], CommandT]) -> Callable[[CommandT], CommandT]:
    """Return one decorator that adds several options, in the order of the help page."""

    def decorate(command: CommandT) -> CommandT:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _declared_options(*decorators: Callable[[Any], Any]) -> tuple[click.Option, ...]:
    """Return the options that `decorators` add, in their order."""

    def command() -> None:
        pass

    combine_options(*decorators)(command)
    params: list[click.Option] = getattr(command, "__click_params__", [])
    return tuple(reversed(params))


CONFIGURABLE = _declared_options(*SETTINGS, *OUTPUT, *WORK, *ENGINE)


def resolve_options(options: Mapping[str, Any]) -> Resolved:
    """Return the settings and the engine options in `options`, the environment and the configuration file.

    Warns about variables of the environment that look like misspelt settings. Raises `SettingsError`.
    """
    for variable, meant in misspelt_variables(CONFIGURABLE, os.environ):
        click.echo(f"dedup: warning: {variable} is not a setting; did you mean {meant}?", err=True)
    resolved = resolve(CONFIGURABLE, options, options.get("config_file"))
    ctx = click.get_current_context(silent=True)
    reporter = ctx.find_object(ErrorReporter) if ctx else None
    if reporter:
        reporter.origins = resolved.origins
    return resolved


def local_engine_of(resolved: Resolved) -> LocalEngine:
    """Return the local engine that the options choose."""
    from dedup.engines.local import LocalEngine  # noqa: PLC0415

    values = resolved.values
    return LocalEngine(jobs=values["jobs"], memory=values["memory"], resume=bool(values.get("resume")))


def any_engine_of(resolved: Resolved) -> LocalEngine | SparkEngine:
    """Return the engine that the options choose.

    Raises `SettingsError` for an option of the command line that it does not have; in a file or the environment it
    stands for other runs.
    """
    values = resolved.values
    engine = values["engine"] or "local"
    check_choice("engine", engine, tuple(_ENGINE_PARAMETERS))
    for names in _ENGINE_PARAMETERS.values():
        for name in names:
            if name not in _ENGINE_PARAMETERS[engine] and values[name] and resolved.origin(name).is_option:
                raise SettingsError(f"`{name}`: does not apply to the engine {engine!r}; leave it out")
    if engine == "local":
        return local_engine_of(resolved)
    from dedup.spark import SparkEngine  # noqa: PLC0415

    return SparkEngine(url=values["url"], tables=values["tables"], resume=bool(values["resume"]))
