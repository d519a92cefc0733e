"""Spans of edited texts in the raw texts: a batch at once equals one text at a time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.arrays import pack
from dedup.findings import Offsets, fix
from dedup.kernels import reference
from dedup.prepare.raw_spans import to_raw_spans


@given(st.lists(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4), st.text("xy", max_size=3)), max_size=4)))
def test_raw_spans_of_a_batch_equal_those_of_each_text(shapes):
    findings, lengths, spans, borders, expected = [], [], [], [0], []
    for shape in shapes:
        edits, position, length = [], 0, 0
        for skip, size, replacement in shape:
            position += skip
            raw = "." * (position + size)
            edits.append(fix("whitespace", raw, position, position + size, replacement))
            position += size
            length += skip + len(replacement)
        lengths.append(length + 3)
        text_spans = [(start, stop) for start in range(length + 3) for stop in range(start, length + 4, 2)]
        findings.append(edits)
        spans += text_spans
        borders.append(len(spans))
        expected += [Offsets(edits).widen(*span) for span in text_spans]
    starts, stops = np.array(spans, np.int64).reshape(-1, 2).T
    segments = reference.segment_batch(*pack([]))._replace(borders=np.array(borders), starts=starts, stops=stops)
    raw_spans = to_raw_spans(findings, segments, np.array(lengths, np.int64))
    assert list(zip(*(side.tolist() for side in raw_spans), strict=True)) == expected
