"""The definitions of `dedup.fingerprint`, compiled; the two modules can stand for each other."""

from dedup.kernels.sets import hash_sets, minimizers, similarities, sketches

__all__ = ["hash_sets", "minimizers", "similarities", "sketches"]
