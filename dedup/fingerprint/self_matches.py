"""What of the words of one text stands again. Words are numbers here, equal where the words are.

`dedup.kernels.self_matches` is the same in machine code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from dedup.fingerprint.shingles import I64, windows

Run = tuple[int, ...]


def matches(numbers: I64, run: int, most: int) -> tuple[I64, int]:
    """What stands again, by the place of the copy: rows of copy, source and length, in words; int64 [matches, 3].

    Beside it, how many runs of `run` words stood before.

    From left to right, each run of `run` words that stood before is followed as far as it goes, from up to `most`
    earlier places; the longest counts, then the first. Copies do not overlap each other.

    >>> matches(np.array([1, 2, 3, 9, 1, 2, 3, 4, 2, 3]), 2, 3)
    (array([[4, 0, 3],
           [8, 1, 2]]), 3)
    """
    told: list[int] = numbers.tolist()
    runs = list(windows(told, run))
    counts = Counter(runs)
    places: dict[Run, list[int]] = {one: [] for one, count in counts.items() if count > 1}
    found: list[tuple[int, int, int]] = []
    place = 0
    while place < len(runs):
        before = places.get(runs[place])
        if before is None:
            place += 1
            continue
        best = max(((_follow(told, earlier, place), -earlier) for earlier in before), default=(0, 0))
        length = best[0] or 1
        if best[0]:
            found.append((place, -best[1], length))
        for inside in range(place, min(place + length, len(runs))):
            known = places.get(runs[inside])
            if known is not None and len(known) < most:
                known.append(inside)
        place += length
    return np.array(found, np.int64).reshape(-1, 3), len(runs) - len(counts)


def lookalikes(numbers: I64, borders: I64, same: I64, run: int, postings: int, candidates: int) -> I64:
    """For each paragraph earlier ones that share many runs of its words, best first, -1 behind the last.

    int64 [paragraphs, candidates]. `borders` are those of paragraphs in `numbers`: int64 [paragraphs + 1]; those of
    equal `same` are equal and no look-alikes. For each run the first `postings` paragraphs are remembered. Shared must
    be half of the words of the shorter one, less a run.

    >>> words = np.array([1, 2, 3, 4, 5, 1, 2, 3, 4, 6, 7])
    >>> lookalikes(words, np.array([0, 5, 10, 11]), np.array([0, 1, 2]), 2, 4, 2).tolist()
    [[-1, -1], [0, -1], [-1, -1]]
    """
    told: list[int] = numbers.tolist()
    spans = list(pairwise(borders.tolist()))
    runs_of = [set(windows(told[start:stop], run)) for start, stop in spans]
    counts = Counter(one for runs in runs_of for one in runs)
    remembered: dict[Run, list[int]] = {one: [] for one, count in counts.items() if count > 1}
    found = np.full((len(spans), candidates), -1, np.int64)
    for index, runs in enumerate(runs_of):
        votes: Counter[int] = Counter()
        for one in runs & remembered.keys():
            votes.update(remembered[one])
            if len(remembered[one]) < postings:
                remembered[one].append(index)
        likely = sorted(
            (-count, other)
            for other, count in votes.items()
            if same[other] != same[index]
            and count >= min(stop - start for start, stop in (spans[other], spans[index])) / 2 - run
        )
        best = [other for _, other in likely[:candidates]]
        found[index, : len(best)] = best
    return found


def _follow(told: Sequence[int], earlier: int, place: int) -> int:
    """How many words from `earlier` on stand at `place` too; in a text printed often they run into each other."""
    limit = len(told) - place
    length = 0
    while length < limit and told[earlier + length] == told[place + length]:
        length += 1
    return length
