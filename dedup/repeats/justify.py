"""Who is dropped for whom in one article, and whether the words justify it.

Two promises are kept here, whatever chains propose: a twin is never itself dropped, so each drop points at text
that stays; and a run is a repeat only if its exact Jaccard similarity to its twin reaches the threshold. A paragraph
that was cut short is held against the beginning of its twin, which is all it can be similar to: the rest is not lost
with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from dedup.repeats.article import (
    EDITED,
    EQUAL,
    FIRST_IS_CUT,
    SECOND_IS_CUT,
    ArticleParagraphs,
    set_jaccard,
    shingle_set,
)


class Repeat(NamedTuple):
    """A run of paragraphs that says again what another run says; indices are inclusive.

    ``twin_start:twin_stop`` is what it repeats, in the text: those paragraphs, or a part of them.
    """

    rule: str
    first: int
    last: int
    twin_first: int
    twin_last: int
    twin_start: int
    twin_stop: int
    similarity: float
    evidence: str | None


class DropMap(dict[int, int]):
    """Paragraph to drop -> its twin, which is never itself in here."""

    def __init__(self, article: ArticleParagraphs, threshold: float, rule: str) -> None:
        super().__init__()
        self.rule = rule
        self.article = article
        self.threshold = threshold
        self._of: dict[int, list[int]] = {}

    def add(self, drops: dict[int, int]) -> None:
        """Takes over those drops whose runs are justified."""
        for run in runs_of(drops):
            for repeat in justify(self.article, run, self.threshold, self.rule):
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
        return may_drop(self.article, drop, twin) and self.article.similarity(drop, twin) >= self.threshold


def may_drop(article: ArticleParagraphs, drop: int, twin: int) -> bool:
    """Whether nothing is lost when `drop` goes and `twin` stays."""
    cut = FIRST_IS_CUT if drop < twin else SECOND_IS_CUT
    return article.kind(min(drop, twin), max(drop, twin)) in {EQUAL, EDITED, cut}


def runs_of(twins: Mapping[int, int]) -> list[list[tuple[int, int]]]:
    """Drops and their twins, gathered where both go on without a gap."""
    runs: list[list[tuple[int, int]]] = []
    for drop, twin in sorted(twins.items()):
        if runs and (drop - 1, twin - 1) == runs[-1][-1]:
            runs[-1].append((drop, twin))
        else:
            runs.append([(drop, twin)])
    return runs


def justify(article: ArticleParagraphs, run: list[tuple[int, int]], threshold: float, rule: str) -> list[Repeat]:
    """The run as a repeat if it is similar enough to its twin, else what is left without its worst pairs."""
    waiting = [run]
    found: list[Repeat] = []
    while waiting:
        run = waiting.pop()
        (first, twin_first), (last, twin_last) = run[0], run[-1]
        kinds = {article.kind(*sorted(pair)) for pair in run}
        similarity = compared = 1.0
        if kinds != {EQUAL}:
            own = shingle_set([word for index, _ in run for word in article.words[index]])
            similarity = set_jaccard(own, shingle_set([word for _, index in run for word in article.words[index]]))
            compared = similarity
            if not kinds.isdisjoint({FIRST_IS_CUT, SECOND_IS_CUT}):
                compared = max(similarity, set_jaccard(own, shingle_set(_beginnings(article, run))))
            article.purse -= 2 * sum(len(article.words[index]) for pair in run for index in pair)
        if compared >= threshold:
            twin = twin_first, twin_last, article.spans[twin_first][0], article.spans[twin_last][1]
            found.append(Repeat(rule, first, last, *twin, similarity, _evidence(run, kinds)))
        elif len(run) > 1:
            losses = [_loss(article, *pair, threshold) if article.purse > 0 else 1.0 for pair in run]
            worst = losses.index(max(losses))
            waiting += [part for part in (run[:worst], run[worst + 1 :]) if part]
    return found


def _beginnings(article: ArticleParagraphs, run: list[tuple[int, int]]) -> list[str]:
    """The words of the twins, of those whose copy was cut short only so many as the copy has."""
    return [
        word
        for drop, twin in run
        for word in article.words[twin][: len(article.words[drop]) if _is_cut(article, drop, twin) else None]
    ]


def _is_cut(article: ArticleParagraphs, drop: int, twin: int) -> bool:
    return article.kind(min(drop, twin), max(drop, twin)) in {FIRST_IS_CUT, SECOND_IS_CUT}


def _loss(article: ArticleParagraphs, drop: int, twin: int, threshold: float) -> float:
    """By how many shingles a pair falls short of the threshold."""
    first, second = article.shingles(drop), article.shingles(twin)
    if _is_cut(article, drop, twin):
        return 0.0
    common = len(first & second)
    return threshold * (len(first) + len(second) - common) - common


def _evidence(run: list[tuple[int, int]], kinds: set[str | None]) -> str:
    first, last = run[0][1] + 1, run[-1][1] + 1
    what = f"paragraph {first}" if first == last else f"paragraphs {first}-{last}"
    if kinds <= {EQUAL}:
        return f"{what} again"
    return (
        f"{what} again, cut short" if kinds <= {EQUAL, FIRST_IS_CUT, SECOND_IS_CUT} else f"{what} again, with changes"
    )
