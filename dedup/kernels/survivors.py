"""What matching spends its time on, compiled: sets of shingles, and the loop over survivors.

`dedup.match.survivors` and `dedup.match.contained` hold the definitions. Sets are kept as their distinct hashes in
order of appearance: to compare two, one becomes a table and the other is looked up in it, for no longer than the
similarity can still reach the threshold. Arrays come in and go out; everything releases the interpreter lock, so that
threads can share the work.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dedup.arrays import I32, I64, U64, Floats
from dedup.kernels.buckets import capacity
from dedup.kernels.jit import njit
from dedup.kernels.set_overlap import _bits, _common, _fill, _least_common

_33 = np.uint64(33)


# --- the loop over survivors -------------------------------------------------------------------------------------


class Loop(NamedTuple):
    """What the loop of the design reads, keeps and answers."""

    keys: I64  # of each text
    apart: I64  # of each text; empty where all differ
    buckets: I64  # of key k: buckets[borders[k]:borders[k + 1]]
    borders: I64
    hashes: U64  # set of key k: hashes[places[k]:places[k] + sizes[k]]
    places: I64
    sizes: I64
    prints: U64
    threshold: float
    members: I32  # survivors, as keys, of bucket b: members[slots[b]:slots[b] + filled[b]]
    slots: I64
    filled: I64
    survivor: I64  # the text that survives with each key, or -1
    seen: I64  # the text that met each key last
    memo: I64  # where the answer for each key is remembered, or -1
    remembered: I64  # rows of answers, as below
    remembered_similarity: Floats
    twins: I64
    similarities: Floats
    counts: I64  # candidates and matches


# An answer: how many survivors the buckets of the key had, which stands for their state since they only grow; the best
# match; how many candidates and matches; and between which `apart` those were (version -1: not to be used again).
_VERSION, _BEST, _FOUND, _MATCHES, _LEAST, _MOST = range(6)
ANSWER = 6
_NONE = np.int64(np.iinfo(np.int64).max)


@njit
def survivors(first: int, last: int, loop: Loop) -> None:
    """The loop over the texts ``first:last``; what it keeps goes from call to call.

    The answer for a key that several texts have is remembered until one of its buckets gets another survivor, so that
    a text that is dropped a hundred thousand times is compared once.
    """
    longest = 0
    for key in range(len(loop.sizes)):
        longest = max(longest, loop.sizes[key])
    table = np.empty(capacity(longest), np.uint64)
    met = np.empty(len(loop.sizes), np.int32)
    answer, similarity = np.empty(ANSWER, np.int64), np.empty(1, np.float64)
    for text in range(first, last):
        key = loop.keys[text]
        twin = loop.survivor[key]
        if twin >= 0:
            if len(loop.apart) == 0 or loop.apart[twin] != loop.apart[text]:
                loop.twins[text] = twin
            continue
        if not _recall(text, key, loop, answer, similarity):
            _compare(text, key, loop, met, table, answer, similarity)
        loop.counts[0] += answer[_FOUND]
        if answer[_BEST] >= 0:
            loop.twins[text], loop.similarities[text] = answer[_BEST], similarity[0]
            loop.counts[1] += answer[_MATCHES]
            continue
        loop.survivor[key] = text
        for at in range(loop.borders[key], loop.borders[key + 1]):
            bucket = loop.buckets[at]
            loop.members[loop.slots[bucket] + loop.filled[bucket]] = key
            loop.filled[bucket] += 1


@njit
def _version(key: int, loop: Loop) -> int:
    version = 0
    for at in range(loop.borders[key], loop.borders[key + 1]):
        version += loop.filled[loop.buckets[at]]
    return version


@njit
def _recall(text: int, key: int, loop: Loop, answer: I64, similarity: Floats) -> bool:
    """Whether there is an answer for the key that still holds for this text; it is then in `answer`."""
    slot = loop.memo[key]
    if slot < 0 or loop.remembered[slot, _VERSION] != _version(key, loop):
        return False
    if len(loop.apart) and loop.remembered[slot, _LEAST] <= loop.apart[text] <= loop.remembered[slot, _MOST]:
        return False
    answer[:] = loop.remembered[slot]
    similarity[0] = loop.remembered_similarity[slot]
    return True


@njit
def _compare(text: int, key: int, loop: Loop, met: I32, table: U64, answer: I64, similarity: Floats) -> None:
    """Compares a text with all survivors that share a bucket with it."""
    answer[:] = _version(key, loop), -1, 0, 0, _NONE, -_NONE
    similarity[0] = 1.0
    for at in range(loop.borders[key], loop.borders[key + 1]):
        bucket = loop.buckets[at]
        mine = loop.members[loop.slots[bucket] : loop.slots[bucket] + loop.filled[bucket]]
        _meet(text, mine, loop.seen, loop.apart, loop.survivor, met, answer)
    found = met[: answer[_FOUND]]
    _best(
        key,
        found,
        loop.survivor,
        loop.hashes,
        loop.places,
        loop.sizes,
        loop.prints,
        loop.threshold,
        table,
        answer,
        similarity,
    )
    if loop.memo[key] >= 0:
        loop.remembered[loop.memo[key]] = answer
        loop.remembered_similarity[loop.memo[key]] = similarity[0]


# What follows is called for every bucket or candidate: it takes arrays one by one, since each array of a tuple that
# goes into a call is counted in and out.


@njit
def _meet(text: int, members: I32, seen: I64, apart: I64, survivor: I64, met: I32, answer: I64) -> None:
    """Adds to `met` the survivors of a bucket that were not met before and may match."""
    count = answer[_FOUND]
    for other in members:
        if seen[other] == text:
            continue
        seen[other] = text
        if len(apart):
            home = apart[survivor[other]]
            if home == apart[text]:
                answer[_VERSION] = -1
                continue
            answer[_LEAST], answer[_MOST] = min(answer[_LEAST], home), max(answer[_MOST], home)
        met[count] = other
        count += 1
    answer[_FOUND] = count


@njit
def _best(
    key: int,
    met: I32,
    survivor: I64,
    hashes: U64,
    places: I64,
    sizes: I64,
    prints: U64,
    threshold: float,
    table: U64,
    answer: I64,
    similarity: Floats,
) -> None:
    """Counts the matches among `met`, and puts the best into `answer` and `similarity`."""
    size, parities = sizes[key], prints[key]
    mask, zero = 0, False
    known, least = -1, 0
    for other in met:
        its = sizes[other]
        if its != known:
            known, least = its, _least_common(size, its, threshold)
        # each bit of the parities that differs stands for at least one shingle that only one of them has
        if least > min(size, its) or _bits(parities ^ prints[other]) > size + its - 2 * least:
            continue
        if mask == 0:
            mask, zero = _fill(table, hashes[places[key] : places[key] + size])
        common = _common(table, mask, zero, hashes[places[other] : places[other] + its], its - least)
        if common < 0:
            continue
        answer[_MATCHES] += 1
        found, twin = common / (size + its - common), survivor[other]
        if answer[_BEST] < 0 or found > similarity[0] or (found == similarity[0] and twin < answer[_BEST]):
            answer[_BEST], similarity[0] = twin, found
