"""Digests of texts: equal for texts of equal comparison keys that have equal facts, too.

The first half of a digest is that of the key alone. So two texts that differ in nothing but facts are recognized by
their digests: the first halves are equal and the second ones are not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, U64, offsets_of
from dedup.segment.batch import FactMarks, Segments, key_digests

WORDING_BYTES = 8  # of a digest: its first half

_PLACE_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # the golden ratio, which spreads consecutive numbers over all bits
_FINALIZERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))  # of SplitMix64 (Steele et al., 2014)


def paragraph_digests(segments: Segments, marks: FactMarks) -> list[bytes]:
    """Return the digest of each paragraph of `segments`, whose marks are `marks`: `DIGEST_BYTES` bytes each.

    >>> from dedup.arrays import pack
    >>> from dedup.segment.batch import find_fact_marks, segment_batch
    >>> packed = pack([b"It fell by -2 %.", b"it fell by 2", b"It fell by 2!"])
    >>> segments = segment_batch(*packed)
    >>> one, two, three = paragraph_digests(segments, find_fact_marks(*packed, segments))
    >>> one == two, one[:8] == two[:8], two == three
    (False, True, True)
    """
    counts = np.bincount(marks.paragraphs, minlength=len(segments.words))
    hashes = _hash_marks(marks.places, marks.codes, offsets_of(counts))
    return _with_facts(key_digests(segments.keys, segments.key_starts, segments.key_stops), hashes)


def text_digests(segments: Segments, marks: FactMarks) -> list[bytes]:
    """Return the digest of each text of `segments`, whatever paragraphs its words are in: `DIGEST_BYTES` bytes each."""
    digit_offsets = offsets_of(marks.digits)
    text_starts = np.repeat(digit_offsets[segments.borders[:-1]], np.diff(segments.borders))  # of each paragraph
    places = marks.places + (digit_offsets[:-1] - text_starts)[marks.paragraphs]
    offsets = np.searchsorted(marks.paragraphs, segments.borders)
    hashes = _hash_marks(places, marks.codes, offsets)
    return _with_facts(key_digests(segments.keys, segments.key_offsets[:-1], segments.key_offsets[1:]), hashes)


def key_halves(digests: npt.NDArray[np.void]) -> U64:
    """Return the halves of `digests`, ``V16`` [texts], that are equal for equal keys: uint64 [texts]."""
    return np.ascontiguousarray(digests).view(np.uint64).reshape(-1, 2)[:, 0]


def _hash_marks(places: I64, codes: I64, offsets: I64) -> U64:
    """Return a hash of the marks of each text, whatever their order: uint64 [texts]; 0 for no marks.

    `places` and `codes` are int64 [marks]; the marks of text t are those from ``offsets[t]`` to ``offsets[t + 1]``.
    """
    mixed = places.astype(np.uint64) * _PLACE_FACTOR ^ codes.astype(np.uint64)
    for shift, factor in zip((30, 27), _FINALIZERS, strict=True):
        mixed = (mixed ^ mixed >> np.uint64(shift)) * factor
    sums = np.zeros(len(mixed) + 1, np.uint64)
    np.cumsum(mixed ^ mixed >> np.uint64(31), out=sums[1:])
    hashes: U64 = sums[offsets[1:]] - sums[offsets[:-1]]
    return hashes


def _with_facts(digests: list[bytes], hashes: U64) -> list[bytes]:
    """Return `digests` of keys, with the hashes of marks, uint64 [texts], in their second halves."""
    halves = np.frombuffer(b"".join(digests), np.uint64).reshape(-1, 2)
    changed = np.flatnonzero(hashes)
    second_halves = (halves[changed, 1] ^ hashes[changed]).tolist()
    for text, second in zip(changed.tolist(), second_halves, strict=True):
        digests[text] = digests[text][:WORDING_BYTES] + second.to_bytes(8, "little")
    return digests
