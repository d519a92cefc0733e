"""What of the words of one text stands again. Words are numbers here, equal where the words are.

`dedup.kernels.self_matches` is the same in machine code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import accumulate, pairwise

import numpy as np

from dedup.arrays import I64, U64, Bytes, sliding_windows
from dedup.segment.batch import Segments

WordRun = tuple[int, ...]


def find_self_matches(numbers: I64, run: int, most: int) -> tuple[I64, int]:
    """What stands again, by the place of the copy: rows of copy, source and length, in words; int64 [matches, 3].

    Beside it, how many runs of `run` words stood before.

    From left to right, each run of `run` words that stood before is followed as far as it goes, from up to `most`
    earlier places; the longest counts, then the first. Copies do not overlap each other.

    >>> matches(np.array([1, 2, 3, 9, 1, 2, 3, 4, 2, 3]), 2, 3)
    (array([[4, 0, 3],
           [8, 1, 2]]), 3)
    """
    told: list[int] = numbers.tolist()
    runs = list(sliding_windows(told, run))
    counts = Counter(runs)
    places: dict[WordRun, list[int]] = {one: [] for one, count in counts.items() if count > 1}
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


def find_similar_paragraphs(numbers: I64, borders: I64, same: I64, run: int, postings: int, candidates: int) -> I64:
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
    runs_of = [set(sliding_windows(told[start:stop], run)) for start, stop in spans]
    counts = Counter(one for runs in runs_of for one in runs)
    remembered: dict[WordRun, list[int]] = {one: [] for one, count in counts.items() if count > 1}
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


# What an article that repeats nothing shows by its words alone: of no `RUNS_WINDOW` runs of `RUN_WORDS` words that begin one
# after the other do `RUNS_REQUIRED` stand elsewhere in it, too. A block of 20 words printed twice has 16 such runs, one
# with a word edited in every 12 still 18 of 32; the name of a committee has fewer. 15 % of the press releases,
# 17 % of the encyclopaedia's articles and 51 % of the licences are left to look at closely.
# By accident the median of the press releases of two paragraphs or more repeats 13 runs of 3 words, and 2 of 5.
RUN_WORDS = 5
RUNS_WINDOW, RUNS_REQUIRED = 32, 12
LONE_PARAGRAPH_WORDS = (
    6  # words of a paragraph that is reported when it is repeated alone; labels and units are shorter
)
REPEATED_RUNS, REPEATED_PARAGRAPH = 1, 2


def screen_self_repeats(hashes: U64, found: Segments) -> Bytes:
    """Whether anything in a text may stand twice: uint8 [texts].

    `REPEATED_RUNS` is set as `has_repeated_runs` says of all words of the text, `REPEATED_PARAGRAPH` where two paragraphs of
    `LONE_PARAGRAPH_WORDS` words or more are equal. `hashes` are those of all words of `found`.
    """
    flags = np.zeros(len(found.borders) - 1, np.uint8)
    ends = np.concatenate([[0], np.cumsum(found.words)]).tolist()
    for text, (first, last) in enumerate(zip(found.borders[:-1].tolist(), found.borders[1:].tolist(), strict=True)):
        words = hashes[ends[first] : ends[last]].tolist()
        flags[text] |= REPEATED_RUNS * has_repeated_runs(words)
        long = [
            tuple(words[ends[number] - ends[first] : ends[number + 1] - ends[first]])
            for number in range(first, last)
            if ends[number + 1] - ends[number] >= LONE_PARAGRAPH_WORDS
        ]
        flags[text] |= REPEATED_PARAGRAPH * (len(set(long)) < len(long))
    return flags


def has_repeated_runs(words: Sequence[Hashable]) -> bool:
    """Whether `words` stand twice somewhere closely enough to be more than a phrase.

    >>> once = [f"word {number}" for number in range(20)]
    >>> runs_again(once + once), runs_again(once + once[:8])
    (True, False)
    """
    runs = list(sliding_windows(words, RUN_WORDS))
    if len(runs) < RUNS_REQUIRED:
        return False
    counted = Counter(runs)
    before = list(accumulate((counted[run] > 1 for run in runs), initial=0))
    return any(
        before[min(start + RUNS_WINDOW, len(runs))] - before[start] >= RUNS_REQUIRED
        for start in range(max(1, len(runs) - RUNS_WINDOW + 1))
    )
