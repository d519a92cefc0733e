"""From a comparison key to shingles, signatures and buckets: the definition, in numpy.

A word is hashed by FNV-1a over its UTF-8 bytes, a shingle by a polynomial over the hashes of its words, so that
a window of n words moves on in constant time. The low half of the 64-bit shingle hash feeds the signature, which
is datasketch's MinHash (scheme ``affine32``) bit for bit; the whole of it stands for the shingle where sets are
compared before exact verification. `dedup.kernels.compiled` computes the same in machine code; this module is what it
must equal, and what small inputs use, since it needs no compilation.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np

from dedup.arrays import I64, U64, Bytes, encode_utf8, pack, sliding_windows
from dedup.errors import SettingsError
from dedup.segment.words import words

FNV_OFFSET = 0xCBF29CE484222325  # FNV-1a, 64 bits (Fowler, Noll, Vo)
FNV_PRIME = 0x100000001B3
SHINGLE_BASE = 0x9E3779B97F4A7C15  # odd, so that multiplying loses nothing; 2**64 / golden ratio
MIX_1 = 0xFF51AFD7ED558CCD  # MurmurHash3's 64-bit finaliser
MIX_2 = 0xC4CEB9FE1A85EC53
_MASK = (1 << 64) - 1


@lru_cache(maxsize=1 << 16)
def word_hash(word: bytes) -> int:
    """FNV-1a of `word`, 64 bits.

    >>> hex(word_hash(b"a"))
    '0xaf63dc4c8601ec8c'
    """
    value = FNV_OFFSET
    for byte in word:
        value = ((value ^ byte) * FNV_PRIME) & _MASK
    return value


def shingle_hash(shingle: bytes) -> int:
    """The 32-bit hash of one shingle (words joined by one space), for datasketch's ``hashfunc``.

    >>> shingle_hash(b"the cat sat") == int(shingle_hashes(b"the cat sat", 3)[0]) & 0xFFFFFFFF
    True
    """
    value = 0
    for word in shingle.split(b" "):
        value = (value * SHINGLE_BASE + word_hash(word)) & _MASK
    value = ((value ^ (value >> 33)) * MIX_1) & _MASK
    value = ((value ^ (value >> 33)) * MIX_2) & _MASK
    return (value ^ (value >> 33)) & 0xFFFFFFFF


def word_hashes(keys: Bytes, borders: I64) -> U64:
    """The hashes of all words of packed comparison keys, in order: uint64 [words].

    >>> [hex(value) for value in word_hashes(*pack([b"a", b"", b"a b"])).tolist()]
    ['0xaf63dc4c8601ec8c', '0xaf63dc4c8601ec8c', '0xaf63df4c8601f1a5']
    """
    whole = keys.tobytes()
    found = [
        word_hash(word)
        for start, stop in pairwise(borders.tolist())
        if start < stop
        for word in whole[start:stop].split(b" ")
    ]
    return np.array(found, np.uint64)


def hash_words(keys: Sequence[bytes]) -> tuple[U64, I64]:
    """The hashes of the words of comparison keys, and the borders between keys: uint64 [words], int64 [keys + 1]."""
    borders = np.zeros(len(keys) + 1, np.int64)
    np.cumsum([key.count(b" ") + 1 if key else 0 for key in keys], out=borders[1:])
    return word_hashes(*pack(keys)), borders


def shingles(text: str, n: int) -> list[bytes]:
    """Every run of `n` consecutive words of the comparison key of `text`, in order, as UTF-8.

    Repeated runs stand repeatedly; as a set they are what Jaccard similarity compares. A text of fewer than `n`
    words has none: it is compared by its key alone.

    >>> shingles("The cat sat. The cat!", 2)
    [b'the cat', b'cat sat', b'sat the', b'the cat']
    """
    check_shingle_size(n)
    found = [encode_utf8(word) for word in words(text)]
    return list(map(b" ".join, sliding_windows(found, n)))


def shingle_hashes(key: bytes, n: int) -> U64:
    """64-bit hashes of the shingles of a comparison key in UTF-8, in order: uint64 [words - n + 1], or [0]."""
    return window_hashes(word_hashes(*pack([key])), n)


def window_hashes(hashes: U64, n: int) -> U64:
    """64-bit hashes of the shingles of words with these hashes, in order: uint64 [words - n + 1], or [0]."""
    count = len(hashes) - n + 1
    if count < 1:
        return np.empty(0, np.uint64)
    value = np.zeros(count, np.uint64)
    for at in range(n):
        value = value * np.uint64(SHINGLE_BASE) + hashes[at : at + count]
    value = (value ^ (value >> np.uint64(33))) * np.uint64(MIX_1)
    value = (value ^ (value >> np.uint64(33))) * np.uint64(MIX_2)
    mixed: U64 = value ^ (value >> np.uint64(33))
    return mixed


def check_shingle_size(n: int) -> None:
    """Raises `SettingsError` where shingles cannot have `n` words."""
    if n < 1:
        raise SettingsError(f"n: {n} words are no shingle; give 1 or more")


def key_shingles(key: bytes, n: int) -> set[tuple[bytes, ...]]:
    """The shingles of a comparison key, none of fewer than `n` words."""
    return set(sliding_windows(key.split(b" "), n))
