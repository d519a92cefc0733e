"""The whole job on real corpora: on the small ones of `tests/data`, and on the large ones where they can be found."""

from __future__ import annotations

from collections import Counter

import pytest
from conftest import SMALL, read_jsonl
from helpers.form_pairs import evidence_of_form
from helpers.oracle import survivors

from dedup import LocalEngine, Settings, clean
from dedup.arrays import encode_utf8
from dedup.fingerprint.shingles import hash_words
from dedup.inspect.restore import restore
from dedup.inspect.verify import verify
from dedup.kernels import compiled as kernels
from dedup.prepare.one_text import compared_text
from dedup.segment.words import comparison_key
from dedup.settings import ARTICLE_SHINGLE

NAMES = ["senate_releases", "license_texts"]
LARGE = [pytest.param(name, marks=pytest.mark.data) for name in NAMES]
MULTILINGUAL = pytest.param("wikipedia_multilingual", marks=pytest.mark.data)


@pytest.fixture(scope="session")
def find(data_file):
    """Find a corpus by size and name; skip the test where a large one is missing."""

    def path(size, name):
        return SMALL / f"{name}.jsonl.gz" if size == "small" else data_file(name)

    return path


@pytest.fixture(scope="session")
def cleaned(find, tmp_path_factory):
    """Clean a corpus when a test first asks for it, and return the output folder."""
    outputs = {}

    def output(size, name, boilerplate="drop"):
        choice = size, name, boilerplate
        if choice not in outputs:
            source = find(size, name)
            out = tmp_path_factory.mktemp("_".join(choice)) / "out"
            clean(source, out, Settings(rules={"boilerplate": boilerplate}))
            outputs[choice] = out
        return outputs[choice]

    return output


def corpora(*large):
    """Run a test on both small corpora, and on `large` ones."""
    cases = [pytest.param("small", name, id=f"small-{name}") for name in NAMES]
    cases += [pytest.param("large", *case.values, marks=case.marks, id=f"large-{case.values[0]}") for case in large]
    return pytest.mark.parametrize(("size", "name"), cases)


@pytest.mark.slow
@corpora(*LARGE, MULTILINGUAL)
def test_an_output_verifies_and_restores_to_what_came_in(cleaned, find, data_rows, tmp_path, size, name):
    out = cleaned(size, name)
    assert verify(out, LocalEngine() if size == "large" else None).mismatches == []
    restore(out, tmp_path / "back")
    again = data_rows.read(tmp_path / "back" / f"{name}.jsonl.gz")
    for before, after in zip(data_rows.read(find(size, name)), again, strict=True):
        assert before == after
        assert list(before) == list(after)


@corpora(*LARGE)
def test_one_article_of_every_near_duplicate_pair_is_dropped_or_flagged(cleaned, find, data_rows, size, name):
    out = cleaned(size, name)
    kept = {row["id"] for row in read_jsonl(out / "articles.jsonl")}
    flagged = {
        row["article"] for row in read_jsonl(out / "provenance.jsonl") if row["rule"] == "near-duplicate-article"
    }
    pairs = [row for row in data_rows.read(find(size, f"{name}.silver_pairs")) if row["jaccard"] >= 0.8]
    missed = [row for row in pairs if {row["a"], row["b"]} <= kept and {row["a"], row["b"]}.isdisjoint(flagged)]
    assert len(pairs) > (1000 if size == "small" else 3000)
    assert len(missed) <= 0.001 * len(pairs)


@pytest.mark.parametrize(("size", "name"), [pytest.param("large", *MULTILINGUAL.values, marks=pytest.mark.data)])
def test_nothing_is_dropped_from_articles_that_repeat_nothing(cleaned, size, name):
    out = cleaned(size, name)
    assert read_jsonl(out / "dropped.jsonl") == []
    actions = {(row["rule"], row["action"]) for row in read_jsonl(out / "provenance.jsonl")}
    assert not [rule for rule, action in actions if action == "drop"]


@pytest.mark.slow
@corpora(LARGE[0])
def test_dropped_articles_and_their_twins_are_those_of_the_plain_loop(cleaned, find, data_rows, size, name):
    rows = list(data_rows.read(find(size, name)))
    ours = {}
    out = cleaned(size, name, "flag")  # whole articles are compared
    for row in read_jsonl(out / "dropped.jsonl"):
        made = row["provenance"]
        ours[made["record"]] = (made["twin"], made["similarity"])
    texts = [compared_text(row["text"], Settings()) for row in rows]
    hashes, ends = hash_words([encode_utf8(comparison_key(text)) for text in texts])
    signed = kernels.minhash_signatures(hashes, ends[:-1], ends[1:], ARTICLE_SHINGLE)
    order = sorted(range(len(texts)), key=lambda number: -len(texts[number]))
    expected, flagged = survivors(texts, signed, order, ARTICLE_SHINGLE, 0.8, evidence_of_form)
    flags = [
        row
        for row in read_jsonl(out / "provenance.jsonl")
        if row["rule"] == "near-duplicate-article" and row["action"] == "flag"
    ]
    assert {row["record"]: (row["twin"], row["similarity"]) for row in flags} == {
        number: (rows[twin]["id"], similarity) for number, (twin, similarity) in flagged.items()
    }
    assert len(expected) > (30 if size == "small" else 300)
    assert ours == {number: (rows[twin]["id"], similarity) for number, (twin, similarity) in expected.items()}


@pytest.mark.parametrize("name", NAMES)
def test_small_corpora_hold_near_duplicates_and_ordinary_articles(data_rows, name):
    rows = list(data_rows.read(SMALL / f"{name}.jsonl.gz"))
    ids = {row["id"] for row in rows}
    pairs = list(data_rows.read(SMALL / f"{name}.silver_pairs.jsonl.gz"))
    assert len(ids) == len(rows) > 300
    assert all({pair["a"], pair["b"]} <= ids and pair["jaccard"] >= 0.5 for pair in pairs)
    near = Counter("above" if pair["jaccard"] >= 0.8 else "below" for pair in pairs if 0.7 <= pair["jaccard"] < 0.9)
    assert min(near["above"], near["below"]) > 90
    assert len(ids - {pair[side] for pair in pairs for side in "ab"}) > 100
