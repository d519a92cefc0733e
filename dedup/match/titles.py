"""Compare the titles of short articles: equal texts under the titles of two companies say other things.

A press agency sends “A full report follows.” under many titles. Titles of one form, with another name or number in one
place, are two articles. A title that was rewritten, or that only one of the articles has, tells nothing: it may stand
over a copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from dedup.arrays import encode_utf8, pack
from dedup.match.number_formats import have_other_facts
from dedup.match.spellings import fold_spellings, is_same_word
from dedup.segment.facts import numbers_and_facts
from dedup.segment.written_words import cut_words

SHARED_TITLE: Final = (
    0.5  # of the words of the longer title: with less in common, one was rewritten (“Alder wins”: half)
)


class Title(NamedTuple):
    """The words of a title, folded and as they are written, and True if any has a capital."""

    words: tuple[str, ...]
    written: tuple[str, ...]
    has_capitals: bool


def differing_titles(first: str, second: str) -> list[tuple[str, str]]:
    """Return the names and numbers in which two titles of one form differ, in pairs; none if they tell nothing.

    >>> differing_titles("Alder sets dividend", "Birch sets dividend"), differing_titles("Alder wins", "A great day")
    ([('Alder', 'Birch')], [])
    """
    one, other = read_title(first), read_title(second)
    if one.words == other.words:
        return differing_facts(first, second) if have_other_facts(first, second) else []
    if other.words < one.words:  # the alignment depends on the order, and the verdict must not
        return [pair[::-1] for pair in differing_titles(second, first)]
    changes = _changes_of_words(one.words, other.words)
    changed = sum(max(stop - start, other_stop - other_start) for start, stop, other_start, other_stop in changes)
    if max(len(one.words), len(other.words)) - changed < SHARED_TITLE * max(len(one.words), len(other.words)):
        return []
    pairs = []
    for start, stop, other_start, other_stop in changes:
        if start == stop or other_start == other_stop:
            continue
        if is_same_word(one.words[start:stop], other.words[other_start:other_stop]):
            continue
        if has_name(one, start, stop) and has_name(other, other_start, other_stop):
            pairs.append((" ".join(one.written[start:stop]), " ".join(other.written[other_start:other_stop])))
    return pairs


def _changes_of_words(words: Sequence[str], others: Sequence[str]) -> Sequence[tuple[int, int, int, int]]:
    """Return the spans of words that stand in place of each other; most titles of one form differ in one place."""
    sizes = len(words), len(others)
    start, most = 0, min(sizes)
    while start < most and words[start] == others[start]:
        start += 1
    end = 0
    while end < most - start and words[-1 - end] == others[-1 - end]:
        end += 1
    stop, other_stop = sizes[0] - end, sizes[1] - end
    if set(words[start:stop]).isdisjoint(others[start:other_stop]):
        return [(start, stop, start, other_stop)]
    opcodes = SequenceMatcher(None, words, others, autojunk=False).get_opcodes()
    return [(low, high, other_low, other_high) for kind, low, high, other_low, other_high in opcodes if kind != "equal"]


def differing_facts(first: str, second: str) -> list[tuple[str, str]]:
    """Return the facts in which two texts of equal words differ, in pairs.

    >>> differing_facts("In 2020 up -1.2%, then 5-7", "In 2020 up +1.2%, then 5, 7")
    [('-1.2% 5–7', '+1.2% 5 7')]
    """
    one, other = numbers_and_facts(first), numbers_and_facts(second)
    pairs: list[tuple[str, str]] = []
    for kind, start, stop, other_start, other_stop in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if kind == "replace" and stop - start == other_stop - other_start:
            pairs += zip(one[start:stop], other[other_start:other_stop], strict=True)
        elif kind != "equal":
            pairs.append((" ".join(one[start:stop]), " ".join(other[other_start:other_stop])))
    return pairs


def has_name(title: Title, start: int, stop: int) -> bool:
    """Return True if one of the words may be a name or a number: any that has no small first letter.

    In a title without capitals, any word may.
    """
    return not title.has_capitals or any(not word[0].islower() for word in title.written[start:stop])


@lru_cache(maxsize=1 << 14)
def read_title(title: str) -> Title:
    """Return the words of a title."""
    cut = cut_words(*pack([encode_utf8(title)]))
    folded, ends = fold_spellings(cut.folded, cut.ends)
    data = folded.tobytes()
    written = [title[start:stop] for start, stop in zip(cut.starts.tolist(), cut.stops.tolist(), strict=True)]
    words = [
        data[start:stop].decode(errors="surrogatepass") for start, stop in np.stack([ends[:-1], ends[1:]], 1).tolist()
    ]
    return Title(tuple(words), tuple(written), any(map(str.isupper, title)))
