"""Split the paragraphs of one text into sentences, or the parts of them that stand on one line: the definition.

`dedup.kernels.sentences` computes the same in machine code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dedup.arrays import I64
from dedup.segment.word_offsets import word_starts
from dedup.segment.words import words

STOPS, CLOSERS = ".!?…।۔؟։።", "\"'”’»)]"  # what ends a sentence before a space, and what may stand between
WIDE_STOPS, WIDE_CLOSERS = "。！？", "”’」』）"  # the same where no space follows
# Scripts in which a space ends a sentence or a phrase. Both ends are inclusive.
SPACE_ENDS_SENTENCE = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF))

# Behind a sentence, and at a line end. Abbreviations end one too; what is before is then a part of a sentence.
# A run of stops is matched only from its first stop, so that many of them take linear time.
_BORDER_ELSEWHERE = re.compile(
    rf"\n\s*|(?<![{STOPS}])[{STOPS}]++[{re.escape(CLOSERS)}]*+\s+|[{WIDE_STOPS}]+[{WIDE_CLOSERS}]*\s*"
)
_SPACED_LETTER = re.compile("[" + "".join(f"{chr(low)}-{chr(high)}" for low, high in SPACE_ENDS_SENTENCE) + "]")
# The lookbehind is tried at every character, so it is used only for texts with such a script.
_BORDER = re.compile(rf"{_BORDER_ELSEWHERE.pattern}|(?<={_SPACED_LETTER.pattern})\s+")


class Sentences(NamedTuple):
    """The sentences of one text, or the parts of them that stand on one line, in order.

    Attributes:
        starts: where each starts in the text, in code points, int64 [sentences].
        stops: where each ends, exclusive, without the space behind it, like `starts`.
        paragraphs: the number of its paragraph, int64 [sentences].
        lines: a number of its line, int64 [sentences].
        words: the number of its words, int64 [sentences].
    """

    starts: I64
    stops: I64
    paragraphs: I64
    lines: I64
    words: I64


def split_sentences(text: str, spans: I64, counts: I64) -> Sentences:
    r"""Return the sentences of a text.

    `spans` are its paragraphs, in code points: int64 [paragraphs, 2]; `counts` are the words of each: int64
    [paragraphs]. A paragraph is one sentence if splitting it would change its words. It does not if the offsets of all
    words are sure, since borders are behind spaces and marks.

    >>> sentences = split_sentences("One. Two\nthree.", np.array([[0, 15]]), np.array([3]))
    >>> sentences.starts.tolist(), sentences.stops.tolist(), sentences.lines.tolist(), sentences.words.tolist()
    ([0, 5, 9], [4, 8, 15], [0, 0, 1], [1, 1, 1])
    """
    border = _BORDER if _SPACED_LETTER.search(text) else _BORDER_ELSEWHERE
    starts, unsure = word_starts(text)
    rows: list[tuple[int, int, int, int, int]] = []
    line = -1
    for number, ((start, stop), count) in enumerate(zip(spans.tolist(), counts.tolist(), strict=True)):
        parts = _sentence_spans(text, start, stop, border)
        begun = np.searchsorted(starts, [*(first for first, _ in parts), stop])
        doubts = np.searchsorted(unsure, (start, stop))
        told = np.diff(begun).tolist()
        if doubts[0] != doubts[1] or sum(told) != count:
            split = [words(text[slice(*part)]) for part in parts]
            told = list(map(len, split))
            if len(parts) > 1 and [word for own in split for word in own] != words(text[start:stop]):
                parts, told = [(start, stop)], [count]
        before = None
        for (first, last), size in zip(parts, told, strict=True):
            line += before is None or "\n" in text[before:first]
            before = last
            rows.append((first, last, number, line, size))
    return Sentences(*np.array(rows, np.int64).reshape(-1, 5).T.copy())


def _sentence_spans(text: str, start: int, stop: int, border: re.Pattern[str]) -> Sequence[tuple[int, int]]:
    """Return the spans of the sentences of a paragraph."""
    spans = []
    first = start
    for found in border.finditer(text, start, stop):
        end = found.end()
        last = first + len(text[first:end].rstrip())
        if last > first:
            spans.append((first, last))
            first = end
    if first < stop:
        spans.append((first, stop))
    return spans
