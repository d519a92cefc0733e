"""Find repeated blocks of whole paragraphs within one article.

Three measures decide whether a chain of alike paragraphs is a block: the amount of prose in it, the unmatched text
inside the copies, and the distance between the copies. A block that repeats on purpose is left out
(`dedup.repeats.intentional`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from dedup.repeats.article import EQUAL, FIRST_IS_CUT, PROSE, SECOND_IS_CUT, ArticleParagraphs
from dedup.repeats.chaining import chain
from dedup.repeats.intentional import is_intentional
from dedup.repeats.justify import DropMap, Repeat, justify, may_drop, runs_of
from dedup.repeats.thresholds import (
    APART,
    APART_SHARE,
    BLOCK_WORDS,
    DENSE,
    FAR_PARAGRAPHS,
    FAR_WORDS,
    SPARSE,
    WHOLE,
    WHOLE_NEEDS,
)

BLOCK_RULE = "repeated-block"

# Chosen as those of `dedup.repeats.thresholds`. When they were chosen, 13 of the untouched press releases lost 0.0254 %
# as blocks of paragraphs; read one by one, these are texts pasted twice, one summary of whole paragraphs, and letters
# of the same wording to several people.
APART_ALONE = 12  # `APART` for a single paragraph: a heading, not the verse between refrains or a question
# The next two show little on this corpus; negative cases of the tests (refrains, days of a schedule, clauses) fail
# without each of them.
DENSE_MANY = 0.85  # share matched in all copies together, where they run into each other
UNLIKE = 0.3  # Jaccard similarity from which neighbours are a list of like items, and edited pairs prove nothing
PREFIX = 3  # paragraphs, heading counted, that open the article and are followed by themselves
LINES = 6  # different short lines that repeat without a gap: a list printed twice, not a refrain
LINES_WORDS = 100  # words in them; a chorus printed twice has about 50
LINES_WHOLE_WORDS = 60  # words in them where they are the whole article
BULLETS = 3  # paragraphs of prose in a row that repeat scattered over the article; never: recall of such summaries
# falls from 0.981 to 0.176, and one release less is cut
BULLETS_WORDS = 30  # words in the row; 60: recall of summaries falls from 0.971 to 0.955 on releases held out
BULLET_WORDS = 50  # words in one of them: a sentence or two, not a clause of a contract
BULLETS_EDGE = 3  # paragraphs before or behind the row: a summary stands at an end of the article
ROUNDS = 8  # dropping a block can bring the copies of another together


def find_blocks(article: ArticleParagraphs, threshold: float) -> list[Repeat]:
    """Return the blocks to drop; `threshold` is the Jaccard similarity that a block must reach."""
    if len(article.keys) < 2:
        return []
    twins = DropMap(article, threshold, BLOCK_RULE)
    for _ in range(ROUNDS):
        if not _find_in_round(article, twins):
            break
    return [repeat for run in runs_of(twins) for repeat in justify(article, run, threshold, BLOCK_RULE)]


def _find_in_round(article: ArticleParagraphs, twins: DropMap) -> bool:
    """Return True if any block is found among the paragraphs not dropped yet; add its drops to `twins`."""
    alive = [index for index in range(len(article.keys)) if index not in twins]
    place_of = {index: place for place, index in enumerate(alive)}
    total = sum(map(article.size, alive))
    seen: dict[str, list[int]] = {}
    tried: dict[int, int] = {}  # distance between the copies -> last place a chain has reached
    before = len(twins)
    for place, index in enumerate(alive):
        if article.purse <= 0:
            break
        if index in twins or not article.keys[index]:
            continue
        equal = seen.setdefault(article.ids[index], [])
        near = [place_of[other] for other in article.lookalikes[index] if other in place_of]
        options = dict.fromkeys([*equal[-1:], *equal[:2], *near])
        if not options:
            equal.append(place)
            continue
        best: tuple[float, dict[int, int]] = (0.0, {})
        for option in options:
            known = alive[option] in twins or tried.get(place - option, -1) >= place
            if known or not article.kind(alive[option], index):
                continue
            links = chain(article, alive, option, place)
            for low, high in links:
                tried[high - low] = max(high, tried.get(high - low, -1))
            best = max(best, _judge_chain(article, alive, links, twins, total), key=lambda judged: judged[0])
        twins.add(best[1])
        if index not in twins:
            equal.append(place)
    _drop_scattered_rows(article, alive, twins)
    return len(twins) > before


def _judge_chain(
    article: ArticleParagraphs, alive: Sequence[int], links: list[tuple[int, int]], twins: DropMap, total: float
) -> tuple[float, dict[int, int]]:
    """Return how many words a chain drops, and its drops by index; none where it is no block.

    Tried in turn: the chain as one text printed many times, the two copies that it starts with (these first if the
    first copy is truncated and so to be dropped), and its pieces without a gap.
    """
    links = [(low, high) for low, high in links if alive[low] not in twins and alive[high] not in twins]
    if not links:
        return 0.0, {}
    start = links[0][1]
    two = [link for link in links if link[0] < start]
    cut = any(article.kind(alive[low], alive[high]) == FIRST_IS_CUT for low, high in two)
    whole = [two, links] if cut else [links, two]
    for piece in (*whole, *(piece for piece in _pieces_without_gap(links) if piece not in whole)):
        article.purse -= piece[-1][1] - piece[0][0]
        if article.purse <= 0:
            break
        if _is_block(article, alive, piece, twins, total):
            drops = _choose_drops(article, alive, piece, twins)
            return sum(map(article.size, drops)), drops
    return 0.0, {}


def _pieces_without_gap(links: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Return the pieces of a chain without a gap in either copy."""
    pieces = [[links[0]]]
    for before, link in pairwise(links):
        if link[0] - before[0] == 1 == link[1] - before[1]:
            pieces[-1].append(link)
        else:
            pieces.append([link])
    return pieces


