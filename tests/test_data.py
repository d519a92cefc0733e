"""The whole job on large real corpora, where they are beside this checkout."""

from __future__ import annotations

import pytest
from conftest import read_jsonl
from helpers.oracle import survivors

from dedup import Settings, clean
from dedup.arrays import encode_utf8
from dedup.fingerprint.shingles import hash_words
from dedup.inspect.restore import restore
from dedup.inspect.verify import verify
from dedup.kernels import compiled as kernels
from dedup.prepare.one_text import compared_text
from dedup.segment.words import comparison_key
from dedup.settings import ARTICLE_SHINGLE

pytestmark = pytest.mark.data

CORPORA = ["senate_releases", "license_texts", "wikipedia_multilingual"]


@pytest.fixture(scope="session")
def cleaned(data_file, tmp_path_factory):
    """The output for a corpus, made when first asked for."""
    made = {}

    def output(name):
        if name not in made:
            made[name] = tmp_path_factory.mktemp(name) / "out"
            clean(data_file(name), made[name])
        return made[name]

    return output


@pytest.mark.parametrize("name", CORPORA)
def test_an_output_verifies_and_restores_to_what_came_in(cleaned, data_rows, tmp_path, name):
    assert verify(cleaned(name)).mismatches == []
    restore(cleaned(name), tmp_path / "back")
    again = data_rows.read(tmp_path / "back" / f"{name}.jsonl.gz")
    for before, after in zip(data_rows(name), again, strict=True):
        assert before == after
        assert list(before) == list(after)


@pytest.mark.parametrize("name", CORPORA[:2])
def test_of_every_near_duplicate_pair_one_side_goes(cleaned, data_rows, name):
    kept = {row["id"] for row in read_jsonl(cleaned(name) / "articles.jsonl")}
    pairs = [row for row in data_rows(f"{name}.silver_pairs") if row["jaccard"] >= 0.8]
    missed = [row for row in pairs if row["a"] in kept and row["b"] in kept]
    assert len(pairs) > 3000
    assert len(missed) <= 0.001 * len(pairs)


@pytest.mark.parametrize("name", ["wikipedia_multilingual"])
def test_nothing_is_dropped_from_articles_that_repeat_nothing(cleaned, name):
    assert read_jsonl(cleaned(name) / "dropped.jsonl") == []
    actions = {(row["rule"], row["action"]) for row in read_jsonl(cleaned(name) / "provenance.jsonl")}
    assert not [rule for rule, action in actions if action == "drop"]


@pytest.mark.parametrize("name", ["senate_releases"])
def test_24000_press_releases_give_the_answer_of_the_plain_loop(cleaned, data_rows, name):
    rows = list(data_rows(name))
    ours = {}
    for row in read_jsonl(cleaned(name) / "dropped.jsonl"):
        made = row["provenance"]
        ours[made["record"]] = (made["twin"], made["similarity"])
    texts = [compared_text(row["text"], Settings()) for row in rows]
    hashes, ends = hash_words([encode_utf8(comparison_key(text)) for text in texts])
    signed = kernels.minhash_signatures(hashes, ends[:-1], ends[1:], ARTICLE_SHINGLE)
    order = sorted(range(len(texts)), key=lambda number: -len(texts[number]))
    expected = survivors(texts, signed, order, ARTICLE_SHINGLE, 0.8)
    assert len(expected) > 500
    assert ours == {number: (rows[twin]["id"], similarity) for number, (twin, similarity) in expected.items()}
