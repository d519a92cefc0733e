"""The arrays by which articles of one form are told, and the limits of the decision."""

from __future__ import annotations

from typing import NamedTuple

from dedup.arrays import I32, I64

# Columns of texts.
FIRST_ROW, LAST_ROW, SIZE, NUMBER_COUNT, IS_CASED = range(5)
TEXT_COLUMNS = 5


class TextTable(NamedTuple):
    """The distinct words of some texts; a text has a number.

    Attributes:
        texts: the first row of each text, and the one behind its last; the number of its words, counted as often as it
            has them; that of its numbers, as `dedup.fingerprint.word_profiles.WordProfiles` counts them; and 1 if
            capitals mark names in it. int64 [texts or more, `TEXT_COLUMNS`].
        rows: those of `dedup.fingerprint.word_profiles.WordProfiles` of all texts, int32 [rows or more, columns].
        words: the first column of `rows` once more, so that it can be read fast, int32 [rows or more].
        letters: those of `dedup.fingerprint.vocabulary.Vocabulary`, int64 [words or more, columns].
    """

    texts: I64
    rows: I32
    words: I32
    letters: I64


class NameLimits(NamedTuple):
    """The limits of `dedup.match.form_names`, which explains them."""

    few_own_words: int
    shifted_words: int
    shifted_share: float
    recurring: int
    same_place: int
    long_form: int
    abbreviation: int
    short_form: int
    changed_numbers: float
    long_word: int
