"""The format of numbers on the page: percentages, intervals, and values of constants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def percent(value: float | None, digits: int = 2) -> str:
    """Return a share as a percentage without trailing zeros; "" for None.

    A share below 1 never becomes 100 %.

    >>> percent(1.0), percent(0.98765), percent(0.0000123, 4), percent(None)
    ('100 %', '98.77 %', '0.0012 %', '')
    """
    if value is None:
        return ""
    number = f"{100 * value:.{digits}f}"
    if float(number) == 100 and value < 1:
        number = f"{100 - 10**-digits:.{digits}f}"
    return (number.rstrip("0").rstrip(".") if "." in number else number) + " %"


def interval(bounds: Sequence[float]) -> str:
    """Return both bounds of an interval, as percentages.

    >>> interval([0.5, 0.75])
    '50–75 %'
    """
    return f"{percent(bounds[0])[:-2]}–{percent(bounds[1])}"


def constant_value(value: Any, current: Any) -> str:
    """Return the value of a constant, in bold if it is the current one; a pair as a range.

    >>> constant_value([2, 20], [2, 20]), constant_value(1000000, 5)
    ('**2 to 20**', 'never')
    """
    if isinstance(value, str):
        text = value
    elif isinstance(value, list):
        text = f"{value[0]} to {value[1]}"
    else:
        text = "never" if value == 10**6 else f"{value:g}"
    return f"**{text}**" if value == current else text
