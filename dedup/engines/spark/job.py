"""The whole story once more, told to Spark: read, prepare, match, decide, lines; each stage a table that is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from dedup import __version__
from dedup.engines.local import SMALL_BYTES
from dedup.engines.spark import reading, writing
from dedup.engines.spark.articles import gone, match_articles, match_contained
from dedup.engines.spark.paragraphs import match_paragraphs
from dedup.engines.spark.reading import META, Listing
from dedup.engines.spark.store import Store
from dedup.errors import RecordError
from dedup.settings import Settings
from dedup.stopwatch import Stopwatch
from dedup.write import Chunk


class SparkJob:
    """One job: what `dedup.pipeline.clean` writes, and what it reports."""

    def __init__(self, store: Store, listed: Listing, settings: Settings, watch: Stopwatch, partitions: int) -> None:
        self.store = store
        self.listed = listed
        self.settings = settings
        self.watch = watch
        self.partitions = partitions
        self.compiled = listed.total_bytes >= SMALL_BYTES
        self.inputs: list[dict[str, Any]] = []
        self.skipped = listed.skipped
        self.fields: dict[str, dict[str, int]] = {}
        self.stages: dict[str, dict[str, int]] = {}
        self.rounds: dict[str, int] = {}

    def chunks(self) -> Iterator[tuple[Chunk, int]]:
        """The output lines in input order, and the bytes of input that each is of."""
        settings, compiled = self.settings, self.compiled
        with self.watch.stage("prepare"):
            prepared = self._prepared()
        with self.watch.stage("match articles"):
            articles = match_articles(self.store, prepared, settings, compiled=compiled)
            verdicts = match_contained(self.store, prepared, articles.verdicts, settings, compiled=compiled)
        with self.watch.stage("match paragraphs"):
            kept = prepared.where("error is null").join(gone(verdicts, settings), "aid", "left_anti")
            paragraphs = match_paragraphs(self.store, kept, settings, compiled=compiled)
        self.stages = {
            "match articles": {"candidates": articles.candidates, "matches": articles.matches},
            "match paragraphs": {"candidates": paragraphs.candidates, "matches": paragraphs.matches},
        }
        self.rounds = {"articles": articles.rounds, "paragraphs": paragraphs.rounds}
        with self.watch.stage("decide"):
            told = writing.verdicts(self.store, prepared, verdicts, paragraphs.verdicts)
            files = writing.written(self.store, prepared, told, settings, self.partitions)
        yield from self.watch.over("write", writing.chunks(self.store, files), None)

    def _prepared(self) -> Any:
        settings = self.settings
        frame = reading.prepared(
            self.store.session, self.listed.files, settings, compiled=self.compiled, partitions=self.partitions
        )
        table = self.store.table("prepared", frame)
        told = table.where(f"record = {META}").select("aid", "data").collect()
        self.inputs = [json.loads(bytes(row["data"])) for row in sorted(told, key=lambda row: int(row["aid"]))]
        assert len(self.inputs) == len(self.listed.files)
        prepared = table.where(f"record <> {META}")
        if settings.on_error == "fail":
            bad = prepared.where("error is not null").orderBy("aid").select("source", "record", "error").first()
            if bad:
                raise RecordError(
                    f"{bad['source']}#{bad['record']}: {bad['error']}; mend this record, or leave out --on-error fail"
                )
        self.fields = writing.field_counts(prepared)
        return prepared


def fingerprint(listed: Listing, settings: Settings) -> str:
    """What a job does with what: equal for two that would make the same tables."""
    told = {"version": __version__, "settings": settings.digest, "files": [list(one) for one in listed.files]}
    return json.dumps(told, indent=1)
