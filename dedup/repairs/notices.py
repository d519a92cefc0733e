"""Recognize notices that a site shows in place of an article, or at the place where it cuts one off.

They are error pages, paywalls, notices that scripts or cookies are switched off, and requests for consent. The words
are data, in ``notices.toml``. A notice counts by sentences, so that an article that mentions one stays an article.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files
from itertools import accumulate
from typing import NamedTuple

from dedup.segment.words import comparison_key

# A run of blanks before a mark is matched only from its first blank, so that many blanks take linear time.
_SENTENCE_BORDER = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？؟])|\n+|(?<![^\S\n])[^\S\n]+[|·•]\s+")
_SENTENCE_MARKS = " \t\r.,:;!?…。！？؟،*•·|»«›‹→>~_=–—-\"'“”„()[]"
_BLANK_RUN = re.compile(r"\s+")
_CACHED = 1 << 12  # sentences: a site has the same ones in all of its articles
_MAX_NOTICE = 400  # characters of a sentence: a request for consent is a long one


class _NoticeTexts(NamedTuple):
    """The kind of notice by its whole sentence, and by a part of one."""

    whole: dict[str, str]
    part: dict[str, str]


class NoticeWords(NamedTuple):
    """How many words of a text there are, how many are in notices, and the kind of most of these, None without any."""

    words: int
    in_notices: int
    kind: str | None


def count_notice_words(text: str) -> NoticeWords:
    """Return how many words of `text` are in notices.

    >>> count_notice_words("Page not found. The page you are looking for has moved.")
    NoticeWords(words=11, in_notices=11, kind='error page')
    >>> count_notice_words("She read that the page was not found.").kind
    """
    counts: Counter[str] = Counter()
    total = 0
    for sentence in _SENTENCE_BORDER.split(text):
        words = len(comparison_key(sentence).split())
        kind = _notice_kind(sentence)
        total += words
        if kind is not None:
            counts[kind] += words
    return NoticeWords(total, counts.total(), counts.most_common(1)[0][0] if counts else None)


def is_notice(text: str) -> bool:
    """Return True if each sentence of `text` is of a notice, as in the line where a paywall cuts an article off.

    >>> is_notice("Subscribe to continue reading."), is_notice("Subscribe to continue reading. It rains.")
    (True, False)
    """
    sentences = [sentence for sentence in _SENTENCE_BORDER.split(text) if sentence.strip(_SENTENCE_MARKS)]
    return bool(sentences) and all(_notice_kind(sentence) is not None for sentence in sentences)


def find_notices(texts: Sequence[str]) -> list[int]:
    """Return the numbers of those `texts` that are notices (`is_notice`), ascending.

    All are searched together, since few are: a text takes 2 µs in place of 30.

    >>> find_notices(["It rains.", "Subscribe to continue reading."])
    [1]
    """
    prepared = [_BLANK_RUN.sub(" ", text[:_MAX_NOTICE].lower().replace("’", "'")) for text in texts]
    starts = [0, *accumulate([len(text) + 1 for text in prepared])]
    joined = "\n".join(prepared)
    known = _notice_texts()
    likely = {
        number
        for number, text in enumerate(prepared)
        if _SENTENCE_BORDER.split(text, maxsplit=1)[0].strip(_SENTENCE_MARKS) in known.whole
    }
    for part in known.part:
        at = joined.find(part)
        while at >= 0:
            likely.add(bisect_right(starts, at) - 1)
            at = joined.find(part, at + 1)
    return [number for number in sorted(likely) if is_notice(texts[number])]


def own_paragraph_count(paragraphs: Sequence[str]) -> int:
    """Return how many of the `paragraphs` of an article are left without the notices at its end, all if none is.

    Paragraphs without a word do not separate notices from the end.

    >>> own_paragraph_count(["It rains in Alder.", "Subscribe to continue reading.", "..."])
    1
    """
    count = len(paragraphs)
    for number in range(len(paragraphs) - 1, -1, -1):
        if is_notice(paragraphs[number]):
            count = number
        elif comparison_key(paragraphs[number]):
            return count
    return len(paragraphs)


@lru_cache(_CACHED)
def _notice_kind(sentence: str) -> str | None:
    """Return the kind of notice that a sentence belongs to; None if it is none."""
    if len(sentence) > _MAX_NOTICE:
        return None
    known = _notice_texts()
    prepared = _BLANK_RUN.sub(" ", sentence.lower().replace("’", "'")).strip(_SENTENCE_MARKS)
    return known.whole.get(prepared) or next((kind for part, kind in known.part.items() if part in prepared), None)


@cache
def _notice_texts() -> _NoticeTexts:
    """Return the words of all notices."""
    table = tomllib.loads((files("dedup.repairs") / "notices.toml").read_text("utf-8"))
    whole, part = (
        {words: kind for kind, lists in table.items() for words in lists[key]} for key in _NoticeTexts._fields
    )
    return _NoticeTexts(whole, part)
