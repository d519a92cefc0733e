"""Explain one article of an output in Python: a value that holds what happened, and shows itself."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from dedup.errors import InputError
from dedup.findings import Finding
from dedup.inspect.explain import articles_named, print_explanation
from dedup.inspect.output import open_output
from dedup.read.fields import from_json

_WIDTH = 100  # characters of a line


@dataclass(frozen=True, repr=False)
class Explanation:
    """An account of one article: what happened to it, and why.

    `fields` are those of the input record, with the raw text. `cleaned` is the text that is left, empty for a dropped
    article. `dropped_by` is the finding that dropped the whole article, None for one that is kept. ``print`` shows all
    findings with their texts and twins.
    """

    id: str
    source: str
    record: int
    fields: dict[str, Any]
    raw: str
    cleaned: str
    findings: list[Finding]
    dropped_by: Finding | None
    shown: str = field(compare=False)

    @property
    def kept(self) -> bool:
        """Return True if the article is in the output."""
        return self.dropped_by is None

    def __repr__(self) -> str:
        return self.shown

    def _repr_html_(self) -> str:
        """Return the explanation for a notebook."""
        return f"<pre>{escape(self.shown)}</pre>"


def explain(out: str | Path, article: str | int) -> Explanation:
    """Return what happened to one article of the output in the folder `out`, and why.

    `article` is its id, or ``source#record``. Raises `OutputError` if `out` is not an output, `InputError` if it has no
    such article or several of that id, and `FindingError` if it was changed since it was written.
    """
    from rich.console import Console  # noqa: PLC0415 - reading the output comes first

    output = open_output(out)
    articles = articles_named(output, str(article))
    if len(articles) > 1:
        raise InputError(f"{out}: {len(articles)} articles {article!r}; name one: {_choices(articles)}")
    [chosen] = articles
    shown = io.StringIO()
    print_explanation(output, chosen.where, Console(file=shown, width=_WIDTH, highlight=False, color_system=None))
    return Explanation(
        id=chosen.id,
        source=chosen.source,
        record=chosen.record,
        fields={name: from_json(value) for name, value in chosen.original().items()},
        raw=chosen.raw,
        cleaned=chosen.cleaned,
        findings=chosen.findings,
        dropped_by=chosen.dropped_by,
        shown=shown.getvalue().rstrip("\n"),
    )


def _choices(articles: Iterable[Any]) -> str:
    return " or ".join(article.where for article in articles)