def _is_block(
    article: ArticleParagraphs, alive: Sequence[int], links: list[tuple[int, int]], twins: DropMap, total: float
) -> bool:
    lows, highs = {low for low, _ in links}, {high for _, high in links}
    kinds = [article.kind(alive[low], alive[high]) for low, high in links]
    sizes = article.sizes

    def words(places: range | set[int]) -> float:
        return sum([sizes[alive[place]] for place in places if alive[place] not in twins])

    copy = words(highs)
    if copy < BLOCK_WORDS * WHOLE_NEEDS:
        return False
    overlap = max(lows) >= min(highs)
    between = 0.0
    if overlap:
        span = words(range(min(lows), max(highs) + 1))
        unmatched = span - words(lows | highs)
        if span - unmatched < DENSE_MANY * span:
            return False
    else:
        spans = [words(range(min(side), max(side) + 1)) for side in (lows, highs)]
        shares = sorted(words(side) / span for side, span in zip((lows, highs), spans, strict=True))
        if shares[0] < SPARSE or shares[1] < DENSE:
            return False
        unmatched = sum(spans) - words(lows) - words(highs)
        between = words(range(max(lows) + 1, min(highs)))
    evidence = [high for place, (_, high) in enumerate(links) if _is_evidence(article, alive, links, kinds, place)]
    prose = words(set(evidence))
    if is_intentional(article, alive, links, evidence, twins):
        return False
    near = between <= (APART_ALONE if len(evidence) < 2 else max(APART, APART_SHARE * copy))
    whole = words(lows | highs) / total
    prefix = not min(lows) and not between and not unmatched and len(links) >= PREFIX
    enough = BLOCK_WORDS * WHOLE_NEEDS if (whole >= WHOLE or prefix) and set(kinds) == {EQUAL} else BLOCK_WORDS
    if near and prose >= enough and (len(evidence) > 1 or EQUAL in kinds or whole >= WHOLE):
        return True
    if prose >= FAR_WORDS and len(evidence) >= FAR_PARAGRAPHS:
        return True
    lines = {article.ids[alive[high]] for high in highs}
    if between or unmatched or len(lines) < LINES or any(kind != EQUAL for kind in kinds):
        return False
    return copy >= (LINES_WHOLE_WORDS if whole >= WHOLE else LINES_WORDS)


