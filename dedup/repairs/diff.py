"""Where two versions of a line differ.

ftfy's own plans carry no offsets, so what a repair did is found by comparing. Linear in the lines, whatever they are.
"""

from __future__ import annotations

import re

_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_PARTS = re.compile(r"([^\x00-\x7f]+)")
_RUN = 3  # characters that must agree for two places to count as the same
_NEAR = 6  # characters apart that are tried one by one


def differences(old: str, new: str) -> list[tuple[int, int, str]]:
    r"""Edits ``(start, stop, replacement)`` that lead from `old` to `new`, in order and disjoint.

    Small rather than minimal, in linear time. Re-decoding keeps ASCII characters, so where both versions have
    the same ones in the same order, the runs between them correspond. Elsewhere the nearest place where three
    characters agree again ends an edit.

    >>> differences("Fish &amp; chips &lt; caf\u00c3\u00a9", "Fish & chips < caf\u00e9")
    [(6, 10, ''), (17, 21, '<'), (25, 27, 'é')]
    """
    originals, replacements = _PARTS.split(old), _PARTS.split(new)  # ASCII and other in turn
    between, others = originals[::2], replacements[::2]
    if between == others:
        return _run_by_run(originals, replacements)
    if "".join(between) == "".join(others):
        return _between_ascii(old, new)
    edits: list[tuple[int, int, str]] = []
    i = j = 0
    while True:
        same = common_prefix_length(old, i, new, j)
        i, j = i + same, j + same
        if i == len(old) and j == len(new):
            return edits
        skip_old, skip_new = _nearest(old, i, new, j)
        edits.append((i, i + skip_old, new[j : j + skip_new]))
        i, j = i + skip_old, j + skip_new


def _run_by_run(originals: list[str], replacements: list[str]) -> list[tuple[int, int, str]]:
    """The edits between two texts in parts, of which every second one, from the first on, is the same."""
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
    """The edit at `start` of `original` to `replacement`, without what both begin or end with."""
    head = common_prefix_length(original, 0, replacement, 0) if original[:1] == replacement[:1] else 0
    tail = 0
    if original[-1:] == replacement[-1:]:
        tail = min(
            common_prefix_length(original[::-1], 0, replacement[::-1], 0), len(original) - head, len(replacement) - head
        )
    return start + head, start + len(original) - tail, replacement[head : len(replacement) - tail]


def _between_ascii(old: str, new: str) -> list[tuple[int, int, str]]:
    """The edits between two texts that hold the same ASCII characters in the same order."""
    replacements = _runs(new)
    originals = _runs(old)
    edits: list[tuple[int, int, str]] = []
    shift = 0  # non-ASCII characters of old before this place
    for place in sorted(originals.keys() | replacements.keys()):
        original, replacement = originals.get(place, ""), replacements.get(place, "")
        start = place + shift
        shift += len(original)
        if original != replacement:
            edits.append(trimmed(start, original, replacement))
    return edits


def _runs(text: str) -> dict[int, str]:
    """The non-ASCII runs of `text` by the number of ASCII characters before them."""
    runs = {}
    others = 0
    for match in _NOT_ASCII.finditer(text):
        runs[match.start() - others] = match.group()
        others += match.end() - match.start()
    return runs


def common_prefix_length(old: str, i: int, new: str, j: int) -> int:
    """How many characters agree from ``old[i]`` and ``new[j]`` on."""
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
    """How many characters of each to leave out until both agree again, or end."""
    for distance in range(1, _NEAR + 1):
        for skip in range(min(distance, len(old) - i) + 1):
            if distance - skip <= len(new) - j and (
                old[i + skip : i + skip + _RUN] == new[j + distance - skip : j + distance - skip + _RUN]
            ):
                return skip, distance - skip
    window = 64
    while True:
        # A window that fails is made four times as wide. One that succeeds then uses up a good part of the text
        # it has looked at, which keeps the sum linear.
        places: dict[str, int] = {}
        for skip in range(min(window, len(new) - j) + 1):
            places.setdefault(new[j + skip : j + skip + _RUN], skip)
        best: tuple[int, int] | None = None
        for skip in range(min(window, len(old) - i) + 1):
            if best is not None and skip >= sum(best):
                break
            place = places.get(old[i + skip : i + skip + _RUN])
            if place is not None and (best is None or skip + place < sum(best)):
                best = (skip, place)
        if best is not None:
            return best
        window *= 4
