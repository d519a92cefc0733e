"""Places of many edited texts in the raw texts they were made from: `dedup.findings.Offsets`, for a batch at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dedup.arrays import I64
from dedup.findings import FLAG, Finding
from dedup.segment.batch import Segments


def raw_spans(findings: Sequence[Sequence[Finding]], found: Segments, sizes: I64) -> tuple[I64, I64]:
    """The smallest raw spans that hold everything the paragraphs `found` in edited texts came from.

    `findings` holds those of each text; `sizes` are the lengths of the edited texts, in code points.
    """
    borders, starts, stops = found[:3]
    edits = [
        (text, one.start, one.stop, len(one.replacement or ""))
        for text, own in enumerate(findings)
        for one in own
        if one.action != FLAG
    ]
    if not edits:
        return starts, stops
    owner, raw_start, raw_stop, size = np.array(sorted(edits), np.int64).T
    texts = len(findings)
    first_edit = np.searchsorted(owner, np.arange(texts + 1))  # of each text
    grown = np.concatenate([[0], np.cumsum(size - (raw_stop - raw_start))])
    # Edited texts laid end to end, so that one search serves all.
    base = np.concatenate([[0], np.cumsum(sizes + 1)])[:-1]
    begin = base[owner] + raw_start + grown[:-1] - grown[first_edit[owner]]
    end = begin + size
    span_text = np.repeat(np.arange(texts), np.diff(borders))
    start, stop = base[span_text] + starts, base[span_text] + stops
    low, high = first_edit[span_text], first_edit[span_text + 1]
    back = np.concatenate([[0], raw_stop + base[owner] - end])  # what to add behind edit `number`, at number + 1

    behind = np.minimum(np.maximum(np.searchsorted(end, start, side="right"), low), high)  # first that ends after start
    at = np.minimum(behind, len(owner) - 1)
    inside = (behind < high) & (begin[at] < start)
    raw_starts = np.where(inside, raw_start[at], starts + np.where(behind > low, back[behind], 0))

    before = np.minimum(np.maximum(np.searchsorted(begin, stop, side="left"), low), high)  # first that starts at stop
    at = np.maximum(before - 1, 0)
    inside = (before > low) & (end[at] > stop)
    raw_stops = np.where(inside, raw_stop[at], stops + np.where(before > low, back[before], 0))
    return raw_starts, np.maximum(raw_starts, raw_stops)
