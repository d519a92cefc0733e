"""The definitions of `dedup.plain`, compiled; the two modules can stand for each other."""

from dedup.kernels.again import lookalikes, matches
from dedup.kernels.mojibake import suspect_lines
from dedup.kernels.repeating import repeating
from dedup.kernels.screen import furniture_lines, suspects
from dedup.kernels.sets import buckets, hash_sets, minimizers, similarities, sketches, word_hashes
from dedup.kernels.texts import joined, segments

compiled = True  # see `dedup.fingerprint.Comparer`

__all__ = [
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
