"""Find where two versions of a line differ.

ftfy's own plans carry no offsets, so a repair is located by comparing the line before and after. All functions take
time linear in the length of the lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from dedup.arrays import I32, I64

_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_PARTS = re.compile(r"([^\x00-\x7f]+)")
AGREEING = 3  # characters that must agree for two offsets to correspond
NEAR_DISTANCE = 6  # distances up to this are tried one by one
FIRST_WINDOW, WIDER = 64, 4  # where farther ones are looked for: so many characters, then so many times as many
_FIRST_WORD = 0x10000  # the character of word 0: there are a million above the surrogates


def differences(old: str, new: str) -> list[tuple[int, int, str]]:
    r"""Return the edits ``(start, stop, replacement)`` that turn `old` into `new`, disjoint and in order.

    The edits are small but not always minimal. Decoding a line again keeps its ASCII characters, so if both versions
    have the same ASCII characters in the same order, the runs between them correspond. Otherwise an edit ends at the
    nearest place where three characters agree again. Offsets are in code points of `old`.

    >>> differences("Fish &amp; chips &lt; caf\u00c3\u00a9", "Fish & chips < caf\u00e9")
    [(6, 10, ''), (17, 21, '<'), (25, 27, 'é')]
    """
    originals, replacements = _PARTS.split(old), _PARTS.split(new)  # ASCII and other in turn
    between, others = originals[::2], replacements[::2]
    if between == others:
        return _edits_of_parts(originals, replacements)
    if "".join(between) == "".join(others):
        return _between_ascii(old, new)
    return list(edits_to_nearest_agreement(old, new))


def edits_to_nearest_agreement(old: str, new: str) -> Iterator[tuple[int, int, str]]:
    """Yield edits as `differences` returns them, each of which ends where three characters of both texts agree again.

    >>> list(edits_to_nearest_agreement("one two three", "one 2 three"))
    [(4, 7, '2')]
    """
    i = j = 0
    while True:
        same = common_prefix_length(old, i, new, j)
        i, j = i + same, j + same
        if i == len(old) and j == len(new):
            return
        skip_old, skip_new = _nearest(old, i, new, j)
        yield i, i + skip_old, new[j : j + skip_new]
        i, j = i + skip_old, j + skip_new


def edits_of_words(first: I32, second: I32) -> I64:
    """Return the edits that turn the `first` words into the `second`: int64 [edits, 4], as spans in both.

    Words are numbers below a million: int32 [words]. The edits are those of `edits_to_nearest_agreement`.

    >>> edits_of_words(np.array([5, 6, 7]), np.array([5, 8, 9, 7])).tolist()
    [[1, 2, 1, 3]]
    """
    edits, shift = [], 0
    for start, stop, replacement in edits_to_nearest_agreement(encode_words(first), encode_words(second)):
        other = start + shift
        edits.append((start, stop, other, other + len(replacement)))
        shift += len(replacement) - (stop - start)
    return np.array(edits, np.int64).reshape(-1, 4)


def encode_words(numbers: I32) -> str:
    """Return words as one character each, equal for equal words; `numbers` are below a million: int32 [words]."""
    return (numbers + _FIRST_WORD).astype("<u4").tobytes().decode("utf-32-le")


def _edits_of_parts(originals: list[str], replacements: list[str]) -> list[tuple[int, int, str]]:
    """Return the edits between two texts split into parts, where the parts at even positions are equal."""
    edits: list[tuple[int, int, str]] = []
    position = 0
    for at in range(1, len(originals), 2):
        original, replacement = originals[at], replacements[at]
        position += len(originals[at - 1])
        if original != replacement:
            edits.append(trimmed(position, original, replacement))
        position += len(original)
    return edits


def trimmed(start: int, original: str, replacement: str) -> tuple[int, int, str]:
    """Return the edit at `start` of `original` to `replacement`, without their common prefix and suffix."""
    head = common_prefix_length(original, 0, replacement, 0) if original[:1] == replacement[:1] else 0
    tail = 0
    if original[-1:] == replacement[-1:]:
        tail = min(
            common_prefix_length(original[::-1], 0, replacement[::-1], 0), len(original) - head, len(replacement) - head
        )
    return start + head, start + len(original) - tail, replacement[head : len(replacement) - tail]


def _between_ascii(old: str, new: str) -> list[tuple[int, int, str]]:
    """Return the edits between two texts that have the same ASCII characters in the same order."""
    replacements = _non_ascii_runs(new)
    originals = _non_ascii_runs(old)
    edits: list[tuple[int, int, str]] = []
    shift = 0  # non-ASCII characters of old before this place
    for place in sorted(originals.keys() | replacements.keys()):
        original, replacement = originals.get(place, ""), replacements.get(place, "")
        start = place + shift
        shift += len(original)
        if original != replacement:
            edits.append(trimmed(start, original, replacement))
    return edits


def _non_ascii_runs(text: str) -> dict[int, str]:
    """Return the non-ASCII runs of `text` by the number of ASCII characters before them."""
    runs = {}
    others = 0
    for match in _NOT_ASCII.finditer(text):
        runs[match.start() - others] = match.group()
        others += match.end() - match.start()
    return runs


def common_prefix_length(old: str, i: int, new: str, j: int) -> int:
    """Return the length of the longest common prefix of ``old[i:]`` and ``new[j:]``, in code points."""
    same = 0
    limit = min(len(old) - i, len(new) - j)
    step = 8
    while same < limit:
        step = min(step, limit - same)
        if old[i + same : i + same + step] == new[j + same : j + same + step]:
            same += step
            step *= 2
        elif step == 1:
            break
        else:
            step //= 2
    return same


def _nearest(old: str, i: int, new: str, j: int) -> tuple[int, int]:
    """Return how many characters of each text to skip until both agree again, or end."""
    for distance in range(1, NEAR_DISTANCE + 1):
        for skip in range(min(distance, len(old) - i) + 1):
            if distance - skip <= len(new) - j and (
                old[i + skip : i + skip + AGREEING] == new[j + distance - skip : j + distance - skip + AGREEING]
            ):
                return skip, distance - skip
    window = FIRST_WINDOW
    while True:
        # A window without a match is made wider. A match then consumes a good part of the window, which
        # keeps the total time linear.
        places: dict[str, int] = {}
        for skip in range(min(window, len(new) - j) + 1):
            places.setdefault(new[j + skip : j + skip + AGREEING], skip)
        best: tuple[int, int] | None = None
        for skip in range(min(window, len(old) - i) + 1):
            if best is not None and skip >= sum(best):
                break
            place = places.get(old[i + skip : i + skip + AGREEING])
            if place is not None and (best is None or skip + place < sum(best)):
                best = (skip, place)
        if best is not None:
            return best
        window *= WIDER
