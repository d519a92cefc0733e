"""Everything that exists twice: as a definition here, and compiled in `dedup.kernels.compiled`.

A stage is given one of the two modules.
"""

from __future__ import annotations

from typing import Protocol

from dedup.fingerprint.self_matches import lookalikes, matches
from dedup.fingerprint.shingles import (
    I64,
    U32,
    U64,
    Bytes,
    Comparer,
    buckets,
    compiled,
    hash_sets,
    minimizers,
    similarities,
    sketches,
    word_hashes,
)
from dedup.repairs.screen import Doubts, furniture_lines, suspect_lines, suspects
from dedup.segment.batch import Keys, Segments, joined, repeating, segments
from dedup.settings import NUM_PERM, SEED

__all__ = [
    "Primitives",
    "buckets",
    "compiled",
    "furniture_lines",
    "hash_sets",
    "joined",
    "lookalikes",
    "matches",
    "minimizers",
    "repeating",
    "segments",
    "similarities",
    "sketches",
    "suspect_lines",
    "suspects",
    "word_hashes",
]


class Primitives(Comparer, Protocol):
    """The functions of this module."""

    def suspects(self, data: Bytes, borders: I64) -> Bytes:
        """Which rules may find something in each raw text."""

    def suspect_lines(self, data: Bytes, borders: I64) -> Doubts:
        """In which lines of texts the encoding rule may find something."""

    def furniture_lines(self, data: Bytes, borders: I64) -> dict[int, dict[int, str]]:
        """Which lines of repaired texts are page furniture, and of what kind."""

    def segments(self, data: Bytes, borders: I64) -> Segments:
        """Paragraphs and comparison keys of texts."""

    def joined(self, data: Bytes, starts: I64, stops: I64, borders: I64) -> Keys:
        """Keys of texts from those of their paragraphs."""

    def repeating(self, hashes: U64, found: Segments) -> Bytes:
        """Which texts may repeat themselves."""

    def matches(self, numbers: I64, run: int, most: int) -> tuple[I64, int]:
        """What of the words of one text stands again, and how many runs of words stood before."""

    def lookalikes(self, numbers: I64, borders: I64, same: I64, run: int, postings: int, candidates: int) -> I64:
        """Which paragraphs of one text share many runs of words."""

    def word_hashes(self, keys: Bytes, borders: I64) -> U64:
        """Hashes of words."""

    def sketches(self, words: U64, starts: I64, stops: I64, n: int, num_perm: int = NUM_PERM, seed: int = SEED) -> U32:
        """Signatures of runs of words."""

    def buckets(self, signed: U32, bands: int, rows: int) -> U32:
        """Buckets of signatures."""

    def minimizers(self, words: U64, borders: I64, n: int, window: int) -> tuple[U64, I64]:
        """Minimizers of runs of words, and their borders."""
