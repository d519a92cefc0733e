"""Tell most articles of one form from copies by their names and numbers alone, for many articles at once.

Two thousand reports of one form are two million pairs, and to align the words of each takes 0.1 ms. But most of these
pairs differ in few words: each text has a name, or numbers, that the other does not have at all. Arrays of all distinct
words show that for one text and all others in one pass, in 2 microseconds for each pair.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dedup.arrays import I64, U64, Bools
from dedup.match.form_text import FormText
from dedup.match.spellings import LONG_WORD
from dedup.match.word_profile import LETTER_BITS, WordLetters, WordProfile, with_room

# All figures were chosen on the pairs of tests/data/same_form.toml, and checked on pairs of press releases.
_FEW_OWN_WORDS = 6  # that only one of the texts has: those of its slots
_SHIFTED_WORDS, _SHIFTED_SHARE = 2, 0.03  # how far the lengths of texts with nothing but slots differ
_RECURRING = 3  # times that a text has the name of what it is about
_SAME_PLACE = 10  # words: how far names in one slot are apart, counted from the start of each text
LONG_FORM = 500  # words: one name that differs in a longer text is a correction
_ABBREVIATION = 3  # letters of a word that may stand for any longer one that begins alike
SHORT_FORM = 100  # words: two texts with fewer words and a similarity of 0.8 differ in one place or two
CHANGED_NUMBERS = 0.5  # of the numbers: the same report of another day changes most of them, an update a few


class _Pairs(NamedTuple):
    """Words that a text and some others do not share.

    Of the text: `words` and `letters` are its words, and `absent` says which of them each other text lacks, bool
    [others, words]. Of the others: `own_words` and `own_letters` are words that the text lacks, and `owners`, int64
    [own words], says whose each is; `counts` is how many each has, int64 [others].
    """

    words: WordProfile
    letters: WordLetters
    absent: Bools
    owners: I64
    own_words: WordProfile
    own_letters: WordLetters
    counts: I64


class FormNames:
    """The distinct words of texts of one encoding, as arrays; a text is known by the number that `add` returns."""

    def __init__(self) -> None:
        self.texts: list[FormText] = []
        none, no = np.zeros(0, np.int64), np.zeros(0, bool)
        self._words = WordProfile(none, none, none, no, no)  # of all texts, one after the other
        self._borders = np.zeros(1, np.int64)  # of the words of each text
        self._sizes = np.zeros(0, np.int64)  # words of each text, counted as often as it has them
        self._numbers = np.zeros(0, np.int64)  # the same for words with digits, between the edges
        self._cased = np.zeros(0, bool)
        self._letters = WordLetters.of([])  # by word
        self._is_known = np.zeros(0, bool)  # whether `_letters` has the word
        self._ranks = np.zeros(0, np.int64)  # by word: its place in a text, from 1 on, or 0

    def add(self, text: FormText) -> int:
        """Add a text and return its number."""
        number, profile = len(self.texts), WordProfile.of(text)
        self.texts.append(text)
        self._learn(profile.words, text)
        self._borders = with_room(self._borders, number + 2)
        start = int(self._borders[number])
        stop = self._borders[number + 1] = start + len(profile.words)
        columns: Any = (with_room(column, stop) for column in self._words)
        self._words = WordProfile(*columns)
        for column, values in zip(self._words, profile, strict=True):
            column[start:stop] = values
        self._sizes, self._numbers, self._cased = (
            with_room(self._sizes, number + 1),
            with_room(self._numbers, number + 1),
            with_room(self._cased, number + 1),
        )
        self._sizes[number], self._cased[number] = len(text.words), text.is_cased
        self._numbers[number] = profile.counts[self._letters.are_numbers[profile.words]].sum()
        return number

    def _learn(self, words: I64, text: FormText) -> None:
        """Add the words of a text that no text had before; `words` are its distinct ones, int64 [words]."""
        size = int(words.max(initial=-1)) + 1
        columns: Any = (with_room(column, size) for column in self._letters)
        self._letters = WordLetters(*columns)
        self._is_known, self._ranks = with_room(self._is_known, size), with_room(self._ranks, size)
        new = words[~self._is_known[words]]
        if len(new):
            letters = WordLetters.of(text.decode(new))
            for column, values in zip(self._letters, letters, strict=True):
                column[new] = values
            self._is_known[new] = True

    def have_other_names(self, one: int, others: I64) -> Bools:
        """Return which of `others` are of one form with the text `one`, by their words alone: bool [others].

        `others` are numbers of texts, int64 [others]. False is no answer. The order of two texts does not matter.
        """
        pairs = self._unshared(one, others)
        own_counts = pairs.absent.sum(axis=1)
        sizes = np.maximum(self._sizes[one], self._sizes[others])
        shift = np.abs(self._sizes[one] - self._sizes[others])
        are_few = (np.maximum(own_counts, pairs.counts) <= _FEW_OWN_WORDS) & (
            shift <= np.maximum(_SHIFTED_WORDS, _SHIFTED_SHARE * sizes)
        )
        numbers = (pairs.absent & pairs.letters.are_numbers).sum(axis=1)
        other_numbers = np.bincount(pairs.owners, pairs.own_letters.are_numbers, len(others)).astype(np.int64)
        both_numbers = (numbers > 0) & (other_numbers > 0)
        are_cased = self._cased[one] & self._cased[others]
        least = np.where(are_few, np.where(are_cased & (sizes < LONG_FORM), 1, 2), _RECURRING) - both_numbers
        least = np.maximum(least, 1)
        result: Bools = self._have_other_numbers(one, others, pairs) & are_few & both_numbers
        # One text with a number where the other one has a name: “on Friday”, “on March 6”.
        compared = (are_few & ((numbers > 0) == (other_numbers > 0))) | (are_cased & ~are_few)
        result |= _have_names_in_one_place(pairs, compared & ~result, are_cased, are_few, least)
        return result

    def _have_other_numbers(self, one: int, others: I64, pairs: _Pairs) -> Bools:
        """Return in which pairs most numbers of both texts are others, or a short text has another one: bool [others].

        Numbers of the same digits, as in “1 000” and “1000”, do not count.
        """
        are_numbers = pairs.letters.are_numbers & pairs.words.are_inside
        are_own_numbers = pairs.own_letters.are_numbers & pairs.own_words.are_inside
        changed = (pairs.absent & are_numbers) @ pairs.words.counts
        other_changed = np.bincount(pairs.owners, pairs.own_words.counts * are_own_numbers, len(others))
        most_changed = (changed > CHANGED_NUMBERS * self._numbers[one]) & (
            other_changed > CHANGED_NUMBERS * self._numbers[others]
        )
        digits = np.zeros(len(others), np.uint64)
        np.add.at(digits, pairs.owners, pairs.own_letters.digits)
        are_short = np.maximum(self._sizes[one], self._sizes[others]) < SHORT_FORM
        have_other: Bools = (are_short | most_changed) & (pairs.absent @ pairs.letters.digits != digits)
        return have_other

    def _unshared(self, one: int, others: I64) -> _Pairs:
        """Return the words of a text, and those of it and of `others` that the other one of a pair does not have."""
        text = self._words.at(slice(self._borders[one], self._borders[one + 1]))
        starts = self._borders[others]
        lengths = self._borders[others + 1] - starts
        places = np.arange(lengths.sum()) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
        owners = np.repeat(np.arange(len(others)), lengths)
        self._ranks[text.words] = np.arange(1, len(text.words) + 1)
        ranks = self._ranks[self._words.words[places]]
        self._ranks[text.words] = 0
        absent = np.ones((len(others), len(text.words) + 1), bool)
        absent[owners, ranks] = False
        own = places[ranks == 0]
        inside = self._words.counts[own] > 0
        owners = owners[ranks == 0][inside]
        own_words = self._words.at(own[inside])
        return _Pairs(
            words=text,
            letters=self._letters.at(text.words),
            absent=absent[:, 1:] & (text.counts > 0),
            owners=owners,
            own_words=own_words,
            own_letters=self._letters.at(own_words.words),
            counts=np.bincount(owners, minlength=len(others)),
        )


def _have_names_in_one_place(pairs: _Pairs, compared: Bools, are_cased: Bools, are_few: Bools, least: I64) -> Bools:
    """Return in which pairs each text has a name that the other has not, at about the same place: bool [others].

    All arrays have a value for each pair. Where texts have marks of names, `are_cased`, only names count, else all
    words. They must occur `least` times, and begin with other letters than each word that only the other text has.
    Where there `are_few` such words, no name may be another spelling of one of them.
    """
    rows, columns = np.nonzero(pairs.absent & compared[:, None])
    kept = compared[pairs.owners]
    owners, profile = pairs.owners[kept], pairs.own_words.at(kept)
    letters, own_letters = pairs.letters.at(columns), pairs.own_letters.at(np.flatnonzero(kept))
    _, ranks = np.unique(np.concatenate([letters.beginnings, own_letters.beginnings]), return_inverse=True)
    starts, other_starts = np.split(np.concatenate([rows, owners]) * (len(ranks) + 1) + ranks, [len(rows)])
    names = pairs.words.are_inside[columns] & ~letters.are_numbers & (pairs.words.are_names[columns] | ~are_cased[rows])
    names &= (pairs.words.counts[columns] >= least[rows]) & ~np.isin(starts, other_starts)
    others = profile.are_inside & ~own_letters.are_numbers & (profile.are_names | ~are_cased[owners])
    others &= (profile.counts >= least[owners]) & ~np.isin(other_starts, starts)
    rank_in_row = np.arange(len(rows)) - np.searchsorted(rows, rows)
    has_entry = are_few[rows]
    most = int(rank_in_row[has_entry].max(initial=-1)) + 1
    entries = np.full((len(are_few), most), -1, np.int64)  # of `rows`, by pair
    entries[rows[has_entry], rank_in_row[has_entry]] = np.flatnonzero(has_entry)
    for entry in entries[owners].T:
        spelt = np.flatnonzero(entry >= 0)
        spelt = spelt[_may_be_spellings(letters.at(entry[spelt]), own_letters.at(spelt))]
        names[entry[spelt]] = others[spelt] = False
    owners, places = owners[others], profile.places[others]
    result = np.zeros(len(are_few), bool)
    for column in np.unique(columns[names]).tolist():
        has_name = np.zeros(len(are_few), bool)
        has_name[rows[names & (columns == column)]] = True
        near = np.abs(places - pairs.words.places[column]) <= _SAME_PLACE
        result[owners[near & has_name[owners]]] = True
    return result


def _may_be_spellings(words: WordLetters, others: WordLetters) -> Bools:
    """Return which words may be the others in another spelling, by `dedup.match.spellings`: bool [words]."""
    letter = (1 << LETTER_BITS) - 1
    first, second = words.beginnings & letter, words.beginnings >> LETTER_BITS & letter
    other_first, other_second = others.beginnings & letter, others.beginnings >> LETTER_BITS & letter
    lengths = np.maximum(words.lengths, others.lengths)
    most = np.where(lengths < LONG_WORD, 1, 2)
    are_near = np.abs(words.lengths - others.lengths) <= most
    are_near &= _count_bits(words.letters ^ others.letters) <= 2 * most
    are_near |= np.minimum(words.lengths, others.lengths) <= _ABBREVIATION  # "St." of "Saint"
    begin_alike = (first == other_first) | ((first == other_second) & (second == other_first))
    may_be: Bools = begin_alike & are_near
    return may_be


def _count_bits(values: U64) -> I64:
    """Return how many bits of each value are set."""
    counts: I64 = np.bitwise_count(values).astype(np.int64)
    return counts
