"""The hashes by which similar sets of shingles find each other: machine code and definition are equal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.arrays import pack
from dedup.fingerprint.prefix_hashes import LONGEST_WORDS
from dedup.fingerprint.shingles import shingle_hashes
from dedup.kernels import compiled, reference

WORD = st.sampled_from([b"a", b"b", b"cc", b"ddd", "é".encode(), b"x" * 90, b"y" * 300])
KEY = st.one_of(st.lists(WORD, max_size=12), st.lists(WORD, min_size=20, max_size=60)).map(b" ".join)
SHINGLE = 3


def ordered_hashes(key):
    """The definition in plain Python: the hashes of the shingles of a key, those of the longest words first."""
    words = key.split(b" ") if key else []
    sizes = [sum(map(len, words[at : at + SHINGLE])) for at in range(len(words) - SHINGLE + 1)]
    pairs = zip(sizes, shingle_hashes(key, SHINGLE).tolist(), strict=True)
    return [value for _, value in sorted({(-min(size, LONGEST_WORDS), value) for size, value in pairs})]


@pytest.mark.parametrize("backend", [reference, compiled], ids=lambda module: module.__name__)
@given(st.lists(KEY, max_size=6))
@settings(max_examples=60, deadline=None)
def test_sets_have_the_shingles_of_the_longest_words_first(backend, keys):
    data, offsets = pack(keys)
    sets = backend.ordered_shingle_sets(data, offsets[:-1], offsets[1:], SHINGLE)
    assert [sets.values[start:stop].tolist() for start, stop in zip(sets.borders, sets.borders[1:], strict=False)] == [
        ordered_hashes(key) for key in keys
    ]


@given(st.lists(KEY, max_size=6), st.sampled_from([0.05, 0.3, 0.5, 0.8, 0.95, 1.0]), st.booleans())
@settings(max_examples=100, deadline=None)
def test_the_hashes_of_sets_equal_their_definition(keys, threshold, for_lookup):
    data, offsets = pack(keys)
    sets = reference.ordered_shingle_sets(data, offsets[:-1], offsets[1:], SHINGLE)
    plain, fast = (backend.prefix_hashes(sets, threshold, for_lookup=for_lookup) for backend in (reference, compiled))
    for name in plain._fields:
        assert getattr(plain, name).dtype == getattr(fast, name).dtype
        assert np.array_equal(getattr(plain, name), getattr(fast, name)), name
