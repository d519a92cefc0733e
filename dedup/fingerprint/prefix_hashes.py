"""Hashes of which two similar sets of shingles always share some: prefix filtering.

Chaudhuri, Ganti, Kaushik, *A Primitive Operator for Similarity Joins in Data Cleaning*, 2006. Let two sets of a and b
shingles have a Jaccard similarity of t or more. Then they share at least ``ceil(t a)`` and ``ceil(t b)``, so the first
``a - ceil(t a) + k`` and ``b - ceil(t b) + k`` of them, in any order of all shingles, have k in common. The order
begins with the shingles of the longest words, which few other texts have. By its size, a set has one of three kinds of
hashes:

- so few shingles that only an equal set reaches the similarity: one for the whole set;
- few: one for each pair of the first ones (k = 2), since a single shingle of a short line is in many other lines;
- more: one for each of the first ones (k = 3), together with the class of its size, as similar sets have similar
  sizes. Similar sets share three of those.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from dedup.arrays import I64, U64, Bools, Bytes, offsets_of
from dedup.fingerprint.shingles import MIX_1, MIX_2, SHINGLE_BASE, window_hashes, word_hashes

LONGEST_WORDS = 255  # bytes of the words of a shingle; longer ones are as rare
_PAIRED_SIZE = 9  # shingles of a set that has pairs; three pairs or fewer at 0.8, six where it has ten
_PAIR = 2
_SHARED = 3  # shingles that long similar sets are to share of their first ones: one or two of them recur by chance
_WIDEST_CLASS = 0.99  # at a threshold of 1, sizes are equal, and any class will do
_ROUNDING = 1e-9
_LEAST_PLAN = 256  # sizes


class OrderedSets(NamedTuple):
    """Sets of shingles, each with the rarest first: `values`, uint64 [shingles], and `borders`, int64 [sets + 1]."""

    values: U64
    borders: I64


class PrefixHashes(NamedTuple):
    """Hashes of sets: `sets`, int64, the number of the set of each; `values`, uint64; and `needs`, int64 [hashes].

    A similar set has as many of the hashes of a set as `needs` says, or more.
    """

    sets: I64
    values: U64
    needs: I64


class PrefixPlan(NamedTuple):
    """The hashes that a set of each size has, from 0 shingles on.

    Attributes:
        whole: 1 if it has one for the whole set, else 0, int64 [sizes].
        pairs: how many of its first shingles it pairs, int64 [sizes], 0 if none.
        singles: how many of its first shingles have one each, int64 [sizes], 0 if none.
        classes: the class of its size, int64 [sizes].
        needs: how many of the latter a similar set has, int64 [sizes].
        counts: how many hashes it has in all, int64 [sizes].
        shifts: the classes that it is looked up in, relative to its own.
    """

    whole: I64
    pairs: I64
    singles: I64
    classes: I64
    needs: I64
    counts: I64
    shifts: tuple[int, ...]


def ordered_shingle_sets(keys: Bytes, starts: I64, stops: I64, n: int) -> OrderedSets:
    """Return the sets of shingles of `n` words of some texts, each with those of the longest words first.

    The comparison key of a text is ``keys[start:stop]``: uint8 [bytes] and int64 [texts].
    """
    packed = [keys[start:stop] for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]
    words = [key.tobytes().split(b" ") if len(key) else [] for key in packed]
    lengths = np.array([len(word) for of_text in words for word in of_text], np.int64)
    joined = np.concatenate([np.empty(0, np.uint8), *packed])
    hashes = word_hashes(joined, offsets_of(stops - starts))
    return ordered_shingles(hashes, lengths, offsets_of(list(map(len, words))), n)


def ordered_shingles(hashes: U64, lengths: I64, borders: I64, n: int) -> OrderedSets:
    """Return the sets of shingles of `n` words of some texts.

    `hashes` and `lengths`, uint64 and int64 [words], are those of the words of all texts; `borders` say where each
    text starts in them: int64 [texts + 1].
    """
    values = window_hashes(hashes, n)
    totals = np.minimum(sum(lengths[place : place + len(values)] for place in range(n)), LONGEST_WORDS)
    texts = np.repeat(np.arange(len(borders) - 1), np.diff(borders))[: len(values)]
    inside: Bools = np.arange(len(values)) + n <= borders[1:][texts]
    texts, values, totals = texts[inside], values[inside], totals[inside]
    order = np.lexsort((values, -totals, texts))
    texts, values = texts[order], values[order]
    new = np.ones(len(texts), bool)
    new[1:] = (texts[1:] != texts[:-1]) | (values[1:] != values[:-1])
    return OrderedSets(values[new], offsets_of(np.bincount(texts[new], minlength=len(borders) - 1)))


def prefix_plan(largest: int, threshold: float, *, for_lookup: bool) -> PrefixPlan:
    """Return the plan for sets of up to `largest` shingles, or more, at this `threshold`."""
    return _plan_of_sizes(max(_LEAST_PLAN, 1 << largest.bit_length()), threshold, for_lookup)


@lru_cache(maxsize=64)
def _plan_of_sizes(count: int, threshold: float, for_lookup: bool) -> PrefixPlan:
    """Return the plan for sets of fewer than `count` shingles."""
    sizes = np.arange(count)
    needed = np.ceil(sizes * threshold - _ROUNDING).astype(np.int64)
    is_whole = (sizes > 0) & (sizes < threshold * (sizes + 1) - _ROUNDING)
    is_short = (sizes <= _PAIRED_SIZE) & (needed >= _PAIR) & ~is_whole
    is_long = (sizes > 0) & ~is_whole & ~is_short
    if for_lookup:  # those of other kinds that a set of this size can be similar to
        is_short |= (sizes > 0) & ~is_whole & (needed <= _PAIRED_SIZE)
        is_long |= (sizes > 0) & ~is_whole & (sizes / threshold >= min(_PAIRED_SIZE, _PAIR / threshold))
    pairs = np.where(is_short, np.minimum(sizes - needed + _PAIR, sizes), 0)
    singles = np.where(is_long, np.minimum(sizes - needed + _SHARED, sizes), 0)
    base = -np.log(min(threshold, _WIDEST_CLASS))
    classes = np.floor(np.log(np.maximum(sizes, 1)) / base + _ROUNDING).astype(np.int64)
    shifts = (-1, 0, 1) if for_lookup else (0,)
    whole = is_whole.astype(np.int64)
    counts = whole + pairs * (pairs - 1) // 2 + len(shifts) * singles
    return PrefixPlan(whole, pairs, singles, classes, np.clip(needed, 1, _SHARED), counts, shifts)


def prefix_hashes(sets: OrderedSets, threshold: float, *, for_lookup: bool) -> PrefixHashes:
    """Return the hashes of `sets`; with `for_lookup`, those by which a set finds others that reach `threshold`.

    First those of whole sets, then those of pairs, then those of single shingles.
    """
    sizes = np.diff(sets.borders)
    plan = prefix_plan(int(sizes.max(initial=0)), threshold, for_lookup=for_lookup)
    parts = [
        _whole_sets(sets, np.flatnonzero(plan.whole[sizes])),
        _pairs(sets, plan.pairs[sizes]),
        _singles(sets, plan.singles[sizes], plan.classes[sizes], plan.shifts),
    ]
    numbers = np.concatenate([part[0] for part in parts])
    needs = np.ones(len(numbers), np.int64)
    singles = parts[-1][0]
    needs[len(needs) - len(singles) :] = plan.needs[sizes][singles]
    return PrefixHashes(numbers, np.concatenate([part[1] for part in parts]), needs)


def _whole_sets(sets: OrderedSets, chosen: I64) -> tuple[I64, U64]:
    """Return the sets `chosen`, int64, and a hash of all shingles of each."""
    if not len(chosen):
        return chosen, np.empty(0, np.uint64)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(sets.values * np.uint64(MIX_2))])
    return chosen, sums[sets.borders[chosen + 1]] - sums[sets.borders[chosen]]


def _pairs(sets: OrderedSets, counts: I64) -> tuple[I64, U64]:
    """Return sets, and a hash of each pair of their first `counts` shingles: int64 [sets]."""
    numbers, values = [np.empty(0, np.int64)], [np.empty(0, np.uint64)]
    for second in range(1, int(counts.max(initial=0))):
        with_second = np.flatnonzero(counts > second)
        later = sets.values[sets.borders[with_second] + second]
        for first in range(second):
            # A sum does not depend on which of the two comes first, nor does the order of shingles on the text.
            values.append((sets.values[sets.borders[with_second] + first] + later) * np.uint64(MIX_1))
            numbers.append(with_second)
    return np.concatenate(numbers), np.concatenate(values)


def _singles(sets: OrderedSets, counts: I64, classes: I64, shifts: tuple[int, ...]) -> tuple[I64, U64]:
    """Return sets, and a hash of each of their first `counts` shingles with the class of their size: int64 [sets].

    The sizes of similar sets are in one of `classes` or in neighbouring ones: int64 [sets].
    """
    sizes = np.diff(sets.borders)
    owners = np.repeat(np.arange(len(sizes)), sizes)
    rank = np.arange(len(owners)) - sets.borders[:-1][owners]
    first = np.flatnonzero(rank < counts[owners])
    of_sets = classes[owners[first]]
    values = sets.values[first]
    hashes = [values ^ ((of_sets + shift + 1).astype(np.uint64) * np.uint64(SHINGLE_BASE)) for shift in shifts]
    return np.tile(owners[first], len(shifts)), np.concatenate(hashes)
