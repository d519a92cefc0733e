"""Hash words and shingles, and compute signatures, sets and minimizers: `dedup.fingerprint`, compiled.

Each public function has the name, parameters and result of its definition. Keys are comparison keys in UTF-8. Packed
keys are uint8 [bytes] with offsets, int64 [keys + 1]; hashes are uint64.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, U32, U64, Bytes, pack
from dedup.fingerprint.minhash import permutations
from dedup.kernels.constants import FNV_OFFSET, FNV_PRIME, MIX_1, MIX_2, SHINGLE_BASE, SPACE
from dedup.kernels.jit import inlined, njit
from dedup.settings import NUM_PERM, SEED

_33 = np.uint64(33)


@njit
def _word_hashes(data: Bytes, words: U64) -> int:
    """Store the hashes of the words of one key in `words`, and return their number."""
    if len(data) == 0:
        return 0
    count = 0
    value = FNV_OFFSET
    for byte in data:
        if byte == SPACE:
            words[count] = value
            count += 1
            value = FNV_OFFSET
        else:
            value = (value ^ np.uint64(byte)) * FNV_PRIME
    words[count] = value
    return count + 1


@njit
def _all_word_hashes(data: Bytes, borders: I64, out: U64) -> int:
    count = 0
    for row in range(len(borders) - 1):
        count += _word_hashes(data[borders[row] : borders[row + 1]], out[count:])
    return count


def word_hashes(keys: Bytes, borders: I64) -> U64:
    """Return the hashes of all words: `dedup.fingerprint.shingles.word_hashes`, compiled."""
    out = np.empty(len(keys) // 2 + len(borders), np.uint64)
    return out[: _all_word_hashes(keys, borders, out)]


@inlined
def final(value: np.uint64) -> np.uint64:
    """Return the hash of a shingle from the polynomial over its words: the finalizer of MurmurHash3."""
    mixed = (value ^ (value >> _33)) * MIX_1
    mixed = (mixed ^ (mixed >> _33)) * MIX_2
    return mixed ^ (mixed >> _33)


@njit
def _windows(words: U64, count: int, n: int, out: U64) -> int:
    """Store the hashes of the n-word windows of `words` in `out`, and return their number."""
    if count < n:
        return 0
    leading = np.uint64(1)
    for _ in range(n - 1):
        leading *= SHINGLE_BASE
    value = np.uint64(0)
    for at in range(count):
        if at >= n:
            value -= words[at - n] * leading
        value = value * SHINGLE_BASE + words[at]
        if at >= n - 1:
            out[at - n + 1] = final(value)
    return count - n + 1


@njit
def _scratch(borders: I64) -> tuple[U64, U64]:
    """Return room for the word hashes and the window hashes of any one key between `borders`."""
    longest = 0
    for row in range(len(borders) - 1):
        longest = max(longest, borders[row + 1] - borders[row])
    return np.empty(longest // 2 + 1, np.uint64), np.empty(longest // 2 + 1, np.uint64)


@njit
def _mixed(hashes: U64, out: U32) -> None:
    """Store shingle hashes in `out` as the permutations expect them (datasketch's ``affine32``): uint32 [shingles]."""
    for at in range(len(hashes)):
        mixed = np.uint32(hashes[at])
        mixed = np.uint32(np.uint32(mixed ^ np.uint32(mixed >> np.uint32(16))) * np.uint32(0x85EBCA6B))
        mixed = np.uint32(np.uint32(mixed ^ np.uint32(mixed >> np.uint32(13))) * np.uint32(0xC2B2AE35))
        out[at] = np.uint32(mixed ^ np.uint32(mixed >> np.uint32(16)))


@njit
def _sketch(mixed: U32, factors: U32, summands: U32, signature: U32) -> None:
    """Compute the signature of a set, four members at a time, which halves the memory traffic and doubles the speed."""
    signature[:] = np.uint32(0xFFFFFFFF)
    count = len(mixed)
    at = 0
    while at + 4 <= count:
        one, two, three, four = mixed[at], mixed[at + 1], mixed[at + 2], mixed[at + 3]
        for column in range(len(signature)):
            factor, summand = factors[column], summands[column]
            low = min(np.uint32(np.uint32(factor * one) + summand), np.uint32(np.uint32(factor * two) + summand))
            high = min(np.uint32(np.uint32(factor * three) + summand), np.uint32(np.uint32(factor * four) + summand))
            signature[column] = min(signature[column], low, high)
        at += 4
    while at < count:
        for column in range(len(signature)):
            value = np.uint32(np.uint32(factors[column] * mixed[at]) + summands[column])
            signature[column] = min(signature[column], value)
        at += 1


@njit
def _sketches(words: U64, starts: I64, stops: I64, n: int, factors: U32, summands: U32, result: U32) -> None:
    longest = 0
    for row in range(len(starts)):
        longest = max(longest, stops[row] - starts[row])
    hashes, mixed = np.empty(longest, np.uint64), np.empty(longest, np.uint32)
    for row in range(len(starts)):
        found = _windows(words[starts[row] : stops[row]], stops[row] - starts[row], n, hashes)
        _mixed(hashes[:found], mixed)
        _sketch(mixed[:found], factors, summands, result[row])


def minhash_signatures(words: U64, starts: I64, stops: I64, n: int, num_perm: int = NUM_PERM, seed: int = SEED) -> U32:
    """Return the signatures of texts: `dedup.fingerprint.minhash.minhash_signatures`, compiled."""
    result = np.empty((len(starts), num_perm), np.uint32)
    factors, summands = permutations(num_perm, seed)
    _sketches(words, starts, stops, n, factors, summands, result)
    return result


@njit
def _buckets(signed: U32, bands: int, rows: int, result: U32) -> None:
    for row in range(len(signed)):
        for band in range(bands):
            mixed = np.uint64(0)
            for column in range(band * rows, (band + 1) * rows):
                mixed = (mixed ^ np.uint64(signed[row, column])) * FNV_PRIME
                mixed ^= mixed >> np.uint64(29)
            result[row, band] = np.uint32((mixed * MIX_1) >> np.uint64(32))


def buckets(signed: U32, bands: int, rows: int) -> U32:
    """Return the buckets of signatures: `dedup.fingerprint.minhash.buckets`, compiled."""
    result = np.empty((len(signed), bands), np.uint32)
    _buckets(signed, bands, rows, result)
    return result


@njit
def _hash_sets(data: Bytes, borders: I64, n: int, out: U64, out_borders: I64) -> None:
    words, hashes = _scratch(borders)
    position = 0
    for row in range(len(borders) - 1):
        found = _windows(words, _word_hashes(data[borders[row] : borders[row + 1]], words), n, hashes)
        ordered = np.sort(hashes[:found])
        for at in range(found):
            if at == 0 or ordered[at] != ordered[at - 1]:
                out[position] = ordered[at]
                position += 1
        out_borders[row + 1] = position


def hash_sets(keys: Sequence[bytes], n: int) -> tuple[U64, I64]:
    """Return the sets of shingle hashes of keys: `dedup.fingerprint.similarity.hash_sets`, compiled."""
    data, borders = pack(keys)
    out = np.empty(len(data) // 2 + len(keys), np.uint64)
    out_borders = np.zeros(len(keys) + 1, np.int64)
    _hash_sets(data, borders, n, out, out_borders)
    return out[: out_borders[-1]].copy(), out_borders


@njit
def _minimizers(words: U64, borders: I64, n: int, window: int, out: U64, out_borders: I64) -> None:
    hashes = np.empty(len(words), np.uint64)
    position = 0
    for row in range(len(borders) - 1):
        found = _windows(words[borders[row] : borders[row + 1]], borders[row + 1] - borders[row], n, hashes)
        first = position
        place = -1  # of the smallest hash in the previous window
        for start in range(max(min(found, 1), found - window + 1)):
            stop = min(start + window, found)
            if place < start:
                place = start
                for at in range(start + 1, stop):
                    if hashes[at] < hashes[place]:
                        place = at
            elif hashes[stop - 1] < hashes[place]:
                place = stop - 1
            else:
                continue
            out[position] = hashes[place]
            position += 1
        ordered = np.sort(out[first:position])
        position = first
        for at in range(len(ordered)):
            if at == 0 or ordered[at] != ordered[at - 1]:
                out[position] = ordered[at]
                position += 1
        out_borders[row + 1] = position


def minimizers(words: U64, borders: I64, n: int, window: int) -> tuple[U64, I64]:
    """Return the minimizers of texts: `dedup.fingerprint.minimizers.minimizers`, compiled."""
    out = np.empty(len(words), np.uint64)
    out_borders = np.zeros(len(borders), np.int64)
    _minimizers(words, borders, n, window, out, out_borders)
    return out[: out_borders[-1]].copy(), out_borders


@njit
def _similarities(
    hashes: U64, borders: I64, text: int, others: I64, least: float, result: npt.NDArray[np.float64]
) -> None:
    start, stop = borders[text], borders[text + 1]
    for index in range(len(others)):
        two, two_stop = borders[others[index]], borders[others[index] + 1]
        size, two_size = stop - start, two_stop - two
        if size == 0 or two_size == 0 or min(size, two_size) / max(size, two_size) < least:
            result[index] = 0.0
            continue
        one = start
        common = 0
        while one < stop and two < two_stop:
            if hashes[one] == hashes[two]:
                common += 1
                one += 1
                two += 1
            elif hashes[one] < hashes[two]:
                one += 1
            else:
                two += 1
        result[index] = common / (size + two_size - common)


def similarities(hashes: U64, borders: I64, text: int, others: I64, least: float) -> npt.NDArray[np.float64]:
    """Return the similarities of one set to others: `dedup.fingerprint.similarity.similarities`, compiled."""
    result = np.empty(len(others), np.float64)
    _similarities(hashes, borders, text, others, least, result)
    return result
