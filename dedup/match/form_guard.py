"""Keep articles of one form with other facts from being dropped as near-duplicates of each other.

The guard looks at verified matches only: pairs of texts whose exact similarity reaches the threshold, or the lower one
of articles of the same story (`dedup.match.same_story`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, Floats, decode_utf8
from dedup.match.form_texts import FormTexts
from dedup.match.same_form import find_copy, form_evidence
from dedup.match.same_story import find_same_story
from dedup.prepare.compared_texts import TextReader

# Different words: `dedup.repairs.diff.encode_words` has a million characters, and the texts of one choice add more.
_MOST_WORDS = 500_000
_CHARACTERS_AT_ONCE = 1 << 18  # of texts that are cut into words at once
# Memory for each character of a text that is kept: 5 bytes in 3,400 licences, and 8 to 10 in 1,000 press releases.
_BYTES_PER_CHARACTER = 10
_AT_ONCE = 4096  # matches whose texts are in memory at once
_MEMORY_SHARE = 4  # the texts that are kept take one part in this many of the memory


class Flag(NamedTuple):
    """Why a text with matches survives: its best match, their similarity, and the evidence that it is no copy of it."""

    twin: int
    similarity: float
    evidence: str


class FormGuard:
    """Choose which match drops a text, if any does, and collect the `flags` of the texts that no match drops.

    `reader` reads the texts, and `titles` has the title of each, as UTF-8 or null. `certain` are texts that will be
    compared, int64 [texts]. `compiled` chooses the backend. Matches that are less similar than `threshold` drop a text
    only if they tell the same story, and are none otherwise.
    """

    def __init__(self, reader: TextReader, titles: pa.Array, certain: I64, threshold: float, *, compiled: bool) -> None:
        self.reader = reader
        self.certain = certain
        self.titles = titles
        self.threshold = threshold
        self.compiled = compiled
        self.flags: dict[int, Flag] = {}
        self._forget_texts()

    def start(self, numbers: I64) -> None:
        """Forget all flags, and read texts that will be compared, int64 [texts], in one pass while there is memory."""
        self.flags = {}
        for batch in _text_batches(self.reader.of(np.union1d(self.certain, numbers))):
            if self._is_full():
                return
            self._add(batch)

    def choose(self, text: int, key: int, others: I64, other_keys: I64, similarities: Floats) -> int:
        """Return the place in `others` of the match that drops `text`, or -1 if none does.

        A text that matches, and that no match drops, gets a flag.

        `others` are the survivors that match, int64 [matches], and `similarities` their exact similarities, float64
        [matches]. `key` and `other_keys` are the first texts of the same comparison keys, which are compared. The match
        of highest similarity comes first; of equal ones, the first text.
        """
        order = np.lexsort((others, -similarities))
        match_count = int(np.count_nonzero(similarities >= self.threshold))
        for ranked, find in ((order[:match_count], find_copy), (order[match_count:], find_same_story)):
            for start, stop in pairwise(range(0, len(ranked) + _AT_ONCE, _AT_ONCE)):
                places = ranked[start:stop]
                numbers = self._numbers_of(np.concatenate([[key], other_keys[places]]))
                copy = find(self._texts, int(numbers[0]), numbers[1:])
                if copy >= 0:
                    return int(places[copy])
        if not match_count:
            return -1
        best = int(order[0])
        pair = self._numbers_of(np.array([key, other_keys[best]]))
        evidence = form_evidence(self._texts, *pair.tolist())
        self.flags[text] = Flag(int(others[best]), float(similarities[best]), evidence)
        return -1

    def _numbers_of(self, texts: I64) -> I64:
        """Return the numbers in `_texts` of texts, int64 [texts], after reading those that are not kept."""
        if self._is_full():
            self._forget_texts()
        missing = texts[self._number_of[texts] < 0]
        if len(missing):
            for batch in _text_batches(self.reader.of(missing)):
                self._add(batch)
        return self._number_of[texts]

    def _add(self, batch: dict[int, str]) -> None:
        encoded = self.titles.take(pa.array(list(batch), pa.int64())).to_pylist()
        titles = [None if title is None else decode_utf8(title) for title in encoded]
        self._number_of[list(batch)] = self._texts.add(list(batch.values()), titles)

    def _forget_texts(self) -> None:
        self._texts = FormTexts(compiled=self.compiled)
        self._number_of = np.full(len(self.reader.rows), -1, np.int64)

    def _is_full(self) -> bool:
        most = self.reader.corpus.budget.memory // (_MEMORY_SHARE * _BYTES_PER_CHARACTER)
        return self._texts.characters > most or len(self._texts.vocabulary) > _MOST_WORDS


def _text_batches(texts: Iterable[tuple[int, str]]) -> Iterator[dict[int, str]]:
    """Yield texts by number, in batches of `_CHARACTERS_AT_ONCE` or a little more."""
    batch: dict[int, str] = {}
    characters = 0
    for number, text in texts:
        batch[number] = text
        characters += len(text)
        if characters >= _CHARACTERS_AT_ONCE:
            yield batch
            batch, characters = {}, 0
    if batch:
        yield batch
