"""Keep articles of one form with other facts from being dropped as near-duplicates of each other.

The guard looks at verified matches only: pairs of texts whose exact similarity reaches the threshold.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dedup.arrays import I64, Floats
from dedup.match.form_text import FormText
from dedup.match.same_form import form_evidence, has_same_form
from dedup.prepare.compared_texts import TextReader

_MOST_WORDS = 1_000_000  # different ones; `FormText` has no more characters for words
# Memory for each character of a text that is kept: 18 bytes, as measured on 1,000 press releases of 2,700 characters.
_BYTES_PER_CHARACTER = 20
_MEMORY_SHARE = 4  # the texts that are kept take one part in this many of the memory


class Flag(NamedTuple):
    """Why a text with matches survives: its best match, their similarity, and the evidence that it is no copy of it."""

    twin: int
    similarity: float
    evidence: str


class FormGuard:
    """Choose which match drops a text, if any does, and collect the `flags` of the texts that no match drops.

    `reader` reads the texts.
    """

    def __init__(self, reader: TextReader) -> None:
        self.reader = reader
        self.flags: dict[int, Flag] = {}
        self._texts: dict[int, FormText] = {}
        self._encoding: dict[str, str] = {}
        self._characters = 0

    def start(self, numbers: I64) -> None:
        """Forget all flags, and read texts that will be compared, int64 [texts], in one pass while there is memory."""
        self.flags = {}
        for number, text in self.reader.of(np.unique(numbers)):
            if self._is_full():
                return
            self._add(number, text)

    def choose(self, text: int, key: int, others: I64, other_keys: I64, similarities: Floats) -> int:
        """Return the place in `others` of the match that drops `text`, or -1 and record a flag if none does.

        `others` are the survivors that match, int64 [matches], and `similarities` their exact similarities, float64
        [matches]. `key` and `other_keys` are the first texts of the same comparison keys, which are compared. The match
        of highest similarity comes first; of equal ones, the first text.
        """
        order = np.lexsort((others, -similarities))
        for place in map(int, order):
            if not has_same_form(*self._pair(key, int(other_keys[place]))):
                return place
        best = int(order[0])
        evidence = form_evidence(*self._pair(key, int(other_keys[best])))
        self.flags[text] = Flag(int(others[best]), float(similarities[best]), evidence)
        return -1

    def _pair(self, one: int, other: int) -> tuple[FormText, FormText]:
        """Return two texts of one encoding."""
        if self._is_full():
            self._texts, self._encoding, self._characters = {}, {}, 0
        return self._text(one), self._text(other)

    def _text(self, number: int) -> FormText:
        text = self._texts.get(number)
        if text is None:
            [(_, read)] = self.reader.of(np.array([number]))
            text = self._add(number, read)
        return text

    def _add(self, number: int, text: str) -> FormText:
        self._characters += len(text)
        added = self._texts[number] = FormText(text, self._encoding)
        return added

    def _is_full(self) -> bool:
        most = self.reader.corpus.budget.memory // (_MEMORY_SHARE * _BYTES_PER_CHARACTER)
        return self._characters > most or len(self._encoding) > _MOST_WORDS
