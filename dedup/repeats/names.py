"""Judge whether two parts of an article have the same names, numbers and facts.

Names are found by their capitals; in a script without capitals, a first word may be one. Only the places where two
texts differ are compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from dedup.repairs.diff import common_prefix_length
from dedup.segment.facts import fact_marks
from dedup.segment.words import has_digit, is_unspaced, words

LABEL = 4  # letters of a first word that may be a name, in a script without spaces
NAME_TOKEN = re.compile(r"[^\W_](?:[\w'’-]*\w)?")
_STARTS_SENTENCE = re.compile(r"[^\w,]*?[.!?:;…|•]")  # read backwards, which takes linear time
_AROUND = 4  # words beside a difference that are looked at for names, with those cut through
_CLAUSE = re.compile(r"[a-z]|[ivxl]{2,6}")  # of "(b)" or "iv." before a clause: a number in letters


def have_equal_facts(one: str, two: str, is_small_word: Callable[[str], bool]) -> bool:
    """Return True if two texts have the same numbers, facts and names, in the same order.

    `is_small_word` says whether the article has a word in lower case, too. Then it is no name where it opens a
    sentence.
    """
    if one == two:
        return True
    if figures(words(one)) != figures(words(two)) or fact_marks(one) != fact_marks(two):
        return False
    marks, others = map(_marks, _differing(one, two))
    return marks == others or _names_among(marks, is_small_word) == _names_among(others, is_small_word)


def _names_among(marks: list[tuple[str, bool]], is_small_word: Callable[[str], bool]) -> list[str]:
    """Return the words of `_marks` that are names."""
    return [name for name, opens in marks if not opens or not is_small_word(name)]


def figures(key_words: Sequence[str]) -> list[str]:
    """Return the words that are numbers, and a letter or Roman numeral that the words begin with, as of a clause."""
    return [*filter(has_digit, key_words), *filter(_CLAUSE.fullmatch, key_words[:1])]


def _marks(raw: str) -> list[tuple[str, bool]]:
    """Return the words of a text that may be names, and for each whether it only opens a sentence."""
    names = []
    behind = 0
    for token in NAME_TOKEN.finditer(raw):
        name = token.group()
        if not behind and _is_label(name):
            names.append((name, False))
        if name[0].isupper() or name[0].istitle():
            opens = bool(_STARTS_SENTENCE.match(raw[behind : token.start()][::-1])) if behind else True
            names.append((name.casefold(), opens))
        behind = token.end()
    return names


def _is_label(token: str) -> bool:
    """Return True if a first word, in a script without capitals, may be a name: of a day, of a person."""
    if token.isascii() or token.lower() != token.upper():
        return False
    return len(token) <= LABEL or not is_unspaced(token[0])


def _differing(one: str, two: str) -> tuple[str, str]:
    """Return two texts without their common prefix and suffix, but for a few words of each.

    Whether a word is a name depends on what stands between it and the word before. So the words beside the difference
    are kept, as far as that is needed to judge the words that differ.
    """
    begin = common_prefix_length(one, 0, two, 0)
    end = min(common_prefix_length(one[::-1], 0, two[::-1], 0), min(len(one), len(two)) - begin)
    before = one[:begin].rsplit(None, _AROUND)
    behind = one[len(one) - end :].split(None, _AROUND)
    start = len(before[0]) if len(before) > _AROUND and NAME_TOKEN.search(" ".join(before[1:-1])) else 0
    rest = len(behind[-1]) if len(behind) > _AROUND and NAME_TOKEN.search(" ".join(behind[1:-1])) else 0
    return one[start : len(one) - rest], two[start : len(two) - rest]
