"""Tell, inside Spark tasks, which matches are copies: see `dedup.match.same_form` and `dedup.match.same_story`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.arrays import decode_utf8, encode_utf8
from dedup.match.form_texts import FormTexts
from dedup.match.same_form import form_evidence, have_same_form
from dedup.match.same_story import SAME_STORY_EVIDENCE, find_same_story
from dedup.prepare.compared_texts import COMPARED_TEXT_COLUMNS, compared_texts
from dedup.spark.arrow_types import spark_batch, sql_schema

_COMPARED_COLUMNS = {"k": pa.binary(), "compared": pa.binary(), "title": pa.binary()}
_EVIDENCE_COLUMNS = {
    "x": pa.binary(),
    "y": pa.binary(),
    "similarity": pa.float64(),
    "drops": pa.bool_(),
    "evidence": pa.string(),
}


def rebuild_texts(articles: Any, rules: Mapping[str, str]) -> Any:
    """Return the columns ``k, compared, title`` of `articles`: key, compared text and title of each, both UTF-8.

    `articles` has the columns ``k, title`` and `COMPARED_TEXT_COLUMNS`; `rules` gives the action of each rule.
    """
    task = partial(_rebuild_task, rules=rules)
    return articles.select("k", "title", *COMPARED_TEXT_COLUMNS).mapInArrow(task, sql_schema(_COMPARED_COLUMNS))


def judge_matches(matches: Any, texts: Any, threshold: float, *, compiled: bool) -> Any:
    """Return `matches`, which have ``x, y, similarity``, with the columns ``drops, evidence``.

    ``drops`` is true if ``y`` is a copy of ``x``. ``evidence`` is null for a copy that reaches the `threshold`, and
    for a pair below it that is no match. `texts` has ``k, compared, title`` of all keys; `compiled` chooses the
    backend.
    """
    joined = matches.join(texts.withColumnsRenamed({"k": "x", "compared": "text_x", "title": "title_x"}), "x")
    joined = joined.join(texts.withColumnsRenamed({"k": "y", "compared": "text_y", "title": "title_y"}), "y")
    columns = joined.select("x", "y", "similarity", "text_x", "text_y", "title_x", "title_y")
    task = partial(_verdict_task, threshold=threshold, compiled=compiled)
    return columns.mapInArrow(task, sql_schema(_EVIDENCE_COLUMNS))


def _rebuild_task(batches: Iterable[pa.RecordBatch], rules: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
    """Run in a task: rebuild the texts that articles are compared by."""
    for batch in batches:
        texts = list(map(encode_utf8, compared_texts(batch, rules)))
        yield spark_batch(
            {"k": batch.column("k"), "compared": texts, "title": batch.column("title").to_pylist()}, _COMPARED_COLUMNS
        )


def _verdict_task(batches: Iterable[pa.RecordBatch], threshold: float, *, compiled: bool) -> Iterator[pa.RecordBatch]:
    """Run in a task: compare the texts of matches. Each text of a batch is taken apart once."""
    for batch in batches:
        forms = FormTexts(compiled=compiled)
        texts, others = (
            list(zip(*(batch.column(f"{name}_{side}").to_pylist() for name in ("text", "title")), strict=True))
            for side in "yx"
        )
        distinct = list(dict.fromkeys(texts + others))
        titles = [None if title is None else decode_utf8(title) for _, title in distinct]
        added = forms.add([decode_utf8(text) for text, _ in distinct], titles)
        numbers = dict(zip(distinct, added, strict=True))
        evidence: list[str | None] = [None] * len(texts)
        drops = [True] * len(texts)
        reach = np.asarray(batch.column("similarity")) >= threshold
        rows_of_text: dict[tuple[bytes, bytes | None], list[int]] = {}
        for row, text in enumerate(texts):
            rows_of_text.setdefault(text, []).append(row)
        for text, rows in rows_of_text.items():
            number, similar = numbers[text], [row for row in rows if reach[row]]
            compared = np.array([numbers[others[row]] for row in similar], np.int64)
            for row, other, is_form in zip(
                similar, compared.tolist(), have_same_form(forms, number, compared).tolist(), strict=True
            ):
                if is_form:
                    drops[row], evidence[row] = False, form_evidence(forms, number, other)
            for row in rows:
                if not reach[row]:
                    drops[row] = find_same_story(forms, number, np.array([numbers[others[row]]])) >= 0
                    evidence[row] = SAME_STORY_EVIDENCE if drops[row] else None
        columns = {name: batch.column(name) for name in ("x", "y", "similarity")}
        yield spark_batch({**columns, "drops": drops, "evidence": evidence}, _EVIDENCE_COLUMNS)
