"""Whether two lines are heads of one form: “Monday” and “Tuesday”, “Dear Secretary Moss:” and “Dear Director Bell:”.

What stands again under another head of the same form is no repeat: it says the same of something else. Judged by how
the two lines are built, in any script; what stands under them is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dedup.segment.words import weighted_word_count, words

HEAD_WORDS = 20  # words of a head at most
HEAD_SHARED = 1 / 3  # of the shorter head: words that both begin or end with
LABEL_WORDS = 3  # words of heads that need not share any, where both are of as many and written alike
_ENDS = re.compile(r"[^\w\s]*\s*$")
_TOKEN = re.compile(r"\w+")
_DIGIT = re.compile(r"\d")


def have_one_form(one: str, two: str) -> bool:
    """Whether two lines are built alike and differ in names or numbers; in a script without capitals, in any words.

    >>> of_one_form("Dear Secretary Moss:", "Dear Director Bell:"), of_one_form("North", "South")
    (True, True)
    >>> of_one_form("Council votes to extend the metro", "Read more"), of_one_form("What was said", "What they said")
    (False, False)
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
    shared = sum(_ends_alike(*masked))
    if not (
        shared >= HEAD_SHARED * min(map(len, masked))
        or (len(first) == len(second) <= LABEL_WORDS and _written(one) == _written(two))
    ):
        return False
    tokens = [_TOKEN.findall(text) for text in (one, two)]
    begin, end = _ends_alike(*tokens)
    return not all(token.islower() for told in tokens for token in told[begin : len(told) - end])


def _ends_alike(one: Sequence[str], two: Sequence[str]) -> tuple[int, int]:
    """How many words both begin with, and how many of the others both end with."""
    begin = _alike(one, two)
    return begin, min(_alike(one[::-1], two[::-1]), min(len(one), len(two)) - begin)


def _alike(one: Sequence[str], two: Sequence[str]) -> int:
    """How many words both begin with."""
    return next(
        (at for at, pair in enumerate(zip(one, two, strict=False)) if pair[0] != pair[1]), min(len(one), len(two))
    )


def _written(text: str) -> tuple[list[bool], str]:
    """Which words have a capital, and the punctuation at the end."""
    end = _ENDS.search(text)
    return [word[:1].isupper() for word in text.split()], end.group().strip() if end else ""
