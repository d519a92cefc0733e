"""The words of texts as they are written: folded, each with its span and its capital.

The words of a comparison key have no spans. Those of this module have, and are nearly the same: only where folding
splits a word, such as that of fractions, or makes a word of a sign, such as "№", a key has other words.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np

from dedup.arrays import I32, I64, Bools, Bytes, decode_utf8, encode_utf8, offsets_of
from dedup.segment.words import word_spans

BEGINS_UPPER, IN_NAME = 1, 2  # bits of `WrittenWords.flags`

# In Latin scripts, with the quotes and dashes of any text, words have no combining marks and are written apart.
_OTHER_SCRIPTS = re.compile(r"[^\x00-\u02ff\u2010-\u2022\u2026\u20ac]")
_LATIN_WORD = re.compile(r"[^\W_]+")


class WrittenWords(NamedTuple):
    """The words of a batch of texts.

    Attributes:
        offsets: the number of the first word of each text, int64 [texts + 1].
        folded: the folded words one after the other, UTF-8, uint8 [bytes].
        ends: where the folded words start, and the last one ends, int64 [words + 1], in bytes.
        starts: where words start in their text, int32 [words], in code points.
        stops: where they end, int32 [words].
        flags: `BEGINS_UPPER` if the first letter is a capital; `IN_NAME` if the word is in a run of characters between
            spaces that begins with a capital, and follows a letter and one space. uint8 [words].
        capitals: the number of such runs in each text, int64 [texts].
        are_key_words: False if the comparison key of a text may have other words, bool [texts]. Backends may differ.
    """

    offsets: I64
    folded: Bytes
    ends: I64
    starts: I32
    stops: I32
    flags: Bytes
    capitals: I64
    are_key_words: Bools


def cut_words(data: Bytes, offsets: I64) -> WrittenWords:
    """Return the words of a batch of texts.

    `data` is the UTF-8 of the texts, uint8 [bytes]; `offsets` are where they start, int64 [texts + 1], in bytes.

    >>> text = "The CAFÉ of Mr. Ray-Day".encode()
    >>> words = cut_words(np.frombuffer(text, np.uint8), np.array([0, len(text)]))
    >>> words.folded.tobytes().decode(), words.flags.tolist(), words.capitals.tolist()
    ('thecaféofmrrayday', [1, 3, 0, 3, 1, 1], [2])
    """
    encoded = data.tobytes()
    cut = [_cut_text(decode_utf8(encoded[start:stop])) for start, stop in pairwise(offsets.tolist())]
    words = [word for text in cut for word in text.words]
    folded = [encode_utf8(word.folded) for word in words]
    columns = np.array([word[1:] for word in words], np.int32).reshape(-1, 3)
    return WrittenWords(
        offsets=offsets_of([len(text.words) for text in cut]),
        folded=np.frombuffer(b"".join(folded), np.uint8),
        ends=offsets_of(list(map(len, folded))),
        starts=np.ascontiguousarray(columns[:, 0]),
        stops=np.ascontiguousarray(columns[:, 1]),
        flags=columns[:, 2].astype(np.uint8),
        capitals=np.array([text.capitals for text in cut], np.int64),
        are_key_words=np.array([text.is_ascii for text in cut], bool),
    )


def join_words(batches: Sequence[WrittenWords]) -> WrittenWords:
    """Return the words of the texts of several batches."""
    columns: Any = map(np.concatenate, zip(*batches, strict=True))
    joined = WrittenWords(*columns)
    return joined._replace(
        offsets=offsets_of(np.concatenate([np.diff(batch.offsets) for batch in batches])),
        ends=offsets_of(np.concatenate([np.diff(batch.ends) for batch in batches])),
    )


class _Word(NamedTuple):
    folded: str
    start: int
    stop: int
    flags: int


class _Text(NamedTuple):
    words: list[_Word]
    capitals: int
    is_ascii: bool


def _cut_text(text: str) -> _Text:
    """Return the words of one text."""
    runs = _capital_runs(text)
    starts = [start for start, _ in runs]
    words = []
    for start, stop in _spans_of_words(text):
        run = bisect_right(starts, start) - 1
        is_in_name = run >= 0 and start < runs[run][1]
        flags = BEGINS_UPPER * text[start].isupper() | IN_NAME * is_in_name
        words.append(_Word(fold(text[start:stop]), start, stop, flags))
    return _Text(words, len(runs), text.isascii())


def _spans_of_words(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of the words of `text`; those of `dedup.segment.words.word_spans`."""
    if _OTHER_SCRIPTS.search(text) is None:  # the pattern of all scripts takes a quarter of a second to make
        return (match.span() for match in _LATIN_WORD.finditer(text))
    return word_spans(text)


@lru_cache(maxsize=1 << 16)
def fold(word: str) -> str:
    """Return a word as comparison keys hold it."""
    if word.isascii():
        return word.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", word).casefold())


def _capital_runs(text: str) -> list[tuple[int, int]]:
    """Return the spans of the runs between spaces that begin with a capital and follow a letter and one space."""
    runs = text.split(" ")
    starts = accumulate(len(run) + 1 for run in runs)
    return [
        (start, start + len(run))
        for (before, run), start in zip(pairwise(runs), starts, strict=False)
        if run[:1].isupper() and before[-1:].isalpha()
    ]
