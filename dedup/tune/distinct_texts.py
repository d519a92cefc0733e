"""Collect the distinct texts of a corpus that `clean` compares: its articles, or its paragraphs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, U32, U64, Bools
from dedup.prepare.batch import SHARED_WORDS
from dedup.prepare.columns import digest_values, integer_values, join_chunks
from dedup.prepare.corpus import Corpus
from dedup.tune.candidate_pairs import KeysOf


class DistinctTexts(NamedTuple):
    """The distinct texts that can be paired, numbered by digest, and the places of their copies in the corpus.

    `digests`, `buckets` (uint32 [texts, bands]), and `first_places` and `last_places` (int64 [texts]) have an entry for
    each text. `articles`, `starts` and `stops` (int64 [places]) have one for each place: the row of its article, and a
    span in the article's raw text, -1 if the place is the whole article.
    """

    digests: list[bytes]
    buckets: U32
    first_places: I64
    last_places: I64
    articles: I64
    starts: I64
    stops: I64
    keys_of: KeysOf

    @property
    def marks(self) -> U64:
        """Return the first 8 bytes of each digest: uint64 [texts]."""
        return np.frombuffer(b"".join(digest[:8] for digest in self.digests), np.uint64)


def comparable_articles(corpus: Corpus) -> DistinctTexts:
    """Return the articles that are long enough to be compared."""
    table = corpus.read_columns("digest", "buckets")
    buckets = join_chunks(table["buckets"])
    places = np.flatnonzero(np.asarray(buckets.is_valid()))
    none = np.full(len(corpus), -1, np.int64)
    rows = np.arange(len(corpus), dtype=np.int64)
    return _distinct_texts(
        digest_values(table["digest"]),
        np.asarray(buckets.values).reshape(len(corpus), buckets.type.list_size),
        places,
        (rows, none, none),
        lambda places: corpus.read_keys(rows[places]),
    )


def comparable_paragraphs(corpus: Corpus, kept: Bools, site_text: I64) -> DistinctTexts:
    """Return the paragraphs that `clean` would compare: of articles that stay, long enough, and no site text.

    `kept` says which articles stay, bool [articles]; `site_text` has the numbers of the lines of site text, int64.
    """
    table = corpus.read_columns("paragraphs", "paragraph_buckets")
    values = join_chunks(table["paragraphs"]).flatten()
    articles = np.repeat(np.arange(len(corpus)), np.diff(corpus.paragraph_offsets))
    buckets = join_chunks(table["paragraph_buckets"]).flatten()
    compared = np.asarray(buckets.is_valid()) & kept[articles] & (integer_values(values.field("words")) >= SHARED_WORDS)
    compared[site_text] = False
    places = np.flatnonzero(compared)
    starts, stops = integer_values(values.field("key_start")), integer_values(values.field("key_stop"))
    return _distinct_texts(
        digest_values(values.field("digest")),
        np.asarray(buckets.values).reshape(len(buckets), buckets.type.list_size),
        places,
        (articles, integer_values(values.field("raw_start")), integer_values(values.field("raw_stop"))),
        lambda places: corpus.read_paragraph_keys(articles[places], starts[places], stops[places]),
    )


def _distinct_texts(
    digests: npt.NDArray[np.void], buckets: U32, places: I64, spans: tuple[I64, I64, I64], keys_at: KeysOf
) -> DistinctTexts:
    """Return the distinct texts at `places`, int64, numbered by digest, so that the order of the input has no effect.

    `digests` (bytes [all places]), `buckets` (uint32 [all places, bands]) and `spans` (article, start and stop: int64
    [all places]) have a row for every place of the corpus. `keys_at` returns the comparison keys at places.
    """
    _, firsts = np.unique(digests[places], return_index=True)
    distinct, lasts = np.unique(digests[places[::-1]], return_index=True)
    first = places[firsts]
    last = places[::-1][lasts]
    return DistinctTexts(distinct.tolist(), buckets[first], first, last, *spans, lambda texts: keys_at(first[texts]))
