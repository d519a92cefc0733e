"""Matching gives the same answer plain and compiled, in one pass or many, in memory or in files."""

from __future__ import annotations

from random import Random

import numpy as np
import pyarrow as pa
import pytest
from helpers.article_copies import article_copies
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup import Settings
from dedup.arrays import pack
from dedup.engines.local import Workers
from dedup.fingerprint.shingles import word_hash
from dedup.fingerprint.similarity import jaccard
from dedup.kernels import compiled as kernels
from dedup.kernels import reference, set_overlap
from dedup.match import survivors
from dedup.match.articles import match_articles
from dedup.match.boilerplate import Evidence
from dedup.match.buckets import (
    bucket_entries,
    find_first_equal,
    find_shared_values,
    first_equal_places,
    texts_to_compare,
    value_entries,
)
from dedup.match.contained import match_contained
from dedup.match.own_text import set_site_text_apart
from dedup.match.paragraphs import match_paragraphs
from dedup.match.survivors import ComparedTexts
from dedup.prepare.batch import prepare
from dedup.prepare.corpus import Corpus, KeyReader
from dedup.read.fields import to_json_bytes
from dedup.read.objects import JsonRecord, record_batch
from dedup.runtime.resources import ResourceBudget, evict_pages, slices
from dedup.settings import KEEP

# Two words that FNV-1a (64 bits) gives one hash.
COLLIDING = b"8yn0iYCKYHlIj4-BwPqk", b"GReLUrM4wMqfg9yzV3KQ"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("budget")


@st.composite
def keys_in_buckets(draw):
    """Draw keys, each in random buckets of three bands; texts with these keys; their groups and forms."""
    words = st.lists(st.sampled_from("abcde"), max_size=8).map(lambda found: " ".join(found).encode())
    keys = draw(st.lists(words, min_size=1, max_size=8, unique=True))
    count = draw(st.integers(1, 30))
    texts = draw(st.lists(st.integers(0, len(keys) - 1), min_size=count, max_size=count))
    buckets = draw(st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=len(keys), max_size=len(keys)))
    groups = draw(st.none() | st.lists(st.integers(0, 4), min_size=count, max_size=count))
    forms = draw(st.just(range(len(keys))) | st.lists(st.integers(0, 3), min_size=len(keys), max_size=len(keys)))
    return keys, np.array(texts), np.array(buckets, np.uint32) << np.uint32(30), groups, forms


def corpus_of(keys, budget):
    batch = pa.record_batch({"record": pa.array(range(len(keys))), "key": pa.array(keys, pa.large_binary())})
    half = len(keys) // 2
    return Corpus([batch.slice(0, half), batch.slice(half)], budget)


def survival(made, n, threshold, comparer, budget):
    keys, texts, buckets, groups, forms = made
    firsts = first_equal_places(texts, len(keys))
    distinct = np.flatnonzero(firsts == np.arange(len(texts)))

    def entries(low, high):
        return [bucket_entries(distinct.astype(np.uint32), buckets[texts[distinct]], low, high, comparer)]

    found = texts_to_compare(firsts, find_shared_values(entries, len(distinct) * 3, comparer, budget), comparer)
    lengths = np.array([len(key.split()) for key in keys])
    rows = texts[found.texts]
    compared_texts = ComparedTexts(
        found.firsts,
        found.buckets,
        lengths[rows],
        np.array(forms, np.uint64)[rows],
        None if groups is None else np.array(groups)[found.texts],
    )
    answer = survivors.find_survivors(compared_texts, KeyReader(corpus_of(keys, budget), rows), n, threshold, comparer)
    return found.texts.tolist(), answer.twins.tolist(), answer.similarities.tolist(), answer.matches, answer.flags


@pytest.mark.slow
@settings(max_examples=100)
@given(keys_in_buckets(), st.integers(1, 3), st.sampled_from([0.01, 0.3, 0.5, 0.8, 1.0]), st.integers(100, 9000))
def test_the_compiled_loop_equals_the_plain_one_with_any_memory(folder, made, n, threshold, memory):
    plain = survival(made, n, threshold, reference, ResourceBudget())
    assert survival(made, n, threshold, kernels, ResourceBudget()) == plain
    assert survival(made, n, threshold, kernels, ResourceBudget(memory, 2, folder)) == plain
    assert survival(made, n, threshold, reference, ResourceBudget(memory)) == plain


