"""Numbers with the signs and currencies that comparison keys leave out."""

from __future__ import annotations

import re

_MARKED_NUMBER = re.compile(
    r"(?:(?<![\w.])[-+\u2212])?[$€£¥₹₽₩₪฿]?\d+(?:[.,]\d+)*(?:\s?[%‰€£¥₹₽₩₪฿$])?(?<=[%‰€£¥₹₽₩₪฿$])"
    r"|(?:(?<![\w.])[-+\u2212][$€£¥₹₽₩₪฿]?|[$€£¥₹₽₩₪฿])\d+(?:[.,]\d+)*"
)


def facts(text: str) -> list[str]:
    """Return the numbers of a text that have a sign, a currency or a percent sign, with them."""
    return ["".join(fact.split()).replace("\u2212", "-") for fact in _MARKED_NUMBER.findall(text)]
