"""Articles that repeat others are dropped as the loop of the design says, on datasketch's own index."""

from __future__ import annotations

from itertools import permutations

import pytest
from helpers.article_copies import article_copies
from helpers.form_pairs import evidence_of_form, form_pairs, tell_same_story
from helpers.oracle import jaccard, survivors
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup import Settings, clean_articles
from dedup.fingerprint.minhash import plain_signatures
from dedup.kernels import reference as plain
from dedup.prepare.one_text import compared_text
from dedup.settings import ARTICLE_SHINGLE

ARTICLE_RULES = ("duplicate-article", "near-duplicate-article")


def order_of(rows, texts, keep):
    numbers = range(len(rows))
    key = {
        "longest": lambda n: -len(texts[n]),
        "first": lambda _: 0,
        "earliest": lambda n: rows[n]["date"],
        "latest": lambda n: -rows[n]["date"],
    }[keep]
    return sorted(numbers, key=key)


@pytest.mark.slow
@settings(max_examples=150)
@given(
    article_copies(),
    st.sampled_from(["longest", "first", "earliest", "latest"]),
    st.sampled_from([0.5, 0.8, 0.9, 0.99]),
    st.sampled_from([None, 0.3, 0.45]),
)
def test_dropped_articles_equal_those_of_the_plain_loop_on_datasketch(rows, keep, threshold, least):
    chosen = Settings(keep=keep, threshold=threshold, same_story_threshold=least, rules={"repeated-block": "off"})
    result = clean_articles(rows, chosen)
    texts = [compared_text(row["text"], chosen) for row in rows]
    signed = plain_signatures(texts, ARTICLE_SHINGLE)
    order = order_of(rows, texts, keep)
    titles = [row["title"] or None for row in rows]
    dropped, flagged = survivors(
        texts, signed, order, ARTICLE_SHINGLE, threshold, evidence_of_form, least, tell_same_story, titles
    )
    for action, expected in (("drop", dropped), ("flag", flagged)):
        found = {row.record: row for row in result.findings if row.action == action and row.rule in ARTICLE_RULES}
        assert {n: (row.twin, row.similarity) for n, row in found.items()} == {
            n: (rows[twin]["id"], similarity) for n, (twin, similarity) in expected.items()
        }
        kept = {row["id"] for row in result.articles}
        assert all(row.twin in kept for row in found.values())


def test_a_text_is_a_copy_of_the_article_that_says_the_same_and_not_of_the_most_similar_one():
    report = (
        "The mayor of {} opened the new swimming hall on Sunday in front of several hundred guests. The hall has three "
        "pools, a sauna and a small library, and it is heated with water from a mine that was closed long ago. For "
        "years the town had saved for it, and for years the work stood still because the ground was wet. Now children "
        "can learn to swim again without a long way by bus. Entrance is free on the first day of each month, when the "
        "choir of {} sings."
    )
    brindle, ashby = (report.format(*[town] * 2) for town in ("Brindle", "Ashby"))
    copy = ashby.replace(" by bus", "")
    rows = [{"id": n, "text": t} for n, t in [("brindle", brindle), ("ashby", ashby), ("copy", copy)]]
    for order in permutations(rows):
        result = clean_articles(list(order))
        matches = [row for row in result.findings if row.rule == "near-duplicate-article"]
        assert {(row.article, row.action, row.twin) for row in matches if row.article == "copy"} == {
            ("copy", "drop", "ashby")
        }
        [flag] = [row for row in matches if row.action == "flag"]
        assert {flag.article, flag.twin} == {"brindle", "ashby"}
        assert flag.evidence.startswith("same form, other facts: ")


def test_a_copy_of_a_flagged_article_is_dropped():
    rows = [row for pair in form_pairs() if pair.is_form for row in (pair.first, pair.second)][:2]
    copies = [{"id": str(n), "text": text} for n, text in enumerate([*rows, rows[1] + " It rains.", rows[0]])]
    result = clean_articles(copies, Settings(keep="first"))
    assert [(row["id"], row["provenance"]["twin"]) for row in result.dropped] == [("2", "1"), ("3", "0")]


