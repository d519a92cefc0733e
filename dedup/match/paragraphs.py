"""Paragraphs across articles: boilerplate by frequency, and paragraphs that two articles share.

Only paragraphs of articles that stay count, in order of appearance; those a rule within an article has dropped are gone
already. Boilerplate is decided first, by equal keys and counts alone; what is left and long enough is compared like
articles are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, U64, Floats, decode_utf8
from dedup.fingerprint.minhash import bands
from dedup.fingerprint.similarity import Comparer
from dedup.kernels import reference
from dedup.match.articles import ArticleMatches
from dedup.match.boilerplate import Evidence, Lines, find_boilerplate
from dedup.match.buckets import Entries, bucket_entries, compared, first_equal, first_places, shared
from dedup.match.survivors import SURVIVES, Texts, find_survivors
from dedup.prepare.batch import SHARED_WORDS
from dedup.prepare.columns import digest_values, flat_array, integer_values
from dedup.prepare.corpus import Corpus, KeyReader
from dedup.prepare.one_text import TWIN_ALONE
from dedup.prepare.store import PreparedBatch, load_batch
from dedup.settings import PARAGRAPH_SHINGLE, Settings

NONE, BOILERPLATE, SHARED = 0, 1, 2
PARAGRAPH_MATCH_RULES = ("", "boilerplate", "shared-paragraph")


class ParagraphMatches(NamedTuple):
    """One value per paragraph that repeats another; paragraphs of the whole corpus are numbered as they appear.

    `numbers` are those of the repeats, ascending: int64; `rules` indexes `PARAGRAPH_MATCH_RULES`: int8; `twins` is the number of the
    paragraph repeated; `articles` the row of the article it is in, `raw_starts` and `raw_stops` its span there, and the
    same of its twin: int64; `evidence` says what was counted.
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


class _Columns(NamedTuple):
    """The paragraph table, flattened; `hosts` numbers each article's host, `names` are theirs."""

    articles: I64
    words: npt.NDArray[np.int32]
    keys: I64
    sizes: Floats
    needed: npt.NDArray[np.int8]
    hosts: I64
    names: list[str | None]

    def totals(self, articles: ArticleMatches) -> I64:
        """How many articles of each host stay."""
        return np.bincount(self.hosts[articles.kept], minlength=len(self.names)).astype(np.int64)


def match_paragraphs(
    corpus: Corpus, articles: ArticleMatches, settings: Settings, comparer: Comparer = reference
) -> ParagraphMatches:
    """What becomes of every paragraph of the articles that stay."""
    columns = _columns(corpus, comparer)
    count = len(columns.articles)
    rules = np.zeros(count, np.int8)
    twins = np.zeros(count, np.int64)  # zeros take no memory before they are written to
    similarities = np.zeros(count)
    candidates = matches = 0
    present = articles.kept[columns.articles] & (columns.words > 0)
    evidence, counted = Evidence.none(0), np.empty(0, np.int64)
    if settings.rules["boilerplate"] != "off":
        lines = Lines(columns.articles, columns.keys, columns.sizes, present, columns.hosts, columns.totals(articles))
        standing = find_boilerplate(lines, columns.names, lambda numbers: _texts(corpus, columns, numbers))
        goes = columns.needed[standing.rows] != TWIN_ALONE  # the twin of a drop within its article stays
        rows = standing.rows[goes]
        rules[rows] = BOILERPLATE
        twins[rows] = standing.twins[goes]
        evidence, counted = standing.evidence.at(goes), rows
        present[rows] = present[twins[rows]] = False  # the copy that stays for them is not dropped for another
    if settings.rules["shared-paragraph"] != "off":
        rows = np.flatnonzero(present & (columns.words >= SHARED_WORDS))
        firsts = first_places(columns.keys[rows], len(columns.keys))
        chosen = compared(
            firsts, _buckets(corpus, rows, firsts, bands(settings.paragraph_threshold)[0], comparer), comparer
        )
        rows = rows[chosen.texts]
        starts, stops = corpus.paragraphs("key_start", "key_stop", numbers=rows)
        keys = KeyReader(corpus, columns.articles[rows], starts, stops)
        texts = Texts(chosen.firsts, chosen.buckets, columns.words[rows].astype(np.int64), columns.articles[rows])
        found = find_survivors(texts, keys, PARAGRAPH_SHINGLE, settings.paragraph_threshold, comparer)
        has_twin = found.twins != SURVIVES
        if settings.rules["shared-paragraph"] == "drop":  # the twin of a drop within its article stays
            has_twin &= columns.needed[rows] == 0
        rules[rows[has_twin]] = SHARED
        twins[rows[has_twin]] = rows[found.twins[has_twin]]
        similarities[rows[has_twin]] = found.similarities[has_twin]
        candidates, matches = found.candidates, found.matches
    numbers = np.flatnonzero(rules)
    told = Evidence.none(len(numbers))._replace(words=evidence.words)
    told.numbers[np.searchsorted(numbers, counted)] = evidence.numbers
    raw_starts, raw_stops = corpus.paragraphs("raw_start", "raw_stop", numbers=numbers)
    twin_starts, twin_stops = corpus.paragraphs("raw_start", "raw_stop", numbers=twins[numbers])
    return ParagraphMatches(
        numbers=numbers,
        rules=rules[numbers],
        twins=twins[numbers],
        similarities=np.where(rules[numbers] == SHARED, similarities[numbers], 1.0),
        articles=columns.articles[numbers],
        raw_starts=raw_starts,
        raw_stops=raw_stops,
        twin_articles=columns.articles[twins[numbers]],
        twin_starts=twin_starts,
        twin_stops=twin_stops,
        evidence=told,
        candidates=candidates,
        matches=matches,
    )


