"""The definitions of `dedup.kernels.reference`, compiled; the two modules can stand for each other."""

from dedup.kernels.encoding_lines import suspect_lines
from dedup.kernels.repair_screen import furniture_lines, suspects
from dedup.kernels.segments import joined, segments
from dedup.kernels.self_matches import lookalikes, matches
from dedup.kernels.self_repeat_screen import repeating
from dedup.kernels.shingles import buckets, hash_sets, minimizers, similarities, sketches, word_hashes

compiled = True  # see `dedup.fingerprint.similarity.Comparer`

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
