"""Estimate the precision and recall of thresholds from labels, with intervals, and choose a threshold.

Estimates are stratified. All bins of similarity get about the same number of labels but hold very different numbers of
pairs, so each bin counts by the pairs that it holds. Only pairs of the window count: no figure includes a pair above
it. This is plain arithmetic on a handful of bins.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

Z = 1.959963984540054  # two-sided 95 %


class Bin(NamedTuple):
    """Pairs of one range of similarity.

    `labels` of the `pairs` have a label, and `same` of the labels say that both texts are the same.
    """

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
    """The effect of a threshold: `pairs` reach it, and `labels` of those have a label.

    `effective` is the number of labels that the precision is worth (`same_share`). Precision and recall are None if the
    labels do not allow an estimate.
    """

    threshold: float
    pairs: float
    labels: int
    effective: float
    precision: Interval | None
    recall: Interval | None


class Choice(NamedTuple):
    """The threshold to take, and whether its precision is certain enough.

    `more` is about the number of further labels that would make it so. It is None if labels cannot be expected to help,
    because no estimate exceeds the required precision.
    """

    threshold: float
    reached: bool
    more: int | None


def wilson_interval(share: float, labels: float, z: float = Z) -> Interval:
    """Return Wilson's score interval of `share` of `labels` (Wilson 1927); `labels` need not be a whole number.

    >>> [round(limit, 4) for limit in wilson_interval(0.9, 10)]
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


def same_share(bins: Sequence[Bin], *, finite: bool = True) -> tuple[Interval, float] | None:
    """Return the share of the pairs in `bins` that are the same, and the number of labels that it is worth.

    The interval is Wilson's at the effective number of labels: the number of evenly weighted labels that would give the
    same variance. It is computed from the weights alone (Kish 1965) and from the answers (Korn, Graubard 1998), and the
    smaller is used. A bin in which every pair has a label adds no variance. Limits are whole numbers of pairs: a single
    pair without a label can be either. The pairs of bins without any label may all be the same or all be different.
    Returns None if there is no label.

    With `finite`, the interval is about these pairs: it is exact if all have a label. Without it, the interval is about
    the pairs of any such articles, of which these are a sample.
    """
    labelled = [each for each in bins if each.labels and each.pairs > 0]
    if not labelled:
        return None
    total = math.fsum(each.pairs for each in labelled)
    value = min(1.0, math.fsum(each.pairs * each.same / each.labels for each in labelled) / total)
    by_weights = by_answers = 0.0
    for each in labelled:
        share = each.same / each.labels
        variance = (each.pairs / total) ** 2 / each.labels
        variance *= _population_correction(each) if finite else 1.0
        by_weights += variance
        by_answers += variance * share * (1 - share)
    effective = 1 / by_weights if by_weights else math.inf
    if by_answers:
        effective = min(effective, value * (1 - value) / by_answers)
    within = wilson_interval(value, effective)
    within = _in_whole_pairs(within, total) if finite else within
    unlabelled = 1 - total / math.fsum(each.pairs for each in bins)
    return Interval(value, within.low * (1 - unlabelled), within.high * (1 - unlabelled) + unlabelled), effective


def _in_whole_pairs(interval: Interval, pairs: float) -> Interval:
    """Return `interval` of a share of `pairs` with its limits widened to whole numbers of pairs.

    Near a complete count, the correction for a finite population takes the limits between two possible counts: with 9
    of 10 pairs labelled, all of them same, to 0.955. The pair without a label makes the share 0.9 or 1.
    """
    low, high = math.floor(interval.low * pairs + 1e-6) / pairs, math.ceil(interval.high * pairs - 1e-6) / pairs
    return Interval(interval.value, min(interval.low, low), min(1.0, max(interval.high, high)))


def _population_correction(each: Bin) -> float:
    """Return the finite-population correction of a bin: 1 for a large one, 0 if every pair has a label."""
    return max(0.0, (each.pairs - each.labels) / (each.pairs - 1)) if each.pairs > 1 else 0.0


def estimate_threshold(bins: Sequence[Bin], threshold: float) -> Estimate:
    """Return precision and recall of "similar at `threshold` or more".

    `threshold` must be the lower edge of a bin. Precision is the share of same pairs among the pairs that reach the
    threshold. Recall is the share of pairs that reach it among the same pairs of the window. The limits of recall
    combine the worst limits of both parts, so they are too wide rather than too narrow.
    """
    above = [each for each in bins if each.low >= threshold]
    below = [each for each in bins if each.low < threshold]
    share_above, share_below = same_share(above), same_share(below)
    pairs_above, pairs_below = math.fsum(each.pairs for each in above), math.fsum(each.pairs for each in below)
    recall = None
    if share_above and (share_below or not pairs_below):
        high = share_above[0]
        low = share_below[0] if share_below else Interval(0.0, 0.0, 0.0)
        recall = Interval(
            _part_of_sum(high.value * pairs_above, low.value * pairs_below),
            _part_of_sum(high.low * pairs_above, low.high * pairs_below),
            _part_of_sum(high.high * pairs_above, low.low * pairs_below),
        )
    labels = sum(each.labels for each in above)
    precision, effective = share_above or (None, 0.0)
    return Estimate(threshold, pairs_above, labels, effective, precision, recall)


def _part_of_sum(part: float, rest: float) -> float:
    return part / (part + rest) if part + rest else 1.0


def choose_threshold(estimates: Sequence[Estimate], precision: float, labels: int) -> Choice | None:
    """Return the lowest threshold whose lower limit of precision is at least `precision`.

    Of thresholds that the same pairs reach, the highest is chosen, because no pair speaks for a lower one.

    If there is none, return the threshold with the highest lower limit, and about how many more than these `labels`,
    distributed as they are, would make a threshold certain: Wilson's lower limit of a share p reaches q at
    ``z**2 q (1 - q) / (p - q)**2`` effective labels. Returns None if there is no estimate of precision.
    """
    ascending = sorted(estimates, key=lambda each: each.threshold)
    known = [(each, each.precision) for each in ascending if each.precision is not None]
    if not known:
        return None
    for each, interval in known:
        if interval.low >= precision:
            return Choice(_highest_of_same_pairs(known, each), reached=True, more=0)
    best, _ = max(known, key=lambda item: (item[1].low, -item[0].threshold))
    needed = [
        labels * (Z * Z * precision * (1 - precision) / (interval.value - precision) ** 2 / each.effective - 1)
        for each, interval in known
        if interval.value > precision
    ]
    return Choice(
        _highest_of_same_pairs(known, best), reached=False, more=max(1, math.ceil(min(needed))) if needed else None
    )


def _highest_of_same_pairs(known: Sequence[tuple[Estimate, Interval]], chosen: Estimate) -> float:
    """Return the highest threshold of `known` that is reached by the same pairs as `chosen`."""
    return max(each.threshold for each, _ in known if each.pairs == chosen.pairs)
