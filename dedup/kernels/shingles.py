"""Hashes of words and shingles, signatures, hash sets and minimizers: compiled functions of `dedup.fingerprint`.

Comparison keys come as one array of UTF-8 bytes with offsets, their words separated by one space. Every operand of the
permutations is uint32: a wider one would lose both the speed and the equality with the definition.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dedup.arrays import I64, U32, U64, Bytes, Floats, pack
from dedup.fingerprint.minhash import permutation_coefficients
from dedup.kernels.constants import FNV_OFFSET, FNV_PRIME, HASH_SHIFT, MIX_1, MIX_2, SHINGLE_BASE, SPACE_BYTE
from dedup.kernels.declare import inlined, kernel, part
from dedup.kernels.sorting import sort_values
from dedup.settings import NUM_PERM, SEED


@part
def hash_words_of_key(key: Bytes, hashes: U64) -> int:
    """Write the hashes of the words of `key`, uint8 [bytes], to `hashes`, uint64 [room]; return their number."""
    if len(key) == 0:
        return 0
    count = 0
    value = FNV_OFFSET
    for byte in key:
        if byte == SPACE_BYTE:
            hashes[count] = value
            count += 1
            value = FNV_OFFSET
        else:
            value = (value ^ np.uint64(byte)) * FNV_PRIME
    hashes[count] = value
    return count + 1


@kernel("uint8[:], int64[:], +uint64[:]", "int64")
def _hash_words(keys: Bytes, offsets: I64, hashes: U64) -> int:
    """Write the hashes of all words to `hashes`, uint64 [room], and return their number; see `word_hashes`."""
    count = 0
    for row in range(len(offsets) - 1):
        count += hash_words_of_key(keys[offsets[row] : offsets[row + 1]], hashes[count:])
    return count


def word_hashes(keys: Bytes, offsets: I64) -> U64:
    """Return the hashes of all words of packed comparison keys, in order: uint64 [words].

    `keys` are uint8 [bytes]; `offsets` are int64 [keys + 1], in bytes. The compiled version of
    `dedup.fingerprint.shingles.word_hashes`.
    """
    hashes = np.empty(len(keys) // 2 + len(offsets), np.uint64)
    return hashes[: _hash_words(keys, offsets, hashes)]


@inlined
def finalize(value: np.uint64) -> np.uint64:
    """Return the hash of a shingle from the polynomial over its words, by the 64-bit finalizer of MurmurHash3."""
    mixed = (value ^ (value >> HASH_SHIFT)) * MIX_1
    mixed = (mixed ^ (mixed >> HASH_SHIFT)) * MIX_2
    return mixed ^ (mixed >> HASH_SHIFT)


@part
def hash_windows(words: U64, count: int, n: int, hashes: U64) -> int:
    """Write the hashes of the shingles of a text, in order, to `hashes`, uint64 [room]; return their number.

    The text has `count` words, whose hashes start `words`: uint64 [count or more]. A shingle has `n` words.
    """
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
            hashes[at - n + 1] = finalize(value)
    return count - n + 1


@part
def _mix_lower_halves(hashes: U64, mixed: U32) -> None:
    """Write the lower halves of shingle `hashes`, uint64 [shingles], to `mixed`, uint32 [room], with their bits mixed.

    This is the 32-bit finalizer of MurmurHash3, which datasketch applies before the permutations.
    """
    for at in range(len(hashes)):
        value = np.uint32(hashes[at])
        value = np.uint32(np.uint32(value ^ np.uint32(value >> np.uint32(16))) * np.uint32(0x85EBCA6B))
        value = np.uint32(np.uint32(value ^ np.uint32(value >> np.uint32(13))) * np.uint32(0xC2B2AE35))
        mixed[at] = np.uint32(value ^ np.uint32(value >> np.uint32(16)))


@part
def _write_signature(mixed: U32, factors: U32, summands: U32, signature: U32) -> None:
    """Write the signature of a set to `signature`, uint32 [num_perm].

    `mixed` are the hashes of the set, uint32 [shingles]; `factors` and `summands`, uint32 [num_perm], those of the
    permutations. Four hashes at a time halve the memory traffic and double the speed.
    """
    signature[:] = np.uint32(0xFFFFFFFF)
    count = len(mixed)
    at = 0
    while at + 4 <= count:
        first, second, third, fourth = mixed[at], mixed[at + 1], mixed[at + 2], mixed[at + 3]
        for column in range(len(signature)):
            factor, summand = factors[column], summands[column]
            low = min(np.uint32(np.uint32(factor * first) + summand), np.uint32(np.uint32(factor * second) + summand))
            high = min(np.uint32(np.uint32(factor * third) + summand), np.uint32(np.uint32(factor * fourth) + summand))
            signature[column] = min(signature[column], low, high)
        at += 4
    while at < count:
        for column in range(len(signature)):
            value = np.uint32(np.uint32(factors[column] * mixed[at]) + summands[column])
            signature[column] = min(signature[column], value)
        at += 1


@kernel("uint64[:], int64[:], int64[:], int64, uint32[:], uint32[:], +uint32[:,:], +uint64[:], +uint32[:]")
def _write_signatures(
    words: U64,
    starts: I64,
    stops: I64,
    n: int,
    factors: U32,
    summands: U32,
    result: U32,
    hashes: U64,
    mixed: U32,
) -> None:
    """Write the signatures to `result`, uint32 [texts, num_perm]; see `minhash_signatures` and `_write_signature`.

    `hashes` and `mixed` are room for the words of the longest text.
    """
    for row in range(len(starts)):
        count = hash_windows(words[starts[row] : stops[row]], stops[row] - starts[row], n, hashes)
        _mix_lower_halves(hashes[:count], mixed)
        _write_signature(mixed[:count], factors, summands, result[row])


def minhash_signatures(words: U64, starts: I64, stops: I64, n: int, num_perm: int = NUM_PERM, seed: int = SEED) -> U32:
    """Return the signatures of texts over their shingles of `n` words: uint32 [texts, num_perm].

    `words` are hashes of words, uint64 [words]; `starts` and `stops` are int64 [texts], in words. The compiled version
    of `dedup.fingerprint.minhash.minhash_signatures`.
    """
    result = np.empty((len(starts), num_perm), np.uint32)
    factors, summands = permutation_coefficients(num_perm, seed)
    longest = int((stops - starts).max(initial=0))
    hashes, mixed = np.empty(longest, np.uint64), np.empty(longest, np.uint32)
    _write_signatures(words, starts, stops, n, factors, summands, result, hashes, mixed)
    return result


@kernel("uint32[:,:], int64, int64, +uint32[:,:]")
def _write_buckets(signatures: U32, bands: int, rows: int, result: U32) -> None:
    """Write the buckets to `result`, uint32 [signatures, bands]; see `bucket_signatures`."""
    for row in range(len(signatures)):
        for band in range(bands):
            mixed = np.uint64(0)
            for column in range(band * rows, (band + 1) * rows):
                mixed = (mixed ^ np.uint64(signatures[row, column])) * FNV_PRIME
                mixed ^= mixed >> np.uint64(29)
            result[row, band] = np.uint32((mixed * MIX_1) >> np.uint64(32))


def bucket_signatures(signatures: U32, bands: int, rows: int) -> U32:
    """Return the bucket of each signature in each band: uint32 [signatures, bands].

    `signatures` are uint32 [signatures, num_perm]; a band is `rows` values. The compiled version of
    `dedup.fingerprint.minhash.bucket_signatures`.
    """
    result = np.empty((len(signatures), bands), np.uint32)
    _write_buckets(signatures, bands, rows, result)
    return result


@kernel("uint8[:], int64[:], int64, +uint64[:], +int64[:], +uint64[:], +uint64[:]")
def _write_hash_sets(data: Bytes, offsets: I64, n: int, out: U64, out_offsets: I64, words: U64, hashes: U64) -> None:
    """Write the sets to `out`, uint64 [room], and their offsets to `out_offsets`, int64 [keys + 1].

    `data` holds the keys, uint8 [bytes], at `offsets`, int64 [keys + 1], in bytes. `words` and `hashes` are room for
    those of the longest key.
    """
    position = 0
    for row in range(len(offsets) - 1):
        count = hash_windows(words, hash_words_of_key(data[offsets[row] : offsets[row + 1]], words), n, hashes)
        sort_values(hashes[:count], words)
        for at in range(count):
            if at == 0 or hashes[at] != hashes[at - 1]:
                out[position] = hashes[at]
                position += 1
        out_offsets[row + 1] = position


def shingle_hash_sets(keys: Sequence[bytes], n: int) -> tuple[U64, I64]:
    """Return the sets of `n`-word shingle hashes of comparison keys, and their offsets.

    The hashes ascend within each set: uint64 [hashes]; the offsets are int64 [keys + 1]. The compiled version of
    `dedup.fingerprint.similarity.shingle_hash_sets`.
    """
    data, offsets = pack(keys)
    out = np.empty(len(data) // 2 + len(keys), np.uint64)
    out_offsets = np.zeros(len(keys) + 1, np.int64)
    longest = int(np.diff(offsets).max(initial=0)) // 2 + 1  # every second byte of a key at most begins a word
    _write_hash_sets(data, offsets, n, out, out_offsets, np.empty(longest, np.uint64), np.empty(longest, np.uint64))
    return out[: out_offsets[-1]].copy(), out_offsets


@kernel("uint64[:], int64[:], int64, int64, +uint64[:], +int64[:], +uint64[:]")
def _write_minimizers(words: U64, offsets: I64, n: int, window: int, out: U64, out_offsets: I64, hashes: U64) -> None:
    """Write the minimizers to `out`, uint64 [room], and their offsets to `out_offsets`, int64 [texts + 1].

    See `find_minimizers`. `hashes` is room for the words of the longest text.
    """
    position = 0
    for row in range(len(offsets) - 1):
        count = hash_windows(words[offsets[row] : offsets[row + 1]], offsets[row + 1] - offsets[row], n, hashes)
        first = position
        place = -1  # of the smallest hash in the window before
        for start in range(max(min(count, 1), count - window + 1)):
            stop = min(start + window, count)
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
        ordered = out[first:position]
        sort_values(ordered, hashes)
        position = first
        for at in range(len(ordered)):
            value = ordered[at]
            if at == 0 or value != out[position - 1]:
                out[position] = value
                position += 1
        out_offsets[row + 1] = position


def find_minimizers(words: U64, offsets: I64, n: int, window: int) -> tuple[U64, I64]:
    """Return the minimizers of texts, uint64 [minimizers], and their offsets, int64 [texts + 1].

    `words` are hashes of words, uint64 [words]; `offsets` are where the words of each text start: int64 [texts + 1]. A
    minimizer is the smallest hash of `window` consecutive shingles of `n` words. The compiled version of
    `dedup.fingerprint.minimizers.find_minimizers`.
    """
    out = np.empty(len(words), np.uint64)
    out_offsets = np.zeros(len(offsets), np.int64)
    hashes = np.empty(int(np.diff(offsets).max(initial=0)), np.uint64)
    _write_minimizers(words, offsets, n, window, out, out_offsets, hashes)
    return out[: out_offsets[-1]].copy(), out_offsets


@kernel("uint64[:], int64[:], int64, int64[:], float64, +float64[:]")
def _write_similarities(hashes: U64, offsets: I64, text: int, others: I64, least: float, result: Floats) -> None:
    """Write the similarities to `result`, float64 [len(others)]; see `jaccard_similarities`."""
    start, stop = offsets[text], offsets[text + 1]
    for index in range(len(others)):
        other_place, other_stop = offsets[others[index]], offsets[others[index] + 1]
        size, other_size = stop - start, other_stop - other_place
        if size == 0 or other_size == 0 or min(size, other_size) / max(size, other_size) < least:
            result[index] = 0.0
            continue
        place = start
        common = 0
        while place < stop and other_place < other_stop:
            if hashes[place] == hashes[other_place]:
                common += 1
                place += 1
                other_place += 1
            elif hashes[place] < hashes[other_place]:
                place += 1
            else:
                other_place += 1
        result[index] = common / (size + other_size - common)


def jaccard_similarities(hashes: U64, offsets: I64, text: int, others: I64, least: float) -> Floats:
    """Return the Jaccard similarity of set `text` to each of the sets `others`: float64 [len(others)].

    `hashes` and `offsets` are as `shingle_hash_sets` returns them: uint64 [hashes] and int64 [sets + 1]. `others` are
    numbers of sets: int64 [count]. The compiled version of `dedup.fingerprint.similarity.jaccard_similarities`.
    """
    result = np.empty(len(others), np.float64)
    _write_similarities(hashes, offsets, text, others, least, result)
    return result
