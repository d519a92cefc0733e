"""The loop of the design, written plainly on datasketch's own index: what `dedup.match.survivors` must equal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from datasketch import MinHash, MinHashLSH

from dedup.segment.words import words
from dedup.settings import NUM_PERM, SEED, bands

Match = tuple[int, float]  # twin, similarity


def shingle_set(text: str, n: int) -> set[tuple[str, ...]]:
    """The set that Jaccard similarity is about."""
    found = words(text)
    return {tuple(found[at : at + n]) for at in range(len(found) - n + 1)}


def jaccard(one: str, two: str, n: int) -> float:
    """Exact Jaccard similarity; 1.0 for equal words."""
    if words(one) == words(two):
        return 1.0
    first, second = shingle_set(one, n), shingle_set(two, n)
    return len(first & second) / len(first | second) if first and second else 0.0


def survivors(
    texts: Sequence[str], signatures: np.ndarray, order: Sequence[int], n: int, threshold: float
) -> dict[int, Match]:
    """The dropped texts with their twins, by number in `texts`."""
    index = MinHashLSH(num_perm=NUM_PERM, params=bands(threshold))
    by_words: dict[tuple[str, ...], int] = {}
    dropped: dict[int, Match] = {}
    rank = {number: place for place, number in enumerate(order)}
    for number in order:
        found = tuple(words(texts[number]))
        if not found:
            continue
        candidates = set()
        if found in by_words:
            candidates.add(by_words[found])
        sketch = MinHash(NUM_PERM, SEED, hashvalues=signatures[number], scheme="affine32", permutations=_PERMUTATIONS)
        if len(found) >= n:
            candidates |= set(index.query(sketch))
        verified = [(jaccard(texts[number], texts[other], n), -rank[other], other) for other in candidates]
        matches = [match for match in verified if match[0] >= threshold]
        if matches:
            similarity, _, twin = max(matches)
            dropped[number] = (twin, similarity)
        else:
            by_words[found] = number
            if len(found) >= n:
                index.insert(number, sketch)
    return dropped


_PERMUTATIONS = MinHash(NUM_PERM, SEED).permutations
