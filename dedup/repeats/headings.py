"""Judge whether two headings are built alike: “Monday” and “Tuesday”, “Dear Secretary Moss:” and “Dear Director Bell:”.

The same text under two such headings is not a repeat, since it is about something else. Only the two lines are
compared, in any script, not the text under them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dedup.segment.words import weighted_word_count, words

HEAD_WORDS = 20  # words of a heading at most
HEAD_SHARED = 1 / 3  # of the shorter heading: words that both begin or end with
LABEL_WORDS = 3  # words of headings that need not share any, if both have as many, with equal capitals and punctuation
_FINAL_PUNCTUATION = re.compile(r"[^\w\s]*\s*$")
_HEADING_WORD = re.compile(r"\w+")
_DIGIT = re.compile(r"\d")


def are_built_alike(one: str, two: str) -> bool:
    """Return True if two lines are built alike and differ in names or numbers.

    In a script without capitals they may differ in any words.

    >>> are_built_alike("Dear Secretary Moss:", "Dear Director Bell:"), are_built_alike("North", "South")
    (True, True)
    >>> are_built_alike("Council votes to extend the metro", "Read more")
    False
    >>> are_built_alike("What was said", "What they said")
    False
    """
    first, second = words(one), words(two)
    if (
        first == second
        or not first
        or not second
        or max(weighted_word_count(first), weighted_word_count(second)) > HEAD_WORDS
    ):
        return False
    masked = [[_DIGIT.sub("0", word) for word in told] for told in (first, second)]
    shared = sum(_common_ends(*masked))
    if not (
        shared >= HEAD_SHARED * min(map(len, masked))
        or (len(first) == len(second) <= LABEL_WORDS and _capitals_and_end(one) == _capitals_and_end(two))
    ):
        return False
    tokens = [_HEADING_WORD.findall(text) for text in (one, two)]
    begin, end = _common_ends(*tokens)
    return not all(token.islower() for told in tokens for token in told[begin : len(told) - end])


def _common_ends(one: Sequence[str], two: Sequence[str]) -> tuple[int, int]:
    """Return how many words both begin with, and how many of the others both end with."""
    begin = _common_prefix(one, two)
    return begin, min(_common_prefix(one[::-1], two[::-1]), min(len(one), len(two)) - begin)


def _common_prefix(one: Sequence[str], two: Sequence[str]) -> int:
    """Return how many words both begin with."""
    return next(
        (at for at, pair in enumerate(zip(one, two, strict=False)) if pair[0] != pair[1]), min(len(one), len(two))
    )


def _capitals_and_end(text: str) -> tuple[list[bool], str]:
    """Return which words have a capital, and the punctuation at the end."""
    end = _FINAL_PUNCTUATION.search(text)
    return [word[:1].isupper() for word in text.split()], end.group().strip() if end else ""
