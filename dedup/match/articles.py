"""Match articles with equal or similar articles, and decide by priority which of them stay."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.arrays import I64, U64, Bools, Floats
from dedup.fingerprint.similarity import Comparer
from dedup.kernels import reference
from dedup.match.buckets import Entries, bucket_entries, find_first_equal, find_shared_values, texts_to_compare
from dedup.match.form_guard import FormGuard
from dedup.match.form_names import SHORT_FORM
from dedup.match.policy import (
    DUPLICATE,
    NEAR_DUPLICATE,
    NO_DATE,
    NO_MATCH,
    SAME_FORM,
    copies_repeat_first,
    inactive_codes,
    is_guarded,
    missing_dates_error,
    removing_codes,
)
from dedup.match.same_story import SAME_STORY_EVIDENCE
from dedup.match.survivors import SURVIVES, ComparedTexts, find_survivors
from dedup.prepare.columns import digest_values, integer_values, join_chunks
from dedup.prepare.compared_texts import TextReader
from dedup.prepare.corpus import Corpus, KeyReader
from dedup.prepare.store import load_batch
from dedup.segment.batch import DIGEST_BYTES
from dedup.settings import ARTICLE_SHINGLE, Settings


class ArticleMatches(NamedTuple):
    """What each article repeats: one value per input record, in input order.

    `rules` holds codes of `dedup.match.policy.ARTICLE_MATCH_RULES`: int8 [articles]. `twins` is the row of the article
    that is repeated, -1 for none: int64 [articles]. `similarities` are Jaccard similarities to the twin: float64
    [articles]. `kept` is true for articles that stay in the output: bool [articles]. `evidence` has a text for some
    rows. `candidates`, `matches` and `lookups` are those of `dedup.match.survivors.Survival`. `brought_back` are the
    articles that stay only because a review rejects their drop: bool [articles]; None without a review.
    """

    rules: npt.NDArray[np.int8]
    twins: I64
    similarities: Floats
    kept: Bools
    evidence: dict[int, str]
    candidates: int
    matches: int
    lookups: int
    brought_back: Bools | None = None

    def only_flag(self, rows: I64) -> Bools:
        """Return which of the articles in `rows`, int64, stay although the rule of their match may drop: bool."""
        only: Bools = self.rules[rows] == SAME_FORM
        return only if self.brought_back is None else only | self.brought_back[rows]

    def compared(self) -> Bools:
        """Return whose paragraphs are compared: bool [articles]."""
        return self.kept if self.brought_back is None else self.kept & ~self.brought_back

    def have_one_form(self) -> Bools:
        """Return which articles are of one form with another one and have other facts: bool [articles]."""
        flagged = np.flatnonzero(self.rules == SAME_FORM)
        of_form = np.zeros(len(self.rules), bool)
        of_form[flagged] = of_form[self.twins[flagged]] = True
        return of_form


def match_articles(
    corpus: Corpus,
    settings: Settings,
    comparer: Comparer = reference,
    removed: Bools | None = None,
    preferred: I64 | None = None,
) -> ArticleMatches:
    """Match every article of `corpus` with the equal or most similar article that stays.

    Records that could not be read, and articles without a single word, have no twin; the former are not kept. Nor have
    known articles, which all stay. Those that are `removed` already, bool [articles], are compared with nothing.
    `preferred` are the rows of articles that are decided before all others but the known ones: int64 [articles]. Raises
    `SettingsError` where articles are to be kept by date and none has one.
    """
    table = corpus.read_columns("error", "length", "date", "digest", "words", "title")
    readable = np.asarray(join_chunks(table["error"]).is_null())
    if removed is not None:
        readable = readable & ~removed
    words = integer_values(table["words"])
    order = _rows_by_priority(table, settings, readable & (words > 0), corpus.known_rows)
    if preferred is not None and len(preferred):
        rank = np.where(order < corpus.known_rows, 0, np.where(np.isin(order, preferred), 1, 2))
        first = preferred[np.isin(preferred, order[rank == 1])]
        order = np.concatenate([order[rank == 0], first, order[rank == 2]])
    ordered = digest_values(table["digest"])[order]
    titles = join_chunks(table["title"])
    equal_firsts = find_first_equal(lambda: [ordered], len(order), comparer, corpus.budget)
    firsts = equal_firsts
    if is_guarded(settings) and titles.null_count < len(titles):
        titled = _with_titles(ordered, words[order], titles.take(pa.array(order)))
        firsts = find_first_equal(lambda: [titled], len(order), comparer, corpus.budget)
    compared = texts_to_compare(firsts, _shared_article_buckets(corpus, order, firsts, comparer), comparer)
    rows = order[compared.texts]
    texts = ComparedTexts(compared.firsts, compared.buckets, words[rows], groups=_known_as_one_group(rows, corpus))
    keys = KeyReader(corpus, rows)
    guard = (
        FormGuard(
            TextReader(corpus, rows, settings.rules),
            titles.take(pa.array(rows)),
            _under_several_titles(compared.firsts, equal_firsts[compared.texts]),
            settings.threshold,
            compiled=comparer.compiled,
        )
        if is_guarded(settings)
        else None
    )
    survival = find_survivors(texts, keys, ARTICLE_SHINGLE, settings.least_article_similarity, comparer, guard)
    key_rows = np.full(len(corpus), -1, np.int64)  # the first row of the same key and facts
    key_rows[order] = order[equal_firsts]
    twins = np.full(len(corpus), SURVIVES, np.int64)
    similarities = np.ones(len(corpus))
    has_twin = survival.twins != SURVIVES
    twins[rows[has_twin]] = rows[survival.twins[has_twin]]
    similarities[rows] = survival.similarities
    rules = np.where(
        twins == SURVIVES, NO_MATCH, np.where(key_rows == key_rows[twins], DUPLICATE, NEAR_DUPLICATE)
    ).astype(np.int8)
    rules[rows[list(survival.flags)]] = SAME_FORM
    evidence = {int(rows[text]): flag.evidence for text, flag in survival.flags.items()}
    same_stories = np.flatnonzero((rules == NEAR_DUPLICATE) & (similarities < settings.threshold)).tolist()
    evidence |= dict.fromkeys(same_stories, SAME_STORY_EVIDENCE)
    if copies_repeat_first(settings):
        copies = (firsts != np.arange(len(order))) & (order >= corpus.known_rows)
        rules[order[copies]] = DUPLICATE
        twins[order[copies]] = order[firsts[copies]]
        similarities[order[copies]] = 1.0
    kept = readable & ~np.isin(rules, removing_codes(settings))
    inactive = np.isin(rules, inactive_codes(settings))
    twins[inactive], rules[inactive] = SURVIVES, NO_MATCH
    counts = survival.candidates, survival.matches, survival.lookups
    return ArticleMatches(rules, twins, similarities, kept, evidence, *counts)


def _known_as_one_group(rows: I64, corpus: Corpus) -> I64 | None:
    """Return groups of texts such that known articles never match each other, and all survive: int64 [texts].

    `rows` are those of the texts in priority order, int64 [texts]. Without known articles, there is no group. The
    groups of other texts ascend, as `dedup.kernels.survivors` remembers the answers for a text of a later group.
    """
    if not corpus.known_rows:
        return None
    return np.where(rows < corpus.known_rows, -1, np.arange(len(rows)))


def _under_several_titles(firsts: I64, equal_firsts: I64) -> I64:
    """Return the first text of each key whose words and facts another key has as well: int64 [texts].

    `firsts` is the first text of the same key, `equal_firsts` a number for the words and facts: int64 [texts].
    """
    keys = np.flatnonzero(firsts == np.arange(len(firsts)))
    _, groups, sizes = np.unique(equal_firsts[keys], return_inverse=True, return_counts=True)
    return keys[sizes[groups] > 1]


def _with_titles(digests: Any, words: I64, titles: pa.Array) -> Any:
    """Return the digests of articles, with the title in those of short texts: ``V16`` [articles].

    `digests` are ``V16`` [articles], `words` the numbers of words of the texts, int64 [articles]. Short texts of equal
    words under two titles are compared with each other, as similar ones are.
    """
    titled = digests.copy()
    for row in np.flatnonzero((words < SHORT_FORM) & np.asarray(titles.is_valid())).tolist():
        data = digests[row].tobytes() + titles[row].as_py()
        titled[row] = np.void(hashlib.blake2b(data, digest_size=DIGEST_BYTES).digest())
    return titled


def _shared_article_buckets(
    corpus: Corpus, order: I64, firsts: I64, comparer: Comparer
) -> Iterator[tuple[Entries, U64]]:
    """Return the buckets that articles of different keys share, with the first article of each key.

    `order` is the row of each article in priority order, `firsts` the place in it of the first article of equal digest:
    int64 [articles]. What is yielded is as `find_shared_values` says.
    """
    place_of_row = np.full(len(corpus), -1, np.int64)  # only of the first article of each key
    distinct = np.flatnonzero(firsts == np.arange(len(firsts)))
    place_of_row[order[distinct]] = distinct
    bands = (
        load_batch(corpus.prepared_batches[0], ["buckets"]).schema.field(0).type.list_size
        if corpus.prepared_batches
        else 0
    )

    def entries(low: int, high: int) -> Iterator[Entries]:
        def entries_of_piece(number: int) -> Entries:
            column = load_batch(corpus.prepared_batches[number], ["buckets"]).column(0)
            places = place_of_row[corpus.starts[number] : corpus.starts[number + 1]]
            rows = np.flatnonzero(np.asarray(column.is_valid()) & (places >= 0))
            values = np.asarray(column.values).reshape(len(column), bands)  # null rows hold zeros
            return bucket_entries(places[rows].astype(np.uint32), values[rows], low, high, comparer)

        return corpus.budget.map(entries_of_piece, range(len(corpus.prepared_batches)))

    return find_shared_values(entries, len(distinct) * bands, comparer, corpus.budget)


def _rows_by_priority(table: pa.Table, settings: Settings, comparable: Bools, known_rows: int) -> I64:
    """Return the rows that are `comparable`, the first to be decided first; ties stay in input order: int64.

    The first `known_rows` come before all others, in input order.
    """
    rows = np.flatnonzero(comparable)
    if settings.keep == "first":
        return rows
    known, rows = np.split(rows, [np.searchsorted(rows, known_rows)])
    if settings.keep == "longest":
        rank = -integer_values(table["length"])[rows]
    else:
        if len(rows) and table["date"].slice(known_rows).null_count == len(table) - known_rows:
            raise missing_dates_error(settings)
        dates = integer_values(table["date"], NO_DATE)[rows]
        rank = dates if settings.keep == "earliest" else np.where(dates == NO_DATE, NO_DATE, -dates)
    return np.concatenate([known, rows[np.argsort(rank, kind="stable")]])
