"""Decide which texts survive: the compiled version of the loop in `dedup.match.survivors`.

A key is a distinct comparison key, and its set the set of its shingle hashes: see `dedup.kernels.set_overlap`. The
kernels release the interpreter lock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from dedup.arrays import I32, I64, U64, Floats
from dedup.kernels.buckets import capacity
from dedup.kernels.declare import kernel, part
from dedup.kernels.set_overlap import count_bits, count_common, fill_table, least_common

Choice: TypeAlias = Callable[[int, I32, Floats], int]


class Loop(NamedTuple):
    """The input, the state and the result of the loop.

    Attributes:
        keys: the key of each text, int64 [texts].
        apart: the group of each text; two texts of one group never match. int64 [texts], or [0] if all differ.
        wordings: the wording of each key; two keys of one wording never match. uint64 [keys], or [0] if they may.
        buckets: the buckets of key k are ``buckets[borders[k]:borders[k + 1]]``, int64.
        borders: see `buckets`, int64 [keys + 1].
        hashes: the set of key k is ``hashes[places[k]:places[k] + sizes[k]]``, uint64.
        places: see `hashes`, int64 [keys].
        sizes: see `hashes`, int64 [keys].
        prints: the parities of each set, as `dedup.kernels.set_overlap.distinct_hashes` makes them, uint64 [keys].
        threshold: the least Jaccard similarity of a match.
        members: the survivors, as keys, in bucket b are ``members[slots[b]:slots[b] + filled[b]]``, int32.
        slots: see `members`, int64 [buckets].
        filled: see `members`, int64 [buckets].
        survivor: the text that survives with each key, or -1, int64 [keys].
        seen: the last text that met each key, int64 [keys].
        memo: the row in which the answer for each key is remembered, or -1, int64 [keys].
        remembered: the answers, int64 [rows, `ANSWER`].
        remembered_similarity: the similarity of each answer's best match, float64 [rows].
        twins: the twin of each text, or -1 if it survives, int64 [texts].
        similarities: the similarity of each text to its twin, float64 [texts].
        counts: the numbers of candidates and of matches, int64 [2].
        common: room for the numbers of hashes that a text shares with its matches, int32 [keys], or [0] if its best
            match drops it without further choice.
    """

    keys: I64
    apart: I64
    wordings: U64
    buckets: I64
    borders: I64
    hashes: U64
    places: I64
    sizes: I64
    prints: U64
    threshold: float
    members: I32
    slots: I64
    filled: I64
    survivor: I64
    seen: I64
    memo: I64
    remembered: I64
    remembered_similarity: Floats
    twins: I64
    similarities: Floats
    counts: I64
    common: I32


# The columns of an answer for a key. `_VERSION` is the number of survivors that the buckets of the key had: they only
# grow, so the number stands for their state, and -1 means that the answer must not be used again. `_BEST` is the best
# match or -1, `_CANDIDATES` and `_MATCHES` are counts, `_LEAST` and `_MOST` bound the groups of the candidates.
_VERSION, _BEST, _CANDIDATES, _MATCHES, _LEAST, _MOST = range(6)
ANSWER = 6
_NO_GROUP = np.int64(np.iinfo(np.int64).max)


# The fields of `Loop` as a kernel takes them.
_LOOP = """(
    int64[:], int64[:], uint64[:], int64[:], int64[:], uint64[:], int64[:], int64[:], uint64[:], float64, +int32[:],
    int64[:], +int64[:], +int64[:], +int64[:], int64[:], +int64[:,:], +float64[:], +int64[:], +float64[:], +int64[:],
    +int32[:]
)"""


def survivors(first: int, last: int, loop: Loop, choose: Choice | None = None) -> None:
    """Decide for each of the texts ``first:last`` if it survives; `loop` carries the state from call to call.

    The answer for a key of several texts is remembered until one of its buckets gets another survivor, so that a text
    that is dropped a hundred thousand times is compared once. `choose` takes a text, the keys of its matches, int32
    [matches], and their similarities, float64 [matches]; it returns the place of the one that drops the text, or -1.
    """
    table = np.empty(capacity(int(loop.sizes.max(initial=0))), np.uint64)
    met, answer, similarity = np.empty(len(loop.sizes), np.int32), np.empty(ANSWER, np.int64), np.empty(1)
    room = table, met, answer, similarity
    text = _decide_texts(first, last, 0, loop, *room)
    while choose is not None and text < last:
        key = loop.keys[text]
        others, common = met[: answer[_MATCHES]], loop.common[: answer[_MATCHES]].astype(np.int64)
        similarities = common / (loop.sizes[key] + loop.sizes[others] - common)
        place = choose(text, others, similarities)
        if place < 0:
            answer[_BEST] = -1
            loop.counts[1] += answer[_MATCHES]
        else:
            answer[_BEST], similarity[0] = loop.survivor[others[place]], similarities[place]
        if loop.memo[key] >= 0:
            loop.remembered[loop.memo[key]] = answer
            loop.remembered_similarity[loop.memo[key]] = similarity[0]
        text = _decide_texts(text, last, 1, loop, *room)


@kernel(f"int64, int64, int64, {_LOOP}, +uint64[:], +int32[:], +int64[:], +float64[:]", "int64")
def _decide_texts(
    first: int, last: int, answered: int, loop: Loop, table: U64, met: I32, answer: I64, similarity: Floats
) -> int:
    """Decide texts from `first` on, and return the first one for which a match is to be chosen, or `last`.

    Matches are to be chosen if `loop.common` has room. If `answered` is 1, the answer for `first` is given. The last
    four arrays are room, as for `_compare_with_survivors`.
    """
    for text in range(first, last):
        key = loop.keys[text]
        twin = loop.survivor[key]
        if twin >= 0:
            if len(loop.apart) == 0 or loop.apart[twin] != loop.apart[text]:
                loop.twins[text] = twin
            continue
        if not (answered and text == first) and not _recall_answer(text, key, loop, answer, similarity):
            _compare_with_survivors(text, key, loop, met, table, answer, similarity)
            if len(loop.common) and answer[_BEST] >= 0:
                return text
        loop.counts[0] += answer[_CANDIDATES]
        if answer[_BEST] >= 0:
            loop.twins[text], loop.similarities[text] = answer[_BEST], similarity[0]
            loop.counts[1] += answer[_MATCHES]
            continue
        loop.survivor[key] = text
        for at in range(loop.borders[key], loop.borders[key + 1]):
            bucket = loop.buckets[at]
            loop.members[loop.slots[bucket] + loop.filled[bucket]] = key
            loop.filled[bucket] += 1
    return last


@part
def _bucket_version(key: int, loop: Loop) -> int:
    """Return the number of survivors in the buckets of a key, which grows with each change."""
    version = 0
    for at in range(loop.borders[key], loop.borders[key + 1]):
        version += loop.filled[loop.buckets[at]]
    return version


@part
def _recall_answer(text: int, key: int, loop: Loop, answer: I64, similarity: Floats) -> bool:
    """Return True if a remembered answer for the key still holds for the text, after writing it to `answer`.

    `answer` is int64 [`ANSWER`], `similarity` float64 [1].
    """
    slot = loop.memo[key]
    if slot < 0 or loop.remembered[slot, _VERSION] != _bucket_version(key, loop):
        return False
    if len(loop.apart) and loop.remembered[slot, _LEAST] <= loop.apart[text] <= loop.remembered[slot, _MOST]:
        return False
    for column in range(ANSWER):
        answer[column] = loop.remembered[slot, column]
    similarity[0] = loop.remembered_similarity[slot]
    return True


@part
def _compare_with_survivors(
    text: int, key: int, loop: Loop, met: I32, table: U64, answer: I64, similarity: Floats
) -> None:
    """Compare a text with all survivors that share a bucket with it, and write the result to `answer` and `similarity`.

    `met`, int32 [keys], and `table`, uint64 [capacity of the largest set], are room. `answer` is int64 [`ANSWER`],
    `similarity` float64 [1].
    """
    answer[_VERSION], answer[_BEST] = _bucket_version(key, loop), -1
    answer[_CANDIDATES] = answer[_MATCHES] = 0
    answer[_LEAST], answer[_MOST] = _NO_GROUP, -_NO_GROUP
    similarity[0] = 1.0
    for at in range(loop.borders[key], loop.borders[key + 1]):
        bucket = loop.buckets[at]
        members = loop.members[loop.slots[bucket] : loop.slots[bucket] + loop.filled[bucket]]
        _collect_candidates(text, key, members, loop.seen, loop.apart, loop.wordings, loop.survivor, met, answer)
    _choose_best(
        key,
        met[: answer[_CANDIDATES]],
        loop.survivor,
        loop.hashes,
        loop.places,
        loop.sizes,
        loop.prints,
        loop.threshold,
        table,
        answer,
        similarity,
        loop.common,
    )
    if loop.memo[key] >= 0:
        for column in range(ANSWER):
            loop.remembered[loop.memo[key], column] = answer[column]
        loop.remembered_similarity[loop.memo[key]] = similarity[0]


# The kernels below run for every bucket or every text. They take arrays one by one, because a call with a tuple counts
# a reference to each of its arrays.


@part
def _collect_candidates(
    text: int, key: int, members: I32, seen: I64, apart: I64, wordings: U64, survivor: I64, met: I32, answer: I64
) -> None:
    """Add to `met` the survivors of a bucket that this text, of key `key`, has not met before and may match.

    `members`, int32 [members], are the survivors of the bucket, as keys; the other arrays are those of `Loop` and of
    `_compare_with_survivors`.
    """
    count = answer[_CANDIDATES]
    for other in members:
        if seen[other] == text:
            continue
        seen[other] = text
        if len(wordings) and wordings[other] == wordings[key]:
            continue
        if len(apart):
            group = apart[survivor[other]]
            if group == apart[text]:
                answer[_VERSION] = -1
                continue
            answer[_LEAST], answer[_MOST] = min(answer[_LEAST], group), max(answer[_MOST], group)
        met[count] = other
        count += 1
    answer[_CANDIDATES] = count


@part
def _choose_best(
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
    shared: I32,
) -> None:
    """Count the matches among `met`, int32 [candidates], and write the best one to `answer` and `similarity`.

    If `shared` has room, the matches are moved to the start of `met`, and the numbers of their common hashes go there.
    The best match has the highest similarity; of equal ones, it is the first text. The other arrays are those of `Loop`
    and of `_compare_with_survivors`.
    """
    size, parities = sizes[key], prints[key]
    mask, zero = 0, False
    known_size, least = -1, 0
    for other in met:
        other_size = sizes[other]
        if other_size != known_size:
            known_size, least = other_size, least_common(size, other_size, threshold)
        # Each bit in which the parities differ stands for at least one shingle that only one of the two sets has.
        if least > min(size, other_size) or count_bits(parities ^ prints[other]) > size + other_size - 2 * least:
            continue
        if mask == 0:
            mask, zero = fill_table(table, hashes[places[key] : places[key] + size])
        common = count_common(table, mask, zero, hashes[places[other] : places[other] + other_size], other_size - least)
        if common < 0:
            continue
        if len(shared):
            met[answer[_MATCHES]], shared[answer[_MATCHES]] = other, common
        answer[_MATCHES] += 1
        jaccard, twin = common / (size + other_size - common), survivor[other]
        if answer[_BEST] < 0 or jaccard > similarity[0] or (jaccard == similarity[0] and twin < answer[_BEST]):
            answer[_BEST], similarity[0] = twin, jaccard
