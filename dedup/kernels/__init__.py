"""The definitions of `dedup.fingerprint`, compiled; the two modules can stand for each other."""

from dedup.kernels.sets import hash_sets, minimizers, similarities, sketches

compiled = True  # see `dedup.fingerprint.Comparer`

__all__ = ["compiled", "hash_sets", "minimizers", "similarities", "sketches"]
