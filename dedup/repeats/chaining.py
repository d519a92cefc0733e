"""Follow chains of alike paragraphs within one article."""

from __future__ import annotations

from collections.abc import Sequence

from dedup.repeats.article import CUT_WORDS, ArticleParagraphs

GAP = 3  # unmatched paragraphs that a chain may skip, in either copy; with 1, recall of copies with a word edited
# in each paragraph falls from 0.990 to 0.980, and 5 finds no more
STEP_PRICE = 8  # what a step of a chain costs, in words compared

_STEPS = sorted(
    ((down, across) for down in range(1, GAP + 2) for across in range(1, GAP + 2)),
    key=lambda step: (step[0] + step[1], abs(step[0] - step[1]), step),
)
_EDITED_STEPS = 4  # of `_STEPS`: how many are tried for an edited paragraph


def chain(paragraphs: ArticleParagraphs, alive: Sequence[int], first: int, second: int) -> list[tuple[int, int]]:
    """Return the chain through the pair at places `first` and `second` of `alive`, as pairs of places, in order.

    Each step moves on in both copies, to the next paragraph where possible, else over up to `GAP` paragraphs of either.
    A chain may run into its own beginning (a text printed three times is one chain).
    """
    forwards = _follow(paragraphs, alive, first, second, 1)
    backwards = _follow(paragraphs, alive, first, second, -1)
    return [*reversed(backwards), (first, second), *forwards]


def _follow(
    paragraphs: ArticleParagraphs, alive: Sequence[int], first: int, second: int, direction: int
) -> list[tuple[int, int]]:
    steps: list[tuple[int, int]] = []
    while paragraphs.purse > 0:
        paragraphs.purse -= STEP_PRICE
        for number, (down, across) in enumerate(_STEPS):
            low, high = first + direction * down, second + direction * across
            if low < 0 or high >= len(alive) or low >= high:
                continue
            straight = down == across <= 2  # in A A B B every step is two down, two across
            if paragraphs.ids[alive[low]] == paragraphs.ids[alive[high]]:
                if straight or len(paragraphs.words[alive[low]]) >= CUT_WORDS:
                    break
            elif number < _EDITED_STEPS and paragraphs.kind(alive[low], alive[high]):
                break
        else:
            return steps
        first, second = low, high
        steps.append((low, high))
    return steps