def _is_evidence(
    article: ArticleParagraphs,
    alive: Sequence[int],
    links: list[tuple[int, int]],
    kinds: list[str | None],
    place: int,
) -> bool:
    """Return True if a pair of a chain is evidence: prose, and if edited, unlike its neighbours in the copy."""
    low, high = (alive[side] for side in links[place])
    if not article.is_prose(high) or article.only_asks(high):
        return False
    if kinds[place] == EQUAL:
        return True
    if not article.is_prose(low):
        return False
    neighbours = [links[other][0] for other in (place - 1, place + 1) if 0 <= other < len(links)]
    return all(article.similarity(low, alive[other]) < UNLIKE for other in neighbours)


def _choose_drops(
    article: ArticleParagraphs, alive: Sequence[int], links: list[tuple[int, int]], twins: DropMap
) -> dict[int, int]:
    """Return the twin of each paragraph to drop, by index: of two copies the less complete, else the later one."""
    drops: dict[int, int] = {}
    lows, highs = {low for low, _ in links}, {high for _, high in links}
    if max(lows) < min(highs):
        surplus = _surplus(article, alive, lows, twins) - _surplus(article, alive, highs, twins)
        for low, high in links:
            kind = article.kind(alive[low], alive[high])
            if kind in {FIRST_IS_CUT, SECOND_IS_CUT}:
                surplus += len(article.keys[alive[low]]) - len(article.keys[alive[high]])
        lose_first = surplus < 0
        for low, high in links:
            drop, twin = (low, high) if lose_first else (high, low)
            if may_drop(article, alive[drop], alive[twin]):
                drops[alive[drop]] = alive[twin]
        return drops
    for low, high in links:  # in order of `high`: what stands at `low` is settled
        first, second = alive[low], alive[high]
        root = drops.get(first, first)
        if may_drop(article, second, root):
            drops[second] = root
    return drops


def _surplus(article: ArticleParagraphs, alive: Sequence[int], side: set[int], twins: DropMap) -> int:
    """Return how many characters of prose inside a copy the other copy does not have."""
    inside = (alive[place] for place in range(min(side), max(side) + 1) if place not in side)
    return sum(len(article.keys[index]) for index in inside if index not in twins and article.is_prose(index))


def _drop_scattered_rows(article: ArticleParagraphs, alive: Sequence[int], twins: DropMap) -> None:
    """Drop rows of paragraphs of prose that repeat, in the same order, scattered over the article."""
    places: dict[str, list[int]] = {}
    left = [index for index in alive if index not in twins]
    for place, index in enumerate(left):
        if article.keys[index]:
            places.setdefault(article.ids[index], []).append(place)
    if len(places) == len(left):
        return
    start = 0
    while start < len(left):
        row = _twins_of_row(article, left, places, start)
        stop = start + len(row)
        scattered = bool(row) and row[-1] - row[0] >= len(row) and (row[0] >= stop or row[-1] < start)
        outside = start <= BULLETS_EDGE or stop >= len(left) - BULLETS_EDGE
        stated = [left[twin] for twin in row if not article.only_asks(left[twin])]
        enough = len(stated) >= BULLETS and sum(map(article.size, stated)) >= BULLETS_WORDS
        if scattered and outside and enough:
            twins.add({left[start + offset]: left[twin] for offset, twin in enumerate(row)})
        start += max(1, len(row))


def _twins_of_row(article: ArticleParagraphs, left: list[int], places: dict[str, list[int]], start: int) -> list[int]:
    """Return the places of the twins of the row of statements from `start` on, as far as their order is the same."""
    row: list[int] = []
    for place in range(start, len(left)):
        index = left[place]
        both = places.get(article.ids[index], [])
        if len(both) != 2 or not PROSE <= article.size(index) <= BULLET_WORDS:
            break
        twin = both[0] if both[1] == place else both[1]
        if (row and twin <= row[-1]) or start <= twin <= place:
            break
        row.append(twin)
    return row
