"""The whole job in order: read, repair, segment, fingerprint, find site text, match, decide, write, report.

Only this module knows the order of the stages. Stages do not know each other, and engines do not know stages. Repair,
segmentation and fingerprints need one article at a time; `dedup.prepare` does all three for a batch of records.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dedup.decide.known_items import known_items
from dedup.decide.known_twins import KnownTwin, known_twins
from dedup.decide.outcomes import Outcome, outcomes
from dedup.decide.verdicts import Verdicts
from dedup.engines.job import Job
from dedup.engines.local import LocalEngine, Workers
from dedup.engines.preparation import prepare_batches
from dedup.errors import SettingsError
from dedup.findings import Finding
from dedup.index.session import IndexSession, index_session
from dedup.kernels.backend import SMALL_BYTES, Backend
from dedup.match.articles import match_articles
from dedup.match.contained import match_contained
from dedup.match.known_passages import find_known_passages, with_known_passages
from dedup.match.own_text import set_site_text_apart
from dedup.match.paragraph_columns import read_paragraph_columns
from dedup.match.paragraphs import match_paragraphs
from dedup.output_layout import KNOWN_ITEMS_FILE, KNOWN_TWINS_FILE, LOG_FILE, RUN_FILE, OutputFiles
from dedup.prepare.bad_records import check_corpus
from dedup.prepare.corpus import Corpus
from dedup.prepare.preview import Notice, preview_records
from dedup.prepare.sample_articles import prepare_sample
from dedup.prepare.store import (
    PreparedBatch,
    discard_batch,
    from_ipc,
    to_ipc,
)
from dedup.prepare.unread_dates import count_unread_dates
from dedup.read.lookahead import read_ahead
from dedup.read.objects import ArrowData, GivenArticles, source_of
from dedup.read.other_corpora import KnownRecords, check_sources, open_records
from dedup.read.selection import RecordSource, choose_records
from dedup.runtime.progress import Progress, StageTimer
from dedup.runtime.resources import ResourceBudget
from dedup.settings import Settings, invalid, settings_or_default
from dedup.write.destination import check_destination, destination, output_path
from dedup.write.report import Report, Tally, field_counts, run_file
from dedup.write.table_files import Writer
from dedup.write.tables import OutputChunk, encode_tables, site_text_chunk, write_json, write_json_lines

if TYPE_CHECKING:
    from dedup.spark import SparkEngine

Articles = str | Path | Iterable[Any] | ArrowData


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
) -> Report:
    """Clean the articles of `source` into the folder `out`, and return a report.

    `source` is a file, folder or glob, or several, or ``-``; or it is articles: an iterable of dicts, which is read in
    batches, or a table (pandas, polars, Arrow, datasets). With Spark it can also be one of its tables, or an address
    that it can read. `against` are other articles that those of `source` may repeat: they always stay, and are not
    written. `index` is the folder of an index of the articles that earlier runs have kept: they are known in the same
    way, and those that stay are added to it, together with the output. `engine` is "local", "spark" or an engine
    object; it never changes the result. `progress` is called with a stage, the bytes done so far, and the bytes in all;
    `notice` with lines to show before the long work, such as the fields that were guessed. `out` appears complete or
    not at all; `force` replaces an earlier output.
    Raises a `DedupError` for every problem that the user can solve.
    """
    settings, timer, out = settings_or_default(settings), StageTimer(progress), output_path(out)
    engine = _engine_of(engine)
    source = source_of(source) if isinstance(engine, LocalEngine) else source
    for name, given in (("against", against), ("index", index)):
        if given is not None and not isinstance(engine, LocalEngine):
            raise SettingsError(f"`{name}`: works with the local engine only; use it, or leave this out")
    out = Path(os.path.realpath(out)) if out.is_symlink() else out
    check_destination(out, force=force)
    with index_session(index, settings) as session:
        with (
            destination(out, force=force) as (folder, work),
            _start_job(source, against, settings, engine, timer, work, out, notice, session) as job,
        ):
            tally, files = _write_tables(job, folder, settings, timer)
            if job.known is not None or session is not None:
                write_json_lines(folder / KNOWN_TWINS_FILE, (twin._asdict() for twin in job.known_twins))
            if job.known_items:
                write_json_lines(folder / KNOWN_ITEMS_FILE, job.known_items)
            report = _report(job, tally, settings, timer, out, files.shards)
            write_json(folder / RUN_FILE, run_file(report))
            write_json(folder / LOG_FILE, report.log())
            if session is not None:
                session.stage(folder, out)
        if session is not None:
            session.commit()
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
) -> Report:
    """Return the report that `clean` would return for the articles of `source`; write nothing.

    `out` is the folder that `clean` would write, which is not read as input; it may exist.
    """
    settings, timer, tally = settings_or_default(settings), StageTimer(progress), Tally()
    with tempfile.TemporaryDirectory(prefix="dedup-") as work:
        ignored = Path(out) if out is not None else None
        prepared = prepare_articles(source, settings, engine, timer, Path(work), ignored, notice, against)
        job = _LocalJob(prepared, settings, timer)
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
    return _findings(given, known, settings, _local_engine(engine), progress, notice, unreadable, done)


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
        prepared = prepare_articles(source, settings, engine, timer, Path(work), notice=notice, against=against)
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


class PreparedArticles(NamedTuple):
    """The articles of a job, prepared, behind the known ones in one corpus; its workers, and the readers of both."""

    workers: Workers
    records: RecordSource
    corpus: Corpus
    known: KnownRecords | None


def prepare_articles(
    source: Articles,
    settings: Settings,
    engine: str | LocalEngine,
    timer: StageTimer,
    work: Path,
    out: Path | None = None,
    notice: Notice | None = None,
    against: Articles | None = None,
) -> PreparedArticles:
    """Read, repair, segment and fingerprint the articles of `source`, and return them as prepared batches in `work`.

    `out`, the folder to be written, is never read as input. `notice` is called with lines to show. The articles of
    `against` are prepared as well. Raises `InputError` if too few records can be read.
    """
    engine = _local_engine(engine)
    given = None if against is None else source_of(against)
    records, known = open_records(source_of(source), given, settings, engine.batch_bytes, out)
    with timer.stage("choose records") if settings.sample else nullcontext():
        records = choose_records(records, settings, work)
    size, batches_read = records.total_bytes, preview_records(iter(records), settings, notice)
    if size is None:  # standard input, which is a small job if it ends early
        size, batches_read = read_ahead(batches_read, SMALL_BYTES)
    if known is not None and size is not None:
        size = None if known.total_bytes is None else size + known.total_bytes
    workers = engine.workers(size, timer)
    budget = ResourceBudget(engine.matching_bytes, workers.processes, work, timer.step)
    known_batches: list[PreparedBatch] = []
    if known is not None:
        read = preview_records(iter(known), settings)
        known_batches = prepare_batches(
            read, known, "prepare known", settings, workers, timer, work / "known", _warm_up_matching
        )
        check_corpus(Corpus(known_batches, budget), [str(entry["source"]) for entry in known.inputs], settings, notice)
    batches = prepare_batches(batches_read, records, "prepare", settings, workers, timer, work, _warm_up_matching)
    corpus = Corpus(known_batches + batches, budget, len(known_batches))
    check_corpus(corpus.new_part(), [str(entry["source"]) for entry in records.inputs], settings, notice)
    check_sources(records.inputs, known.inputs if known else [])
    return PreparedArticles(workers, records, corpus, known)


def decide(
    corpus: Corpus, settings: Settings, workers: Workers, timer: StageTimer, index: IndexSession | None = None
) -> tuple[Verdicts, dict[str, dict[str, int]]]:
    """Set site text apart, match articles, then paragraphs; return the verdicts, and counts per stage.

    With an `index`, articles of earlier runs are known, too, and those that stay are added to it.
    """
    backend = workers.backend
    with timer.stage("find site text"):
        known_lines = index.known_lines() if index else ()
        corpus, paragraphs, site_text = set_site_text_apart(corpus, settings, workers, known_lines)
    if index:
        with timer.stage("ask index"):
            corpus = index.before(corpus, backend)
            paragraphs = read_paragraph_columns(corpus, backend)
    with timer.stage("match articles"):
        passages = find_known_passages(corpus, settings, backend)
        articles = match_articles(corpus, settings, backend, passages.removed(len(corpus), settings))
        articles = match_contained(corpus, articles, settings, backend)
        articles = with_known_passages(articles, passages, settings)
    with timer.stage("match paragraphs"):
        shared = match_paragraphs(corpus, paragraphs, articles, settings, backend)
    counts = {
        "find site text": site_text.counts,
        "match articles": {"candidates": articles.candidates, "matches": articles.matches},
        "match paragraphs": {"candidates": shared.candidates, "matches": shared.matches},
    }
    verdicts = Verdicts(corpus, site_text, articles, shared, passages.items)
    if index:
        counts["ask index"] = {"articles": corpus.known_rows}
        with timer.stage("add to index"):
            index.add(verdicts, backend)
    return verdicts, counts


class _LocalJob:
    """A job on this machine, over prepared batches."""

    def __init__(
        self, prepared: PreparedArticles, settings: Settings, timer: StageTimer, index: IndexSession | None = None
    ) -> None:
        self.workers, records, self.corpus, self.known = prepared
        self.index = index
        self.settings = settings
        self.timer = timer
        self.sizes = records.sizes
        self.inputs: Sequence[dict[str, Any]] = records.inputs
        self.skipped: Sequence[str] = records.skipped
        new = self.corpus.new_part()
        self.fields = field_counts(new)
        self.unread_dates = count_unread_dates(new, settings)
        self.stages: dict[str, dict[str, int]] = {}
        self.known_twins: Sequence[KnownTwin] = ()
        self.known_items: Sequence[dict[str, Any]] = ()

    def decide(self) -> Verdicts:
        """Find site text, match articles and paragraphs, and return the verdicts on them; set `stages`."""
        verdicts, self.stages = decide(self.corpus, self.settings, self.workers, self.timer, self.index)
        self.known_twins = list(known_twins(verdicts))
        self.known_items = list(known_items(verdicts))
        return verdicts

    def chunks(self) -> Iterator[tuple[OutputChunk, int]]:
        """Yield the lines of the output; discard a prepared batch when its lines are written."""
        verdicts, sizes = self.decide(), self.sizes
        corpus = verdicts.corpus
        yield site_text_chunk(verdicts.site_text.table), 0
        tasks = ((batch, to_ipc(verdicts.of(number))) for number, batch in corpus.new_batches())
        encoded = self.workers.map(partial(_encode_batch, settings=self.settings), tasks)
        written = self.timer.over("write", encoded, sum(sizes))
        for chunk, (_, batch), size in zip(written, corpus.new_batches(), sizes, strict=True):
            yield chunk, size
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
    index: IndexSession | None,
) -> Iterator[Job]:
    """Yield the job of `engine` over `source`; its temporary files disappear when the block ends."""
    if isinstance(engine, LocalEngine):
        prepared = prepare_articles(source, settings, engine, timer, work, out, notice, against)
        yield _LocalJob(prepared, settings, timer, index)
        return
    with engine.job(source, settings, timer, out) as job:
        yield job


def _engine_of(engine: str | LocalEngine | SparkEngine) -> LocalEngine | SparkEngine:
    """Return the engine that `engine` names or is. Raises `SettingsError` for anything else."""
    if engine == "spark":
        from dedup.spark import SparkEngine as Spark  # noqa: PLC0415 - needs an extra

        return Spark()
    return _local_engine(engine) if isinstance(engine, str) or not hasattr(engine, "job") else engine


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
        index=None if job.index is None or out is None else job.index.run_entry(out),
        seconds=timer.seconds,
        shards=shards or {},
        out=out,
    )


def _local_engine(engine: str | LocalEngine) -> LocalEngine:
    """Return the local engine that `engine` names or is. Raises `SettingsError` for an unknown name."""
    if isinstance(engine, LocalEngine):
        return engine
    if engine == "local":
        return LocalEngine()
    raise invalid("engine", engine, "not known; use 'local' or 'spark', a LocalEngine or a SparkEngine")


def _write_tables(job: Job, folder: Path, settings: Settings, timer: StageTimer) -> tuple[Tally, OutputFiles]:
    """Write the tables of the output into `folder`; return the counts over all records, and what names the files."""
    tally = Tally()
    with Writer(folder, settings) as writer:
        for chunk, size in job.chunks():
            writer.write(chunk)
            tally.update(chunk.tally)
            timer.done(size)
        return tally, writer.finish()


def _encode_batch(task: tuple[PreparedBatch, bytes], settings: Settings) -> OutputChunk:
    """Return the output lines of one prepared batch and its verdicts; runs in a worker process."""
    batch, verdicts = task
    return encode_tables(outcomes(batch, from_ipc(verdicts), settings), settings.output_fields)


def _warm_up_matching(settings: Settings, backend: Backend) -> Mapping[str, int]:
    """Match a few sample lines, so that the compiled code is loaded while other processes prepare the corpus.

    Returns the number of steps of each stage; the job itself will take as many.
    """
    batch, settings = prepare_sample(settings, backend)
    timer = StageTimer()
    workers = Workers(compiled=backend.compiled)
    decide(Corpus([batch], ResourceBudget(step=timer.step)), settings, workers, timer)
    return timer.steps
