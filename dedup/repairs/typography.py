"""The `repair_typography` rule: three of ftfy's character maps, as findings."""

from __future__ import annotations

import re
from functools import cache

from ftfy import fixes
from ftfy.chardata import LIGATURES, WIDTH_MAP

from dedup.findings import Finding, fix


def repair_typography(text: str) -> list[Finding]:
    """Fixes that do what ftfy's `fix_latin_ligatures`, `fix_character_width` and `uncurl_quotes` do.

    >>> from dedup.findings import apply
    >>> apply("it’s ﬁne", typography("it’s ﬁne"))
    "it's fine"
    """
    if text.isascii():
        return []
    return [
        fix("typography", text, match.start(), match.end(), _plain(match.group()), match.lastgroup)
        for match in _typography().finditer(text)
    ]


def typography_may_apply(text: str) -> bool:
    """Whether `repair_typography` finds anything in `text`.

    >>> may_change("it’s"), may_change("it's")
    (True, False)
    """
    return not text.isascii() and bool(_typography().search(text))


def _plain(text: str) -> str:
    return fixes.uncurl_quotes(fixes.fix_character_width(fixes.fix_latin_ligatures(text)))


def typography_characters() -> dict[str, str]:
    """The characters that each of ftfy's functions changes, by its name."""
    return {
        "fix_latin_ligatures": "".join(map(chr, LIGATURES)),
        "fix_character_width": "".join(map(chr, WIDTH_MAP)),
        "uncurl_quotes": "".join(map(chr, (0x02BC, *range(0x2018, 0x2020)))),
    }


@cache
def _typography() -> re.Pattern[str]:
    """Matches a run of characters that one of ftfy's functions changes, as a group of its name."""
    return re.compile("|".join(f"(?P<{name}>[{re.escape(of)}]+)" for name, of in typography_characters().items()))
