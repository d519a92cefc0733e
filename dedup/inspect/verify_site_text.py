"""Check the table of site text: its numbers, its first places, and that its lines are those that articles have lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from dedup.findings import DROP, Finding
from dedup.inspect.article_rows import Article, Mismatch
from dedup.inspect.names import record_name
from dedup.match.policy import BOILERPLATE
from dedup.match.site_text import SiteTextRow
from dedup.output_layout import SITE_TEXT_SOURCE
from dedup.segment.facts import fact_marks
from dedup.segment.words import comparison_key


def dropped_site_text(article: Article) -> list[int]:
    """Return the rows of the table of site text that an article was compared without.

    The findings of an article that stays name them, and the provenance of one that is dropped.
    """
    if article.kept:
        lines = [finding for finding in article.findings if finding.rule == BOILERPLATE and finding.action == DROP]
        return [finding.twin_record for finding in lines if finding.twin_record is not None]
    named = article.provenance.get("site_text")
    return [line for line in named if isinstance(line, int)] if isinstance(named, list) else []


def check_site_text(rows: Sequence[SiteTextRow], dropped_lines: Counter[int]) -> Iterator[Mismatch]:
    """Yield what is wrong with the counts of `rows`; `dropped_lines` says how many articles have lost each of them."""
    for number, row in enumerate(rows):
        where = record_name(SITE_TEXT_SOURCE, number)
        if row.dropped != dropped_lines[number]:
            yield Mismatch(where, f"says that {row.dropped} articles lost it, {dropped_lines[number]} did")
        if not row.dropped <= row.articles or not 0 < row.share <= 1:
            yield Mismatch(where, f"{row.articles} articles, a share of {row.share}: cannot be")
    for number in sorted(dropped_lines):
        if not 0 <= number < len(rows):
            yield Mismatch(record_name(SITE_TEXT_SOURCE, number), "is not there")


def row_of(finding: Finding, rows: Sequence[SiteTextRow]) -> SiteTextRow | None:
    """Return the row of the table of site text that a finding repeats, None if it is not there."""
    number = finding.twin_record
    is_there = finding.twin_source == SITE_TEXT_SOURCE and number is not None and 0 <= number < len(rows)
    return rows[number] if is_there and number is not None else None


def line_problems(finding: Finding, span: str | None, row: SiteTextRow) -> Iterator[str]:
    """Yield what is wrong with a finding that repeats `row`; `span` is the repaired text of it, None if not certain."""
    name = f"its line of site text ({record_name(finding.twin_source, finding.twin_record)})"
    if finding.twin != (row.host or ""):
        yield f"{name} is of {row.host!r}"
    if (finding.twin_start, finding.twin_stop, finding.similarity) != (0, len(row.text), 1.0):
        yield f"{name} is {len(row.text)} characters long and equal, the finding says otherwise"
    if span is not None and not _are_equal(span, row.text):
        yield f"{name} is another line"


def place_problem(span: str | None, row: SiteTextRow) -> str | None:
    """Return what is wrong with the first place of a row, whose repaired text is `span`; None if nothing is."""
    if span is None or _are_equal(span, row.text):
        return None
    return f"the line of site text {row.text!r} is not at its first place, {row.start}-{row.stop}"


def _are_equal(text: str, other: str) -> bool:
    """Return True if two texts have the same comparison key and facts."""
    return text == other or (comparison_key(text) == comparison_key(other) and fact_marks(text) == fact_marks(other))
