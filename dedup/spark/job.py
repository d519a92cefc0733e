"""The whole story once more, told to Spark: read, prepare, match, decide, lines; each stage a table that is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from dedup import __version__
from dedup.errors import EngineError, RecordError
from dedup.runtime.progress import StageTimer
from dedup.settings import Settings
from dedup.spark.listing import Listing
from dedup.spark.match_articles import dropped_articles, match_articles
from dedup.spark.match_contained import match_contained
from dedup.spark.match_paragraphs import match_paragraphs
from dedup.spark.outcomes import chunks, field_counts, verdicts, written
from dedup.spark.prepare import META, prepared, records, rows
from dedup.spark.tables import TableStore
from dedup.write.tables import OutputChunk


class SparkJob:
    """One job: what `dedup.pipeline.clean` writes, and what it reports."""

    def __init__(
        self, store: TableStore, listed: Listing, settings: Settings, watch: StageTimer, partitions: int
    ) -> None:
        self.store = store
        self.listed = listed
        self.settings = settings
        self.watch = watch
        self.partitions = partitions
        self.compiled = listed.compiled
        self.inputs: Sequence[dict[str, Any]] = []
        self.skipped: Sequence[str] = listed.skipped
        self.fields: dict[str, dict[str, int]] = {}
        self.stages: dict[str, dict[str, int]] = {}
        self.rounds: dict[str, int] = {}

    def chunks(self) -> Iterator[tuple[OutputChunk, int]]:
        """The output lines in input order, and the bytes of input that each is of."""
        settings, compiled = self.settings, self.compiled
        with self.watch.stage("prepare"):
            every = self._prepared()
        with self.watch.stage("match articles"):
            articles = match_articles(self.store, every, settings, compiled=compiled)
            found = match_contained(self.store, every, articles.verdicts, settings, self.partitions, compiled=compiled)
        with self.watch.stage("match paragraphs"):
            kept = every.where("error is null").join(dropped_articles(found, settings), "aid", "left_anti")
            paragraphs = match_paragraphs(self.store, kept, settings, compiled=compiled)
        self.stages = {
            "match articles": {"candidates": articles.candidates, "matches": articles.matches},
            "match paragraphs": {"candidates": paragraphs.candidates, "matches": paragraphs.matches},
        }
        self.rounds = {"articles": articles.rounds, "paragraphs": paragraphs.rounds}
        with self.watch.stage("decide"):
            told = verdicts(self.store, every, found, paragraphs.verdicts)
            files = written(self.store, every, told, settings, self.partitions)
        yield from self.watch.over("write", chunks(self.store, files), None)

    def _prepared(self) -> Any:
        settings = self.settings
        if self.listed.frame is None:
            raw = records(self.store.session, self.listed.files, self.partitions)
        else:
            raw = rows(self.store, self.listed.frame, self.partitions)
        table = self.store.table("prepared", prepared(raw, settings, compiled=self.compiled))
        told = table.where(f"record = {META}").select("aid", "data").collect()
        self.inputs = [json.loads(bytes(row["data"])) for row in sorted(told, key=lambda row: int(row["aid"]))]
        articles = table.where(f"record <> {META}")
        count = sum(one.pop("records") for one in self.inputs)
        found, self.fields = field_counts(articles)
        if len(self.inputs) != max(len(self.listed.files), 1) or found != count:
            raise EngineError(
                f"{self.store.folder}: what workers write here does not reach the driver; name a folder with --tables "
                "that all of them share"
            )
        if settings.on_error == "fail":
            bad = articles.where("error is not null").orderBy("aid").select("source", "record", "error").first()
            if bad:
                raise RecordError(
                    f"{bad['source']}#{bad['record']}: {bad['error']}; mend this record, or leave out --on-error fail"
                )
        return articles


def fingerprint(listed: Listing, settings: Settings) -> str:
    """What a job does with what: equal for two that would make the same tables."""
    told: dict[str, Any] = {"version": __version__, "settings": settings.digest}
    told["files"] = [list(one) for one in listed.files]
    if listed.frame is not None:
        told["table"] = listed.frame.semanticHash()
    return json.dumps(told, indent=1)
