"""Everything that exists twice: as a definition here, and compiled in `dedup.kernels.compiled`.

A stage is given one of the two modules.
"""

from __future__ import annotations

from dedup.fingerprint.minhash import buckets, sketches
from dedup.fingerprint.minimizers import minimizers
from dedup.fingerprint.self_matches import lookalikes, matches, repeating
from dedup.fingerprint.shingles import word_hashes
from dedup.fingerprint.similarity import compiled, hash_sets, similarities
from dedup.repairs.screen import furniture_lines, suspect_lines, suspects
from dedup.segment.batch import joined, segments

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
