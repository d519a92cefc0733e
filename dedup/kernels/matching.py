"""What matching spends its time on, compiled: equal values, sets of shingles, the loop over survivors.

`dedup.grouping`, `dedup.survive` and `dedup.contained` hold the definitions. Sets are kept as their distinct hashes in
order of appearance: to compare two, one becomes a table and the other is looked up in it, for no longer than the
similarity can still reach the threshold. Arrays come in and go out; everything releases the interpreter lock, so that
threads can share the work.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from dedup.fingerprint import FNV_OFFSET, FNV_PRIME, I64, MIX_1, MIX_2, SHINGLE_BASE, U32, U64, Floats

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
_PART = 1 << 13  # entries of one part of a table: it stays in the nearest cache

jit = numba.njit(cache=True, nogil=True)


# --- equal values ------------------------------------------------------------------------------------------------


@jit
def firsts(high: U64, low: U64) -> I64:
    """For each pair of values the place of the first equal one."""
    count = len(high)
    mask = _capacity(count) - 1
    table = np.full(mask + 1, -1, np.int64)
    found = np.empty(count, np.int64)
    for at in range(count):
        slot = np.int64((high[at] * _BASE) >> _33) & mask
        while table[slot] >= 0 and (high[table[slot]] != high[at] or low[table[slot]] != low[at]):
            slot = (slot + 1) & mask
        if table[slot] < 0:
            table[slot] = at
        found[at] = table[slot]
    return found


@jit
def bucket_entries(values: U32, texts: U32, low: int, high: int, keys: U64, holders: U32) -> int:
    """The buckets ``low <= bucket < high`` of `texts` into `keys` (band and bucket) and `holders`; how many."""
    count = 0
    for row in range(values.shape[0]):
        for band in range(values.shape[1]):
            bucket = np.int64(values[row, band])
            if low <= bucket < high:
                keys[count] = np.uint64(band << 32 | bucket)
                holders[count] = texts[row]
                count += 1
    return count


@jit
def shared(keys: U64, holders: U32) -> tuple[int, U64]:
    """Keeps the entries whose key stands again: `keys` becomes their number, from 0; how many, and those keys.

    Works in parts by hash, each small enough for the nearest cache.
    """
    count = len(keys)
    bits = 0
    while (_PART << bits) < count:
        bits += 1
    shift = np.uint64(63 - bits)
    starts = np.zeros((1 << bits) + 1, np.int64)
    for at in range(count):
        starts[np.int64(((keys[at] * _MIX_1) >> _1) >> shift) + 1] += 1
    longest = 0
    for part in range(1 << bits):
        longest = max(longest, starts[part + 1])
        starts[part + 1] += starts[part]
    sorted_keys, sorted_holders = np.empty(count, np.uint64), np.empty(count, np.uint32)
    ends = starts[:-1].copy()
    for at in range(count):
        part = np.int64(((keys[at] * _MIX_1) >> _1) >> shift)
        sorted_keys[ends[part]] = keys[at]
        sorted_holders[ends[part]] = holders[at]
        ends[part] += 1
    table = np.empty(_capacity(longest), np.int64)
    numbers = np.empty(longest, np.int64)
    found = np.empty(count // 2, np.uint64)
    kept = 0
    total = 0
    for part in range(1 << bits):
        start, stop = starts[part], starts[part + 1]
        mask = _capacity(stop - start) - 1
        table[: mask + 1] = -1
        for at in range(start, stop):
            slot = np.int64((sorted_keys[at] * _MIX_2) >> _33) & mask
            while table[slot] >= 0 and sorted_keys[table[slot]] != sorted_keys[at]:
                slot = (slot + 1) & mask
            if table[slot] < 0:
                table[slot] = at
                numbers[at - start] = -1
            else:
                first = table[slot] - start
                if numbers[first] < 0:
                    numbers[first] = total
                    found[total] = sorted_keys[at]
                    total += 1
                numbers[at - start] = numbers[first]
        for at in range(start, stop):
            if numbers[at - start] >= 0:
                keys[kept] = np.uint64(numbers[at - start])
                holders[kept] = sorted_holders[at]
                kept += 1
    return kept, found[:total].copy()


@jit
def by_row(rows: U32, values: I64, count: int) -> tuple[I64, I64]:
    """`values` gathered by row, in their order within each; and the borders of the rows: int64 [count + 1]."""
    borders = np.zeros(count + 1, np.int64)
    for row in rows:
        borders[np.int64(row) + 1] += 1
    for row in range(count):
        borders[row + 1] += borders[row]
    ends = borders[:-1].copy()
    gathered = np.empty(len(values), values.dtype)
    for at in range(len(rows)):
        row = np.int64(rows[at])
        gathered[ends[row]] = values[at]
        ends[row] += 1
    return gathered, borders


@jit
def _capacity(count: int) -> int:
    """A power of two that `count` entries fill to half at most."""
    capacity = 2
    while capacity < 2 * count:
        capacity *= 2
    return capacity


# --- sets of shingles --------------------------------------------------------------------------------------------


@jit
def _shingles(key: Bytes, n: int, words: U64, ends: I64, out: U64) -> int:
    """Hashes of the shingles of `key`, in order, into `out`, and the end of each word into `ends`; how many shingles."""
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
            mixed = (value ^ (value >> _33)) * _MIX_1
            mixed = (mixed ^ (mixed >> _33)) * _MIX_2
            out[count - n + 1] = mixed ^ (mixed >> _33)
        count += 1
        word = _OFFSET
    return max(count - n + 1, 0)


@jit
def distinct(
    data: Bytes, starts: I64, stops: I64, n: int, rows: I64, out: U64, places: I64, sizes: I64, prints: U64
) -> None:
    """The distinct shingle hashes of each key into `out` from its place on; how many; and their parities.

    What belongs to a key stands in `places`, `sizes` and `prints` at its row. Bit i of the parities is whether an odd number of hashes end in i.
    """
    longest = 0
    for row in range(len(starts)):
        longest = max(longest, stops[row] - starts[row])
    words, ends = np.empty(longest // 2 + 1, np.uint64), np.empty(longest // 2 + 1, np.int64)
    hashes = np.empty(longest // 2 + 1, np.uint64)
    table = np.empty(_capacity(longest // 2 + 1), np.uint64)
    for key in range(len(starts)):
        row = rows[key]
        found = _shingles(data[starts[key] : stops[key]], n, words, ends, hashes)
        mask = _capacity(found) - 1
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


@jit
def _fill(table: U64, hashes: U64) -> tuple[int, bool]:
    """Makes a table of distinct `hashes`: its mask, and whether zero is one of them."""
    mask = _capacity(len(hashes)) - 1
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


@jit
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


@jit
def _bits(value: int) -> int:
    """How many bits of a uint64 are set."""
    value -= (value >> _1) & np.uint64(0x5555555555555555)
    value = (value & np.uint64(0x3333333333333333)) + ((value >> np.uint64(2)) & np.uint64(0x3333333333333333))
    value = (value + (value >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((value * np.uint64(0x0101010101010101)) >> np.uint64(56))


@jit
def _least_common(one: int, two: int, threshold: float) -> int:
    """The fewest elements that sets of these sizes must share to be a match."""
    least = np.int64(threshold * (one + two) / (1.0 + threshold)) - 2
    least = max(least, 0)
    while least <= min(one, two) and least / (one + two - least) < threshold:
        least += 1
    return least


@jit
def _same(one: Bytes, two: Bytes) -> bool:
    if len(one) != len(two):
        return False
    for at in range(len(one)):
        if one[at] != two[at]:
            return False
    return True


@jit
def agree(data: Bytes, starts: I64, stops: I64, ones: I64, twos: I64, n: int) -> Bools:
    """Whether, in each pair of keys, shingles of equal hash are equal: then sets of hashes give the exact answer."""
    longest = 0
    for row in range(len(starts)):
        longest = max(longest, stops[row] - starts[row])
    words, hashes = np.empty(longest // 2 + 1, np.uint64), np.empty((2, longest // 2 + 1), np.uint64)
    ends = np.empty((2, longest // 2 + 1), np.int64)
    table = np.empty(_capacity(2 * (longest // 2 + 1)), np.int64)
    result = np.ones(len(ones), np.bool_)
    for pair in range(len(ones)):
        found = np.zeros(2, np.int64)
        for side in range(2):
            row = ones[pair] if side == 0 else twos[pair]
            found[side] = _shingles(data[starts[row] : stops[row]], n, words, ends[side], hashes[side])
        mask = _capacity(found[0] + found[1]) - 1
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


@jit
def survivors(
    first: int,
    last: int,
    keys: I64,
    apart: I64,
    buckets: I64,
    borders: I64,
    members: I32,
    slots: I64,
    filled: I64,
    hashes: U64,
    places: I64,
    sizes: I64,
    prints: U64,
    threshold: float,
    survivor: I64,
    seen: I64,
    memo: I64,
    remembered: I64,
    remembered_similarity: Floats,
    twins: I64,
    similarities: Floats,
    counts: I64,
) -> None:
    """The loop of the design over the texts ``first:last``; the state of the survivors goes from call to call.

    `keys` numbers the key of each text; key k has the buckets ``buckets[borders[k]:borders[k + 1]]`` and the set at
    ``places[k]``. Survivors of bucket b stand in `members` from ``slots[b]`` on, `filled` so many. `survivor` is the
    text that survives with a key, `seen` the last text that met it. `memo` numbers the keys whose answers are
    remembered until one of their buckets gets another member: a text that is dropped a hundred thousand times is
    compared once.
    """
    longest = 0
    for key in range(len(sizes)):
        longest = max(longest, sizes[key])
    table = np.empty(_capacity(longest), np.uint64)
    for text in range(first, last):
        key = keys[text]
        home = apart[text] if len(apart) else -1 - text
        if survivor[key] >= 0:
            if not len(apart) or apart[survivor[key]] != home:
                twins[text] = survivor[key]
            continue
        slot = memo[key]
        version = 0
        for at in range(borders[key], borders[key + 1]):
            version += filled[buckets[at]]
        if (
            slot >= 0
            and remembered[slot, 0] == version
            and (not len(apart) or home < remembered[slot, 4] or home > remembered[slot, 5])
        ):
            best, best_similarity = remembered[slot, 1], remembered_similarity[slot]
            found, matches = remembered[slot, 2], remembered[slot, 3]
        else:
            best, best_similarity = np.int64(-1), 1.0
            found, matches = np.int64(0), np.int64(0)
            least_home, most_home = np.int64(np.iinfo(np.int64).max), np.int64(np.iinfo(np.int64).min)
            mask, zero = 0, False
            apart_from_all = True
            size = sizes[key]
            for at in range(borders[key], borders[key + 1]):
                bucket = buckets[at]
                for member in range(slots[bucket], slots[bucket] + filled[bucket]):
                    other = members[member]
                    if seen[other] == text:
                        continue
                    seen[other] = text
                    if len(apart):
                        its = apart[survivor[other]]
                        if its == home:
                            apart_from_all = False
                            continue
                        least_home, most_home = min(least_home, its), max(most_home, its)
                    found += 1
                    its_size = sizes[other]
                    if size == 0 or its_size == 0 or min(size, its_size) / max(size, its_size) < threshold:
                        continue
                    least = _least_common(size, its_size, threshold)
                    if _bits(prints[key] ^ prints[other]) > size + its_size - 2 * least:
                        continue
                    if mask == 0:
                        mask, zero = _fill(table, hashes[places[key] : places[key] + size])
                    place = places[other]
                    common = _common(table, mask, zero, hashes[place : place + its_size], its_size - least)
                    if common < least:
                        continue
                    similarity = common / (size + its_size - common)
                    matches += 1
                    better = best < 0 or similarity > best_similarity
                    if better or (similarity == best_similarity and survivor[other] < best):
                        best, best_similarity = survivor[other], similarity
            if slot >= 0:
                remembered[slot, 0] = version if apart_from_all else -1
                remembered[slot, 1], remembered_similarity[slot] = best, best_similarity
                remembered[slot, 2], remembered[slot, 3] = found, matches
                remembered[slot, 4], remembered[slot, 5] = least_home, most_home
        counts[0] += found
        if best >= 0:
            twins[text], similarities[text] = best, best_similarity
            counts[1] += matches
            continue
        survivor[key] = text
        for at in range(borders[key], borders[key + 1]):
            bucket = buckets[at]
            members[slots[bucket] + filled[bucket]] = key
            filled[bucket] += 1


# --- articles inside longer ones ---------------------------------------------------------------------------------


@jit
def holders_of(own: I64, borders: I64, count: int, most: int) -> tuple[I64, I64]:
    """For each of `count` values its holders, at most `most`, ascending; and their borders."""
    counts = np.zeros(count, np.int64)
    for value in own:
        counts[value] += 1
    starts = np.zeros(count + 1, np.int64)
    for value in range(count):
        starts[value + 1] = starts[value] + min(counts[value], most)
    ends = starts[:-1].copy()
    holders = np.empty(starts[-1], np.int64)
    for text in range(len(borders) - 1):
        for at in range(borders[text], borders[text + 1]):
            if ends[own[at]] < starts[own[at] + 1]:
                holders[ends[own[at]]] = text
                ends[own[at]] += 1
    return holders, starts


@jit
def containers(
    first: int,
    last: int,
    own: I64,
    borders: I64,
    totals: I64,
    holders: I64,
    starts: I64,
    counts: I64,
    share: float,
    most: int,
    ones: I64,
    others: I64,
) -> int:
    """The texts before each of ``first:last`` that share most of its rarest values, as pairs; how many pairs."""
    together = np.zeros(last, np.int64)
    touched = np.empty(last, np.int64)
    pairs = 0
    for text in range(first, last):
        values = own[borders[text] : borders[text + 1]]
        least = max(1, np.int64(share * totals[text]))
        if len(values) < least:
            continue
        often = np.empty(len(values), np.int64)
        for at in range(len(values)):
            often[at] = counts[values[at]]
        order = np.argsort(often, kind="mergesort")
        met = 0
        for place in range(len(values) - least + 1):
            value = values[order[place]]
            for at in range(starts[value], starts[value + 1]):
                other = holders[at]
                if other >= text:
                    break
                if together[other] == 0:
                    touched[met] = other
                    met += 1
                together[other] += 1
        ranked = np.empty(met, np.int64)
        for at in range(met):
            ranked[at] = (len(values) - together[touched[at]]) << 32 | touched[at]
            together[touched[at]] = 0
        ranked = np.sort(ranked)
        for at in range(min(met, most)):
            ones[pairs], others[pairs] = text, ranked[at] & 0xFFFFFFFF
            pairs += 1
    return pairs


@jit
def commons(
    ones: I64, others: I64, hashes: U64, places: I64, sizes: I64, least_share: float, result: I64
) -> None:
    """How many shingles set ``ones[i]`` shares with ``others[i]``; -1 where it is surely less than that share of it.

    Pairs of equal `others` should be neighbours: each of those becomes a table once.
    """
    longest = 0
    for other in others:
        longest = max(longest, sizes[other])
    table = np.empty(_capacity(longest), np.uint64)
    previous = -1
    mask, zero = 0, False
    for pair in range(len(ones)):
        one, other = ones[pair], others[pair]
        if other != previous:
            mask, zero = _fill(table, hashes[places[other] : places[other] + sizes[other]])
            previous = other
        misses = np.int64((1.0 - least_share) * sizes[one]) + 2
        result[pair] = _common(table, mask, zero, hashes[places[one] : places[one] + sizes[one]], misses)
