"""Truth by the character, and how sure a figure is.

A made article is a list of pieces; each piece knows what it is (`unit`), and pieces of one unit say the same. What the
pipeline dropped is read from its findings and laid over the pieces, so every figure is in characters of real spans.
Nothing here knows how articles are made or which rule should find what.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from dedup import Settings, clean_articles
from dedup.segment.words import comparison_key, words
from dedup.settings import ARTICLE_SHINGLE

RESAMPLES = 1000
Z = 1.959964  # of a two-sided interval of 95 %
Edits = dict[int, list[tuple[int, int, str]]]


class Piece(NamedTuple):
    """A paragraph of a made article: which unit it is a copy of (None: noise), and whether all of it is there."""

    text: str
    unit: int | str | None
    whole: bool = True  # a truncated copy may be dropped, but may not be the only one left


class Made(NamedTuple):
    """A made article: its text, its pieces, and where each stands in the text."""

    id: str
    text: str
    pieces: list[Piece]
    spans: list[tuple[int, int]]


class Score(NamedTuple):
    """Characters of one made article: repeats put in, and of these found and flagged; real ones, and of these lost."""

    injected: int
    found: int
    real: int
    lost: int
    flagged: int = 0


def joined(name: str, pieces: list[Piece], joint: str) -> Made:
    r"""The article that `pieces` make when put together with `joint` between them.

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
    """What `clean_articles` drops and what it flags as a repeat: ``(start, stop, rule)`` by number of the article."""
    drops: Edits = {}
    flags: Edits = {}
    for found in clean_articles(rows, settings).findings:
        if found.action == "drop":
            drops.setdefault(found.record, []).append((found.start, found.stop, found.rule))
        elif found.action == "flag" and found.twin is not None:
            flags.setdefault(found.record, []).append((found.start, found.stop, found.rule))
    return drops, flags


def covered(spans: Sequence[tuple[int, int]], by: Iterable[tuple[int, int, str]], rules: str = "") -> list[int]:
    """Characters of each of `spans` inside the spans `by`; only those of one rule, where it is named.

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
    """The score where any copy may stay: a unit may lose all but one of its pieces, as long as one stays whole.

    It is whole, too, where its words still stand in a row: of “a b a b” either “a b” may go, or “b a” between.
    """
    drops = list(drops)
    left = ""
    gone, told = covered(made.spans, drops), covered(made.spans, flags)
    units: dict[int | str, list[int]] = {}
    for place, piece in enumerate(made.pieces):
        if piece.unit is not None:
            units.setdefault(piece.unit, []).append(place)
    injected = found = real = lost = flagged = 0
    for members in units.values():
        sizes = [len(made.pieces[place].text) for place in members]
        full = max(sizes)
        missing = min(gone[place] for place in members if made.pieces[place].whole)
        if missing:
            left = left or f" {comparison_key(without(made.text, drops))} "
            whole = (made.pieces[place].text for place in members if made.pieces[place].whole)
            missing *= not any(f" {comparison_key(text)} " in left for text in whole)
        repeats = sum(sizes) - full
        real += full
        injected += repeats
        lost += min(missing, full)
        found += 0 if missing else min(sum(gone[place] for place in members), repeats)
        flagged += min(sum(told[place] for place in members), repeats)
    return Score(injected, found, real, lost, flagged)


def without(text: str, drops: Iterable[tuple[int, int, str]]) -> str:
    """`text` without the spans of `drops`."""
    for start, stop, _ in sorted(drops, reverse=True):
        text = text[:start] + text[stop:]
    return text


def shingles(text: str) -> set[tuple[str, ...]]:
    """The runs of five words of the folded text: the definition of similarity, without hashes."""
    found = words(text)
    return set(zip(*(found[at:] for at in range(ARTICLE_SHINGLE)), strict=False))


def jaccard(one: set[tuple[str, ...]], two: set[tuple[str, ...]]) -> float:
    """Exact Jaccard similarity of two sets.

    >>> jaccard({("a",), ("b",)}, {("b",), ("c",), ("d",)})
    0.25
    """
    return len(one & two) / len(one | two) if one or two else 0.0


def wilson(hits: int, of: int) -> list[float]:
    """The 95 % interval of a share (Wilson 1927); the whole of [0, 1] where nothing was counted.

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
    """The 95 % interval of sum(parts) / sum(wholes), resampling articles; Wilson's of articles where none errs.

    Where every article says the same, resampling knows no doubt; then the interval is that of the share of articles.
    """
    count = len(parts)
    one, all_ = np.array(parts, np.float64), np.array(wholes, np.float64)
    if not count or not all_.sum():
        return [0.0, 1.0]
    if not one.any():
        return wilson(0, count)
    if (one == all_).all():
        return wilson(count, count)
    drawn = np.random.default_rng(seed).integers(0, count, (RESAMPLES, count))
    shares = one[drawn].sum(axis=1) / np.maximum(all_[drawn].sum(axis=1), 1)
    return [round(float(bound), 6) for bound in np.quantile(shares, (0.025, 0.975))]


def table_row(scores: Sequence[Score], seed: int) -> dict[str, Any]:
    """The figures of one line of a table: shares found and lost with their intervals, and articles harmed."""
    injected, found, real, lost, flagged = map(sum, zip(*scores, strict=True)) if scores else (0,) * 5
    putin = [one for one in scores if one.injected]
    harmed = sum(one.lost > 0 for one in scores)
    return {
        "n": len(scores),
        "injected": injected,
        "found": share(found, injected),
        "found interval": bootstrap([one.found for one in putin], [one.injected for one in putin], seed),
        "flagged": share(flagged, injected),
        "real": real,
        "lost characters": lost,
        "lost": share(lost, real),
        "harmed": harmed,
        "harmed interval": wilson(harmed, len(scores)),
    }


def share(part: float, whole: float) -> float | None:
    """What part of the whole, to six digits; None where there is no whole."""
    return round(part / whole, 6) if whole else None


@contextmanager
def constant(modules: Sequence[Any], name: str, value: object) -> Iterator[None]:
    """Inside, constant `name` of all of `modules` that have it is `value`."""
    holders = [(module, getattr(module, name)) for module in modules if hasattr(module, name)]
    if not holders:
        raise AttributeError(f"no constant {name}")
    for module, _ in holders:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, before in holders:
            setattr(module, name, before)
