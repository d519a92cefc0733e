"""The distinct words of texts as rows of arrays, for comparing many texts at once."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from dedup.arrays import I32, I64, Bytes, offsets_of
from dedup.fingerprint.vocabulary import IS_NUMBER
from dedup.segment.written_words import IN_NAME

# Columns of the distinct words of texts.
WORD, COUNT, PLACE, IS_NAME, IS_INSIDE = range(5)
WORD_COLUMNS = 5


class WordSequences(NamedTuple):
    """The words of a batch of texts, and where their story is.

    Attributes:
        offsets: the number of the first word of each text, int64 [texts + 1].
        numbers: the number of each word in a vocabulary, int32 [words].
        flags: those of `dedup.segment.written_words.WrittenWords`, uint8 [words].
        heads: the number of words before the story of each text, int64 [texts].
        tails: the number of the first word behind it, int64 [texts].
        edges: the number of words at either end that may be no part of it, int64 [texts].
    """

    offsets: I64
    numbers: I32
    flags: Bytes
    heads: I64
    tails: I64
    edges: I64


class WordProfiles(NamedTuple):
    """The distinct words of texts, in order of appearance.

    Attributes:
        offsets: the first row of each text, int64 [texts + 1].
        rows: the number of the word; how often the text has it in its story; where it has it first there, or -1; 1 if
            it is in a name somewhere; and 1 if the story has it several times, or not near an end of the text. int32
            [rows, `WORD_COLUMNS`].
        number_counts: how many words with digits the story of each text has, int64 [texts].
    """

    offsets: I64
    rows: I32
    number_counts: I64


def profile_words(texts: WordSequences, letters: I64) -> WordProfiles:
    """Return the distinct words of texts; `letters` are those of their vocabulary, int64 [words, columns]."""
    rows, number_counts = [np.zeros((0, WORD_COLUMNS), np.int32)], []
    spans = zip(pairwise(texts.offsets.tolist()), *map(np.ndarray.tolist, texts[3:]), strict=True)
    for (start, stop), head, tail, edge in spans:
        numbers, size = texts.numbers[start:stop], stop - start
        story = numbers[head:tail].tolist()
        counts = Counter(story)
        places = dict(zip(reversed(story), reversed(range(head, head + len(story))), strict=True))  # the first stays
        named = set(numbers[texts.flags[start:stop] & IN_NAME != 0].tolist())
        of_text = []
        for word in dict.fromkeys(numbers.tolist()):
            count, place = counts[word], places.get(word, -1)
            of_text.append((word, count, place, word in named, count > 1 or edge <= place < size - edge))
        rows.append(np.array(of_text, np.int32).reshape(-1, WORD_COLUMNS))
        number_counts.append(int(letters[story, IS_NUMBER].sum()))
    return WordProfiles(offsets_of(list(map(len, rows[1:]))), np.concatenate(rows), np.array(number_counts, np.int64))
