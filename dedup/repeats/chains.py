"""Chains of equal runs of words in one article: candidates for two versions of one text.

What follows a chain is expensive, so chains that cannot be two versions, whatever is around them, are left out here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from dedup.arrays import I64, Floats
from dedup.fingerprint.self_alignment import SIZE_UNITS
from dedup.kernels.backend import Backend

RUN_SIZE = 4  # words in a run that counts; five letters of a script without spaces are two words
CHAIN_SIZE = 12  # words in a chain that is judged; the screen asks for 12 runs of five words
# Half of the words of a version may be unmatched, and both its ends may be as far from the first and the last run as
# the words between are aligned. So these are half of what versions need that follow each other, that are apart, and
# that are apart at an end of the article: see `dedup.repeats.judgement`.
NEAR_SIZE, FAR_SIZE, EDGE_SIZE = 30, 70, 30
NEAR, OUTSIDE = 30, 40  # words between versions that follow each other, and words before and behind the runs
MAIN_SHARE = 0.8  # of the words of a chain
SLIDE = 40  # words by which the border between two runs may be moved


class Run(NamedTuple):
    """`length` words from word `copy` on that equal those from the earlier word `source` on.

    The `overlap` words before them are equal too, but in the run before as well.
    """

    copy: int
    source: int
    length: int
    overlap: int = 0


def find_chains(backend: Backend, runs: I64, sizes: Floats) -> list[Sequence[Run]]:
    """Return the chains of `runs` that may be two versions, the best first; no run is in two of them.

    `runs` are int64 [runs, 3] and `sizes` the weights of words, summed up: float64 [words + 1].
    """
    units = np.rint(sizes * SIZE_UNITS).astype(np.int64)
    weights = units[runs[:, 0] + runs[:, 2]] - units[runs[:, 0]]
    is_long = weights >= RUN_SIZE * SIZE_UNITS
    runs, weight = runs[is_long], weights[is_long].tolist()
    table = backend.chain_runs(runs, units)
    used = [False] * len(runs)
    before, cuts = table[:, 1].tolist(), table[:, 2].tolist()
    chains: list[Sequence[Run]] = []
    least = CHAIN_SIZE * SIZE_UNITS
    for end in np.argsort(-table[:, 0], kind="stable").tolist():
        if before[end] < 0 and weight[end] < least:  # most runs
            used[end] = True
            continue
        numbers: list[int] = []
        number = end
        while number >= 0 and not used[number]:
            used[number] = True
            numbers.append(number)
            number = before[number]
        if sum(weight[number] for number in numbers) < least:
            continue
        overlaps = [cuts[number] for number in numbers[:-1]] + [0]
        rows = zip(runs[numbers].tolist(), overlaps, strict=True)
        links = [Run(copy + cut, source + cut, length - cut, cut) for (copy, source, length), cut in rows][::-1]
        if may_be_versions(links, sizes):
            chains.append(links)
    return chains


def chain_size(links: Sequence[Run], sizes: Floats) -> float:
    """Return the weighted number of words that a chain matches."""
    return float(sum(sizes[link.copy + link.length] - sizes[link.copy] for link in links))


def may_be_versions(links: Sequence[Run], sizes: Floats) -> bool:
    """Return True if a chain is long enough for its place; `sizes` are as for `find_chains`."""
    size = chain_size(links, sizes)
    if size < CHAIN_SIZE:
        return False
    first, last = links[0], links[-1]
    before = float(sizes[first.source])
    between = float(sizes[first.copy] - sizes[min(last.source + last.length, first.copy)])
    behind = float(sizes[-1] - sizes[last.copy + last.length])
    if between <= max(NEAR, size / 2) + OUTSIDE:
        return size >= NEAR_SIZE or before <= OUTSIDE
    return size >= (EDGE_SIZE if min(before, behind) <= OUTSIDE else FAR_SIZE)


def settle_borders(links: Sequence[Run], starts: Collection[int]) -> list[Run]:
    """Return a chain with the borders between runs moved to `starts`, which are words that begin units.

    What one version has and the other lacks should be whole units.
    """
    settled: list[Run] = []
    for link in links:
        most = min(link.overlap, SLIDE, settled[-1].length - 1) if settled else 0
        back = _best_slide(link, most, starts)
        if back:
            settled[-1] = settled[-1]._replace(length=settled[-1].length - back)
        settled.append(Run(link.copy - back, link.source - back, link.length + back))
    return settled


def _best_slide(run: Run, most: int, starts: Collection[int]) -> int:
    """Return by how many words, up to `most`, a run is to begin earlier; ties: the fewest."""

    def count_starts(back: int) -> int:
        return (run.copy - back in starts) + (run.source - back in starts)

    return max(range(most + 1), key=count_starts)


def trim_stray_links(links: Sequence[Run], sizes: Floats) -> Sequence[Run]:
    """Return a chain without links whose source lies in the copy, if they are few: they match a phrase by chance."""
    apart = [link for link in links if link.source + link.length <= links[0].copy]
    return apart if chain_size(apart, sizes) >= MAIN_SHARE * chain_size(links, sizes) else links


def split_at_widest_gap(links: Sequence[Run]) -> list[Sequence[Run]]:
    """Return the two parts of a chain on both sides of its widest gap."""

    def gap(place: int) -> int:
        before, link = links[place - 1], links[place]
        return link.copy - before.copy + link.source - before.source - 2 * before.length

    place = max(range(1, len(links)), key=gap)
    return [links[:place], links[place:]]
