"""Screen the texts of a batch for self-repeats: `dedup.fingerprint.self_matches.screen_self_repeats`, compiled."""

from __future__ import annotations

import numpy as np

from dedup.arrays import I64, U64, Bytes
from dedup.fingerprint.self_matches import (
    LONE_PARAGRAPH_WORDS,
    REPEATED_PARAGRAPH,
    REPEATED_RUNS,
    RUN_WORDS,
    RUNS_REQUIRED,
    RUNS_WINDOW,
)
from dedup.kernels.constants import SHINGLE_BASE
from dedup.kernels.jit import njit
from dedup.segment.batch import Segments


@njit
def _mark_again(values: U64, table: U64, places: I64, again: Bytes) -> int:
    """Set `again` to 1 for each value that occurs more than once, else to 0; return how many follow an equal one.

    `table` and `places` have room for twice as many values, a power of two.
    """
    mask = np.uint64(len(table) - 1)
    table[:] = 0
    later = 0
    for at in range(len(values)):
        value = values[at] | np.uint64(1)  # zero marks an empty slot; a collision only costs a closer look
        place = (value * SHINGLE_BASE >> np.uint64(20)) & mask
        while table[place] != 0 and table[place] != value:
            place = (place + np.uint64(1)) & mask
        again[at] = 0
        if table[place] == value:
            again[at] = again[places[place]] = 1
            later += 1
        else:
            table[place] = value
            places[place] = at
    return later


@njit
def _dense(again: Bytes, count: int) -> bool:
    """Return True if `RUNS_REQUIRED` of some `RUNS_WINDOW` consecutive flags are set."""
    inside = 0
    for at in range(count):
        inside += again[at]
        if at >= RUNS_WINDOW:
            inside -= again[at - RUNS_WINDOW]
        if inside >= RUNS_REQUIRED:
            return True
    return False


@njit
def _repeating(
    hashes: U64, words: I64, borders: I64, runs: U64, table: U64, places: I64, again: Bytes, result: Bytes
) -> None:
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
        if long > 1 and _mark_again(runs[:long], table[:size], places, again):
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
            if 2 * _mark_again(runs[:count], table[:size], places, again) >= RUNS_REQUIRED and _dense(again, count):
                flags |= REPEATED_RUNS
        result[text] = flags
        start = stop


def screen_self_repeats(hashes: U64, found: Segments) -> Bytes:
    """Screen texts for self-repeats: `dedup.fingerprint.self_matches.screen_self_repeats`, compiled.

    A hash collision may set one flag too many, once in 10**13, which costs a closer look and changes no result.
    """
    result = np.zeros(len(found.borders) - 1, np.uint8)
    ends = np.concatenate([[0], np.cumsum(found.words)])[found.borders]
    longest = max(int(np.diff(ends).max(initial=0)), int(np.diff(found.borders).max(initial=0)))
    runs = np.empty(longest + 1, np.uint64)
    table = np.empty(1 << max(4, (2 * longest).bit_length()), np.uint64)
    places = np.empty(len(table), np.int64)
    again = np.empty(longest + 1, np.uint8)
    _repeating(hashes, found.words, found.borders, runs, table, places, again, result)
    return result
