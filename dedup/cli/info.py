"""The commands that tell of rules and settings."""

from __future__ import annotations

from typing import Any

import click

from dedup.cli import config_file as config
from dedup.cli.options import OUTPUT, SETTINGS, VERBOSE, options_of, settings_from_options
from dedup.cli.terminal import console, write


@click.command()
@click.argument("name", required=False)
@click.option("--markdown", is_flag=True, help="All pages, as docs/rules.md holds them.")
@VERBOSE
def rules(name: str | None, markdown: bool) -> None:
    """List the rules, or show one rule's page."""
    from dedup.cli import rule_pages as pages  # noqa: PLC0415

    if markdown:
        write(pages.rules_markdown())
    elif name is None:
        pages.print_rules(console())
    else:
        write(pages.rule_page(name))


@click.command("config", short_help="Print the settings, and where each came from.")
@options_of(*SETTINGS, *OUTPUT)
@VERBOSE
def config_(**options: Any) -> None:
    """Print the settings, and where each came from, as a file for --config."""
    write(config.as_toml(settings_from_options(options)))
