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
from dedup.boilerplate import Lines, boilerplate
from dedup.fingerprint import I64, U32, Comparer, Floats
from dedup.match import Articles
from dedup.pieces import Corpus, digests, flat, integers, load
from dedup.prepare import ALONE, SHARED_WORDS
from dedup.settings import PARAGRAPH_SHINGLE, Settings
from dedup.survive import SURVIVES, Texts, survive

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

    def totals(self, articles: Articles) -> I64:
        """How many articles of each host stay."""
        return np.bincount(self.hosts[articles.kept], minlength=len(self.names)).astype(np.int64)


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
        lines = Lines(columns.articles, columns.keys, columns.sizes, present, columns.hosts, columns.totals(articles))
        standing = boilerplate(lines, columns.names, lambda numbers: _texts(corpus, columns, numbers))
        goes = columns.needed[standing.rows] != ALONE  # the twin of a drop within its article stays
        rows = standing.rows[goes]
        rules[rows] = BOILERPLATE
        twins[rows] = standing.twins[goes]
        evidence = {
            row: told for row, told in zip(standing.rows.tolist(), standing.evidence, strict=True) if rules[row]
        }
        present[rows] = present[twins[rows]] = False  # the copy that stays for them is not dropped for another
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


def _texts(corpus: Corpus, columns: _Columns, rows: I64) -> list[str]:
    """The raw text of the paragraphs `rows`."""
    found = [""] * len(rows)
    order = np.argsort(rows, kind="stable")
    articles = columns.articles[rows[order]]
    starts, stops = (integers(columns.values.field(f"raw_{side}"))[rows[order]] for side in ("start", "stop"))
    for _, piece, first, behind in corpus.batches():
        low, high = np.searchsorted(articles, (first, behind)).tolist()
        if low == high:
            continue
        texts = load(piece, ["text"]).column(0)
        previous, text = -1, ""
        for at in range(low, high):
            if articles[at] != previous:
                previous = int(articles[at])
                text = fingerprint.decode(texts[previous - first].as_py())
            found[order[at]] = text[starts[at] : stops[at]]
    return found