def _buckets(corpus: Corpus, rows: I64, firsts: I64, bands: int, comparer: Comparer) -> Iterator[tuple[Entries, U64]]:
    """The buckets that paragraphs of different keys share, with the first of `rows` of each key."""
    distinct = np.flatnonzero(firsts == np.arange(len(firsts))).astype(np.uint32)
    borders = corpus.paragraph_borders[corpus.starts]
    places = np.searchsorted(distinct, np.searchsorted(rows, borders))

    def part(number: int, low: int, high: int) -> Entries:
        column = load_batch(corpus.pieces[number], ["paragraph_buckets"]).column(0).flatten()
        mine = distinct[places[number] : places[number + 1]]
        at = rows[mine] - borders[number]
        sketched = np.asarray(column.is_valid())[at]
        values = np.asarray(column.values).reshape(len(column), bands)[at[sketched]]
        return bucket_entries(mine[sketched], values, low, high, comparer)

    def entries(low: int, high: int) -> Iterator[Entries]:
        return corpus.scratch.map(lambda number: part(number, low, high), range(len(corpus.pieces)))

    return shared(entries, len(distinct) * bands, comparer, corpus.scratch)


def _columns(corpus: Corpus, comparer: Comparer) -> _Columns:
    table = corpus.columns("host")
    encoded = flat_array(table["host"]).dictionary_encode()
    names = [None if name is None else decode_utf8(name) for name in encoded.dictionary.to_pylist()]
    hosts = integer_values(encoded.indices, len(names))
    words, sizes, needed = corpus.paragraphs("words", "size", "needed")
    every = lambda: (digest_values(digest) for (digest,) in corpus.each_of_paragraphs("digest"))  # noqa: E731 - once more for each pass
    return _Columns(
        articles=np.repeat(np.arange(len(corpus), dtype=np.int64), np.diff(corpus.paragraph_borders)),
        words=words,
        keys=first_equal(every, len(words), comparer, corpus.scratch),
        sizes=sizes,
        needed=needed,
        hosts=hosts,
        names=[*names, None],
    )


def _texts(corpus: Corpus, columns: _Columns, rows: I64) -> list[str]:
    """The raw text of the paragraphs `rows`."""
    found = [""] * len(rows)
    order = np.argsort(rows, kind="stable")
    articles = columns.articles[rows[order]]
    starts, stops = corpus.paragraphs("raw_start", "raw_stop", numbers=rows[order])

    def read(part: tuple[int, PreparedBatch, int, int]) -> None:
        _, piece, first, behind = part
        low, high = np.searchsorted(articles, (first, behind)).tolist()
        if low == high:
            return
        texts = load_batch(piece, ["text"]).column(0)
        previous, text = -1, ""
        for at in range(low, high):
            if articles[at] != previous:
                previous = int(articles[at])
                text = decode_utf8(texts[previous - first].as_py())
            found[order[at]] = text[starts[at] : stops[at]]

    for _ in corpus.scratch.map(read, corpus.batches()):
        pass
    return found
