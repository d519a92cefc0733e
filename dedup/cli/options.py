"""The options that commands share, and the settings and the engine built from them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dedup import rules as registry
from dedup.cli.config_file import Resolved, resolve_settings
from dedup.cli.terminal import ErrorReporter
from dedup.errors import SettingsError
from dedup.settings import COMPRESSIONS, FORMATS, KEEP, ON_ERROR, Settings, check_choice

if TYPE_CHECKING:
    from dedup.engines.local import LocalEngine
    from dedup.spark import SparkEngine

PATH: click.Path = click.Path(path_type=Path)

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

_SIZE_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_ENGINE_PARAMETERS = {"local": ("jobs", "memory"), "spark": ("url", "tables", "resume")}


def _parse_size(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    """Return a size like ``512M``, ``2G`` or ``2GiB`` in bytes."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:I?B)?", value.upper())
    size = int(float(match[1]) * _SIZE_UNITS[match[2]]) if match else 0
    if not size:
        raise click.BadParameter(f"{value!r} is not a size; write it like 512M or 2G")
    return size


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

SETTINGS = (
    click.option("--keep", metavar="|".join(KEEP), help="Which of several duplicates to keep.  [default: longest]"),
    click.option("--threshold", type=float, metavar="J", help="Similarity of near-duplicate articles.  [default: 0.8]"),
    click.option(
        "--paragraph-threshold", type=float, metavar="J", help="Similarity of repeated paragraphs.  [default: 0.8]"
    ),
    click.option(
        "--rule",
        "rules",
        multiple=True,
        metavar="NAME=ACTION",
        help="Set a rule to fix, drop, flag or off; repeatable.",
    ),
    click.option("--profile", metavar="|".join(registry.PROFILES), help="A named set of actions for all rules."),
    click.option("--config", "config_file", type=PATH, metavar="FILE", help="A TOML file of settings."),
    click.option("--text-field", metavar="FIELD", help="Field of the text.  [default: guessed]"),
    click.option("--id-field", metavar="FIELD", help="Field of the id.  [default: guessed]"),
    click.option("--date-field", metavar="FIELD", help="Field of the date.  [default: guessed]"),
    click.option("--source-field", metavar="FIELD", help="Field of the host or source.  [default: guessed]"),
    click.option(
        "--input-format", metavar="FORMAT", help="Format of all inputs, as csv.  [default: by name and content]"
    ),
    click.option(
        "--encoding", metavar="CHARSET", help="Charset of text inputs, as cp1252.  [default: UTF-8, or by BOM]"
    ),
    click.option("--on-error", metavar="|".join(ON_ERROR), help="What to do with a bad record.  [default: quarantine]"),
)
OUTPUT = (
    click.option("--format", metavar="|".join(FORMATS), help="Format of the output.  [default: jsonl]"),
    click.option("--compress", metavar="|".join(COMPRESSIONS), help="Compression of the output.  [default: none]"),
)
JOBS = click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="Number of processes.  [default: one per core]"
)
WORK = (
    JOBS,
    click.option(
        "--memory",
        callback=_parse_size,
        metavar="SIZE",
        help="Memory limit, as 512M or 2G.  [default: half of the machine's]",
    ),
)
ENGINE = (
    click.option(
        "--engine", metavar="|".join(_ENGINE_PARAMETERS), default="local", help="Where the job runs.  [default: local]"
    ),
    click.option(
        "--master", "url", metavar="URL", help="The Spark cluster, as spark://HOST:7077.  [default: as configured]"
    ),
    click.option("--tables", metavar="URL", help="Where Spark keeps tables between stages.  [default: beside OUT]"),
    click.option("--resume", is_flag=True, help="Continue an earlier run on Spark."),
)
INPUTS = click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
OUT = click.argument("out", type=PATH)


def combine_options(*options: Callable[[CommandT], CommandT]) -> Callable[[CommandT], CommandT]:
    """Return one decorator that adds several options, in the order of the help page."""

    def decorate(command: CommandT) -> CommandT:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def settings_from_options(options: Mapping[str, Any]) -> Resolved:
    """Return the settings in `options` and in the configuration file that they name. Raises `SettingsError`."""
    given = {field.name: options[field.name] for field in fields(Settings) if options.get(field.name) is not None}
    given["rules"] = dict(map(_parse_rule, options["rules"]))
    return resolve_settings(given, options["config_file"])


def _parse_rule(text: str) -> tuple[str, str]:
    """Return the name and the action in ``NAME=ACTION``. Raises `SettingsError`."""
    name, equals, action = text.partition("=")
    if not equals:
        raise SettingsError(f"--rule {text}: no action; write NAME=ACTION, as --rule boilerplate=flag")
    return name.strip(), action.strip()


def local_engine_of(options: Mapping[str, Any]) -> LocalEngine:
    """Return the local engine that `options` choose."""
    from dedup.engines.local import LocalEngine  # noqa: PLC0415

    return LocalEngine(jobs=options["jobs"], memory=options["memory"])


def any_engine_of(options: Mapping[str, Any]) -> LocalEngine | SparkEngine:
    """Return the engine that `options` choose. Raises `SettingsError` for an option that it does not have."""
    engine = options["engine"]
    check_choice("--engine", engine, tuple(_ENGINE_PARAMETERS))
    for other, names in _ENGINE_PARAMETERS.items():
        for name in names:
            if other != engine and options[name]:
                raise SettingsError(f"`{name}`: does not apply to --engine {engine}; leave it out")
    if engine == "local":
        return local_engine_of(options)
    from dedup.spark import SparkEngine  # noqa: PLC0415

    return SparkEngine(url=options["url"], tables=options["tables"], resume=options["resume"])
