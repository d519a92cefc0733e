"""The whole story: read, repair, segment, fingerprint, match, decide, write, report.

The only file that knows the order. Stages know nothing of each other, engines nothing of stages.
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
from dedup.read.inputs import JSON_LINES, find_inputs
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
    """Cleans the articles of `source` into the folder `out`; what was done.

    `source` is a file, folder or glob, or several, or ``-``; for Spark, also a table of its own or the address of
    files that it can read. `out` appears complete or not at all; `force` replaces an earlier output. Raises
    `DedupError` for what the user can mend.
    """
    settings, out, watch = settings or Settings(), Path(out), StageTimer(progress)
    out = out.resolve() if out.is_symlink() else out
    check_destination(out, force=force)
    with (
        destination(out, force=force) as (folder, work),
        _job(source, settings, engine, watch, work, out) as job,
    ):
        tally = Tally()
        with Writer(folder, "none" if settings.format == "parquet" else settings.compress) as writer:
            for chunk, size in job.chunks():
                writer.write(chunk)
                tally.update(chunk.tally)
                watch.done(size)
        if settings.format == "parquet":
            from dedup.write.parquet import to_parquet  # noqa: PLC0415 - seldom asked for

            to_parquet(folder, settings)
        report = Report(
            tally=tally,
            settings=settings,
            inputs=tuple(job.inputs),
            fields=job.fields,
            stages=job.stages,
            skipped=tuple(job.skipped),
            seconds=watch.seconds,
            out=out,
        )
        write_json(folder / RUN_FILE, run_file(report))
        write_json(folder / LOG_FILE, report.log())
    return report


class Job(Protocol):
    """A job as an engine carries it out: the lines of the output, and what is told of it once they are written."""

    inputs: Sequence[dict[str, Any]]
    skipped: Sequence[str]
    fields: dict[str, dict[str, int]]
    stages: dict[str, dict[str, int]]

    def chunks(self) -> Iterator[tuple[OutputChunk, int]]:
        """The lines of the output in input order, and how many bytes of records each chunk is of."""


class _LocalJob:
    """A job on this machine, over prepared articles."""

    def __init__(self, prepared: tuple[Workers, RecordReader, Corpus], settings: Settings, watch: StageTimer) -> None:
        self.workers, self.records, self.corpus = prepared
        self.settings = settings
        self.watch = watch
        self.inputs: Sequence[dict[str, Any]] = self.records.inputs
        self.skipped: Sequence[str] = self.records.skipped
        self.fields = field_counts(self.corpus)
        self.stages: dict[str, dict[str, int]] = {}

    def chunks(self) -> Iterator[tuple[OutputChunk, int]]:
        """The lines of the output; a piece is discarded when its lines are written."""
        corpus, sizes = self.corpus, self.records.sizes
        verdicts, self.stages = decide(corpus, self.settings, self.workers.backend, self.watch)
        tasks = ((piece, to_ipc(verdicts.of(number))) for number, piece, _, _ in corpus.batches())
        chunks = self.workers.map(partial(_lines, settings=self.settings), tasks)
        for chunk, piece, size in zip(self.watch.over("write", chunks, sum(sizes)), corpus.pieces, sizes, strict=True):
            yield chunk, size
            discard_batch(piece)


@contextmanager
def _job(
    source: Any, settings: Settings, engine: str | LocalEngine | SparkEngine, watch: StageTimer, work: Path, out: Path
) -> Iterator[Job]:
    if engine == "spark":
        from dedup.spark import SparkEngine as Spark  # noqa: PLC0415 - needs an extra

        engine = Spark()
    if isinstance(engine, (str, LocalEngine)):
        yield _LocalJob(prepared(source, settings, engine, watch, work, out), settings, watch)
        return
    with engine.job(source, settings, watch, out) as job:
        yield job


def check(
    source: Inputs,
    settings: Settings | None = None,
    *,
    engine: str | LocalEngine = "local",
    progress: Progress | None = None,
    unreadable: Callable[[Outcome], None] | None = None,
) -> Iterator[Finding]:
    """The findings that `clean` would record, in the same order; nothing is written.

    `unreadable` is told of each record that `clean` would put into quarantine.
    """
    settings, watch = settings or Settings(), StageTimer(progress)
    with tempfile.TemporaryDirectory(prefix="dedup-") as work:
        workers, _, corpus = prepared(source, settings, engine, watch, Path(work))
        verdicts, _ = decide(corpus, settings, workers.backend, watch)
        for number, piece, _, _ in corpus.batches():
            for outcome in outcomes(piece, verdicts.of(number), settings):
                if outcome.error is not None and unreadable:
                    unreadable(outcome)
                yield from outcome.findings


def decide(
    corpus: Corpus, settings: Settings, backend: Backend, watch: StageTimer
) -> tuple[Verdicts, dict[str, dict[str, int]]]:
    """What the corpus-level rules say of every article and paragraph, and what it took to find out."""
    with watch.stage("match articles"):
        articles = match_articles(corpus, settings, backend)
        articles = match_contained(corpus, articles, settings, backend)
    with watch.stage("match paragraphs"):
        paragraphs = match_paragraphs(corpus, articles, settings, backend)
    stages = {
        "match articles": {"candidates": articles.candidates, "matches": articles.matches},
        "match paragraphs": {"candidates": paragraphs.candidates, "matches": paragraphs.matches},
    }
    return Verdicts(corpus, articles, paragraphs), stages


def prepared(
    source: Inputs,
    settings: Settings,
    engine: str | LocalEngine,
    watch: StageTimer,
    work: Path,
    out: Path | None = None,
) -> tuple[Workers, RecordReader, Corpus]:
    """The articles of `source` after every stage that looks at one article alone, as pieces in the folder `work`."""
    engine = _engine(engine)
    found = find_inputs([source] if isinstance(source, (str, Path)) else source, ignore=out)
    records = RecordReader(found, batch_bytes=engine.batch_bytes)
    workers = engine.workers(records.total_bytes)
    task = partial(_prepare, settings=settings, compiled=workers.compiled, work=work)
    batches = ((number, to_ipc(batch)) for number, batch in enumerate(records))
    pieces: list[PreparedBatch] = []
    for piece in watch.over("prepare", workers.map(task, batches), records.total_bytes):
        if not pieces and workers.processes > 1:
            watch.expected = _rehearse(settings, workers.backend)
        pieces.append(piece)
        watch.done(records.fresh_bytes())
    return workers, records, Corpus(pieces, ResourceBudget(engine.matching_bytes, workers.processes, work, watch.step))


def _rehearse(settings: Settings, backend: Backend) -> Mapping[str, int]:
    """Decides over a few lines, so that the code for it is loaded while other processes prepare the corpus.

    How many steps each stage took, which it will take again. What the settings ask of the user's records, a date or
    the name of a field, is not asked of these.
    """
    settings = Settings(
        threshold=settings.threshold, paragraph_threshold=settings.paragraph_threshold, rules=settings.rules
    )
    rows = []
    for row in range(20):  # ten articles of two hosts, each of them twice with other words at the end
        said = " ".join(f"{row // 2} word{place}" for place in range(CONTAINED_WORDS))
        text = f"{said}\n\n{said}\n\nContact: {row}\n\nThe same line everywhere"
        data = to_json_bytes({"url": f"https://{row // 10}.test/", "text": text})
        rows.append({"source": "-", "kind": JSON_LINES, "record": row, "data": data})
    batch = prepare(pa.RecordBatch.from_pylist(rows, RECORD_SCHEMA), settings, backend)
    watch = StageTimer()
    decide(Corpus([batch], ResourceBudget(step=watch.step)), settings, backend, watch)
    return watch.steps


def _prepare(task: tuple[int, bytes], settings: Settings, compiled: bool, work: Path) -> Path:
    """Prepares one batch of records into a piece of the working folder; its path."""
    number, data = task
    records = from_ipc(data)
    batch = prepare(records, settings, load_backend(compiled=compiled))
    return store_batch(batch, work / f"{number:08d}.arrow", BatchOrigin.of(records, settings.digest, __version__))


def _lines(task: tuple[PreparedBatch, bytes], settings: Settings) -> OutputChunk:
    """The output lines of one piece."""
    piece, verdicts = task
    return encode_tables(outcomes(piece, from_ipc(verdicts), settings))


def _engine(engine: str | LocalEngine) -> LocalEngine:
    if isinstance(engine, LocalEngine):
        return engine
    if engine == "local":
        return LocalEngine()
    raise SettingsError(f"engine: {engine!r} is not known; use 'local' or 'spark', a LocalEngine or a SparkEngine")
