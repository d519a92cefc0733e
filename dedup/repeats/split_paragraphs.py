"""Split paragraphs into pieces, so that every repeat is a run of whole pieces.

A piece ends where the next piece of its paragraph starts. So a separator of paragraphs is never taken for the space
between sentences, and a dropped piece takes that space with it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from dedup.segment.words import comparison_key


class Repeat(NamedTuple):
    """A run of paragraphs or pieces that repeats another run; indices are inclusive.

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


class ReflowedRepeat(NamedTuple):
    """A span of the text that repeats another span, which stays, and the Jaccard similarity of their words.

    It `is_edited` if it is below the threshold, and enough of the words stand in the same order.
    """

    start: int
    stop: int
    twin_start: int
    twin_stop: int
    similarity: float
    is_edited: bool = False


class SplitArticle(NamedTuple):
    """Paragraphs or pieces of them: their spans in code points, their keys, and the repeats among them in order."""

    spans: Sequence[tuple[int, int]]
    keys: Sequence[str]
    repeats: list[Repeat]


def split(text: str, whole: SplitArticle, again: Sequence[ReflowedRepeat], rule: str) -> SplitArticle:
    """Return `whole`, which has no repeats yet, split so that each of `again` is a run of pieces, and with these.

    A span of `again` that does not start with a paragraph ends within it.
    """
    spans, keys = _split_where_repeated(text, whole, again)
    starts = [start for start, _ in spans]
    numbers = [start for start, _ in whole.spans]
    repeats = []
    for one in again:
        first, last = _covering(starts, one.start, one.stop)
        twin = one.twin_start, one.twin_stop
        evidence = _span_evidence(whole.spans, *_covering(numbers, *twin), *twin) + ", edited" * one.is_edited
        repeats.append(Repeat(rule, first, last, *_covering(starts, *twin), *twin, one.similarity, evidence))
    return SplitArticle(spans, keys, sorted(repeats, key=lambda one: one.first))


def _covering(starts: Sequence[int], start: int, stop: int) -> tuple[int, int]:
    """Return the first and the last piece that a span touches."""
    return bisect_right(starts, start) - 1, bisect_left(starts, stop) - 1


def _span_evidence(spans: Sequence[tuple[int, int]], first: int, last: int, start: int, stop: int) -> str:
    what = f"paragraph {first + 1}" if first == last else f"paragraphs {first + 1}-{last + 1}"
    return f"{what} again" if (spans[first][0], spans[last][1]) == (start, stop) else f"part of {what} again"


def _split_where_repeated(
    text: str, whole: SplitArticle, again: Sequence[ReflowedRepeat]
) -> tuple[list[tuple[int, int]], list[str]]:
    borders: dict[int, list[tuple[int, int]]] = {}  # paragraph -> spans that go
    starts = [start for start, _ in whole.spans]
    for one in again:
        first, last = _covering(starts, one.start, one.stop)
        for number in range(first, last + 1):
            start, stop = whole.spans[number]
            borders.setdefault(number, []).append((max(start, one.start), min(stop, one.stop)))
    spans: list[tuple[int, int]] = []
    keys: list[str] = []
    for number, (span, key) in enumerate(zip(whole.spans, whole.keys, strict=True)):
        pieces = _piece_spans(text, span, borders[number]) if number in borders else [span]
        spans += pieces
        keys += [key] if len(pieces) == 1 else [comparison_key(text[slice(*piece)]) for piece in pieces]
    return spans, keys


def _piece_spans(text: str, paragraph: tuple[int, int], gone: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans of the pieces of a paragraph, with borders around each of the spans `gone`."""
    start, end = paragraph
    cuts = [start]
    gone = sorted(gone)
    for number, (first, stop) in enumerate(gone):
        behind = stop + len(text[stop:end]) - len(text[stop:end].lstrip())
        before = start + len(text[start:first].rstrip())
        to_the_end = all(not text[one[1] : other[0]].strip() for one, other in pairwise(gone[number:]))
        if to_the_end and not text[gone[-1][1] : end].strip() and before > cuts[-1]:  # what is before it stays
            first = before  # noqa: PLW2901 - the space before it goes with it
        cuts += [place for place in (first, behind) if place > cuts[-1]]
    borders = [*cuts, end] if cuts[-1] < end else cuts
    return list(pairwise(borders))
