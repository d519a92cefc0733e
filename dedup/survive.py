"""Who survives: the loop at the centre of the design.

    for text in priority order:
        matches = survivors sharing a bucket with text, whose exact Jaccard >= threshold
        if matches: drop text; its twin is the match of highest similarity (ties: higher priority)
        else:       text is a survivor

Everything around that loop saves work without changing its answer. Texts with equal comparison keys share one
fingerprint. A text whose buckets hold no other key cannot match and is never looked at. Similarities are computed
on sets of 64-bit shingle hashes; before a text is dropped, the similarity to its twin is computed again on the
shingles themselves, and should the two ever differ, all its candidates are.

Texts are numbered in priority order: 0 is the first to be decided. This module knows neither articles nor files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup import fingerprint
from dedup.fingerprint import I64, U32, Comparer, Floats, jaccard

Bools = npt.NDArray[np.bool_]
KeysOf = Callable[[I64], Sequence[bytes]]

SURVIVES = -1


class Texts(NamedTuple):
    """What is compared, in priority order.

    `keys` numbers the distinct comparison keys: int64 [texts]; `buckets` uint32 [texts, bands] holds anything where
    `sketched` is false. Texts of equal `apart` (int64 [texts]; None: all differ) never match: the paragraphs of
    one article.
    """

    keys: I64
    buckets: U32
    sketched: Bools
    apart: I64 | None = None


class Survival(NamedTuple):
    """For each text its twin, or `SURVIVES`: int64 [texts]; its similarity: float64 [texts]; and what it took."""

    twins: I64
    similarities: Floats
    candidates: int
    matches: int


def survive(texts: Texts, keys_of: KeysOf, n: int, threshold: float, comparer: Comparer = fingerprint) -> Survival:
    """The answer of the loop above.

    `keys_of` gives the comparison keys of the texts with the given numbers; it is asked once, and only for texts that
    share a bucket. `n` is the number of words to a shingle.
    """
    count = len(texts.keys)
    twins = np.full(count, SURVIVES, np.int64)
    similarity = np.ones(count)
    _, first, key_numbers = np.unique(texts.keys, return_index=True, return_inverse=True)
    several = np.bincount(key_numbers, minlength=len(first)) > 1
    buckets = _shared_buckets(texts, first)
    meeting: Bools = np.any(buckets >= 0, axis=1)  # distinct keys that meet another in some bucket
    numbers = np.flatnonzero(meeting)
    loop = _Loop(texts, buckets, first, numbers, keys_of(first[numbers]), n, threshold, comparer)
    survivor_of_key: dict[int, int] = {}
    for text in np.flatnonzero((several | meeting)[key_numbers]).tolist():
        key = int(key_numbers[text])
        twin = survivor_of_key.get(key, SURVIVES)
        if twin != SURVIVES and not loop.apart(text, twin):
            continue  # an equal text in the same article: neither a match nor another survivor
        if twin == SURVIVES and meeting[key]:
            twin, similarity[text] = loop.best_match(text, key)
        if twin == SURVIVES:
            survivor_of_key[key] = text
            if meeting[key]:
                loop.insert(text, key)
        else:
            twins[text] = twin
    return Survival(twins, similarity, loop.candidates, loop.matches)


def _shared_buckets(texts: Texts, first: I64) -> I64:
    """Numbers of the buckets each distinct key shares with another, -1 elsewhere: int64 [keys, bands].

    Numbers are dense and differ between bands.
    """
    sketched = np.flatnonzero(texts.sketched[first])
    values = texts.buckets[first[sketched]]
    shared = np.full((len(first), values.shape[1]), -1, np.int64)
    total = 0
    for band in range(values.shape[1]):
        _, numbers, sizes = np.unique(values[:, band], return_inverse=True, return_counts=True)
        dense = np.cumsum(sizes > 1) - 1 + total
        dense[sizes == 1] = -1
        shared[sketched, band] = dense[numbers]
        total = max(total, int(dense.max(initial=-1)) + 1)
    return shared


class _Loop:
    """The survivors so far, findable by bucket, and the sets to verify candidates with."""

    def __init__(
        self,
        texts: Texts,
        buckets: I64,
        first: I64,
        numbers: I64,
        keys: Sequence[bytes],
        n: int,
        threshold: float,
        comparer: Comparer,
    ) -> None:
        self.texts = texts
        self.buckets = buckets
        self.rows = np.full(len(first), -1, np.int64)  # where a key's set is
        self.rows[numbers] = np.arange(len(numbers))
        self.keys = keys
        self.n = n
        self.threshold = threshold
        self.comparer = comparer
        self.hashes, self.borders = comparer.hash_sets(keys, n)
        self.members: dict[int, list[int]] = {}  # bucket -> survivors in it, ascending
        self.row_of: dict[int, int] = {}  # survivor -> row of its set
        self.candidates = 0
        self.matches = 0

    def apart(self, one: int, two: int) -> bool:
        """Whether the two texts may match at all."""
        return self.texts.apart is None or bool(self.texts.apart[one] != self.texts.apart[two])

    def insert(self, text: int, key: int) -> None:
        """Makes `text` a survivor that later texts can meet."""
        self.row_of[text] = int(self.rows[key])
        for bucket in self.buckets[key].tolist():
            if bucket >= 0:
                self.members.setdefault(bucket, []).append(text)

    def best_match(self, text: int, key: int) -> tuple[int, float]:
        """The survivor `text` repeats and their similarity, or `SURVIVES` and 1.0."""
        met: set[int] = set()
        for bucket in self.buckets[key].tolist():
            if bucket >= 0:
                met.update(self.members.get(bucket, ()))
        found = sorted(other for other in met if self.apart(text, other))
        if not found:
            return SURVIVES, 1.0
        self.candidates += len(found)
        row = int(self.rows[key])
        rows = np.array([self.row_of[other] for other in found])
        estimates = self.comparer.similarities(self.hashes, self.borders, row, rows, self.threshold)
        best = int(np.argmax(estimates))
        if estimates[best] < self.threshold:
            return SURVIVES, 1.0
        exact = jaccard(self.keys[row], self.keys[rows[best]], self.n)
        if exact != estimates[best]:  # two shingles with one hash: about one comparison in 10**13
            similarities = [jaccard(self.keys[row], self.keys[other], self.n) for other in rows]
            best = int(np.argmax(similarities))
            exact = similarities[best]
            if exact < self.threshold:
                return SURVIVES, 1.0
        self.matches += int(np.count_nonzero(estimates >= self.threshold))
        return found[best], exact
