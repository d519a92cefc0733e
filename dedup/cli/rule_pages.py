"""Pages about the rules, for a terminal and as one Markdown document."""

from __future__ import annotations

import html
import textwrap

from rich.console import Console

from dedup import rules
from dedup.cli.summary import new_table
from dedup.settings import check_choice

PAGE_WIDTH = 88  # columns


def print_rules(console: Console) -> None:
    """Print the table of all rules."""
    rows = new_table("Rule", "Level", "Default", "Finds")
    for rule in rules.RULES:
        rows.add_row(rule.name, rule.level, rule.default, rule.finds)
    console.print(rows)


def rule_page(name: str) -> str:
    """Return the page of the rule `name`. Raises `SettingsError` with a close match if there is no such rule."""
    check_choice("rule", name, rules.NAMES)
    rule = rules.BY_NAME[name]
    lines = [f"{rule.name}: {rule.finds}", ""]
    for title, text in _page_sections(rule):
        lines += textwrap.wrap(f"{title:<11} {text}", PAGE_WIDTH, subsequent_indent=" " * 12)
    return "\n".join(lines) + "\n"


def rules_markdown() -> str:
    """Return all pages of ``dedup rules`` as one Markdown document."""
    lines = ["# Rules", "", "| rule | level | finds | default |", "|---|---|---|---|"]
    lines += [
        f"| [`{rule.name}`](#{rule.name}) | {rule.level} | {rule.finds} | {rule.default} |" for rule in rules.RULES
    ]
    for rule in rules.RULES:
        lines += ["", f"## `{rule.name}`", "", f"Finds {rule.finds}.", ""]
        lines += [f"- **{title}**: {text}" for title, text in _page_sections(rule)]
    return html.escape("\n".join(lines), quote=False) + "\n"  # an example contains "&amp;"


def _page_sections(rule: rules.Rule) -> list[tuple[str, str]]:
    """Return the titles and the texts of a rule's page."""
    actions = ", ".join(rule.actions)
    return [
        ("Example", rule.example),
        ("Decides", rule.decides),
        ("Thresholds", rule.thresholds),
        ("Errs", rule.errs),
        ("Level", rule.level),
        ("Default", f"{rule.default}; can be {actions}: --rule {rule.name}={rule.actions[0]}"),
    ]