@st.composite
def forms_in_buckets(draw):
    """Draw keys that are a few forms with some words replaced, all in one large bucket and in some of two others."""
    length = draw(st.integers(6, 60))
    bases = [[f"{form}{place}" for place in range(length)] for form in "ab"[: draw(st.integers(1, 2))]]
    keys = []
    for _ in range(draw(st.integers(2, 25))):
        key = list(draw(st.sampled_from(bases)))
        for place in draw(st.lists(st.integers(0, length - 1), max_size=3)):
            key[place] = draw(st.sampled_from("xyz")) + str(draw(st.integers(0, 40)))
        keys.append(" ".join(key).encode())
    keys = list(dict.fromkeys(keys))
    texts = draw(st.permutations([*range(len(keys)), *draw(st.lists(st.integers(0, len(keys) - 1), max_size=8))]))
    buckets = draw(
        st.lists(st.tuples(st.integers(0, 1), *[st.integers(0, 5)] * 2), min_size=len(keys), max_size=len(keys))
    )
    groups = draw(st.none() | st.lists(st.integers(0, 4), min_size=len(texts), max_size=len(texts)))
    return keys, np.array(texts), np.array(buckets, np.uint32) << np.uint32(29), groups, range(len(keys))


@pytest.mark.slow
@settings(max_examples=300)
@given(forms_in_buckets(), st.integers(1, 5), st.integers(0, 6), st.integers(0, 6), st.integers(1, 6), st.randoms())
def test_an_index_of_survivors_changes_no_answer(made, n, large, searched, rare, random):
    first, second = random.sample(made[0], 2) if len(made[0]) > 1 else made[0] * 2
    threshold = jaccard(first, second, n) or 0.8  # so that this pair just matches
    plain = survival(made, n, threshold, reference, ResourceBudget())
    sizes = {"_LARGE_BUCKET": large, "_INDEXED_MEMBERS": searched, "_SEARCHED_MEMBERS": searched, "_RARE_SETS": rare}
    with pytest.MonkeyPatch.context() as patch:
        for name, size in sizes.items():
            patch.setattr(survivors, name, size)
        assert survival(made, n, threshold, kernels, ResourceBudget()) == plain
        assert survival(made, n, threshold, reference, ResourceBudget()) == plain


@pytest.mark.parametrize("seed", range(6))
def test_an_index_finds_matches_that_share_no_rare_shingle(seed, monkeypatch):
    random = Random(seed)
    form = [f"a{place}" for place in range(40)]
    keys = set()
    while len(keys) < 150:
        chosen = random.sample(range(40), random.randint(0, 3))
        words = [f"b{place}" if place in chosen and random.random() < 0.5 else word for place, word in enumerate(form)]
        keys.add(" ".join(word for place, word in enumerate(words) if place not in chosen or word[0] == "b").encode())
    keys = sorted(keys)
    random.shuffle(keys)
    made = keys, np.arange(150), np.zeros((150, 3), np.uint32), None, range(150)
    n = random.choice([1, 2])
    threshold = sorted(jaccard(*random.sample(keys, 2), n) for _ in range(9))[6]  # a third of the pairs match
    plain = survival(made, n, threshold, reference, ResourceBudget())
    for name in ("_LARGE_BUCKET", "_INDEXED_MEMBERS", "_SEARCHED_MEMBERS", "_RARE_SETS"):
        monkeypatch.setattr(survivors, name, 1)
    assert survival(made, n, threshold, kernels, ResourceBudget()) == plain
    assert survival(made, n, threshold, reference, ResourceBudget()) == plain


def prepared(rows, chosen, budget, known_batches):
    records = [JsonRecord(to_json_bytes(row), None) for row in rows]
    half = len(records) // 2
    batches = [
        prepare(record_batch(records[:half], 0), chosen),
        prepare(record_batch(records[half:], half), chosen),
    ]
    return Corpus(batches, budget, known_batches)


def comparable(value):
    if isinstance(value, Evidence):
        return value.to_list()
    return value.tolist() if isinstance(value, np.ndarray) else value


def matched(rows, chosen, comparer, budget, known_batches):
    corpus = prepared(rows, chosen, budget, known_batches)
    workers = Workers(compiled=comparer is kernels)
    corpus, paragraphs, site_text = set_site_text_apart(corpus, chosen, workers)
    articles = match_contained(corpus, match_articles(corpus, chosen, comparer), chosen, comparer)
    shared = match_paragraphs(corpus, paragraphs, articles, chosen, comparer)
    results = (site_text, articles, shared)
    work = {"candidates", "lookups"}  # how the answer was found
    return [
        {name: comparable(value) for name, value in found._asdict().items() if name not in work} for found in results
    ]


