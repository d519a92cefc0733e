"""Word runs that repeat within one text, and a screen for texts without any: the definitions, in plain Python.

Words are numbers here, equal where the words are equal. `dedup.kernels.self_matches` and
`dedup.kernels.self_repeat_screen` compute the same in machine code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import accumulate, pairwise

import numpy as np

from dedup.arrays import I64, U64, Bytes, offsets_of, sliding_windows
from dedup.segment.batch import Segments

WordRun = tuple[int, ...]

# The screen looks at each window of `RUNS_WINDOW` consecutive runs of `RUN_WORDS` words. An article is searched if
# `RUNS_REQUIRED` runs of some window also occur elsewhere in it. A block of 20 words printed twice has 16 such runs; a
# block with a word edited in every 12 still has 18 of 32; the name of a committee has fewer. The screen leaves 15 % of
# the press releases, 17 % of the encyclopaedia's articles and 51 % of the licences to be searched. By chance, the
# median press release of two or more paragraphs repeats 13 runs of 3 words, and 2 of 5.
RUN_WORDS = 5
RUNS_WINDOW, RUNS_REQUIRED = 32, 12
# Words of the shortest paragraph that is reported if it is repeated alone; labels and units are shorter.
LONE_PARAGRAPH_WORDS = 6
# Bits of `screen_self_repeats`.
REPEATED_RUNS, REPEATED_PARAGRAPH = 1, 2


def find_self_matches(numbers: I64, run: int, most: int) -> tuple[I64, int]:
    """Return the word runs of a text that repeat earlier ones, and how many runs of `run` words equal an earlier one.

    The matches are rows of copy, source and length, in words and in the order of the copies: int64 [matches, 3].
    `numbers` are the words of the text: int64 [words].

    The search goes from left to right. Each run of `run` words that equals an earlier one is extended as far as the
    words agree, from each of up to `most` earlier places. The longest match counts, then the one of the first source.
    Copies do not overlap each other; a copy may overlap its source.

    >>> find_self_matches(np.array([1, 2, 3, 9, 1, 2, 3, 4, 2, 3]), 2, 3)
    (array([[4, 0, 3],
           [8, 1, 2]]), 3)
    """
    sequence: list[int] = numbers.tolist()
    runs = list(sliding_windows(sequence, run))
    counts = Counter(runs)
    places: dict[WordRun, list[int]] = {key: [] for key, count in counts.items() if count > 1}
    matches: list[tuple[int, int, int]] = []
    place = 0
    while place < len(runs):
        earlier_places = places.get(runs[place])
        if earlier_places is None:
            place += 1
            continue
        length, negated_source = max(
            ((_common_prefix_length(sequence, earlier, place), -earlier) for earlier in earlier_places),
            default=(0, 0),
        )
        if length:
            matches.append((place, -negated_source, length))
        step = length or 1
        for inside in range(place, min(place + step, len(runs))):
            known = places.get(runs[inside])
            if known is not None and len(known) < most:
                known.append(inside)
        place += step
    return np.array(matches, np.int64).reshape(-1, 3), len(runs) - len(counts)


def find_similar_paragraphs(numbers: I64, offsets: I64, same: I64, run: int, postings: int, candidates: int) -> I64:
    """Return, for each paragraph of a text, the earlier paragraphs that share many runs of `run` words with it.

    The rows hold paragraph numbers, those with most shared runs first, and -1 after the last: int64 [paragraphs,
    candidates]. Two paragraphs are candidates if they share at least half as many runs as the shorter one has words,
    less `run`.

    `numbers` are the words of the text: int64 [words]. `offsets` say where the words of each paragraph start: int64
    [paragraphs + 1]. Paragraphs of equal value in `same`, int64 [paragraphs], are equal and never candidates for each
    other. For each run, only its first `postings` paragraphs are remembered.

    >>> words = np.array([1, 2, 3, 4, 5, 1, 2, 3, 4, 6, 7])
    >>> find_similar_paragraphs(words, np.array([0, 5, 10, 11]), np.array([0, 1, 2]), 2, 4, 2).tolist()
    [[-1, -1], [0, -1], [-1, -1]]
    """
    sequence: list[int] = numbers.tolist()
    spans = list(pairwise(offsets.tolist()))
    runs_of = [set(sliding_windows(sequence[start:stop], run)) for start, stop in spans]
    counts = Counter(key for runs in runs_of for key in runs)
    remembered: dict[WordRun, list[int]] = {key: [] for key, count in counts.items() if count > 1}
    result = np.full((len(spans), candidates), -1, np.int64)
    for index, runs in enumerate(runs_of):
        votes: Counter[int] = Counter()
        for key in runs & remembered.keys():
            votes.update(remembered[key])
            if len(remembered[key]) < postings:
                remembered[key].append(index)
        likely = sorted(
            (-count, other)
            for other, count in votes.items()
            if same[other] != same[index]
            and count >= min(stop - start for start, stop in (spans[other], spans[index])) / 2 - run
        )
        best = [other for _, other in likely[:candidates]]
        result[index, : len(best)] = best
    return result


def _common_prefix_length(sequence: Sequence[int], earlier: int, place: int) -> int:
    """Return the number of words from `earlier` on that equal those from `place` on.

    The two runs may overlap, as in a text that is printed many times in a row.
    """
    limit = len(sequence) - place
    length = 0
    while length < limit and sequence[earlier + length] == sequence[place + length]:
        length += 1
    return length


def screen_self_repeats(hashes: U64, segments: Segments) -> Bytes:
    """Return, for each text, flags that say what may occur twice in it: uint8 [texts].

    `REPEATED_RUNS` is set if `has_repeated_runs` is true of the words of the text. `REPEATED_PARAGRAPH` is set if two
    paragraphs of at least `LONE_PARAGRAPH_WORDS` words are equal. `hashes` are those of all words of `segments`, in
    order: uint64 [words].
    """
    flags = np.zeros(len(segments.borders) - 1, np.uint8)
    offsets = offsets_of(segments.words).tolist()
    for text, (first, last) in enumerate(pairwise(segments.borders.tolist())):
        start = offsets[first]
        words = hashes[start : offsets[last]].tolist()
        flags[text] |= REPEATED_RUNS * has_repeated_runs(words)
        long_paragraphs = [
            tuple(words[offsets[number] - start : offsets[number + 1] - start])
            for number in range(first, last)
            if offsets[number + 1] - offsets[number] >= LONE_PARAGRAPH_WORDS
        ]
        flags[text] |= REPEATED_PARAGRAPH * (len(set(long_paragraphs)) < len(long_paragraphs))
    return flags


def has_repeated_runs(words: Sequence[Hashable]) -> bool:
    """Return True if enough word runs occur twice, close enough together, to be more than a phrase.

    >>> body = [f"word {number}" for number in range(20)]
    >>> has_repeated_runs(body + body), has_repeated_runs(body + body[:8])
    (True, False)
    """
    runs = list(sliding_windows(words, RUN_WORDS))
    if len(runs) < RUNS_REQUIRED:
        return False
    counts = Counter(runs)
    repeated_before = list(accumulate((counts[run] > 1 for run in runs), initial=0))
    return any(
        repeated_before[min(start + RUNS_WINDOW, len(runs))] - repeated_before[start] >= RUNS_REQUIRED
        for start in range(max(1, len(runs) - RUNS_WINDOW + 1))
    )
