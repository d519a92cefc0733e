"""Find the survivors that a text is compared with: the members of its buckets, or those that an index finds."""

from __future__ import annotations

from typing import NamedTuple

from dedup.arrays import I32, I64, U64, Bytes, Floats
from dedup.kernels.declare import part
from dedup.kernels.set_index import (
    SINGLE,
    SetIndex,
    differences_to,
    digest_in_group,
    find_levels,
    first_part,
    is_searched,
    rare_lists,
    slot_of,
    write_digests,
)


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
        indexed_members: with more survivors in the large buckets of a text, an index is made.
        searched_members: with more of them, an index that is there is used.
        is_large: 1 for buckets whose members an index may hold, uint8 [buckets].
        counts: the number of pairs whose sets were compared, that of matches, and that of the members of buckets and
            the entries of the index that were looked at to find those pairs, int64 [3].
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
    indexed_members: int
    searched_members: int
    is_large: Bytes
    counts: I64
    common: I32


# The columns of an answer for a key. `VERSION` is the number of survivors that the buckets of the key had: they only
# grow, so the number stands for their state, and -1 means that the answer must not be used again. `BEST` is the best
# match or -1, `MET` and `MATCHES` are counts, `LEAST_GROUP` and `MOST_GROUP` bound the groups of the candidates.
VERSION, BEST, MET, MATCHES, LEAST_GROUP, MOST_GROUP = range(6)
ANSWER = 6


# The fields of `Loop` as a kernel takes them.
LOOP = """(
    int64[:], int64[:], uint64[:], int64[:], int64[:], uint64[:], int64[:], int64[:], uint64[:], float64, +int32[:],
    int64[:], +int64[:], +int64[:], +int64[:], int64[:], +int64[:,:], +float64[:], +int64[:], +float64[:], int64,
    int64, uint8[:], +int64[:], +int32[:]
)"""


@part
def find_in_index(text: int, key: int, most: int, loop: Loop, index: SetIndex, met: I32, answer: I64) -> bool:
    """Add to `met` all survivors of large buckets that may match a text; return False if this takes `most` steps."""
    row, size = index.rows[key], loop.sizes[key]
    lists = rare_lists(index, row, size, loop.threshold)
    if lists < 0:
        return True
    levels = 0
    if index.groups[row] >= 0:
        levels = find_levels(index, row, size, loop.threshold, most)
        if levels < 0:
            return False
    hashes = loop.hashes[loop.places[key] : loop.places[key] + size]
    steps = len(index.group_sizes)
    for value in hashes:
        if lists == 0:
            break
        steps += 1
        frequency = index.frequencies[slot_of(value, len(index.frequencies))]
        if SINGLE < frequency <= index.rare:
            lists -= 1
            at = index.heads[slot_of(value, len(index.heads))]
            while at >= 0:
                steps += 1
                if index.shingles[at] == value:
                    _add_candidate(
                        text, key, index.holders[at], loop.seen, loop.apart, loop.wordings, loop.survivor, met, answer
                    )
                at = index.nexts[at]
    if levels > 0:
        steps += size
        write_digests(hashes, index.frequencies, index.rare, levels, index.room)
    for group in range(len(index.group_sizes) if index.groups[row] >= 0 else 0):
        count = index.group_counts[group]
        if count == 0:
            continue
        differences = differences_to(index, row, size, group, loop.threshold)
        if differences < 0:
            continue
        if is_searched(differences, count):
            member = index.group_heads[group]
            while member >= 0:
                steps += 1
                other = index.keys[member]
                _add_candidate(text, key, other, loop.seen, loop.apart, loop.wordings, loop.survivor, met, answer)
                member = index.group_nexts[member]
            continue
        for place in range(first_part(differences), first_part(differences + 1)):
            digest = digest_in_group(index.room[place], place, group)
            at = index.digest_heads[slot_of(digest, len(index.digest_heads))]
            while at >= 0:
                steps += 1
                if index.digests[at] == digest:
                    other = index.digest_holders[at]
                    _add_candidate(text, key, other, loop.seen, loop.apart, loop.wordings, loop.survivor, met, answer)
                at = index.digest_nexts[at]
    loop.counts[2] += steps
    return True


@part
def collect_candidates(
    text: int, key: int, members: I32, seen: I64, apart: I64, wordings: U64, survivor: I64, met: I32, answer: I64
) -> None:
    """Add to `met` the survivors of a bucket that this text, of key `key`, has not met before and may match.

    `members`, int32 [members], are the survivors of the bucket, as keys; the other arrays are those of `Loop` and of
    `_compare_with_survivors`.
    """
    for other in members:
        _add_candidate(text, key, other, seen, apart, wordings, survivor, met, answer)


@part
def _add_candidate(
    text: int, key: int, other: int, seen: I64, apart: I64, wordings: U64, survivor: I64, met: I32, answer: I64
) -> None:
    """Add the survivor with the key `other` to `met` if this text has not met it before and may match it."""
    if seen[other] == text:
        return
    seen[other] = text
    if len(wordings) and wordings[other] == wordings[key]:
        return
    if len(apart):
        group = apart[survivor[other]]
        if group == apart[text]:
            answer[VERSION] = -1
            return
        answer[LEAST_GROUP], answer[MOST_GROUP] = min(answer[LEAST_GROUP], group), max(answer[MOST_GROUP], group)
    met[answer[MET]] = other
    answer[MET] += 1
