"""Compare one article with those of a store, with the functions that a run uses for many.

First, the lines of the article that are known to be site text of its host are set apart. The store gives candidates:
the articles that share enough hashes with the new one. This module builds a corpus with the candidates as known
articles and the new one as the only other article; `dedup.pipeline.decide` does the rest. Without candidates, nothing
is compared.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, U64
from dedup.decide.outcomes import outcomes
from dedup.decide.verdicts import NO_VERDICTS
from dedup.engines.local import Workers
from dedup.errors import EngineError, InputError
from dedup.index.postings import candidates_of, find_hits
from dedup.index.session import survival_marks
from dedup.index.stored_articles import prepare_stored
from dedup.kernels import reference
from dedup.kernels.backend import SMALL_BYTES, Backend, load_backend
from dedup.match.known_lines import KnownLine
from dedup.match.own_text import set_site_text_apart
from dedup.match.policy import BOILERPLATE, SAME_FORM
from dedup.online.learning import COUNTED_ARTICLES, encode_lost, is_due, learn_lines
from dedup.online.stored_rows import (
    RowHashes,
    article_id,
    decode_rows,
    encode_row,
    has_words,
    hash_row,
    id_key,
    line_digests_of,
    marked_row,
    stored_additions,
    stored_host,
    with_place,
)
from dedup.online.stores import Addition, CountedArticle, Learner, StoreReader
from dedup.online.verdict import IndexVerdict, verdict_of
from dedup.pipeline import decide
from dedup.prepare.columns import prepared_schema
from dedup.prepare.corpus import Corpus
from dedup.prepare.failing_records import prepare_or_quarantine
from dedup.prepare.sample_articles import prepare_sample
from dedup.prepare.store import load_batch
from dedup.read.objects import GivenArticles, RowEncoder, record_batch
from dedup.rules import OFF
from dedup.runtime.progress import StageTimer
from dedup.settings import Settings

# From this many candidates on, compiled functions are worth the longer calls. Medians for 507 press releases,
# half of them of few forms: 32 ms with compiled functions alone, 23 ms with plain ones alone, 14 ms with this limit.
_MANY_CANDIDATES = 12
_PLAIN_BYTES = SMALL_BYTES // 4  # of text; a service runs for long, so compiled functions are loaded early
_NO_CANDIDATES: I64 = np.empty(0, np.int64)
LinesOf = Callable[[str | None, Sequence[bytes]], list[KnownLine]]  # `ArticleStore.known_lines`


def online_settings(settings: Settings) -> Settings:
    """Return `settings` for one article at a time: the first article is kept, and no test set is looked for.

    A record without a text is quarantined, and `Judge.prepare` raises its error.
    """
    return replace(settings, keep="first", on_error="quarantine", rules={**settings.rules, "known-passage": OFF})


class PreparedArticle(NamedTuple):
    """An article without its site text, cleaned by the rules within it, and the hashes by which it is looked up.

    `whole` is its row with its site text. `host` is its host, None if the article does not count for site text.
    """

    row: pa.RecordBatch
    hashes: RowHashes
    whole: pa.RecordBatch
    host: str | None


class Judge:
    """A judge of single articles by `settings`; threads may share it.

    It starts with plain functions. After some text, a thread loads compiled ones, so that no article waits for them.
    Matching a few articles is faster with plain functions.
    """

    def __init__(self, settings: Settings) -> None:
        settings = online_settings(settings)
        self._site_settings = settings
        # Site text is taken out of an article before it is compared, and not looked for again.
        self.settings = replace(settings, rules={**settings.rules, BOILERPLATE: OFF})
        self._schema = prepared_schema(settings)
        self._encoder = RowEncoder(GivenArticles(iter(())), settings)
        self._given = GivenArticles(iter(()), texts=True)
        self._size = 0
        self._compiled: Backend | None = None
        self._loading = threading.Lock()

    def _count(self, size: int) -> None:
        """Add `size` bytes of text; start to load compiled functions when there was enough."""
        self._size += size
        if self._size >= _PLAIN_BYTES and self._compiled is None and self._loading.acquire(blocking=False):
            threading.Thread(target=self._load, name="dedup-loading", daemon=True).start()

    def _load(self) -> None:
        """Load the compiled functions and call each once; continue without them if they cannot be compiled."""
        try:
            backend = load_backend(compiled=True)
        except EngineError:
            return
        batch, settings = prepare_sample(self.settings, backend)
        decide(Corpus([batch]), settings, Workers(compiled=True), StageTimer())
        self._compiled = backend

    def prepare(self, article: Mapping[str, Any] | str, lines_of: LinesOf) -> PreparedArticle:
        """Return an article, cleaned by the rules within it, and without its site text.

        `lines_of` returns the known lines of its host. Raises `InputError` if it is not an article.
        """
        given = self._given if isinstance(article, str) else self._given._replace(texts=False)
        records = record_batch([self._encoder.readable(given.mapping(article, 0, self.settings))], 0)
        self._count(records.nbytes)
        backend = self._compiled or reference
        row = prepare_or_quarantine(records, self.settings, backend)
        error = row.column("error")[0].as_py()
        if error is not None:
            raise InputError(f"article: {error}")
        whole, host = row, None
        if self._site_settings.rules[BOILERPLATE] != OFF:
            host = stored_host(row)
            row = self._without_site_text(row, lines_of(host, line_digests_of(row)))
        return PreparedArticle(row, hash_row(row, self.settings, backend), whole, host)

    def _without_site_text(self, row: pa.RecordBatch, lines: Sequence[KnownLine]) -> pa.RecordBatch:
        """Return the row of an article with the lines that are known to be site text, as a run sets them apart.

        One article by itself has no other site text.
        """
        if not lines:
            return row
        workers = Workers(compiled=self._compiled is not None)
        corpus, _, _ = set_site_text_apart(Corpus([row]), self._site_settings, workers, known_lines=lines)
        return load_batch(corpus.prepared_batches[0])

    def judge(self, prepared: PreparedArticle, store: StoreReader) -> tuple[IndexVerdict, Addition | None]:
        """Return the verdict on an article, and the addition to the store if the article is kept and has words."""
        row = with_place(prepared.row, store.next_number)
        hashes, wanted = prepared.hashes
        postings = store.find(wanted.hashes)
        numbers = candidates_of(wanted, [find_hits(wanted, *postings)]) if len(postings.hashes) else _NO_CANDIDATES
        if len(numbers):
            verdict, stored = self._compare(row, store.read(numbers))
        else:
            verdict, stored = self._judge_alone(row), row
        if not (verdict.kept and has_words(row)):
            return verdict, None
        if stored is not row:
            hashes = hash_row(stored, self.settings, self._compiled or reference).stored
        has_lost = prepared.host is not None and (stored is not row or prepared.row is not prepared.whole)
        lost = encode_lost(prepared.whole) if has_lost else None
        return verdict, Addition(id_key(article_id(row)), encode_row(stored), hashes, prepared.host, lost)

    def _judge_alone(self, row: pa.RecordBatch) -> IndexVerdict:
        """Return the verdict on an article that shares nothing with the others."""
        (outcome,) = outcomes(row, NO_VERDICTS, self.settings)
        return verdict_of(outcome, outcome)

    def _compare(self, row: pa.RecordBatch, candidates: list[bytes]) -> tuple[IndexVerdict, pa.RecordBatch]:
        """Compare an article with `candidates`, and return the verdict and the row to store."""
        known = decode_rows(candidates, self._schema)
        corpus = Corpus([known, row], known_batches=1)
        workers = Workers(compiled=self._compiled is not None and len(candidates) >= _MANY_CANDIDATES)
        verdicts, _ = decide(corpus, self.settings, workers, StageTimer())
        (outcome,) = outcomes(row, verdicts.of(1), self.settings)
        alone = next(outcomes(row, NO_VERDICTS, self.settings)) if outcome.dropped else outcome
        marks = survival_marks(verdicts)
        stored = marked_row(
            row,
            survives=bool(marks.articles[-1]),
            contains=bool(verdicts.articles.rules[-1] != SAME_FORM),
            paragraphs=marks.paragraphs[corpus.paragraph_offsets[-2] :],
        )
        return verdict_of(outcome, alone), stored

    def learner(self) -> Learner:
        """Return the functions by which a store learns site text from the articles that were added."""

        def find(articles: Sequence[CountedArticle]) -> list[KnownLine]:
            return learn_lines(articles, self._schema, self._site_settings, self._compiled or reference)

        return Learner(is_due, find, COUNTED_ARTICLES)

    def additions(self, stored: pa.RecordBatch) -> list[Addition]:
        """Return the additions to a store for articles of a batch index."""
        self._count(stored.nbytes)
        backend = self._compiled or reference
        return stored_additions(prepare_stored(stored, self.settings, backend), self.settings, backend)

    def hashes_of(self, row: bytes) -> U64:
        """Return the hashes under which a store keeps a row: uint64 [hashes]."""
        return hash_row(decode_rows([row], self._schema), self.settings, reference).stored
