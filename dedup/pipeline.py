"""The whole job in order: read, repair, segment, fingerprint, find site text, match, decide, write, report.

Only this module knows the order of the stages. Stages do not know each other, and engines do not know stages. Repair,
segmentation and fingerprints need one article at a time; `dedup.prepare` does all three for a batch of records.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dedup.decide.known_items import known_items
from dedup.decide.known_twins import KnownTwin, known_twins
from dedup.decide.outcomes import Outcome, outcomes
from dedup.decide.verdicts import Verdicts
from dedup.engine_choice import engine_of, local_engine
from dedup.engines.job import Job
from dedup.engines.local import LocalEngine, Workers
from dedup.errors import SettingsError
from dedup.findings import Finding
from dedup.index.session import IndexSession, index_session
from dedup.kernels.backend import Backend
from dedup.match.articles import match_articles
from dedup.match.contained import match_contained
from dedup.match.known_passages import find_known_passages, with_known_passages
from dedup.match.own_text import set_site_text_apart
from dedup.match.paragraph_columns import read_paragraph_columns
from dedup.match.paragraphs import match_paragraphs
from dedup.match.reviewed import ReviewedCorpus, keep_rejected
from dedup.output_layout import KNOWN_ITEMS_FILE, KNOWN_TWINS_FILE, OutputFiles
from dedup.preparation import Articles, PreparedArticles, prepare_articles, prepare_source
from dedup.prepare.corpus import Corpus
from dedup.prepare.preview import Notice
from dedup.prepare.sample_articles import prepare_sample
from dedup.prepare.store import discard_batch, is_as_prepared, to_ipc
from dedup.prepare.unread_dates import count_unread_dates
from dedup.read.objects import GivenArticles, paths_among, source_of
from dedup.read.selection import RecordSource
from dedup.review.ruling import Ruling, read_ruling
from dedup.runtime.progress import Progress, StageTimer
from dedup.runtime.resources import ResourceBudget
from dedup.runtime.run_log import open_log
from dedup.runtime.versions import program_version
from dedup.settings import Settings, settings_or_default
from dedup.write.batch_output import encode_batch
from dedup.write.destination import check_destination, destination, output_path
from dedup.write.report import Report, Tally, field_counts, write_run_files
from dedup.write.table_files import Writer
from dedup.write.tables import OutputChunk, site_text_chunk, write_json_lines

if TYPE_CHECKING:
    from dedup.spark import SparkEngine

_MATCH_COUNTS = ("matches", "candidates", "lookups")


def clean(
    source: Articles,
    out: str | Path,
    settings: Settings | None = None,
    *,
    against: Articles | None = None,
    index: str | Path | None = None,
    engine: str | LocalEngine | SparkEngine = "local",
    progress: Progress | None = None,
    notice: Notice | None = None,
    force: bool = False,
    log: str | Path | None = None,
    review: str | Path | None = None,
) -> Report:
    """Clean the articles of `source` into the folder `out`, and return a report.

    `source` is a file, folder or glob, or several, or ``-``; or it is articles: an iterable of dicts, which is read in
    batches, or a table (pandas, polars, Arrow, datasets). With Spark it can also be one of its tables, or an address
    that it can read. `against` are other articles that those of `source` may repeat: they always stay, and are not
    written. `index` is the folder of an index of the articles that earlier runs have kept: they are known in the same
    way, and those that stay are added to it, together with the output. `engine` is "local", "spark" or an engine
    object; it never changes the result. `progress` is called with a stage, the bytes done so far, and the bytes in all;
    `notice` with lines to show before the long work, such as the fields that were guessed. `out` appears complete or
    not at all; `force` replaces an earlier output. A run that is interrupted leaves what it has prepared, and an engine
    with ``resume=True`` continues from that. `log` is a file to which a line of JSON is appended for all that happens.
    `review` is a file of decisions, such as ``OUT/review.jsonl``, which the local engine honours. Raises `DedupError`.
    """
    settings, out, engine = settings_or_default(settings), output_path(out), engine_of(engine)
    ruling = read_ruling(review)
    if ruling is not None and not isinstance(engine, LocalEngine):
        raise SettingsError("`review`: works with the local engine only; use it, or leave this out")
    if index is not None and ruling is not None:
        raise SettingsError("`review`: cannot be used together with `index`; leave one of them out")
    if isinstance(engine, LocalEngine):  # bad arguments raise at once
        source, against = source_of(source), None if against is None else source_of(against)
    places = paths_among(out, index, review, source, against)
    values = {"engine": repr(engine), "settings": settings.digest, "version": program_version()}
    with open_log(log, places, out=str(out), **values) as events:
        timer, notice = StageTimer(progress, events), events.copying(notice)
        report = _clean(source, against, index, out, settings, engine, timer, notice, ruling, force=force)
        events.write("counts", **report.counts, quarantine=report.summary()["errors"])
    return report


def _clean(
    source: Articles,
    against: Articles | None,
    index: str | Path | None,
    out: Path,
    settings: Settings,
    engine: LocalEngine | SparkEngine,
    timer: StageTimer,
    notice: Notice,
    ruling: Ruling | None,
    *,
    force: bool,
) -> Report:
    """Do what `clean` does, with all arguments checked."""
    out = Path(os.path.realpath(out)) if out.is_symlink() else out
    check_destination(out, force=force)
    is_resumed = isinstance(engine, LocalEngine) and engine.resume
    with index_session(index, settings, out) as session:
        with (
            destination(out, force=force, resume=is_resumed) as (folder, work),
            _start_job(source, against, settings, engine, timer, work, out, notice, ruling, session) as job,
        ):
            if session is not None:
                session.check_inputs(out, job.inputs)
            report = _write_output(job, folder, settings, timer, out)
            if session is not None:
                session.stage(folder, out)
        if session is not None:
            session.commit()
    return report


def clean_again(
    records: RecordSource,
    out: Path,
    settings: Settings,
    ruling: Ruling,
    *,
    engine: str | LocalEngine = "local",
    progress: Progress | None = None,
) -> Report:
    """Clean `records`, those of the output `out`, and put the result in its place; return a report.

    The settings that choose records have done so, and are not applied again.
    """
    timer = StageTimer(progress)
    with destination(out, force=True) as (folder, work):
        prepared = prepare_source(records, None, settings, local_engine(engine), timer, work)
        return _write_output(_LocalJob(prepared, settings, timer, ruling), folder, settings, timer, out)


def _write_output(job: Job, folder: Path, settings: Settings, timer: StageTimer, out: Path) -> Report:
    """Write all files of an output into `folder`, which will be at `out`, and return the report."""
    tally, files = _write_tables(job, folder, settings, timer)
    if job.known is not None or job.index is not None:
        write_json_lines(folder / KNOWN_TWINS_FILE, (twin._asdict() for twin in job.known_twins))
    if job.known_items:
        write_json_lines(folder / KNOWN_ITEMS_FILE, job.known_items)
    report = _report(job, tally, settings, timer, out, files.shards)
    write_run_files(folder, report)
    return report


def preview(
    source: Articles,
    settings: Settings | None = None,
    *,
    against: Articles | None = None,
    out: str | Path | None = None,
    engine: str | LocalEngine = "local",
    progress: Progress | None = None,
    notice: Notice | None = None,
    review: str | Path | None = None,
) -> Report:
    """Return the report that `clean` would return for the articles of `source`; write nothing.

    `out` is the folder that `clean` would write, which is not read as input; it may exist. `review` is as for `clean`.
    """
    ruling = read_ruling(review)
    settings, timer, tally = settings_or_default(settings), StageTimer(progress), Tally()
    with tempfile.TemporaryDirectory(prefix="dedup-") as work:
        ignored = Path(out) if out is not None else None
        prepared = prepare_articles(
            source, settings, engine, timer, Path(work), ignored, notice, against, _warm_up_matching
        )
        job = _LocalJob(prepared, settings, timer, ruling)
        for chunk, size in job.chunks():
            tally.update(chunk.tally)
            timer.done(size)
    return _report(job, tally, settings, timer, None)


def check(
    source: Articles,
    settings: Settings | None = None,
    *,
    against: Articles | None = None,
    engine: str | LocalEngine = "local",
    progress: Progress | None = None,
    notice: Notice | None = None,
    unreadable: Callable[[Outcome], None] | None = None,
    done: Callable[[Report], None] | None = None,
) -> Iterator[Finding]:
    """Return an iterator over the findings that `clean` would record, in the same order; write nothing.

    `source` and `against` are the same as for `clean`. `unreadable` is called with the outcome of each record that
    `clean` would put into quarantine, and `done` after the last finding with the report that `clean` would return;
    `notice` as `clean` calls it.
    """
    given, settings = source_of(source), settings_or_default(settings)  # bad arguments raise at once
    known = None if against is None else source_of(against)
    return _findings(given, known, settings, local_engine(engine), progress, notice, unreadable, done)


def _findings(
    source: list[str | Path] | GivenArticles,
    against: list[str | Path] | GivenArticles | None,
    settings: Settings,
    engine: LocalEngine,
    progress: Progress | None,
    notice: Notice | None,
    unreadable: Callable[[Outcome], None] | None,
    done: Callable[[Report], None] | None,
) -> Iterator[Finding]:
    timer, tally = StageTimer(progress), Tally()
    with tempfile.TemporaryDirectory(prefix="dedup-") as work:
        prepared = prepare_articles(
            source, settings, engine, timer, Path(work), None, notice, against, _warm_up_matching
        )
        job = _LocalJob(prepared, settings, timer)
        verdicts = job.decide()
        for number, batch in verdicts.corpus.new_batches():
            for outcome in outcomes(batch, verdicts.of(number), settings):
                tally.add(outcome)
                if outcome.error is not None and unreadable:
                    unreadable(outcome)
                yield from outcome.findings
    if done:
        done(_report(job, tally, settings, timer, None))


def decide(
    corpus: Corpus,
    settings: Settings,
    workers: Workers,
    timer: StageTimer,
    reviewed: ReviewedCorpus | None = None,
    index: IndexSession | None = None,
) -> tuple[Verdicts, dict[str, dict[str, int]]]:
    """Set site text apart, match articles, then paragraphs; return the verdicts, and counts per stage.

    `reviewed` are the decisions about the texts of `corpus`. With an `index`, articles of earlier runs are known, too,
    and those that stay are added to it.
    """
    backend = workers.backend
    with timer.stage("find site text"):
        known_lines = index.known_lines() if index else ()
        corpus, paragraphs, site_text = set_site_text_apart(corpus, settings, workers, reviewed, known_lines)
    if index:
        with timer.stage("ask index"):
            behind_known = index.before(corpus, backend)
            if behind_known is not corpus:
                numbers = site_text.numbers + behind_known.paragraph_offsets[len(behind_known) - len(corpus)]
                corpus, paragraphs = behind_known, read_paragraph_columns(behind_known, backend).without(numbers)
    with timer.stage("match articles"):
        passages = find_known_passages(corpus, settings, backend)
        removed, preferred = passages.removed(len(corpus), settings), reviewed.preferred() if reviewed else None
        articles = match_articles(corpus, settings, backend, removed, preferred)
        articles = match_contained(corpus, articles, settings, backend)
        articles = with_known_passages(articles, passages, settings)
        if reviewed is not None:
            articles = keep_rejected(articles, reviewed.rejected_drops(articles))
    with timer.stage("match paragraphs"):
        shared = match_paragraphs(corpus, paragraphs, articles, settings, backend)
    counts = {
        "find site text": site_text.counts,
        "match articles": {name: getattr(articles, name) for name in _MATCH_COUNTS},
        "match paragraphs": {name: getattr(shared, name) for name in _MATCH_COUNTS},
    }
    if reviewed is not None:
        counts["find reviewed texts"] = reviewed.counts
    verdicts = Verdicts(corpus, site_text, articles, shared, passages.items)
    if index:
        counts["ask index"] = {"articles": corpus.known_rows}
        with timer.stage("add to index"):
            index.add(verdicts, backend)
    return verdicts, counts


class _LocalJob:
    """A job on this machine, over prepared batches."""

    def __init__(
        self,
        prepared: PreparedArticles,
        settings: Settings,
        timer: StageTimer,
        ruling: Ruling | None = None,
        index: IndexSession | None = None,
    ) -> None:
        self.workers, records, self.corpus, self.known = prepared
        self.index = index
        self.settings, self.timer = settings, timer
        self.sizes = records.sizes
        self.inputs: Sequence[dict[str, Any]] = records.inputs
        self.skipped: Sequence[str] = records.skipped
        new = self.corpus.new_part()
        self.fields = field_counts(new)
        self.unread_dates = count_unread_dates(new, settings)
        self.stages: dict[str, dict[str, int]] = {}
        self.known_twins: Iterable[KnownTwin] = ()
        self.known_items: Sequence[dict[str, Any]] = ()
        self.ruling = ruling
        self.review: Mapping[str, str | int] | None = ruling.summary if ruling else None
        self.reviewed: ReviewedCorpus | None = None

    def decide(self) -> Verdicts:
        """Find site text, match articles and paragraphs, and return the verdicts on them; set `stages`."""
        if self.ruling is not None:
            with self.timer.stage("find reviewed texts"):
                self.reviewed = ReviewedCorpus(self.corpus, self.ruling)
        verdicts, self.stages = decide(self.corpus, self.settings, self.workers, self.timer, self.reviewed, self.index)
        self.known_twins = list(known_twins(verdicts))
        self.known_items = list(known_items(verdicts))
        return verdicts

    def chunks(self) -> Iterator[tuple[OutputChunk, int]]:
        """Yield the lines of the output; discard a batch when its lines are written, unless it is kept to resume."""
        verdicts, sizes = self.decide(), self.sizes
        corpus = verdicts.corpus
        yield site_text_chunk(verdicts.site_text.table), 0
        tasks = (
            (batch, to_ipc(verdicts.of(number)), self.reviewed.decisions_of(number) if self.reviewed else {})
            for number, batch in corpus.new_batches()
        )
        encoded = self.workers.map(partial(encode_batch, settings=self.settings), tasks)
        written = self.timer.over("write", encoded, sum(sizes))
        for chunk, (_, batch), size in zip(written, corpus.new_batches(), sizes, strict=True):
            yield chunk, size
            if not (corpus.keeps_files and isinstance(batch, Path) and is_as_prepared(batch)):
                discard_batch(batch)


@contextmanager
def _start_job(
    source: Any,
    against: Articles | None,
    settings: Settings,
    engine: LocalEngine | SparkEngine,
    timer: StageTimer,
    work: Path,
    out: Path,
    notice: Notice | None,
    ruling: Ruling | None,
    index: IndexSession | None,
) -> Iterator[Job]:
    """Yield the job of `engine` over `source`; its temporary files disappear when the block ends."""
    if isinstance(engine, LocalEngine):
        indexed = 0 if index is None else index.text_bytes
        prepared = prepare_articles(
            source, settings, engine, timer, work, out, notice, against, _warm_up_matching, indexed, keeps_files=True
        )
        yield _LocalJob(prepared, settings, timer, ruling, index)
        return
    with engine.job(source, settings, timer, out, against, index) as job:
        yield job


def _report(
    job: Job,
    tally: Tally,
    settings: Settings,
    timer: StageTimer,
    out: Path | None,
    shards: Mapping[str, int] | None = None,
) -> Report:
    """Return the report of a finished job."""
    return Report(
        tally=tally,
        settings=settings,
        inputs=tuple(job.inputs),
        fields=job.fields,
        unread_dates=job.unread_dates,
        stages=job.stages,
        skipped=tuple(job.skipped),
        against=None if job.known is None else job.known.run_entry(out),
        known_items=tuple(job.known_items),
        review=job.review,
        index=None if job.index is None or out is None else job.index.run_entry(out),
        seconds=timer.seconds,
        shards=shards or {},
        out=out,
    )


def _write_tables(job: Job, folder: Path, settings: Settings, timer: StageTimer) -> tuple[Tally, OutputFiles]:
    """Write the tables of the output into `folder`; return the counts over all records, and what names the files."""
    tally = Tally()
    with Writer(folder, settings) as writer:
        for chunk, size in job.chunks():
            writer.write(chunk)
            tally.update(chunk.tally)
            timer.done(size)
        return tally, writer.finish()


def _warm_up_matching(settings: Settings, backend: Backend) -> Mapping[str, int]:
    """Match a few sample lines, so that the compiled code is loaded while other processes prepare the corpus.

    Returns the number of steps of each stage; the job itself will take as many.
    """
    batch, settings = prepare_sample(settings, backend)
    timer = StageTimer()
    decide(Corpus([batch], ResourceBudget(step=timer.step)), settings, Workers(compiled=backend.compiled), timer)
    return timer.steps
