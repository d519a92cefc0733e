"""Decide which paragraph of an article is dropped as a copy of which, and whether their similarity justifies it.

Two promises are kept here, whatever chains propose. A twin is never itself dropped, so each drop points at text that
stays. And a run is a repeat only if its exact Jaccard similarity to its twin reaches the threshold. A paragraph that
was cut short is compared with the beginning of its twin, since nothing of the rest is lost with it.
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
    """A run of paragraphs that repeats another run; indices are inclusive.

    ``twin_start:twin_stop`` is the span that it repeats, in code points: those paragraphs, or a part of them.
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
    """The twin of each paragraph to drop, by index; no twin is itself dropped."""

    def __init__(self, article: ArticleParagraphs, threshold: float, rule: str) -> None:
        super().__init__()
        self.rule = rule
        self.article = article
        self.threshold = threshold
        self._of: dict[int, list[int]] = {}

    def add(self, drops: dict[int, int]) -> None:
        """Add those of `drops` whose runs are justified."""
        for run in runs_of(drops):
            for repeat in justify(self.article, run, self.threshold, self.rule):
                for offset in range(repeat.last - repeat.first + 1):
                    self._drop(repeat.first + offset, repeat.twin_first + offset)

    def _drop(self, drop: int, twin: int) -> None:
        """Add a drop, unless a paragraph that repeats it could not repeat its twin instead."""
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
    """Return True if nothing is lost when `drop` is dropped and `twin` stays."""
    cut = FIRST_IS_CUT if drop < twin else SECOND_IS_CUT
    return article.kind(min(drop, twin), max(drop, twin)) in {EQUAL, EDITED, cut}


def runs_of(twins: Mapping[int, int]) -> list[list[tuple[int, int]]]:
    """Return pairs of a drop and its twin, as runs in which both go on without a gap."""
    runs: list[list[tuple[int, int]]] = []
    for drop, twin in sorted(twins.items()):
        if runs and (drop - 1, twin - 1) == runs[-1][-1]:
            runs[-1].append((drop, twin))
        else:
            runs.append([(drop, twin)])
    return runs


def justify(article: ArticleParagraphs, run: list[tuple[int, int]], threshold: float, rule: str) -> list[Repeat]:
    """Return the run as a repeat if it is similar enough to its twin, else what is left without its worst pairs."""
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
            found.append(Repeat(rule, first, last, *twin, similarity, _run_evidence(run, kinds)))
        elif len(run) > 1:
            losses = [_loss(article, *pair, threshold) if article.purse > 0 else 1.0 for pair in run]
            worst = losses.index(max(losses))
            waiting += [part for part in (run[:worst], run[worst + 1 :]) if part]
    return found


def _beginnings(article: ArticleParagraphs, run: list[tuple[int, int]]) -> list[str]:
    """Return the words of the twins; of a twin whose copy was cut short, only as many as the copy has."""
    return [
        word
        for drop, twin in run
        for word in article.words[twin][: len(article.words[drop]) if _is_cut(article, drop, twin) else None]
    ]


def _is_cut(article: ArticleParagraphs, drop: int, twin: int) -> bool:
    return article.kind(min(drop, twin), max(drop, twin)) in {FIRST_IS_CUT, SECOND_IS_CUT}


def _loss(article: ArticleParagraphs, drop: int, twin: int, threshold: float) -> float:
    """Return by how many shingles a pair misses the threshold."""
    first, second = article.shingles(drop), article.shingles(twin)
    if _is_cut(article, drop, twin):
        return 0.0
    common = len(first & second)
    return threshold * (len(first) + len(second) - common) - common


def _run_evidence(run: list[tuple[int, int]], kinds: set[str | None]) -> str:
    first, last = run[0][1] + 1, run[-1][1] + 1
    what = f"paragraph {first}" if first == last else f"paragraphs {first}-{last}"
    if kinds <= {EQUAL}:
        return f"{what} again"
    return (
        f"{what} again, cut short" if kinds <= {EQUAL, FIRST_IS_CUT, SECOND_IS_CUT} else f"{what} again, with changes"
    )
