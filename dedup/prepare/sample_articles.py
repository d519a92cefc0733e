"""A few made-up articles for which all code of matching runs."""

from __future__ import annotations

import pyarrow as pa

from dedup.kernels.backend import Backend
from dedup.prepare.batch import CONTAINED_WORDS, prepare
from dedup.read.fields import to_json_bytes
from dedup.read.formats import JSON_LINES
from dedup.read.records import RECORD_SCHEMA
from dedup.settings import Settings


def prepare_sample(settings: Settings, backend: Backend) -> tuple[pa.RecordBatch, Settings]:
    """Return ten articles of two hosts, each of them twice with different last words, prepared; and their settings.

    Those that refer to the user's records, such as a date or the name of a field, do not apply to these articles.
    """
    settings = Settings(
        threshold=settings.threshold,
        same_story_threshold=settings.same_story_threshold,
        paragraph_threshold=settings.paragraph_threshold,
        rules=settings.rules,
    )
    rows = []
    for row in range(20):
        body = " ".join(f"{row // 2} word{place}" for place in range(CONTAINED_WORDS))
        text = f"{body}\n\n{body}\n\nContact: {row}\n\nThe same line everywhere"
        data = to_json_bytes({"url": f"https://{row // 10}.test/", "text": text})
        rows.append({"source": "-", "kind": JSON_LINES, "record": row, "data": data})
    return prepare(pa.RecordBatch.from_pylist(rows, RECORD_SCHEMA), settings, backend), settings
