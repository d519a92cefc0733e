"""Which paragraphs of one article say the same, and the chains that such pairs form.

Strategy: a pair of paragraphs is equal (same key), truncated (one key begins the other) or edited (few words
differ, and the numbers and names agree). Edited pairs are proposed by shared runs of `RUN_WORDS` words and then
compared word by word. A chain follows pairs forwards in both copies, over small gaps. Whether a chain means
anything is not decided here; see `dedup.repeats.detect`.

Every comparison is paid for out of a purse filled in proportion to the article's words, so that no article
can make this quadratic: a text that uses it up is searched no further.
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
from dedup.segment.word_offsets import word_starts
from dedup.segment.words import has_digit, is_unspaced, weighted_word_count, word_weight
from dedup.settings import PARAGRAPH_SHINGLE

EQUAL, EDITED, FIRST_IS_CUT, SECOND_IS_CUT = "equal", "edited", "first is cut", "second is cut"

EARLIER = 3  # earlier places of a run of words that are followed
POSTINGS = 4  # paragraphs remembered for one run of words; 2 and 8 find the same in the senate releases
CANDIDATES = 3  # look-alikes tried as twins of one paragraph; 1 and 6 find the same
PROSE = 10  # words from which a paragraph is evidence by itself; lines of verse and rows of tables are shorter
PROSE_DISTINCT = 7  # different words without digits among them
EDIT_EVERY = 12  # words: one word in so many may differ, and one in any paragraph
EDIT_WORDS = 6  # words a paragraph must have before one of them may differ
EDIT_ORDER = 0.3  # Jaccard similarity an edited paragraph must still reach, so that the order is the same; with 0.5
# recall of copies with a word edited in each paragraph falls from 0.990 to 0.981
LABEL = 4  # letters of a first word that may be a name, in a script without spaces
CUT_WORDS = 4  # words that a truncated paragraph must have kept
PURSE = 32  # words that may be compared for each word of the article
_TOKEN = re.compile(r"[^\W_](?:[\w'’-]*\w)?")
_STARTS_SENTENCE = re.compile(r"[.!?:;…|•][^\w,]*$")
_STATES = re.compile(r"[^\W\d_]{3}[.!。।۔።][\"'”’»)]*\s*(?=\w)")  # a sentence before another
_AROUND = 4  # words beside a difference that are looked at for names, with those cut through
_CLAUSE = re.compile(r"[a-z]|[ivxl]{2,6}")  # of "(b)" or "iv." before a clause: a number in letters


class Pair(NamedTuple):
    """Two paragraphs, by index and in order, and how they are alike."""

    first: int
    second: int
    kind: str


class Match(NamedTuple):
    """`length` words at `copy` that stand at `source` too, earlier."""

    copy: int
    source: int
    length: int


class SelfMatches(NamedTuple):
    """What of some words stands again, by the place of the copy; copies do not overlap each other.

    `runs` counts the runs of `RUN_WORDS` words that stood before.
    """

    matches: list[Match]
    runs: int


class ArticleParagraphs:
    """The paragraphs of one article, as things to compare; what is costly is worked out when asked for."""

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
        # A paragraph without words (a separator, an emoji) equals only what is written the same.
        self.ids = [key or "\0" + text[start:stop] for key, (start, stop) in zip(keys, spans, strict=True)]
        self.places: dict[str, list[int]] = {}
        for index, one in enumerate(self.ids):
            self.places.setdefault(one, []).append(index)
        self._prose: dict[str, bool] = {}  # by key: most are asked for with their copies
        self._bags: dict[int, Counter[str]] = {}
        self._shingles: dict[int, frozenset[tuple[str, ...]]] = {}
        self._numbers: dict[int, list[str]] = {}
        self._kinds: dict[tuple[int, int], str | None] = {}
        self._again: dict[tuple[int, ...], SelfMatches] = {}
        self.cut: dict[int, tuple[list[tuple[int, int]], list[int]]] = {}  # kept by `dedup.repeats.units`

    def size(self, index: int) -> float:
        """Words of a paragraph; a letter of a script without spaces is a part of one."""
        return self.sizes[index]

    @cached_property
    def sizes(self) -> list[float]:
        """The size of each paragraph."""
        pairs = zip(self.keys, self.words, strict=True)
        return [len(words) if key.isascii() else weighted_word_count(words) for key, words in pairs]

    def is_prose(self, index: int) -> bool:
        """Whether a paragraph is long and varied enough to be evidence by itself."""
        key = self.keys[index]
        if key not in self._prose:
            self._prose[key] = self.size(index) >= PROSE and is_varied(self.words[index])
        return self._prose[key]

    def shingles(self, index: int) -> frozenset[tuple[str, ...]]:
        """The shingles of one paragraph."""
        if index not in self._shingles:
            self._shingles[index] = shingle_set(self.words[index])
        return self._shingles[index]

    def similarity(self, first: int, second: int) -> float:
        """Exact Jaccard similarity of two paragraphs."""
        self.purse -= len(self.words[first]) + len(self.words[second])
        return set_jaccard(self.shingles(first), self.shingles(second))

    def kind(self, first: int, second: int) -> str | None:
        """How two paragraphs are alike, or None."""
        if self.ids[first] == self.ids[second]:
            return EQUAL
        place = first, second
        if place not in self._kinds:
            self._kinds[place] = self._compare(first, second)
        return self._kinds[place]

    def _compare(self, first: int, second: int) -> str | None:
        count, other = len(self.words[first]), len(self.words[second])
        if min(count, other) >= CUT_WORDS:
            if self.keys[second].startswith(self.keys[first]):
                return FIRST_IS_CUT
            if self.keys[first].startswith(self.keys[second]):
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
        """Whether a paragraph ends as a question."""
        start, stop = self.spans[index]
        return self.text[max(start, stop - 8) : stop].rstrip(" \n\"'”’»)").endswith(("?", "？", "؟"))

    def only_asks(self, index: int) -> bool:
        """Whether a paragraph is a question and nothing else."""
        return self.asks(index) and not _STATES.search(self.text, *self.spans[index])

    def agree(self, first: int, second: int) -> bool:
        """Whether two paragraphs hold the same numbers and the same names, in the same order."""
        if self._figures(first) != self._figures(second):
            return False
        one, two = map(_marks, _differing(*(self.text[slice(*self.spans[index])] for index in (first, second))))
        return one == two or self._names(one) == self._names(two)

    def _figures(self, index: int) -> list[str]:
        if index not in self._numbers:
            numbers = [word for word in self.words[index] if has_digit(word)]
            numbers += filter(_CLAUSE.fullmatch, self.words[index][:1])
            self._numbers[index] = numbers
        return self._numbers[index]

    def _names(self, marks: list[tuple[str, bool]]) -> list[str]:
        """Those of `_marks` that are names: a word that opens a sentence only if it is never written small here."""
        return [name for name, opens in marks if not opens or name not in self._small_words]

    @cached_property
    def _small_words(self) -> frozenset[str]:
        return frozenset(filter(str.islower, _TOKEN.findall(self.text)))

    @cached_property
    def starts(self) -> tuple[I64, I64]:
        """Where the words of the text begin, and what cannot be told: see `dedup.segment.word_offsets`."""
        return word_starts(self.text)

    @cached_property
    def own(self) -> list[int]:
        """How many paragraphs before each place, and in all, stand only once."""
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

    def again(self, alive: Sequence[int]) -> SelfMatches:
        """What stands again of the words of the paragraphs `alive`, one after the other."""
        place = tuple(alive)
        if place not in self._again:
            found, runs = self.backend.find_self_matches(self.numbers_of(alive), RUN_WORDS, EARLIER)
            self._again[place] = SelfMatches([Match(*row) for row in found.tolist()], runs)
        return self._again[place]

    def numbers_of(self, alive: Sequence[int]) -> I64:
        """The numbers of the words of the paragraphs `alive`."""
        if len(alive) == len(self.keys):
            return self.numbers
        stay = np.zeros(len(self.keys), bool)
        stay[alive] = True
        numbers: I64 = self.numbers[np.repeat(stay, list(map(len, self.words)))]
        return numbers


def _marks(raw: str) -> list[tuple[str, bool]]:
    """The words of a text that may be names, and of each whether it only opens a sentence."""
    names = []
    behind = 0
    for token in _TOKEN.finditer(raw):
        name = token.group()
        if not behind and _is_label(name):
            names.append((name, False))
        if name[0].isupper() or name[0].istitle():
            opens = bool(_STARTS_SENTENCE.search(raw[behind : token.start()])) if behind else True
            names.append((name.casefold(), opens))
        behind = token.end()
    return names


def _is_label(token: str) -> bool:
    """Whether the first word of a paragraph, in a script without capitals, may be a name: of a day, of a person."""
    if token.isascii() or token.lower() != token.upper():
        return False
    return len(token) <= LABEL or not is_unspaced(token[0])


def _differing(one: str, two: str) -> tuple[str, str]:
    """Two texts without what both begin and end with, but for a few words of it.

    Names are words, told by what is between them and the word before: that of what differs is left, and behind it a
    word that has a word before it in either.
    """
    begin = common_prefix_length(one, 0, two, 0)
    end = min(common_prefix_length(one[::-1], 0, two[::-1], 0), min(len(one), len(two)) - begin)
    before = one[:begin].rsplit(None, _AROUND)
    behind = one[len(one) - end :].split(None, _AROUND)
    start = len(before[0]) if len(before) > _AROUND and _TOKEN.search(" ".join(before[1:-1])) else 0
    rest = len(behind[-1]) if len(behind) > _AROUND and _TOKEN.search(" ".join(behind[1:-1])) else 0
    return one[start : len(one) - rest], two[start : len(two) - rest]


def is_varied(words: Iterable[str]) -> bool:
    """Whether words are varied enough to be evidence; those that tell it are mostly the first."""
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
    """The shingles of `words` as tuples; fewer words than a shingle are one short shingle.

    >>> sorted(shingle_set("a rose is a rose".split()))
    [('a', 'rose', 'is'), ('is', 'a', 'rose'), ('rose', 'is', 'a')]
    """
    if len(words) < PARAGRAPH_SHINGLE:
        return frozenset([tuple(words)])
    return frozenset(sliding_windows(words, PARAGRAPH_SHINGLE))


def set_jaccard(first: frozenset[tuple[str, ...]], second: frozenset[tuple[str, ...]]) -> float:
    """Size of the intersection over size of the union.

    >>> jaccard(shingle_set("a b c d".split()), shingle_set("a b c e".split()))
    0.3333333333333333
    """
    common = len(first & second)
    return common / (len(first) + len(second) - common)
