"""Find titles that certainly differ in meaning, without comparing them in pairs.

One text may have thousands of titles of one form, such as “Alder sets dividend” and “Birch sets dividend”, and each
differs from all others (`dedup.match.titles`). A group has the titles with equal words before and after a slot of one
to three words. Two of them differ in meaning if both slots may be names, have no word in common, and are not two
spellings of one word. Possible spellings are words within two edits: after up to two letters of each are removed, both
leave a common string. These few pairs, and titles of other groups, are compared in pairs.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np

from dedup.arrays import I64, Bools, with_room
from dedup.match.titles import SHARED_TITLE, Title, has_name, read_title
from dedup.segment.words import has_digit, is_unspaced

_MOST_SLOT_WORDS = 3
_MOST_EDITS = 2  # between two spellings of a word
FEW_TITLES = 8  # are compared in pairs

_Frame = tuple[tuple[str, ...], tuple[str, ...]]  # the words before and after a slot


class _TitleSlot(NamedTuple):
    """The words of one title in the slot of its group, and the number of its text."""

    number: int
    words: tuple[str, ...]


class TitleGroups:
    """The titles of texts, by the number of each text."""

    def __init__(self) -> None:
        self._groups: dict[_Frame, _TitleGroup] = {}
        self._slots: dict[int, list[tuple[_TitleGroup, tuple[str, ...]]]] = {}  # by number
        self._mask = np.zeros(0, bool)  # by number: all False between two calls

    def insert(self, number: int, title: str) -> None:
        """Add the title of the text `number`."""
        self._mask = with_room(self._mask, number + 1)
        self._slots[number] = []
        for frame, words in _frames(read_title(title)):
            group = self._groups.setdefault(frame, _TitleGroup())
            group.insert(_TitleSlot(number, words))
            self._slots[number].append((group, words))

    def certainly_differ(self, number: int, others: I64) -> Bools:
        """Return which of `others` have titles that certainly differ in meaning from that of `number`: bool [others].

        `others` are numbers of texts, int64 [others]; some may have no title.
        """
        result = np.zeros(len(others), bool)
        self._mask = with_room(self._mask, int(others.max(initial=0)) + 1)
        for group, words in self._slots.get(number, ()):
            if group.count >= FEW_TITLES:
                members = group.numbers[: group.count]
                self._mask[members] = True
                self._mask[group.like(words)] = False
                result |= self._mask[others]
                self._mask[members] = False
        return result


def _frames(title: Title) -> Iterator[tuple[_Frame, tuple[str, ...]]]:
    """Yield the words around each slot of a title that may hold a name, and the words in it."""
    count = len(title.words)
    for size in range(1, _MOST_SLOT_WORDS + 1):
        if count - size < SHARED_TITLE * count:
            break
        for start in range(count - size + 1):
            stop = start + size
            if has_name(title, start, stop):
                yield (title.words[:start], title.words[stop:]), title.words[start:stop]


class _TitleGroup:
    """The titles that have equal words around a slot."""

    def __init__(self) -> None:
        self.count = 0
        self.numbers: I64 = np.empty(0, np.int64)
        self._waiting: list[_TitleSlot] = []  # not yet in the dicts, because few groups need these
        self._by_word: dict[str, list[int]] = {}
        self._by_remains: dict[str, list[int]] = {}

    def insert(self, slot: _TitleSlot) -> None:
        """Add a title."""
        self.numbers = with_room(self.numbers, self.count + 1)
        self.numbers[self.count] = slot.number
        self.count += 1
        self._waiting.append(slot)

    def like(self, words: tuple[str, ...]) -> list[int]:
        """Return the titles whose slot may be another spelling of `words`, or has one of these words."""
        for slot in self._waiting:
            for word in slot.words:
                self._by_word.setdefault(word, []).append(slot.number)
            for remains in _remains("".join(slot.words)):
                self._by_remains.setdefault(remains, []).append(slot.number)
        self._waiting.clear()
        numbers = [number for word in words for number in self._by_word.get(word, ())]
        for remains in _remains("".join(words)):
            numbers += self._by_remains.get(remains, ())
        return numbers


def _remains(word: str) -> set[str]:
    """Return a word without up to `_MOST_EDITS` of its letters, in all ways; only itself if it has one spelling."""
    if has_digit(word) or is_unspaced(word[0]):
        return {word}
    return {
        "".join(letter for place, letter in enumerate(word) if place not in removed)
        for count in range(min(_MOST_EDITS, len(word)) + 1)
        for removed in combinations(range(len(word)), count)
    }
