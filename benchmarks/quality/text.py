"""How a page is written: tables, wrapped paragraphs, and how numbers look."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

WIDTH = 118


def paragraph(text: str) -> str:
    """`text` in lines of the house's width."""
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table.

    >>> print(table(("a", "b"), [[1, "x|y"]]))
    | a | b |
    |---|---|
    | 1 | x¦y |
    """
    lines = [header, *rows]
    told = ["| " + " | ".join(str(cell).replace("|", "¦") for cell in line) + " |" for line in lines]
    return "\n".join([told[0], "|" + "---|" * len(header), *told[1:]])


def percent(value: float | None, digits: int = 2) -> str:
    """A share as a percentage, without zeros that say nothing.

    >>> percent(1.0), percent(0.98765), percent(0.0000123, 4), percent(None)
    ('100 %', '98.77 %', '0.0012 %', '')
    """
    if value is None:
        return ""
    told = f"{100 * value:.{digits}f}"
    if float(told) == 100 and value < 1:
        told = f"{100 - 10**-digits:.{digits}f}"  # not all is not 100 %
    return (told.rstrip("0").rstrip(".") if "." in told else told) + " %"


def interval(bounds: Sequence[float]) -> str:
    """Both bounds of an interval, in per cent.

    >>> interval([0.5, 0.75])
    '50–75 %'
    """
    return f"{percent(bounds[0])[:-2]}–{percent(bounds[1])}"


def value(told: Any, now: Any) -> str:
    """The value of a constant, the one in force in bold; a row of two as a span.

    >>> value([2, 20], [2, 20]), value(1000000, 5)
    ('**2 to 20**', 'never')
    """
    if isinstance(told, str):
        return f"**{told}**" if told == now else told
    text = f"{told[0]} to {told[1]}" if isinstance(told, list) else "never" if told == 10**6 else f"{told:g}"
    return f"**{text}**" if told == now else text
