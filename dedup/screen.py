"""Which of many raw texts repair may change, so that the others need not be looked at one by one.

Texts come as one run of UTF-8 bytes with their borders. `dedup.kernels.screen` is the same in machine code.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from dedup import encoding, typography, whitespace
from dedup.fingerprint import I64, decode
from dedup.furniture import kinds

ENCODING, WHITESPACE, TYPOGRAPHY = 1, 2, 4
BITS = {"encoding": ENCODING, "whitespace": WHITESPACE, "typography": TYPOGRAPHY}  # of each rule


def suspects(data: npt.NDArray[np.uint8], borders: I64) -> npt.NDArray[np.uint8]:
    r"""For each text the bits of the rules that may find something in it; a rule whose bit is not set does not.

    Where no rule that is not off has its bit set, `dedup.repairs.repair` gives the text back without findings.

    >>> text = "One.Two. caf\u00c3\u00a9".encode()
    >>> suspects(np.frombuffer(text, np.uint8), np.array([0, 4, 9, len(text)])).tolist()
    [0, 2, 1]
    """
    found = np.zeros(len(borders) - 1, np.uint8)
    for row, text in enumerate(_texts(data, borders)):
        found[row] = (
            ENCODING * encoding.may_change(text, unescape="<" not in text)
            | WHITESPACE * whitespace.may_change(text)
            | TYPOGRAPHY * typography.may_change(text)
        )
    return found


def suspect_lines(data: npt.NDArray[np.uint8], borders: I64) -> I64:
    r"""The lines of texts in which the encoding rule may find something: int64 [lines, 3].

    Rows are the number of the text and the span of the line, its break included, in code points of the text.

    >>> text = "One.\ncaf\u00c3\u00a9\n".encode()
    >>> suspect_lines(np.frombuffer(text, np.uint8), np.array([0, 0, len(text)])).tolist()
    [[1, 5, 11]]
    """
    found = []
    for row, text in enumerate(_texts(data, borders)):
        start = 0
        while start < len(text):
            stop = text.find("\n", start) + 1 or len(text)
            if encoding.may_change(text[start:stop], unescape="<" not in text):
                found.append((row, start, stop))
            start = stop
    return np.array(found, np.int64).reshape(-1, 3)


def furniture_lines(data: npt.NDArray[np.uint8], borders: I64) -> dict[int, dict[int, str]]:
    r"""By number of the text, as repair leaves it, the kinds of its lines that are page furniture, by theirs.

    >>> text = b"A quiet day.\n\nShare on Facebook"
    >>> furniture_lines(np.frombuffer(text, np.uint8), np.array([0, 0, len(text)]))
    {1: {2: 'share bar'}}
    """
    found = {row: kinds(text) for row, text in enumerate(_texts(data, borders))}
    return {row: known for row, known in found.items() if known}


def _texts(data: npt.NDArray[np.uint8], borders: I64) -> Iterator[str]:
    run = data.tobytes()
    for start, stop in pairwise(borders.tolist()):
        yield decode(run[start:stop])
