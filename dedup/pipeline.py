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
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from dedup import __version__
from dedup.decide.outcomes import Outcome, outcomes
from dedup.decide.verdicts import Verdicts
from dedup.engines.local import LocalEngine, Workers
from dedup.findings import Finding
from dedup.kernels.backend import SMALL_BYTES, Backend, load_backend
from dedup.match.articles import match_articles
from dedup.match.contained import match_contained
from dedup.match.own_text import set_site_text_apart
from dedup.match.paragraphs import match_paragraphs
from dedup.output_layout import LOG_FILE, RUN_FILE, OutputFiles
from dedup.prepare.bad_records import check_corpus
from dedup.prepare.batch import CONTAINED_WORDS, prepare
from dedup.prepare.corpus import Corpus
from dedup.prepare.failing_records import prepare_or_quarantine
from dedup.prepare.preview import Notice, preview_records
from dedup.prepare.store import (
    BatchOrigin,
    PreparedBatch,
    discard_batch,
    from_ipc,
    store_batch,
    to_ipc,
)
from dedup.prepare.unread_dates import UnreadDates, count_unread_dates
from dedup.read.fields import to_json_bytes
from dedup.read.formats import JSON_LINES
from dedup.read.inputs import find_inputs
from dedup.read.lookahead import read_ahead
from dedup.read.objects import ArrowData, GivenArticles, ObjectReader, source_of
from dedup.read.records import RECORD_SCHEMA, RecordReader
from dedup.read.selection import RecordSource, choose_records
from dedup.runtime.progress import Progress, StageTimer
from dedup.runtime.resources import ResourceBudget, slices
from dedup.settings import Settings, invalid, settings_or_default
from dedup.write.destination import check_destination, destination, output_path
from dedup.write.report import Report, Tally, field_counts, run_file
from dedup.write.table_files import Writer
from dedup.write.tables import OutputChunk, encode_tables, site_text_chunk, write_json

if TYPE_CHECKING:
    from dedup.spark import SparkEngine

Articles = str | Path | Iterable[Any] | ArrowData

_CAREFUL_PIECES = 16  # of a batch whose process was killed; as many times as a batch in work takes its own size


def clean(
    source: Articles,
    out: str | Path,
    settings: Settings | None = None,
    *,
    engine: str | LocalEngine | SparkEngine = "local",
    progress: Progress | None = None,
    notice: Notice | None = None,
    force: bool = False,
) -> Report:
    """Clean the articles of `source` into the folder `out`, and return a report.

    `source` is a file, folder or glob, or several, or ``-``; or it is articles: an iterable of dicts, which is read in
    batches, or a table (pandas, polars, Arrow, datasets). With Spark it can also be one of its tables, or an address
    that it can read. `engine` is "local", "spark" or an engine object; it never changes the result. `progress` is
    called with a stage, the bytes done so far, and the bytes in all; `notice` with lines to show before the long work,
    such as the fields that were guessed. `out` appears complete or not at all; `force` replaces an earlier output.
    Raises a `DedupError` for every problem that the user can solve.
    """
    settings, timer, out = settings_or_default(settings), StageTimer(progress), output_path(out)
    engine = _engine_of(engine)
    source = source_of(source) if isinstance(engine, LocalEngine) else source
    out = Path(os.path.realpath(out)) if out.is_symlink() else out
    check_destination(out, force=force)
    with (
        destination(out, force=force) as (folder, work),
        _start_job(source, settings, engine, timer, work, out, notice) as job,
    ):
        tally, files = _write_tables(job, folder, settings, timer)
        report = _report(job, tally, settings, timer, out, files.shards)
        write_json(folder / RUN_FILE, run_file(report))
        write_json(folder / LOG_FILE, report.log())
    return report


