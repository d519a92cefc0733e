"""Take what a review says about single near-duplicates as answers about their pairs."""

from __future__ import annotations

from collections.abc import Iterator

from dedup.inspect.names import record_name
from dedup.match.policy import ARTICLE_MATCH_RULES, NEAR_DUPLICATE
from dedup.match.reviewed import find_texts
from dedup.prepare.columns import digest_values
from dedup.prepare.corpus import Corpus
from dedup.review.decisions import ABOUT_FINDING, ABOUT_GROUP, ACCEPT, ArticleText
from dedup.review.ruling import Ruling
from dedup.settings import ARTICLE_SHINGLE
from dedup.tune.labels import DIFFERENT, SAME, Label, PairKey


def labels_of_review(corpus: Corpus, ruling: Ruling) -> dict[PairKey, Label]:
    """Return the answers that decisions about near-duplicates and groups imply, for the pairs that `corpus` has.

    Accepting a finding says that both texts are the same, rejecting it that they are not. Decisions about a rule say
    nothing about single pairs.
    """
    pairs = list(_judged_pairs(ruling))
    found = find_texts(corpus, list(dict.fromkeys(text for pair, _ in pairs for text in pair)))
    table = corpus.read_columns("source", "record", "digest")
    digests = digest_values(table["digest"])
    labels: dict[PairKey, Label] = {}
    for pair, answer in pairs:
        places = [found[text].rows[0] for text in pair if text in found and found[text].are_same]
        if len(places) < len(pair):
            continue
        first, second = (digests[row].tobytes().hex() for row in places)
        names = [record_name(table["source"][row].as_py(), table["record"][row].as_py()) for row in places]
        label = Label((first, second), (names[0], names[1]), 0.0, answer, ARTICLE_SHINGLE)
        if first != second:
            labels[label.key] = label
    return labels


def _judged_pairs(ruling: Ruling) -> Iterator[tuple[tuple[ArticleText, ArticleText], str]]:
    """Yield the pairs that decisions are about, with the answer that each implies; those about groups first."""
    for decision in sorted(ruling.decisions, key=lambda each: each.about != ABOUT_GROUP):
        answer = SAME if decision.decision == ACCEPT else DIFFERENT
        article, twin = decision.article, decision.twin
        if decision.about == ABOUT_GROUP and article is not None:
            yield from (((member, article), answer) for member in decision.members)
        is_near = decision.about == ABOUT_FINDING and decision.rule == ARTICLE_MATCH_RULES[NEAR_DUPLICATE]
        if is_near and article is not None and twin is not None:
            yield (article, twin), answer
