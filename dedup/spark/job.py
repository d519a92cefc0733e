"""Run one job on Spark: read, prepare, match, decide and encode, each stage as a saved table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dedup import __version__
from dedup.decide.known_twins import KnownTwin
from dedup.errors import EngineError, InputError, RecordError
from dedup.index.session import IndexSession
from dedup.match.policy import ARTICLE_MATCH_RULES, KNOWN_PASSAGE
from dedup.prepare.bad_records import check_readable
from dedup.prepare.unread_dates import NONE_UNREAD
from dedup.read.other_corpora import KnownInputs, check_sources
from dedup.rules import OFF
from dedup.runtime.progress import StageTimer
from dedup.settings import Settings
from dedup.spark.indexed_articles import check_workers_see, join_index, save_articles, write_segment
from dedup.spark.known_passages import find_passages, with_passages
from dedup.spark.known_twins import read_known_twins, save_known_twins
from dedup.spark.listing import InputListing
from dedup.spark.match_articles import SparkArticleMatches, dropped_articles, match_articles
from dedup.spark.match_contained import match_contained
from dedup.spark.match_paragraphs import match_paragraphs
from dedup.spark.outcomes import count_fields, encode_outcomes, join_verdicts, read_chunks, sum_unread_dates
from dedup.spark.prepare import FILE_SUMMARY, IS_KNOWN, IS_NEW, prepare_records, read_files, read_table
from dedup.spark.site_text import read_site_text, set_site_text_apart
from dedup.spark.tables import TableStore, union_all
from dedup.write.tables import OutputChunk


class SparkJob:
    """A job as `dedup.pipeline.clean` runs it: the chunks of its output, then what its report says."""

    def __init__(
        self,
        store: TableStore,
        listing: InputListing,
        settings: Settings,
        timer: StageTimer,
        partitions: int,
        index: IndexSession | None = None,
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
        self.known: KnownInputs | None = None
        self.index = index
        self.review: Mapping[str, str | int] | None = None
        self.known_twins: Iterable[KnownTwin] = ()
        self.known_items: Sequence[dict[str, Any]] = ()
        self.records: Any = None
        self.known_count = 0

    def prepare(self) -> None:
        """Prepare all records, and set what the report says about the inputs.

        Raises `EngineError` if tables do not reach the driver, `RecordError` for a bad record if the settings say so,
        and `InputError` for an input that cannot be read.
        """
        with self.timer.stage("prepare"):
            table = self.store.save(
                "prepared", prepare_records(self._read(), self.settings, compiled=self.listing.compiled)
            )
            self.records = table.where(f"record <> {FILE_SUMMARY}")
            self._check(table)

    def chunks(self) -> Iterator[tuple[OutputChunk, int]]:
        """Run all later stages; yield the output in input order, and the bytes of input behind each chunk."""
        settings, compiled = self.settings, self.compiled
        with self.timer.stage("find site text"):
            known_lines = self.index.known_lines() if self.index else ()
            site_text = set_site_text_apart(
                self.store, self.records, settings, self.partitions, known_lines, compiled=compiled
            )
        records = self._with_indexed(site_text.records)
        with self.timer.stage("match articles"):
            articles = self._match_articles(records)
        with self.timer.stage("match paragraphs"):
            dropped = dropped_articles(articles.verdicts, settings)
            kept = records.where("error is null").join(dropped, "aid", "left_anti")
            paragraphs = match_paragraphs(
                self.store, kept, site_text.lines, articles.verdicts, settings, compiled=compiled
            )
        self.stages = {
            "find site text": site_text.counts,
            "match articles": {"candidates": articles.candidates, "matches": articles.matches},
            "match paragraphs": {"candidates": paragraphs.candidates, "matches": paragraphs.matches},
        }
        with self.timer.stage("decide"):
            verdicts = join_verdicts(self.store, records, articles.verdicts, paragraphs.verdicts)
            files = encode_outcomes(self.store, records, verdicts, settings, self.partitions)
            if self.has_known:
                save_known_twins(self.store, records, articles.verdicts, paragraphs.verdicts, self.partitions)
                self.known_twins = read_known_twins(self.store)
        if self.index:
            self.stages["ask index"] = {"articles": self.known_count}
            with self.timer.stage("add to index"):
                self._add_to_index(self.index, kept, articles.verdicts, paragraphs.copies)
        yield from ((chunk, 0) for chunk in self._site_text())
        yield from self.timer.over("write", read_chunks(self.store, files), None)

    @property
    def has_known(self) -> bool:
        """True if some articles may be known."""
        return self.known is not None or self.index is not None

    def _match_articles(self, records: Any) -> SparkArticleMatches:
        """Return what the articles of `records` repeat or contain; set `known_items`."""
        settings, compiled = self.settings, self.compiled
        passages = removed = None
        compared = records
        if self.has_known and settings.rules[ARTICLE_MATCH_RULES[KNOWN_PASSAGE]] != OFF:
            passages = find_passages(self.store, records, settings, compiled=compiled)
            self.known_items = passages.items
            removed = passages.removed(settings)
            compared = records.join(removed, "aid", "left_anti")
        articles = match_articles(self.store, records, removed, settings, has_known=self.has_known, compiled=compiled)
        verdicts = match_contained(
            self.store, compared, articles.verdicts, settings, self.partitions, compiled=compiled
        )
        if passages is not None:
            verdicts = with_passages(self.store, verdicts, passages, settings)
        return articles._replace(verdicts=verdicts)

    def _add_to_index(self, index: IndexSession, kept: Any, articles: Any, copies: Any) -> None:
        """Add the articles `kept` to the index; `articles` are the verdicts, and `copies` the repeated paragraphs."""
        save_articles(self.store, kept, articles, copies, self.settings, self.partitions, compiled=self.compiled)
        lines = (json.loads(line) for chunk in self._site_text() for line in chunk.site_text.splitlines())
        write_segment(self.store, index, lines, compiled=self.compiled)

    def _site_text(self) -> Iterator[OutputChunk]:
        """Yield the table of site text."""
        return read_site_text(self.store) if self.stages["find site text"]["lines"] else iter(())

    def _with_indexed(self, records: Any) -> Any:
        """Return `records` with the articles of the index that new ones may repeat."""
        if self.index is None or not self.index.readers:
            return records
        with self.timer.stage("ask index"):
            check_workers_see(self.store.session, self.index, self.partitions)
            known_files = self.listing.known_files
            indexed = join_index(
                self.store, records, self.index, self.settings, known_files, self.partitions, compiled=self.compiled
            )
            self.known_count += indexed.count()
            return records.unionByName(indexed)

    def _read(self) -> Any:
        """Return the raw records of all inputs."""
        listing, raw = self.listing, []
        if listing.files:
            raw.append(read_files(self.store.session, listing.files, self.settings, self.partitions))
        if listing.frame is not None:
            raw.append(read_table(self.store, listing.frame, self.partitions))
        return union_all(raw)

    def _check(self, table: Any) -> None:
        """Set what the report says about the inputs of the prepared `table`; raise the errors that `prepare` names."""
        summaries = table.where(f"record = {FILE_SUMMARY}").select("aid", "data").collect()
        files = [json.loads(bytes(row["data"])) for row in sorted(summaries, key=lambda row: int(row["aid"]))]
        for file in files:
            if file["error"]:
                raise InputError(file["error"])
        count = self.listing.known_files
        known_read, new_read = (sum(file["records"] for file in part) for part in (files[:count], files[count:]))
        known, new = self.records.where(IS_KNOWN), self.records.where(IS_NEW)
        new_visible, self.fields = count_fields(new)
        self.known_count = known.count() if count else 0
        if len(files) != self.listing.sources or (self.known_count, new_visible) != (known_read, new_read):
            raise EngineError(
                f"{self.store.folder}: the driver does not see what workers write here; name a folder with `tables` "
                "that all of them share"
            )
        if self.settings.on_error == "fail":
            bad = self.records.where("error is not null").orderBy("aid").select("source", "record", "error").first()
            if bad:
                raise RecordError(
                    f"{bad['source']}#{bad['record']}: {bad['error']}; fix this record, or leave out `on_error='fail'`"
                )
        if count:
            inputs = [entry for file in files[:count] for entry in file["inputs"]]
            self.known = KnownInputs(self.listing.known_paths, inputs)
            check_readable(known_read, *_bad_records(known), self.settings)
        self.unread_dates = sum_unread_dates(new, self.settings)
        check_readable(new_read, *_bad_records(new), self.settings)
        self.inputs = [entry for file in files[count:] for entry in file["inputs"]]
        self.skipped = [*self.listing.skipped, *(name for file in files[count:] for name in file["skipped"])]
        check_sources(self.inputs, self.known.inputs if self.known else [])


def _bad_records(records: Any) -> tuple[dict[str, int], str]:
    """Return how often each error occurs in `records`, and the place of the first bad record."""
    bad = records.where("error is not null")
    errors = {row["error"]: int(row["count"]) for row in bad.groupBy("error").count().collect()}
    first = bad.orderBy("aid").select("source", "record").first() if errors else None
    return errors, f"{first['source']}#{first['record']}" if first else ""


def job_identity(listing: InputListing, settings: Settings, index: IndexSession | None = None) -> str:
    """Return a JSON text that is equal for two jobs that would make the same tables."""
    identity: dict[str, Any] = {"version": __version__, "settings": settings.digest}
    identity["files"] = [list(file) for file in listing.files]
    if listing.frame is not None:
        identity["table"] = listing.frame.semanticHash()
    if index is not None:
        identity["index"] = {"run": index.run, "segments": [reader.segment.files for reader in index.readers]}
    return json.dumps(identity, indent=1)
