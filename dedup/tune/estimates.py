"""What labels say of thresholds: precision and recall with intervals, and which threshold to choose.

Estimates are stratified: bins of similarity are labelled about evenly, yet hold very different numbers of pairs, so
each bin counts by the pairs it holds. Only pairs of the window count; a pair above it is in no figure.
Plain arithmetic on a handful of bins.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

Z = 1.959963984540054  # two-sided 95 %


class Bin(NamedTuple):
    """Pairs of one range of similarity: how many there are, how many were answered, how many of these are the same."""

    low: float
    high: float
    pairs: float
    labels: int
    same: int


class Interval(NamedTuple):
    """An estimate between its 95 % limits."""

    value: float
    low: float
    high: float


class Estimate(NamedTuple):
    """What a threshold does: `pairs` reach it, `labels` of them answered; None where nothing can be said."""

    threshold: float
    pairs: float
    labels: int
    effective: float
    precision: Interval | None
    recall: Interval | None


class Choice(NamedTuple):
    """The threshold to take; whether its precision is certain enough; about how many more labels make it so.

    `more` is None where labels cannot be expected to help: no estimate is above the precision wanted.
    """

    threshold: float
    reached: bool
    more: int | None


def wilson(share: float, labels: float, z: float = Z) -> Interval:
    """Wilson's score interval of `share` of `labels` (Wilson 1927); `labels` need not be whole.

    >>> [round(limit, 4) for limit in wilson(0.9, 10)]
    [0.9, 0.5958, 0.9821]
    """
    if labels == math.inf:
        return Interval(share, share, share)
    if labels <= 0:
        return Interval(share, 0.0, 1.0)
    spread = z * z / labels
    centre = (share + spread / 2) / (1 + spread)
    half = math.sqrt(max(share * (1 - share), 0.0) * spread + spread * spread / 4) / (1 + spread)
    return Interval(share, min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half)))


def share_same(bins: Sequence[Bin]) -> tuple[Interval, float] | None:
    """The share of pairs in `bins` that are the same, and the number of labels it is worth; None without a label.

    The interval is Wilson's at the effective number of labels: what evenly weighted labels would give the same
    variance, judged by the weights alone (Kish 1965) and by the answers (Korn, Graubard 1998), whichever is less. A bin
    labelled to the last pair adds no variance. Pairs of bins without any label may all be the same or all different.
    """
    told = [one for one in bins if one.labels and one.pairs > 0]
    if not told:
        return None
    total = math.fsum(one.pairs for one in told)
    value = min(1.0, math.fsum(one.pairs * one.same / one.labels for one in told) / total)
    by_weights = by_answers = 0.0
    for one in told:
        share = one.same / one.labels
        variance = (one.pairs / total) ** 2 / one.labels * _unknown(one)
        by_weights += variance
        by_answers += variance * share * (1 - share)
    effective = 1 / by_weights if by_weights else math.inf
    if by_answers:
        effective = min(effective, value * (1 - value) / by_answers)
    within = wilson(value, effective)
    silent = 1 - total / math.fsum(one.pairs for one in bins)
    return Interval(value, within.low * (1 - silent), within.high * (1 - silent) + silent), effective


def _unknown(one: Bin) -> float:
    """The finite-population correction of a bin: 1 for a large one, 0 for one labelled to the last pair."""
    return max(0.0, (one.pairs - one.labels) / (one.pairs - 1)) if one.pairs > 1 else 0.0


def estimate(bins: Sequence[Bin], threshold: float) -> Estimate:
    """Precision and recall of "similar at `threshold` or more", which must be the lower border of a bin.

    Precision is the share of same pairs among those that reach the threshold, recall the share of those that reach it
    among the same pairs of the window. The limits of recall put those of both parts together, each at its worst, so
    they are rather too wide than too narrow.
    """
    above = [one for one in bins if one.low >= threshold]
    below = [one for one in bins if one.low < threshold]
    reached, rest = share_same(above), share_same(below)
    pairs, others = math.fsum(one.pairs for one in above), math.fsum(one.pairs for one in below)
    recall = None
    if reached and (rest or not others):
        more = reached[0]
        less = rest[0] if rest else Interval(0.0, 0.0, 0.0)
        recall = Interval(
            _ratio(more.value * pairs, less.value * others),
            _ratio(more.low * pairs, less.high * others),
            _ratio(more.high * pairs, less.low * others),
        )
    labels = sum(one.labels for one in above)
    return Estimate(threshold, pairs, labels, reached[1] if reached else 0.0, reached[0] if reached else None, recall)


def _ratio(part: float, rest: float) -> float:
    return part / (part + rest) if part + rest else 1.0


def choose(estimates: Sequence[Estimate], precision: float, labels: int) -> Choice | None:
    """The lowest threshold whose precision is at least `precision` by its lower limit; None without any estimate.

    Where none is, the one of the highest lower limit, and how many more than these `labels`, spread as they are, would
    make one of them certain: Wilson's lower limit of a share p reaches q at ``z**2 q (1 - q) / (p - q)**2`` effective
    labels.
    """
    told = [
        (one, one.precision) for one in sorted(estimates, key=lambda one: one.threshold) if one.precision is not None
    ]
    if not told:
        return None
    for one, found in told:
        if found.low >= precision:
            return Choice(one.threshold, reached=True, more=0)
    best, _ = max(told, key=lambda item: (item[1].low, -item[0].threshold))
    needed = [
        labels * (Z * Z * precision * (1 - precision) / (found.value - precision) ** 2 / one.effective - 1)
        for one, found in told
        if found.value > precision
    ]
    return Choice(best.threshold, reached=False, more=max(1, math.ceil(min(needed))) if needed else None)