@pytest.mark.slow
@settings(max_examples=30)
@given(
    st.lists(article_copies(), min_size=1, max_size=3),
    st.sampled_from(KEEP),
    st.sampled_from([0.5, 0.8]),
    st.sampled_from(["default", "corpus", "lossless"]),
    st.sampled_from(["drop", "flag"]),
    st.sampled_from([None, 0.3]),
    st.integers(1000, 50000),
    st.integers(0, 1),
)
def test_compiled_matching_equals_the_plain_one_with_any_memory(
    folder, parts, keep, threshold, profile, action, least, memory, known_batches
):
    rows = [
        {**row, "text": "\n\n".join(part[at % len(part)]["text"] for part in parts)} for at, row in enumerate(parts[0])
    ]
    rows += parts[-1]
    rules = {"contained-article": action}
    chosen = Settings(
        keep=keep,
        threshold=threshold,
        same_story_threshold=least,
        paragraph_threshold=threshold,
        profile=profile,
        rules=rules,
    )
    plain = matched(rows, chosen, reference, ResourceBudget(), known_batches)
    assert matched(rows, chosen, kernels, ResourceBudget(), known_batches) == plain
    assert matched(rows, chosen, kernels, ResourceBudget(memory, 2, folder), known_batches) == plain


@given(st.lists(st.binary(min_size=16, max_size=16) | st.sampled_from([b"a" * 16, b"b" * 16]), max_size=30))
def test_first_equal_digests_do_not_depend_on_the_number_of_passes(made):
    digests = np.frombuffer(b"".join(made), "V16")
    expected = [made.index(one) for one in made]
    for comparer in (reference, kernels):
        for memory in (1 << 30, 4000):
            assert (
                find_first_equal(
                    lambda: [digests[:7], digests[7:]], len(made), comparer, ResourceBudget(memory)
                ).tolist()
                == expected
            )


@given(st.lists(st.lists(st.integers(0, 40).map(lambda n: n * 0x5DEECE66D), unique=True, max_size=9), max_size=20))
def test_shared_values_are_those_that_two_texts_have(made):
    borders = np.cumsum([0, *map(len, made)])
    values = np.array([value for one in made for value in sorted(one)], np.uint64)
    expected = {
        (text, value) for text, one in enumerate(made) for value in one if sum(value in other for other in made) > 1
    }
    for comparer in (reference, kernels):
        for memory in (1 << 30, 1000):

            def entries(low, high):
                return [value_entries(np.arange(len(made), dtype=np.uint32), values, borders, low, high)]

            found = set()
            for (numbers, holders), its in find_shared_values(entries, len(values), comparer, ResourceBudget(memory)):
                found |= set(zip(holders.tolist(), its[numbers.astype(np.int64)].tolist(), strict=True))
            assert found == expected


def test_two_words_with_one_hash_do_not_agree():
    assert word_hash(COLLIDING[0]) == word_hash(COLLIDING[1])
    data, borders = pack([b"x " + COLLIDING[0], b"x " + COLLIDING[1], b"x y"])
    ones, twos = np.array([0, 0, 1]), np.array([0, 1, 2])
    assert set_overlap.hashes_agree(data, borders[:-1], borders[1:], ones, twos, 1).tolist() == [True, False, True]


@pytest.mark.parametrize("comparer", [reference, kernels])
def test_a_text_is_not_dropped_because_two_words_have_one_hash(comparer):
    rest = [f"w{number}" for number in range(9)]
    keys = [" ".join([*rest, word.decode()]).encode() for word in COLLIDING]
    made = keys, np.arange(2), np.zeros((2, 3), np.uint32), None, range(2)
    assert survival(made, 1, 0.9, comparer, ResourceBudget())[1] == [-1, -1]
    assert survival(made, 1, 0.8, comparer, ResourceBudget())[1:3] == ([-1, 0], [1.0, 9 / 11])


def test_slices_cover_a_range_once():
    for count in range(20):
        for parts in range(1, 8):
            assert [n for start, stop in slices(count, parts) for n in range(start, stop)] == list(range(count))


def test_large_arrays_are_unnamed_files(tmp_path):
    budget = ResourceBudget(memory=1000, folder=tmp_path)
    array = budget.array(1000, np.int64)
    array[:] = 7
    evict_pages(array)
    assert isinstance(array, np.memmap)
    assert array.sum() == 7000
    assert list(tmp_path.iterdir()) == []
    assert not isinstance(budget.array(10, np.int64), np.memmap)