@pytest.mark.slow
@settings(max_examples=60)
@given(article_copies(), article_copies())
def test_articles_added_at_the_end_do_not_change_earlier_decisions(first, second):
    chosen = Settings(keep="first")
    alone = clean_articles(first, chosen)
    together = clean_articles(first + second, chosen)
    dropped = [row["provenance"] for row in alone.dropped]
    assert [row["provenance"] for row in together.dropped if row["provenance"]["record"] < len(first)] == dropped


@settings(max_examples=60)
@given(article_copies(), st.randoms())
def test_the_order_of_input_changes_only_ties(rows, random):
    lengths = [len(row["text"]) for row in rows]
    if len(set(lengths)) < len(lengths):
        rows = [{**row, "text": row["text"] + " " + "z" * (1 + n)} for n, row in enumerate(rows)]
    lengths = [len(row["text"]) for row in rows]
    if len(set(lengths)) < len(lengths):
        return
    shuffled = list(rows)
    random.shuffle(shuffled)
    one, two = clean_articles(rows), clean_articles(shuffled)
    assert {row["id"] for row in one.dropped} == {row["id"] for row in two.dropped}
    twins = [{row["id"]: row["provenance"]["twin"] for row in result.dropped} for result in (one, two)]
    assert twins[0] == twins[1]


def test_an_article_that_matches_only_a_dropped_one_stays():
    words = [f"x{n}" for n in range(100)]
    a, b, c = words[:80], words[8:88], words[16:96]  # a~b, b~c, but a and c share too little
    texts = [" ".join(one) for one in (a, b, c)]
    assert jaccard(texts[0], texts[1], 5) >= 0.8
    assert jaccard(texts[0], texts[2], 5) < 0.8
    result = clean_articles(
        [{"id": n, "text": text} for n, text in zip("abc", texts, strict=True)], Settings(keep="first")
    )
    assert [row["id"] for row in result.articles] == ["a", "c"]
    assert result.dropped[0]["provenance"]["twin"] == "a"


@pytest.mark.parametrize("text", ["", "!!!", "—"])
def test_articles_without_words_are_not_compared(text):
    result = clean_articles([{"id": "a", "text": text}, {"id": "b", "text": text}])
    assert [row["id"] for row in result.articles] == ["a", "b"]


def test_short_articles_are_duplicates_by_their_key_alone():
    result = clean_articles(
        [{"id": n, "text": t} for n, t in [("a", "“Two” words."), ("b", "two WORDS!"), ("c", "Two word")]]
    )
    assert [row["provenance"]["rule"] for row in result.dropped] == ["duplicate-article"]
    assert [row["id"] for row in result.articles] == ["a", "c"]


def test_articles_whose_shingles_only_share_hashes_are_not_dropped(monkeypatch):
    """Every shingle has one hash here, so only the exact similarity keeps an article."""

    class Colliding:
        def __getattr__(self, name):
            return getattr(plain, name)

        def hash_sets(self, keys, n):
            hashes, borders = plain.shingle_hash_sets(keys, n)
            return hashes * 0 + 1, borders

        def similarities(self, *given):
            return given[3] * 0 + 1.0

    monkeypatch.setattr("dedup.in_memory.load_backend", lambda compiled: Colliding())  # noqa: ARG005
    base = [f"q{n}" for n in range(60)]
    near = [*base[:30], "else", *base[30:]]  # 0.85: shares buckets and matches
    far = base[:20] + [f"r{n}" for n in range(40)]  # may share a bucket, does not match
    rows = [{"id": n, "text": " ".join(t)} for n, t in [("a", base), ("b", near), ("c", far)]]
    result = clean_articles(rows, Settings(keep="first"))
    assert {row["id"]: row["provenance"]["similarity"] for row in result.dropped} == {
        "b": jaccard(rows[0]["text"], rows[1]["text"], 5)
    }
