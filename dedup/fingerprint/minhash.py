"""MinHash signatures and their LSH buckets: the definition, in numpy."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np

from dedup.arrays import I64, U32, U64, encode_utf8
from dedup.errors import SettingsError
from dedup.fingerprint.shingles import FNV_PRIME, MIX_1, check_shingle_size, hash_words, window_hashes
from dedup.segment.words import comparison_key
from dedup.settings import NUM_PERM, SEED

RECALL_AT_THRESHOLD = 0.999  # probability that a pair exactly at the threshold shares a bucket

_SHINGLES_AT_ONCE = 4096  # shingles permuted at once: 2 MB of uint32 at 128 permutations


@cache
def permutation_coefficients(num_perm: int = NUM_PERM, seed: int = SEED) -> tuple[U32, U32]:
    """Return the factors (odd) and summands of the affine permutations: two arrays of uint32 [num_perm].

    They are drawn exactly as datasketch draws them, so that signatures agree; a test compares them.
    """
    random = np.random.RandomState(seed)
    factors = random.randint(0, 1 << 31, num_perm, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    summands = random.randint(0, 1 << 32, num_perm, dtype=np.uint32)
    return factors, summands


def _signature_of_set(hashes: U64, factors: U32, summands: U32) -> U32:
    """Return the signature of a set of shingle hashes: uint32 [num_perm]; every bit is set if the set is empty.

    `hashes` are uint64 [shingles], in any order; `factors` and `summands` are those of `permutation_coefficients`.
    """
    mixed = hashes.astype(np.uint32)
    mixed = (mixed ^ (mixed >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    mixed = (mixed ^ (mixed >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    mixed ^= mixed >> np.uint32(16)
    signature = np.full(len(factors), 0xFFFFFFFF, np.uint32)
    for start in range(0, len(mixed), _SHINGLES_AT_ONCE):
        permuted = mixed[start : start + _SHINGLES_AT_ONCE, None] * factors + summands
        np.minimum(signature, permuted.min(axis=0), out=signature)
    return signature


def minhash_signatures(words: U64, starts: I64, stops: I64, n: int, num_perm: int = NUM_PERM, seed: int = SEED) -> U32:
    """Return the signatures of texts over their shingles of `n` words: uint32 [texts, num_perm].

    The words of a text have the hashes ``words[start:stop]``: `words` uint64 [words], `starts` and `stops` int64
    [texts], in words.
    """
    factors, summands = permutation_coefficients(num_perm, seed)
    result = np.empty((len(starts), num_perm), np.uint32)
    for row, (start, stop) in enumerate(zip(starts.tolist(), stops.tolist(), strict=True)):
        result[row] = _signature_of_set(window_hashes(words[start:stop], n), factors, summands)
    return result


def plain_signatures(texts: Iterable[str], n: int, *, num_perm: int = NUM_PERM, seed: int = SEED) -> U32:
    """Return the MinHash signatures of `texts`, uint32 [texts, num_perm]: the definition of `dedup.signatures`.

    Raises `SettingsError` if `n` or `num_perm` is less than 1.

    >>> plain_signatures(["one two three four", "too short"], 3, num_perm=2).shape
    (2, 2)
    """
    check_shingle_size(n)
    check_permutations(num_perm)
    hashes, offsets = hash_words([encode_utf8(comparison_key(text)) for text in texts])
    return minhash_signatures(hashes, offsets[:-1], offsets[1:], n, num_perm, seed)


def check_permutations(num_perm: int) -> None:
    """Raise `SettingsError` if a signature cannot have `num_perm` values; datasketch refuses the same numbers."""
    if num_perm < 1:
        raise SettingsError(f"num_perm: a signature cannot have {num_perm} values; give 1 or more")


def bands(threshold: float, num_perm: int = NUM_PERM) -> tuple[int, int]:
    """Return ``(bands, rows per band)`` for `threshold`: few false candidates, almost no missed match.

    Two texts of Jaccard similarity J agree in one row of their signatures with probability J, and in all r rows of a
    band with J**r. They share none of b buckets with probability (1 - J**r)**b (Leskovec, Rajaraman, Ullman, *Mining
    of Massive Datasets*, section 3.4). More rows mean fewer false candidates. Candidates are verified, so the share of
    missed matches is what must be bounded. Of all r with b = num_perm // r bands, the largest is taken that still
    shares a bucket with probability `RECALL_AT_THRESHOLD` at the threshold. At 0.8 that is 25 bands of 5 rows, with
    (1 - 0.8**5)**25 = 4.9e-5: one pair in 20,000 is missed; 6 rows would miss one in 600. Below a threshold of 0.053
    even one row per band cannot reach 0.999; then every row is a band.

    >>> bands(0.8)
    (25, 5)
    """
    rows = _most_rows(threshold, num_perm, RECALL_AT_THRESHOLD)
    return num_perm // rows, rows


@cache
def _most_rows(threshold: float, num_perm: int, recall: float) -> int:
    """Return the largest number of rows per band that reaches `recall` at `threshold`, or 1 if none does."""
    sufficient = (rows for rows in range(1, num_perm + 1) if (1 - threshold**rows) ** (num_perm // rows) <= 1 - recall)
    return max(sufficient, default=1)


def bucket_signatures(signatures: U32, bands: int, rows: int) -> U32:
    """Return the bucket of each signature in each band: uint32 [signatures, bands].

    `signatures` are uint32 [signatures, num_perm]; a band is `rows` values of a signature, in order. Two signatures
    that agree in a band share its bucket. Two that differ share it with a probability of 1 in 2**32, which costs a
    comparison and never changes a result.
    """
    values = signatures[:, : bands * rows].reshape(len(signatures), bands, rows).astype(np.uint64)
    mixed = np.zeros((len(signatures), bands), np.uint64)
    for row in range(rows):
        mixed = (mixed ^ values[:, :, row]) * np.uint64(FNV_PRIME)
        mixed ^= mixed >> np.uint64(29)
    mixed = mixed * np.uint64(MIX_1)
    return (mixed >> np.uint64(32)).astype(np.uint32)
