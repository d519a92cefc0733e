"""Find the site text of a corpus and set it apart, so that articles are compared by the text that is their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Protocol, TypeVar

import pyarrow as pa

from dedup.kernels.backend import Backend, load_backend
from dedup.match.known_lines import KnownLine
from dedup.match.paragraph_columns import ParagraphColumns, read_paragraph_columns
from dedup.match.reviewed import ReviewedCorpus
from dedup.match.site_text import SiteText, find_site_text
from dedup.prepare.corpus import Corpus
from dedup.prepare.site_text import take_out_site_text
from dedup.prepare.store import PreparedBatch, discard_batch, from_ipc, load_batch, store_changed_batch, to_ipc
from dedup.settings import Settings

_Item = TypeVar("_Item")
_Changed = TypeVar("_Changed")


class BatchWorkers(Protocol):
    """What changes batches, such as `dedup.engines.local.Workers`."""

    @property
    def compiled(self) -> bool:
        """Whether compiled functions are used."""

    @property
    def backend(self) -> Backend:
        """The functions of this process."""

    def map(self, task: Callable[[_Item], _Changed], items: Iterable[_Item]) -> Iterator[_Changed]:
        """Yield ``task(item)`` for each item, in order."""


def set_site_text_apart(
    corpus: Corpus,
    settings: Settings,
    workers: BatchWorkers,
    reviewed: ReviewedCorpus | None = None,
    known_lines: Sequence[KnownLine] = (),
) -> tuple[Corpus, ParagraphColumns, SiteText]:
    """Return the corpus in which articles are compared without site text, its paragraphs, and the site text.

    Batches without any site text stay as they are. The lines that `reviewed` rejects stay in their articles.
    `known_lines` are site text as well.
    """
    paragraphs = read_paragraph_columns(corpus, workers.backend)
    site_text = find_site_text(corpus, paragraphs, settings, workers.backend, reviewed, known_lines)
    numbers = site_text.batches(corpus)
    if not numbers:
        return corpus, paragraphs, site_text
    tasks = ((corpus.prepared_batches[number], to_ipc(site_text.of(corpus, number))) for number in numbers)
    cleared = workers.map(partial(_clear_batch, settings=settings, compiled=workers.compiled), tasks)
    batches = list(corpus.prepared_batches)
    for number, batch in zip(numbers, cleared, strict=True):
        if not corpus.keeps_files:
            discard_batch(batches[number])
        batches[number] = batch
    cleared_corpus = corpus.with_batches(batches)
    words, sizes = cleared_corpus.read_paragraphs("words", "size")
    paragraphs = paragraphs._replace(words=words, sizes=sizes).without(site_text.numbers)
    return cleared_corpus, paragraphs, site_text


def _clear_batch(task: tuple[PreparedBatch, bytes], settings: Settings, compiled: bool) -> PreparedBatch:
    """Take the site text out of one prepared batch; runs in a worker process.

    `task` is the batch, and its lines as `SiteText.of` returns them. A stored batch stays beside the changed one.
    """
    batch, site_text = task
    cleared = take_out_site_text(load_batch(batch), from_ipc(site_text), settings, load_backend(compiled=compiled))
    return cleared if isinstance(batch, pa.RecordBatch) else store_changed_batch(batch, cleared)
