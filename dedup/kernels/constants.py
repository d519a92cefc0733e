"""Typed constants of the kernels.

Numba freezes a global scalar into the machine code of each kernel that reads it. An unsigned type keeps the operations
on hashes unsigned: uint64 with a signed operand would become float64.
"""

from __future__ import annotations

import numpy as np

from dedup.fingerprint import shingles

ZERO = np.uint64(0)
NONE_YET: int = np.int64(0)  # type: ignore[assignment]  # numba would compile a part for a literal 0, too
ONE = np.uint64(1)

# The constants of `dedup.fingerprint.shingles`, by the same names.
FNV_OFFSET = np.uint64(shingles.FNV_OFFSET)
FNV_PRIME = np.uint64(shingles.FNV_PRIME)
SHINGLE_BASE = np.uint64(shingles.SHINGLE_BASE)
MIX_1 = np.uint64(shingles.MIX_1)
MIX_2 = np.uint64(shingles.MIX_2)

# MurmurHash3's finalizer shifts by this many bits. A hash table takes its slots from the 31 bits that are left.
HASH_SHIFT = np.uint64(33)

# Bytes of UTF-8.
SPACE_BYTE = np.uint8(32)  # separates the words of a comparison key
NEWLINE_BYTE = np.uint8(10)
