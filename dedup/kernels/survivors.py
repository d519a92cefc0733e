"""Find the survivors among texts that share buckets: compiled.

`dedup.match.survivors` holds the definition. Every kernel takes and returns arrays and releases the interpreter lock,
so that threads can share the work. Sets of shingles are arrays of their distinct hashes in order of appearance. To
compare two sets, one becomes a hash table and the other is looked up in it, for no longer than the similarity can
reach the threshold.
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
    """The inputs, the state and the results of the loop over texts (docs/design.md, section 3).

    Every array is one-dimensional unless its comment says otherwise. A text is a row of the caller's table; a key is
    the number of a distinct comparison key.
    """

    keys: I64  # of each text
    apart: I64  # of each text: texts of equal values are never compared; empty if every text may meet every other
    buckets: I64  # those of key k are buckets[borders[k]:borders[k + 1]]
    borders: I64
    hashes: U64  # the set of key k is hashes[places[k]:places[k] + sizes[k]]
    places: I64
    sizes: I64
    prints: U64
    threshold: float
    members: I32  # survivors of bucket b, as keys: members[slots[b]:slots[b] + filled[b]]
    slots: I64
    filled: I64
    survivor: I64  # the text that survives with each key, or -1
    seen: I64  # of each key: the last text that met it
    memo: I64  # of each key: the row of its cached answer, or -1
    remembered: I64  # cached answers: int64 [rows, ANSWER], columns as below
    remembered_similarity: Floats
    twins: I64
    similarities: Floats
    counts: I64  # int64 [2]: candidates and matches


# The columns of an answer: the number of survivors in the buckets of the key (it identifies their state, because
# buckets only grow; -1: do not reuse), the best match, the numbers of candidates and matches, and the range of `apart`.
_VERSION, _BEST, _FOUND, _MATCHES, _LEAST, _MOST = range(6)
ANSWER = 6
_NONE = np.int64(np.iinfo(np.int64).max)


@njit
def survivors(first: int, last: int, loop: Loop) -> None:
    """Run the loop over the texts ``first:last`` and store the results in `loop`, which keeps the state between calls.

    The answer for a key that several texts have is cached until one of its buckets gets another survivor. So a text
    that is dropped a hundred thousand times is compared once.
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
    """Return the number of survivors in the buckets of a key, which changes whenever its candidates do."""
    version = 0
    for at in range(loop.borders[key], loop.borders[key + 1]):
        version += loop.filled[loop.buckets[at]]
    return version


@njit
def _recall(text: int, key: int, loop: Loop, answer: I64, similarity: Floats) -> bool:
    """Return True if a cached answer for the key still holds for this text; it is then in `answer` and `similarity`."""
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
    """Compare a text with all survivors that share a bucket with it, and store the answer."""
    answer[:] = _version(key, loop), -1, 0, 0, _NONE, -_NONE
    similarity[0] = 1.0
    for at in range(loop.borders[key], loop.borders[key + 1]):
        bucket = loop.buckets[at]
        members = loop.members[loop.slots[bucket] : loop.slots[bucket] + loop.filled[bucket]]
        _meet(text, members, loop.seen, loop.apart, loop.survivor, met, answer)
    candidates = met[: answer[_FOUND]]
    _best(
        key,
        candidates,
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


# The functions below are called for every bucket or candidate. They take arrays one by one, because passing a tuple
# changes the reference count of each of its arrays.


@njit
def _meet(text: int, members: I32, seen: I64, apart: I64, survivor: I64, met: I32, answer: I64) -> None:
    """Append to `met` the survivors of a bucket that this text has not met before and may match."""
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
    """Count the matches among the candidates `met`, and store the best one in `answer` and `similarity`."""
    size, parities = sizes[key], prints[key]
    mask, zero = 0, False
    known, least = -1, 0
    for other in met:
        its = sizes[other]
        if its != known:
            known, least = its, _least_common(size, its, threshold)
        # each differing bit of the parities proves at least one shingle that only one of the sets has
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
