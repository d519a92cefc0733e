"""Word runs that repeat within one text, and a screen for texts without any: the definitions, in plain Python.

Words are numbers here, equal where the words are equal. `dedup.kernels.self_matches` and
`dedup.kernels.self_repeat_screen` compute the same in machine code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import accumulate, pairwise

import numpy as np

from dedup.arrays import U64, Bytes, offsets_of, sliding_windows
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
