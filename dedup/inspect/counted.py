"""Counts with their nouns, for lines that a person reads."""

from __future__ import annotations


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return `count` and `noun`, which is plural unless there is one; without `plural`, an s is appended.

    >>> counted(1, "article"), counted(1200, "article"), counted(0, "match", "matches")
    ('1 article', '1,200 articles', '0 matches')
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
