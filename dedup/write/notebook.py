"""Show results in a notebook: small tables in HTML. Texts come from the web and are escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

_EXCERPT = 100  # characters of a text in a cell


def html_table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table in HTML; numbers are aligned to the right.

    >>> html_table(["rule"], [["<b>"]])
    '<table><thead><tr><th>rule</th></tr></thead><tbody><tr><td>&lt;b&gt;</td></tr></tbody></table>'
    """
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def html_paragraph(text: str) -> str:
    """Return `text` as a paragraph in HTML."""
    return f"<p>{escape(text)}</p>"


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f'<td style="text-align:right">{value:,}</td>'
    text = "" if value is None else str(value)
    text = text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…"
    return f"<td>{escape(text)}</td>"
