"""Hashes of shingles, signatures and sets: `dedup.fingerprint`, compiled.

Keys come as one run of UTF-8 bytes with their borders; nothing here is a Python object, and nothing here decides
anything. Every operand of the permutation is uint32: a wider one would lose both the speed and the equality.
Compiled code is cached beside this file, or where that cannot be written, in the user's cache directory.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np
import numpy.typing as npt

from dedup.fingerprint import FNV_OFFSET, FNV_PRIME, I64, MIX_1, MIX_2, SHINGLE_BASE, U32, U64, permutations
from dedup.settings import NUM_PERM, SEED

Bytes = npt.NDArray[np.uint8]

_OFFSET = np.uint64(FNV_OFFSET)
_PRIME = np.uint64(FNV_PRIME)
_BASE = np.uint64(SHINGLE_BASE)
_MIX_1 = np.uint64(MIX_1)
_MIX_2 = np.uint64(MIX_2)
_33 = np.uint64(33)
_SPACE = np.uint8(32)


def pack(keys: Sequence[bytes]) -> tuple[Bytes, I64]:
    """`keys` as one array of bytes, and the borders between them: uint8 [bytes], int64 [len(keys) + 1]."""
    borders = np.zeros(len(keys) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, keys), np.int64, len(keys)), out=borders[1:])
    return np.frombuffer(b"".join(keys), np.uint8), borders


@numba.njit(cache=True, nogil=True)
def _word_hashes(data: Bytes, words: U64) -> int:
    """Hashes of the words of one key into `words`; how many there are."""
    if len(data) == 0:
        return 0
    count = 0
    value = _OFFSET
    for byte in data:
        if byte == _SPACE:
            words[count] = value
            count += 1
            value = _OFFSET
        else:
            value = (value ^ np.uint64(byte)) * _PRIME
    words[count] = value
    return count + 1


@numba.njit(cache=True, nogil=True)
def _windows(words: U64, count: int, n: int, out: U64) -> int:
    """Hashes of the n-word windows of `words` into `out`; how many there are."""
    if count < n:
        return 0
    leading = np.uint64(1)
    for _ in range(n - 1):
        leading *= _BASE
    value = np.uint64(0)
    for at in range(count):
        if at >= n:
            value -= words[at - n] * leading
        value = value * _BASE + words[at]
        if at >= n - 1:
            mixed = (value ^ (value >> _33)) * _MIX_1
            mixed = (mixed ^ (mixed >> _33)) * _MIX_2
            out[at - n + 1] = mixed ^ (mixed >> _33)
    return count - n + 1


@numba.njit(cache=True, nogil=True)
def _scratch(borders: I64) -> tuple[U64, U64]:
    """Room for the word hashes and the window hashes of any one key between `borders`."""
    longest = 0
    for row in range(len(borders) - 1):
        longest = max(longest, borders[row + 1] - borders[row])
    return np.empty(longest // 2 + 1, np.uint64), np.empty(longest // 2 + 1, np.uint64)


@numba.njit(cache=True, nogil=True)
def _sketches(data: Bytes, borders: I64, n: int, factors: U32, summands: U32, result: U32) -> None:
    words, hashes = _scratch(borders)
    for row in range(len(borders) - 1):
        found = _windows(words, _word_hashes(data[borders[row] : borders[row + 1]], words), n, hashes)
        signature = result[row]
        signature[:] = np.uint32(0xFFFFFFFF)
        for at in range(found):
            mixed = np.uint32(hashes[at])
            mixed = np.uint32(np.uint32(mixed ^ np.uint32(mixed >> np.uint32(16))) * np.uint32(0x85EBCA6B))
            mixed = np.uint32(np.uint32(mixed ^ np.uint32(mixed >> np.uint32(13))) * np.uint32(0xC2B2AE35))
            mixed = np.uint32(mixed ^ np.uint32(mixed >> np.uint32(16)))
            for column in range(len(signature)):
                value = np.uint32(np.uint32(factors[column] * mixed) + summands[column])
                signature[column] = min(signature[column], value)


def sketches(keys: Sequence[bytes], n: int, num_perm: int = NUM_PERM, seed: int = SEED) -> U32:
    """`dedup.fingerprint.sketches`, compiled: uint32 [len(keys), num_perm]."""
    data, borders = pack(keys)
    result = np.empty((len(keys), num_perm), np.uint32)
    factors, summands = permutations(num_perm, seed)
    _sketches(data, borders, n, factors, summands, result)
    return result


@numba.njit(cache=True, nogil=True)
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
    """`dedup.fingerprint.hash_sets`, compiled."""
    data, borders = pack(keys)
    out = np.empty(len(data) // 2 + len(keys), np.uint64)
    out_borders = np.zeros(len(keys) + 1, np.int64)
    _hash_sets(data, borders, n, out, out_borders)
    return out[: out_borders[-1]].copy(), out_borders


@numba.njit(cache=True, nogil=True)
def _minimizers(data: Bytes, borders: I64, n: int, window: int, out: U64, out_borders: I64) -> None:
    words, hashes = _scratch(borders)
    position = 0
    for row in range(len(borders) - 1):
        found = _windows(words, _word_hashes(data[borders[row] : borders[row + 1]], words), n, hashes)
        first = position
        place = -1  # of the smallest hash in the window before
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


def minimizers(keys: Sequence[bytes], n: int, window: int) -> tuple[U64, I64]:
    """`dedup.fingerprint.minimizers`, compiled."""
    data, borders = pack(keys)
    out = np.empty(len(data) // 2 + len(keys), np.uint64)
    out_borders = np.zeros(len(keys) + 1, np.int64)
    _minimizers(data, borders, n, window, out, out_borders)
    return out[: out_borders[-1]].copy(), out_borders


@numba.njit(cache=True, nogil=True)
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
    """`dedup.fingerprint.similarities`, compiled."""
    result = np.empty(len(others), np.float64)
    _similarities(hashes, borders, text, others, least, result)
    return result
