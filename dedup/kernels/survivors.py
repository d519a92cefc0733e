"""Decide which texts survive: the compiled version of the loop in `dedup.match.survivors`.

A key is a distinct comparison key, and its set the set of its shingle hashes: see `dedup.kernels.set_overlap`. The
kernels release the interpreter lock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from dedup.arrays import I32, I64, U64, Floats
from dedup.kernels.buckets import capacity
from dedup.kernels.declare import kernel, part
from dedup.kernels.set_index import SET_INDEX, SetIndex, differing_bits, insert_set, no_index
from dedup.kernels.set_overlap import count_bits, count_common, fill_table, least_common
from dedup.kernels.survivor_search import (
    ANSWER,
    BEST,
    LEAST_GROUP,
    LOOP,
    MATCHES,
    MET,
    MOST_GROUP,
    VERSION,
    Loop,
    collect_candidates,
    find_in_index,
)

Choice: TypeAlias = Callable[[int, I32, Floats], int]
MakeIndex: TypeAlias = Callable[["Loop"], SetIndex | None]


_WANTS_INDEX = -2  # as the best match
_NO_GROUP = np.int64(np.iinfo(np.int64).max)


def survivors(
    first: int,
    last: int,
    loop: Loop,
    choose: Choice | None = None,
    make_index: MakeIndex = lambda _: None,
    index: SetIndex | None = None,
) -> SetIndex | None:
    """Decide for each of the texts ``first:last`` if it survives; `loop` carries the state from call to call.

    The answer for a key of several texts is remembered until one of its buckets gets another survivor, so that a text
    that is dropped a hundred thousand times is compared once. `choose` takes a text, the keys of its matches, int32
    [matches], and their similarities, float64 [matches]; it returns the place of the one that drops the text, or -1.

    Where large buckets have many survivors, `make_index` is called for an index of them; it returns None if there is
    no memory for one. The result is the index, if there is one: the `index` of the next call.
    """
    table = np.empty(capacity(int(loop.sizes.max(initial=0))), np.uint64)
    met, answer, similarity = np.empty(len(loop.sizes), np.int32), np.empty(ANSWER, np.int64), np.empty(1)
    room = table, met, answer, similarity
    used, answered = index or no_index(), 0
    while True:
        text = _decide_texts(first, last, answered, loop, used, *room)
        if text == last:
            return index
        first, answered = text, 0
        if answer[BEST] == _WANTS_INDEX:
            index = make_index(loop)
            if index is None:
                loop = loop._replace(is_large=np.zeros(0, np.uint8))
            else:
                used = index
            continue
        assert choose is not None
        key = loop.keys[text]
        others, common = met[: answer[MATCHES]], loop.common[: answer[MATCHES]].astype(np.int64)
        similarities = common / (loop.sizes[key] + loop.sizes[others] - common)
        place = choose(text, others, similarities)
        if place < 0:
            answer[BEST] = -1
            loop.counts[1] += answer[MATCHES]
        else:
            answer[BEST], similarity[0] = loop.survivor[others[place]], similarities[place]
        if loop.memo[key] >= 0:
            loop.remembered[loop.memo[key]] = answer
            loop.remembered_similarity[loop.memo[key]] = similarity[0]
        answered = 1


@kernel(f"{LOOP}, {SET_INDEX}")
def insert_survivors(loop: Loop, index: SetIndex) -> None:
    """Add the sets of all survivors in large buckets to an index that has none."""
    for key in index.keys:
        if loop.survivor[key] >= 0:
            insert_set(index, key, loop.hashes[loop.places[key] : loop.places[key] + loop.sizes[key]])


@kernel(f"int64, int64, int64, {LOOP}, {SET_INDEX}, +uint64[:], +int32[:], +int64[:], +float64[:]", "int64")
def _decide_texts(
    first: int,
    last: int,
    answered: int,
    loop: Loop,
    index: SetIndex,
    table: U64,
    met: I32,
    answer: I64,
    similarity: Floats,
) -> int:
    """Decide texts from `first` on, and return the first one for which a match is to be chosen, or `last`.

    Matches are to be chosen if `loop.common` has room. If `answered` is 1, the answer for `first` is given. The best
    match in `answer` is `_WANTS_INDEX` where an index is to be made before the text is decided. The last four arrays
    are room, as for `_compare_with_survivors`.
    """
    for text in range(first, last):
        key = loop.keys[text]
        twin = loop.survivor[key]
        if twin >= 0:
            if len(loop.apart) == 0 or loop.apart[twin] != loop.apart[text]:
                loop.twins[text] = twin
            continue
        if not (answered and text == first) and not _recall_answer(text, key, loop, answer, similarity):
            members = _large_members(key, loop)
            if len(index.rows) == 0 and members > loop.indexed_members:
                answer[BEST] = _WANTS_INDEX
                return text
            _compare_with_survivors(text, key, members, loop, index, met, table, answer, similarity)
            loop.counts[0] += answer[MET]
            if len(loop.common) and answer[BEST] >= 0:
                return text
        if answer[BEST] >= 0:
            loop.twins[text], loop.similarities[text] = answer[BEST], similarity[0]
            loop.counts[1] += answer[MATCHES]
            continue
        loop.survivor[key] = text
        for at in range(loop.borders[key], loop.borders[key + 1]):
            bucket = loop.buckets[at]
            loop.members[loop.slots[bucket] + loop.filled[bucket]] = key
            loop.filled[bucket] += 1
        if len(index.rows) and index.rows[key] >= 0:
            insert_set(index, key, loop.hashes[loop.places[key] : loop.places[key] + loop.sizes[key]])
    return last


@part
def _large_members(key: int, loop: Loop) -> int:
    """Return how many survivors the large buckets of a key have; one in two buckets counts twice."""
    members = 0
    if len(loop.is_large):
        for at in range(loop.borders[key], loop.borders[key + 1]):
            bucket = loop.buckets[at]
            if loop.is_large[bucket]:
                members += loop.filled[bucket]
    return members


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
    if slot < 0 or loop.remembered[slot, VERSION] != _bucket_version(key, loop):
        return False
    if len(loop.apart) and loop.remembered[slot, LEAST_GROUP] <= loop.apart[text] <= loop.remembered[slot, MOST_GROUP]:
        return False
    for column in range(ANSWER):
        answer[column] = loop.remembered[slot, column]
    similarity[0] = loop.remembered_similarity[slot]
    return True


@part
def _compare_with_survivors(
    text: int,
    key: int,
    large_members: int,
    loop: Loop,
    index: SetIndex,
    met: I32,
    table: U64,
    answer: I64,
    similarity: Floats,
) -> None:
    """Compare a text with all survivors that share a bucket with it, and write the result to `answer` and `similarity`.

    `large_members` is the number of survivors in its large buckets: if there are many, the index finds those that may
    match. `met`, int32 [keys], and `table`, uint64 [capacity of the largest set], are room. `answer` is int64
    [`ANSWER`], `similarity` float64 [1].
    """
    answer[VERSION], answer[BEST] = _bucket_version(key, loop), -1
    answer[MET] = answer[MATCHES] = 0
    answer[LEAST_GROUP], answer[MOST_GROUP] = _NO_GROUP, -_NO_GROUP
    similarity[0] = 1.0
    uses_index = large_members > loop.searched_members and len(index.rows) > 0
    if uses_index:
        uses_index = find_in_index(text, key, large_members, loop, index, met, answer)
    for at in range(loop.borders[key], loop.borders[key + 1]):
        bucket = loop.buckets[at]
        if uses_index and loop.is_large[bucket]:
            continue
        members = loop.members[loop.slots[bucket] : loop.slots[bucket] + loop.filled[bucket]]
        loop.counts[2] += len(members)
        collect_candidates(text, key, members, loop.seen, loop.apart, loop.wordings, loop.survivor, met, answer)
    _choose_best(
        key,
        met[: answer[MET]],
        loop.survivor,
        loop.hashes,
        loop.places,
        loop.sizes,
        loop.prints,
        index.rows,
        index.sketches,
        uses_index,
        loop.buckets,
        loop.borders,
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
def _share_bucket(key: int, other: int, buckets: I64, borders: I64) -> bool:
    """Return True if two keys share a bucket."""
    for at in range(borders[key], borders[key + 1]):
        for other_at in range(borders[other], borders[other + 1]):
            if buckets[at] == buckets[other_at]:
                return True
    return False


@part
def _choose_best(
    key: int,
    met: I32,
    survivor: I64,
    hashes: U64,
    places: I64,
    sizes: I64,
    prints: U64,
    rows: I32,
    sketches: U64,
    uses_index: bool,
    buckets: I64,
    borders: I64,
    threshold: float,
    table: U64,
    answer: I64,
    similarity: Floats,
    shared: I32,
) -> None:
    """Count the matches among `met`, int32 [candidates], and write the best one to `answer` and `similarity`.

    If `shared` has room, the matches are moved to the start of `met`, and the numbers of their common hashes go there.
    The best match has the highest similarity; of equal ones, it is the first text. If it `uses_index`, some of `met`
    may share no bucket with the key, and are no matches. The other arrays are those of `Loop`, of `SetIndex` and of
    `_compare_with_survivors`.
    """
    size, parities = sizes[key], prints[key]
    row = rows[key] if len(rows) else -1
    mask, zero = 0, False
    known_size, least = -1, 0
    for other in met:
        other_size = sizes[other]
        if other_size != known_size:
            known_size, least = other_size, least_common(size, other_size, threshold)
        # Each bit in which the parities differ stands for at least one shingle that only one of the two sets has.
        if least > min(size, other_size) or count_bits(parities ^ prints[other]) > size + other_size - 2 * least:
            continue
        if row >= 0 and rows[other] >= 0 and differing_bits(sketches, row, rows[other]) > size + other_size - 2 * least:
            continue
        if mask == 0:
            mask, zero = fill_table(table, hashes[places[key] : places[key] + size])
        common = count_common(table, mask, zero, hashes[places[other] : places[other] + other_size], other_size - least)
        if common < 0 or (uses_index and not _share_bucket(key, other, buckets, borders)):
            continue
        if len(shared):
            met[answer[MATCHES]], shared[answer[MATCHES]] = other, common
        answer[MATCHES] += 1
        jaccard, twin = common / (size + other_size - common), survivor[other]
        if answer[BEST] < 0 or jaccard > similarity[0] or (jaccard == similarity[0] and twin < answer[BEST]):
            answer[BEST], similarity[0] = twin, jaccard
