"""Match paragraphs across articles: boilerplate first, then paragraphs that several articles share.

Only paragraphs of articles that stay count, in order of appearance; paragraphs that a rule within an article has
dropped have no words here. Boilerplate is decided first, by equal keys and counts alone. Paragraphs that are left and
long enough are compared as articles are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, U64, Bools, Floats, decode_utf8
from dedup.fingerprint.minhash import bands
from dedup.fingerprint.similarity import Comparer
from dedup.kernels import reference
from dedup.match.articles import ArticleMatches
from dedup.match.boilerplate import Evidence, Lines, find_boilerplate
from dedup.match.buckets import (
    Entries,
    bucket_entries,
    find_first_equal,
    find_shared_values,
    first_equal_places,
    texts_to_compare,
)
from dedup.match.policy import (
    BOILERPLATE,
    PARAGRAPH_MATCH_RULES,
    SHARED_PARAGRAPH,
    keeps_similar_paragraphs,
    protected_roles,
)
from dedup.match.survivors import SURVIVES, ComparedTexts, find_survivors
from dedup.prepare.batch import SHARED_WORDS
from dedup.prepare.columns import digest_values, integer_values, join_chunks
from dedup.prepare.corpus import Corpus, KeyReader
from dedup.prepare.store import PreparedBatch, load_batch
from dedup.rules import OFF
from dedup.segment.digests import key_halves
from dedup.settings import PARAGRAPH_SHINGLE, Settings


class ParagraphMatches(NamedTuple):
    """One value per paragraph that repeats another; paragraphs are numbered by appearance in the whole corpus.

    `numbers` are those of the repeats, ascending: int64 [matches]. `rules` holds codes of
    `dedup.match.policy.PARAGRAPH_MATCH_RULES`: int8 [matches]. `twins` is the number of the paragraph that is repeated:
    int64 [matches]. `similarities` is float64 [matches]. `articles` is the row of the article, and ``raw_starts`` and
    ``raw_stops`` the span in its raw text, in code points: int64 [matches]; the fields that begin with `twin_` are the
    same for the twin. `evidence` says what was counted. `candidates` and `matches` count pairs of paragraphs that were
    compared.
    """

    numbers: I64
    rules: npt.NDArray[np.int8]
    twins: I64
    similarities: Floats
    articles: I64
    raw_starts: I64
    raw_stops: I64
    twin_articles: I64
    twin_starts: I64
    twin_stops: I64
    evidence: Evidence
    candidates: int
    matches: int


class _ParagraphColumns(NamedTuple):
    """What matching needs of every paragraph, in order of appearance.

    `articles` is the row of its article, and `keys` the first paragraph of equal key and facts: int64 [paragraphs].
    `words` is int32, `sizes` the weighted number of words, `needed` the role within its article: int8. `hosts` numbers
    the host of each article, int64 [articles], and `host_names` has their names.
    """

    articles: I64
    words: npt.NDArray[np.int32]
    keys: I64
    sizes: Floats
    needed: npt.NDArray[np.int8]
    hosts: I64
    host_names: list[str | None]

    def count_articles(self, kept: Bools) -> I64:
        """Return the number of `kept` articles, bool [articles], of each host: int64 [hosts]."""
        return np.bincount(self.hosts[kept], minlength=len(self.host_names)).astype(np.int64)


class _SharedParagraphs(NamedTuple):
    """The paragraphs that are shared: their numbers and twins, int64, similarities, float64, and pairs compared."""

    numbers: I64
    twins: I64
    similarities: Floats
    candidates: int
    matches: int


def match_paragraphs(
    corpus: Corpus, articles: ArticleMatches, settings: Settings, comparer: Comparer = reference
) -> ParagraphMatches:
    """Match the paragraphs of the articles that stay."""
    columns = _read_columns(corpus, comparer)
    count = len(columns.articles)
    rules = np.zeros(count, np.int8)
    twins = np.zeros(count, np.int64)  # zeros take no memory before they are written to
    similarities = np.zeros(count)
    candidates = matches = 0
    present = articles.kept[columns.articles] & (columns.words > 0)
    evidence, counted = Evidence.none(0), np.empty(0, np.int64)
    if settings.rules[PARAGRAPH_MATCH_RULES[BOILERPLATE]] != OFF:
        counted, twins_of_counted, evidence = _match_boilerplate(corpus, columns, articles.kept, present, settings)
        rules[counted] = BOILERPLATE
        twins[counted] = twins_of_counted
        present[counted] = present[twins_of_counted] = False  # the copy that stays is not dropped for another text
    if settings.rules[PARAGRAPH_MATCH_RULES[SHARED_PARAGRAPH]] != OFF:
        shared = _match_shared(corpus, columns, articles, present, settings, comparer)
        rules[shared.numbers] = SHARED_PARAGRAPH
        twins[shared.numbers] = shared.twins
        similarities[shared.numbers] = shared.similarities
        candidates, matches = shared.candidates, shared.matches
    numbers = np.flatnonzero(rules)
    evidence_of_all = Evidence.none(len(numbers))._replace(texts=evidence.texts)
    evidence_of_all.numbers[np.searchsorted(numbers, counted)] = evidence.numbers
    raw_starts, raw_stops = corpus.read_paragraphs("raw_start", "raw_stop", numbers=numbers)
    twin_starts, twin_stops = corpus.read_paragraphs("raw_start", "raw_stop", numbers=twins[numbers])
    return ParagraphMatches(
        numbers=numbers,
        rules=rules[numbers],
        twins=twins[numbers],
        similarities=np.where(rules[numbers] == SHARED_PARAGRAPH, similarities[numbers], 1.0),
        articles=columns.articles[numbers],
        raw_starts=raw_starts,
        raw_stops=raw_stops,
        twin_articles=columns.articles[twins[numbers]],
        twin_starts=twin_starts,
        twin_stops=twin_stops,
        evidence=evidence_of_all,
        candidates=candidates,
        matches=matches,
    )


def _match_boilerplate(
    corpus: Corpus, columns: _ParagraphColumns, kept: Bools, present: Bools, settings: Settings
) -> tuple[I64, I64, Evidence]:
    """Return the paragraphs that are boilerplate, ascending, their twins, and the evidence.

    `kept` is bool [articles]; `present`, bool [paragraphs], says which paragraphs are counted.
    """
    totals = columns.count_articles(kept)
    lines = Lines(columns.articles, columns.keys, columns.sizes, present, columns.hosts, totals)
    boilerplate = find_boilerplate(lines, columns.host_names, lambda numbers: _read_texts(corpus, columns, numbers))
    removable = ~np.isin(columns.needed[boilerplate.rows], protected_roles(BOILERPLATE, settings))
    return boilerplate.rows[removable], boilerplate.twins[removable], boilerplate.evidence.at(removable)


def _match_shared(
    corpus: Corpus,
    columns: _ParagraphColumns,
    articles: ArticleMatches,
    present: Bools,
    settings: Settings,
    comparer: Comparer,
) -> _SharedParagraphs:
    """Return the paragraphs that are similar to one of an earlier article; `present` is bool [paragraphs]."""
    rows = np.flatnonzero(present & (columns.words >= SHARED_WORDS))
    firsts = first_equal_places(columns.keys[rows], len(columns.keys))
    buckets = _shared_paragraph_buckets(corpus, rows, firsts, bands(settings.paragraph_threshold)[0], comparer)
    compared = texts_to_compare(firsts, buckets, comparer)
    rows = rows[compared.texts]
    starts, stops = corpus.read_paragraphs("key_start", "key_stop", numbers=rows)
    keys = KeyReader(corpus, columns.articles[rows], starts, stops)
    words = columns.words[rows].astype(np.int64)
    wordings = _read_wordings(corpus, rows)
    texts = ComparedTexts(compared.firsts, compared.buckets, words, wordings, columns.articles[rows])
    survival = find_survivors(texts, keys, PARAGRAPH_SHINGLE, settings.paragraph_threshold, comparer)
    has_twin = survival.twins != SURVIVES
    has_twin &= ~np.isin(columns.needed[rows], protected_roles(SHARED_PARAGRAPH, settings))
    if keeps_similar_paragraphs(settings):
        is_equal = texts.firsts == texts.firsts[survival.twins]
        has_twin &= is_equal | ~articles.have_one_form()[columns.articles[rows]]
    return _SharedParagraphs(
        numbers=rows[has_twin],
        twins=rows[survival.twins[has_twin]],
        similarities=survival.similarities[has_twin],
        candidates=survival.candidates,
        matches=survival.matches,
    )


def _read_wordings(corpus: Corpus, rows: I64) -> U64:
    """Return the wordings of the paragraphs `rows`, int64, ascending, as `ComparedTexts` has them: uint64 [rows]."""
    borders = np.searchsorted(rows, corpus.paragraph_offsets[corpus.starts])
    wordings = np.empty(len(rows), np.uint64)
    for number, (digests,) in enumerate(corpus.iter_paragraphs("digest")):
        span = slice(borders[number], borders[number + 1])
        first = corpus.paragraph_offsets[corpus.starts[number]]
        wordings[span] = key_halves(digest_values(digests)[rows[span] - first])
    return wordings


def _shared_paragraph_buckets(
    corpus: Corpus, rows: I64, firsts: I64, bands: int, comparer: Comparer
) -> Iterator[tuple[Entries, U64]]:
    """Return the buckets that paragraphs of different keys share, with the first paragraph of each key.

    `rows` are the numbers of the paragraphs, ascending, and `firsts` for each the place, in `rows`, of the first of
    equal key: int64 [paragraphs]. What is yielded is as `find_shared_values` says.
    """
    distinct = np.flatnonzero(firsts == np.arange(len(firsts))).astype(np.uint32)
    borders = corpus.paragraph_offsets[corpus.starts]
    places = np.searchsorted(distinct, np.searchsorted(rows, borders))

    def entries_of_piece(number: int, low: int, high: int) -> Entries:
        column = load_batch(corpus.prepared_batches[number], ["paragraph_buckets"]).column(0).flatten()
        texts = distinct[places[number] : places[number + 1]]
        in_piece = rows[texts] - borders[number]
        has_buckets = np.asarray(column.is_valid())[in_piece]
        values = np.asarray(column.values).reshape(len(column), bands)[in_piece[has_buckets]]
        return bucket_entries(texts[has_buckets], values, low, high, comparer)

    def entries(low: int, high: int) -> Iterator[Entries]:
        return corpus.budget.map(
            lambda number: entries_of_piece(number, low, high), range(len(corpus.prepared_batches))
        )

    return find_shared_values(entries, len(distinct) * bands, comparer, corpus.budget)


def _read_columns(corpus: Corpus, comparer: Comparer) -> _ParagraphColumns:
    """Return the columns of all paragraphs of `corpus`."""
    table = corpus.read_columns("host")
    encoded = join_chunks(table["host"]).dictionary_encode()
    names = [None if name is None else decode_utf8(name) for name in encoded.dictionary.to_pylist()]
    hosts = integer_values(encoded.indices, len(names))
    words, sizes, needed = corpus.read_paragraphs("words", "size", "needed")
    digests = lambda: (digest_values(digest) for (digest,) in corpus.iter_paragraphs("digest"))  # noqa: E731 - once for each pass
    return _ParagraphColumns(
        articles=np.repeat(np.arange(len(corpus), dtype=np.int64), np.diff(corpus.paragraph_offsets)),
        words=words,
        keys=find_first_equal(digests, len(words), comparer, corpus.budget),
        sizes=sizes,
        needed=needed,
        hosts=hosts,
        host_names=[*names, None],
    )


def _read_texts(corpus: Corpus, columns: _ParagraphColumns, numbers: I64) -> list[str]:
    """Return the raw text of the paragraphs `numbers`, int64 [paragraphs], in their order."""
    texts = [""] * len(numbers)
    order = np.argsort(numbers, kind="stable")
    articles = columns.articles[numbers[order]]
    starts, stops = corpus.read_paragraphs("raw_start", "raw_stop", numbers=numbers[order])

    def read_piece(part: tuple[int, PreparedBatch, int, int]) -> None:
        _, piece, first_row, stop_row = part
        low, high = np.searchsorted(articles, (first_row, stop_row)).tolist()
        if low == high:
            return
        raw_texts = load_batch(piece, ["text"]).column(0)
        previous, raw = -1, ""
        for place in range(low, high):
            if articles[place] != previous:
                previous = int(articles[place])
                raw = decode_utf8(raw_texts[previous - first_row].as_py())
            texts[order[place]] = raw[starts[place] : stops[place]]

    for _ in corpus.budget.map(read_piece, corpus.numbered_batches()):
        pass
    return texts
