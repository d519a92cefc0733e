from __future__ import annotations

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup import SettingsError
from dedup.arrays import encode_utf8, pack
from dedup.fingerprint.minhash import bands, buckets, minhash_signatures, plain_signatures
from dedup.fingerprint.shingles import hash_words, shingle_hash, shingle_hashes, shingles
from dedup.fingerprint.similarity import hash_sets, jaccard, similarities
from dedup.kernels import compiled as kernels
from dedup.segment.words import comparison_key, words

TEXTS = st.text() | st.lists(
    st.sampled_from(["the", "cat", "sat", "on", "a", "mat", "北京", "ไทย", "é", "ﬁ"]), max_size=40
).map(" ".join)
SIZES = st.integers(1, 6)


@given(st.lists(TEXTS, max_size=4), SIZES)
def test_signatures_are_datasketch_signatures_to_the_bit(texts, n):
    ours = plain_signatures(texts, n)
    assert ours.dtype == np.uint32
    assert ours.shape == (len(texts), 128)
    for text, signature in zip(texts, ours, strict=True):
        theirs = MinHash(num_perm=128, seed=1, hashfunc=shingle_hash)
        theirs.update_batch(shingles(text, n))
        assert theirs.scheme == "affine32"
        assert (theirs.hashvalues == signature).all()


@given(st.lists(TEXTS | st.text("ab \n\u0301\u0345é½ﾞß\u2003京。"), max_size=4), SIZES)
def test_signatures_of_many_texts_are_those_of_each(texts, n):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dedup.in_memory.SMALL_BYTES", 0)
        patch.setattr("dedup.in_memory._ROWS_AT_ONCE", 2)
        assert (
            dedup.signatures(texts, n, num_perm=16, seed=3) == plain_signatures(texts, n, num_perm=16, seed=3)
        ).all()


@pytest.mark.parametrize(("num_perm", "seed"), [(1, 1), (16, 7), (128, 42), (256, 1)])
def test_signatures_follow_permutations_and_seed(num_perm, seed):
    text = "the quick brown fox jumps over the lazy dog again and again"
    theirs = MinHash(num_perm=num_perm, seed=seed, hashfunc=shingle_hash)
    theirs.update_batch(shingles(text, 3))
    assert (plain_signatures([text], 3, num_perm=num_perm, seed=seed)[0] == theirs.hashvalues).all()


@given(st.lists(TEXTS, max_size=8), SIZES)
def test_kernels_equal_their_definitions(texts, n):
    keys = [encode_utf8(comparison_key(text)) for text in texts]
    hashes, ends = hash_words(keys)
    assert (kernels.word_hashes(*pack(keys)) == hashes).all()
    signed = minhash_signatures(hashes, ends[:-1], ends[1:], n)
    assert (kernels.minhash_signatures(hashes, ends[:-1], ends[1:], n) == signed).all()
    assert (kernels.buckets(signed, 25, 5) == buckets(signed, 25, 5)).all()
    plain, borders = hash_sets(keys, n)
    fast, fast_borders = kernels.hash_sets(keys, n)
    assert (plain == fast).all()
    assert (borders == fast_borders).all()
    everyone = np.arange(len(keys))
    for text in everyone:
        for least in (0.0, 0.5, 1.0):
            one = similarities(plain, borders, text, everyone, least)
            two = kernels.similarities(plain, borders, text, everyone, least)
            assert (one == two).all()


@given(st.text(), SIZES)
def test_shingles_are_the_windows_of_the_words(text, n):
    found = [encode_utf8(word) for word in words(text)]
    assert shingles(text, n) == [b" ".join(found[at : at + n]) for at in range(max(0, len(found) - n + 1))]
    hashes = shingle_hashes(encode_utf8(comparison_key(text)), n)
    assert [int(value) & 0xFFFFFFFF for value in hashes] == [shingle_hash(one) for one in shingles(text, n)]


@given(TEXTS, TEXTS, SIZES)
def test_jaccard_is_that_of_the_shingle_sets(one, two, n):
    first, second = set(shingles(one, n)), set(shingles(two, n))
    similarity = jaccard(encode_utf8(comparison_key(one)), encode_utf8(comparison_key(two)), n)
    if words(one) == words(two):
        assert similarity == 1.0
    elif first and second:
        assert similarity == len(first & second) / len(first | second)
    else:
        assert similarity == 0.0


def test_a_text_shorter_than_the_shingle_has_the_empty_signature():
    assert shingles("too short", 3) == []
    assert (plain_signatures(["too short"], 3) == 0xFFFFFFFF).all()


@given(st.lists(TEXTS, min_size=2, max_size=12), st.sampled_from([0.5, 0.8, 0.95]))
def test_buckets_meet_where_datasketch_bands_meet(texts, threshold):
    signed = plain_signatures(texts, 2)
    number, rows = bands(threshold)
    ours = buckets(signed, number, rows)
    for band in range(number):
        values = [row[band * rows : (band + 1) * rows].tobytes() for row in signed]
        for one in range(len(texts)):
            for two in range(one):
                assert (ours[one, band] == ours[two, band]) == (values[one] == values[two])


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0])
def test_bands_miss_at_most_one_match_in_a_thousand(threshold):
    number, rows = bands(threshold)
    assert number * rows <= 128
    assert 1 - (1 - threshold**rows) ** number >= 0.999
    if number > 1:  # one row more would be too many
        assert 1 - (1 - threshold ** (rows + 1)) ** (128 // (rows + 1)) < 0.999


def test_bands_for_the_default_are_those_of_the_design_not_of_datasketch():
    assert bands(0.8) == (25, 5)
    theirs = MinHashLSH(threshold=0.8, num_perm=128)
    assert (1 - 0.8**theirs.r) ** theirs.b > 0.5  # balanced for users who do not verify


@pytest.mark.parametrize("n", [0, -1])
def test_shingles_of_no_words_are_refused(n):
    for call in (lambda: shingles("a b", n), lambda: plain_signatures(["a b"], n)):
        with pytest.raises(SettingsError, match="give 1 or more"):
            call()


def test_a_long_word_and_a_long_text_are_no_trouble():
    keys = [b"x" * 200_000, b" ".join([b"a", b"b"] * 50_000)]
    hashes, ends = hash_words(keys)
    assert (kernels.word_hashes(*pack(keys)) == hashes).all()
    plain = minhash_signatures(hashes, ends[:-1], ends[1:], 3)
    assert (kernels.minhash_signatures(hashes, ends[:-1], ends[1:], 3) == plain).all()
