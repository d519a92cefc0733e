"""Scores by the character, and the confidence intervals of a figure.

A made article is a list of pieces. Each piece names its `unit`, and pieces of one unit have the same words. The spans
that the pipeline dropped come from its findings and are intersected with those of the pieces, so every figure counts
characters of real spans. This module does not know how articles are made or which rule should find what.

The pieces of a unit may differ by an edit: one of them must stay whole. Text that only one version of an article has
is a unit of one piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from dedup import Settings, clean_articles
from dedup.segment.words import comparison_key, words
from dedup.settings import ARTICLE_SHINGLE

RESAMPLES = 1000
LEFTOVER = 0.05  # share of a dropped copy that may stay: a heading or a last line, too little to be half an article
Z = 1.959964  # normal quantile of a two-sided interval of 95 %
Edits = dict[int, list[tuple[int, int, str]]]  # (start, stop, rule) by number of the article


class Piece(NamedTuple):
    """A paragraph of a made article, or a part of one: the unit of which it is a copy (None: noise), and its state."""

    text: str
    unit: int | str | None
    whole: bool = True  # a truncated copy may be dropped, but must not be the only one that stays
    free: bool = False  # in one paragraph with text that only its version has: it may stay, and is no inserted repeat


class Made(NamedTuple):
    """A made article: its text, its pieces, and the span of each piece in code points of the text."""

    id: str
    text: str
    pieces: list[Piece]
    spans: list[tuple[int, int]]


class Score(NamedTuple):
    """Characters of one made article: inserted repeats, those found and flagged; real text, and what of it is lost.

    `shredded` is 1 if a copy went in part and stayed in part, else 0.
    """

    injected: int
    found: int
    real: int
    lost: int
    flagged: int = 0
    shredded: int = 0


def joined(name: str, pieces: list[Piece], joint: str) -> Made:
    r"""Return the article that `pieces` make with `joint` between them.

    >>> joined("a", [Piece("One.", 0), Piece("Two.", 1)], "\n").spans
    [(0, 4), (5, 9)]
    """
    spans = []
    position = 0
    for piece in pieces:
        spans.append((position, position + len(piece.text)))
        position += len(piece.text) + len(joint)
    return Made(name, joint.join(piece.text for piece in pieces), pieces, spans)


def edits(rows: Sequence[Mapping[str, Any]], settings: Settings) -> tuple[Edits, Edits]:
    """Return what `clean_articles` drops, and what it flags as a repeat."""
    drops: Edits = {}
    flags: Edits = {}
    for finding in clean_articles(rows, settings).findings:
        if finding.action == "drop":
            drops.setdefault(finding.record, []).append((finding.start, finding.stop, finding.rule))
        elif finding.action == "flag" and finding.twin is not None:
            flags.setdefault(finding.record, []).append((finding.start, finding.stop, finding.rule))
    return drops, flags


def covered(spans: Sequence[tuple[int, int]], by: Iterable[tuple[int, int, str]], rules: str = "") -> list[int]:
    """Return the characters of each of `spans` that the spans `by` cover; only those of one rule, if it is named.

    >>> covered([(0, 4), (5, 9)], [(3, 7, "boilerplate")])
    [1, 2]
    """
    result = [0] * len(spans)
    for start, stop, rule in by:
        if not rules or rule == rules:
            for place, span in enumerate(spans):
                result[place] += max(0, min(stop, span[1]) - max(start, span[0]))
    return result


def symmetrical(made: Made, drops: Iterable[tuple[int, int, str]], flags: Iterable[tuple[int, int, str]] = ()) -> Score:
    """Return the score of an article of which any copy may stay.

    A unit may lose all but one of its pieces, as long as one stays complete. It also counts as complete if its words
    still follow one another: of “a b a b” either “a b” may be dropped, or “b a” between.
    """
    drops = list(drops)
    left = ""
    dropped, shown = covered(made.spans, drops), covered(made.spans, flags)
    units = _places_by_unit(made)
    injected = found = real = lost = flagged = 0
    for members in units.values():
        sizes = [len(made.pieces[place].text) for place in members]
        full = max(sizes)
        missing = min(dropped[place] for place in members if made.pieces[place].whole)
        if missing:
            left = left or f" {comparison_key(without(made.text, drops))} "
            whole = (made.pieces[place].text for place in members if made.pieces[place].whole)
            missing *= not any(f" {comparison_key(text)} " in left for text in whole)
        repeats = max(
            0, sum(size for place, size in zip(members, sizes, strict=True) if not made.pieces[place].free) - full
        )
        real += full
        injected += repeats
        lost += min(missing, full)
        found += 0 if missing else min(sum(dropped[place] for place in members), repeats)
        flagged += min(sum(shown[place] for place in members), repeats)
    return Score(injected, found, real, lost, flagged, int(is_shredded(made, drops)))


def _places_by_unit(made: Made) -> dict[int | str, list[int]]:
    """Return the places of the pieces of each unit, without noise."""
    units: dict[int | str, list[int]] = {}
    for place, piece in enumerate(made.pieces):
        if piece.unit is not None:
            units.setdefault(piece.unit, []).append(place)
    return units


def is_shredded(made: Made, drops: Iterable[tuple[int, int, str]]) -> bool:
    r"""Return True if some copy went in part and stayed in part.

    The k-th copy is the k-th piece of every unit that has several, so text that only one version has belongs to none.
    A copy is broken if a character of it is dropped and more than `LEFTOVER` of its characters stay. That covers both
    ways to shred an article: neither version stays as a whole, or one does beside a part of the other. Pieces that are
    free count as neither dropped nor left.

    An article is not shredded if the words that stay are those of the article with one copy: of “a b a b” either “a b”
    may be dropped, or “b a” between. Nor is one whose copies do not follow one another, as of “a a b b”: there each
    paragraph is a repeat by itself.

    >>> pieces = [Piece("One.", 0), Piece("Two.", 1), Piece("One.", 0), Piece("Two.", 1)]
    >>> made = joined("a", pieces, "\n")
    >>> is_shredded(made, [(0, 4, "")]), is_shredded(made, [(0, 9, "")]), is_shredded(made, [(5, 14, "")])
    (True, False, False)
    """
    drops = list(drops)
    dropped = covered(made.spans, drops)
    copies = _copies(made)
    if any(max(one) > min(two) for one, two in pairwise(copies)) or not any(_is_broken(made, dropped, copies)):
        return False
    left = comparison_key(without(made.text, drops))
    return all(left != comparison_key(without(made.text, _others(made, copies, kept))) for kept in range(len(copies)))


def _copies(made: Made) -> list[list[int]]:
    """Return the places of the pieces of each copy: the first of every repeated unit, the second, and so on."""
    repeated = [places for places in _places_by_unit(made).values() if len(places) > 1]
    return [[places[at] for places in repeated if at < len(places)] for at in range(max(map(len, repeated), default=0))]


def _is_broken(made: Made, dropped: Sequence[int], copies: Iterable[Sequence[int]]) -> Iterator[bool]:
    """Yield for each copy whether a character of it is dropped and more than `LEFTOVER` of it stays."""
    for copy in copies:
        places = [place for place in copy if not made.pieces[place].free]
        size = sum(len(made.pieces[place].text) for place in places)
        yield 0 < sum(dropped[place] for place in places) < (1 - LEFTOVER) * size


def _others(made: Made, copies: Sequence[Sequence[int]], kept: int) -> list[tuple[int, int, str]]:
    """Return the drops that leave one copy, and all text that no other copy has."""
    return [(*made.spans[place], "") for at, places in enumerate(copies) if at != kept for place in places]


def without(text: str, drops: Iterable[tuple[int, int, str]]) -> str:
    """Return `text` without the spans of `drops`."""
    for start, stop, _ in sorted(drops, reverse=True):
        text = text[:start] + text[stop:]
    return text


def shingles(text: str) -> set[tuple[str, ...]]:
    """Return the word 5-grams of the folded text: the definition of similarity, without hashes."""
    tokens = words(text)
    return set(zip(*(tokens[at:] for at in range(ARTICLE_SHINGLE)), strict=False))


def jaccard(one: set[tuple[str, ...]], two: set[tuple[str, ...]]) -> float:
    """Return the exact Jaccard similarity of two sets.

    >>> jaccard({("a",), ("b",)}, {("b",), ("c",), ("d",)})
    0.25
    """
    return len(one & two) / len(one | two) if one or two else 0.0


def wilson(hits: int, of: int) -> list[float]:
    """Return the 95 % interval of a share (Wilson 1927); [0, 1] if nothing was counted.

    >>> [round(bound, 3) for bound in wilson(98, 100)]
    [0.93, 0.994]
    """
    if not of:
        return [0.0, 1.0]
    part = hits / of
    middle = part + Z * Z / (2 * of)
    spread = Z * (part * (1 - part) / of + Z * Z / (4 * of * of)) ** 0.5
    below = 1 + Z * Z / of
    return [round(max(0.0, (middle - spread) / below), 6), round(min(1.0, (middle + spread) / below), 6)]


def bootstrap(parts: Sequence[int], wholes: Sequence[int], seed: int) -> list[float]:
    """Return the 95 % interval of sum(parts) / sum(wholes), by resampling articles.

    If all articles score 0, or all score 1, resampling gives an interval of no width. Then the result is Wilson's
    interval of the share of articles.
    """
    count = len(parts)
    numerators, denominators = np.array(parts, np.float64), np.array(wholes, np.float64)
    if not count or not denominators.sum():
        return [0.0, 1.0]
    if not numerators.any():
        return wilson(0, count)
    if (numerators == denominators).all():
        return wilson(count, count)
    drawn = np.random.default_rng(seed).integers(0, count, (RESAMPLES, count))
    shares = numerators[drawn].sum(axis=1) / np.maximum(denominators[drawn].sum(axis=1), 1)
    return [round(float(bound), 6) for bound in np.quantile(shares, (0.025, 0.975))]


def total(scores: Iterable[Score]) -> Score:
    """Return the sums of scores."""
    scores = list(scores)
    return Score(*map(sum, zip(*scores, strict=True))) if scores else Score(0, 0, 0, 0)


def table_row(scores: Sequence[Score], seed: int) -> dict[str, Any]:
    """Return the figures of one row of a table: shares found and lost with intervals, and articles that lose text."""
    injected, found, real, lost, flagged, shredded = total(scores)
    with_repeats = [score for score in scores if score.injected]
    harmed = sum(score.lost > 0 for score in scores)
    return {
        "n": len(scores),
        "injected": injected,
        "found": share(found, injected),
        "found interval": bootstrap(
            [score.found for score in with_repeats], [score.injected for score in with_repeats], seed
        ),
        "flagged": share(flagged, injected),
        "real": real,
        "lost characters": lost,
        "lost": share(lost, real),
        "harmed": harmed,
        "harmed interval": wilson(harmed, len(scores)),
        "shredded": share(shredded, len(scores)),
        "shredded interval": wilson(shredded, len(scores)),
    }


def share(part: float, whole: float) -> float | None:
    """Return the part of the whole, to six digits; None if the whole is 0."""
    return round(part / whole, 6) if whole else None


@contextmanager
def constant(modules: Sequence[Any], name: str, value: object) -> Iterator[None]:
    """Set the constant `name` to `value` while the block runs, in all of `modules` that have it.

    Raises AttributeError if none has it.
    """
    holders = [(module, getattr(module, name)) for module in modules if hasattr(module, name)]
    if not holders:
        raise AttributeError(f"no constant {name}")
    for module, _ in holders:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, previous in holders:
            setattr(module, name, previous)
