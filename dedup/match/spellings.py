"""Tell another spelling of a word, or a typing error, from another word."""

from __future__ import annotations

from collections.abc import Sequence

from dedup.segment.words import has_digit, is_unspaced

LONG_WORD = 8  # letters: two of them may differ, in shorter words one


def is_same_word(words: Sequence[str], others: Sequence[str]) -> bool:
    """Return True if two runs of words are the same words in another spelling, or mistyped.

    >>> is_same_word(["colour"], ["color"]), is_same_word(["1", "000"], ["1000"]), is_same_word(["west"], ["east"])
    (True, True, False)
    """
    one, other = "".join(words), "".join(others)
    if one == other or (len(words) > 1 and sorted(words) == sorted(others)):
        return True
    if any(map(has_digit, (one, other))) or is_unspaced(one[0]) or is_unspaced(other[0]):
        return False
    size = max(len(one), len(other))
    if one[0] != other[0] and one[:2] != other[1::-1]:
        return False
    return size >= 4 and _edit_distance(one, other) <= (1 if size < LONG_WORD else 2)


def _edit_distance(one: str, other: str) -> int:
    """Return how many letters must be changed, inserted, removed or exchanged with the next; 3 stands for more."""
    if abs(len(one) - len(other)) > 2 or len(set(one) ^ set(other)) > 4:  # two changes make at most four letters differ
        return 3
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, other_letter in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other_letter))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == other_letter:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return min(row[-1], 3)
