"""Which of many raw texts repair may change, so that the others need not be looked at one by one.

Texts come as one run of UTF-8 bytes with their borders. `dedup.kernels.repair_screen` is the same in machine code.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, decode_utf8
from dedup.repairs import encoding, typography, whitespace
from dedup.repairs.encoding import PLAIN_EVIDENCE, Known
from dedup.repairs.page_furniture import line_kinds

ENCODING, WHITESPACE, TYPOGRAPHY = 1, 2, 4
BITS = {"encoding": ENCODING, "whitespace": WHITESPACE, "typography": TYPOGRAPHY}  # of each rule


def rules_that_may_apply(data: npt.NDArray[np.uint8], borders: I64) -> npt.NDArray[np.uint8]:
    r"""For each text the bits of the rules that may find something in it; a rule whose bit is not set does not.

    Where no rule that is not off has its bit set, `dedup.repairs.repair.repair` gives the text back without findings.

    >>> text = "One.Two. caf\u00c3\u00a9".encode()
    >>> suspects(np.frombuffer(text, np.uint8), np.array([0, 4, 9, len(text)])).tolist()
    [0, 2, 1]
    """
    found = np.zeros(len(borders) - 1, np.uint8)
    for row, text in enumerate(_texts(data, borders)):
        found[row] = (
            ENCODING * encoding.encoding_may_apply(text, unescape="<" not in text)
            | WHITESPACE * whitespace.whitespace_may_apply(text)
            | TYPOGRAPHY * typography.typography_may_apply(text)
        )
    return found


class SuspectLines(NamedTuple):
    """Where the encoding rule may find something in texts, and what it surely does.

    `lines` are lines that have to be looked at: int64 [lines, 3], the number of the text and the span of the line, its
    break included. `fixes` are runs of other lines: int64 [fixes, 6], the number of the text, the span of the run, that
    of what stands for it in `replacements` (UTF-8), and which of `dedup.repairs.encoding.PLAIN` says so. Spans of texts are in
    code points. Both come in order.
    """

    lines: I64
    fixes: I64
    replacements: bytes

    def by_text(self, count: int) -> list[Known]:
        """The same for each of `count` texts, as the encoding rule takes it."""
        ends = (np.searchsorted(rows[:, 0], np.arange(1, count + 1)).tolist() for rows in (self.lines, self.fixes))
        lines: list[tuple[int, int]] = list(map(tuple, self.lines[:, 1:].tolist()))
        fixes = [
            (start, stop, decode_utf8(self.replacements[first:last]), PLAIN_EVIDENCE[number])
            for _, start, stop, first, last, number in self.fixes.tolist()
        ]
        told = []
        line = fixed = 0
        for line_end, fixed_end in zip(*ends, strict=True):
            told.append(Known(lines[line:line_end], fixes[fixed:fixed_end]))
            line, fixed = line_end, fixed_end
        return told


def find_suspect_lines(data: npt.NDArray[np.uint8], borders: I64) -> SuspectLines:
    r"""Where the encoding rule may find something in texts; by this definition all is to be looked at.

    >>> text = "One.\ncaf\u00c3\u00a9\n".encode()
    >>> suspect_lines(np.frombuffer(text, np.uint8), np.array([0, 0, len(text)])).lines.tolist()
    [[1, 5, 11]]
    """
    found = []
    for row, text in enumerate(_texts(data, borders)):
        start = 0
        while start < len(text):
            stop = text.find("\n", start) + 1 or len(text)
            if encoding.encoding_may_apply(text[start:stop], unescape="<" not in text):
                found.append((row, start, stop))
            start = stop
    return SuspectLines(np.array(found, np.int64).reshape(-1, 3), np.empty((0, 6), np.int64), b"")


def find_furniture_lines(data: npt.NDArray[np.uint8], borders: I64) -> dict[int, dict[int, str]]:
    r"""By number of the text, as repair leaves it, the kinds of its lines that are page furniture, by theirs.

    >>> text = b"A quiet day.\n\nShare on Facebook"
    >>> furniture_lines(np.frombuffer(text, np.uint8), np.array([0, 0, len(text)]))
    {1: {2: 'share bar'}}
    """
    found = {row: line_kinds(text) for row, text in enumerate(_texts(data, borders))}
    return {row: known for row, known in found.items() if known}


def _texts(data: npt.NDArray[np.uint8], borders: I64) -> Iterator[str]:
    run = data.tobytes()
    for start, stop in pairwise(borders.tolist()):
        yield decode_utf8(run[start:stop])
