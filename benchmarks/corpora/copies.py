"""How an article comes to stand twice: in its own text, or in another paper's, and how much alike the two then are."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

WORDS = 5  # of a shingle
IDENTICAL, HIGH, NEAR, BELOW, FAR = CLASSES = ("identical", "high", "near", "below", "far")
_BORDERS = ((HIGH, 0.9), (NEAR, 0.8), (BELOW, 0.5), (FAR, 0.0))
# How often a copy is meant to be of a class, and the similarities it then aims at. The class that is told is the one
# that came of it.
AIMS = {IDENTICAL: (0.3, 1.0, 1.0), HIGH: (0.3, 0.91, 0.99), NEAR: (0.25, 0.82, 0.9), BELOW: (0.15, 0.55, 0.78)}
_WORD = re.compile(r"\w+")
_DATELINES = ("WASHINGTON (Wire) — ", "LONDON (Wire) — ", "BAGHDAD (Wire) — ", "(Wire) — ")


def shingles(text: str) -> set[tuple[str, ...]]:
    """Word 5-grams: lower-cased runs of word characters."""
    words = _WORD.findall(text.lower())
    return set(zip(*(words[at:] for at in range(WORDS)), strict=False))


def similarity(one: set[tuple[str, ...]], two: set[tuple[str, ...]]) -> float:
    """The Jaccard similarity of two sets."""
    shared = len(one & two)
    return shared / (len(one) + len(two) - shared) if one or two else 1.0


def similarity_class(value: float) -> str:
    """The class of a similarity; 1 is identical in its words, whatever stands between them."""
    return IDENTICAL if value == 1 else next(name for name, border in _BORDERS if value >= border)


def aim(draw: random.Random) -> tuple[str, float]:
    """A class for a copy and the similarity to try for."""
    [name] = draw.choices(list(AIMS), [share for share, _, _ in AIMS.values()])
    return name, draw.uniform(*AIMS[name][1:])


def edited(paragraphs: Sequence[str], target: float, words: Sequence[str], draw: random.Random) -> list[str]:
    """A copy as another paper prints it: cut from behind, or with other words here and there.

    A word replaced far from others changes 5 of n shingles on both sides, so k of them leave (n - 5k) / (n + 5k).
    """
    counts = [paragraph.count(" ") + 1 for paragraph in paragraphs]
    total = sum(counts)
    body = list(paragraphs)
    if draw.random() < 0.4:
        while len(body) > 2 and total * target < sum(counts[: len(body) - 1]):
            body.pop()
        if draw.random() < 0.5:
            body[0] = draw.choice(_DATELINES) + body[0]
        return body
    changes = max(1, round(total * (1 - target) / (WORDS * (1 + target))))
    for place in draw.choices(range(len(body)), counts, k=changes):
        told = body[place].split(" ")
        told[draw.randrange(len(told))] = draw.choice(words)
        body[place] = " ".join(told)
    return body


def doubled(paragraphs: Sequence[str], words: Sequence[str], draw: random.Random) -> tuple[str, list[str], list[str]]:
    """How a body stands twice, the part that does, and its copy."""
    way = draw.choice(("whole", "rest", "beginning", "edited"))
    first = draw.randrange(1, max(2, len(paragraphs) // 3)) if way in {"rest", "edited"} else 0
    last = max(3, len(paragraphs) // 2) if way == "beginning" else len(paragraphs)
    part = list(paragraphs[first:last])
    if way != "edited":
        return way, part, part
    copy = list(part)
    for place in range(0, len(copy), 4):  # a word of every fourth paragraph
        told = copy[place].split(" ")
        told[draw.randrange(len(told))] = draw.choice(words)
        copy[place] = " ".join(told)
    return way, part, copy
