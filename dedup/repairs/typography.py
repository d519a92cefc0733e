"""Repair typography with three of ftfy's character maps: the rule ``typography``."""

from __future__ import annotations

import re
from functools import cache

from ftfy import fixes
from ftfy.chardata import LIGATURES, WIDTH_MAP

from dedup.findings import Finding, fix


def repair_typography(text: str) -> list[Finding]:
    """Return the fixes that ftfy's `fix_latin_ligatures`, `fix_character_width` and `uncurl_quotes` would make.

    >>> from dedup.findings import apply
    >>> apply("it’s ﬁne", repair_typography("it’s ﬁne"))
    "it's fine"
    """
    if text.isascii():
        return []
    return [
        fix("typography", text, match.start(), match.end(), _plain_typography(match.group()), match.lastgroup)
        for match in _typography().finditer(text)
    ]


def typography_may_apply(text: str) -> bool:
    """Return True if `repair_typography` finds anything in `text`.

    >>> typography_may_apply("it’s"), typography_may_apply("it's")
    (True, False)
    """
    return not text.isascii() and bool(_typography().search(text))


def _plain_typography(text: str) -> str:
    """Return `text` with plain quotes, plain letters for ligatures, and characters of normal width."""
    return fixes.uncurl_quotes(fixes.fix_character_width(fixes.fix_latin_ligatures(text)))


def typography_characters() -> dict[str, str]:
    """Return the characters that each of ftfy's functions changes, by the name of the function."""
    return {
        "fix_latin_ligatures": "".join(map(chr, LIGATURES)),
        "fix_character_width": "".join(map(chr, WIDTH_MAP)),
        "uncurl_quotes": "".join(map(chr, (0x02BC, *range(0x2018, 0x2020)))),
    }


@cache
def _typography() -> re.Pattern[str]:
    """Return a pattern of runs of characters that one of ftfy's functions changes, each run in a group of its name."""
    return re.compile("|".join(f"(?P<{name}>[{re.escape(of)}]+)" for name, of in typography_characters().items()))
