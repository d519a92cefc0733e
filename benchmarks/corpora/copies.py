"""The ways in which text repeats: within an article, or as a copy in another, and how similar the two then are."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

WORDS = 5  # of a shingle
IDENTICAL, HIGH, NEAR, BELOW, FAR = CLASSES = ("identical", "high", "near", "below", "far")
_LOWER_BOUNDS = ((HIGH, 0.9), (NEAR, 0.8), (BELOW, 0.5), (FAR, 0.0))
# The share of the copies that aim at each class, and the range of similarities that they aim at. The truth states the
# class that was reached.
AIMS = {IDENTICAL: (0.3, 1.0, 1.0), HIGH: (0.3, 0.91, 0.99), NEAR: (0.25, 0.82, 0.9), BELOW: (0.15, 0.55, 0.78)}
_WORD = re.compile(r"\w+")
_DATELINES = ("WASHINGTON (Wire) — ", "LONDON (Wire) — ", "BAGHDAD (Wire) — ", "(Wire) — ")


def shingles(text: str) -> set[tuple[str, ...]]:
    """Return the word 5-grams of a text; words are lower-cased runs of word characters."""
    words = _WORD.findall(text.lower())
    return set(zip(*(words[at:] for at in range(WORDS)), strict=False))


def similarity(one: set[tuple[str, ...]], two: set[tuple[str, ...]]) -> float:
    """Return the Jaccard similarity of two sets; 1 if both are empty."""
    shared = len(one & two)
    return shared / (len(one) + len(two) - shared) if one or two else 1.0


def similarity_class(value: float) -> str:
    """Return the class of a similarity; 1 means identical words, whatever stands between them."""
    return IDENTICAL if value == 1 else next(name for name, bound in _LOWER_BOUNDS if value >= bound)


def draw_aim(draw: random.Random) -> tuple[str, float]:
    """Draw the class of a copy, and the similarity to aim at."""
    [name] = draw.choices(list(AIMS), [share for share, _, _ in AIMS.values()])
    return name, draw.uniform(*AIMS[name][1:])


def edited(paragraphs: Sequence[str], target: float, words: Sequence[str], draw: random.Random) -> list[str]:
    """Return a copy as another paper prints it: cut at the end, or with some words replaced.

    A replaced word that is far from others changes 5 of n shingles on both sides. So k of them leave a similarity of
    (n - 5k) / (n + 5k).
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
        body[place] = _replace_word(body[place], words, draw)
    return body


def doubled(paragraphs: Sequence[str], words: Sequence[str], draw: random.Random) -> tuple[str, list[str], list[str]]:
    """Return the way in which a body is doubled, the part that is repeated, and its copy."""
    way = draw.choice(("whole", "rest", "beginning", "edited"))
    first = draw.randrange(1, max(2, len(paragraphs) // 3)) if way in {"rest", "edited"} else 0
    last = max(3, len(paragraphs) // 2) if way == "beginning" else len(paragraphs)
    part = list(paragraphs[first:last])
    if way != "edited":
        return way, part, part
    copy = list(part)
    for place in range(0, len(copy), 4):  # a word of every fourth paragraph
        copy[place] = _replace_word(copy[place], words, draw)
    return way, part, copy


def _replace_word(paragraph: str, words: Sequence[str], draw: random.Random) -> str:
    """Return a paragraph with one of its words replaced by one of `words`."""
    tokens = paragraph.split(" ")
    tokens[draw.randrange(len(tokens))] = draw.choice(words)
    return " ".join(tokens)
