"""An input of unknown size is read ahead as far as its size matters, and no batch is lost or read twice."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from dedup.read.lookahead import read_ahead


@given(st.lists(st.integers(0, 5), max_size=8), st.integers(1, 100))
def test_reading_ahead_loses_nothing_and_reads_no_more_than_it_must(lengths, enough):
    batches = [pa.record_batch({"data": pa.array(range(length), pa.int64())}) for length in lengths]
    taken: list[int] = []
    source = (taken.append(number) or batch for number, batch in enumerate(batches))
    size, again = read_ahead(source, enough)
    total = sum(batch.nbytes for batch in batches)
    assert size == (None if total >= enough else total)
    before = sum(batch.nbytes for batch in batches[: len(taken) - 1])
    assert before < enough
    assert [batch.to_pydict() for batch in again] == [batch.to_pydict() for batch in batches]
    assert taken == list(range(len(batches)))
