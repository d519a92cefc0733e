"""Hashes of words and shingles: the definition, in numpy.

A word is hashed by FNV-1a over its UTF-8 bytes. A shingle is hashed by a polynomial over the hashes of its words, so
that a window of n words moves by one word in constant time. The low half of the 64-bit shingle hash feeds the
signature, which equals datasketch's MinHash (scheme ``affine32``) to the bit. The whole hash represents the shingle
where sets are compared before exact verification.

`dedup.kernels.shingles` computes the same in machine code. Small inputs use this module, since it needs no compilation.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np

from dedup.arrays import I64, U64, Bytes, encode_utf8, offsets_of, pack, sliding_windows
from dedup.errors import SettingsError
from dedup.segment.words import words

FNV_OFFSET = 0xCBF29CE484222325  # FNV-1a, 64 bits (Fowler, Noll, Vo)
FNV_PRIME = 0x100000001B3
SHINGLE_BASE = 0x9E3779B97F4A7C15  # 2**64 / golden ratio; odd, so that multiplication modulo 2**64 loses nothing
MIX_1 = 0xFF51AFD7ED558CCD  # MurmurHash3's 64-bit finalizer
MIX_2 = 0xC4CEB9FE1A85EC53
_MASK = (1 << 64) - 1


@lru_cache(maxsize=1 << 16)
def word_hash(word: bytes) -> int:
    """Return the 64-bit FNV-1a hash of a word in UTF-8.

    >>> hex(word_hash(b"a"))
    '0xaf63dc4c8601ec8c'
    """
    value = FNV_OFFSET
    for byte in word:
        value = ((value ^ byte) * FNV_PRIME) & _MASK
    return value


def shingle_hash(shingle: bytes) -> int:
    """Return the 32-bit hash of one shingle, words joined by one space, for datasketch's ``hashfunc``.

    >>> shingle_hash(b"the cat sat") == int(shingle_hashes(b"the cat sat", 3)[0]) & 0xFFFFFFFF
    True
    """
    value = 0
    for word in shingle.split(b" "):
        value = (value * SHINGLE_BASE + word_hash(word)) & _MASK
    value = ((value ^ (value >> 33)) * MIX_1) & _MASK
    value = ((value ^ (value >> 33)) * MIX_2) & _MASK
    return (value ^ (value >> 33)) & 0xFFFFFFFF


def word_hashes(keys: Bytes, offsets: I64) -> U64:
    """Return the hashes of all words of packed comparison keys, in order: uint64 [words].

    `keys` are uint8 [bytes]; `offsets` say where each key starts, in bytes: int64 [keys + 1].

    >>> [hex(value) for value in word_hashes(*pack([b"a", b"", b"a b"])).tolist()]
    ['0xaf63dc4c8601ec8c', '0xaf63dc4c8601ec8c', '0xaf63df4c8601f1a5']
    """
    buffer = keys.tobytes()
    hashes = [
        word_hash(word)
        for start, stop in pairwise(offsets.tolist())
        if start < stop
        for word in buffer[start:stop].split(b" ")
    ]
    return np.array(hashes, np.uint64)


def hash_words(keys: Sequence[bytes]) -> tuple[U64, I64]:
    """Return the hashes of the words of comparison keys, and their offsets: uint64 [words], int64 [keys + 1]."""
    counts = [key.count(b" ") + 1 if key else 0 for key in keys]
    return word_hashes(*pack(keys)), offsets_of(counts)


def shingles(text: str, n: int) -> list[bytes]:
    """Return every run of `n` consecutive words of the comparison key of `text`, in order, as UTF-8.

    A run that occurs twice is listed twice. Jaccard similarity compares the sets of these runs. A text of fewer than
    `n` words has none: it is compared by its key alone. Raises `SettingsError` if `n` is less than 1.

    >>> shingles("The cat sat. The cat!", 2)
    [b'the cat', b'cat sat', b'sat the', b'the cat']
    """
    check_shingle_size(n)
    encoded = [encode_utf8(word) for word in words(text)]
    return list(map(b" ".join, sliding_windows(encoded, n)))


def shingle_hashes(key: bytes, n: int) -> U64:
    """Return the 64-bit hashes of the shingles of a comparison key, in order: uint64 [max(words - n + 1, 0)]."""
    return window_hashes(word_hashes(*pack([key])), n)


def window_hashes(hashes: U64, n: int) -> U64:
    """Return the 64-bit hashes of the shingles of one text, in order: uint64 [max(words - n + 1, 0)].

    `hashes` are those of its words: uint64 [words].
    """
    count = len(hashes) - n + 1
    if count < 1:
        return np.empty(0, np.uint64)
    value = np.zeros(count, np.uint64)
    for offset in range(n):
        value = value * np.uint64(SHINGLE_BASE) + hashes[offset : offset + count]
    value = (value ^ (value >> np.uint64(33))) * np.uint64(MIX_1)
    value = (value ^ (value >> np.uint64(33))) * np.uint64(MIX_2)
    mixed: U64 = value ^ (value >> np.uint64(33))
    return mixed


def check_shingle_size(n: int) -> None:
    """Raise `SettingsError` if a shingle cannot have `n` words."""
    if n < 1:
        raise SettingsError(f"n: a shingle cannot have {n} words; give 1 or more")


def key_shingles(key: bytes, n: int) -> set[tuple[bytes, ...]]:
    """Return the set of shingles of a comparison key, each a tuple of `n` words; empty if the key has fewer words."""
    return set(sliding_windows(key.split(b" "), n))
