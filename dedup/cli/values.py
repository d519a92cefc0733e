"""The kinds of values that options take: choices, sizes, and actions of rules, each with its completion in a shell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from dedup import rules as registry
from dedup.settings import parse_size
from dedup.suggestions import hint

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class CompletedType(click.ParamType):  # type: ignore[type-arg]  # not generic in older versions of Click
    """A kind of value that a shell can complete."""

    def completions(self, ctx: click.Context) -> Iterable[tuple[str, str | None]]:
        """Return all values, each with a short help text."""
        raise NotImplementedError

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """Return the values that begin with `incomplete`."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - slow, and rarely used

        del param
        return [
            CompletionItem(value, help=text) for value, text in self.completions(ctx) if value.startswith(incomplete)
        ]


class OneOf(CompletedType):
    """One of several names. `Settings` checks it, so that Python and the command line give the same error."""

    name = "choice"

    def __init__(self, *choices: str) -> None:
        self.choices = choices

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return the choices as the help page shows them."""
        del param, ctx
        return "|".join(self.choices)

    def completions(self, ctx: click.Context) -> Iterable[tuple[str, str | None]]:
        """Return the choices."""
        del ctx
        return [(choice, None) for choice in self.choices]


class RuleName(CompletedType):
    """The name of a rule."""

    name = "rule"

    def completions(self, ctx: click.Context) -> Iterable[tuple[str, str | None]]:
        """Return all rules, and what they find."""
        del ctx
        return [(rule.name, rule.finds) for rule in registry.RULES]


class RuleAction(CompletedType):
    """A rule and its action, as ``boilerplate=flag``: a tuple of both."""

    name = "rule"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return the name and the action in `value`."""
        if isinstance(value, tuple):
            return value
        name, equals, action = (part.strip() for part in value.partition("="))
        if not equals:
            example = name if name in registry.NAMES else "boilerplate"
            self.fail(f"{value!r} has no action; write NAME=ACTION, as {example}=flag", param, ctx)
        return name, action

    def completions(self, ctx: click.Context) -> Iterable[tuple[str, str | None]]:
        """Return each rule with each of its actions."""
        del ctx
        return [(f"{rule.name}={action}", rule.finds) for rule in registry.RULES for action in rule.actions]


class Size(click.ParamType):  # type: ignore[type-arg]  # not generic in older versions of Click
    """A number of bytes, as ``512M``, ``2G`` or ``2GiB``."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the size in bytes."""
        size = parse_size(str(value))
        if size is None:
            self.fail(f"{value!r} is not a size; write it like 512M or 2G", param, ctx)
        return size


class Share(click.ParamType):  # type: ignore[type-arg]  # not generic in older versions of Click
    """A share, as ``0.5`` or ``50%``."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the share as a number."""
        text = str(value).strip()
        try:
            return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            self.fail(f"{value!r} is not a share; write it like 50% or 0.5", param, ctx)


class Names(click.ParamType):  # type: ignore[type-arg]  # not generic in older versions of Click
    """A list of names, as ``id,url``."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Return the names."""
        parts = value.split(",") if isinstance(value, str) else value
        names = tuple(part.strip() for part in parts if part.strip())
        if not names:
            self.fail("no name; give at least one", param, ctx)
        return names


class CommandName(CompletedType):
    """The name of a command."""

    name = "command"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name if there is such a command."""
        known = [name for name, _ in self.completions(ctx)] if ctx else []
        if value not in known:
            self.fail(f"there is no command {value!r}; {hint(value, known)}", param, ctx)
        return str(value)

    def completions(self, ctx: click.Context) -> Iterable[tuple[str, str | None]]:
        """Return the commands of the program that `ctx` belongs to."""
        group = ctx.find_root().command
        commands = group.commands if isinstance(group, click.Group) else {}
        return [(name, command.get_short_help_str()) for name, command in commands.items()]
