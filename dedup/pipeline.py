"""The whole job in order: read, repair, segment, fingerprint, match, decide, write, report.

Only this module knows the order of the stages. Stages do not know each other, and engines do not know stages. Repair,
segmentation and fingerprints need one article at a time; `dedup.prepare` does all three for a batch of records.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from dedup import __version__
from dedup.decide.outcomes import Outcome, outcomes
from dedup.decide.verdicts import Verdicts
from dedup.engines.local import LocalEngine, Workers
from dedup.errors import SettingsError
from dedup.findings import Finding
from dedup.kernels.backend import Backend, load_backend
from dedup.match.articles import match_articles
from dedup.match.contained import match_contained
from dedup.match.paragraphs import match_paragraphs
from dedup.output_layout import LOG_FILE, RUN_FILE
from dedup.prepare.batch import CONTAINED_WORDS, prepare
from dedup.prepare.corpus import Corpus
from dedup.prepare.store import BatchOrigin, PreparedBatch, discard_batch, from_ipc, store_batch, to_ipc
from dedup.read.fields import to_json_bytes
from dedup.read.formats import JSON_LINES
from dedup.read.inputs import find_inputs
from dedup.read.records import RECORD_SCHEMA, RecordReader
from dedup.runtime.progress import Progress, StageTimer
from dedup.runtime.resources import ResourceBudget
from dedup.settings import Settings
from dedup.write.destination import check_destination, destination
from dedup.write.report import Report, Tally, field_counts, run_file
from dedup.write.tables import OutputChunk, Writer, encode_tables, write_json

if TYPE_CHECKING:
    from dedup.spark import SparkEngine

Inputs = str | Path | Sequence[str | Path]


def clean(
    source: Inputs,
    out: str | Path,
    settings: Settings | None = None,
    *,
    engine: str | LocalEngine | SparkEngine = "local",
    progress: Progress | None = None,
    force: bool = False,
) -> Report:
    """Clean the articles of `source` into the folder `out`, and return a report.

    `source` is a file, folder, glob or address, or several, or ``-``. With Spark it can also be one of its tables, and
    addresses are those that it can read. `engine` is "local", "spark" or an engine object; it never changes the
    result. `progress` is called with a stage, the bytes done so far, and the bytes in all. `out` appears complete or
    not at all; `force` replaces an earlier output. Raises a `DedupError` for every problem that the user can solve.
    """
    settings, timer, out = settings or Settings(), StageTimer(progress), Path(out)
    out = out.resolve() if out.is_symlink() else out
    check_destination(out, force=force)
    with (
        destination(out, force=force) as (folder, work),
        _start_job(source, settings, engine, timer, work, out) as job,
    ):
        tally = _write_tables(job, folder, settings, timer)
        report = Report(
            tally=tally,
            settings=settings,
            inputs=tuple(job.inputs),
            fields=job.fields,
            stages=job.stages,
            skipped=tuple(job.skipped),
            seconds=timer.seconds,
            out=out,
        )
        write_json(folder / RUN_FILE, run_file(report))
        write_json(folder / LOG_FILE, report.log())
    return report


def check(
    source: Inputs,
    settings: Settings | None = None,
    *,
    engine: str | LocalEngine = "local",
    progress: Progress | None = None,
    unreadable: Callable[[Outcome], None] | None = None,
) -> Iterator[Finding]:
    """Yield the findings that `clean` would record, in the same order; write nothing.

    `unreadable` is called with the outcome of each record that `clean` would put into quarantine.
    """
    settings, timer = settings or Settings(), StageTimer(progress)
    with tempfile.TemporaryDirectory(prefix="dedup-") as work:
        workers, _, corpus = prepare_articles(source, settings, engine, timer, Path(work))
        verdicts, _ = decide(corpus, settings, workers.backend, timer)
        for number, batch, _, _ in corpus.numbered_batches():
            for outcome in outcomes(batch, verdicts.of(number), settings):
                if outcome.error is not None and unreadable:
                    unreadable(outcome)
                yield from outcome.findings


def prepare_articles(
    source: Inputs,
    settings: Settings,
    engine: str | LocalEngine,
    timer: StageTimer,
    work: Path,
    out: Path | None = None,
) -> tuple[Workers, RecordReader, Corpus]:
    """Read, repair, segment and fingerprint the articles of `source`, and return them as prepared batches in `work`.

    Returns the workers of the job and the reader of its records, too. `out`, the folder to be written, is never read as
    input.
    """
    engine = _local_engine(engine)
    inputs = [source] if isinstance(source, (str, Path)) else source
    files = find_inputs(inputs, input_format=settings.input_format, ignore=out)
    records = RecordReader(files, settings, batch_bytes=engine.batch_bytes)
    workers = engine.workers(records.total_bytes)
    task = partial(_prepare_batch, settings=settings, compiled=workers.compiled, work=work)
    numbered = ((number, to_ipc(batch)) for number, batch in enumerate(records))
    batches: list[PreparedBatch] = []
    for batch in timer.over("prepare", workers.map(task, numbered), records.total_bytes):
        if not batches and workers.processes > 1:
            timer.expected = _warm_up_matching(settings, workers.backend)
        batches.append(batch)
        timer.done(records.fresh_bytes())
    return workers, records, Corpus(batches, ResourceBudget(engine.matching_bytes, workers.processes, work, timer.step))


def decide(
    corpus: Corpus, settings: Settings, backend: Backend, timer: StageTimer
) -> tuple[Verdicts, dict[str, dict[str, int]]]:
    """Match articles, then paragraphs, and return the verdicts on all of them, and counts per stage for the report."""
    with timer.stage("match articles"):
        articles = match_articles(corpus, settings, backend)
        articles = match_contained(corpus, articles, settings, backend)
    with timer.stage("match paragraphs"):
        paragraphs = match_paragraphs(corpus, articles, settings, backend)
    counts = {
        "match articles": {"candidates": articles.candidates, "matches": articles.matches},
        "match paragraphs": {"candidates": paragraphs.candidates, "matches": paragraphs.matches},
    }
    return Verdicts(corpus, articles, paragraphs), counts


class Job(Protocol):
    """A job that an engine runs: chunks of the output, and what the report needs after the last of them."""

    inputs: Sequence[dict[str, Any]]
    skipped: Sequence[str]
    fields: dict[str, dict[str, int]]
    stages: dict[str, dict[str, int]]

    def chunks(self) -> Iterator[tuple[OutputChunk, int]]:
        """Yield the lines of the output in input order, each chunk with the bytes of the records that it is made of."""


class _LocalJob:
    """A job on this machine, over prepared batches."""

    def __init__(
        self, workers: Workers, records: RecordReader, corpus: Corpus, settings: Settings, timer: StageTimer
    ) -> None:
        self.workers = workers
        self.corpus = corpus
        self.settings = settings
        self.timer = timer
        self.sizes = records.sizes
        self.inputs: Sequence[dict[str, Any]] = records.inputs
        self.skipped: Sequence[str] = records.skipped
        self.fields = field_counts(corpus)
        self.stages: dict[str, dict[str, int]] = {}

    def chunks(self) -> Iterator[tuple[OutputChunk, int]]:
        """Yield the lines of the output; discard a prepared batch when its lines are written."""
        corpus, sizes = self.corpus, self.sizes
        verdicts, self.stages = decide(corpus, self.settings, self.workers.backend, self.timer)
        tasks = ((batch, to_ipc(verdicts.of(number))) for number, batch, _, _ in corpus.numbered_batches())
        encoded = self.workers.map(partial(_encode_batch, settings=self.settings), tasks)
        written = self.timer.over("write", encoded, sum(sizes))
        for chunk, batch, size in zip(written, corpus.prepared_batches, sizes, strict=True):
            yield chunk, size
            discard_batch(batch)


@contextmanager
def _start_job(
    source: Any, settings: Settings, engine: str | LocalEngine | SparkEngine, timer: StageTimer, work: Path, out: Path
) -> Iterator[Job]:
    """Yield the job of `engine` over `source`; its temporary files disappear when the block ends."""
    if engine == "spark":
        from dedup.spark import SparkEngine as Spark  # noqa: PLC0415 - needs an extra

        engine = Spark()
    if isinstance(engine, (str, LocalEngine)):
        yield _LocalJob(*prepare_articles(source, settings, engine, timer, work, out), settings, timer)
        return
    with engine.job(source, settings, timer, out) as job:
        yield job


def _local_engine(engine: str | LocalEngine) -> LocalEngine:
    """Return the local engine that `engine` names or is. Raises `SettingsError` for an unknown name."""
    if isinstance(engine, LocalEngine):
        return engine
    if engine == "local":
        return LocalEngine()
    raise SettingsError(f"engine: {engine!r} is not known; use 'local' or 'spark', a LocalEngine or a SparkEngine")


def _write_tables(job: Job, folder: Path, settings: Settings, timer: StageTimer) -> Tally:
    """Write the tables of the output into `folder`, and return the counts over all records."""
    tally = Tally()
    with Writer(folder, "none" if settings.format == "parquet" else settings.compress) as writer:
        for chunk, size in job.chunks():
            writer.write(chunk)
            tally.update(chunk.tally)
            timer.done(size)
    if settings.format == "parquet":
        from dedup.write.parquet import to_parquet  # noqa: PLC0415 - rarely used

        to_parquet(folder, settings)
    return tally


def _prepare_batch(task: tuple[int, bytes], settings: Settings, compiled: bool, work: Path) -> Path:
    """Prepare one batch of records, store it in `work`, and return its path; runs in a worker process.

    `task` is the number of the batch and its records, as `to_ipc` encodes them.
    """
    number, data = task
    records = from_ipc(data)
    batch = prepare(records, settings, load_backend(compiled=compiled))
    return store_batch(batch, work / f"{number:08d}.arrow", BatchOrigin.of(records, settings.digest, __version__))


def _encode_batch(task: tuple[PreparedBatch, bytes], settings: Settings) -> OutputChunk:
    """Return the output lines of one prepared batch and its verdicts; runs in a worker process."""
    batch, verdicts = task
    return encode_tables(outcomes(batch, from_ipc(verdicts), settings))


def _warm_up_matching(settings: Settings, backend: Backend) -> Mapping[str, int]:
    """Match a few sample lines, so that the compiled code is loaded while other processes prepare the corpus.

    Returns the number of steps of each stage; the job itself will take as many. Settings that refer to the user's
    records, such as a date or the name of a field, do not apply to these lines.
    """
    settings = Settings(
        threshold=settings.threshold, paragraph_threshold=settings.paragraph_threshold, rules=settings.rules
    )
    rows = []
    for row in range(20):  # ten articles of two hosts, each of them twice with different last words
        body = " ".join(f"{row // 2} word{place}" for place in range(CONTAINED_WORDS))
        text = f"{body}\n\n{body}\n\nContact: {row}\n\nThe same line everywhere"
        data = to_json_bytes({"url": f"https://{row // 10}.test/", "text": text})
        rows.append({"source": "-", "kind": JSON_LINES, "record": row, "data": data})
    batch = prepare(pa.RecordBatch.from_pylist(rows, RECORD_SCHEMA), settings, backend)
    timer = StageTimer()
    decide(Corpus([batch], ResourceBudget(step=timer.step)), settings, backend, timer)
    return timer.steps
