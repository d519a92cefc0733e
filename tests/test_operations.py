"""How much work is done, counted and not timed.

Clean text costs no Python per line, and the number of comparisons grows with the corpus, not with its square.
"""

from __future__ import annotations

import sys
from collections import Counter

import pyarrow as pa
import pytest
from conftest import write_jsonl
from helpers.news import news, sentences

import dedup
from dedup import Settings
from dedup.kernels.backend import load_backend
from dedup.prepare.batch import prepare
from dedup.read.fields import to_json_bytes
from dedup.read.formats import JSON_LINES
from dedup.read.records import RECORD_SCHEMA

# The most calls of Python functions for one article. Measured: 37 for a clean one of five paragraphs, and 283 for
# those of `news`, of which some are repaired and some repeat themselves.
CLEAN_CALLS, NEWS_CALLS = 40, 380


def count_calls(batch):
    """Return how often each Python function is called to prepare `batch`, by name."""
    backend = load_backend(compiled=True)
    prepare(batch, Settings(), backend)  # the first call builds tables and compiles patterns
    counted = Counter()

    def count(frame, event, _):
        if event == "call":
            counted[frame.f_code.co_qualname] += 1

    sys.setprofile(count)
    try:
        prepare(batch, Settings(), backend)
    finally:
        sys.setprofile(None)
    return counted


def record_batch(rows):
    data = [to_json_bytes(row) for row in rows]
    nothing = [None] * len(rows)
    columns = [["a.jsonl"] * len(rows), [JSON_LINES] * len(rows), list(range(len(rows))), data, *[nothing] * 3]
    return pa.record_batch(
        [pa.array(column, field.type) for column, field in zip(columns, RECORD_SCHEMA, strict=True)],
        schema=RECORD_SCHEMA,
    )


def clean_rows(count, paragraphs):
    return [
        {"id": f"c{number}", "text": "\n\n".join(sentences(number + 100, paragraphs)), "date": "2024-05-01"}
        for number in range(count)
    ]


def test_a_clean_article_costs_the_same_few_calls_at_any_length():
    short = count_calls(record_batch(clean_rows(100, 5))).total()
    long = count_calls(record_batch(clean_rows(100, 50)))
    assert short / 100 <= CLEAN_CALLS, count_calls(record_batch(clean_rows(100, 5))).most_common(12)
    # only the digests grow with the number of paragraphs
    assert (long.total() - long["digest"]) <= short * 1.1, long.most_common(12)


def test_articles_with_findings_cost_a_bounded_number_of_calls():
    counted = count_calls(record_batch(news(count=300)))
    assert counted.total() / 300 <= NEWS_CALLS, counted.most_common(12)


@pytest.mark.slow
@pytest.mark.parametrize("copies", [200, 800])
def test_the_number_of_comparisons_is_linear_in_the_corpus(tmp_path, copies):
    body = sentences(1, 8)
    rows = [{"id": n, "text": "\n\n".join([*body, f"Source: office number {n}"])} for n in range(copies)]
    report = dedup.clean(write_jsonl(tmp_path / "a.jsonl", rows + clean_rows(copies, 8)), tmp_path / "out")
    assert report.counts["dropped"] == copies - 1
    for stage in report.stages.values():
        assert stage.get("candidates", 0) <= 2 * copies
