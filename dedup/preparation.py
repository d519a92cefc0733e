"""Read, repair, segment and fingerprint all articles of a job on this machine: what comes before they are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from functools import partial
from itertools import chain, repeat
from pathlib import Path
from typing import Any, NamedTuple

from dedup.engine_choice import local_engine
from dedup.engines.local import LocalEngine, Workers
from dedup.engines.preparation import prepare_batches
from dedup.kernels.backend import SMALL_BYTES, Backend
from dedup.prepare.bad_records import check_corpus
from dedup.prepare.corpus import Corpus
from dedup.prepare.earlier_batches import EarlierBatches
from dedup.prepare.preview import Notice, preview_records
from dedup.prepare.store import PreparedBatch
from dedup.read.lookahead import read_ahead
from dedup.read.objects import ArrowData, source_of
from dedup.read.other_corpora import KnownInputs, KnownRecords, check_sources, open_records
from dedup.read.selection import RecordSource, choose_records
from dedup.runtime.disk_space import free_bytes, has_room_to_keep, warn_of_space
from dedup.runtime.progress import StageTimer
from dedup.runtime.resources import ResourceBudget
from dedup.runtime.versions import program_version
from dedup.settings import Settings

# Bytes of input from which the text of the index counts toward the size of a job. From here on, plain functions take
# longer to prepare the new articles and their candidates than compiled ones take to load.
_LOOKED_UP_BYTES = SMALL_BYTES // 32

Articles = str | Path | Iterable[Any] | ArrowData
WarmUp = Callable[[Settings, Backend], Mapping[str, int]]  # returns the steps that later stages will take


class PreparedArticles(NamedTuple):
    """The articles of a job, prepared, behind the known ones in one corpus; its workers, and what both come from."""

    workers: Workers
    records: RecordSource
    corpus: Corpus
    known: KnownInputs | None


def prepare_articles(
    source: Articles,
    settings: Settings,
    engine: str | LocalEngine,
    timer: StageTimer,
    work: Path,
    out: Path | None = None,
    notice: Notice | None = None,
    against: Articles | None = None,
    warm_up: WarmUp | None = None,
    indexed_bytes: int = 0,
    *,
    keeps_files: bool = False,
) -> PreparedArticles:
    """Read, repair, segment and fingerprint the articles of `source`, and return them as prepared batches in `work`.

    `out`, the folder to be written, is never read as input. `notice` is called with lines to show. The articles of
    `against` are prepared as well. While other processes work, `warm_up` is called once. With `keeps_files` the batches
    of `source` stay as long as the disk has room for them, so that the run can be resumed. `indexed_bytes` is the
    number of bytes of text in the index that the articles will be compared with. Raises `InputError` if too few records
    can be read.
    """
    engine, earlier = local_engine(engine), EarlierBatches()
    notice = notice or timer.log.copying(None)
    if engine.resume and keeps_files:
        earlier.read_folder(work, settings.digest, program_version())
        notice(earlier.opening_line())
    given = None if against is None else source_of(against)
    sizes = earlier.batch_bytes()
    reader, known = open_records(source_of(source), given, settings, engine.batch_bytes, sizes, out)
    if keeps_files and settings.limit is None and settings.sample is None:
        warn_of_space(reader.estimated_bytes, settings, work, notice)
    with timer.stage("choose records") if settings.sample else nullcontext():
        records = choose_records(reader, settings, work)
    return prepare_source(
        records, known, settings, engine, timer, work, notice, earlier, warm_up, indexed_bytes, keeps_files=keeps_files
    )


def prepare_source(
    records: RecordSource,
    known: KnownRecords | None,
    settings: Settings,
    engine: LocalEngine,
    timer: StageTimer,
    work: Path,
    notice: Notice | None = None,
    earlier: EarlierBatches | None = None,
    warm_up: WarmUp | None = None,
    indexed_bytes: int = 0,
    *,
    keeps_files: bool = False,
) -> PreparedArticles:
    """Prepare the batches of `records` and `known` in `work`; return what `prepare_articles` returns."""
    earlier, notice = earlier or EarlierBatches(), notice or timer.log.copying(None)
    size, batches_read = records.total_bytes, preview_records(iter(records), settings, notice)
    if size is None:  # standard input, which is a small job if it ends early
        size, batches_read = read_ahead(batches_read, SMALL_BYTES)
    if known is not None and size is not None:
        size = None if known.total_bytes is None else size + known.total_bytes
    if size is not None and size >= _LOOKED_UP_BYTES:
        size += indexed_bytes
    workers = engine.workers(size, timer)
    budget = ResourceBudget(engine.matching_bytes, workers.processes, work, timer.step)
    starting = partial(warm_up, settings, workers.backend) if warm_up else None
    known_batches: list[PreparedBatch] = []
    if known is not None:
        read = zip(preview_records(iter(known), settings), repeat(engine.batch_bytes), strict=False)
        known_batches = prepare_batches(read, known, settings, workers, timer, work / "known", starting)
        check_corpus(Corpus(known_batches, budget), [str(entry["source"]) for entry in known.inputs], settings, notice)
    read = zip(batches_read, chain(earlier.batch_bytes(), repeat(engine.batch_bytes)), strict=False)
    batches = prepare_batches(read, records, settings, workers, timer, work, starting, earlier)
    if line := earlier.closing_line():
        notice(line)
    prepared, bytes_read = sum(batch.stat().st_size for batch in batches), sum(records.sizes)
    timer.log.write("prepared", batches=len(batches), reused=earlier.used, bytes=bytes_read, bytes_of_batches=prepared)
    keeps_files = keeps_files and has_room_to_keep(prepared, bytes_read, free_bytes(work))
    corpus = Corpus([*known_batches, *batches], budget, len(known_batches), keeps_files=keeps_files)
    check_corpus(corpus.new_part(), [str(entry["source"]) for entry in records.inputs], settings, notice)
    check_sources(records.inputs, known.inputs if known else [])
    return PreparedArticles(workers, records, corpus, None if known is None else known.summary)
