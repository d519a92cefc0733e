"""Shingles, signatures, buckets and similarities: equal to datasketch, and compiled code equal to the definition."""

from __future__ import annotations

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup import SettingsError
from dedup.arrays import encode_utf8, pack
from dedup.fingerprint.minhash import bands, bucket_signatures, minhash_signatures, plain_signatures
from dedup.fingerprint.shingles import hash_words, shingle_hash, shingle_hashes, shingles
from dedup.fingerprint.similarity import jaccard, jaccard_similarities, shingle_hash_sets
from dedup.kernels import compiled
from dedup.segment.words import comparison_key, words

TEXTS = st.text() | st.lists(
    st.sampled_from(["the", "cat", "sat", "on", "a", "mat", "北京", "ไทย", "é", "ﬁ"]), max_size=40
).map(" ".join)
SIZES = st.integers(1, 6)


@given(st.lists(TEXTS, max_size=4), SIZES)
def test_signatures_equal_those_of_datasketch_to_the_bit(texts, n):
    signatures = plain_signatures(texts, n)
    assert signatures.dtype == np.uint32
    assert signatures.shape == (len(texts), 128)
    for text, signature in zip(texts, signatures, strict=True):
        theirs = MinHash(num_perm=128, seed=1, hashfunc=shingle_hash)
        theirs.update_batch(shingles(text, n))
        assert theirs.scheme == "affine32"
        assert (theirs.hashvalues == signature).all()


@given(st.lists(TEXTS | st.text("ab \n\u0301\u0345é½ﾞß\u2003京。"), max_size=4), SIZES)
def test_signatures_of_many_texts_equal_those_of_each(texts, n):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dedup.in_memory.SMALL_BYTES", 0)
        patch.setattr("dedup.in_memory._TEXTS_PER_BATCH", 2)
        assert (
            dedup.signatures(texts, n, num_perm=16, seed=3) == plain_signatures(texts, n, num_perm=16, seed=3)
        ).all()


@pytest.mark.parametrize(("num_perm", "seed"), [(1, 1), (16, 7), (128, 42), (256, 1)])
def test_signatures_depend_on_permutations_and_seed_like_those_of_datasketch(num_perm, seed):
    text = "the quick brown fox jumps over the lazy dog again and again"
    theirs = MinHash(num_perm=num_perm, seed=seed, hashfunc=shingle_hash)
    theirs.update_batch(shingles(text, 3))
    assert (plain_signatures([text], 3, num_perm=num_perm, seed=seed)[0] == theirs.hashvalues).all()


@given(st.lists(TEXTS, max_size=8), SIZES)
def test_compiled_fingerprints_equal_their_definitions(texts, n):
    keys = [encode_utf8(comparison_key(text)) for text in texts]
    hashes, offsets = hash_words(keys)
    assert (compiled.word_hashes(*pack(keys)) == hashes).all()
    signatures = minhash_signatures(hashes, offsets[:-1], offsets[1:], n)
    assert (compiled.minhash_signatures(hashes, offsets[:-1], offsets[1:], n) == signatures).all()
    assert (compiled.bucket_signatures(signatures, 25, 5) == bucket_signatures(signatures, 25, 5)).all()
    sets, set_offsets = shingle_hash_sets(keys, n)
    compiled_sets, compiled_offsets = compiled.shingle_hash_sets(keys, n)
    assert (sets == compiled_sets).all()
    assert (set_offsets == compiled_offsets).all()
    others = np.arange(len(keys))
    for text in others:
        for least in (0.0, 0.5, 1.0):
            expected = jaccard_similarities(sets, set_offsets, text, others, least)
            assert (compiled.jaccard_similarities(sets, set_offsets, text, others, least) == expected).all()


