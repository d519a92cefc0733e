"""Constants of the kernels as typed numpy scalars, which numba freezes into compiled code."""

from __future__ import annotations

import numpy as np

from dedup.fingerprint import shingles

FNV_OFFSET = np.uint64(shingles.FNV_OFFSET)
FNV_PRIME = np.uint64(shingles.FNV_PRIME)
SHINGLE_BASE = np.uint64(shingles.SHINGLE_BASE)
MIX_1 = np.uint64(shingles.MIX_1)
MIX_2 = np.uint64(shingles.MIX_2)
SPACE = np.uint8(32)  # the separator of words in a comparison key
