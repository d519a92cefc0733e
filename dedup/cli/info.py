"""The commands that read no articles: ``rules``, ``config``, ``help`` and ``warm-up``."""

from __future__ import annotations

from typing import Any

import click

from dedup.cli import settings_page
from dedup.cli.examples import examples
from dedup.cli.options import (
    CONFIG,
    CONFIGURABLE,
    ENGINE,
    OUTPUT,
    QUIET,
    SETTINGS,
    VERBOSE,
    WORK,
    combine_options,
    resolve_options,
)
from dedup.cli.terminal import console, print_json, show_progress, write_stdout
from dedup.cli.values import CommandName, RuleName


@click.command(epilog=examples("rules"))
@click.argument("name", required=False, type=RuleName())
@click.option("--markdown", is_flag=True, help="Print all pages, as docs/rules.md holds them.")
@VERBOSE
def rules(name: str | None, markdown: bool) -> None:
    """List the rules, or show the page of one rule."""
    from dedup.cli import rule_pages  # noqa: PLC0415

    if markdown:
        write_stdout(rule_pages.rules_markdown())
    elif name is None:
        rule_pages.print_rules(console())
    else:
        write_stdout(rule_pages.rule_page(name))


@click.command("config", short_help="Print the settings, and where each came from.", epilog=examples("config"))
@combine_options(CONFIG, *SETTINGS, *OUTPUT, *WORK, *ENGINE)
@click.option("--toml", is_flag=True, help="Print a file for --config.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--markdown", is_flag=True, help="Print what can be set, as docs/configuration.md holds it.")
@VERBOSE
def config_(toml: bool, as_json: bool, markdown: bool, **options: Any) -> None:
    """Print the settings and engine options, and where each came from.

    Later ones win: the nearest dedup.toml, or pyproject.toml with a table [tool.dedup], from the working folder upwards
    (or the file of --config); variables such as DEDUP_THRESHOLD=0.9 or DEDUP_RULES=boilerplate=flag,encoding=off;
    options.
    """
    if markdown:
        write_stdout(settings_page.as_markdown(CONFIGURABLE))
        return
    resolved = resolve_options(options)
    if as_json:
        print_json(settings_page.as_json(resolved, CONFIGURABLE))
    elif toml:
        write_stdout(settings_page.as_toml(resolved, CONFIGURABLE))
    else:
        write_stdout(settings_page.as_table(resolved, CONFIGURABLE))


@click.command("help", epilog=examples("help"))
@click.argument("command", required=False, type=CommandName())
@VERBOSE
@click.pass_context
def help_(ctx: click.Context, command: str | None) -> None:
    """Show the help page of a command, or of all."""
    root = ctx.find_root()
    if command is None or not isinstance(root.command, click.Group):
        write_stdout(f"{root.get_help()}\n")
        return
    page = root.command.commands[command]
    with click.Context(page, info_name=command, parent=root) as inner:
        write_stdout(f"{page.get_help(inner)}\n")


@click.command("warm-up", short_help="Compile now what the first larger job would compile.", epilog=examples("warm-up"))
@QUIET
@VERBOSE
def warm_up(quiet: bool) -> None:
    """Compile now what the first larger job would compile, for an image or a new installation.

    Prints where the compiled code is. Other processors and other versions of Python compile for themselves.
    """
    from dedup.engines.local import warm_up  # noqa: PLC0415

    with show_progress(quiet=quiet) as progress:
        path, seconds = warm_up(progress)
    action = "nothing to compile" if seconds is None else f"compiled in {seconds:.1f} s"
    write_stdout(f"{action}: {path}\n")
