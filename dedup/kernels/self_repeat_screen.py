"""Screen texts for repeats: the compiled version of `dedup.fingerprint.self_matches.screen_self_repeats`."""

from __future__ import annotations

import numpy as np

from dedup.arrays import I64, U64, Bytes, offsets_of
from dedup.fingerprint.self_matches import (
    LONE_PARAGRAPH_WORDS,
    REPEATED_PARAGRAPH,
    REPEATED_RUNS,
    RUN_WORDS,
    RUNS_REQUIRED,
    RUNS_WINDOW,
)
from dedup.kernels.constants import ONE, SHINGLE_BASE
from dedup.kernels.declare import kernel, part
from dedup.segment.batch import Segments


@part
def _mark_repeated(values: U64, table: U64, places: I64, repeated: Bytes) -> int:
    """Set `repeated` to 1 for each value that occurs twice, to 0 for others; return how many equal an earlier one.

    `values` is uint64 [values] and `repeated` uint8 [room]. `table`, uint64 [size], and `places`, int64 [room], are
    room for a hash table; its size is a power of two and at least twice the number of values.
    """
    mask = np.uint64(len(table) - 1)
    table[:] = 0
    later = 0
    for at in range(len(values)):
        value = values[at] | ONE  # zero is an empty place; a chance collision only costs a search
        place = (value * SHINGLE_BASE >> np.uint64(20)) & mask
        while table[place] != 0 and table[place] != value:
            place = (place + ONE) & mask
        repeated[at] = 0
        if table[place] == value:
            repeated[at] = repeated[places[place]] = 1
            later += 1
        else:
            table[place] = value
            places[place] = at
    return later


@part
def _are_dense(repeated: Bytes, count: int) -> bool:
    """Return True if `RUNS_REQUIRED` of some `RUNS_WINDOW` in a row are set; `repeated` is uint8 [`count` or more]."""
    inside = 0
    for at in range(count):
        inside += repeated[at]
        if at >= RUNS_WINDOW:
            inside -= repeated[at - RUNS_WINDOW]
        if inside >= RUNS_REQUIRED:
            return True
    return False


@kernel("uint64[:], int64[:], int64[:], +uint64[:], +uint64[:], +int64[:], +uint8[:], +uint8[:]")
def _write_flags(
    hashes: U64, words: I64, borders: I64, runs: U64, table: U64, places: I64, repeated: Bytes, result: Bytes
) -> None:
    """Write the flags of each text to `result`, uint8 [texts].

    `hashes` are those of all words, uint64 [words]; `words` is the number of words of each paragraph, int64
    [paragraphs]; `borders` is the first paragraph of each text, int64 [texts + 1]. `runs`, uint64, `table`, uint64,
    `places`, int64, and `repeated`, uint8, are room for the runs of the longest text: see `_mark_repeated`.
    """
    start = 0  # in hashes
    for text in range(len(borders) - 1):
        stop = start
        long = 0
        for number in range(borders[text], borders[text + 1]):
            if words[number] >= LONE_PARAGRAPH_WORDS:
                value = np.uint64(words[number])
                for at in range(stop, stop + words[number]):
                    value = (value * SHINGLE_BASE + hashes[at]) ^ (value >> np.uint64(29))
                runs[long] = value
                long += 1
            stop += words[number]
        flags = 0
        size = 16
        while size < 2 * long:
            size *= 2
        if long > 1 and _mark_repeated(runs[:long], table[:size], places, repeated):
            flags |= REPEATED_PARAGRAPH
        count = stop - start - RUN_WORDS + 1
        if count >= RUNS_REQUIRED:
            while size < 2 * count:
                size *= 2
            for at in range(count):
                value = np.uint64(0)
                for step in range(RUN_WORDS):
                    value = value * SHINGLE_BASE + hashes[start + at + step]
                runs[at] = value ^ (value >> np.uint64(29))
            if 2 * _mark_repeated(runs[:count], table[:size], places, repeated) >= RUNS_REQUIRED and _are_dense(
                repeated, count
            ):
                flags |= REPEATED_RUNS
        result[text] = flags
        start = stop


def screen_self_repeats(hashes: U64, segments: Segments) -> Bytes:
    """Return for each text flags that say what may occur twice in it: uint8 [texts].

    `hashes` are those of all words of `segments`, in order: uint64 [words]. The compiled version of
    `dedup.fingerprint.self_matches.screen_self_repeats`. A collision of hashes sets a flag wrongly about once in
    10**13.
    """
    result = np.zeros(len(segments.borders) - 1, np.uint8)
    text_offsets = offsets_of(segments.words)[segments.borders]
    longest = max(int(np.diff(text_offsets).max(initial=0)), int(np.diff(segments.borders).max(initial=0)))
    runs = np.empty(longest + 1, np.uint64)
    table = np.empty(1 << max(4, (2 * longest).bit_length()), np.uint64)
    places = np.empty(len(table), np.int64)
    repeated = np.empty(longest + 1, np.uint8)
    _write_flags(hashes, segments.words, segments.borders, runs, table, places, repeated, result)
    return result
