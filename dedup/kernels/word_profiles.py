"""List the distinct words of texts: the compiled version of `dedup.fingerprint.word_profiles`."""

from __future__ import annotations

import numpy as np

from dedup.arrays import I64
from dedup.fingerprint.vocabulary import IS_NUMBER
from dedup.fingerprint.word_profiles import (
    COUNT,
    IS_INSIDE,
    IS_NAME,
    PLACE,
    WORD,
    WORD_COLUMNS,
    WordProfiles,
    WordSequences,
)
from dedup.kernels.declare import kernel
from dedup.segment.written_words import IN_NAME


@kernel(
    "(int64[:], int32[:], uint8[:], int64[:], int64[:], int64[:]), int64[:,:], +int64[:], "
    "(+int64[:], +int32[:,:], +int64[:])"
)
def _write_profiles(texts: WordSequences, letters: I64, row_of: I64, profiles: WordProfiles) -> None:
    """Write the distinct words of `texts` to `profiles`, whose rows have room.

    `row_of`, int64 [words of the vocabulary], is room, and all -1.
    """
    count = 0
    for text in range(len(texts.offsets) - 1):
        start, first = texts.offsets[text], count
        size = texts.offsets[text + 1] - start
        head, tail, edge = texts.heads[text], texts.tails[text], texts.edges[text]
        numbers = 0
        for place in range(size):
            word = texts.numbers[start + place]
            row = row_of[word]
            if row < first:
                row = count
                row_of[word] = row
                count += 1
                columns = profiles.rows[row]
                columns[WORD], columns[COUNT], columns[PLACE], columns[IS_NAME] = word, 0, -1, 0
            columns = profiles.rows[row]
            if head <= place < tail:
                if columns[COUNT] == 0:
                    columns[PLACE] = place
                columns[COUNT] += 1
                numbers += letters[word, IS_NUMBER]
            if texts.flags[start + place] & IN_NAME:
                columns[IS_NAME] = 1
        for row in range(first, count):
            columns = profiles.rows[row]
            columns[IS_INSIDE] = columns[COUNT] > 1 or edge <= columns[PLACE] < size - edge
        profiles.offsets[text + 1] = count
        profiles.number_counts[text] = numbers


def profile_words(texts: WordSequences, letters: I64) -> WordProfiles:
    """Return the distinct words of texts; `letters` are those of their vocabulary, int64 [words, columns].

    The compiled version of `dedup.fingerprint.word_profiles.profile_words`.
    """
    count = len(texts.offsets) - 1
    profiles = WordProfiles(
        np.zeros(count + 1, np.int64),
        np.empty((len(texts.numbers), WORD_COLUMNS), np.int32),
        np.zeros(count, np.int64),
    )
    _write_profiles(texts, letters, np.full(len(letters), -1, np.int64), profiles)
    return profiles._replace(rows=profiles.rows[: profiles.offsets[-1]])
