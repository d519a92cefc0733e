"""The paragraphs of one article and their words, and what the search for repeats asks of them.

Every comparison uses up a part of a budget, the purse, which is proportional to the article's words. The search of an
article ends with its budget, so its time is never quadratic.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import accumulate, count

import numpy as np

from dedup.arrays import I64, Floats, sliding_windows
from dedup.kernels import reference as plain
from dedup.kernels.backend import Backend
from dedup.repeats.names import NAME_TOKEN, have_equal_facts
from dedup.segment.facts import fact_marks
from dedup.segment.word_offsets import word_starts
from dedup.segment.words import UNSPACED, has_digit, word_weight
from dedup.settings import PARAGRAPH_SHINGLE

_UNSPACED_LETTER = re.compile("[" + "".join(f"{chr(low)}-{chr(high)}" for low, high in UNSPACED) + "]")
PROSE = 10  # words from which a line is evidence by itself; lines of verse and rows of tables are shorter
PROSE_DISTINCT = 7  # different words without digits among them
PURSE = 24  # words that may be compared for each word of the article


class ArticleParagraphs:
    """The paragraphs of one article, with everything needed to compare them, computed on demand."""

    def __init__(
        self,
        text: str,
        spans: Sequence[tuple[int, int]],
        keys: Sequence[str],
        backend: Backend = plain,
        numbers: I64 | None = None,
    ) -> None:
        self.backend = backend
        self.text = text
        self.spans = spans
        self.keys = keys
        counts = [key.count(" ") + 1 if key else 0 for key in keys]
        self.borders = [0, *accumulate(counts)]  # of paragraphs, in words
        self.purse = PURSE * (self.borders[-1] + len(keys))
        self._shingles: dict[int, frozenset[tuple[str, ...]]] = {}
        if numbers is not None:
            self.numbers = numbers

    @cached_property
    def all_words(self) -> list[str]:
        """The words of all paragraphs."""
        return self._joined_keys.split()

    @cached_property
    def _joined_keys(self) -> str:
        return " ".join(self.keys)

    def words_of(self, index: int) -> list[str]:
        """Return the words of a paragraph."""
        return self.keys[index].split()

    def shingles_of(self, index: int) -> frozenset[tuple[str, ...]]:
        """Return the shingles of a paragraph."""
        if index not in self._shingles:
            self._shingles[index] = shingle_set(self.words_of(index))
        return self._shingles[index]

    def id_of(self, index: int) -> str:
        """Return an identifier of a paragraph with words, equal for equal ones: those of equal words and facts."""
        key = self.keys[index]
        if key not in self._keys_of_several_texts:
            return key
        start, stop = self.spans[index]
        marks = fact_marks(self.text[start:stop])
        return f"{key}\0{marks}" if marks else key

    @cached_property
    def _keys_of_several_texts(self) -> frozenset[str]:
        """The keys of paragraphs that are not written alike; only those may have other facts."""
        texts: dict[str, str] = {}
        return frozenset(
            key
            for key, (start, stop) in zip(self.keys, self.spans, strict=True)
            if texts.setdefault(key, text := self.text[start:stop]) != text
        )

    @cached_property
    def runs(self) -> I64:
        """The equal runs of words of the article: see `dedup.fingerprint.self_alignment.find_runs`."""
        return self.backend.find_runs(self.numbers)

    def are_on_one_line(self, word: int, other: int) -> bool:
        """Return True if two words are in one paragraph, and it has no line end."""
        index = bisect_right(self.borders, word) - 1
        if other >= self.borders[index + 1]:
            return False
        start, stop = self.spans[index]
        return self.text.find("\n", start, stop) < 0

    @cached_property
    def sizes(self) -> Floats:
        """The weights of words, summed up: float64 [words + 1]."""
        joined = self._joined_keys
        if joined.isascii() or not _UNSPACED_LETTER.search(joined):
            return np.arange(self.borders[-1] + 1, dtype=np.float64)
        words = self.all_words
        weights = {word: word_weight(word) for word in set(words)}
        sizes = np.zeros(len(words) + 1)
        np.cumsum(np.fromiter(map(weights.__getitem__, words), np.float64, len(words)), out=sizes[1:])
        return sizes

    def word_count(self, index: int) -> int:
        """Return the number of words of a paragraph."""
        return self.borders[index + 1] - self.borders[index]

    def agree(self, one: str, two: str) -> bool:
        """Return True if two parts of the text have the same numbers, facts and names, in the same order."""
        self.purse -= (len(one) + len(two)) // 4  # characters of a word
        return have_equal_facts(one, two, self._is_small_word)

    def has_in_lower_case(self, text: str) -> bool:
        """Return True if each word of a text is in the article in lower case, too; then the text is no name."""
        tokens = NAME_TOKEN.findall(text)
        return bool(tokens) and all(token.casefold() in self._small_words for token in tokens)

    def _is_small_word(self, word: str) -> bool:
        """Return True if the article has a word in lower case."""
        return word in self._small_words

    @cached_property
    def _small_words(self) -> frozenset[str]:
        return frozenset(filter(str.islower, NAME_TOKEN.findall(self.text)))

    @cached_property
    def starts(self) -> tuple[I64, I64]:
        """The offsets of words in the text, and where they are unsure: see `dedup.segment.word_offsets`."""
        return word_starts(self.text)

    @cached_property
    def numbers(self) -> I64:
        """A number for each word of the article, equal for equal ones: int64 [words]."""
        first: dict[str, int] = {}
        return np.fromiter(map(first.setdefault, self.all_words, count()), np.int64, self.borders[-1])


def is_varied(words: Iterable[str]) -> bool:
    """Return True if words are varied enough to be evidence; mostly the first few decide."""
    seen: set[str] = set()
    distinct = 0.0
    for word in words:
        if word not in seen:
            seen.add(word)
            if not has_digit(word):
                distinct += word_weight(word)
                if distinct >= PROSE_DISTINCT:
                    return True
    return False


def shingle_set(words: Sequence[str]) -> frozenset[tuple[str, ...]]:
    """Return the shingles of `words` as tuples; fewer words than a shingle are one short shingle.

    >>> sorted(shingle_set("a rose is a rose".split()))
    [('a', 'rose', 'is'), ('is', 'a', 'rose'), ('rose', 'is', 'a')]
    """
    if len(words) < PARAGRAPH_SHINGLE:
        return frozenset([tuple(words)])
    return frozenset(sliding_windows(words, PARAGRAPH_SHINGLE))


def set_jaccard(first: frozenset[tuple[str, ...]], second: frozenset[tuple[str, ...]]) -> float:
    """Return the size of the intersection over the size of the union.

    >>> set_jaccard(shingle_set("a b c d".split()), shingle_set("a b c e".split()))
    0.3333333333333333
    """
    common = len(first & second)
    return common / (len(first) + len(second) - common)
