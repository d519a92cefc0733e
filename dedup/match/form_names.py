"""Tell most articles of one form from copies by their names and numbers alone, for many articles at once.

Two thousand reports of one form are two million pairs, and to align the words of each takes 0.1 ms. But most of these
pairs differ in few words: each text has a name, or numbers, that the other does not have at all. Arrays of all distinct
words show that for one text and all others in one pass: compiled, in 0.1 microseconds for pairs of 50 distinct words
each, and in 0.3 for 200. These are the definitions; `dedup.kernels.form_names` computes the same in machine code.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dedup.arrays import I32, I64, Bools
from dedup.fingerprint.form_tables import FIRST_ROW, IS_CASED, LAST_ROW, NUMBER_COUNT, SIZE, NameLimits, TextTable
from dedup.fingerprint.vocabulary import LETTER_BITS
from dedup.fingerprint.word_profiles import COUNT, IS_INSIDE, IS_NAME, WORD
from dedup.match.spellings import LONG_WORD

# All figures were chosen on the pairs of tests/data/same_form.toml, and checked on pairs of press releases.
LONG_FORM = 500  # words: one name that differs in a longer text is a correction
SHORT_FORM = 100  # words: two texts with fewer words and a similarity of 0.8 differ in one place or two
CHANGED_NUMBERS = 0.5  # of the numbers: the same report of another day changes most of them, an update a few
LIMITS = NameLimits(
    few_own_words=6,  # that only one of the texts has: those of its slots
    shifted_words=2,  # how far the lengths of texts with nothing but slots differ, in words
    shifted_share=0.03,  # the same, as a share of the words
    recurring=3,  # times that a text has the name of what it is about
    same_place=10,  # words: how far names in one slot are apart, counted from the start of each text
    long_form=LONG_FORM,
    abbreviation=3,  # letters of a word that may stand for any longer one that begins alike
    short_form=SHORT_FORM,
    changed_numbers=CHANGED_NUMBERS,
    long_word=LONG_WORD,
)


class WordProfile(NamedTuple):
    """Columns of the distinct words of texts, see `dedup.fingerprint.word_profiles`; one value for each word."""

    words: I64
    counts: I64
    places: I64
    are_names: Bools
    are_inside: Bools

    @classmethod
    def of(cls, rows: I32) -> WordProfile:
        """Return the columns of `rows`, int32 [words, columns]."""
        words, counts, places = rows[:, :IS_NAME].T.astype(np.int64)
        return cls(words, counts, places, rows[:, IS_NAME] > 0, rows[:, IS_INSIDE] > 0)

    def at(self, chosen: Bools) -> WordProfile:
        """Return the words that are chosen."""
        columns: Any = (column[chosen] for column in self)
        return WordProfile(*columns)


class WordLetters(NamedTuple):
    """Columns of the letters of words, see `dedup.fingerprint.vocabulary`; one value for each word."""

    lengths: I64
    beginnings: I64
    letters: I64
    digits: I64
    are_numbers: Bools

    @classmethod
    def of(cls, rows: I64) -> WordLetters:
        """Return the columns of `rows`, int64 [words, columns]."""
        lengths, beginnings, letters, digits, are_numbers = rows.T
        return cls(lengths, beginnings, letters, digits, are_numbers > 0)

    def at(self, chosen: I64) -> WordLetters:
        """Return the words at some places."""
        columns: Any = (column[chosen] for column in self)
        return WordLetters(*columns)


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


def have_other_names(table: TextTable, one: int, others: I64) -> Bools:
    """Return which of `others` are of one form with the text `one`, by their words alone: bool [others].

    `others` are numbers of texts in `table`, int64 [others]. False is no answer. The order of two texts does not
    matter.
    """
    sizes, other_sizes = table.texts[one, SIZE], table.texts[others, SIZE]
    pairs = _unshared(table, one, others)
    own_counts = pairs.absent.sum(axis=1)
    longest, shift = np.maximum(sizes, other_sizes), np.abs(sizes - other_sizes)
    are_few = (np.maximum(own_counts, pairs.counts) <= LIMITS.few_own_words) & (
        shift <= np.maximum(LIMITS.shifted_words, LIMITS.shifted_share * longest)
    )
    numbers = (pairs.absent & pairs.letters.are_numbers).sum(axis=1)
    other_numbers = np.bincount(pairs.owners, pairs.own_letters.are_numbers, len(others)).astype(np.int64)
    both_numbers = (numbers > 0) & (other_numbers > 0)
    are_cased = (table.texts[one, IS_CASED] > 0) & (table.texts[others, IS_CASED] > 0)
    least = np.where(are_few, np.where(are_cased & (longest < LONG_FORM), 1, 2), LIMITS.recurring) - both_numbers
    least = np.maximum(least, 1)
    result: Bools = _have_other_numbers(table, one, others, pairs) & are_few & both_numbers
    # One text with a number where the other one has a name: “on Friday”, “on March 6”.
    compared = (are_few & ((numbers > 0) == (other_numbers > 0))) | (are_cased & ~are_few)
    result |= _have_names_in_one_place(pairs, compared & ~result, are_cased, are_few, least)
    return result


def _have_other_numbers(table: TextTable, one: int, others: I64, pairs: _Pairs) -> Bools:
    """Return in which pairs most numbers of both texts are others, or a short text has another one: bool [others].

    Numbers of the same digits, as in “1 000” and “1000”, do not count.
    """
    are_numbers = pairs.letters.are_numbers & pairs.words.are_inside
    are_own_numbers = pairs.own_letters.are_numbers & pairs.own_words.are_inside
    changed = (pairs.absent & are_numbers) @ pairs.words.counts
    other_changed = np.bincount(pairs.owners, pairs.own_words.counts * are_own_numbers, len(others))
    most_changed = (changed > CHANGED_NUMBERS * table.texts[one, NUMBER_COUNT]) & (
        other_changed > CHANGED_NUMBERS * table.texts[others, NUMBER_COUNT]
    )
    digits = np.zeros(len(others), np.int64)
    np.add.at(digits, pairs.owners, pairs.own_letters.digits)
    are_short = np.maximum(table.texts[one, SIZE], table.texts[others, SIZE]) < SHORT_FORM
    have_other: Bools = (are_short | most_changed) & (pairs.absent @ pairs.letters.digits != digits)
    return have_other


def _unshared(table: TextTable, one: int, others: I64) -> _Pairs:
    """Return the words of a text, and those of it and of `others` that the other one of a pair does not have."""
    text = WordProfile.of(table.rows[table.texts[one, FIRST_ROW] : table.texts[one, LAST_ROW]])
    starts = table.texts[others, FIRST_ROW]
    lengths = table.texts[others, LAST_ROW] - starts
    places = np.arange(lengths.sum()) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
    owners = np.repeat(np.arange(len(others)), lengths)
    ranks = np.zeros(len(table.letters), np.int64)  # by word: its place in the text, from 1 on, or 0
    ranks[text.words] = np.arange(1, len(text.words) + 1)
    ranks = ranks[table.rows[places, WORD]]
    absent = np.ones((len(others), len(text.words) + 1), bool)
    absent[owners, ranks] = False
    is_own = (ranks == 0) & (table.rows[places, COUNT] > 0)
    owners, own_words = owners[is_own], WordProfile.of(table.rows[places[is_own]])
    return _Pairs(
        words=text,
        letters=WordLetters.of(table.letters[text.words]),
        absent=absent[:, 1:] & (text.counts > 0),
        owners=owners,
        own_words=own_words,
        own_letters=WordLetters.of(table.letters[own_words.words]),
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
        near = np.abs(places - pairs.words.places[column]) <= LIMITS.same_place
        result[owners[near & has_name[owners]]] = True
    return result


def _may_be_spellings(words: WordLetters, others: WordLetters) -> Bools:
    """Return which words may be the others in another spelling, by `dedup.match.spellings`: bool [words]."""
    letter = (1 << LETTER_BITS) - 1
    first, second = words.beginnings & letter, words.beginnings >> LETTER_BITS & letter
    other_first, other_second = others.beginnings & letter, others.beginnings >> LETTER_BITS & letter
    lengths = np.maximum(words.lengths, others.lengths)
    most = np.where(lengths < LIMITS.long_word, 1, 2)
    are_near = np.abs(words.lengths - others.lengths) <= most
    are_near &= _count_bits(words.letters ^ others.letters) <= 2 * most
    are_near |= np.minimum(words.lengths, others.lengths) <= LIMITS.abbreviation  # "St." of "Saint"
    begin_alike = (first == other_first) | ((first == other_second) & (second == other_first))
    may_be: Bools = begin_alike & are_near
    return may_be


def _count_bits(values: I64) -> I64:
    """Return how many bits of each value are set."""
    counts: I64 = np.bitwise_count(values.view(np.uint64)).astype(np.int64)
    return counts
