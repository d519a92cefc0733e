"""Find the sets that may match a set without looking at all of them: prefix filtering, and equal parts of what is left.

A bucket may have many members that do not match, such as forms in which a few words differ. Their shingles are of
three kinds: single ones, which no other set has, rare ones, which a few sets have, and common ones. The sizes
and the threshold say how many shingles of a set a match may lack. So

1. a set with more single shingles than that has no match;
2. a match that shares a rare shingle is found in the list of that shingle. If the set has more single and rare shingles
   together than a match may lack, each match shares one (Chaudhuri, Ganti and Kaushik, "A primitive operator for
   similarity joins in data cleaning", 2006);
3. a match that shares none has nearly all common shingles of the set, and the set nearly all of its. The common
   shingles are cut into parts by their hash. Two sets whose common shingles differ in fewer places than there are parts
   have an equal part, which is found by its digest (Arasu, Ganti and Kaushik, "Efficient exact set-similarity joins",
   2006). More than `_MOST_DIFFERENCES` places take too many parts: then members are looked at one by one.

No match is missed. Shingles are counted by a part of their hash, so some that are single count as rare or common: then
more sets are looked at. All of this is decided by counts over all sets in large buckets, which do not change.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dedup.arrays import I32, I64, U64, Bytes
from dedup.kernels.buckets import capacity
from dedup.kernels.constants import HASH_SHIFT, MIX_1, ONE, ZERO
from dedup.kernels.declare import kernel, part
from dedup.kernels.set_overlap import count_bits, least_common
from dedup.kernels.shingles import finalize

SINGLE = 1  # sets that have such a shingle
SKETCH_WORDS = (
    8  # of 64 bits: pairs of 250 shingles each that share less than 0.75 differ in more bits than matches can
)
_SKETCH_BITS = np.uint64(64 * SKETCH_WORDS - 1)
_WORD_SHIFT, _BIT_MASK = np.uint64(6), np.uint64(63)
_PART_SHIFT = np.uint64(24)  # bits of a hash that choose its part: not those of the sketch
_MOST_DIFFERENCES = 12  # with more, two forms of 250 words in which five differ share a part as often as not
LEVELS = _MOST_DIFFERENCES + 1  # a level for each number of differences, with one part more than that
PARTS = LEVELS * (LEVELS + 1) // 2  # of all levels
_ALL_LEVELS = (1 << LEVELS) - 1  # as bits
_MOST_FREQUENT = np.uint8(255)

# What `counts` holds: the postings and the parts that are used.
_POSTINGS, _DIGESTS = range(2)


class SetIndex(NamedTuple):
    """The sets of the survivors in large buckets, found by their shingles; the sets are those of a `Loop`.

    Attributes:
        rare: how many sets have a rare shingle at most.
        rows: the row of each key in the arrays by row, or -1 for one that is in no large bucket, int32 [keys], or [0]
            if there is no index.
        frequencies: how many sets have a shingle, by slot, at most 255; uint8 [a power of two].
        singles: the number of single shingles of each set, int64 [rows].
        rares: the number of rare ones, int64 [rows].
        sketches: the parities of the hashes by their last bits, uint64 [rows, `SKETCH_WORDS`].
        groups: the group of each set, or -1 if each of its matches shares a rare shingle with it, int32 [rows]. Sets of
            a group have equal numbers of shingles, and of common shingles.
        group_sizes: the number of shingles of the sets in each group, int64 [groups].
        group_commons: the number of common ones, int64 [groups].
        group_counts: how many sets a group has so far, int64 [groups].
        group_heads: the last set of each group, as a row, or -1, int32 [groups].
        group_nexts: the set before each in its group, as a row, or -1, int32 [rows].
        keys: the key of each row, int32 [rows].
        heads: the last posting with each slot, or -1, int32 [a power of two].
        shingles: the shingle of each posting, uint64 [postings].
        nexts: the posting before each in its slot, or -1, int32 [postings].
        holders: the key that has the shingle, int32 [postings].
        digest_heads: the same for parts of sets, int32 [a power of two].
        digests: the digest of each part, uint64 [parts].
        digest_nexts: the part before each in its slot, or -1, int32 [parts].
        digest_holders: the key of each part, int32 [parts].
        counts: the numbers of postings and parts that are used, int64 [2].
        room: room for the digests of one set, uint64 [parts of a set].
    """

    rare: int
    rows: I32
    frequencies: Bytes
    singles: I64
    rares: I64
    sketches: U64
    groups: I32
    group_sizes: I64
    group_commons: I64
    group_counts: I64
    group_heads: I32
    group_nexts: I32
    keys: I32
    heads: I32
    shingles: U64
    nexts: I32
    holders: I32
    digest_heads: I32
    digests: U64
    digest_nexts: I32
    digest_holders: I32
    counts: I64
    room: U64


# The fields of `SetIndex` as a kernel takes them.
SET_INDEX = """(
    int64, int32[:], uint8[:], int64[:], int64[:], uint64[:,:], int32[:], int64[:], int64[:], +int64[:], +int32[:],
    +int32[:], int32[:], +int32[:], +uint64[:], +int32[:], +int32[:], +int32[:], +uint64[:], +int32[:], +int32[:],
    +int64[:], +uint64[:]
)"""


def no_index() -> SetIndex:
    """Return the index that stands for none."""
    rare = 0
    ints, longs, hashes = np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.uint64)
    return SetIndex(
        rare=rare,
        rows=ints,
        frequencies=np.empty(0, np.uint8),
        singles=longs,
        rares=longs,
        sketches=np.empty((0, SKETCH_WORDS), np.uint64),
        groups=ints,
        group_sizes=longs,
        group_commons=longs,
        group_counts=longs,
        group_heads=ints,
        group_nexts=ints,
        keys=ints,
        heads=ints,
        shingles=hashes,
        nexts=ints,
        holders=ints,
        digest_heads=ints,
        digests=hashes,
        digest_nexts=ints,
        digest_holders=ints,
        counts=longs,
        room=hashes,
    )


def index_bytes(sets: int, shingles: int) -> int:
    """Return the most bytes that the index of so many `sets` takes, which have so many `shingles` together."""
    return 24 * shingles + 24 * PARTS * sets


def new_index(keys: I32, count: int, hashes: U64, places: I64, sizes: I64, threshold: float, rare: int) -> SetIndex:
    """Return an index for the sets of `keys`, int32 [rows], without any set in it yet; there are `count` keys in all.

    At most `rare` of the sets have a rare shingle.

    The set of key k is ``hashes[places[k]:places[k] + sizes[k]]``: uint64 [hashes] and int64 [keys].
    """
    rows = np.full(count, -1, np.int32)
    rows[keys] = np.arange(len(keys), dtype=np.int32)
    frequencies = np.zeros(capacity(2 * int(sizes[keys].sum())), np.uint8)
    singles, rares = np.zeros(len(keys), np.int64), np.zeros(len(keys), np.int64)
    sketches = np.zeros((len(keys), SKETCH_WORDS), np.uint64)
    _count_shingles(keys, hashes, places, sizes, frequencies)
    _describe_sets(keys, rare, hashes, places, sizes, frequencies, singles, rares, sketches)
    lengths = sizes[keys]
    most_lacking = (lengths - threshold * lengths + 1e-6).astype(np.int64)
    is_left = (singles + rares <= most_lacking) & (lengths > 0)
    commons = lengths - singles - rares
    pairs, inverse = np.unique(np.stack([lengths[is_left], commons[is_left]]), axis=1, return_inverse=True)
    groups = np.full(len(keys), -1, np.int32)
    groups[is_left] = inverse.ravel()
    return SetIndex(
        rare=rare,
        rows=rows,
        frequencies=frequencies,
        singles=singles,
        rares=rares,
        sketches=sketches,
        groups=groups,
        group_sizes=np.ascontiguousarray(pairs[0]),
        group_commons=np.ascontiguousarray(pairs[1]),
        group_counts=np.zeros(pairs.shape[1], np.int64),
        group_heads=np.full(pairs.shape[1], -1, np.int32),
        group_nexts=np.full(len(keys), -1, np.int32),
        keys=keys,
        heads=np.full(capacity(int(rares.sum()) // 2), -1, np.int32),
        shingles=np.empty(int(rares.sum()), np.uint64),
        nexts=np.empty(int(rares.sum()), np.int32),
        holders=np.empty(int(rares.sum()), np.int32),
        digest_heads=np.full(capacity(PARTS * int(is_left.sum()) // 2), -1, np.int32),
        digests=np.empty(PARTS * int(is_left.sum()), np.uint64),
        digest_nexts=np.empty(PARTS * int(is_left.sum()), np.int32),
        digest_holders=np.empty(PARTS * int(is_left.sum()), np.int32),
        counts=np.zeros(2, np.int64),
        room=np.empty(PARTS, np.uint64),
    )


def without_sets(index: SetIndex) -> SetIndex:
    """Return an index for the same sets as `index`, again without any in it; the two share their arrays."""
    for array in (index.group_counts, index.counts):
        array[:] = 0
    for heads in (index.group_heads, index.heads, index.digest_heads):
        heads[:] = -1
    return index


@part
def slot_of(value: np.uint64, slots: int) -> int:
    """Return the slot of a shingle in a table with a power of two of slots."""
    slot: Any = np.int64((value * MIX_1) >> HASH_SHIFT)
    return slot & (slots - 1)  # type: ignore[no-any-return]


@kernel("int32[:], uint64[:], int64[:], int64[:], +uint8[:]")
def _count_shingles(keys: I32, hashes: U64, places: I64, sizes: I64, frequencies: Bytes) -> None:
    """Count in `frequencies` how many sets have each shingle; see `SetIndex`."""
    for key in keys:
        for value in hashes[places[key] : places[key] + sizes[key]]:
            slot = slot_of(value, len(frequencies))
            if frequencies[slot] < _MOST_FREQUENT:
                frequencies[slot] += np.uint8(1)


@kernel("int32[:], int64, uint64[:], int64[:], int64[:], uint8[:], +int64[:], +int64[:], +uint64[:,:]")
def _describe_sets(
    keys: I32,
    rare: int,
    hashes: U64,
    places: I64,
    sizes: I64,
    frequencies: Bytes,
    singles: I64,
    rares: I64,
    sketches: U64,
) -> None:
    """Write the numbers of single and rare shingles and the sketches, all 0 before; see `SetIndex`."""
    for row in range(len(keys)):
        key = keys[row]
        for value in hashes[places[key] : places[key] + sizes[key]]:
            frequency = frequencies[slot_of(value, len(frequencies))]
            if frequency <= SINGLE:
                singles[row] += 1
            elif frequency <= rare:
                rares[row] += 1
            bit = value & _SKETCH_BITS
            sketches[row, np.int64(bit >> _WORD_SHIFT)] ^= ONE << (bit & _BIT_MASK)


@part
def differing_bits(sketches: U64, row: int, other: int) -> int:
    """Return in how many bits two sketches differ: no more than the shingles that only one of the sets has."""
    bits = 0
    for word in range(SKETCH_WORDS):
        bits += count_bits(sketches[row, word] ^ sketches[other, word])
    return bits


@part
def first_part(level: int) -> int:
    """Return the place of the first part of a level, which has ``level + 1``, among those of all levels."""
    return level * (level + 1) // 2


@part
def write_digests(hashes: U64, frequencies: Bytes, rare: int, levels: int, digests: U64) -> None:
    """Write to `digests`, uint64 [parts of a set], those of the parts of a set of `hashes`, uint64 [shingles].

    `rare` and `frequencies` are those of `SetIndex`. Bit i of `levels` says that level i is needed.
    """
    digests[:] = ZERO
    for value in hashes:
        if frequencies[slot_of(value, len(frequencies))] > rare:
            digest = finalize(value ^ MIX_1)
            place = value >> _PART_SHIFT
            for level in range(LEVELS):
                if levels >> level & 1:
                    digests[first_part(level) + np.int64(place % np.uint64(level + 1))] += digest


@part
def insert_set(index: SetIndex, key: int, hashes: U64) -> None:
    """Add the set of a survivor, uint64 [shingles], to the index."""
    row = index.rows[key]
    frequencies = index.frequencies
    if index.rares[row]:
        used = index.counts[_POSTINGS]
        for value in hashes:
            frequency = frequencies[slot_of(value, len(frequencies))]
            if SINGLE < frequency <= index.rare:
                slot = slot_of(value, len(index.heads))
                index.shingles[used], index.holders[used], index.nexts[used] = value, key, index.heads[slot]
                index.heads[slot] = used
                used += 1
        index.counts[_POSTINGS] = used
    group = index.groups[row]
    if group >= 0:
        index.group_nexts[row] = index.group_heads[group]
        index.group_heads[group] = row
        index.group_counts[group] += 1
        write_digests(hashes, frequencies, index.rare, _ALL_LEVELS, index.room)
        used = index.counts[_DIGESTS]
        for at in range(PARTS):
            digest = digest_in_group(index.room[at], at, group)
            slot = slot_of(digest, len(index.digest_heads))
            index.digests[used], index.digest_holders[used] = digest, key
            index.digest_nexts[used] = index.digest_heads[slot]
            index.digest_heads[slot] = used
            used += 1
        index.counts[_DIGESTS] = used


@part
def differences_to(index: SetIndex, row: int, size: int, group: int, threshold: float) -> int:
    """Return in how many common shingles a set and its matches in a group may differ; -1 if there can be none.

    That is for matches that share no rare shingle with the set, which has `size` shingles.
    """
    common, other_common = size - index.singles[row] - index.rares[row], index.group_commons[group]
    least = least_common(size, index.group_sizes[group], threshold)
    return int(common + other_common - 2 * least) if min(common, other_common) >= least else -1


@part
def is_searched(differences: int, count: int) -> bool:
    """Return True if the `count` sets of a group are to be looked at one by one."""
    return differences > _MOST_DIFFERENCES or count <= 2 * (differences + 1)


@part
def find_levels(index: SetIndex, row: int, size: int, threshold: float, most: int) -> int:
    """Return in bits which levels may hold matches of a set that share no rare shingle with it.

    It is -1 if looking at groups, and at the sets of those that no level serves, takes more than `most` steps.
    """
    levels, steps = 0, len(index.group_sizes)
    for group in range(len(index.group_sizes)):
        if steps > most:
            return -1
        count = index.group_counts[group]
        if count:
            differences = differences_to(index, row, size, group, threshold)
            if differences >= 0:
                if is_searched(differences, count):
                    steps += count
                else:
                    steps += differences + 1
                    levels |= 1 << differences
    return -1 if steps > most else levels


@part
def digest_in_group(digest: np.uint64, place: int, group: int) -> np.uint64:
    """Return the digest of a part of a set as the index of a group has it; `place` is that of the part."""
    return finalize(digest + np.uint64(place) + np.uint64(group) * MIX_1)


@part
def rare_lists(index: SetIndex, row: int, size: int, threshold: float) -> int:
    """Return how many of the rare shingles of a set are to be looked up; -1 if it can have no match.

    If the set has more single and rare shingles than a match may lack, some may be left out.
    """
    lacking = int(size - threshold * size + 1e-6)  # more than the error of a similarity as a float
    singles, rares = index.singles[row], index.rares[row]
    if singles > lacking:
        return -1
    return int(min(rares, lacking - singles + 1))
