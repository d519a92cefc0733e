"""Scorecards: tables of points for the steps of each variable, learnt by logistic regression, kept in a text file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import numpy as np

from dedup.arrays import I64

_SLOPE_UNIT = 1000


class Points(NamedTuple):
    """The points for the values of a variable.

    A value of at least ``steps[i]``, and less than the next step, has ``points[i + 1]``; one below all has
    ``points[0]``: int64. Each unit of the value adds a thousandth of `slope`. Points are thousandths of log odds.
    """

    steps: I64
    points: I64
    slope: int = 0


class Scorecards(NamedTuple):
    """The two scorecards: for a line by itself, and for a line in its company."""

    line: dict[str, Points]
    company: dict[str, Points]


def add_points(card: Mapping[str, Points], variables: Mapping[str, I64], places: dict[str, I64] | None = None) -> I64:
    """Return the sum of the points of each line: int64 [lines]. `variables` are int64 [lines].

    `places` remembers the steps of the variables, which several cards have in common, from one card to the next.

    >>> card = {"size": Points(np.array([5, 10]), np.array([100, 0, -300]))}
    >>> add_points(card, {"size": np.array([1, 5, 12])}).tolist()
    [100, 0, -300]
    """
    total: I64 = np.int64(0)  # type: ignore[assignment]
    for name, (steps, points, slope) in card.items():
        values = variables[name]
        place = places.get(name) if places is not None else None
        if place is None:
            place = _steps_reached(steps, values)
            if places is not None:
                places[name] = place
        total = total + points[place]
        if slope:
            total = total + values * slope // _SLOPE_UNIT
    return total


def _steps_reached(steps: I64, values: I64) -> I64:
    """Return how many of `steps`, ascending, each of `values` has reached: int64 [lines]."""
    if len(steps) and steps[0] == 1 and steps[-1] == len(steps):  # a step for every number
        return np.clip(values, 0, len(steps))
    return np.searchsorted(steps, values, "right")


@cache
def scorecards() -> Scorecards:
    """Return the scorecards of the package."""
    text = resources.files("dedup.site_text").joinpath("scorecard.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    return Scorecards(**{name: _read_card(tables[name]) for name in Scorecards._fields})


def _read_card(table: Mapping[str, Mapping[str, Any]]) -> dict[str, Points]:
    """Return the scorecard of a table of the file."""
    return {
        name: Points(np.array(row["steps"], np.int64), np.array(row["points"], np.int64), row.get("slope", 0))
        for name, row in table.items()
    }
