"""The commands that read no articles: ``rules``, ``config`` and ``warm-up``."""

from __future__ import annotations

from typing import Any

import click

from dedup.cli import config_file
from dedup.cli.options import OUTPUT, SETTINGS, VERBOSE, combine_options, settings_from_options
from dedup.cli.terminal import console, show_progress, write_stdout


@click.command()
@click.argument("name", required=False)
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


@click.command("config", short_help="Print the settings, and where each came from.")
@combine_options(*SETTINGS, *OUTPUT)
@VERBOSE
def config_(**options: Any) -> None:
    """Print the settings, and where each came from, as a file for --config."""
    write_stdout(config_file.as_toml(settings_from_options(options)))


@click.command("warm-up", short_help="Compile now what the first larger job would compile.")
@click.option("--quiet", is_flag=True, help="No progress.")
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
