"""The settings and engine options in force, each with its origin: as a table, as JSON, and as a configuration file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import click

from dedup.cli.layers import PREFIX, Resolved, is_setting, name_in_files, toml_value

_UNITS = ((1 << 40, "T"), (1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K"))


class _Row(NamedTuple):
    """One value: its name in files, the value (None: not given), what None means, and where the value is from."""

    name: str
    value: Any
    otherwise: str
    origin: str


def as_table(resolved: Resolved, options: tuple[click.Option, ...]) -> str:
    """Return the values and their origins as aligned columns."""
    rows = [("setting", "value", "from")]
    rows += [(row.name, _shown(row), row.origin) for row in _setting_rows(resolved, options)]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "".join(f"{name:<{widths[0]}}  {value:<{widths[1]}}  {origin}\n" for name, value, origin in rows)


def as_json(resolved: Resolved, options: tuple[click.Option, ...]) -> Mapping[str, Any]:
    """Return the values and their origins as JSON values, by name."""
    return {row.name: {"value": row.value, "from": row.origin} for row in _setting_rows(resolved, options)}


def as_toml(resolved: Resolved, options: tuple[click.Option, ...]) -> str:
    """Return a configuration file of the values, each with its origin as a comment."""
    lines, rules = [], ["", "[rules]"]
    for name, value, otherwise, origin in _setting_rows(resolved, options):
        if name.startswith("rules."):
            rules.append(f"{name.removeprefix('rules.')} = {toml_value(value)}  # {origin}")
        elif value is None:
            lines.append(f"# {name}: {otherwise}  # {origin}")
        else:
            lines.append(f"{name} = {toml_value(value)}  # {origin}")
    return "\n".join(lines + rules) + "\n"


def as_markdown(options: tuple[click.Option, ...]) -> str:
    """Return what can be set as a table of the documentation."""
    lines = ["| key | variable | option | meaning |", "|---|---|---|---|"]
    for option in options:
        name = name_in_files(option)
        kind = "" if is_setting(name) else " (engine option)"
        text = f"{option.help}".replace("|", "\\|")
        lines.append(f"| `{name}` | `{PREFIX}{name.upper()}` | `{max(option.opts, key=len)}` | {text}{kind} |")
    return "\n".join(lines) + "\n"


def _setting_rows(resolved: Resolved, options: tuple[click.Option, ...]) -> Iterator[_Row]:
    """Yield a row for each option, and at the end one for each rule."""
    settings = resolved.settings.as_dict()
    for option in options:
        name = name_in_files(option)
        if name == "rules":
            continue
        value = settings[name] if name in settings else resolved.values[str(option.name)]
        default = re.search(r"\[default: (.*)\]", option.help or "")
        yield _Row(name, value, default[1] if default else "not set", resolved.origins[name].place)
    for rule, action in settings["rules"].items():
        yield _Row(f"rules.{rule}", action, "", resolved.origins[f"rules.{rule}"].place)


def _shown(row: _Row) -> str:
    """Return a value for a table: sizes in their largest unit, and what None means in brackets."""
    if row.value is None:
        return f"({row.otherwise})"
    if row.name == "memory":
        unit, letter = next(((unit, letter) for unit, letter in _UNITS if row.value % unit == 0), (1, ""))
        return f"{row.value // unit}{letter}"
    return row.value if isinstance(row.value, str) else toml_value(row.value)