@given(st.text(), SIZES)
def test_shingles_are_the_windows_of_consecutive_words(text, n):
    encoded = [encode_utf8(word) for word in words(text)]
    windows = [encoded[start : start + n] for start in range(max(0, len(encoded) - n + 1))]
    assert shingles(text, n) == list(map(b" ".join, windows))
    hashes = shingle_hashes(encode_utf8(comparison_key(text)), n)
    assert [int(value) & 0xFFFFFFFF for value in hashes] == list(map(shingle_hash, shingles(text, n)))


@given(TEXTS, TEXTS, SIZES)
def test_jaccard_compares_the_shingle_sets(first_text, second_text, n):
    first, second = set(shingles(first_text, n)), set(shingles(second_text, n))
    similarity = jaccard(encode_utf8(comparison_key(first_text)), encode_utf8(comparison_key(second_text)), n)
    if words(first_text) == words(second_text):
        assert similarity == 1.0
    elif first and second:
        assert similarity == len(first & second) / len(first | second)
    else:
        assert similarity == 0.0


def test_a_text_shorter_than_the_shingle_has_the_empty_signature():
    assert shingles("too short", 3) == []
    assert (plain_signatures(["too short"], 3) == 0xFFFFFFFF).all()


@given(st.lists(TEXTS, min_size=2, max_size=12), st.sampled_from([0.5, 0.8, 0.95]))
def test_two_signatures_share_a_bucket_if_they_agree_in_the_band(texts, threshold):
    signatures = plain_signatures(texts, 2)
    band_count, rows = bands(threshold)
    assigned = bucket_signatures(signatures, band_count, rows)
    for band in range(band_count):
        values = [signature[band * rows : (band + 1) * rows].tobytes() for signature in signatures]
        for first in range(len(texts)):
            for second in range(first):
                assert (assigned[first, band] == assigned[second, band]) == (values[first] == values[second])


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0])
def test_bands_miss_at_most_one_match_in_a_thousand(threshold):
    band_count, rows = bands(threshold)
    assert band_count * rows <= 128
    assert 1 - (1 - threshold**rows) ** band_count >= 0.999
    if band_count > 1:  # with one more row per band the recall would be too low
        assert 1 - (1 - threshold ** (rows + 1)) ** (128 // (rows + 1)) < 0.999


def test_bands_at_the_default_threshold_differ_from_those_of_datasketch():
    assert bands(0.8) == (25, 5)
    theirs = MinHashLSH(threshold=0.8, num_perm=128)
    assert (1 - 0.8**theirs.r) ** theirs.b > 0.5  # balanced for users who do not verify


@pytest.mark.parametrize("n", [0, -1])
def test_a_shingle_of_no_words_is_an_error(n):
    for call in (lambda: shingles("a b", n), lambda: plain_signatures(["a b"], n)):
        with pytest.raises(SettingsError, match="give 1 or more"):
            call()


@pytest.mark.parametrize("num_perm", [0, -1])
def test_a_signature_of_no_values_is_an_error_as_in_datasketch(num_perm):
    with pytest.raises(ValueError, match="must be positive"):
        MinHash(num_perm=num_perm)
    for sign in (dedup.signatures, plain_signatures):
        for texts in (["a b c"], []):
            with pytest.raises(SettingsError, match="give 1 or more"):
                sign(texts, 2, num_perm=num_perm)


def test_compiled_fingerprints_equal_their_definitions_on_long_words_and_texts():
    keys = [b"x" * 200_000, b" ".join([b"a", b"b"] * 50_000)]
    hashes, offsets = hash_words(keys)
    assert (compiled.word_hashes(*pack(keys)) == hashes).all()
    expected = minhash_signatures(hashes, offsets[:-1], offsets[1:], 3)
    assert (compiled.minhash_signatures(hashes, offsets[:-1], offsets[1:], 3) == expected).all()


def test_signatures_of_a_few_texts_are_those_of_the_definition():
    texts = ["one two three four", "too short", ""]
    assert (dedup.signatures(texts, 3) == plain_signatures(texts, 3)).all()
