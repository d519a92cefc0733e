"""From a comparison key to shingles, signatures and buckets: the definition, in numpy.

A word is hashed by FNV-1a over its UTF-8 bytes, a shingle by a polynomial over the hashes of its words, so that
a window of n words moves on in constant time. The low half of the 64-bit shingle hash feeds the signature, which
is datasketch's MinHash (scheme ``affine32``) bit for bit; the whole of it stands for the shingle where sets are
compared before exact verification. `dedup.kernels.compiled` computes the same in machine code; this module is what it
must equal, and what small inputs use, since it needs no compilation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from dedup.errors import SettingsError
from dedup.segment.words import comparison_key, words
from dedup.settings import NUM_PERM, SEED

Word = TypeVar("Word")

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]

FNV_OFFSET = 0xCBF29CE484222325  # FNV-1a, 64 bits (Fowler, Noll, Vo)
FNV_PRIME = 0x100000001B3
SHINGLE_BASE = 0x9E3779B97F4A7C15  # odd, so that multiplying loses nothing; 2**64 / golden ratio
MIX_1 = 0xFF51AFD7ED558CCD  # MurmurHash3's 64-bit finaliser
MIX_2 = 0xC4CEB9FE1A85EC53
_MASK = (1 << 64) - 1
compiled = False  # see `Comparer`
_ROWS_AT_ONCE = 4096  # shingles permuted at once: 2 MB of uint32 at 128 permutations


class Comparer(Protocol):
    """The functions that this module defines and `dedup.kernels.compiled` compiles; either module is one."""

    @property
    def compiled(self) -> bool:
        """Whether matching, too, is to use what `dedup.kernels.compiled` has."""

    def hash_sets(self, keys: Sequence[bytes], n: int) -> tuple[U64, I64]:
        """Sets of shingle hashes and their borders."""

    def similarities(self, hashes: U64, borders: I64, text: int, others: I64, least: float) -> Floats:
        """Jaccard similarities of one set to others."""


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


def pack(keys: Sequence[bytes]) -> tuple[Bytes, I64]:
    """`keys` as one array of bytes, and the borders between them: uint8 [bytes], int64 [len(keys) + 1]."""
    borders = np.zeros(len(keys) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, keys), np.int64, len(keys)), out=borders[1:])
    return np.frombuffer(b"".join(keys), np.uint8), borders


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


def hashed(keys: Sequence[bytes]) -> tuple[U64, I64]:
    """The hashes of the words of comparison keys, and the borders between keys: uint64 [words], int64 [keys + 1]."""
    borders = np.zeros(len(keys) + 1, np.int64)
    np.cumsum([key.count(b" ") + 1 if key else 0 for key in keys], out=borders[1:])
    return word_hashes(*pack(keys)), borders


def encode(text: str) -> bytes:
    """`text` in UTF-8, lone surrogates included."""
    return text.encode("utf-8", "surrogatepass")


def decode(data: bytes) -> str:
    """The text that `encode` was given."""
    return data.decode("utf-8", "surrogatepass")


def shingles(text: str, n: int) -> list[bytes]:
    """Every run of `n` consecutive words of the comparison key of `text`, in order, as UTF-8.

    Repeated runs stand repeatedly; as a set they are what Jaccard similarity compares. A text of fewer than `n`
    words has none: it is compared by its key alone.

    >>> shingles("The cat sat. The cat!", 2)
    [b'the cat', b'cat sat', b'sat the', b'the cat']
    """
    check_size(n)
    found = [encode(word) for word in words(text)]
    return list(map(b" ".join, windows(found, n)))


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


@cache
def permutations(num_perm: int = NUM_PERM, seed: int = SEED) -> tuple[U32, U32]:
    """The factors a (odd) and summands b of the affine permutations, each uint32 [num_perm].

    Drawn exactly as datasketch draws them, so that signatures agree; a test compares.
    """
    random = np.random.RandomState(seed)
    factors = random.randint(0, 1 << 31, num_perm, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    summands = random.randint(0, 1 << 32, num_perm, dtype=np.uint32)
    return factors, summands


def sketch(hashes: U64, factors: U32, summands: U32) -> U32:
    """The signature of a set of shingle hashes: uint32 [num_perm]; all ones where the set is empty."""
    mixed = hashes.astype(np.uint32)
    mixed = (mixed ^ (mixed >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    mixed = (mixed ^ (mixed >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    mixed ^= mixed >> np.uint32(16)
    signature = np.full(len(factors), 0xFFFFFFFF, np.uint32)
    for at in range(0, len(mixed), _ROWS_AT_ONCE):
        permuted = mixed[at : at + _ROWS_AT_ONCE, None] * factors + summands
        np.minimum(signature, permuted.min(axis=0), out=signature)
    return signature


def sketches(words: U64, starts: I64, stops: I64, n: int, num_perm: int = NUM_PERM, seed: int = SEED) -> U32:
    """Signatures of the texts whose words have the hashes ``words[start:stop]``: uint32 [len(starts), num_perm]."""
    factors, summands = permutations(num_perm, seed)
    result = np.empty((len(starts), num_perm), np.uint32)
    for row, (start, stop) in enumerate(zip(starts.tolist(), stops.tolist(), strict=True)):
        result[row] = sketch(window_hashes(words[start:stop], n), factors, summands)
    return result


def signatures(texts: Iterable[str], n: int, *, num_perm: int = NUM_PERM, seed: int = SEED) -> U32:
    """`dedup.signatures` as it is defined: MinHash signatures of `texts`, uint32 [len(texts), num_perm].

    >>> signatures(["one two three four", "too short"], 3, num_perm=2).shape
    (2, 2)
    """
    check_size(n)
    hashes, borders = hashed([encode(comparison_key(text)) for text in texts])
    return sketches(hashes, borders[:-1], borders[1:], n, num_perm, seed)


def check_size(n: int) -> None:
    """Raises `SettingsError` where shingles cannot have `n` words."""
    if n < 1:
        raise SettingsError(f"n: {n} words are no shingle; give 1 or more")


def buckets(signed: U32, bands: int, rows: int) -> U32:
    """The bucket of each signature in each band: uint32 [len(signed), bands].

    Two signatures share a bucket of a band if and (but for one pair in 2**32) only if all `rows` values of it
    agree; a chance meeting costs a comparison, never a wrong answer.
    """
    values = signed[:, : bands * rows].reshape(len(signed), bands, rows).astype(np.uint64)
    mixed = np.zeros((len(signed), bands), np.uint64)
    for row in range(rows):
        mixed = (mixed ^ values[:, :, row]) * np.uint64(FNV_PRIME)
        mixed ^= mixed >> np.uint64(29)
    mixed = mixed * np.uint64(MIX_1)
    return (mixed >> np.uint64(32)).astype(np.uint32)


def jaccard(one: bytes, two: bytes, n: int) -> float:
    """The exact Jaccard similarity of two comparison keys over sets of `n`-word shingles.

    Equal keys are 1.0; a key too short to have shingles is otherwise 0.0 to anything.

    >>> jaccard(b"a b c d", b"a b c e", 2)
    0.5
    """
    if one == two:
        return 1.0
    first, second = key_shingles(one, n), key_shingles(two, n)
    if not first or not second:
        return 0.0
    common = len(first & second)
    return common / (len(first) + len(second) - common)


def hash_sets(keys: Sequence[bytes], n: int) -> tuple[U64, I64]:
    """Sets of shingle hashes of `keys`: each ascending, all in one run, uint64; and their borders, int64."""
    sets = [np.unique(shingle_hashes(key, n)) for key in keys]
    borders = np.zeros(len(keys) + 1, np.int64)
    np.cumsum([len(one) for one in sets], out=borders[1:])
    return np.concatenate([np.empty(0, np.uint64), *sets]), borders


def similarities(hashes: U64, borders: I64, text: int, others: I64, least: float) -> Floats:
    """Jaccard similarity of set `text` to each of the sets `others`: float64 [len(others)].

    Zero where the sizes alone say that it is below `least`.
    """
    one = hashes[borders[text] : borders[text + 1]]
    result = np.zeros(len(others))
    for index, other in enumerate(others):
        two = hashes[borders[other] : borders[other + 1]]
        small, large = sorted((len(one), len(two)))
        if small and small / large >= least:
            common = len(np.intersect1d(one, two, assume_unique=True))
            result[index] = common / (small + large - common)
    return result


def containment(one: bytes, two: bytes, n: int) -> float:
    """The share of the distinct `n`-word shingles of key `one` that key `two` has; 0.0 where `one` has none.

    >>> containment(b"a b c", b"x a b c d", 2)
    1.0
    """
    first = key_shingles(one, n)
    return len(first & key_shingles(two, n)) / len(first) if first else 0.0


def minimizers(words: U64, borders: I64, n: int, window: int) -> tuple[U64, I64]:
    """Of every `window` consecutive shingles of each text the smallest hash, ascending: uint64; and borders, int64.

    `words` are the hashes of the words of all texts, `borders` those between texts: int64 [texts + 1]. A text of fewer
    shingles gives the smallest of all it has.
    """
    found = []
    for start, stop in pairwise(borders.tolist()):
        hashes = window_hashes(words[start:stop], n)
        if len(hashes):
            hashes = np.lib.stride_tricks.sliding_window_view(hashes, min(window, len(hashes))).min(axis=1)
        found.append(np.unique(hashes))
    result = np.zeros(len(borders), np.int64)
    np.cumsum([len(one) for one in found], out=result[1:])
    return np.concatenate([np.empty(0, np.uint64), *found]), result


def windows(told: Sequence[Word], n: int) -> Iterator[tuple[Word, ...]]:
    """Each `n` words of `told` that follow each other.

    >>> list(windows("abcd", 3))
    [('a', 'b', 'c'), ('b', 'c', 'd')]
    """
    return zip(*(told[at:] for at in range(n)), strict=False)


def key_shingles(key: bytes, n: int) -> set[tuple[bytes, ...]]:
    """The shingles of a comparison key, none of fewer than `n` words."""
    return set(windows(key.split(b" "), n))
