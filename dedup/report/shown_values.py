"""Show the values of a report to a person: numbers, shares, settings, and texts without invisible characters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dedup.inspect.visible import visible
from dedup.inspect.word_diff import DIFFERS, TextPiece

_CHARACTERS_SHOWN = 20_000  # characters of any value; ids can be as long as texts
_LONG_VALUE = 300  # the same for a setting


def percent(share: float) -> str:
    """Return a share with two significant digits.

    >>> percent(0.5), percent(0.0123), percent(0.00004), percent(0.0000001)
    ('50 %', '1.2 %', '0.004 %', '< 0.001 %')
    """
    value = 100 * share
    if 0 < value < 0.001:
        return "< 0.001 %"
    digits = 0 if value >= 10 or not value else 1 if value >= 1 else 2 if value >= 0.1 else 3
    return f"{value:.{digits}f} %"


def similarity_shown(similarity: float) -> str:
    """Return a similarity with up to three decimals.

    >>> similarity_shown(0.8), similarity_shown(0.87654), similarity_shown(1)
    ('0.8', '0.877', '1')
    """
    return f"{similarity:.3f}".rstrip("0").rstrip(".")


def short_count(number: int) -> str:
    """Return a large number in short.

    >>> short_count(940), short_count(78_615_451)
    ('940', '78.6 M')
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f} {letter}"
    return str(number)


def shown_text(text: object) -> str:
    """Return a value with its invisible characters made visible; line ends stay. Very long ones are shortened."""
    value = str(text)
    if len(value) > _CHARACTERS_SHOWN:
        value = value[:_CHARACTERS_SHOWN] + "…"
    return "\n".join(map(visible, value.split("\n")))


def dotted(pieces: Sequence[TextPiece]) -> list[TextPiece]:
    """Return the pieces of a repair with dots for the spaces that are changed, and symbols for line ends."""
    return [
        TextPiece(piece.kind, visible(piece.text).replace(" ", "·"))
        if piece.kind == DIFFERS
        else TextPiece(piece.kind, re.sub(r"\s+", " ", piece.text))
        for piece in pieces
    ]


def flattened(settings: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return settings as pairs of name and value; those inside others have both names.

    >>> flattened({"keep": "first", "rules": {"encoding": "fix"}})
    [('keep', 'first'), ('rules.encoding', 'fix')]
    """
    pairs: list[tuple[str, str]] = []
    for name, value in settings.items():
        if isinstance(value, Mapping):
            pairs += flattened(value, f"{prefix}{name}.")
        else:
            pairs.append((f"{prefix}{name}", "" if value is None else str(value)[:_LONG_VALUE]))
    return pairs


def cell(value: object) -> str:
    """Return a value of a table, such as a setting, in one line.

    >>> cell(None), cell(12000), cell("drop")
    ('not set', '12,000', 'drop')
    """
    if value is None or value == "":
        return "not set"
    return f"{value:,}" if type(value) is int else shown_text(value)[:_LONG_VALUE]
