"""Spans of edited texts mapped back to the raw texts: `dedup.findings.Offsets.widen`, for a batch at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dedup.arrays import I64, offsets_of
from dedup.findings import FLAG, Finding
from dedup.segment.batch import Segments


def to_raw_spans(findings: Sequence[Sequence[Finding]], segments: Segments, lengths: I64) -> tuple[I64, I64]:
    """Return the smallest raw spans that hold everything the paragraphs came from.

    `segments` are the paragraphs of the edited texts, `findings` the edits of each text, with spans in the raw text,
    and `lengths` the lengths of the edited texts: int64 [texts], in code points. The raw spans are starts and stops in
    code points: int64 [paragraphs] each.
    """
    offsets, starts, stops = segments[:3]
    edits = [
        (text, edit.start, edit.stop, len(edit.replacement or ""))
        for text, text_findings in enumerate(findings)
        for edit in text_findings
        if edit.action != FLAG
    ]
    if not edits:
        return starts, stops
    owner, raw_start, raw_stop, size = np.array(sorted(edits), np.int64).T
    texts = len(findings)
    first_edit = np.searchsorted(owner, np.arange(texts + 1))  # of each text
    growth = offsets_of(size - (raw_stop - raw_start))  # total of the edits before each one; negative if they shorten
    # The edited texts are laid end to end, one code point apart, so that one search serves all.
    base = offsets_of(lengths + 1)[:-1]
    edit_start = base[owner] + raw_start + growth[:-1] - growth[first_edit[owner]]
    edit_stop = edit_start + size
    span_text = np.repeat(np.arange(texts), np.diff(offsets))
    start, stop = base[span_text] + starts, base[span_text] + stops
    low, high = first_edit[span_text], first_edit[span_text + 1]
    # What to add to an edited offset to get the raw one, after edit `number`: at number + 1.
    shift = np.concatenate([[0], raw_stop + base[owner] - edit_stop])

    following = np.searchsorted(edit_stop, start, side="right")  # the first edit that ends after the start
    following = np.minimum(np.maximum(following, low), high)
    edit = np.minimum(following, len(owner) - 1)
    inside = (following < high) & (edit_start[edit] < start)
    raw_starts = np.where(inside, raw_start[edit], starts + np.where(following > low, shift[following], 0))

    following = np.searchsorted(edit_start, stop, side="left")  # the first edit that starts at or after the stop
    following = np.minimum(np.maximum(following, low), high)
    edit = np.maximum(following - 1, 0)
    inside = (following > low) & (edit_stop[edit] > stop)
    raw_stops = np.where(inside, raw_stop[edit], stops + np.where(following > low, shift[following], 0))
    return raw_starts, np.maximum(raw_starts, raw_stops)
