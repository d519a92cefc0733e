"""The results of cleaning in memory, as Python objects and as tables, and how they show themselves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from dedup.findings import Finding
from dedup.write.notebook import html_paragraph, html_table

TableT = TypeVar("TableT")

_FINDINGS_SHOWN = 5


@dataclass(frozen=True, repr=False)
class Result:
    """The tables of an output as Python objects, each in input order.

    `quarantine` has a row for each article without a text: `source`, `record` (its position), `error`, `raw` (the
    article as JSON) and `encoding`. `site_text` has a row for each line that is the site's, with its `host`, by first
    place.
    """

    articles: list[dict[str, Any]]
    dropped: list[dict[str, Any]]
    findings: list[Finding]
    quarantine: list[dict[str, Any]]
    site_text: list[dict[str, Any]]

    def __repr__(self) -> str:
        return f"Result({_row_counts(self)})"

    def _repr_html_(self) -> str:
        """Return small tables for a notebook: findings by rule, and the first of them."""
        by_rule = Counter((finding.rule, finding.action) for finding in self.findings)
        rules = [(*rule_and_action, count) for rule_and_action, count in by_rule.items()]
        parts = [html_paragraph(repr(self)), html_table(["rule", "action", "findings"], rules) if rules else ""]
        if rules:
            first = [
                (finding.article, finding.rule, finding.original, finding.replacement, finding.twin)
                for finding in islice(self.findings, _FINDINGS_SHOWN)
            ]
            titles = ["article", "rule", "original", "replacement", "twin"]
            parts.append(html_paragraph(f"The first findings of {len(self.findings):,}:") + html_table(titles, first))
        return "".join(parts)


@dataclass(frozen=True, repr=False)
class TableResult(Generic[TableT]):
    """The tables of an output, each of the kind that was given: data frames, Arrow tables, data sets or lists."""

    articles: TableT
    dropped: TableT
    findings: Any
    quarantine: Any
    site_text: Any

    def __repr__(self) -> str:
        counts = _row_counts(self)
        return f"TableResult of {type(self.articles).__name__}({counts})"

    def _repr_html_(self) -> str:
        """Return the sizes, and the articles as they show themselves."""
        show = getattr(self.articles, "_repr_html_", None)
        return html_paragraph(repr(self)) + (show() if show else "")


class CleanedArticle(NamedTuple):
    """An article that `iter_clean` has cleaned.

    `article` has the cleaned text and its provenance, as `Result.articles` have. If `state` is "quarantined", it is the
    article as it was given, and `error` says why it has no text. No rule that looks at single articles drops a whole
    one.
    """

    article: dict[str, Any]
    findings: list[Finding]
    state: Literal["kept", "quarantined"] = "kept"
    error: str | None = None


class TextRepeat(NamedTuple):
    """A part of a text that repeats another part of it: both spans in the text, and what the rule does with it."""

    rule: str
    action: str
    start: int
    stop: int
    twin_start: int
    twin_stop: int
    similarity: float
    evidence: str | None


def _row_counts(result: Result | TableResult[Any]) -> str:
    """Return the numbers of rows of the tables, where they are known."""
    names = ("articles", "dropped", "findings", "quarantine", "site_text")
    return ", ".join(f"{name}={_size(getattr(result, name))}" for name in names)


def _size(table: Any) -> str:
    try:
        return str(len(table))
    except TypeError:  # a lazy frame or a reader
        return "?"
