"""Paragraphs across articles: boilerplate by frequency, and paragraphs that two articles share.

Only paragraphs of articles that stay count, in order of appearance; those a rule within an article has dropped are gone
already. Boilerplate is decided first, by equal keys and counts alone; what is left and long enough is compared like
articles are.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup import fingerprint
from dedup.fingerprint import I64, U32, Comparer, Floats
from dedup.layers import ALONE
from dedup.match import Articles
from dedup.pieces import Corpus, digests, flat, integers
from dedup.prepare import SHARED_WORDS
from dedup.settings import PARAGRAPH_SHINGLE, Settings
from dedup.survive import SURVIVES, Texts, survive

# A paragraph is boilerplate when it is short and stands in many articles of one host. Fewest and most words, as
# `dedup.segment.size_of` counts them: background paragraphs that a newsroom reuses are longer.
BOILERPLATE_WORDS = (2, 20)
BOILERPLATE_ARTICLES = 5  # in at least so many articles
BOILERPLATE_SHARE = 0.05  # and in at least this share of the host's articles

NONE, BOILERPLATE, SHARED = 0, 1, 2
RULES = ("", "boilerplate", "shared-paragraph")


class Paragraphs(NamedTuple):
    """One value per paragraph of the whole corpus, in order of appearance.

    `rules` indexes `RULES`: int8; `twins` is the number of the paragraph repeated, or -1: int64; `articles` the row of
    the article it is in, `raw_starts` and `raw_stops` its span there: int64; `evidence` says what was counted.
    """

    rules: npt.NDArray[np.int8]
    twins: I64
    similarities: Floats
    articles: I64
    raw_starts: I64
    raw_stops: I64
    evidence: dict[int, str]
    candidates: int
    matches: int


class _Columns(NamedTuple):
    """The paragraph table, flattened; `hosts` numbers each article's host, `names` are theirs."""

    articles: I64
    words: I64
    keys: I64
    buckets: U32
    sketched: npt.NDArray[np.bool_]
    sizes: Floats
    needed: I64
    values: Any
    hosts: I64
    names: list[str | None]


def match_paragraphs(
    corpus: Corpus, articles: Articles, settings: Settings, comparer: Comparer = fingerprint
) -> Paragraphs:
    """What becomes of every paragraph of the articles that stay."""
    columns = _columns(corpus)
    count = len(columns.articles)
    rules = np.zeros(count, np.int8)
    twins = np.full(count, SURVIVES, np.int64)
    similarities = np.ones(count)
    candidates = matches = 0
    present = articles.kept[columns.articles] & (columns.words > 0)
    evidence: dict[int, str] = {}
    if settings.rules["boilerplate"] != "off":
        evidence = _boilerplate(columns, articles, present, rules, twins)
        is_boilerplate = np.isin(columns.keys, columns.keys[rules == BOILERPLATE])
        present &= ~is_boilerplate
    if settings.rules["shared-paragraph"] != "off":
        rows = np.flatnonzero(present & (columns.words >= SHARED_WORDS))
        texts = Texts(columns.keys[rows], columns.buckets[rows], columns.sketched[rows], columns.articles[rows])
        starts, stops = integers(columns.values.field("key_start")), integers(columns.values.field("key_stop"))

        def keys_of(numbers: I64) -> list[bytes]:
            wanted = rows[numbers]
            return corpus.paragraph_keys(columns.articles[wanted], starts[wanted], stops[wanted])

        found = survive(texts, keys_of, PARAGRAPH_SHINGLE, settings.paragraph_threshold, comparer)
        has_twin = found.twins != SURVIVES
        if settings.rules["shared-paragraph"] == "drop":  # the twin of a drop within its article stays
            has_twin &= columns.needed[rows] == 0
        rules[rows[has_twin]] = SHARED
        twins[rows[has_twin]] = rows[found.twins[has_twin]]
        similarities[rows] = found.similarities
        candidates, matches = found.candidates, found.matches
    return Paragraphs(
        rules,
        twins,
        similarities,
        columns.articles,
        integers(columns.values.field("raw_start")),
        integers(columns.values.field("raw_stop")),
        evidence,
        candidates,
        matches,
    )


def _columns(corpus: Corpus) -> _Columns:
    table = corpus.columns("paragraphs", "paragraph_buckets", "host")
    lists = flat(table["paragraphs"])
    sizes = np.diff(np.asarray(lists.offsets))
    values = lists.flatten()
    buckets = flat(table["paragraph_buckets"]).flatten()
    encoded = flat(table["host"]).dictionary_encode()
    names = [None if name is None else fingerprint.decode(name) for name in encoded.dictionary.to_pylist()]
    hosts = integers(encoded.indices, len(names))
    _, keys = np.unique(digests(values.field("digest")), return_inverse=True)
    return _Columns(
        articles=np.repeat(np.arange(len(corpus), dtype=np.int64), sizes),
        words=integers(values.field("words")),
        keys=keys.astype(np.int64),
        buckets=np.asarray(buckets.values).reshape(len(buckets), buckets.type.list_size),
        sketched=np.asarray(buckets.is_valid()),
        sizes=np.asarray(flat(values.field("size"))),
        needed=integers(values.field("needed")),
        values=values,
        hosts=hosts,
        names=[*names, None],
    )


def _boilerplate(
    columns: _Columns, articles: Articles, present: npt.NDArray[np.bool_], rules: npt.NDArray[np.int8], twins: I64
) -> dict[int, str]:
    """Marks the boilerplate in `rules` and `twins`; says for each what was counted."""
    fewest, most = BOILERPLATE_WORDS
    rows = np.flatnonzero(present & (columns.sizes >= fewest) & (columns.sizes <= most))
    totals = np.bincount(columns.hosts[articles.kept], minlength=len(columns.names))
    # one row per (key, host, article), to count articles rather than paragraphs
    triples = np.stack([columns.keys[rows], columns.hosts[columns.articles[rows]], columns.articles[rows]], axis=1)
    distinct = np.unique(triples, axis=0)
    pairs, counts = np.unique(distinct[:, :2], axis=0, return_counts=True)
    least = np.maximum(BOILERPLATE_ARTICLES, np.ceil(BOILERPLATE_SHARE * totals[pairs[:, 1]]))
    many = {
        (int(key), int(host)): int(count)
        for (key, host), count in zip(pairs[counts >= least], counts[counts >= least], strict=True)
    }
    evidence: dict[int, str] = {}
    first: dict[int, int] = {}
    keys = {key for key, _ in many}
    for row in rows[np.isin(columns.keys[rows], np.array(sorted(keys), np.int64))].tolist():
        key, host = int(columns.keys[row]), int(columns.hosts[columns.articles[row]])
        twin = first.setdefault(key, row)
        counted = many.get((key, host))
        if twin == row or counted is None or columns.needed[row] == ALONE:
            continue
        rules[row] = BOILERPLATE
        twins[row] = twin
        where = f" of {columns.names[host]}" if columns.names[host] else ""
        evidence[row] = f"in {counted} of {totals[host]} articles{where}"
    return evidence
