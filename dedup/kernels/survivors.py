"""What matching spends its time on, compiled: sets of shingles, and the loop over survivors.

`dedup.match.survivors` and `dedup.match.contained` hold the definitions. Sets are kept as their distinct hashes in
order of appearance: to compare two, one becomes a table and the other is looked up in it, for no longer than the
similarity can still reach the threshold. Arrays come in and go out; everything releases the interpreter lock, so that
threads can share the work.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.fingerprint.shingles import FNV_OFFSET, FNV_PRIME, I64, MIX_1, MIX_2, SHINGLE_BASE, U64, Floats
from dedup.kernels.buckets import capacity
from dedup.kernels.jit import njit
from dedup.kernels.shingles import final

Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]
I32 = npt.NDArray[np.int32]

_OFFSET = np.uint64(FNV_OFFSET)
_PRIME = np.uint64(FNV_PRIME)
_BASE = np.uint64(SHINGLE_BASE)
_MIX_1 = np.uint64(MIX_1)
_MIX_2 = np.uint64(MIX_2)
_0, _1, _6, _33 = np.uint64(0), np.uint64(1), np.uint64(63), np.uint64(33)
_SPACE = np.uint8(32)


# --- sets of shingles --------------------------------------------------------------------------------------------


@njit
def _shingles(key: Bytes, n: int, words: U64, ends: I64, out: U64) -> int:
    """Hashes of the shingles of `key`, in order, into `out`, and the ends of words into `ends`; how many shingles."""
    if len(key) == 0:
        return 0
    leading = _1
    for _ in range(n - 1):
        leading *= _BASE
    word, value = _OFFSET, _0
    count = 0
    for at in range(len(key) + 1):
        if at < len(key) and key[at] != _SPACE:
            word = (word ^ np.uint64(key[at])) * _PRIME
            continue
        if count >= n:
            value -= words[count - n] * leading
        value = value * _BASE + word
        words[count], ends[count] = word, at
        if count >= n - 1:
            out[count - n + 1] = final(value)
        count += 1
        word = _OFFSET
    return max(count - n + 1, 0)


@njit
def distinct(
    data: Bytes, starts: I64, stops: I64, n: int, rows: I64, out: U64, places: I64, sizes: I64, prints: U64
) -> None:
    """The distinct shingle hashes of each key into `out` from its place on; how many; and their parities.

    What belongs to a key stands in `places`, `sizes` and `prints` at its row. Bit i of the parities is whether an odd
    number of hashes have i in their last six bits.
    """
    longest = 0
    for row in range(len(starts)):
        longest = max(longest, stops[row] - starts[row])
    words, ends = np.empty(longest // 2 + 1, np.uint64), np.empty(longest // 2 + 1, np.int64)
    hashes = np.empty(longest // 2 + 1, np.uint64)
    table = np.empty(capacity(longest // 2 + 1), np.uint64)
    for key in range(len(starts)):
        row = rows[key]
        found = _shingles(data[starts[key] : stops[key]], n, words, ends, hashes)
        mask = capacity(found) - 1
        table[: mask + 1] = _0
        place = places[row]
        parity = _0
        zero = False
        for at in range(found):
            value = hashes[at]
            if value == _0:
                if zero:
                    continue
                zero = True
            else:
                slot = np.int64(value >> _1) & mask
                while table[slot] != _0 and table[slot] != value:
                    slot = (slot + 1) & mask
                if table[slot] == value:
                    continue
                table[slot] = value
            out[place] = value
            parity ^= _1 << (value & _6)
            place += 1
        sizes[row] = place - places[row]
        prints[row] = parity


@njit
def _fill(table: U64, hashes: U64) -> tuple[int, bool]:
    """Makes a table of distinct `hashes`: its mask, and whether zero is one of them."""
    mask = capacity(len(hashes)) - 1
    table[: mask + 1] = _0
    zero = False
    for value in hashes:
        if value == _0:
            zero = True
            continue
        slot = np.int64(value >> _1) & mask
        while table[slot] != _0:
            slot = (slot + 1) & mask
        table[slot] = value
    return mask, zero


@njit
def _common(table: U64, mask: int, zero: bool, hashes: U64, misses: int) -> int:
    """How many of `hashes` are in the table; -1 as soon as more than `misses` are not."""
    common = 0
    for value in hashes:
        if value == _0:
            found = zero
        else:
            slot = np.int64(value >> _1) & mask
            while table[slot] != _0 and table[slot] != value:
                slot = (slot + 1) & mask
            found = table[slot] == value
        if found:
            common += 1
        else:
            misses -= 1
            if misses < 0:
                return -1
    return common


@njit
def _bits(value: np.uint64) -> int:
    """How many bits are set."""
    pairs = value - ((value >> _1) & np.uint64(0x5555555555555555))
    fours = (pairs & np.uint64(0x3333333333333333)) + ((pairs >> np.uint64(2)) & np.uint64(0x3333333333333333))
    eights = (fours + (fours >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((eights * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit
def _same(one: Bytes, two: Bytes) -> bool:
    return len(one) == len(two) and not np.any(one != two)


@njit
def agree(data: Bytes, starts: I64, stops: I64, ones: I64, twos: I64, n: int) -> Bools:
    """Whether, in each pair of keys, shingles of equal hash are equal: then sets of hashes give the exact answer."""
    longest = 0
    for row in range(len(starts)):
        longest = max(longest, stops[row] - starts[row])
    words, hashes = np.empty(longest // 2 + 1, np.uint64), np.empty((2, longest // 2 + 1), np.uint64)
    ends = np.empty((2, longest // 2 + 1), np.int64)
    table = np.empty(capacity(2 * (longest // 2 + 1)), np.int64)
    result = np.ones(len(ones), np.bool_)
    for pair in range(len(ones)):
        found = np.zeros(2, np.int64)
        for side in range(2):
            row = ones[pair] if side == 0 else twos[pair]
            found[side] = _shingles(data[starts[row] : stops[row]], n, words, ends[side], hashes[side])
        mask = capacity(found[0] + found[1]) - 1
        table[: mask + 1] = -1
        for side in range(2):
            row = ones[pair] if side == 0 else twos[pair]
            for at in range(found[side]):
                value = hashes[side, at]
                slot = np.int64(value >> _1) & mask
                while table[slot] >= 0 and hashes[table[slot] & 1, table[slot] >> 1] != value:
                    slot = (slot + 1) & mask
                if table[slot] < 0:
                    table[slot] = at << 1 | side
                    continue
                other, there = table[slot] & 1, table[slot] >> 1
                second = ones[pair] if other == 0 else twos[pair]
                first_start = starts[row] + (ends[side, at - 1] + 1 if at else 0)
                second_start = starts[second] + (ends[other, there - 1] + 1 if there else 0)
                if not _same(
                    data[first_start : starts[row] + ends[side, at + n - 1]],
                    data[second_start : starts[second] + ends[other, there + n - 1]],
                ):
                    result[pair] = False
    return result


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


@njit
def _least_common(one: int, two: int, threshold: float) -> int:
    """The fewest elements that sets of these sizes share in a match; more than they have where there is none."""
    if one == 0 or two == 0:
        return 1
    least = max(int(threshold * (one + two) / (1.0 + threshold)) - 2, 0)
    while least <= min(one, two) and least / (one + two - least) < threshold:
        least += 1
    return least


@njit
def commons(ones: I64, others: I64, hashes: U64, places: I64, sizes: I64, least_share: float, result: I64) -> None:
    """How many shingles set ``ones[i]`` shares with ``others[i]``; -1 where it is surely less than that share of it.

    Pairs of equal `others` should be neighbours: each of those becomes a table once.
    """
    longest = 0
    for other in others:
        longest = max(longest, sizes[other])
    table = np.empty(capacity(longest), np.uint64)
    previous = -1
    mask, zero = 0, False
    for pair in range(len(ones)):
        one, other = ones[pair], others[pair]
        if other != previous:
            mask, zero = _fill(table, hashes[places[other] : places[other] + sizes[other]])
            previous = other
        misses = int((1.0 - least_share) * sizes[one]) + 2
        result[pair] = _common(table, mask, zero, hashes[places[one] : places[one] + sizes[one]], misses)
