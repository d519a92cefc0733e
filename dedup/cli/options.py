"""The options that commands share, and what they add up to: settings, and an engine."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dedup import rules as registry
from dedup import settings
from dedup.cli import config_file as config
from dedup.cli.terminal import ErrorReporter
from dedup.errors import SettingsError
from dedup.settings import COMPRESSIONS, FORMATS, KEEP, ON_ERROR, Settings

if TYPE_CHECKING:
    from dedup.engines.local import LocalEngine
    from dedup.spark import SparkEngine

PATH: click.Path = click.Path(path_type=Path)

Command = TypeVar("Command", bound=Callable[..., Any])

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


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
        ctx.ensure_object(ErrorReporter).verbose = True


VERBOSE = click.option(
    "-v",
    "--verbose",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_verbose,
    help="Add tracebacks to errors.",
)

SETTINGS = (
    click.option("--keep", metavar="|".join(KEEP), help="Which of several like articles stays.  [default: longest]"),
    click.option("--threshold", type=float, metavar="J", help="Similarity of near-duplicate articles.  [default: 0.8]"),
    click.option("--paragraph-threshold", type=float, metavar="J", help="The same of paragraphs.  [default: 0.8]"),
    click.option(
        "--rule", multiple=True, metavar="NAME=ACTION", help="Set a rule to fix, drop, flag or off; repeatable."
    ),
    click.option("--profile", metavar="|".join(registry.PROFILES), help="Named settings of all rules."),
    click.option("--config", "config_file", type=PATH, metavar="FILE", help="A TOML file of settings."),
    click.option("--text-field", metavar="FIELD", help="Where the text is.  [default: guessed]"),
    click.option("--id-field", metavar="FIELD", help="Where the id is.  [default: guessed]"),
    click.option("--date-field", metavar="FIELD", help="Where the date is.  [default: guessed]"),
    click.option("--source-field", metavar="FIELD", help="Where the host or source is.  [default: guessed]"),
    click.option("--on-error", metavar="|".join(ON_ERROR), help="What becomes of a bad record.  [default: quarantine]"),
)
OUTPUT = (
    click.option("--format", metavar="|".join(FORMATS), help="Of what is written.  [default: jsonl]"),
    click.option("--compress", metavar="|".join(COMPRESSIONS), help="Of what is written.  [default: none]"),
)
JOBS = click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Processes.  [default: one per core]")
WORK = (
    JOBS,
    click.option(
        "--memory", callback=_size, metavar="SIZE", help="Memory at most, as 512M or 2G.  [default: half of it]"
    ),
)
ENGINE = (
    click.option("--engine", metavar="local|spark", default="local", help="What carries it out.  [default: local]"),
    click.option("--master", metavar="URL", help="The Spark cluster, as spark://HOST:7077.  [default: as configured]"),
    click.option("--tables", metavar="URL", help="Where Spark keeps tables between stages.  [default: beside OUT]"),
    click.option("--resume", is_flag=True, help="Go on where an earlier run on Spark ended."),
)
INPUTS = click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
OUT = click.argument("out", type=PATH)


def options_of(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """One decorator for several, in the order of the help page."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def settings_from_options(options: Mapping[str, Any]) -> config.Resolved:
    """The settings that `options` and the file they name add up to."""
    given = {field.name: options[field.name] for field in fields(Settings) if options.get(field.name) is not None}
    given["rules"] = dict(map(_rule, options["rule"]))
    return config.resolve_settings(given, options["config_file"])


def _rule(text: str) -> tuple[str, str]:
    name, equals, action = text.partition("=")
    if not equals:
        raise SettingsError(f"--rule {text}: no action; write NAME=ACTION, as --rule boilerplate=flag")
    return name.strip(), action.strip()


def engine_of(options: Mapping[str, Any]) -> LocalEngine:
    """The local engine that ``--jobs`` and ``--memory`` ask for."""
    from dedup.engines.local import LocalEngine  # noqa: PLC0415

    return LocalEngine(jobs=options["jobs"], memory=options["memory"])


def any_engine_of(options: Mapping[str, Any]) -> LocalEngine | SparkEngine:
    """The engine that ``--engine`` and its options ask for."""
    settings.one_of("--engine", options["engine"], ("local", "spark"))
    mine = ("jobs", "memory") if options["engine"] == "spark" else ("master", "tables", "resume")
    for name in mine:
        if options[name]:
            raise SettingsError(f"--{name}: means nothing to --engine {options['engine']}; leave it out")
    if options["engine"] == "local":
        return engine_of(options)
    from dedup.spark import SparkEngine  # noqa: PLC0415

    return SparkEngine(url=options["master"], tables=options["tables"], resume=options["resume"])
