"""Screen many raw texts for those that the text-level rules may change; only these are processed one by one.

Texts come as one array of UTF-8 bytes with offsets. `dedup.kernels.repair_screen` is the compiled version. A screen may
have false positives, never false negatives.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, decode_utf8
from dedup.repairs import encoding, markup, typography, whitespace
from dedup.repairs.encoding import PLAIN_EVIDENCE, KnownLines
from dedup.repairs.page_furniture import line_kinds

ENCODING, WHITESPACE, TYPOGRAPHY, MARKUP = 1, 2, 4, 8
BITS = {"encoding": ENCODING, "markup": MARKUP, "whitespace": WHITESPACE, "typography": TYPOGRAPHY}


def rules_that_may_apply(data: npt.NDArray[np.uint8], borders: I64) -> npt.NDArray[np.uint8]:
    r"""Return the bits (`BITS`) of the rules that may find something in each text: uint8 [texts].

    `data` is the UTF-8 of all texts, uint8 [bytes]; `borders` are the offsets of the texts in it, int64 [texts + 1]. A
    rule whose bit is not set finds nothing: where only bits of rules that are off are set,
    `dedup.repairs.repair.repair` returns the text unchanged and no findings.

    >>> text = "One.Two. caf\u00c3\u00a9".encode()
    >>> rules_that_may_apply(np.frombuffer(text, np.uint8), np.array([0, 4, 9, len(text)])).tolist()
    [0, 2, 1]
    """
    bits = np.zeros(len(borders) - 1, np.uint8)
    for row, text in enumerate(_decoded_texts(data, borders)):
        bits[row] = (
            ENCODING * encoding.encoding_may_apply(text, unescape="<" not in text)
            | WHITESPACE * whitespace.whitespace_may_apply(text)
            | TYPOGRAPHY * typography.typography_may_apply(text)
            | MARKUP * markup.markup_may_apply(text)
        )
    return bits


class SuspectLines(NamedTuple):
    """The lines in which the rule ``encoding`` may find something, and the fixes that are already certain.

    `lines` are the lines to look at: int64 [lines, 3], the number of the text and the span of the line, its line break
    included. `fixes` replace runs in other lines: int64 [fixes, 6], the number of the text, the span of the run, the
    span of its replacement in `replacements` (UTF-8 bytes), and the number of the encoding in
    `dedup.repairs.encoding.PLAIN_ENCODINGS`. Spans of texts are in code points of the text. Both arrays are in order.
    """

    lines: I64
    fixes: I64
    replacements: bytes

    def by_text(self, count: int) -> list[KnownLines]:
        """Return the same for each of `count` texts, as `dedup.repairs.encoding.repair_encoding` takes it."""
        ends = (np.searchsorted(rows[:, 0], np.arange(1, count + 1)).tolist() for rows in (self.lines, self.fixes))
        lines: list[tuple[int, int]] = list(map(tuple, self.lines[:, 1:].tolist()))
        fixes = [
            (start, stop, decode_utf8(self.replacements[first:last]), PLAIN_EVIDENCE[number])
            for _, start, stop, first, last, number in self.fixes.tolist()
        ]
        known = []
        line = fixed = 0
        for line_end, fixed_end in zip(*ends, strict=True):
            known.append(KnownLines(lines[line:line_end], fixes[fixed:fixed_end]))
            line, fixed = line_end, fixed_end
        return known


def find_suspect_lines(data: npt.NDArray[np.uint8], borders: I64) -> SuspectLines:
    r"""Return the lines in which the rule ``encoding`` may find something; this definition returns no certain fixes.

    `data` and `borders` are as in `rules_that_may_apply`.

    >>> text = "One.\ncaf\u00c3\u00a9\n".encode()
    >>> find_suspect_lines(np.frombuffer(text, np.uint8), np.array([0, 0, len(text)])).lines.tolist()
    [[1, 5, 11]]
    """
    lines = []
    for row, text in enumerate(_decoded_texts(data, borders)):
        start = 0
        while start < len(text):
            stop = text.find("\n", start) + 1 or len(text)
            if encoding.encoding_may_apply(text[start:stop], unescape="<" not in text):
                lines.append((row, start, stop))
            start = stop
    return SuspectLines(np.array(lines, np.int64).reshape(-1, 3), np.empty((0, 6), np.int64), b"")


def find_furniture_lines(data: npt.NDArray[np.uint8], borders: I64) -> dict[int, dict[int, str]]:
    r"""Return the kinds of the lines that are page furniture, by number of the line, by number of the text.

    The texts, given as in `rules_that_may_apply`, are already repaired.

    >>> text = b"A quiet day.\n\nShare on Facebook"
    >>> find_furniture_lines(np.frombuffer(text, np.uint8), np.array([0, 0, len(text)]))
    {1: {2: 'share bar'}}
    """
    kinds = {row: line_kinds(text) for row, text in enumerate(_decoded_texts(data, borders))}
    return {row: of_lines for row, of_lines in kinds.items() if of_lines}


def _decoded_texts(data: npt.NDArray[np.uint8], borders: I64) -> Iterator[str]:
    """Yield the texts of a batch."""
    run = data.tobytes()
    for start, stop in pairwise(borders.tolist()):
        yield decode_utf8(run[start:stop])
