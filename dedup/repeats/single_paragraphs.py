"""Find single paragraphs that repeat outside of blocks: refrains, questions asked again, headings of tables."""

from __future__ import annotations

from collections.abc import Sequence

from dedup.fingerprint.self_matches import LONE_PARAGRAPH_WORDS
from dedup.repeats.article import ArticleParagraphs
from dedup.repeats.justify import Repeat, justify, runs_of

PARAGRAPH_RULE = "repeated-paragraph"


def find_single_paragraphs(
    article: ArticleParagraphs, blocks: Sequence[Repeat], threshold: float, *, look_for_edited: bool
) -> list[Repeat]:
    """Return the paragraphs that repeat outside of `blocks`; the twin of a block is never among them."""
    if len(article.keys) < 2:
        return []
    gone = {index for block in blocks for index in range(block.first, block.last + 1)}
    needed = {index for block in blocks for index in range(block.twin_first, block.twin_last + 1)}
    first_of: dict[str, int] = {}
    twins: dict[int, int] = {}
    for index, one in enumerate(article.ids):
        if (
            index in gone
            or len(article.words[index]) < LONE_PARAGRAPH_WORDS
            or article.size(index) < LONE_PARAGRAPH_WORDS
        ):
            continue
        if index not in needed:
            twin = first_of.get(one)
            if twin is None and look_for_edited:
                near = [
                    (article.similarity(other, index), -other)
                    for other in article.lookalikes[index]
                    if other not in gone and other not in twins and article.purse > 0
                ]
                near = [place for place in near if place[0] >= threshold and article.agree(-place[1], index)]
                twin = -max(near)[1] if near else None
            if twin is not None:
                twins[index] = twin
                continue
        first_of.setdefault(one, index)
    return [repeat for run in runs_of(twins) for repeat in justify(article, run, threshold, PARAGRAPH_RULE)]
