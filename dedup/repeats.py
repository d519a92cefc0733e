"""What stands twice in one article: repeated blocks, and paragraphs repeated alone.

Strategy: runs are judged, not paragraphs. Chains of equal, edited and truncated paragraphs (`dedup.chains`)
count as a block by three things: how much prose they hold, how little stands unmatched inside the copies, and
how closely the copies follow each other. Short paragraphs (headings, speaker labels, rows, verse) are no
evidence, but go with an accepted block. Of two copies the more complete one stays, else the first; a paragraph
without a twin always stays; a twin always stays. At the end every block is held to the exact similarity of
its words to its twin's, and what misses the threshold stays.

This module decides nothing about actions and sees one article only.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from dedup.chains import (
    EDITED,
    EQUAL,
    FIRST_IS_CUT,
    PROSE,
    RUN,
    SECOND_IS_CUT,
    Paragraphs,
    chain,
    jaccard,
    shingle_set,
)
from dedup.rules import OFF
from dedup.settings import Settings

BLOCK = "repeated-block"
PARAGRAPH = "repeated-paragraph"

SHARED_RUNS = 6  # runs of five words that stand again, below which no two paragraphs can be alike
BLOCK_WORDS = 40  # words of prose that a copy must hold where it follows its twin at once
APART = 30  # words between two copies that still count as "at once" (a heading, an advertisement) ...
APART_SHARE = 0.2  # ... or this share of the copy
FAR_WORDS = 100  # words of prose that a copy must hold where other text stands between
FAR_PARAGRAPHS = 5  # and paragraphs of prose
DENSE = 0.8  # share of words matched in the denser of two copies
SPARSE = 0.5  # and in the other
DENSE_MANY = 0.85  # in all copies together, where they are more than two
WHOLE = 0.9  # share of the article that two copies must hold to be the whole of it
WHOLE_NEEDS = 0.5  # of `BLOCK_WORDS`: what equal copies need that are the whole article
LINES = 6  # different short lines that, with ...
LINES_WORDS = 100  # words of short lines that must tile without a gap
LINES_WHOLE_WORDS = 60  # where they are the whole article
UNLIKE = 0.3  # Jaccard similarity of neighbours from which they are a list of like items
BULLETS = 3  # paragraphs of prose in a row that stand again scattered
BULLETS_WORDS = 60  # that they hold together
BULLET_WORDS = 50  # that one of them may hold: a sentence or two
BULLETS_EDGE = 3  # paragraphs that may stand before or behind them: a summary stands at an end of the article
ALONE_WORDS = 6  # words of a paragraph that is reported when it is repeated alone
ROUNDS = 8  # a block dropped can bring the copies of another together


class Repeat(NamedTuple):
    """A run of paragraphs that says again what another run says; indices are inclusive."""

    rule: str
    first: int
    last: int
    twin_first: int
    twin_last: int
    similarity: float
    evidence: str | None


def repeats(text: str, spans: Sequence[tuple[int, int]], keys: Sequence[str], settings: Settings) -> list[Repeat]:
    r"""What of an article repeats an earlier or more complete part of it, in order.

    `spans` are the article's paragraphs and `keys` their comparison keys. The runs ``first..last`` of the
    answer are disjoint; no paragraph of a twin run lies in any of them.

    >>> from dedup.segment import comparison_key, paragraphs
    >>> body = [f"Paragraph {name} tells at some length what only it has to tell." for name in "abcd"]
    >>> text = "\n\n".join(["Title", *body, "Read more", *body])
    >>> spans = paragraphs(text)
    >>> for repeat in repeats(text, spans, [comparison_key(text[slice(*span)]) for span in spans], Settings()):
    ...     print(repeat.rule, repeat.first, repeat.last, repeat.twin_first, repeat.twin_last, repeat.evidence)
    repeated-block 6 9 1 4 paragraphs 2-5 again
    """
    count = len(keys)
    if count < 2:
        return []
    want_blocks, want_alone = settings.rules[BLOCK] != OFF, settings.rules[PARAGRAPH] != OFF
    all_differ = len(set(keys)) == count
    shared_runs = _shared_runs(keys)
    if (all_differ and not shared_runs) or not (want_blocks or want_alone):
        return []
    article = Paragraphs(text, spans, keys)
    found: list[Repeat] = []
    if want_blocks and shared_runs:
        found = _blocks(article, settings.paragraph_threshold)
    if want_alone:
        found += _alone(article, found, settings.paragraph_threshold, look_for_edited=shared_runs)
    return sorted(found, key=lambda repeat: repeat.first)


def _shared_runs(keys: Sequence[str]) -> bool:
    """Whether enough runs of words stand again for any two paragraphs to be alike."""
    words = " ".join(keys).split()
    total = len(words) - RUN + 1
    if total <= SHARED_RUNS:
        return False
    return total - len(set(zip(*(words[skip:] for skip in range(RUN)), strict=False))) >= SHARED_RUNS


def _blocks(article: Paragraphs, threshold: float) -> list[Repeat]:
    twins = _Twins(article, threshold)
    for _ in range(ROUNDS):
        if not _round(article, twins):
            break
    runs = _runs(twins)
    return [repeat for run in runs for repeat in _justified(article, run, threshold, BLOCK)]


def _round(article: Paragraphs, twins: _Twins) -> bool:
    """Whether any block was found among the paragraphs still alive; `twins` gains what it drops."""
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
        options = dict.fromkeys([*equal[-1:], *equal[:2]])
        options.update(dict.fromkeys(place_of[other] for other in article.lookalikes[index] if other in place_of))
        best: tuple[float, dict[int, int]] = (0.0, {})
        for option in options:
            known = alive[option] in twins or tried.get(place - option, -1) >= place
            if known or not article.kind(alive[option], index):
                continue
            links = chain(article, alive, option, place)
            for low, high in links:
                tried[high - low] = max(high, tried.get(high - low, -1))
            best = max(best, _judge(article, alive, links, twins, total), key=lambda judged: judged[0])
        twins.add(best[1])
        if index not in twins:
            equal.append(place)
    _bullets(article, alive, twins)
    return len(twins) > before


def _judge(
    article: Paragraphs, alive: Sequence[int], links: list[tuple[int, int]], twins: _Twins, total: float
) -> tuple[float, dict[int, int]]:
    """The words a chain may drop and what to drop for what; nothing where it is no block.

    Tried in turn: the chain as one text printed many times, the two copies that it starts with (these first if
    the first copy is a truncated one, which is to go), and its pieces without a gap.
    """
    links = [(low, high) for low, high in links if alive[low] not in twins and alive[high] not in twins]
    if not links:
        return 0.0, {}
    start = links[0][1]
    two = [link for link in links if link[0] < start]
    cut = any(article.kind(alive[low], alive[high]) == FIRST_IS_CUT for low, high in two)
    whole = [two, links] if cut else [links, two]
    for piece in (*whole, *(piece for piece in _straight(links) if piece not in whole)):
        article.purse -= piece[-1][1] - piece[0][0]
        if article.purse <= 0:
            break
        if _is_block(article, alive, piece, twins, total):
            drops = _drops(article, alive, piece, twins)
            return sum(map(article.size, drops)), drops
    return 0.0, {}


def _straight(links: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """The pieces of a chain that go straight on in both copies."""
    pieces = [[links[0]]]
    for before, link in pairwise(links):
        if link[0] - before[0] == 1 == link[1] - before[1]:
            pieces[-1].append(link)
        else:
            pieces.append([link])
    return pieces


def _is_block(
    article: Paragraphs, alive: Sequence[int], links: list[tuple[int, int]], twins: _Twins, total: float
) -> bool:
    lows, highs = {low for low, _ in links}, {high for _, high in links}
    kinds = [article.kind(alive[low], alive[high]) for low, high in links]

    def words(places: range | set[int]) -> float:
        return sum(article.size(alive[place]) for place in places if alive[place] not in twins)

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
    evidence = [high for place, (_, high) in enumerate(links) if _counts(article, alive, links, kinds, place)]
    prose = words(set(evidence))
    near = between <= max(APART, APART_SHARE * copy)
    whole = words(lows | highs) / total
    enough = BLOCK_WORDS * WHOLE_NEEDS if whole >= WHOLE and set(kinds) == {EQUAL} else BLOCK_WORDS
    if near and prose >= enough and (len(evidence) > 1 or EQUAL in kinds or whole >= WHOLE):
        return True
    if prose >= FAR_WORDS and len(evidence) >= FAR_PARAGRAPHS:
        return True
    lines = {article.ids[alive[high]] for high in highs}
    if between or unmatched or len(lines) < LINES or any(kind != EQUAL for kind in kinds):
        return False
    return copy >= (LINES_WHOLE_WORDS if whole >= WHOLE else LINES_WORDS)


def _counts(
    article: Paragraphs,
    alive: Sequence[int],
    links: list[tuple[int, int]],
    kinds: list[str | None],
    place: int,
) -> bool:
    """Whether a pair of a chain is evidence: prose, and if edited, unlike its neighbours in the copy."""
    low, high = (alive[side] for side in links[place])
    if not (article.is_prose(high) and article.is_prose(low)):
        return False
    if kinds[place] == EQUAL:
        return True
    neighbours = [links[other][0] for other in (place - 1, place + 1) if 0 <= other < len(links)]
    return all(article.similarity(low, alive[other]) < UNLIKE for other in neighbours)


def _drops(article: Paragraphs, alive: Sequence[int], links: list[tuple[int, int]], twins: _Twins) -> dict[int, int]:
    """What to drop and for what, by index: of two copies the less complete, else the later one."""
    drops: dict[int, int] = {}
    lows, highs = {low for low, _ in links}, {high for _, high in links}
    if max(lows) < min(highs):
        surplus = _surplus(article, alive, lows, twins) - _surplus(article, alive, highs, twins)
        for low, high in links:
            kind = article.kind(alive[low], alive[high])
            if kind in {FIRST_IS_CUT, SECOND_IS_CUT}:
                surplus += article.size(alive[low]) - article.size(alive[high])
        lose_first = surplus < 0
        for low, high in links:
            drop, twin = (low, high) if lose_first else (high, low)
            if _may_drop(article, alive[drop], alive[twin]):
                drops[alive[drop]] = alive[twin]
        return drops
    for low, high in links:  # in order of `high`: what stands at `low` is settled
        first, second = alive[low], alive[high]
        root = drops.get(first, first)
        if _may_drop(article, second, root):
            drops[second] = root
    return drops


def _surplus(article: Paragraphs, alive: Sequence[int], side: set[int], twins: _Twins) -> float:
    """Words of prose inside a copy that the other does not have."""
    inside = (alive[place] for place in range(min(side), max(side) + 1) if place not in side)
    return sum(article.size(index) for index in inside if index not in twins and article.is_prose(index))


def _bullets(article: Paragraphs, alive: Sequence[int], twins: _Twins) -> None:
    """Drops paragraphs of prose that stand in a row and again, in the same order, scattered over the article."""
    places: dict[str, list[int]] = {}
    left = [index for index in alive if index not in twins]
    for place, index in enumerate(left):
        if article.keys[index]:
            places.setdefault(article.ids[index], []).append(place)
    if len(places) == len(left):
        return
    start = 0
    while start < len(left):
        row = _row(article, left, places, start)
        stop = start + len(row)
        scattered = bool(row) and row[-1] - row[0] >= len(row) and (row[0] >= stop or row[-1] < start)
        outside = start <= BULLETS_EDGE or stop >= len(left) - BULLETS_EDGE
        enough = len(row) >= BULLETS and sum(article.size(left[twin]) for twin in row) >= BULLETS_WORDS
        if scattered and outside and enough:
            twins.add({left[start + offset]: left[twin] for offset, twin in enumerate(row)})
        start += max(1, len(row))


def _row(article: Paragraphs, left: list[int], places: dict[str, list[int]], start: int) -> list[int]:
    """Places of the twins of a row of statements from `start` on, as long as they go on in the same order."""
    row: list[int] = []
    for place in range(start, len(left)):
        index = left[place]
        both = places.get(article.ids[index], [])
        raw = article.text[slice(*article.spans[index])].rstrip(" \"'”’»)")
        if len(both) != 2 or not PROSE <= article.size(index) <= BULLET_WORDS or raw.endswith(("?", "？", "؟")):
            break
        twin = both[0] if both[1] == place else both[1]
        if (row and twin <= row[-1]) or start <= twin <= place:
            break
        row.append(twin)
    return row


class _Twins(dict[int, int]):
    """Paragraph to drop -> its twin, which is never itself in here."""

    def __init__(self, article: Paragraphs, threshold: float) -> None:
        super().__init__()
        self.article = article
        self.threshold = threshold
        self._of: dict[int, list[int]] = {}

    def add(self, drops: dict[int, int]) -> None:
        """Takes over those drops whose runs are justified."""
        for run in _runs(drops):
            for repeat in _justified(self.article, run, self.threshold, BLOCK):
                for offset in range(repeat.last - repeat.first + 1):
                    self._drop(repeat.first + offset, repeat.twin_first + offset)

    def _drop(self, drop: int, twin: int) -> None:
        """Adds a drop, unless it is the twin of a paragraph that its own twin could not stand in for."""
        if twin in self or drop in self:
            return
        orphans = [other for other in self._of.get(drop, ()) if self[other] == drop]
        if not all(self._alike(other, twin) for other in orphans):
            return
        for other in (*orphans, drop):
            self[other] = twin
            self._of.setdefault(twin, []).append(other)

    def _alike(self, drop: int, twin: int) -> bool:
        if self.article.ids[drop] == self.article.ids[twin]:
            return True
        return _may_drop(self.article, drop, twin) and self.article.similarity(drop, twin) >= self.threshold


def _may_drop(article: Paragraphs, drop: int, twin: int) -> bool:
    """Whether nothing is lost when `drop` goes and `twin` stays."""
    cut = FIRST_IS_CUT if drop < twin else SECOND_IS_CUT
    return article.kind(min(drop, twin), max(drop, twin)) in {EQUAL, EDITED, cut}


def _runs(twins: dict[int, int]) -> list[list[tuple[int, int]]]:
    """Drops and their twins, gathered where both go on without a gap."""
    runs: list[list[tuple[int, int]]] = []
    for drop, twin in sorted(twins.items()):
        if runs and (drop - 1, twin - 1) == runs[-1][-1] and twin not in {place for place, _ in runs[-1][:1]}:
            runs[-1].append((drop, twin))
        else:
            runs.append([(drop, twin)])
    return runs


def _justified(article: Paragraphs, run: list[tuple[int, int]], threshold: float, rule: str) -> list[Repeat]:
    """The run as a repeat if it is similar enough to its twin, else what is left without its worst pairs."""
    waiting = [run]
    found: list[Repeat] = []
    while waiting:
        run = waiting.pop()
        (first, twin_first), (last, twin_last) = run[0], run[-1]
        kinds = {article.kind(*sorted(pair)) for pair in run}
        similarity = 1.0
        if kinds != {EQUAL}:
            similarity = jaccard(
                shingle_set([word for index in range(first, last + 1) for word in article.words[index]]),
                shingle_set([word for index in range(twin_first, twin_last + 1) for word in article.words[index]]),
            )
            article.purse -= sum(len(article.words[index]) for pair in run for index in pair)
        if similarity >= threshold:
            found.append(Repeat(rule, first, last, twin_first, twin_last, similarity, _evidence(run, kinds)))
        elif len(run) > 1:
            losses = [_loss(article, *pair, threshold) if article.purse > 0 else 1.0 for pair in run]
            worst = losses.index(max(losses))
            waiting += [part for part in (run[:worst], run[worst + 1 :]) if part]
    return found


def _loss(article: Paragraphs, drop: int, twin: int, threshold: float) -> float:
    """By how many shingles a pair falls short of the threshold."""
    first, second = article.shingles(drop), article.shingles(twin)
    common = len(first & second)
    return threshold * (len(first) + len(second) - common) - common


def _evidence(run: list[tuple[int, int]], kinds: set[str | None]) -> str:
    first, last = run[0][1] + 1, run[-1][1] + 1
    what = f"paragraph {first}" if first == last else f"paragraphs {first}-{last}"
    return f"{what} again" if kinds <= {EQUAL} else f"{what} again, with changes"


def _alone(article: Paragraphs, blocks: Sequence[Repeat], threshold: float, *, look_for_edited: bool) -> list[Repeat]:
    """Paragraphs repeated outside of blocks; the twin of a block is left in peace."""
    gone = {index for block in blocks for index in range(block.first, block.last + 1)}
    needed = {index for block in blocks for index in range(block.twin_first, block.twin_last + 1)}
    first_of: dict[str, int] = {}
    twins: dict[int, int] = {}
    for index, key in enumerate(article.keys):
        if index in gone or len(article.words[index]) < ALONE_WORDS or article.size(index) < ALONE_WORDS:
            continue
        if index not in needed:
            twin = first_of.get(key)
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
        first_of.setdefault(key, index)
    return [repeat for run in _runs(twins) for repeat in _justified(article, run, threshold, PARAGRAPH)]
