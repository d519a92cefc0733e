"""Find the sets that may match a set without comparing all of them, in plain Python and numpy.

`dedup.kernels.set_index` explains the three steps and is the compiled version; its arrays are dicts here. A set is a
row, and its elements are hashes of shingles.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dedup.arrays import I64, U64

_DIFFERENCES_IN_PARTS = 12  # with more, rows are compared one by one, as in the compiled version
_PART_BITS = np.uint64(24)  # bits of a hash that choose its part


class PlainSetIndex:
    """Sets by their rare shingles and by parts of their common ones.

    `hashes` and `borders` are the sets, as `dedup.fingerprint.similarity.shingle_hash_sets` returns them: uint64
    [hashes] and int64 [rows + 1]. `indexed` are the rows that may be inserted and looked up, int64 [indexed]. A shingle
    is rare if at most `rare` of these have it. `steps` counts the shingles, groups and rows that lookups read.
    """

    def __init__(self, hashes: U64, borders: I64, indexed: I64, threshold: float, rare: int) -> None:
        self.threshold = threshold
        self.steps = 0
        sets = [hashes[borders[row] : borders[row + 1]] for row in indexed.tolist()]
        elements = np.concatenate([np.empty(0, np.uint64), *sets])
        _, places, counts = np.unique(elements, return_inverse=True, return_counts=True)
        frequencies = np.split(counts[places.ravel()], np.cumsum([len(each) for each in sets])[:-1])
        self.singles: dict[int, int] = {}  # by row: the number of shingles that no other set has
        self.rares: dict[int, list[int]] = {}  # by row: the shingles that a few sets have
        self.commons: dict[int, U64] = {}  # by row: the other shingles
        for row, elements, frequency in zip(indexed.tolist(), sets, frequencies, strict=False):
            self.singles[row] = int(np.count_nonzero(frequency == 1))
            self.rares[row] = elements[(frequency > 1) & (frequency <= rare)].tolist()
            self.commons[row] = elements[frequency > max(rare, 1)]
        self._holders: dict[int, list[int]] = {}  # rows by rare shingle
        self._groups: dict[tuple[int, int], _Group] = {}  # by the numbers of shingles, and of common ones

    def size(self, row: int) -> int:
        """Return the number of shingles of a set."""
        return self.singles[row] + len(self.rares[row]) + len(self.commons[row])

    def insert(self, row: int) -> None:
        """Add a set."""
        for shingle in self.rares[row]:
            self._holders.setdefault(shingle, []).append(row)
        if not self._shares_rare_shingle(row):
            key = self.size(row), len(self.commons[row])
            self._groups.setdefault(key, _Group()).insert(row, self.commons[row])

    def find(self, row: int, most: int) -> set[int] | None:
        """Return all rows of the index that may match a set, or None if this takes `most` steps or more."""
        lacking = self._most_lacking(row) - self.singles[row]
        if lacking < 0:
            return set()
        rows: set[int] = set()
        for shingle in self.rares[row][: lacking + 1]:
            holders = self._holders.get(shingle, ())
            rows.update(holders)
            self.steps += 1 + len(holders)
        return rows if self._shares_rare_shingle(row) else self._find_in_groups(row, rows, most)

    def _find_in_groups(self, row: int, rows: set[int], most: int) -> set[int] | None:
        """Return `rows` and the rows that may match a set without sharing a rare shingle; None as for `find`."""
        steps = len(self._groups)
        for (size, common), group in self._groups.items():
            if steps >= most:
                return None
            differences = self._differences_to(row, size, common)
            if differences < 0:
                continue
            if differences > _DIFFERENCES_IN_PARTS or len(group.rows) <= 2 * (differences + 1):
                steps += len(group.rows)
                rows.update(group.rows)
            else:
                near = group.find(self.commons[row], differences)
                steps += differences + 1 + len(near)
                rows.update(near)
        self.steps += steps + self.size(row)
        return None if steps >= most else rows

    def _most_lacking(self, row: int) -> int:
        """Return the number of shingles of a set that a match may lack."""
        size = self.size(row)
        return int(size - self.threshold * size + 1e-6)  # more than the error of a similarity as a float

    def _shares_rare_shingle(self, row: int) -> bool:
        """Return True if each match of a set shares a rare shingle with it."""
        return self.singles[row] + len(self.rares[row]) > self._most_lacking(row)

    def _differences_to(self, row: int, size: int, common: int) -> int:
        """Return the number of common shingles in which a set and a match may differ; -1 if no match is possible.

        The match shares no rare shingle with the set. It has `size` shingles, and `common` common ones.
        """
        own_size, own_common = self.size(row), len(self.commons[row])
        least = int(np.ceil(self.threshold * (own_size + size) / (1 + self.threshold) - 1e-6))
        return own_common + common - 2 * least if min(own_common, common) >= least else -1


class _Group:
    """Sets with equal numbers of shingles and of common shingles, indexed by parts of their common shingles.

    The parts for a number of differences are made on first use.
    """

    def __init__(self) -> None:
        self.rows: list[int] = []
        self._sets: list[U64] = []
        self._parts: dict[int, dict[tuple[int, int], list[int]]] = {}  # by number of differences: rows by part

    def insert(self, row: int, commons: U64) -> None:
        """Add a set with these common shingles."""
        self.rows.append(row)
        self._sets.append(commons)
        for differences, parts in self._parts.items():
            _add_parts(parts, row, commons, differences)

    def find(self, commons: U64, differences: int) -> Sequence[int]:
        """Return the sets that differ from `commons` in at most `differences` shingles, and some others."""
        if differences not in self._parts:
            parts: dict[tuple[int, int], list[int]] = {}
            for row, others in zip(self.rows, self._sets, strict=True):
                _add_parts(parts, row, others, differences)
            self._parts[differences] = parts
        parts = self._parts[differences]
        return [row for part in _parts_of(commons, differences) for row in parts.get(part, ())]


def _add_parts(parts: dict[tuple[int, int], list[int]], row: int, commons: U64, differences: int) -> None:
    """Add the parts of a set to `parts`."""
    for part in _parts_of(commons, differences):
        parts.setdefault(part, []).append(row)


def _parts_of(commons: U64, differences: int) -> list[tuple[int, int]]:
    """Return the number and digest of each part of a set; there are ``differences + 1`` parts."""
    digests = np.zeros(differences + 1, np.uint64)
    numbers = (commons >> _PART_BITS) % np.uint64(differences + 1)
    np.bitwise_xor.at(digests, numbers.astype(np.int64), commons)
    return list(enumerate(digests.tolist()))
