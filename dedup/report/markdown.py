"""Write a report as Markdown, for the log of a build or a comment on a change: the values of the page, in short."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from dedup.inspect.visible import visible
from dedup.report.page import ComparisonPage, GroupRow, ReadPart, RunPage
from dedup.report.shown_values import cell, percent

_VALUE_SHOWN = 300  # characters of a value
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!&$@])")
_ADDRESS = re.compile(r"(?<=[a-zA-Z]):(?=//)|(?<=[wW]{3})\.")  # what would become a link by itself


def markdown_of(page: RunPage | ComparisonPage) -> str:
    """Return the page as Markdown; nothing in a text of the corpus acts as markup."""
    lines = _run_lines(page) if isinstance(page, RunPage) else _comparison_lines(page)
    return "\n".join(lines) + "\n"


def escaped(text: object) -> str:
    r"""Return a value as text in one line of Markdown.

    >>> print(escaped("<b> | *a*"))
    \<b\> \| \*a\*
    """
    value = visible(str(text)[:_VALUE_SHOWN])
    return _ADDRESS.sub(r"\\\g<0>", _MARKUP.sub(r"\\\1", value))


def _run_lines(page: RunPage) -> Iterator[str]:
    counts, characters = page.counts, page.characters
    yield f"# dedup: {counts.get('articles', 0):,} articles came in, {counts.get('kept', 0):,} stay"
    yield ""
    yield (
        f"{counts.get('dropped', 0):,} dropped, {counts.get('quarantined', 0):,} in quarantine. Of "
        f"{characters.get('read', 0):,} characters {characters.get('written', 0):,} are left."
    )
    yield from _sampled_lines(page.part)
    yield from _section("What to look at first")
    for alarm in page.alarms:
        yield f"* **{escaped(alarm.title)}.** {escaped(alarm.text)} {escaped(alarm.advice)}"
    if not page.alarms:
        yield "Nothing unusual."
    yield from _section("By rule")
    yield from _table(
        ("Rule", "Action", ">Findings", ">Characters", ">Of all"),
        ((f"`{r.rule}`", r.action, f"{r.findings:,}", f"{r.characters:,}", percent(r.share)) for r in page.rules),
    )
    yield from _section("By source")
    yield from _table(
        ("Source", ">Articles", ">Dropped", ">Share", ">Characters removed"),
        (
            (escaped(r.name), f"{r.articles:,}", f"{r.dropped:,}", percent(r.dropped_share), percent(r.removed_share))
            for r in page.sources
        ),
    )
    if page.groups:
        yield from _section("Largest groups of copies")
        yield from _table((">Articles", "Survivor", "First by date", "From"), map(_group_cells, page.groups))
    if page.flows:
        yield from _section("Who printed whose text")
        yield from _table(
            ("Origin", "Printed by", ">Articles", ">Known by date"),
            ((escaped(r.origin), escaped(r.printed_by), f"{r.articles:,}", f"{r.dated:,}") for r in page.flows),
        )
    if page.site_text:
        yield from _section("Site text")
        yield from _table(
            ("Line", "Host", ">Articles"),
            ((escaped(r.line), escaped(r.host), f"{r.articles:,}") for r in page.site_text),
        )
    if page.repairs:
        yield from _section("Repairs")
        yield from _table(
            ("Kind", "Rule", ">Fixes", ">Articles"),
            ((escaped(r.kind), f"`{r.rule}`", f"{r.count:,}", f"{r.articles:,}") for r in page.repairs),
        )
    if page.quarantine:
        yield from _section("Quarantine")
        yield from _table(("Reason", ">Records"), ((escaped(r.error), f"{r.records:,}") for r in page.quarantine))


def _group_cells(group: GroupRow) -> tuple[str, ...]:
    first = "" if group.first is None else f"{escaped(group.first.name)} ({group.first.day})"
    sources = ", ".join(f"{escaped(name)} {count:,}" for name, count in [*group.sources.items()][:5])
    return f"{group.size:,}", escaped(group.survivor.name), first, sources


def _comparison_lines(page: ComparisonPage) -> Iterator[str]:
    changed = sum(transition.articles for transition in page.transitions)
    yield f"# dedup: two runs treat {changed:,} articles differently"
    yield ""
    new = "" if page.only_new is None else f", {page.only_new:,} in the new one only"
    yield f"{page.unchanged:,} articles are equal, {page.other_text:,} have another text."
    yield f"{page.only_old:,} are in the old run only{new}."
    yield from _sampled_lines(page.part)
    for title, changes in (("Settings", page.settings), ("Versions", page.versions), ("Inputs", page.inputs)):
        if changes:
            yield from _section(title)
            yield from _table(
                ("Name", "Old", "New"), ((escaped(r.name), escaped(cell(r.old)), escaped(cell(r.new))) for r in changes)
            )
    yield from _section("Counts")
    yield from _table(
        ("Number of", ">Old", ">New", ">Change"),
        ((row.name, f"{row.old:,}", f"{row.new:,}", f"{row.new - row.old:+,}") for row in page.counts),
    )
    yield from _section("Rules")
    yield from _table(
        ("Rule", "Action", ">Findings, old", ">New", ">Characters, old", ">New"),
        (
            (
                f"`{row.rule}`",
                row.action,
                f"{row.old_findings:,}",
                f"{row.new_findings:,}",
                f"{row.old_characters:,}",
                f"{row.new_characters:,}",
            )
            for row in page.rules
        ),
    )
    yield from _section("Articles")
    for transition in page.transitions:
        yield f"* {escaped(transition.old)} → {escaped(transition.new)}: {transition.articles:,}"
        for change in transition.examples:
            yield f"    * {escaped(change.article.name)}: {escaped(change.new)}"


def _sampled_lines(part: ReadPart) -> Iterator[str]:
    if not part.is_whole:
        yield ""
        yield (
            f"Sampled: {part.read:,} of {part.articles:,} articles were read, chosen by the seed {part.seed}"
            f"{', from the beginning of compressed tables' if part.is_beginning else ''}. Counts by rule are of the "
            "whole run, all others of the articles read."
        )


def _section(title: str) -> Iterator[str]:
    yield from ("", f"## {title}", "")


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a table; the titles of right-aligned columns begin with ``>``."""
    yield f"| {' | '.join(title.removeprefix('>') for title in titles)} |"
    yield f"|{'|'.join('---:' if title[0] == '>' else '---' for title in titles)}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