def preview(
    source: Articles,
    settings: Settings | None = None,
    *,
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
        prepared = prepare_articles(source, settings, engine, timer, Path(work), ignored, notice)
        job = _LocalJob(*prepared, settings, timer)
        for chunk, size in job.chunks():
            tally.update(chunk.tally)
            timer.done(size)
    return _report(job, tally, settings, timer, None)


def check(
    source: Articles,
    settings: Settings | None = None,
    *,
    engine: str | LocalEngine = "local",
    progress: Progress | None = None,
    notice: Notice | None = None,
    unreadable: Callable[[Outcome], None] | None = None,
    done: Callable[[Report], None] | None = None,
) -> Iterator[Finding]:
    """Return an iterator over the findings that `clean` would record, in the same order; write nothing.

    `source` is the same as for `clean`. `unreadable` is called with the outcome of each record that `clean` would put
    into quarantine, and `done` after the last finding with the report that `clean` would return; `notice` as `clean`
    calls it.
    """
    given, settings = source_of(source), settings_or_default(settings)  # bad arguments raise at once
    return _findings(given, settings, _local_engine(engine), progress, notice, unreadable, done)


def _findings(
    source: list[str | Path] | GivenArticles,
    settings: Settings,
    engine: LocalEngine,
    progress: Progress | None,
    notice: Notice | None,
    unreadable: Callable[[Outcome], None] | None,
    done: Callable[[Report], None] | None,
) -> Iterator[Finding]:
    timer, tally = StageTimer(progress), Tally()
    with tempfile.TemporaryDirectory(prefix="dedup-") as work:
        prepared = prepare_articles(source, settings, engine, timer, Path(work), notice=notice)
        job = _LocalJob(*prepared, settings, timer)
        verdicts = job.decide()
        for number, batch, _, _ in verdicts.corpus.numbered_batches():
            for outcome in outcomes(batch, verdicts.of(number), settings):
                tally.add(outcome)
                if outcome.error is not None and unreadable:
                    unreadable(outcome)
                yield from outcome.findings
    if done:
        done(_report(job, tally, settings, timer, None))


def prepare_articles(
    source: Articles,
    settings: Settings,
    engine: str | LocalEngine,
    timer: StageTimer,
    work: Path,
    out: Path | None = None,
    notice: Notice | None = None,
) -> tuple[Workers, RecordSource, Corpus]:
    """Read, repair, segment and fingerprint the articles of `source`, and return them as prepared batches in `work`.

    Returns the workers of the job and the reader of its records, too. `out`, the folder to be written, is never read as
    input. `notice` is called with lines to show. Raises `InputError` if too few records can be read.
    """
    engine = _local_engine(engine)
    records = _reader_of(source_of(source), settings, engine.batch_bytes, out)
    with timer.stage("choose records") if settings.sample else nullcontext():
        records = choose_records(records, settings, work)
    size, batches_read = records.total_bytes, preview_records(iter(records), settings, notice)
    if size is None:  # standard input, which is a small job if it ends early
        size, batches_read = read_ahead(batches_read, SMALL_BYTES)
    workers = engine.workers(size, timer)
    task = partial(_prepare_batch, settings=settings, compiled=workers.compiled, work=work)
    careful = partial(task, pieces=_CAREFUL_PIECES)
    numbered = ((number, to_ipc(batch)) for number, batch in enumerate(batches_read))
    batches: list[PreparedBatch] = []
    for batch in timer.over("prepare", workers.map(task, numbered, careful), records.total_bytes):
        if not batches and workers.processes > 1:
            timer.expected = _warm_up_matching(settings, workers.backend)
        batches.append(batch)
        timer.done(records.fresh_bytes())
    corpus = Corpus(batches, ResourceBudget(engine.matching_bytes, workers.processes, work, timer.step))
    check_corpus(corpus, [str(entry["source"]) for entry in records.inputs], settings, notice)
    return workers, records, corpus


def _reader_of(
    source: list[str | Path] | GivenArticles, settings: Settings, batch_bytes: int, out: Path | None
) -> RecordSource:
    """Return a reader of files or of Python objects."""
    if isinstance(source, GivenArticles):
        return ObjectReader(source, settings, batch_bytes=batch_bytes)
    files = find_inputs(source, input_format=settings.input_format, ignore=out)
    return RecordReader(files, settings, batch_bytes=batch_bytes)


_MATCH_COUNTS = ("matches", "candidates", "lookups")


def decide(
    corpus: Corpus, settings: Settings, workers: Workers, timer: StageTimer
) -> tuple[Verdicts, dict[str, dict[str, int]]]:
    """Set site text apart, match articles, then paragraphs; return the verdicts, and counts per stage."""
    backend = workers.backend
    with timer.stage("find site text"):
        corpus, paragraphs, site_text = set_site_text_apart(corpus, settings, workers)
    with timer.stage("match articles"):
        articles = match_articles(corpus, settings, backend)
        articles = match_contained(corpus, articles, settings, backend)
    with timer.stage("match paragraphs"):
        shared = match_paragraphs(corpus, paragraphs, articles, settings, backend)
    counts = {
        "find site text": site_text.counts,
        "match articles": {name: getattr(articles, name) for name in _MATCH_COUNTS},
        "match paragraphs": {name: getattr(shared, name) for name in _MATCH_COUNTS},
    }
    return Verdicts(corpus, site_text, articles, shared), counts


class Job(Protocol):
    """A job that an engine runs: chunks of the output, and what the report needs after the last of them."""

    inputs: Sequence[dict[str, Any]]
    skipped: Sequence[str]
    fields: dict[str, dict[str, int]]
    unread_dates: UnreadDates
    stages: dict[str, dict[str, int]]

    def chunks(self) -> Iterator[tuple[OutputChunk, int]]:
        """Yield the lines of the output in input order, each chunk with the bytes of the records that it is made of."""


class _LocalJob:
    """A job on this machine, over prepared batches."""

    def __init__(
        self,
        workers: Workers,
        records: RecordSource,
        corpus: Corpus,
        settings: Settings,
        timer: StageTimer,
    ) -> None:
        self.workers = workers
        self.corpus = corpus
        self.settings = settings
        self.timer = timer
        self.sizes = records.sizes
        self.inputs: Sequence[dict[str, Any]] = records.inputs
        self.skipped: Sequence[str] = records.skipped
        self.fields = field_counts(corpus)
        self.unread_dates = count_unread_dates(corpus, settings)
        self.stages: dict[str, dict[str, int]] = {}

    def decide(self) -> Verdicts:
        """Find site text, match articles and paragraphs, and return the verdicts on them; set `stages`."""
        verdicts, self.stages = decide(self.corpus, self.settings, self.workers, self.timer)
        return verdicts

    def chunks(self) -> Iterator[tuple[OutputChunk, int]]:
        """Yield the lines of the output; discard a prepared batch when its lines are written."""
        verdicts, sizes = self.decide(), self.sizes
        corpus = verdicts.corpus
        yield site_text_chunk(verdicts.site_text.rows), 0
        tasks = ((batch, to_ipc(verdicts.of(number))) for number, batch, _, _ in corpus.numbered_batches())
        encoded = self.workers.map(partial(_encode_batch, settings=self.settings), tasks)
        written = self.timer.over("write", encoded, sum(sizes))
        for chunk, batch, size in zip(written, corpus.prepared_batches, sizes, strict=True):
            yield chunk, size
            discard_batch(batch)


@contextmanager
def _start_job(
    source: Any,
    settings: Settings,
    engine: LocalEngine | SparkEngine,
    timer: StageTimer,
    work: Path,
    out: Path,
    notice: Notice | None,
) -> Iterator[Job]:
    """Yield the job of `engine` over `source`; its temporary files disappear when the block ends."""
    if isinstance(engine, LocalEngine):
        yield _LocalJob(*prepare_articles(source, settings, engine, timer, work, out, notice), settings, timer)
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


def _prepare_batch(task: tuple[int, bytes], settings: Settings, compiled: bool, work: Path, pieces: int = 1) -> Path:
    """Prepare one batch of records, store it in `work`, and return its path; runs in a worker process.

    `task` is the number of the batch and its records, as `to_ipc` encodes them. In more `pieces`, one after the other,
    they need less memory at once, and give the same batch.
    """
    number, data = task
    records, backend = from_ipc(data), load_backend(compiled=compiled)
    parts = [records.slice(start, stop - start) for start, stop in slices(records.num_rows, pieces)] or [records]
    batch = pa.concat_batches([prepare_or_quarantine(part, settings, backend) for part in parts])
    return store_batch(batch, work / f"{number:08d}.arrow", BatchOrigin.of(records, settings.digest, __version__))


def _encode_batch(task: tuple[PreparedBatch, bytes], settings: Settings) -> OutputChunk:
    """Return the output lines of one prepared batch and its verdicts; runs in a worker process."""
    batch, verdicts = task
    return encode_tables(outcomes(batch, from_ipc(verdicts), settings), settings.output_fields)


def _warm_up_matching(settings: Settings, backend: Backend) -> Mapping[str, int]:
    """Match a few sample lines, so that the compiled code is loaded while other processes prepare the corpus.

    Returns the number of steps of each stage; the job itself will take as many. Settings that refer to the user's
    records, such as a date or the name of a field, do not apply to these lines.
    """
    settings = Settings(
        threshold=settings.threshold,
        same_story_threshold=settings.same_story_threshold,
        paragraph_threshold=settings.paragraph_threshold,
        rules=settings.rules,
    )
    rows = []
    for row in range(20):  # ten articles of two hosts, each of them twice with different last words
        body = " ".join(f"{row // 2} word{place}" for place in range(CONTAINED_WORDS))
        text = f"{body}\n\n{body}\n\nContact: {row}\n\nThe same line everywhere"
        data = to_json_bytes({"url": f"https://{row // 10}.test/", "text": text})
        rows.append({"source": "-", "kind": JSON_LINES, "record": row, "data": data})
    batch = prepare(pa.RecordBatch.from_pylist(rows, RECORD_SCHEMA), settings, backend)
    timer = StageTimer()
    workers = Workers(compiled=backend.compiled)
    decide(Corpus([batch], ResourceBudget(step=timer.step)), settings, workers, timer)
    return timer.steps
