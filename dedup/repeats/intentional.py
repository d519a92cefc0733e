"""Recognize intentional repeats: refrains, answers under their questions, letters to several people.

The text around the copies shows them: other words before each copy, or headings that are built alike. Whether the
copies would otherwise be a block is decided in `dedup.repeats.blocks`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from dedup.repeats.article import ArticleParagraphs
from dedup.repeats.headings import are_built_alike
from dedup.repeats.justify import DropMap

FILLED_IN = 0.5, 0.8  # Jaccard similarity of paragraphs that a form has with other names or numbers; from the second
# on they differ in a word or two: a copy in which a name is misspelt
PATTERN_PLACES = 64  # places of a paragraph that are looked at for a pattern
VERSE_LINES, VERSE_CHARACTERS = 3, 50  # lines of a paragraph, and their mean length; mail and books wrap at 60 or more


def is_intentional(
    article: ArticleParagraphs,
    alive: Sequence[int],
    links: list[tuple[int, int]],
    evidence: Sequence[int],
    twins: DropMap,
) -> bool:
    """Return True if a chain repeats on purpose; `evidence` are the places of its paragraphs that are evidence."""
    if len(evidence) == 1:
        one, before = alive[evidence[0]], alive[evidence[0] - 1]
        if _is_verse(article, one) or (article.asks(before) and article.ids[before] != article.ids[one]):
            return True
    return _is_pattern(article, alive, links, evidence, twins) or _is_form(article, alive, links, evidence)


def _is_pattern(
    article: ArticleParagraphs,
    alive: Sequence[int],
    links: list[tuple[int, int]],
    evidence: Sequence[int],
    twins: DropMap,
) -> bool:
    """Return True if the same words stand three times or more, each time after something else.

    Refrains stand after their verses, answers after their questions, and the meals of a day under its name. Copies of a
    body follow each other, or the same advertisement.
    """
    matched = {article.ids[alive[side]] for link in links for side in link}
    for place in {links[0][1], *evidence[:1]}:
        standing = []
        for index in article.places[article.ids[alive[place]]][:PATTERN_PLACES]:
            at = bisect_left(alive, index)
            if at < len(alive) and alive[at] == index and index not in twins:
                standing.append(at)
        before = {article.ids[_kept_before(alive, at, twins)] for at in standing[1:]} - matched
        if standing and standing[0]:  # the first may stand under the title
            first = _kept_before(alive, standing[0], twins)
            before |= {article.ids[first]} - matched if article.is_prose(first) else set()
        if len(standing) > 2 and len(before) > 1:
            return True
    varied = (
        sum(_follows_varied_text(article, alive[at], twins) for at in evidence) if links[-1][0] < links[0][1] else 0
    )
    return 2 * varied > len(evidence)


def _follows_varied_text(article: ArticleParagraphs, index: int, twins: DropMap) -> bool:
    """Return True if a paragraph stands three times or more, twice of these after text that stands only there."""
    article.purse -= len(article.places[article.ids[index]])
    standing = [place for place in article.places[article.ids[index]] if place not in twins]
    own = article.own
    return len(standing) > 2 and sum(own[two] > own[one + 1] for one, two in pairwise(standing)) > 1


def _is_form(
    article: ArticleParagraphs, alive: Sequence[int], links: list[tuple[int, int]], evidence: Sequence[int]
) -> bool:
    """Return True if the copies stand under headings built alike: the same letter to two people, a menu of two days.

    A copy that opens the article stands under no heading.
    """
    (low, high), *_ = links
    if not low:
        return False
    matched = {place for link in links for place in link}
    pairs = [(low - 1, high - 1)]
    for (down, across), link in pairwise(links):
        if across in evidence:
            break
        pairs += [(link[0] - 1, link[1] - 1)] if link[0] - down > 1 and link[1] - across > 1 else []
    return any(matched.isdisjoint(pair) and _are_headings(article, alive[pair[0]], alive[pair[1]]) for pair in pairs)


def _are_headings(article: ArticleParagraphs, first: int, second: int) -> bool:
    """Return True if two paragraphs are headings built alike, or differ only in names or numbers."""
    if are_built_alike(*(article.text[slice(*article.spans[index])] for index in (first, second))):
        return True
    if article.purse <= 0 or not article.is_prose(first) or article.agree(first, second):
        return False
    least, most = FILLED_IN
    return least <= article.similarity(first, second) < most


def _kept_before(alive: Sequence[int], place: int, twins: DropMap) -> int:
    """Return the paragraph before the one at `place`, of those that stay; `place` is not the first."""
    place -= 1
    while place and alive[place] in twins:
        place -= 1
    return alive[place]


def _is_verse(article: ArticleParagraphs, index: int) -> bool:
    """Return True if a paragraph is lines of verse: a chorus repeats although it is not pasted twice."""
    start, stop = article.spans[index]
    lines = article.text[start:stop].split("\n")
    return len(lines) >= VERSE_LINES and (stop - start) / len(lines) <= VERSE_CHARACTERS
