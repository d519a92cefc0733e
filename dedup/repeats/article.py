"""Compare the paragraphs of one article: which of them are equal, edited or cut short.

A pair of paragraphs is equal (same key and facts), truncated (one key is a prefix of the other, and their facts agree)
or edited (few words differ, and the numbers, facts and names agree). Edited pairs are proposed by shared runs of
`RUN_WORDS` words and then compared word by word. Whether such a pair is a repeat is not decided here; see
`dedup.repeats.detect`.

Every comparison uses up a part of a budget, the purse, which is proportional to the article's words. The search of an
article ends with its budget, so its time is never quadratic.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import accumulate, count
from itertools import chain as chain_
from typing import NamedTuple

import numpy as np

from dedup.arrays import I64, sliding_windows
from dedup.fingerprint.self_matches import RUN_WORDS
from dedup.kernels import reference as plain
from dedup.kernels.backend import Backend
from dedup.repairs.diff import common_prefix_length
from dedup.segment.facts import Mark, fact_marks
from dedup.segment.word_offsets import word_starts
from dedup.segment.words import has_digit, is_unspaced, weighted_word_count, word_weight
from dedup.settings import PARAGRAPH_SHINGLE

EQUAL, EDITED, FIRST_IS_CUT, SECOND_IS_CUT = "equal", "edited", "first is cut", "second is cut"

EARLIER = 3  # earlier places of a run of words that are followed
POSTINGS = 4  # paragraphs remembered for one run of words; 2 and 8 find the same in the senate releases
CANDIDATES = 3  # similar paragraphs tried as twins of one paragraph; 1 and 6 find the same
PROSE = 10  # words from which a paragraph is evidence by itself; lines of verse and rows of tables are shorter
PROSE_DISTINCT = 7  # different words without digits among them
EDIT_EVERY = 12  # words: one word in so many may differ, and one in any paragraph
EDIT_WORDS = 6  # words a paragraph must have before one of them may differ
EDIT_ORDER = 0.3  # Jaccard similarity an edited paragraph must still reach, so that the order is the same; with 0.5
# recall of copies with a word edited in each paragraph falls from 0.990 to 0.981
LABEL = 4  # letters of a first word that may be a name, in a script without spaces
CUT_WORDS = 4  # words that a truncated paragraph must have kept
PURSE = 32  # words that may be compared for each word of the article
_NAME_TOKEN = re.compile(r"[^\W_](?:[\w'’-]*\w)?")
_STARTS_SENTENCE = re.compile(r"[.!?:;…|•][^\w,]*$")
_STATES = re.compile(r"[^\W\d_]{3}[.!。।۔።][\"'”’»)]*\s*(?=\w)")  # a sentence before another
_AROUND = 4  # words beside a difference that are looked at for names, with those cut through
_CLAUSE = re.compile(r"[a-z]|[ivxl]{2,6}")  # of "(b)" or "iv." before a clause: a number in letters


class Match(NamedTuple):
    """A run of `length` words at word `copy` that equals the run at the earlier word `source`."""

    copy: int
    source: int
    length: int


class SelfMatches(NamedTuple):
    """The runs of words that repeat earlier ones, in the order of the copies, which do not overlap each other.

    `runs` counts the runs of `RUN_WORDS` words that have an equal run before them.
    """

    matches: list[Match]
    runs: int


class ArticleParagraphs:
    """The paragraphs of one article, with everything needed to compare them, computed on demand."""

    def __init__(
        self, text: str, spans: Sequence[tuple[int, int]], keys: Sequence[str], backend: Backend = plain
    ) -> None:
        self.backend = backend
        self.text = text
        self.spans = spans
        self.keys = keys
        self.words = [key.split() for key in keys]
        self.borders = [0, *accumulate(map(len, self.words))]  # of paragraphs, in words
        self.purse = PURSE * (self.borders[-1] + len(keys))
        self._facts: dict[int, list[Mark]] = {}
        copies = Counter(keys)
        self.ids = [self._id(index) if copies[key] > 1 or not key else key for index, key in enumerate(keys)]
        self.places: dict[str, list[int]] = {}
        for index, one in enumerate(self.ids):
            self.places.setdefault(one, []).append(index)
        self._prose: dict[str, bool] = {}  # by key: copies have one key
        self._bags: dict[int, Counter[str]] = {}
        self._shingles: dict[int, frozenset[tuple[str, ...]]] = {}
        self._numbers: dict[int, list[str]] = {}
        self._kinds: dict[tuple[int, int], str | None] = {}
        self._self_matches: dict[tuple[int, ...], SelfMatches] = {}
        self.cut: dict[int, tuple[list[tuple[int, int]], list[int]]] = {}  # kept by `dedup.repeats.units`

    def _id(self, index: int) -> str:
        """Return what is equal for equal paragraphs: one without words equals only what is written the same."""
        if not self.keys[index]:
            return "\0" + self.text[slice(*self.spans[index])]
        marks = self._marks_of(index)
        return f"{self.keys[index]}\0{marks}" if marks else self.keys[index]

    def _marks_of(self, index: int) -> list[Mark]:
        """Return the facts of a paragraph; those of equal numbers are comparable."""
        if index not in self._facts:
            self._facts[index] = fact_marks(self.text[slice(*self.spans[index])])
        return self._facts[index]

    def size(self, index: int) -> float:
        """Return the weighted number of words of a paragraph; a letter without spaces around it is a part of one."""
        return self.sizes[index]

    @cached_property
    def sizes(self) -> list[float]:
        """The size of each paragraph."""
        pairs = zip(self.keys, self.words, strict=True)
        return [len(words) if key.isascii() else weighted_word_count(words) for key, words in pairs]

    def is_prose(self, index: int) -> bool:
        """Return True if a paragraph is long and varied enough to be evidence by itself."""
        key = self.keys[index]
        if key not in self._prose:
            self._prose[key] = self.size(index) >= PROSE and is_varied(self.words[index])
        return self._prose[key]

    def shingles(self, index: int) -> frozenset[tuple[str, ...]]:
        """Return the shingles of one paragraph."""
        if index not in self._shingles:
            self._shingles[index] = shingle_set(self.words[index])
        return self._shingles[index]

    def similarity(self, first: int, second: int) -> float:
        """Return the exact Jaccard similarity of two paragraphs."""
        self.purse -= len(self.words[first]) + len(self.words[second])
        return set_jaccard(self.shingles(first), self.shingles(second))

    def kind(self, first: int, second: int) -> str | None:
        """Return how two paragraphs are alike (`EQUAL`, `EDITED` or which of them is cut), or None."""
        if self.ids[first] == self.ids[second]:
            return EQUAL
        place = first, second
        if place not in self._kinds:
            self._kinds[place] = self._compare(first, second)
        return self._kinds[place]

    def _compare(self, first: int, second: int) -> str | None:
        count, other = len(self.words[first]), len(self.words[second])
        if self.keys[first] == self.keys[second]:
            return None  # their facts differ
        if min(count, other) >= CUT_WORDS:
            if self.keys[second].startswith(self.keys[first]) and self._is_beginning(first, second):
                return FIRST_IS_CUT
            if self.keys[first].startswith(self.keys[second]) and self._is_beginning(second, first):
                return SECOND_IS_CUT
        allowed = max(1, min(count, other) // EDIT_EVERY)
        if min(count, other) < EDIT_WORDS or abs(count - other) > allowed or self.purse <= 0:
            return None
        if self.asks(first) and self.asks(second):
            return None  # an interviewer asks alike of different things
        self.purse -= count + other
        bag, other_bag = self._bag(first), self._bag(second)
        if (bag - other_bag).total() > allowed or (other_bag - bag).total() > allowed:
            return None
        alike = self.similarity(first, second) >= EDIT_ORDER and self.agree(first, second)
        return EDITED if alike else None

    def asks(self, index: int) -> bool:
        """Return True if a paragraph ends as a question."""
        start, stop = self.spans[index]
        return self.text[max(start, stop - 8) : stop].rstrip(" \n\"'”’»)").endswith(("?", "？", "؟"))

    def only_asks(self, index: int) -> bool:
        """Return True if a paragraph is a question and nothing else."""
        return self.asks(index) and not _STATES.search(self.text, *self.spans[index])

    def agree(self, first: int, second: int) -> bool:
        """Return True if two paragraphs have the same numbers, facts and names, in the same order."""
        if self._figures(first) != self._figures(second) or self._marks_of(first) != self._marks_of(second):
            return False
        one, two = map(_marks, _differing(*(self.text[slice(*self.spans[index])] for index in (first, second))))
        return one == two or self._names(one) == self._names(two)

    def _is_beginning(self, cut: int, whole: int) -> bool:
        """Return True if the facts of a paragraph, whose key begins that of another, are those of its beginning.

        Of a number at its end, a part of the facts may be cut off.
        """
        marks, others = set(self._marks_of(cut)), set(self._marks_of(whole))
        digits = sum(map(str.isdecimal, self.keys[cut]))
        more = any(mark.place < digits for mark in others - marks)
        return marks <= others and (not more or has_digit(self.words[cut][-1]))

    def _figures(self, index: int) -> list[str]:
        if index not in self._numbers:
            numbers = [word for word in self.words[index] if has_digit(word)]
            numbers += filter(_CLAUSE.fullmatch, self.words[index][:1])
            self._numbers[index] = numbers
        return self._numbers[index]

    def _names(self, marks: list[tuple[str, bool]]) -> list[str]:
        """Return the words of `_marks` that are names.

        A word that opens a sentence is one only if the article never has it in lower case.
        """
        return [name for name, opens in marks if not opens or name not in self._small_words]

    @cached_property
    def _small_words(self) -> frozenset[str]:
        return frozenset(filter(str.islower, _NAME_TOKEN.findall(self.text)))

    @cached_property
    def starts(self) -> tuple[I64, I64]:
        """The offsets of words in the text, and where they are unsure: see `dedup.segment.word_offsets`."""
        return word_starts(self.text)

    @cached_property
    def own(self) -> list[int]:
        """The number of paragraphs without an equal one, before each place and in all."""
        return [0, *accumulate(len(self.places[one]) == 1 for one in self.ids)]

    def _bag(self, index: int) -> Counter[str]:
        if index not in self._bags:
            self._bags[index] = Counter(self.words[index])
        return self._bags[index]

    @cached_property
    def lookalikes(self) -> list[list[int]]:
        """For each paragraph, up to `CANDIDATES` earlier ones that share much of its wording, best first."""
        borders = np.array(self.borders, np.int64)
        same = np.array([self.places[one][0] for one in self.ids], np.int64)
        found = self.backend.find_similar_paragraphs(self.numbers, borders, same, RUN_WORDS, POSTINGS, CANDIDATES)
        return [[other for other in row if other >= 0] for row in found.tolist()]

    @cached_property
    def numbers(self) -> I64:
        """A number for each word of the article, equal for equal ones: int64 [words]."""
        first: dict[str, int] = {}
        return np.fromiter(map(first.setdefault, chain_.from_iterable(self.words), count()), np.int64, self.borders[-1])

    def self_matches(self, alive: Sequence[int]) -> SelfMatches:
        """Return the repeated runs among the words of the paragraphs `alive`, taken as one sequence."""
        place = tuple(alive)
        if place not in self._self_matches:
            found, runs = self.backend.find_self_matches(self.numbers_of(alive), RUN_WORDS, EARLIER)
            self._self_matches[place] = SelfMatches([Match(*row) for row in found.tolist()], runs)
        return self._self_matches[place]

    def numbers_of(self, alive: Sequence[int]) -> I64:
        """Return the numbers of the words of the paragraphs `alive`: int64 [words]."""
        if len(alive) == len(self.keys):
            return self.numbers
        stay = np.zeros(len(self.keys), bool)
        stay[alive] = True
        numbers: I64 = self.numbers[np.repeat(stay, list(map(len, self.words)))]
        return numbers


def _marks(raw: str) -> list[tuple[str, bool]]:
    """Return the words of a text that may be names, and for each whether it only opens a sentence."""
    names = []
    behind = 0
    for token in _NAME_TOKEN.finditer(raw):
        name = token.group()
        if not behind and _is_label(name):
            names.append((name, False))
        if name[0].isupper() or name[0].istitle():
            opens = bool(_STARTS_SENTENCE.search(raw[behind : token.start()])) if behind else True
            names.append((name.casefold(), opens))
        behind = token.end()
    return names


def _is_label(token: str) -> bool:
    """Return True if a first word, in a script without capitals, may be a name: of a day, of a person."""
    if token.isascii() or token.lower() != token.upper():
        return False
    return len(token) <= LABEL or not is_unspaced(token[0])


def _differing(one: str, two: str) -> tuple[str, str]:
    """Return two texts without their common prefix and suffix, but for a few words of each.

    Whether a word is a name depends on what stands between it and the word before. So the words beside the difference
    are kept, as far as that is needed to judge the words that differ.
    """
    begin = common_prefix_length(one, 0, two, 0)
    end = min(common_prefix_length(one[::-1], 0, two[::-1], 0), min(len(one), len(two)) - begin)
    before = one[:begin].rsplit(None, _AROUND)
    behind = one[len(one) - end :].split(None, _AROUND)
    start = len(before[0]) if len(before) > _AROUND and _NAME_TOKEN.search(" ".join(before[1:-1])) else 0
    rest = len(behind[-1]) if len(behind) > _AROUND and _NAME_TOKEN.search(" ".join(behind[1:-1])) else 0
    return one[start : len(one) - rest], two[start : len(two) - rest]


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
