"""Run one job on Spark: read, prepare, match, decide and encode, each stage as a saved table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dedup import __version__
from dedup.decide.known_twins import KnownTwin
from dedup.errors import EngineError, InputError, RecordError
from dedup.index.session import IndexSession
from dedup.prepare.bad_records import check_readable
from dedup.prepare.unread_dates import NONE_UNREAD
from dedup.read.other_corpora import KnownRecords
from dedup.runtime.progress import StageTimer
from dedup.settings import Settings
from dedup.spark.listing import InputListing
from dedup.spark.match_articles import dropped_articles, match_articles
from dedup.spark.match_contained import match_contained
from dedup.spark.match_paragraphs import match_paragraphs
from dedup.spark.outcomes import count_fields, encode_outcomes, join_verdicts, read_chunks, sum_unread_dates
from dedup.spark.prepare import FILE_SUMMARY, prepare_records, read_files, read_table
from dedup.spark.site_text import read_site_text, set_site_text_apart
from dedup.spark.tables import TableStore
from dedup.write.tables import OutputChunk


class SparkJob:
    """A job as `dedup.pipeline.clean` runs it: the chunks of its output, then what its report says."""

    def __init__(
        self, store: TableStore, listing: InputListing, settings: Settings, timer: StageTimer, partitions: int
    ) -> None:
        self.store = store
        self.listing = listing
        self.settings = settings
        self.timer = timer
        self.partitions = partitions
        self.compiled = listing.compiled
        self.inputs: Sequence[dict[str, Any]] = []
        self.skipped: Sequence[str] = listing.skipped
        self.fields: dict[str, dict[str, int]] = {}
        self.unread_dates = NONE_UNREAD
        self.stages: dict[str, dict[str, int]] = {}
        self.known: KnownRecords | None = None  # this engine compares with no other corpora
        self.index: IndexSession | None = None
        self.review: Mapping[str, str | int] | None = None
        self.known_twins: Sequence[KnownTwin] = ()
        self.known_items: Sequence[dict[str, Any]] = ()

    def chunks(self) -> Iterator[tuple[OutputChunk, int]]:
        """Run all stages; yield the encoded output in input order, and the bytes of input behind each chunk."""
        settings, compiled = self.settings, self.compiled
        with self.timer.stage("prepare"):
            records = self._prepare()
        with self.timer.stage("find site text"):
            site_text = set_site_text_apart(self.store, records, settings, self.partitions, compiled=compiled)
            records = site_text.records
        with self.timer.stage("match articles"):
            articles = match_articles(self.store, records, settings, compiled=compiled)
            article_verdicts = match_contained(
                self.store, records, articles.verdicts, settings, self.partitions, compiled=compiled
            )
        with self.timer.stage("match paragraphs"):
            dropped = dropped_articles(article_verdicts, settings)
            kept = records.where("error is null").join(dropped, "aid", "left_anti")
            paragraphs = match_paragraphs(
                self.store, kept, site_text.lines, article_verdicts, settings, compiled=compiled
            )
        self.stages = {
            "find site text": site_text.counts,
            "match articles": {"candidates": articles.candidates, "matches": articles.matches},
            "match paragraphs": {"candidates": paragraphs.candidates, "matches": paragraphs.matches},
        }
        with self.timer.stage("decide"):
            verdicts = join_verdicts(self.store, records, article_verdicts, paragraphs.verdicts)
            files = encode_outcomes(self.store, records, verdicts, settings, self.partitions)
        if site_text.counts["lines"]:
            yield from read_site_text(self.store)
        yield from self.timer.over("write", read_chunks(self.store, files), None)

    def _prepare(self) -> Any:
        """Return the prepared records; set `inputs` and `fields`.

        Raises `EngineError` if tables do not reach the driver, and `RecordError` for a bad record if the settings say
        so.
        """
        if self.listing.frame is None:
            raw = read_files(self.store.session, self.listing.files, self.settings, self.partitions)
        else:
            raw = read_table(self.store, self.listing.frame, self.partitions)
        table = self.store.save("prepared", prepare_records(raw, self.settings, compiled=self.compiled))
        summaries = table.where(f"record = {FILE_SUMMARY}").select("aid", "data").collect()
        files = [json.loads(bytes(row["data"])) for row in sorted(summaries, key=lambda row: int(row["aid"]))]
        for file in files:
            if file["error"]:
                raise InputError(file["error"])
        self.inputs = [entry for file in files for entry in file["inputs"]]
        self.skipped = [*self.listing.skipped, *(name for file in files for name in file["skipped"])]
        records = table.where(f"record <> {FILE_SUMMARY}")
        records_read = sum(file["records"] for file in files)
        records_visible, self.fields = count_fields(records)
        if len(files) != max(len(self.listing.files), 1) or records_visible != records_read:
            raise EngineError(
                f"{self.store.folder}: the driver does not see what workers write here; name a folder with `tables` "
                "that all of them share"
            )
        if self.settings.on_error == "fail":
            bad = records.where("error is not null").orderBy("aid").select("source", "record", "error").first()
            if bad:
                raise RecordError(
                    f"{bad['source']}#{bad['record']}: {bad['error']}; fix this record, or leave out `on_error='fail'`"
                )
        self.unread_dates = sum_unread_dates(records, self.settings)
        check_readable(records_read, *_bad_records(records), self.settings)
        return records


def _bad_records(records: Any) -> tuple[dict[str, int], str]:
    """Return how often each error occurs in `records`, and the place of the first bad record."""
    bad = records.where("error is not null")
    errors = {row["error"]: int(row["count"]) for row in bad.groupBy("error").count().collect()}
    first = bad.orderBy("aid").select("source", "record").first() if errors else None
    return errors, f"{first['source']}#{first['record']}" if first else ""


def job_identity(listing: InputListing, settings: Settings) -> str:
    """Return a JSON text that is equal for two jobs that would make the same tables."""
    identity: dict[str, Any] = {"version": __version__, "settings": settings.digest}
    identity["files"] = [list(file) for file in listing.files]
    if listing.frame is not None:
        identity["table"] = listing.frame.semanticHash()
    return json.dumps(identity, indent=1)
